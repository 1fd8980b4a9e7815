"""Which days a report covers and when it is due: pure rules of time.

A day of reports runs from cut-off to cut-off, so every moment belongs to exactly one daily report and
a week is the sum of its days. A week ends with Sunday's cut-off, a month with that of its last day. A
bulletin is of a week, and due once the time to appeal against that week's alerts is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kitchen_watch.backend.reports.settings import ReportSettings
from kitchen_watch.backend.reports.tables import ReportKind

SUNDAY = 6
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days ``first`` to ``last`` (local, both included) as a half-open span of time in UTC."""

    kind: ReportKind
    first: date
    last: date
    since_at: datetime
    until_at: datetime

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


def period_of(kind: ReportKind, last: date, settings: ReportSettings) -> Period:
    """The period that ends with the cut-off of ``last``.

    Raises:
        ValueError: no week or month ends with that day.
    """
    first = _first_day(kind, last)
    return Period(
        kind,
        first,
        last,
        _moment(first - ONE_DAY, settings.cut_off, settings.zone),
        _moment(last, settings.cut_off, settings.zone),
    )


def before(period: Period, settings: ReportSettings) -> Period:
    """The period of the same kind right before, which ends where this one begins."""
    return period_of(period.kind, period.first - ONE_DAY, settings)


def week_before(period: Period, settings: ReportSettings) -> tuple[datetime, datetime]:
    """The seven days before a day, as a span in UTC, for their mean."""
    return (
        _moment(period.first - ONE_DAY * 8, settings.cut_off, settings.zone),
        period.since_at,
    )


def due_at(kind: ReportKind, last: date, settings: ReportSettings) -> datetime:
    """When the report of a period is issued: at its cut-off; a bulletin after the time to appeal."""
    until_at = _moment(last, settings.cut_off, settings.zone)
    return until_at + settings.appeal_window if kind is ReportKind.BULLETIN else until_at


def next_last_day(kind: ReportKind, after: date) -> date:
    """The last day of the first period of this kind that ends after the day ``after``."""
    day = after + ONE_DAY
    while not _ends(kind, day):
        day += ONE_DAY
    return day


def first_due(kind: ReportKind, now: datetime, settings: ReportSettings) -> date:
    """The first period that ends after ``now``: nothing is reported of what ended before."""
    day = now.astimezone(settings.zone).date()
    while _moment(day, settings.cut_off, settings.zone) <= now or not _ends(kind, day):
        day += ONE_DAY
    return day


def _ends(kind: ReportKind, day: date) -> bool:
    if kind is ReportKind.DAILY:
        return True
    if kind is ReportKind.MONTHLY:
        return (day + ONE_DAY).day == 1
    return day.weekday() == SUNDAY


def _first_day(kind: ReportKind, last: date) -> date:
    if not _ends(kind, last):
        raise ValueError(f"no {kind.value} period ends on {last}")
    if kind is ReportKind.DAILY:
        return last
    if kind is ReportKind.MONTHLY:
        return last.replace(day=1)
    return last - ONE_DAY * 6


def _moment(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
