"""Which self-checks are asked of whom, and what came in: the one place that lists, figures and timer read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.deadlines.running import zone_of
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.self_checks.calendar import Slot, asked_for, begins_at, slots_due
from kitchen_watch.backend.self_checks.tables import ClosureRow, SelfCheckRow

KINDS = (FormKind.DAILY, FormKind.WEEKLY, FormKind.MONTHLY)
NOBODY_CLOSED: frozenset[date] = frozenset()
LONGEST_SLOT = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Asked:
    """A premises in business, as far as self-checks depend on it."""

    premises_id: int
    node_id: int
    hours: Mapping[str, Any]
    time_zone: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What came in for a slot, first revision; ``late`` after it was due."""

    check_id: int
    late: bool
    findings: int


def premises_asked(session: Session, chosen: ColumnElement[bool]) -> list[Asked]:
    """The premises in business for which the condition on :class:`PremisesRow` holds, by id."""
    rows = session.execute(
        select(
            PremisesRow.id,
            PremisesRow.node_id,
            PremisesRow.hours,
            PremisesRow.time_zone,
            PremisesRow.created_at,
        )
        .where(chosen, PremisesRow.active.is_(True))
        .order_by(PremisesRow.id)
    )
    return [Asked(*row) for row in rows]


def closed_days(
    session: Session, chosen: Select[int] | Collection[int], since_at: datetime, until_at: datetime
) -> dict[int, frozenset[date]]:
    """Days of closures by premises, as far as they touch slots that end in the span."""
    first, last = (since_at - LONGEST_SLOT).date(), (until_at + timedelta(days=1)).date()
    found: dict[int, set[date]] = defaultdict(set)
    for row in session.scalars(
        select(ClosureRow).where(
            ClosureRow.premises_id.in_(chosen), ClosureRow.last_day >= first, ClosureRow.first_day <= last
        )
    ):
        day = max(row.first_day, first)
        while day <= min(row.last_day, last):
            found[row.premises_id].add(day)
            day += timedelta(days=1)
    return {premises_id: frozenset(days) for premises_id, days in found.items()}


def due_slots(
    premises: Iterable[Asked],
    closed: Mapping[int, frozenset[date]],
    kinds: Collection[FormKind],
    since_at: datetime,
    until_at: datetime,
) -> Iterator[tuple[Asked, list[Slot]]]:
    """The slots that each premises had to do and that end in the half-open span.

    Slots that began before a premises was registered are not asked for. Premises with the same
    hours share one calculation: a city has thousands of them and a handful of opening hours.
    """
    patterns: dict[tuple[str, str], list[Slot]] = {}
    spans: dict[str, list[Slot]] = {}
    for one in premises:
        zone = zone_of(one.time_zone)
        if one.time_zone not in spans:
            spans[one.time_zone] = list(slots_due(kinds, since_at, until_at, zone))
        shut = closed.get(one.premises_id, NOBODY_CLOSED)
        key = (one.time_zone, json.dumps(one.hours, sort_keys=True))
        if shut:
            slots = [slot for slot in spans[one.time_zone] if asked_for(slot, one.hours, shut)]
        else:
            if key not in patterns:
                patterns[key] = [slot for slot in spans[one.time_zone] if asked_for(slot, one.hours)]
            slots = patterns[key]
        if one.created_at > since_at - LONGEST_SLOT:
            slots = [slot for slot in slots if begins_at(slot, zone) >= one.created_at]
        yield one, slots


def owed(
    session: Session,
    chosen: ColumnElement[bool],
    kinds: Collection[FormKind],
    since_at: datetime,
    until_at: datetime,
) -> dict[int, tuple[int, int]]:
    """How many were due and how many are missing, by premises: counted, so that a city is quick."""
    ids = select(PremisesRow.id).where(chosen)
    came: dict[int, int] = dict(
        session.execute(
            select(SelfCheckRow.premises_id, func.count())
            .where(
                SelfCheckRow.premises_id.in_(ids),
                SelfCheckRow.due_at >= since_at,
                SelfCheckRow.due_at < until_at,
                SelfCheckRow.kind.in_(kinds),
                SelfCheckRow.revision == 1,
                SelfCheckRow.asked.is_(True),
                SelfCheckRow.submitted_at.is_not(None),
            )
            .group_by(SelfCheckRow.premises_id)
        ).all()
    )
    closed = closed_days(session, ids, since_at, until_at)
    return {
        one.premises_id: (len(slots), max(0, len(slots) - came.get(one.premises_id, 0)))
        for one, slots in due_slots(premises_asked(session, chosen), closed, kinds, since_at, until_at)
    }


def handed_in(
    session: Session, chosen: Select[int] | Collection[int], since_at: datetime, until_at: datetime
) -> dict[tuple[int, FormKind, str], HandedIn]:
    """What was handed in for slots that end in the half-open span, by premises, kind and period."""
    rows = session.execute(
        select(
            SelfCheckRow.premises_id,
            SelfCheckRow.kind,
            SelfCheckRow.period,
            SelfCheckRow.id,
            SelfCheckRow.submitted_at,
            SelfCheckRow.due_at,
            SelfCheckRow.findings,
        ).where(
            SelfCheckRow.premises_id.in_(chosen),
            SelfCheckRow.due_at >= since_at,
            SelfCheckRow.due_at < until_at,
            SelfCheckRow.revision == 1,
            SelfCheckRow.submitted_at.is_not(None),
        )
    )
    return {
        (premises_id, kind, period): HandedIn(
            check_id, submitted_at is not None and submitted_at > due_at, findings
        )
        for premises_id, kind, period, check_id, submitted_at, due_at, findings in rows
    }
