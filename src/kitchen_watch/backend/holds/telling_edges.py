"""Tells every connected edge what it must hold, and keeps what each answers.

An edge is told when it connects, when a hold is placed or lifted, and when one ends by itself. What
must be held is computed anew each time, so a message that was lost does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend import notices
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.edges.control import ControlHub
from kitchen_watch.backend.holds.held import active
from kitchen_watch.backend.holds.schemas import HeldAtEdge
from kitchen_watch.backend.holds.tables import EdgeHoldsRow, HoldKind, HoldRow
from kitchen_watch.backend.organisations.tables import CameraRow, EdgeRow
from kitchen_watch.clock import Clock
from kitchen_watch.control import MAX_HELD, HeldSpan, HeldSpans, HoldReport

LOOK_EVERY_S = 30.0
AROUND = timedelta(minutes=5)
"""Of an alert that is held, its camera's recording from before and after it is held, too."""

log = structlog.get_logger(__name__)


class HoldsTeller:
    """Speaks to the edges that are connected to this process."""

    def __init__(self, database: Database, clock: Clock, control: ControlHub) -> None:
        self._database = database
        self._clock = clock
        self._control = control
        self._stopping = False
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Tell until stopped; a database that is away for a while is only logged."""
        with self._database.notices.subscribed(notices.HOLDS) as woken:
            while not self._stopping:
                woken.clear()
                for edge_id in self._control.connected():
                    try:
                        await self._tell(edge_id)
                    except SQLAlchemyError as error:
                        log.warning("an edge cannot be told what to hold", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await woken.wait()

    def stop(self) -> None:
        """Let :meth:`run` return."""
        self._stopping = True
        self._database.notices.publish(notices.HOLDS)

    async def edge_here(self, edge_id: str) -> None:
        """It may have been restored from an old disk: it is told whatever it was told before."""
        self._told.pop(edge_id, None)
        await self._tell(edge_id)

    async def edge_holds(self, edge_id: str, report: HoldReport) -> None:
        """Keep what the edge says."""
        await run_in_threadpool(self._keep, edge_id, report)

    async def _tell(self, edge_id: str) -> None:
        message = await run_in_threadpool(self._message, edge_id)
        if message is None:
            return
        if self._told.get(edge_id) != message.version and await self._control.tell(edge_id, message):
            self._told[edge_id] = message.version

    def _message(self, edge_id: str) -> HeldSpans | None:
        """What it must hold; ``None`` for nothing, where it has never held anything."""
        with self._database.read() as session:
            told = held_by(session, edge_id, now=self._clock.now())
            if told.spans or told.violations or session.get(EdgeHoldsRow, edge_id) is not None:
                return told
            return None

    def _keep(self, edge_id: str, report: HoldReport) -> None:
        with self._database.write() as session:
            row = session.get(EdgeHoldsRow, edge_id)
            if row is None:
                row = EdgeHoldsRow(edge_id=edge_id)
                session.add(row)
            row.version, row.heard_at = report.version, self._clock.now()
            row.segments, row.size_bytes, row.packages = (
                report.segments,
                report.size_bytes,
                report.packages,
            )


def held_by(session: Session, edge_id: str, *, now: datetime) -> HeldSpans:
    """Everything that an edge must hold now; its version is made of its content."""
    cameras = session.execute(
        select(CameraRow.camera_id, CameraRow.premises_id).where(CameraRow.edge_id == edge_id)
    ).all()
    by_premises: dict[int, list[str]] = {}
    for camera_id, premises_id in cameras:
        by_premises.setdefault(premises_id, []).append(camera_id)
    rows = session.execute(
        select(HoldRow, AlertRow)
        .outerjoin(AlertRow, AlertRow.id == HoldRow.alert_id)
        .where(active(now), HoldRow.premises_id.in_(by_premises))
        .order_by(HoldRow.id.desc())
    )
    spans: set[tuple[str, datetime, datetime]] = set()
    violations = set()
    for hold, alert in rows:
        if alert is not None:
            violations.add(alert.violation_id)
            spans.add((alert.camera_id, alert.started_at - AROUND, alert.last_seen_at + AROUND))
        elif hold.since_at is not None and hold.until_at is not None:
            whose = by_premises[hold.premises_id] if hold.kind is HoldKind.PREMISES else [hold.camera_id]
            spans |= {(camera_id, hold.since_at, hold.until_at) for camera_id in whose}
    own = {camera_id for camera_id, _ in cameras}
    listed = [
        HeldSpan(camera_id=camera_id, since_at=since, until_at=until)
        for camera_id, since, until in sorted(spans)
        if camera_id in own
    ]
    if len(listed) > MAX_HELD or len(violations) > MAX_HELD:
        log.error("more holds than an edge can be told", edge=edge_id, spans=len(listed))
    told = HeldSpans(
        version="", spans=tuple(listed[-MAX_HELD:]), violations=tuple(sorted(violations)[-MAX_HELD:])
    )
    version = hashlib.sha256(told.model_dump_json().encode()).hexdigest()[:32]
    return told.model_copy(update={"version": version})


def held_at_edges(session: Session, person: Person, *, now: datetime) -> list[HeldAtEdge]:
    """Edges of which something must be held, or that still hold something, within the person's scope."""
    said = {row.edge_id: row for row in session.scalars(select(EdgeHoldsRow))}
    found = []
    for edge_id in session.scalars(
        select(EdgeRow.edge_id).where(person.scope.edges(EdgeRow.edge_id)).order_by(EdgeRow.edge_id)
    ):
        wanted, row = held_by(session, edge_id, now=now), said.get(edge_id)
        if row is None and not wanted.spans and not wanted.violations:
            continue
        found.append(
            HeldAtEdge(
                edge_id=edge_id,
                heard_at=row.heard_at if row is not None else None,
                current=row is not None and row.version == wanted.version,
                segments=row.segments if row is not None else 0,
                size_bytes=row.size_bytes if row is not None else 0,
                packages=row.packages if row is not None else 0,
            )
        )
    return found
