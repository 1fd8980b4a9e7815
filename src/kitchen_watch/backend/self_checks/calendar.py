"""When a self-check is due: pure rules of local calendars, opening hours and closures.

A day on which the premises is closed asks for no daily check; a week or month without a single open
day asks for none either. Hours that nobody has entered count as open every day: a missing record
must not excuse. Everything is due by the last second of the local day, week (Sunday) or month.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kitchen_watch.backend.forms.content import FormKind

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST_SECOND = time(23, 59, 59)
ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Slot:
    """One self-check that is asked for. ``first`` and ``last`` are the local days it is about."""

    kind: FormKind
    period: str
    first: date
    last: date
    due_at: datetime


def slot_of(kind: FormKind, day: date, zone: ZoneInfo) -> Slot:
    """The day, week or month that holds ``day``, as a self-check is named after it."""
    if kind is FormKind.WEEKLY:
        first = day - timedelta(days=day.weekday())
        year, week, _ = first.isocalendar()
        return _slot(kind, f"{year:04d}-W{week:02d}", first, first + timedelta(days=6), zone)
    if kind is FormKind.MONTHLY:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - ONE_DAY
        return _slot(kind, f"{first:%Y-%m}", first, last, zone)
    return _slot(kind, day.isoformat(), day, day, zone)


def read_period(kind: FormKind, period: str, zone: ZoneInfo) -> Slot | None:
    """The slot that is called ``period``; ``None`` where no such one exists."""
    try:
        day = _first_day(kind, period)
        slot = None if day is None else slot_of(kind, day, zone)
        if slot is not None:
            begins_at(slot, zone)  # the first day of the calendar does not begin in every zone
    except (ValueError, OverflowError):
        return None
    return slot


def is_open(day: date, hours: Mapping[str, Any], closed: Collection[date] = ()) -> bool:
    """Whether the premises is open on a local day."""
    if day in closed:
        return False
    return not hours or bool(hours.get(WEEKDAYS[day.weekday()]))


def asked_for(slot: Slot, hours: Mapping[str, Any], closed: Collection[date] = ()) -> bool:
    """Whether the premises has an open day in it."""
    days = (slot.last - slot.first).days + 1
    return any(is_open(slot.first + timedelta(days=number), hours, closed) for number in range(days))


def slots_due(
    kinds: Collection[FormKind], since_at: datetime, until_at: datetime, zone: ZoneInfo
) -> Iterator[Slot]:
    """Every slot whose end lies in the half-open span, whoever is open; by day, then kind."""
    day = since_at.astimezone(zone).date()
    end = until_at.astimezone(zone).date()
    while day <= end:
        for kind in (FormKind.DAILY, FormKind.WEEKLY, FormKind.MONTHLY):
            if kind in kinds:
                slot = slot_of(kind, day, zone)
                if slot.last == day and since_at <= slot.due_at < until_at:
                    yield slot
        day += ONE_DAY


def begins_at(slot: Slot, zone: ZoneInfo) -> datetime:
    """The first instant of its first day."""
    return datetime.combine(slot.first, time(), zone).astimezone(UTC)


def _first_day(kind: FormKind, period: str) -> date | None:
    if kind is FormKind.DAILY and _DAY.fullmatch(period):
        return date.fromisoformat(period)
    if kind is FormKind.WEEKLY and (found := _WEEK.fullmatch(period)):
        return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    if kind is FormKind.MONTHLY and (found := _MONTH.fullmatch(period)):
        return date(int(found[1]), int(found[2]), 1)
    return None


def _slot(kind: FormKind, period: str, first: date, last: date, zone: ZoneInfo) -> Slot:
    return Slot(kind, period, first, last, datetime.combine(last, LAST_SECOND, zone).astimezone(UTC))
