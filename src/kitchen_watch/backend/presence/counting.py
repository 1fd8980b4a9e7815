"""Counts minutes: every few of them it is noted which cameras are seen and which premises are open.

What nobody looked at (the backend stood still) is counted nowhere: neither as watched nor as blind.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from math import floor
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.edges.tables import CameraStateRow, EdgeStateRow
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.organisations.camera_lists import HEALTHY
from kitchen_watch.backend.organisations.service import is_connected
from kitchen_watch.backend.organisations.tables import CameraRow, PremisesRow
from kitchen_watch.backend.presence.coverage import covered_by_grid
from kitchen_watch.backend.presence.opening import is_open_at
from kitchen_watch.backend.presence.tables import CameraDayRow, CoverageDayRow, PresenceMomentRow
from kitchen_watch.clock import Clock

STEP_MINUTES = 5
_AT_ONCE = 500


class PresenceTimer:
    """Makes this process count, unless another one already has."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("presence", self.look, every_s=60.0)

    def look(self) -> int:
        """Count the present step, if nobody has; how many cameras were counted."""
        with self._database.write() as session:
            return count_step(session, self._clock.now()) if claimed(session, "presence") else 0


def count_step(session: Session, now: datetime) -> int:
    """Add one step to the day of every camera in use. Each step of the clock is counted once."""
    step = now.astimezone(UTC).replace(minute=now.minute - now.minute % STEP_MINUTES, second=0, microsecond=0)
    moment = session.get(PresenceMomentRow, 1)
    if moment is not None and moment.counted_at >= step:
        return 0
    if moment is None:
        session.add(PresenceMomentRow(id=1, counted_at=step))
    else:
        moment.counted_at = step
    lines = _lines(session, now)
    for start in range(0, len(lines), _AT_ONCE):
        _add(session, lines[start : start + _AT_ONCE])
    _note_coverage(session, now)
    return len(lines)


def _lines(session: Session, now: datetime) -> list[dict[str, Any]]:
    edges = {row.edge_id: is_connected(row, now) for row in session.scalars(select(EdgeStateRow))}
    rows = session.execute(
        select(
            CameraRow.camera_id, CameraRow.edge_id, PremisesRow.id, PremisesRow.node_id,
            PremisesRow.hours, PremisesRow.time_zone, CameraStateRow.state, CameraStateRow.turn_share,
        )
        .join(PremisesRow, PremisesRow.id == CameraRow.premises_id)
        .outerjoin(CameraStateRow, CameraStateRow.camera_id == CameraRow.camera_id)
        .where(CameraRow.enabled.is_(True), PremisesRow.active.is_(True))
        .order_by(CameraRow.camera_id)
    )  # fmt: skip
    places: dict[int, tuple[str, bool]] = {}
    lines = []
    for camera_id, edge_id, premises_id, node_id, hours, zone, state, share in rows:
        if premises_id not in places:
            local = now.astimezone(zone_of(zone))
            places[premises_id] = local.date().isoformat(), is_open_at(hours, local)
        day, open_now = places[premises_id]
        seen = state in HEALTHY and edges.get(edge_id, False)
        streamed = STEP_MINUTES * (seen and open_now)
        lines.append(
            {
                "camera_id": camera_id, "day": day, "premises_id": premises_id, "node_id": node_id,
                "counted": STEP_MINUTES, "online": STEP_MINUTES * seen,
                "operating": STEP_MINUTES * open_now, "streamed": streamed,
                "watched": streamed if share is None else whole_minutes(streamed * share, now),
            }
        )  # fmt: skip
    return lines


def whole_minutes(minutes: float, now: datetime) -> int:
    """A part of the step in whole minutes; over many steps of a constant part nothing is lost."""
    number = int(now.timestamp()) // (60 * STEP_MINUTES)
    return floor((number + 1) * minutes) - floor(number * minutes)


def _add(session: Session, lines: list[dict[str, Any]]) -> None:
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(CameraDayRow)
    sums = ("counted", "online", "operating", "streamed", "watched")
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["camera_id", "day"],
            set_={name: getattr(CameraDayRow, name) + insert.excluded[name] for name in sums},
        ),
        lines,
    )


def _note_coverage(session: Session, now: datetime) -> None:
    """The newest state of the day stands; so the last look of a day is what remains of it."""
    day = now.astimezone(zone_in(session)).date().isoformat()
    known = {
        row.node_id: row for row in session.scalars(select(CoverageDayRow).where(CoverageDayRow.day == day))
    }
    counted: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    counted.update(covered_by_grid(session, now))
    for node_id in {*known, *counted}:
        premises, covered = counted[node_id]
        row = known.get(node_id)
        if row is None:
            session.add(CoverageDayRow(day=day, node_id=node_id, premises=premises, covered=covered))
        else:
            row.premises, row.covered = premises, covered
