"""What came of one run of the demo, read from the edge's status and the backend's counters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_EVENTS = re.compile(
    r'^kw_backend_events_total\{verdict="(?P<verdict>\w+)"\} (?P<count>[0-9.e+]+)$', re.MULTILINE
)


@dataclass(frozen=True)
class Counts:
    """Counters at one moment: those of the edge outlive a start, those of the backend do not.

    ``accepted`` and ``known`` (events that came a second time) are ``None`` if the backend did not answer.
    """

    delivered: int = 0
    accepted: int | None = 0
    known: int | None = 0


ZERO = Counts()


@dataclass(frozen=True)
class CameraLine:
    """One camera's figures; ``replaced`` frames were due for analysis and gave way to a newer one."""

    camera_id: str
    state: str
    received: int
    analysed: int
    replaced: int
    analysed_per_second: float | None = None
    still: int = 0
    """Frames that the model need not see, because nothing had changed since it found the scene empty."""


@dataclass(frozen=True)
class Summary:
    """This run in numbers; ``violations`` are those opened, by code. ``seconds`` is how long it streamed."""

    seconds: float = 0.0
    wanted_per_second: float = 0.0
    at_once: int | None = None
    """So many cameras were looked at at a time; ``None``: all of them."""
    cameras: tuple[CameraLine, ...] = ()
    violations: Mapping[str, int] = field(default_factory=dict)
    delivered: int = 0
    pending: int = 0
    uploads_pending: int = 0
    dead: int = 0
    accepted_by_backend: int | None = None
    known_to_backend: int | None = None
    """Events that the backend had already: the edge sent them again because an answer was lost."""

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "violations": dict(self.violations)}


def counts_of(status: Mapping[str, Any], backend_metrics: str) -> Counts:
    """The counters in an edge's ``/status`` answer and the text of the backend's ``/metrics``."""
    found = {match["verdict"]: int(float(match["count"])) for match in _EVENTS.finditer(backend_metrics)}
    answered = bool(backend_metrics)  # a verdict that never came has no line yet
    return Counts(
        delivered=status.get("outbox", {}).get("delivered", 0),
        accepted=found.get("accepted", 0) if answered else None,
        known=found.get("duplicate", 0) if answered else None,
    )


def summary_of(
    status: Mapping[str, Any],
    backend_metrics: str = "",
    *,
    before: Counts = ZERO,
    seconds: float = 0.0,
    wanted_per_second: float = 0.0,
    at_once: int | None = None,
) -> Summary:
    """What came of a run that streamed ``seconds`` and began with the counters ``before``."""
    outbox = status.get("outbox", {})
    now = counts_of(status, backend_metrics)
    return Summary(
        seconds=round(seconds, 1),
        wanted_per_second=wanted_per_second,
        at_once=at_once,
        cameras=tuple(_camera_line(camera, seconds) for camera in status.get("cameras", ())),
        violations=dict(sorted(status.get("violations", {}).items())),
        delivered=max(0, now.delivered - before.delivered),
        pending=outbox.get("pending", 0),
        uploads_pending=outbox.get("uploads_pending", 0),
        dead=outbox.get("dead", 0),
        accepted_by_backend=_grown(before.accepted, now.accepted),
        known_to_backend=_grown(before.known, now.known),
    )


def _camera_line(camera: Mapping[str, Any], seconds: float) -> CameraLine:
    analysed = camera.get("frames_analysed", 0)
    return CameraLine(
        camera["camera_id"],
        camera["state"],
        camera.get("frames_received", 0),
        analysed,
        camera.get("frames_dropped", 0),
        round(analysed / seconds, 1) if seconds > 0 else None,
        camera.get("frames_still", 0),
    )


def _grown(before: int | None, now: int | None) -> int | None:
    """How much a counter grew; ``None`` if it was not seen or began anew because its program restarted."""
    return None if before is None or now is None or now < before else now - before
