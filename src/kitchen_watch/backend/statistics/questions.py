"""The grouped queries behind the figures: few and wide, each one pass over the alerts of a span.

An alert belongs to the grid in which it was found (``AlertRow.node_id``), whatever moved later. So
every sum over a node is the sum over its children, in any order of moves and corrections.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.deadlines.clocks import ClockStep
from kitchen_watch.backend.deadlines.tables import DeadlineRow
from kitchen_watch.backend.handling.tables import AppealRow, RectificationRow, StatementKind
from kitchen_watch.backend.local_time import local_day, whole_hours, zone_in
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.tables import UtcDateTime

Division = Literal["code", "tier", "business_type"]


@dataclass(frozen=True, slots=True)
class Question:
    """Which alerts are meant: found in a half-open span, below some nodes, perhaps of one kind.

    ``paths`` are subtrees; ``premises_ids`` are single premises beside them. Neither means all.
    """

    since_at: datetime
    until_at: datetime
    everything: bool = False
    paths: tuple[str, ...] = ()
    premises_ids: frozenset[int] = frozenset()
    node_ids: frozenset[int] | None = None
    """Only what was found in these very grids."""
    codes: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()
    business_types: tuple[str, ...] = ()
    divided_by: Division | None = None
    """Count each code, tier or business type apart: what stands for a grid is then ``"17/NO_HAT"``."""

    def cell(self) -> ColumnElement[Any]:
        """What is counted apart, by the name ``cell``: the grid, or the grid and a part of its alerts."""
        if self.divided_by is None:
            return AlertRow.node_id.label("cell")
        kind = select(PremisesRow.business_type).where(PremisesRow.id == AlertRow.premises_id)
        parts: dict[Division, Any] = {
            "code": AlertRow.code,
            "tier": cast(AlertRow.tier, String),
            "business_type": kind.correlate(AlertRow).scalar_subquery(),
        }
        grid = cast(AlertRow.node_id, String) + literal_column("'/'", String)
        cell: ColumnElement[Any] = (grid + parts[self.divided_by]).label("cell")
        return cell

    def where(self, *, anywhere: bool = False) -> list[ColumnElement[bool]]:
        """Conditions on :class:`AlertRow`; ``anywhere`` leaves the place out."""
        conditions = [AlertRow.found_at >= self.since_at, AlertRow.found_at < self.until_at]
        if not anywhere:
            conditions.append(self.place())
        if self.node_ids is not None:
            conditions.append(AlertRow.node_id.in_(self.node_ids))
        if self.codes:
            conditions.append(AlertRow.code.in_(self.codes))
        if self.tiers:
            conditions.append(AlertRow.tier.in_(self.tiers))
        if self.business_types:
            kinds = select(PremisesRow.id).where(PremisesRow.business_type.in_(self.business_types))
            conditions.append(AlertRow.premises_id.in_(kinds))
        return conditions

    def place(self) -> ColumnElement[bool]:
        """The condition on where an alert was found."""
        if self.everything:
            return true()
        parts: list[ColumnElement[bool]] = [false()]
        if self.premises_ids:
            parts.append(AlertRow.premises_id.in_(self.premises_ids))
        if self.paths:
            parts.append(AlertRow.node_id.in_(select(NodeRow.id).where(below_paths(self.paths))))
        return or_(*parts)


def below_path(path: str) -> ColumnElement[bool]:
    """Condition on :class:`NodeRow`: the subtree at ``path``, as one range of the index."""
    return and_(NodeRow.path >= path, NodeRow.path < path.removesuffix("/") + "0")


def below_paths(paths: tuple[str, ...]) -> ColumnElement[bool]:
    """Condition on :class:`NodeRow`: any of these subtrees."""
    return or_(false(), *(below_path(path) for path in paths))


@dataclass(frozen=True, slots=True)
class Found:
    """Alerts of one grid, code, tier and state."""

    node_id: int
    code: str
    tier: int
    state: AlertState
    count: int
    reminders: int
    supervised: int


def found_by_place_and_kind(session: Session, question: Question) -> Iterator[Found]:
    """Everything found, by grid, code, tier and present state."""
    key = (question.cell(), AlertRow.code, AlertRow.tier, AlertRow.state)
    supervised = func.sum(case((AlertRow.supervision_level > 0, 1), else_=0))
    query = (
        select(*key, func.count(), func.sum(AlertRow.reminders), supervised)
        .where(*question.where())
        .group_by(*key)
    )
    for node_id, code, tier, state, count, reminders, levels in session.execute(query):
        yield Found(node_id, code, tier, state, count, int(reminders or 0), int(levels or 0))


def found_by_hour(
    session: Session, question: Question, *, by_grid: bool
) -> Iterator[tuple[int, datetime, int]]:
    """What was found and not called false, by the beginning of its hour and grid; else the grid is 0.

    In zones whose hours do not begin with those of UTC it is by quarters of an hour.
    """
    believable = AlertRow.state != AlertState.FALSE_ALARM
    hour: ColumnElement[Any]
    if session.get_bind().dialect.name == "sqlite":
        hour = func.strftime("%Y-%m-%dT%H:00:00+00:00", AlertRow.found_at)
    else:
        hour = func.date_trunc("hour", AlertRow.found_at)
    if not whole_hours(zone_in(session), question.since_at, question.until_at):
        hour = _quarter(session)
    place: Any = question.cell() if by_grid else literal(NO_GRID).label("grid")
    query = (
        select(place, hour, func.count())
        .where(*question.where(), believable)
        .group_by(*([place] if by_grid else []), hour)
    )
    for node_id, at, count in session.execute(query):
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        yield node_id, moment.astimezone(UTC), count


@dataclass(frozen=True, slots=True)
class Clocked:
    """Deadlines of one grid and step. ``seconds`` is the sum of the time they took, where they are met."""

    node_id: int
    step: ClockStep
    due: int
    met: int
    late: int
    running_late: int
    seconds: float


def deadlines_by_place(session: Session, question: Question, now: datetime) -> Iterator[Clocked]:
    """The deadlines of the alerts found; those that fell away (false alarm, transfer) do not count.

    What still runs and is not due yet is in no column: nobody knows yet.
    """
    settled = DeadlineRow.settled_at.is_not(None)
    met = and_(settled, DeadlineRow.met.is_(True))
    late = and_(settled, DeadlineRow.met.is_(False))
    running_late = and_(DeadlineRow.settled_at.is_(None), DeadlineRow.due_at < now)
    taken = _seconds_between(session, DeadlineRow.started_at, DeadlineRow.settled_at)
    cell = question.cell()
    query = (
        select(
            cell,
            DeadlineRow.step,
            *(func.sum(case((one, 1), else_=0)) for one in (met, late, running_late)),
            func.sum(case((or_(met, late), taken), else_=0.0)),
        )
        .join(AlertRow, AlertRow.id == DeadlineRow.alert_id)
        .where(*question.where(), AlertRow.state != AlertState.FALSE_ALARM)
        .group_by(cell, DeadlineRow.step)
    )
    for node_id, step, in_time, too_late, still, seconds in session.execute(query):
        counts = int(in_time or 0), int(too_late or 0), int(still or 0)
        yield Clocked(node_id, step, sum(counts), *counts, float(seconds or 0.0))


def closed_same_day(session: Session, question: Question, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Alerts closed on the local day on which they were found, by grid.

    The last closing counts: what was reopened and closed again on a later day is no longer of the same.
    The days are compared once per alert, after the join: within it they would be computed for every
    deadline there is.
    """
    cell = question.cell()
    closings = (
        select(cell, AlertRow.found_at, func.max(DeadlineRow.settled_at).label("closed_at"))
        .join(DeadlineRow, DeadlineRow.alert_id == AlertRow.id)
        .where(
            *question.where(),
            AlertRow.state == AlertState.CLOSED,
            DeadlineRow.step == ClockStep.FIX,
            DeadlineRow.settled_at.is_not(None),
        )
        .group_by(AlertRow.id, cell, AlertRow.found_at)
        .subquery()
    )
    span = zone, question.since_at, question.until_at + timedelta(days=2)  # later is another day anyway
    same = local_day(session, closings.c.found_at, *span) == local_day(session, closings.c.closed_at, *span)
    query = select(closings.c.cell, func.count()).where(same).group_by(closings.c.cell)
    yield from ((node_id, count) for node_id, count in session.execute(query))


