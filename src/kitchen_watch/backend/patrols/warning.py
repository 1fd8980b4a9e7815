"""Once a day: the forecast of every part of the tree is written down where something would come late."""

from __future__ import annotations

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.looking import Looking
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.patrols.planning import units_of
from kitchen_watch.backend.patrols.roster import swept_premises
from kitchen_watch.backend.patrols.settings import PatrolSettings
from kitchen_watch.backend.patrols.sweep import unit_forecast
from kitchen_watch.backend.patrols.tables import SweepWarningRow
from kitchen_watch.clock import Clock

LOCK = "sweep-warnings"
MAX_NAMED = 500
TIMER = Actor(None, "")


class SweepWarnings(Looking):
    """Looks now and then while the application runs; the database decides who writes a day's forecast."""

    def __init__(self, database: Database, clock: Clock, settings: PatrolSettings) -> None:
        super().__init__("sweep", self.look, every_s=settings.look_every_s)
        self._database = database
        self._clock = clock
        self._settings = settings

    def look(self) -> int:
        """Write the warnings of the local day that are not written yet; how many this process wrote."""
        now = self._clock.now()
        with self._database.read() as session:
            told, zone = self._late(session), zone_in(session)
        if not told:
            return 0
        day = now.astimezone(zone).date().isoformat()
        written = 0
        with self._database.write() as session:
            exclusive(session, LOCK)
            known = set(session.scalars(select(SweepWarningRow.node_id).where(SweepWarningRow.day == day)))
            for row in told:
                if row.node_id in known:
                    continue
                row.day, row.at = day, now
                session.add(row)
                record(
                    session, TIMER, "sweep_shortfall", at=now, about=("node", row.node_id),
                    late=row.late, capacity=row.capacity, needed=row.needed,
                )  # fmt: skip
                written += 1
        return written

    def _late(self, session: Session) -> list[SweepWarningRow]:
        now = self._clock.now()
        weekday = now.astimezone(zone_in(session)).weekday()
        rows = []
        for unit in units_of(session, swept_premises(session, self._settings, true()), now=now):
            told = unit_forecast(unit, now=now, weekday=weekday)
            if told.first_late_at is None:
                continue
            rows.append(
                SweepWarningRow(
                    node_id=node_ids(unit.path)[-1],
                    late=len(told.late),
                    first_late_at=told.first_late_at,
                    capacity=told.capacity,
                    needed=told.needed,
                    premises=list(told.late[:MAX_NAMED]),
                )
            )
        return rows
