"""By when a complaint must be accepted and answered, and when to remind: pure rules of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kitchen_watch.backend.complaints.settings import ComplaintSettings
from kitchen_watch.backend.complaints.tables import ComplaintKind

LAST_SECOND = time(23, 59, 59)
SATURDAY = 5


def accept_by(policy: ComplaintSettings, filed_at: datetime) -> datetime:
    """End of the last of so many working days after the day it was filed on (UTC)."""
    day = _local(policy, filed_at)
    left = policy.accept_working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(policy, day)
    return _end_of(policy, day)


def answer_by(policy: ComplaintSettings, kind: ComplaintKind, filed_at: datetime) -> datetime:
    """End of the last of so many days after the day it was filed on (UTC)."""
    days = {
        ComplaintKind.CONSULTATION: policy.consultation_days,
        ComplaintKind.COMPLAINT: policy.complaint_days,
        ComplaintKind.REPORT: policy.report_days,
    }[kind]
    return _end_of(policy, _local(policy, filed_at) + timedelta(days=days))


def is_working_day(policy: ComplaintSettings, day: date) -> bool:
    """Whether people work on that day."""
    if day in policy.extra_working_days:
        return True
    return day.weekday() < SATURDAY and day not in policy.holidays


def moments(policy: ComplaintSettings, started_at: datetime, due_at: datetime) -> Iterator[datetime]:
    """When to remind of a term: after the shares, and at its end."""
    for share in sorted(policy.remind_at):
        yield started_at + share * (due_at - started_at)
    yield due_at


def next_moment(
    policy: ComplaintSettings, started_at: datetime, due_at: datetime, *, now: datetime
) -> datetime | None:
    """The first moment of a term after ``now``; ``None`` when it is over."""
    return next((at for at in moments(policy, started_at, due_at) if at > now), None)


def _local(policy: ComplaintSettings, at: datetime) -> date:
    return at.astimezone(ZoneInfo(policy.time_zone)).date()


def _end_of(policy: ComplaintSettings, day: date) -> datetime:
    return datetime.combine(day, LAST_SECOND, ZoneInfo(policy.time_zone)).astimezone(UTC)
