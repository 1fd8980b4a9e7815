from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.config import validate
from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.errors import ConfigError

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: int, minute: int = 0, zone: ZoneInfo = SHANGHAI) -> datetime:
    """A moment in the week of Monday 2 March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=zone)


def test_lunch_and_dinner_with_a_rest_between() -> None:
    hours = OpeningHours(every_day=("10:00-14:00", "17:00-21:30"))
    assert not hours.is_open(at(2, 9, 59))
    assert hours.is_open(at(2, 10))
    assert hours.is_open(at(2, 13, 59))
    assert not hours.is_open(at(2, 14))
    assert hours.is_open(at(2, 21, 29))


def test_the_moment_may_come_in_any_time_zone() -> None:
    hours = OpeningHours(every_day=("10:00-14:00",))
    assert hours.is_open(datetime(2026, 3, 2, 4, 0, tzinfo=UTC))
    assert not hours.is_open(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def test_a_night_market_runs_past_midnight_into_a_closed_day() -> None:
    hours = OpeningHours(saturday=("18:00-02:00",))
    saturday, sunday = 7, 8
    assert hours.is_open(at(saturday, 23))
    assert hours.is_open(at(sunday, 1, 59))
    assert not hours.is_open(at(sunday, 2))
    assert not hours.is_open(at(sunday, 18))
    assert not hours.is_open(at(saturday, 1))


def test_sunday_night_runs_into_monday() -> None:
    hours = OpeningHours(sunday=("20:00-03:00",))
    assert hours.is_open(at(9, 2))
    assert not hours.is_open(at(2 + 8, 2))


def test_a_weekday_of_its_own_replaces_every_day() -> None:
    hours = OpeningHours(every_day=("08:00-22:00",), monday=())
    assert not hours.is_open(at(2, 12))
    assert hours.is_open(at(3, 12))


def test_a_kitchen_opens_by_its_wall_clock_also_when_summer_time_begins_and_ends() -> None:
    hours = OpeningHours(time_zone="Europe/Berlin", every_day=("08:00-22:00",))
    for month, day in ((3, 28), (3, 29), (3, 30), (10, 24), (10, 25), (10, 26)):
        assert not hours.is_open(datetime(2026, month, day, 7, 59, tzinfo=BERLIN))
        assert hours.is_open(datetime(2026, month, day, 8, 0, tzinfo=BERLIN))


def test_a_bar_that_closes_in_the_hour_that_comes_twice_is_open_both_times() -> None:
    hours = OpeningHours(time_zone="Europe/Berlin", saturday=("18:00-02:30",))
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15 summer time
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 again
    assert hours.is_open(first)
    assert hours.is_open(second)
    assert not hours.is_open(datetime(2026, 10, 25, 1, 45, tzinfo=UTC))


def test_always_open_and_always_closed_are_words() -> None:
    assert CameraRules.model_validate({"hours": "open"}).hours.is_open(at(2, 3))
    assert not CameraRules.model_validate({"hours": "closed"}).hours.is_open(at(2, 12))


@pytest.mark.parametrize(
    ("hours", "complaint"),
    [
        ({"every_day": ["8 to 10"]}, "'8 to 10' is not a span of time; write one like '08:00-22:00'"),
        ({"every_day": ["08:00-25:00"]}, "hours run from 00:00 to 24:00"),
        ({"every_day": ["08:00-08:00"]}, "for the whole day write '00:00-24:00'"),
        ({"time_zone": "Asia/Atlantis"}, "'Asia/Atlantis' is not a time zone"),
        ({"munday": ["08:00-10:00"]}, "munday: is not a known key"),
        ("sometimes", "'sometimes' is neither 'open', 'closed' nor a mapping"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(hours: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace("(", r"\(")):
        validate({"hours": hours}, CameraRules, where="cameras.yaml")