def appeals_by_place(session: Session, question: Question) -> Iterator[tuple[int, int, int, int]]:
    """(grid, appeals, decided, upheld) of the alerts found."""
    cell = question.cell()
    query = (
        select(
            cell,
            func.count(),
            func.sum(case((AppealRow.upheld.is_not(None), 1), else_=0)),
            func.sum(case((AppealRow.upheld.is_(True), 1), else_=0)),
        )
        .join(AlertRow, AlertRow.id == AppealRow.alert_id)
        .where(*question.where())
        .group_by(cell)
    )
    for node_id, made, decided, upheld in session.execute(query):
        yield node_id, made, int(decided or 0), int(upheld or 0)


def rectifications_by_place(session: Session, question: Question) -> Iterator[tuple[int, int, int]]:
    """(grid, reviewed, returned) rectifications of the alerts found."""
    cell = question.cell()
    query = (
        select(
            cell,
            func.count(),
            func.sum(case((RectificationRow.accepted.is_(False), 1), else_=0)),
        )
        .join(AlertRow, AlertRow.id == RectificationRow.alert_id)
        .where(
            *question.where(),
            RectificationRow.kind == StatementKind.RECTIFICATION,
            RectificationRow.accepted.is_not(None),
        )
        .group_by(cell)
    )
    for node_id, reviewed, returned in session.execute(query):
        yield node_id, reviewed, int(returned or 0)


