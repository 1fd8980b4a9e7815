"""Keeps the sums of months that are over; one process at a time (ARCHITECTURE, decision 8)."""

from __future__ import annotations

from kitchen_watch.backend.database import Database
from kitchen_watch.backend.looking import Looking, claimed
from kitchen_watch.backend.statistics.months import keep_months
from kitchen_watch.clock import Clock

LOOK_EVERY_S = 600.0


class MonthsTimer:
    """Looks now and then whether a month has settled, or a kept one has changed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def looking(self) -> Looking:
        """The loop that makes this process look."""
        return Looking("statistics", self.look, every_s=LOOK_EVERY_S)

    def look(self) -> int:
        """Sum what is to be summed, a month per transaction; how many sums were made."""
        made = 0
        while True:
            with self._database.write() as session:
                step = keep_months(session, self._clock.now()) if claimed(session, "statistics") else 0
            if not step:
                return made
            made += step
