"""Does a condition hold? Sightings of one thing over watched time, with hysteresis.

``HeldFor`` opens hard (``fraction`` of the analysed frames over ``held``) and stays easily
(:data:`STAY_FRACTION` over a short window), so that a violation neither starts by a flicker nor
ends by one. Time here is *watched* time: it stands still where nobody looked, and an interval
between two looks counts at most :data:`LONGEST_STEP`, so that a stall, a pause or a jump of the
clock never fills a window that nobody saw.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

LONGEST_STEP = 2.0
"""Seconds that the time between two looks counts at most."""
FEWEST_SIGHTINGS = 3
"""However long the gaps: nothing holds on fewer sightings than this."""
STAY_WINDOW = 2.0
STAY_FRACTION = 0.4

_EPSILON = 1e-6

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _Sightings:
    at: list[float] = field(default_factory=list)
    wall: list[datetime] = field(default_factory=list)

    def drop_before(self, index: int) -> None:
        del self.at[:index]
        del self.wall[:index]


class HeldFor(Generic[K]):
    """Keys (track ids, zones) for which a condition has held for ``held`` seconds of watched time."""

    def __init__(self, held: float, fraction: float) -> None:
        self._held = held
        self._fraction = fraction
        self._stay = min(held, STAY_WINDOW)
        self._frames: list[float] = []
        self._keys: dict[K, _Sightings] = {}

    def look(self, seconds: float, wall: datetime, seen: Iterable[K]) -> None:
        """Tell of one analysed frame at ``seconds`` of watched time: the keys that showed it."""
        self._frames.append(seconds)
        for key in seen:
            sightings = self._keys.setdefault(key, _Sightings())
            sightings.at.append(seconds)
            sightings.wall.append(wall)
        self._forget_old(seconds)

    def holding(self) -> dict[K, datetime]:
        """Keys that hold at the last look, with the moment since which they do.

        A key holds if a sighting at least ``held`` ago exists since which ``fraction`` of all
        analysed frames showed it; the latest such sighting is the start (or an earlier one, where
        frames are so rare that it takes more of them to be :data:`FEWEST_SIGHTINGS`).
        """
        result: dict[K, datetime] = {}
        if not self._frames:
            return result
        latest_start = self._frames[-1] - self._held + _EPSILON
        for key, sightings in self._keys.items():
            start = _start(sightings, latest_start)
            if start < 0:
                continue
            count = len(sightings.at) - start
            looks = len(self._frames) - bisect_left(self._frames, sightings.at[start])
            if count >= self._fraction * looks - _EPSILON:
                result[key] = sightings.wall[start]
        return result

    def staying(self) -> set[K]:
        """Keys that show the condition often enough, lately, to keep something open."""
        if not self._frames:
            return set()
        since = self._frames[-1] - self._stay - _EPSILON
        looks = len(self._frames) - bisect_left(self._frames, since)
        least = max(1 if looks <= 2 else 2, STAY_FRACTION * looks - _EPSILON)
        return {
            key
            for key, sightings in self._keys.items()
            if len(sightings.at) - bisect_left(sightings.at, since) >= least
        }

    def forget(self) -> None:
        """Start anew: what was seen before a pause proves nothing after it."""
        self._frames.clear()
        self._keys.clear()

    def _forget_old(self, now: float) -> None:
        unseen_for = self._held + 2 * LONGEST_STEP
        for key, sightings in list(self._keys.items()):
            if sightings.at[-1] < now - unseen_for:
                del self._keys[key]
                continue
            sightings.drop_before(max(0, _start(sightings, now - self._held)))
        oldest = min([now - self._stay, *(sightings.at[0] for sightings in self._keys.values())])
        del self._frames[: max(0, bisect_left(self._frames, oldest - _EPSILON))]


def _start(sightings: _Sightings, latest: float) -> int:
    return min(bisect_right(sightings.at, latest) - 1, len(sightings.at) - FEWEST_SIGHTINGS)
