"""Which days a report covers, and when it is due."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest

from kitchen_watch.backend.reports.periods import (
    before,
    due_at,
    first_due,
    next_last_day,
    period_of,
    week_before,
)
from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportKind

OURS = ReportSettings()


def test_a_day_runs_from_cut_off_to_cut_off_of_the_local_clock() -> None:
    day = period_of(ReportKind.DAILY, date(2026, 3, 2), OURS)
    assert day.since_at == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert day.until_at == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    assert before(day, OURS).until_at == day.since_at
    assert week_before(day, OURS) == (day.since_at - timedelta(days=7), day.since_at)


@pytest.mark.parametrize(
    ("kind", "last", "first"),
    [
        (ReportKind.WEEKLY, date(2026, 3, 8), date(2026, 3, 2)),
        (ReportKind.MONTHLY, date(2028, 2, 29), date(2028, 2, 1)),
        (ReportKind.BULLETIN, date(2026, 1, 4), date(2025, 12, 29)),
    ],
)
def test_weeks_end_on_sunday_and_months_with_their_last_day(
    kind: ReportKind, last: date, first: date
) -> None:
    period = period_of(kind, last, OURS)
    assert (period.first, period.last) == (first, last)
    assert next_last_day(kind, first - timedelta(days=1)) == last
    assert before(period, OURS).until_at == period.since_at
    with pytest.raises(ValueError, match="ends on"):
        period_of(kind, last - timedelta(days=1), OURS)


def test_a_bulletin_waits_until_the_time_to_appeal_is_over() -> None:
    sunday = date(2026, 3, 8)
    weekly = due_at(ReportKind.WEEKLY, sunday, OURS)
    assert due_at(ReportKind.BULLETIN, sunday, OURS) == weekly + OURS.appeal_window
    tuesday = datetime(2026, 3, 10, 4, tzinfo=UTC)
    assert first_due(ReportKind.BULLETIN, tuesday, OURS) == sunday + timedelta(days=7)
    assert first_due(ReportKind.WEEKLY, tuesday, OURS) == sunday + timedelta(days=7)


def test_nothing_is_reported_of_the_days_before_the_service_began() -> None:
    cut_off = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    assert first_due(ReportKind.DAILY, cut_off - timedelta(seconds=1), OURS) == date(2026, 3, 2)
    assert first_due(ReportKind.DAILY, cut_off, OURS) == date(2026, 3, 3)


def test_an_hour_that_the_clock_leaves_out_makes_one_short_day_and_no_gap() -> None:
    berlin = ReportSettings(time_zone="Europe/Berlin", cut_off=time(2, 30))
    days = [period_of(ReportKind.DAILY, date(2026, 3, 28) + timedelta(days=n), berlin) for n in range(3)]
    assert [day.until_at - day.since_at for day in days][1:] != [timedelta(days=1)] * 2
    assert all(one.until_at == other.since_at for one, other in itertools.pairwise(days))
