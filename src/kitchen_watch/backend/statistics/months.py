"""Sums of whole months, kept, and how a span is put together from them and from the alerts themselves.

A question for codes, tiers or business types reads slices that are kept of each; one for several of these
at once counts the alerts themselves.

The feed tells what changed since a month was summed: for those grids the alerts are counted anew at
every reading, until :func:`keep_months` has summed them again. So what is read is always exact.
A month is kept only a week after its end: until then reminders and clocks still run in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.feed import latest_feed_id
from kitchen_watch.backend.alerts.tables import AlertRow, FeedEntryRow
from kitchen_watch.backend.local_time import midnight, zone_in
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.statistics.figures import (
    AlertFigures,
    GridSums,
    count_overdue,
    sums_by_grid,
)
from kitchen_watch.backend.statistics.questions import NO_GRID, REPEAT_DAYS, Question, below_paths
from kitchen_watch.backend.statistics.tables import (
    KeptMonthRow,
    KeptTypeRow,
    MonthSliceRow,
    MonthSumsRow,
    SliceKind,
)

SETTLES_IN = timedelta(days=7)


def sums_of(session: Session, question: Question, now: datetime) -> dict[int, GridSums]:
    """The sums by grid of a question, from kept months where they lie wholly within its span.

    What nobody asks for by grid (codes, days, hours, premises) comes from kept months for all grids
    together, under :data:`~.questions.NO_GRID`.
    """
    sums: dict[int, GridSums] = {NO_GRID: GridSums()}
    zone = zone_in(session)
    kept = _usable(session, question, zone)
    newest = latest_feed_id(session)
    changed = {
        month.month: _changed(session, month, newest, types=bool(question.business_types)) for month in kept
    }
    still = [month for month, grids in changed.items() if not grids]
    for grid, content in _read(session, question, still, without=set()):
        add_json(sums.setdefault(grid, GridSums()).figures, sums[NO_GRID], content)
    for month, grids in changed.items():
        if grids:
            for grid, content in _read(session, question, [month], without=grids):
                add_json(sums.setdefault(grid, GridSums()).figures, sums[NO_GRID], content)
            since_at, until_at = month_span(month, zone)
            again = replace(question, since_at=since_at, until_at=until_at, node_ids=frozenset(grids))
            _merge(sums, sums_by_grid(session, again, now))
    for since_at, until_at in gaps(question.since_at, question.until_at, [one.month for one in kept], zone):
        _merge(sums, sums_by_grid(session, replace(question, since_at=since_at, until_at=until_at), now))
    count_overdue(session, question, now, sums)
    return sums


def keep_months(session: Session, now: datetime) -> int:
    """Sum every month that has settled and is not kept, or has changed; returns how many sums were made.

    To be called alone (the caller holds the lock). One month a call, so that a transaction stays short.
    """
    zone = zone_in(session)
    _forget(session, zone)
    kept = {row.month: row for row in session.scalars(select(KeptMonthRow))}
    newest = latest_feed_id(session)  # before what it covers is read
    for month in kept.values():
        changed = _changed(session, month, newest, types=True)
        if changed:
            for table in (MonthSumsRow, MonthSliceRow):
                session.execute(delete(table).where(table.month == month.month, table.node_id.in_(changed)))
            made = _store(session, month.month, now, frozenset(changed))
            month.feed_id = newest
            return made + 1
        month.feed_id = newest
    first = session.scalar(select(func.min(AlertRow.found_at)))
    if first is None:
        return 0
    month_name = month_of(first, zone)
    while month_span(month_name, zone)[1] + SETTLES_IN <= now:
        if month_name not in kept:
            made = _store(session, month_name, now, None)
            session.add(KeptMonthRow(month=month_name, feed_id=newest, time_zone=zone.key))
            return made + 1
        month_name = month_of(month_span(month_name, zone)[1], zone)
    return 0


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """The local month of a moment."""
    return at.astimezone(zone).strftime("%Y-%m")


def month_span(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when to when (UTC, half-open) a local month goes."""
    year, number = (int(part) for part in month.split("-"))
    return midnight(date(year, number, 1), zone), midnight(
        date(year + number // 12, number % 12 + 1, 1), zone
    )


def gaps(
    since_at: datetime, until_at: datetime, months: Iterable[str], zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """What is left of a span when some whole months are taken out."""
    left, at = [], since_at
    for start, end in sorted(month_span(month, zone) for month in months):
        if at < start:
            left.append((at, start))
        at = end
    if at < until_at:
        left.append((at, until_at))
    return left


def _forget(session: Session, zone: ZoneInfo) -> None:
    """Months that were cut in another zone are no months any more."""
    others = list(session.scalars(select(KeptMonthRow.month).where(KeptMonthRow.time_zone != zone.key)))
    if others:
        for table in (MonthSumsRow, MonthSliceRow, KeptTypeRow, KeptMonthRow):
            session.execute(delete(table).where(table.month.in_(others)))


def _usable(session: Session, question: Question, zone: ZoneInfo) -> list[KeptMonthRow]:
    if question.premises_ids or len(_asked(question)) > 1:
        return []
    rows = session.scalars(
        select(KeptMonthRow).where(KeptMonthRow.time_zone == zone.key).order_by(KeptMonthRow.month)
    )
    spans = {row: month_span(row.month, zone) for row in rows}
    return [
        row
        for row, (since_at, until_at) in spans.items()
        if question.since_at <= since_at and until_at <= question.until_at
    ]


def _asked(question: Question) -> dict[SliceKind, tuple[str, ...]]:
    """By what the question divides, and which parts it is about."""
    wanted = {
        SliceKind.CODE: question.codes,
        SliceKind.TIER: tuple(map(str, question.tiers)),
        SliceKind.BUSINESS_TYPE: question.business_types,
    }
    return {kind: values for kind, values in wanted.items() if values}


def _read(
    session: Session, question: Question, months: list[str], *, without: set[int]
) -> Iterable[tuple[int, dict[str, Any]]]:
    asked = _asked(question)
    table = MonthSliceRow if asked else MonthSumsRow
    query = select(table.node_id, table.sums).where(table.month.in_(months), table.node_id.not_in(without))
    for kind, values in asked.items():
        query = query.where(MonthSliceRow.kind == kind, MonthSliceRow.value.in_(values))
    if not question.everything:
        query = query.where(table.node_id.in_(select(NodeRow.id).where(below_paths(question.paths))))
    return ((node_id, content) for node_id, content in session.execute(query))


def _changed(session: Session, month: KeptMonthRow, newest: int, *, types: bool) -> set[int]:
    """Grids whose sums of this month may be other ones now; none without news in the feed.

    With ``types`` also those with alerts of a premises that is of another business type by now.

    An alert also decides whether the next of its premises is a repeat: weeks later, in the month that
    follows, and in another grid when the premises has moved. So it is the premises that are looked up.
    """
    since_at, until_at = month_span(month.month, zone_in(session))
    ids: set[int] = set()
    if newest > month.feed_id:
        premises = (
            select(AlertRow.premises_id)
            .join(FeedEntryRow, FeedEntryRow.alert_id == AlertRow.id)
            .where(
                FeedEntryRow.id > month.feed_id,
                AlertRow.found_at >= since_at - timedelta(days=max(REPEAT_DAYS)),
                AlertRow.found_at < until_at,
            )
            .distinct()
        )
        ids |= set(session.scalars(premises))
    if types:
        now_another = (
            select(KeptTypeRow.premises_id)
            .join(PremisesRow, PremisesRow.id == KeptTypeRow.premises_id)
            .where(KeptTypeRow.month == month.month, KeptTypeRow.business_type != PremisesRow.business_type)
        )
        ids |= set(session.scalars(now_another))
    if not ids:
        return set()
    grids = (
        select(AlertRow.node_id)
        .where(AlertRow.premises_id.in_(ids), AlertRow.found_at >= since_at, AlertRow.found_at < until_at)
        .distinct()
    )
    return set(session.scalars(grids))


def _merge(into: dict[int, GridSums], more: dict[int, GridSums]) -> None:
    for grid, sums in more.items():
        if grid in into:
            into[grid].add(sums)
        else:
            into[grid] = sums


def _store(session: Session, month: str, now: datetime, node_ids: frozenset[int] | None) -> int:
    since_at, until_at = month_span(month, zone_in(session))
    question = Question(since_at=since_at, until_at=until_at, everything=True, node_ids=node_ids)
    sums = sums_by_grid(session, question, now, hours_by_grid=True)
    session.add_all(
        MonthSumsRow(month=month, node_id=grid, sums=to_json(counted)) for grid, counted in sums.items()
    )
    for kind in SliceKind:
        divided = sums_by_grid(session, replace(question, divided_by=kind.value), now, hours_by_grid=True)
        for cell, counted in divided.items():
            grid, _, value = str(cell).partition("/")
            slice_ = MonthSliceRow(month=month, kind=kind, value=value, node_id=int(grid))
            slice_.sums = to_json(counted)
            session.add(slice_)
        session.flush()
    session.execute(delete(KeptTypeRow).where(KeptTypeRow.month == month))
    types = select(literal(month), PremisesRow.id, PremisesRow.business_type)
    session.execute(insert(KeptTypeRow).from_select(["month", "premises_id", "business_type"], types))
    session.flush()
    return len(sums)


def to_json(sums: GridSums) -> dict[str, Any]:
    """Only what is not zero."""
    return {
        "figures": _present(sums.figures),
        "codes": {code: _present(figures) for code, figures in sums.codes.items()},
        "days": dict(sums.days),
        "hours": dict(sums.hours),
        "premises": {str(one): count for one, count in sums.premises.items()},
    }


def add_json(figures: AlertFigures, whole: GridSums, content: dict[str, Any]) -> None:
    """Take kept sums in; a year of a city is thousands of them, so nothing is built in between."""
    _add_present(figures, content["figures"])
    for code, counts in content["codes"].items():
        _add_present(whole.codes.setdefault(code, AlertFigures()), counts)
    for counted, more in ((whole.days, content["days"]), (whole.hours, content["hours"])):
        for key, count in more.items():
            counted[key] += count
    for premises_id, count in content["premises"].items():
        whole.premises[int(premises_id)] += count


def _add_present(figures: AlertFigures, more: dict[str, Any]) -> None:
    for name, value in more.items():
        setattr(figures, name, getattr(figures, name) + value)


def _present(figures: AlertFigures) -> dict[str, Any]:
    return {name: value for name, value in asdict(figures).items() if value}
