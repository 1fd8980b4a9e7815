"""By when a complaint must be accepted and answered: rules of days, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from kitchen_watch.backend.complaints.clocks import accept_by, answer_by, moments, next_moment
from kitchen_watch.backend.complaints.settings import ComplaintSettings
from kitchen_watch.backend.complaints.tables import ComplaintKind

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("filed", "settings", "due"),
    [
        ("2026-03-02T12:00", {}, "2026-03-03T23:59:59"),
        ("2026-03-06T12:00", {}, "2026-03-09T23:59:59"),  # a Friday: Monday
        ("2026-03-07T12:00", {}, "2026-03-09T23:59:59"),  # a Saturday
        ("2026-03-02T23:59", {"accept_working_days": 7}, "2026-03-11T23:59:59"),
        ("2026-09-30T10:00", {"holidays": tuple(date(2026, 10, day) for day in range(1, 8))},
         "2026-10-08T23:59:59"),
        ("2026-10-09T10:00", {"extra_working_days": (date(2026, 10, 10),)}, "2026-10-10T23:59:59"),
    ],
)  # fmt: skip
def test_it_is_accepted_within_working_days(filed: str, settings: dict[str, object], due: str) -> None:
    assert accept_by(ComplaintSettings.model_validate(settings), local(filed)) == local(due)


@pytest.mark.parametrize(
    ("kind", "due"),
    [
        (ComplaintKind.CONSULTATION, "2026-03-09T23:59:59"),
        (ComplaintKind.COMPLAINT, "2026-03-17T23:59:59"),
        (ComplaintKind.REPORT, "2026-03-17T23:59:59"),
    ],
)
def test_each_kind_has_its_own_days(kind: ComplaintKind, due: str) -> None:
    filed = local("2026-03-02T00:30")
    assert answer_by(ComplaintSettings(), kind, filed) == local(due)
    assert answer_by(ComplaintSettings(), kind, filed.astimezone(UTC)) == local(due)


def test_reminders_come_in_the_term_and_at_its_end_and_never_of_the_past() -> None:
    policy = ComplaintSettings()
    begin, end = local("2026-03-02T00:00"), local("2026-03-12T00:00")
    said = list(moments(policy, begin, end))
    assert said == [local("2026-03-07T00:00"), local("2026-03-10T00:00"), end]
    assert next_moment(policy, begin, end, now=local("2026-03-08T00:00")) == said[1]
    assert next_moment(policy, begin, end, now=end) is None
