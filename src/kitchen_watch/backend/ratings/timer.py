"""Freezes half-years, each once per premises, however many processes look (ARCHITECTURE, decision 8)."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.database import Database, lock_key
from kitchen_watch.backend.deadlines.running import DEFAULT_ZONE, zone_of
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.ratings.halves import Half, half_before
from kitchen_watch.backend.ratings.settings import RatingSettings
from kitchen_watch.backend.ratings.snapshots import freeze, ripe_since
from kitchen_watch.backend.ratings.tables import RatingSnapshotRow
from kitchen_watch.clock import Clock

BATCH = 200
LOCK = "ratings"

log = structlog.get_logger(__name__)


class RatingTimer:
    """Looks now and then whether the newest half-year is to be frozen."""

    def __init__(self, database: Database, clock: Clock, settings: RatingSettings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look until stopped; a database that is away for a while is only logged."""
        while not self._stopping.is_set():
            try:
                await run_in_threadpool(self.look)
            except SQLAlchemyError as error:
                log.warning("ratings cannot be frozen", reason=str(error)[:300])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look_every_s):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Let :meth:`run` return after the look that it is in."""
        self._stopping.set()

    def look(self) -> int:
        """Freeze what is ripe; returns how many scores this process has frozen."""
        half = half_before(self._clock.now(), zone_of(DEFAULT_ZONE))
        frozen, after = 0, 0
        if self._clock.now() < ripe_since(half, DEFAULT_ZONE, self._settings.freeze_after):
            return 0
        with self._database.read() as session:
            wanted = bool(_missing(session, half, after))
        while wanted and not self._stopping.is_set():
            with self._database.write() as session:
                if not _ours(session):
                    return frozen  # another process is at it
                batch = _missing(session, half, after)
                frozen += freeze(session, batch, half, formula=self._settings.formula, now=self._clock.now())
                wanted = len(batch) == BATCH
                after = batch[-1].id if batch else after
        return frozen


def _missing(session: Session, half: Half, after: int) -> list[PremisesRow]:
    done = select(RatingSnapshotRow.premises_id).where(RatingSnapshotRow.half == half.name)
    _, ended = half.span(zone_of(DEFAULT_ZONE))
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


def _ours(session: Session) -> bool:
    # A write transaction on SQLite is alone already.
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": lock_key(LOCK)}))
