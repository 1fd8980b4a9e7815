"""The sweep as arithmetic: by when each premises must be looked at, in which order, and whether that can
be kept. Pure; the database and the clock are somebody else's.

A premises must be looked at again before ``interval = period / looks per period`` has passed since the
last look. Whoever asks gets the one whose limit comes first: for equally long jobs no other order keeps
more limits (Jackson's rule: earliest due date first), and nobody starves, because a limit never moves
away by waiting. The forecast plays this order forward, day by day, with the officers who can be counted
on, and names what would come late: before it is late.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAY = timedelta(days=1)
NO_GRADE = "B"


@dataclass(frozen=True, slots=True)
class SweepRules:
    """A period, looks per period by risk grade, and what an officer does on a working day."""

    period: timedelta
    looks: Mapping[str, int]
    reserve: timedelta
    looks_per_day: int
    workdays: frozenset[int]
    silent_after: timedelta

    def looks_of(self, grade: str | None) -> int:
        """Looks per period of a premises of this risk grade."""
        return self.looks.get(grade or NO_GRADE, self.looks[NO_GRADE])

    def interval(self, grade: str | None) -> timedelta:
        """The longest time between two looks."""
        return self.period / self.looks_of(grade)


@dataclass(frozen=True, slots=True)
class Place:
    """A premises of the sweep: its risk grade, its last look, and since when it is to be looked at."""

    premises_id: int
    grade: str | None
    last_at: datetime | None
    since_at: datetime
    rules: SweepRules

    @property
    def interval(self) -> timedelta:
        """The longest time between two looks at it."""
        return self.rules.interval(self.grade)

    @property
    def limit_at(self) -> datetime:
        """When the next look must be over."""
        return (self.last_at or self.since_at) + self.interval

    @property
    def target_at(self) -> datetime:
        """From when on it ought to be looked at: the limit less a reserve, at most a quarter of the way."""
        return self.limit_at - min(self.rules.reserve, self.interval / 4)


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who patrols the subtree at ``path``; away in the spans given (``None``: for good)."""

    person_id: int
    path: str
    last_at: datetime | None
    """The last look that they finished."""
    since_at: datetime
    """Since when they are here."""
    away: tuple[tuple[datetime, datetime | None], ...] = ()

    def is_away(self, at: datetime) -> bool:
        """Whether they have said that they are not here then."""
        return any(since <= at and (until is None or at < until) for since, until in self.away)

    def is_gone(self, at: datetime) -> bool:
        """Whether they are away for good."""
        return any(since <= at and until is None for since, until in self.away)

    def begun_at(self, at: datetime) -> datetime:
        """Since when nothing was heard of them: their last look, their start, or their return."""
        back = [until for _, until in self.away if until is not None and until <= at]
        return max([self.since_at, *back] if self.last_at is None else [self.since_at, self.last_at, *back])


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whether every limit of the coming period can be kept."""

    late: tuple[int, ...]
    """Premises that will not be looked at in time, those with the nearest limit first."""
    first_late_at: datetime | None
    """The first limit that passes."""
    capacity: int
    """Looks a working day that can be counted on now."""
    needed: int
    """Looks a working day with which every limit is kept (the smallest such number)."""

    @property
    def holds(self) -> bool:
        """Whether nothing comes late."""
        return not self.late


def in_order(places: Iterable[Place]) -> list[Place]:
    """The queue: nearest limit first; of equals the riskier, then the one that has waited longer."""
    return sorted(
        places, key=lambda one: (one.limit_at, one.interval, one.last_at or one.since_at, one.premises_id)
    )


def forecast(places: Sequence[Place], capacities: Sequence[int], *, now: datetime) -> Forecast:
    """What comes late if on day ``n`` (24 hours each, from now) ``capacities[n]`` premises are looked at.

    A look counts from the end of its day: the forecast errs on the side of warning.
    """
    late, first = _play(places, capacities, now, stop_early=False)
    working = [one for one in capacities if one]
    return Forecast(
        late=tuple(late),
        first_late_at=first,
        capacity=next(iter(working), 0),
        needed=needed_per_day(places, [one > 0 for one in capacities] if working else None, now=now),
    )


def needed_per_day(places: Sequence[Place], workdays: Sequence[bool] | None, *, now: datetime) -> int:
    """The smallest number of looks a working day that keeps every limit that can still be kept.

    ``workdays`` says on which of the coming days there is work; without, on all of a longest interval.
    """
    if not places:
        return 0
    days = workdays if workdays is not None else [True] * horizon_days(places)
    # What cannot be kept by any number is not asked of anybody: its limit has passed, or does so today.
    unreachable = set(_play(places, [len(places) if day else 0 for day in days], now, stop_early=False)[0])
    reachable = [one for one in places if one.premises_id not in unreachable]
    if not reachable:
        return len(places)
    low, high = 1, len(places)
    while low < high:
        middle = (low + high) // 2
        late, _ = _play(reachable, [middle if day else 0 for day in days], now, stop_early=True)
        low, high = (middle + 1, high) if late else (low, middle)
    return low


def horizon_days(places: Iterable[Place]) -> int:
    """Days that a forecast looks ahead: the longest interval, so that every present limit lies within."""
    return max((-(-one.interval // DAY) + 1 for one in places), default=0)


def _play(
    places: Sequence[Place], capacities: Sequence[int], now: datetime, *, stop_early: bool
) -> tuple[list[int], datetime | None]:
    waiting = [(one.limit_at, index) for index, one in enumerate(places)]
    heapq.heapify(waiting)
    late: dict[int, datetime] = {}
    for number, capacity in enumerate(capacities):
        day_ends = now + (number + 1) * DAY
        again: list[tuple[datetime, int]] = []
        for _ in range(min(capacity, len(waiting))):
            limit, index = heapq.heappop(waiting)
            if limit < day_ends:
                late.setdefault(index, limit)
                if stop_early:
                    break
            again.append((day_ends + places[index].interval, index))
        for entry in again:
            heapq.heappush(waiting, entry)
        if late and stop_early:
            break
    end = now + len(capacities) * DAY
    for limit, index in waiting:
        if limit < end:
            late.setdefault(index, limit)
    named = sorted(late.items(), key=lambda pair: (pair[1], pair[0]))
    return [places[index].premises_id for index, _ in named], named[0][1] if named else None


def is_silent(officer: Officer, places: Iterable[Place], officers: int, *, now: datetime) -> bool:
    """Whether an officer cannot be counted on: work waits, and they have done nothing for a while.

    Work waits where a premises ought to be looked at already, or where the coming limits need at least
    one look a day of each of the ``officers`` who share the places. One with nothing to do is not silent.
    """
    own = in_order(places)
    if not own:
        return False
    patience = own[0].rules.silent_after
    begun = officer.begun_at(now)
    if now - begun < patience or officer.is_away(now):
        return False
    due_at = min(one.target_at for one in own)
    if now - max(begun, due_at) >= patience:
        return True
    return any(one.target_at - now <= (number + 1) * DAY / max(1, officers) for number, one in enumerate(own))


@dataclass(frozen=True, slots=True)
class Unit:
    """Premises and the officers who answer for them: the nearest level on the way up that has somebody."""

    path: str
    places: tuple[Place, ...]
    officers: tuple[Officer, ...]


def units(places: Iterable[tuple[Place, str]], officers: Sequence[Officer], *, now: datetime) -> list[Unit]:
    """Put every premises (with the path of its grid) to the nearest officers who are here.

    An officer who is gone for good or silent is not here: the premises then fall to the level above, if
    somebody is there, and stay with nobody otherwise. One who comes back is waited for. Officers above a
    level that is manned help it, but are not counted on for it.
    """
    grids: dict[str, list[Place]] = {}
    for place, path in places:
        grids.setdefault(path, []).append(place)
    by_path: dict[str, list[Officer]] = {}
    for officer in officers:
        if not officer.is_gone(now):
            by_path.setdefault(officer.path, []).append(officer)
    manned: dict[str, list[Officer]] = {}
    for path, here in by_path.items():
        own = in_order(place for grid, inside in grids.items() if grid.startswith(path) for place in inside)
        manned[path] = [one for one in here if not is_silent(one, own, len(here), now=now)]
    found: dict[str, list[Place]] = {}
    for grid, inside in grids.items():
        answers = next((above for above in _upwards(grid) if manned.get(above)), grid)
        found.setdefault(answers, []).extend(inside)
    return [Unit(path, tuple(own), tuple(manned.get(path, ()))) for path, own in sorted(found.items())]


def unit_forecast(unit: Unit, *, now: datetime, weekday: int) -> Forecast:
    """The forecast of a unit; ``weekday`` is the local one of ``now`` (0 is Monday)."""
    rules = unit.places[0].rules
    capacities = [
        rules.looks_per_day * sum(not one.is_away(now + day * DAY) for one in unit.officers)
        if (weekday + day) % 7 in rules.workdays
        else 0
        for day in range(horizon_days(unit.places))
    ]
    return forecast(unit.places, capacities, now=now)


def _upwards(path: str) -> Iterator[str]:
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), 0, -1):
        yield "/" + "/".join(parts[:length]) + "/"
