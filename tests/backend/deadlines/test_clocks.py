"""The rules of time: clocks by tier, the same day, what is found late, reminders and supervision."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kitchen_watch.backend.deadlines.clocks import (
    ClockStep,
    Deadline,
    MomentKind,
    accept_deadline,
    due_moments,
    fix_deadlines,
    moments,
    verify_deadline,
)
from kitchen_watch.backend.deadlines.policy import DeadlinePolicy, TierClocks

POLICY = DeadlinePolicy()
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [SHANGHAI, BERLIN, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Auckland"), ZoneInfo("UTC")]


@pytest.fixture(params=["UTC", "America/Los_Angeles"], autouse=True)
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wherever the server believes to be, deadlines are those of the premises."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def shown(deadline: Deadline | None, zone: ZoneInfo = SHANGHAI) -> str | None:
    return None if deadline is None else deadline.due_at.astimezone(zone).strftime("%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("tier", "found", "verify"),
    [
        (1, "2026-03-02 12:00", "03-02 12:10:00"),
        (2, "2026-03-02 12:00", "03-02 12:30:00"),
        (3, "2026-03-02 12:00", "03-03 12:00:00"),
        (1, "2026-03-02 23:59", "03-02 23:59:59"),
        (2, "2026-03-02 23:59", "03-02 23:59:59"),
        (3, "2026-03-02 23:59", "03-03 23:59:00"),
        (2, "2026-03-03 00:00", "03-03 00:30:00"),
    ],
)
def test_verification(tier: int, found: str, verify: str) -> None:
    assert shown(verify_deadline(POLICY, tier, found_at=local(found), zone=SHANGHAI)) == verify


def test_what_arrives_in_the_last_half_second_of_a_day_is_not_born_overdue() -> None:
    found_at = local("2026-03-02 23:59:59.500000")
    verify = verify_deadline(POLICY, 2, found_at=found_at, zone=SHANGHAI)
    assert shown(verify) == "03-03 00:29:59"
    fix = fix_deadlines(POLICY, 2, found_at=found_at, started_at=found_at, zone=SHANGHAI)
    assert [(one.step, shown(one)) for one in fix] == [(ClockStep.FIX, "03-03 10:00:00")]


@pytest.mark.parametrize(
    ("tier", "assigned", "accept"),
    [
        (1, "2026-03-02 12:00", "03-02 12:15:00"),
        (2, "2026-03-02 12:00", "03-02 13:00:00"),
        (2, "2026-03-02 23:30", "03-02 23:59:59"),
        (3, "2026-03-02 12:00", None),
    ],
)
def test_acceptance(tier: int, assigned: str, accept: str | None) -> None:
    assert shown(accept_deadline(POLICY, tier, assigned_at=local(assigned), zone=SHANGHAI)) == accept


@pytest.mark.parametrize(
    ("tier", "found", "verified", "expected"),
    [
        # before 20:00: the clock, but never past the end of the day
        (1, "2026-03-02 12:00", "2026-03-02 12:05", {"fix": "03-02 14:05:00"}),
        (2, "2026-03-02 12:00", "2026-03-02 12:05", {"fix": "03-02 23:59:59"}),
        (1, "2026-03-02 19:59", "2026-03-02 19:59", {"fix": "03-02 21:59:00"}),
        (2, "2026-03-02 19:59", "2026-03-02 19:59", {"fix": "03-02 23:59:59"}),
        (2, "2026-03-02 19:59:59", "2026-03-02 20:29", {"fix": "03-02 23:59:59"}),
        (1, "2026-03-02 19:59", "2026-03-02 22:30", {"fix": "03-02 23:59:59"}),
        # from 20:00 on: contained by midnight, closed by ten
        (2, "2026-03-02 20:00", "2026-03-02 20:10", {"contain": "03-02 23:59:59", "fix": "03-03 10:00:00"}),
        (1, "2026-03-02 20:01", "2026-03-02 20:01", {"contain": "03-02 23:59:59", "fix": "03-03 10:00:00"}),
        (2, "2026-03-02 20:01", "2026-03-02 20:01", {"contain": "03-02 23:59:59", "fix": "03-03 10:00:00"}),
        (2, "2026-03-02 23:59", "2026-03-02 23:59", {"contain": "03-02 23:59:59", "fix": "03-03 10:00:00"}),
        (2, "2026-03-02 23:59", "2026-03-03 00:10", {"fix": "03-03 10:00:00"}),
        # verified when its own day is over: the day of the verification counts, it is not born overdue
        (2, "2026-03-02 19:00", "2026-03-03 08:00", {"fix": "03-03 23:59:59"}),
        (1, "2026-03-02 19:00", "2026-03-03 08:00", {"fix": "03-03 10:00:00"}),
        (2, "2026-03-02 21:00", "2026-03-03 11:00", {"fix": "03-03 23:59:59"}),
        (2, "2026-03-02 19:00", "2026-03-03 21:00", {"contain": "03-03 23:59:59", "fix": "03-04 10:00:00"}),
        # daily guidance knows no midnight
        (3, "2026-03-02 12:00", "2026-03-02 21:00", {"fix": "03-03 21:00:00"}),
        # ends of months and years
        (2, "2026-02-28 19:59", "2026-02-28 20:00", {"fix": "02-28 23:59:59"}),
        (2, "2026-02-28 20:01", "2026-02-28 20:01", {"contain": "02-28 23:59:59", "fix": "03-01 10:00:00"}),
        (2, "2028-02-28 20:01", "2028-02-28 20:01", {"contain": "02-28 23:59:59", "fix": "02-29 10:00:00"}),
        (2, "2026-12-31 23:59", "2026-12-31 23:59", {"contain": "12-31 23:59:59", "fix": "01-01 10:00:00"}),
    ],
)
def test_the_same_day(tier: int, found: str, verified: str, expected: dict[str, str]) -> None:
    found_at, started_at = local(found), local(verified)
    deadlines = fix_deadlines(POLICY, tier, found_at=found_at, started_at=started_at, zone=SHANGHAI)
    assert {one.step.value: shown(one) for one in deadlines} == expected


def test_the_day_is_that_of_the_premises() -> None:
    at = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)  # 19:59 in Shanghai, noon in Berlin
    (early,) = fix_deadlines(POLICY, 2, found_at=at, started_at=at, zone=SHANGHAI)
    assert early.due_at == datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)
    (noon,) = fix_deadlines(POLICY, 2, found_at=at, started_at=at, zone=BERLIN)
    assert noon.due_at == datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC)


def test_an_hour_is_an_hour_when_clocks_change() -> None:
    before = local("2026-03-29 01:30", BERLIN)  # at 02:00 it becomes 03:00
    (fix,) = fix_deadlines(POLICY, 1, found_at=before, started_at=before, zone=BERLIN)
    assert fix.due_at - before == timedelta(hours=2)
    assert shown(fix, BERLIN) == "03-29 04:30:00"
    evening = local("2026-10-24 21:00", BERLIN)  # that night has 25 hours
    contain, late = fix_deadlines(POLICY, 1, found_at=evening, started_at=evening, zone=BERLIN)
    assert shown(contain, BERLIN) == "10-24 23:59:59"
    assert shown(late, BERLIN) == "10-25 10:00:00"
    assert late.due_at - evening == timedelta(hours=14)


@given(
    tier=st.sampled_from([1, 2, 3]),
    found_at=st.datetimes(
        min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2028, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    waited=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)),
    zone=st.sampled_from(ZONES),
)
def test_nothing_is_born_overdue(tier: int, found_at: datetime, waited: timedelta, zone: ZoneInfo) -> None:
    started_at = found_at + waited
    born = [
        verify_deadline(POLICY, tier, found_at=found_at, zone=zone),
        accept_deadline(POLICY, tier, assigned_at=started_at, zone=zone),
        *fix_deadlines(POLICY, tier, found_at=found_at, started_at=started_at, zone=zone),
    ]
    assert all(one is None or one.due_at > one.started_at for one in born)


NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR = Deadline(ClockStep.ACCEPT, NOON, NOON + timedelta(hours=1))
NAMES = [(30, "reminder", 0), (48, "reminder", 0), (60, "supervision", 1), (1500, "supervision", 2),
         (2940, "supervision", 3), (4380, "supervision", 4)]  # fmt: skip


def test_reminders_at_half_and_four_fifths_then_supervision_level_by_level() -> None:
    found = [((m.at - NOON) // timedelta(minutes=1), m.kind.value, m.level) for m in moments(POLICY, 2, HOUR)]
    assert found == NAMES


def test_daily_guidance_has_no_single_reminders() -> None:
    assert {moment.kind for moment in moments(POLICY, 3, HOUR)} == {MomentKind.SUPERVISION}


@pytest.mark.parametrize(
    ("heard", "minutes", "said", "behind", "again"),
    [
        (0, 29, [], 0, 30),
        (0, 30, [0], 1, 48),
        (1, 47, [], 1, 48),
        (1, 48, [0], 2, 60),
        (0, 50, [0], 2, 60),  # slept through the first: one reminder is enough
        (0, 61, [1], 3, 1500),  # and none after the deadline
        (3, 1500, [2], 4, 2940),
        (2, 3000, [1, 2, 3], 5, 4380),  # every level has another addressee
        (5, 9000, [4], 6, None),
        (6, 9000, [], 6, None),
    ],
)
def test_what_is_due_is_said_once(
    heard: int, minutes: int, said: list[int], behind: int, again: int | None
) -> None:
    due, after, next_at = due_moments(POLICY, 2, HOUR, heard=heard, now=NOON + timedelta(minutes=minutes))
    assert [moment.level for moment in due] == said
    assert after == behind
    assert next_at == (None if again is None else NOON + timedelta(minutes=again))


@pytest.mark.parametrize(
    "values",
    [
        {"remind_at": (0.8, 0.5)},
        {"remind_at": (1.0,)},
        {"late_from": "20:00:00+08:00"},
        {"late_from": "23:59:59.9"},
        {"level_up_every": 0},
        {"tier_1": {"verify": 0}},
        {"tier_3": {"same_day": False}},
        {"tier_4": {}},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DeadlinePolicy.model_validate(values)


def test_an_operator_may_set_other_clocks() -> None:
    policy = DeadlinePolicy(tier_2=TierClocks(verify=timedelta(minutes=5), fix=timedelta(hours=1)))
    (fix,) = fix_deadlines(policy, 2, found_at=NOON, started_at=NOON, zone=SHANGHAI)
    assert fix.due_at - NOON == timedelta(hours=1)
