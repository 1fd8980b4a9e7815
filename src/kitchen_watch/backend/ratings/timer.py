"""Freezes half-years, each once per premises, however many processes look (ARCHITECTURE, decision 8)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.ratings.halves import Half, half_before
from kitchen_watch.backend.ratings.settings import RatingSettings
from kitchen_watch.backend.ratings.snapshots import freeze, ripe_since
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow
from kitchen_watch.clock import Clock

BATCH = 200
LOCK = "ratings"


class RatingTimer:
    """Looks now and then whether the newest half-year is to be frozen."""

    def __init__(self, database: Database, clock: Clock, settings: RatingSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("half-years", self.look, every_s=self._settings.look_every_s)

    def look(self) -> int:
        """Freeze what is ripe; returns how many scores this process has frozen."""
        with self._database.read() as session:
            zone = zone_in(session)
            half = half_before(self._clock.now(), zone)
            frozen, after = 0, 0
            if self._clock.now() < ripe_since(half, zone.key, self._settings.freeze_after):
                return 0
            wanted = bool(_missing(session, half, after))
        while wanted:
            with self._database.write() as session:
                if not claimed(session, LOCK):
                    return frozen  # another process is at it
                batch = _missing(session, half, after)
                frozen += freeze(session, batch, half, formula=self._settings.formula, now=self._clock.now())
                wanted = len(batch) == BATCH
                after = batch[-1].id if batch else after
        return frozen


def _missing(session: Session, half: Half, after: int) -> list[PremisesRow]:
    done = select(RatingSnapshotRow.premises_id).where(RatingSnapshotRow.half == half.name)
    _, ended = half.span(zone_in(session))
    return list(
        session.scalars(
            select(PremisesRow)
            .where(
                PremisesRow.id > after,
                PremisesRow.active.is_(True),
                PremisesRow.created_at < ended,
                PremisesRow.id.not_in(done),
            )
            .order_by(PremisesRow.id)
            .limit(BATCH)
        )
    )
