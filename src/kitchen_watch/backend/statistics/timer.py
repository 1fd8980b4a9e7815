"""Keeps the sums of months that are over; one process at a time (ARCHITECTURE, decision 8)."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.database import Database, exclusive
from kitchen_watch.backend.statistics.months import keep_months
from kitchen_watch.clock import Clock

LOOK_EVERY_S = 600.0

log = structlog.get_logger(__name__)


class MonthsTimer:
    """Looks now and then whether a month has settled, or a kept one has changed."""

    def __init__(self, database: Database, clock: Clock, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._database = database
        self._clock = clock
        self._look_every_s = look_every_s
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look until stopped; a database that is away for a while is only logged."""
        while not self._stopping.is_set():
            try:
                await run_in_threadpool(self.look)
            except SQLAlchemyError as error:
                log.warning("months cannot be summed", reason=str(error)[:300])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Let :meth:`run` return after the month that it is in."""
        self._stopping.set()

    def look(self) -> None:
        """Sum what is to be summed, a month per transaction."""
        made = 1
        while made and not self._stopping.is_set():
            with self._database.write() as session:
                exclusive(session, "statistics")
                made = keep_months(session, self._clock.now())
