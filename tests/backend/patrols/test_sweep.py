"""Every premises is looked at in time, or the shortfall is told before it is too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen_watch.backend.patrols.sweep import (
    DAY,
    Forecast,
    Officer,
    Place,
    SweepRules,
    forecast,
    in_order,
    is_silent,
    needed_per_day,
    unit_forecast,
    units,
)

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
RULES = SweepRules(
    period=timedelta(days=30),
    looks={"A": 1, "B": 1, "C": 2, "D": 3},
    reserve=timedelta(days=7),
    looks_per_day=4,
    workdays=frozenset({0, 1, 2, 3, 4}),
    silent_after=timedelta(days=2),
)
GRID = "/1/2/"


def place(
    number: int, grade: str | None = "A", *, seen_days_ago: float | None = None, known: float = 0
) -> Place:
    last = None if seen_days_ago is None else MONDAY - seen_days_ago * DAY
    return Place(number, grade, last, MONDAY - known * DAY, RULES)


@pytest.mark.parametrize(
    ("grade", "days"), [("A", 30), ("B", 30), ("C", 15), ("D", 10), (None, 30), ("?", 30)]
)
def test_the_riskier_the_sooner_again(grade: str | None, days: int) -> None:
    one = place(1, grade, seen_days_ago=4)
    assert one.limit_at == MONDAY + (days - 4) * DAY
    assert one.limit_at - one.target_at == min(7 * DAY, days * DAY / 4)


def test_the_nearest_limit_comes_first_and_of_equals_the_riskier() -> None:
    places = [
        place(1, "A", seen_days_ago=29),
        place(2, "D", seen_days_ago=9),  # the same limit as 1
        place(3, "A", seen_days_ago=2),
        place(4, "D", seen_days_ago=0),
        place(5, "B", known=40),  # never seen, ten days too late
    ]
    assert [one.premises_id for one in in_order(places)] == [5, 2, 1, 4, 3]


@pytest.mark.parametrize(
    ("seen", "capacity", "late", "needed"),
    [
        ([], 0, 0, 0),
        ([0, 1, 2], 1, 0, 1),
        ([27, 27, 27, 27], 4, 0, 2),  # four limits within three days
        ([27, 27, 27, 27], 1, 1, 2),
        ([40], 4, 1, 1),  # too late already, whoever comes
    ],
)
def test_what_comes_late_is_known_before(seen: list[float], capacity: int, late: int, needed: int) -> None:
    places = [place(number, seen_days_ago=days) for number, days in enumerate(seen)]
    told = forecast(places, [capacity] * 30, now=MONDAY)
    assert (len(told.late), told.needed, told.holds) == (late, needed, not late)


def test_nobody_is_left_waiting_because_the_risky_ones_keep_coming() -> None:
    risky = [place(number, "D", seen_days_ago=number % 9) for number in range(20)]
    places = [*risky, place(99, "A", seen_days_ago=25)]
    told = forecast(places, [1] * 60, now=MONDAY)  # far too few: twenty need two a day alone
    assert 99 not in told.late[:1]
    order = in_order(places)
    assert order.index(next(one for one in order if one.premises_id == 99)) < len(risky)


def test_an_officer_with_waiting_work_who_does_nothing_is_not_counted_on() -> None:
    officer = Officer(1, GRID, last_at=MONDAY - 5 * DAY, since_at=MONDAY - 90 * DAY)
    waiting = [place(1, seen_days_ago=27)]
    assert is_silent(officer, waiting, 1, now=MONDAY)
    assert not is_silent(officer, [place(1, seen_days_ago=5)], 1, now=MONDAY)  # nothing to do
    busy = Officer(1, GRID, last_at=MONDAY - 1 * DAY, since_at=MONDAY - 90 * DAY)
    assert not is_silent(busy, waiting, 1, now=MONDAY)


def test_premises_of_an_absent_officer_fall_to_the_level_above() -> None:
    places = [(place(1), "/1/2/3/"), (place(2), "/1/2/4/")]
    here = Officer(1, "/1/2/3/", None, MONDAY)
    gone = Officer(2, "/1/2/4/", None, MONDAY, away=((MONDAY - DAY, None),))
    station = Officer(3, "/1/2/", None, MONDAY)
    found = units(places, [here, gone, station], now=MONDAY)
    assert [(one.path, len(one.places), [who.person_id for who in one.officers]) for one in found] == [
        ("/1/2/", 1, [3]),
        ("/1/2/3/", 1, [1]),
    ]
    leave = Officer(2, "/1/2/4/", None, MONDAY, away=((MONDAY - DAY, MONDAY + 9 * DAY),))
    waited_for = units(places, [here, leave, station], now=MONDAY)
    assert [one.path for one in waited_for] == ["/1/2/3/", "/1/2/4/"]  # they come back
    alone = units(places, [here, gone], now=MONDAY)
    assert [(one.path, len(one.officers)) for one in alone] == [("/1/2/3/", 1), ("/1/2/4/", 0)]


class Quarter:
    """Ninety-one days of a grid: officers work their days, some do not come, and every evening is judged."""

    def __init__(self, grades: list[str], absences: list[list[tuple[int, int]]]) -> None:
        self.places = {
            number: Place(number, grade, None, MONDAY - (number % 5) * DAY, RULES)
            for number, grade in enumerate(grades)
        }
        self.absences = absences
        self.last: dict[int, datetime] = {}
        self.looks: list[tuple[int, datetime]] = []
        self.warned: dict[int, datetime] = {}
        """Premises that were named as coming late, and when first."""
        self.late: dict[int, datetime] = {}
        self.first_warning: datetime | None = None

    def run(self, days: int = 91) -> Quarter:
        for day in range(days):
            self._morning(MONDAY + day * DAY, day)
        return self

    def _morning(self, now: datetime, day: int) -> None:
        for number, one in self.places.items():
            if one.limit_at < now:
                self.late.setdefault(number, one.limit_at)
        told = self._forecast(now, day)
        if not told.holds:
            self.first_warning = self.first_warning or now
            for number in told.late:
                self.warned.setdefault(number, now)
        if day % 7 not in RULES.workdays:
            return
        queue = [one for one in in_order(self.places.values()) if one.target_at <= now or told.needed > 1]
        for who in self._at_work(day):
            for one in queue[: RULES.looks_per_day]:
                at = now + timedelta(hours=6)
                self.places[one.premises_id] = Place(one.premises_id, one.grade, at, one.since_at, RULES)
                self.looks.append((one.premises_id, at))
                self.last[who] = at
            queue = queue[RULES.looks_per_day :]

    def _forecast(self, now: datetime, day: int) -> Forecast:
        officers = [
            Officer(who, GRID, self.last.get(who), MONDAY - 9 * DAY) for who in range(len(self.absences))
        ]
        (unit,) = units([(one, GRID) for one in self.places.values()], officers, now=now)
        return unit_forecast(unit, now=now, weekday=day % 7)

    def _at_work(self, day: int) -> list[int]:
        return [
            who
            for who, away in enumerate(self.absences)
            if not any(since <= day < until for since, until in away)
        ]


def test_a_quarter_with_officers_away_for_days_keeps_the_guarantee() -> None:
    grades = ["A"] * 25 + ["B"] * 10 + ["C"] * 6 + ["D"] * 4
    quarter = Quarter(grades, [[(10, 17)], [(30, 33), (60, 67)], []]).run()
    assert quarter.late == {}
    seen = {number: [at for one, at in quarter.looks if one == number] for number in quarter.places}
    for number, one in quarter.places.items():
        moments = [one.since_at, *seen[number]]
        assert all(later - earlier <= one.interval for earlier, later in pairwise(moments))
    often = {
        grade: min(len(seen[n]) for n, one in quarter.places.items() if one.grade == grade) for grade in "ACD"
    }
    assert often["A"] < often["C"] < often["D"]


def test_when_all_officers_are_gone_for_good_it_is_told_before_the_first_limit_passes() -> None:
    quarter = Quarter(["A"] * 20 + ["D"] * 4, [[(40, 999)], [(40, 999)]]).run()
    assert quarter.late
    assert quarter.first_warning is not None
    assert quarter.first_warning < min(quarter.late.values())
    assert set(quarter.late) <= set(quarter.warned)


def test_too_many_premises_are_told_on_the_first_day() -> None:
    quarter = Quarter(["D"] * 100, [[]]).run(days=1)
    assert quarter.first_warning == MONDAY


spans = st.lists(
    st.tuples(st.integers(0, 90), st.integers(1, 40)).map(lambda one: (one[0], one[0] + one[1])), max_size=3
)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from("AABCD"), min_size=1, max_size=45),
    st.lists(spans, min_size=1, max_size=3),
)
def test_whoever_is_away_nothing_is_late_that_was_not_told_before(
    grades: list[str], absences: list[list[tuple[int, int]]]
) -> None:
    quarter = Quarter(grades, absences).run()
    for number, limit in quarter.late.items():
        assert number in quarter.warned, f"premises {number} was late at {limit}, and nobody was told"
        assert quarter.warned[number] < limit


@given(st.lists(st.integers(0, 29), min_size=1, max_size=30))
def test_the_needed_number_is_enough_and_one_less_is_not(seen: list[int]) -> None:
    places = [place(number, "A", seen_days_ago=days) for number, days in enumerate(seen) if days < 29]
    needed = needed_per_day(places, [True] * 30, now=MONDAY)
    assert forecast(places, [needed] * 30, now=MONDAY).holds
    if needed > 1:
        assert not forecast(places, [needed - 1] * 30, now=MONDAY).holds
