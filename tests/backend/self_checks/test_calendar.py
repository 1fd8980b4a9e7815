"""When self-checks are due: local days, opening hours, closures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.self_checks.calendar import asked_for, read_period, slot_of, slots_due
from kitchen_watch.backend.self_checks.due import KINDS, Asked, due_slots

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 3, 2)
WORKING_DAYS = {day: ["10:00-14:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def test_a_day_a_week_and_a_month_end_with_their_last_local_second() -> None:
    ends = {kind: slot_of(kind, MONDAY, SHANGHAI) for kind in KINDS}
    assert {kind: (slot.period, slot.due_at) for kind, slot in ends.items()} == {
        FormKind.DAILY: ("2026-03-02", datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)),
        FormKind.WEEKLY: ("2026-W10", datetime(2026, 3, 8, 15, 59, 59, tzinfo=UTC)),
        FormKind.MONTHLY: ("2026-03", datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_of_a_slot_leads_back_to_it(kind: FormKind) -> None:
    for number in range(0, 800, 7):
        slot = slot_of(kind, MONDAY + timedelta(days=number), SHANGHAI)
        assert read_period(kind, slot.period, SHANGHAI) == slot


@pytest.mark.parametrize(
    ("kind", "period"),
    [
        (FormKind.DAILY, "2026-02-30"),
        (FormKind.DAILY, "2026-W10"),
        (FormKind.WEEKLY, "2026-W54"),
        (FormKind.MONTHLY, "2026-13"),
        (FormKind.MONTHLY, "0000-01"),
        (FormKind.PATROL, "2026-03-02"),
        (FormKind.DAILY, ""),
    ],
)
def test_what_is_no_day_week_or_month_is_none(kind: FormKind, period: str) -> None:
    assert read_period(kind, period, SHANGHAI) is None


def test_closed_days_excuse_and_missing_hours_do_not() -> None:
    saturday = slot_of(FormKind.DAILY, date(2026, 3, 7), SHANGHAI)
    week = slot_of(FormKind.WEEKLY, MONDAY, SHANGHAI)
    assert not asked_for(saturday, WORKING_DAYS)
    assert asked_for(saturday, {})
    assert asked_for(week, WORKING_DAYS)
    rebuilding = {MONDAY + timedelta(days=number) for number in range(5)}
    assert not asked_for(week, WORKING_DAYS, rebuilding)
    assert asked_for(week, {}, rebuilding), "open on Saturday"


def test_a_week_has_seven_days_a_week_and_every_slot_lies_in_one_span_only() -> None:
    since_at = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    whole = list(slots_due(KINDS, since_at, since_at + timedelta(days=31), SHANGHAI))
    assert [slot.kind for slot in whole].count(FormKind.DAILY) == 31
    assert [slot.kind for slot in whole].count(FormKind.WEEKLY) == 4
    assert [slot.kind for slot in whole].count(FormKind.MONTHLY) == 1
    parts = [
        slot
        for number in range(31)
        for slot in slots_due(
            KINDS, since_at + timedelta(days=number), since_at + timedelta(days=number + 1), SHANGHAI
        )
    ]
    assert parts == whole


def test_nothing_is_asked_for_from_before_the_premises_was_registered() -> None:
    since_at = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    newcomer = Asked(1, 1, {}, "Asia/Shanghai", since_at + timedelta(days=2, hours=12))
    ((_, slots),) = due_slots([newcomer], {}, KINDS, since_at, since_at + timedelta(days=7))
    assert [slot.period for slot in slots] == ["2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08"]
