"""How a group goes over: the new host warms up, the old one lets go, the new one takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from kitchen_watch.clock import Clock
from kitchen_watch.cluster.hosts import Engine
from kitchen_watch.cluster.placement import Move
from kitchen_watch.cluster.report import HostReport, HostState
from kitchen_watch.errors import ClusterError

POLL = timedelta(seconds=0.1)
WARM_LIMIT = timedelta(seconds=120)
"""A new host that is not warm by then is given up; the old one goes on."""
FIRST_FRAME_LIMIT = timedelta(seconds=15)


async def hand_over(engine: Engine, move: Move, old: str, *, clock: Clock) -> Mapping[str, float]:
    """Move a group from its host ``old``; seconds without analysis by camera.

    Raises:
        ClusterError: the new host was not ready in time (the old one goes on), or the old one did not answer.
    """
    new = await engine.start(move.edge_id, move.target)
    warm = await _until(engine, clock, new, lambda report: report.warm, WARM_LIMIT)
    ready = warm is not None and warm.warm and warm.state is HostState.WAITING
    if warm is None or not ready or warm.node_id != move.target:
        await engine.end(new)
        why = "; ".join(warm.troubles) if warm is not None else ""
        raise ClusterError(
            f"The new host was not ready within {WARM_LIMIT.total_seconds():.0f} s on the node it was"
            f" meant for; the old one goes on. {why}".strip()
        )
    handed = await engine.hand_over(old)
    await engine.end(old)
    if handed is None:
        raise ClusterError("The old host did not answer; the new one takes over when the lease ends.")
    await _until(
        engine,
        clock,
        new,
        lambda report: (
            {camera.camera_id for camera in report.cameras if camera.first_at is not None}
            >= set(handed.last_at)
        ),
        FIRST_FRAME_LIMIT,
    )
    report = await engine.report(new)
    first = {one.camera_id: one.first_at for one in report.cameras} if report is not None else {}
    return {
        camera_id: (begun - last).total_seconds()
        for camera_id, last in handed.last_at.items()
        if (begun := first.get(camera_id)) is not None
    }


async def _until(
    engine: Engine, clock: Clock, host: str, good: Callable[[HostReport], bool], limit: timedelta
) -> HostReport | None:
    """The host's first report that is ``good``; its last one of all, or ``None``, after ``limit``."""
    end = clock.monotonic() + limit.total_seconds()
    while True:
        report = await engine.report(host)
        if report is not None and good(report):
            return report
        if clock.monotonic() >= end:
            return report
        await clock.sleep(POLL)
