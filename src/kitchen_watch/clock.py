"""Time as a thing that is handed in: wall clock in UTC, monotonic seconds, and sleep.

Logic never asks the operating system for the time; it asks the clock it was given, so that a
test (or a replayed file) can make an hour pass in a microsecond.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What every part that needs the time receives."""

    def now(self) -> datetime:
        """Aware UTC wall-clock time."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow; the origin means nothing."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return after ``duration`` of this clock's time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Aware UTC wall-clock time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary start, immune to clock corrections."""
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Real sleep; negative durations return at once."""
        await asyncio.sleep(max(0.0, duration.total_seconds()))


class ManualClock:
    """A clock that moves only when told: for tests and for replaying files.

    Sleepers wake, in order of their time, as ``advance`` passes them.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The simulated wall-clock time."""
        return self._now

    def monotonic(self) -> float:
        """Simulated seconds since construction; not moved by ``set_wall``."""
        return self._elapsed

    def advance(self, duration: timedelta | float) -> None:
        """Let ``duration`` (a timedelta, or seconds) pass and wake the sleepers it passes."""
        seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
        self._elapsed += seconds
        self._now += timedelta(seconds=seconds)
        due = [entry for entry in self._sleepers if entry[0] <= self._elapsed]
        self._sleepers = [entry for entry in self._sleepers if entry[0] > self._elapsed]
        for _, future in sorted(due, key=lambda entry: entry[0]):
            if not future.done():
                future.set_result(None)

    def set_wall(self, now: datetime) -> None:
        """Jump the wall clock, as NTP or a person would; monotonic time does not move."""
        self._now = now

    async def sleep(self, duration: timedelta) -> None:
        """Return once ``advance`` has moved past ``duration``."""
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + duration.total_seconds(), future))
        await future