def repeats(session: Session, question: Question) -> Iterator[tuple[int, int, int]]:
    """(grid, within 7 days, within 30 days): believed alerts that had one of their premises and code before.

    The earlier one may lie before the span and in another grid (the premises moved). Alerts whose
    verification is awaited, false ones and merged ones neither are repeats nor make others into some.
    """
    cell = question.cell()
    longest = max(REPEAT_DAYS)
    apart = [AlertRow.tier] if question.divided_by == "tier" else []
    before = func.lag(AlertRow.found_at).over(
        partition_by=(AlertRow.premises_id, AlertRow.code, *apart), order_by=(AlertRow.found_at, AlertRow.id)
    )
    wider = replace(question, since_at=question.since_at - timedelta(days=longest))
    believed = (
        select(
            cell,
            AlertRow.found_at,
            _seconds_between(session, before, AlertRow.found_at).label("gap"),
            question.place().label("here"),
        )
        .where(*wider.where(anywhere=True), AlertRow.state.not_in(NOT_BELIEVED))
        .subquery()
    )
    within = [func.sum(case((believed.c.gap <= days * 86_400, 1), else_=0)) for days in REPEAT_DAYS]
    query = (
        select(believed.c.cell, *within)
        .where(believed.c.found_at >= question.since_at, believed.c.gap <= longest * 86_400, believed.c.here)
        .group_by(believed.c.cell)
    )
    for node_id, week, month in session.execute(query):
        yield node_id, int(week or 0), int(month or 0)


REPEAT_DAYS = (7, 30)
NO_GRID = 0
"""Stands for all grids of a question together, where nobody asks for each."""
NOT_BELIEVED = (AlertState.PENDING_VERIFICATION, AlertState.FALSE_ALARM, AlertState.MERGED)


def believed_by_premises(session: Session, question: Question) -> Iterator[tuple[int, int, int]]:
    """(grid, premises id, believed alerts)."""
    cell = question.cell()
    query = (
        select(cell, AlertRow.premises_id, func.count())
        .where(*question.where(), AlertRow.state.not_in(NOT_BELIEVED))
        .group_by(cell, AlertRow.premises_id)
    )
    yield from ((node_id, premises_id, count) for node_id, premises_id, count in session.execute(query))


def overdue(session: Session, question: Question, now: datetime) -> Iterator[tuple[int, int, int]]:
    """(grid, alerts whose nearest deadline has passed, whole hours they are late together)."""
    hours: ColumnElement[Any] = func.floor(
        _seconds_between(session, AlertRow.due_at, literal(now, UtcDateTime())) / 3600
    )
    if session.get_bind().dialect.name == "sqlite":
        hours = cast(_seconds_between(session, AlertRow.due_at, literal(now, UtcDateTime())) / 3600, Integer)
    cell = question.cell()
    query = (
        select(cell, func.count(), func.sum(hours))
        .where(*question.where(), AlertRow.due_at < now)
        .group_by(cell)
    )
    for node_id, count, late in session.execute(query):
        yield node_id, count, int(late or 0)


def _seconds_between(session: Session, start: Any, end: Any) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday(end) - func.julianday(start)) * 86_400.0
    return cast(func.extract("epoch", end - start), Float)


def _quarter(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":
        minutes = cast(func.strftime("%M", AlertRow.found_at), Integer) // 15 * 15
        hour = func.strftime("%Y-%m-%dT%H:", AlertRow.found_at, type_=String)
        return hour + func.printf("%02d:00+00:00", minutes, type_=String)
    return func.date_bin(text("interval '15 minutes'"), AlertRow.found_at, text("timestamptz 'epoch'"))
