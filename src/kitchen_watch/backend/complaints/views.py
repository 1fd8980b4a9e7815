"""Complaints as people see them; who complained only for those who handle it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts import views as alert_views
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.complaints.schemas import (
    ComplaintCounts,
    ComplaintDetail,
    ComplaintEntry,
    ComplaintPage,
    ComplaintView,
)
from kitchen_watch.backend.complaints.service import STEPS, WAITING, handles, source, title
from kitchen_watch.backend.complaints.tables import ComplaintEntryRow, ComplaintRow, ComplaintState
from kitchen_watch.backend.evidence.links import MediaLinks
from kitchen_watch.backend.holds.held import alerts_of
from kitchen_watch.backend.holds.service import hold_views
from kitchen_watch.backend.holds.tables import HoldRow
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.searching import holds_words
from kitchen_watch.backend.tasks.service import visible_task_of

ALERTS = 30


@dataclass(frozen=True, slots=True)
class ComplaintFilters:
    """What to list; an empty filter lists everything in scope. ``words``: premises, number or text."""

    states: Sequence[ComplaintState] = ()
    premises_id: int | None = None
    overdue: bool = False
    words: str = ""


def complaint_page(
    session: Session,
    person: Person,
    *,
    now: datetime,
    filters: ComplaintFilters,
    before: int | None = None,
    limit: int = 50,
) -> ComplaintPage:
    """Complaints in scope with an id below ``before``, newest first."""
    query = select(ComplaintRow).where(person.scope.owned(ComplaintRow.premises_id))
    if filters.states:
        query = query.where(ComplaintRow.state.in_(filters.states))
    if filters.premises_id is not None:
        query = query.where(ComplaintRow.premises_id == filters.premises_id)
    if filters.overdue:
        query = query.where(_overdue(now))
    if filters.words:
        named = select(PremisesRow.id).where(
            holds_words(filters.words, PremisesRow.name, PremisesRow.licence_no)
        )
        query = query.where(
            or_(
                ComplaintRow.premises_id.in_(named),
                holds_words(filters.words, ComplaintRow.reference, ComplaintRow.text),
            )
        )
    if before is not None:
        query = query.where(ComplaintRow.id < before)
    rows = list(session.scalars(query.order_by(ComplaintRow.id.desc()).limit(limit + 1)))
    return ComplaintPage(
        items=_views(session, rows[:limit], now),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def complaint_counts(session: Session, person: Person, *, now: datetime) -> ComplaintCounts:
    """How many are open, and overdue."""
    mine = person.scope.owned(ComplaintRow.premises_id)
    count = select(func.count()).select_from(ComplaintRow)
    return ComplaintCounts(
        open=session.scalar(count.where(mine, ComplaintRow.state.in_(WAITING))) or 0,
        overdue=session.scalar(count.where(mine, _overdue(now))) or 0,
    )


def complaint_detail(
    session: Session, person: Person, row: ComplaintRow, *, links: MediaLinks, now: datetime
) -> ComplaintDetail:
    """Everything about one complaint that this person may know."""
    entries = session.execute(
        select(ComplaintEntryRow, PersonRow.display_name)
        .join(PersonRow, PersonRow.id == ComplaintEntryRow.person_id)
        .where(ComplaintEntryRow.complaint_id == row.id)
        .order_by(ComplaintEntryRow.version)
    ).all()
    hold = session.scalars(
        select(HoldRow).where(HoldRow.source == source(row)).order_by(HoldRow.id.desc()).limit(1)
    ).one_or_none()
    alerts: list[AlertRow] = []
    if hold is not None:
        wanted = select(AlertRow).where(alerts_of(hold)).order_by(AlertRow.started_at.desc())
        alerts = list(session.scalars(wanted.limit(ALERTS + 1)))
    names = dict(
        session.execute(
            select(PersonRow.id, PersonRow.display_name).where(
                PersonRow.id.in_([row.filed_by, row.handler_id or row.filed_by])
            )
        ).all()
    )
    mine = handles(person, row)
    return ComplaintDetail(
        **dict(_views(session, [row], now)[0]),
        text=row.text,
        filed_by=names[row.filed_by],
        handler=names[row.handler_id] if row.handler_id is not None else None,
        complainant=row.complainant if mine else None,
        contact=row.contact if mine else None,
        handles=mine,
        entries=[
            ComplaintEntry(at=one.at, by=name, step=one.step, to_state=one.to_state, text=one.text)
            for one, name in entries
        ],
        steps=list(STEPS[row.state]),
        hold=hold_views(session, person, [hold], now=now)[0] if hold is not None else None,
        alerts=alert_views.summaries(session, person, alerts[:ALERTS], links=links),
        more_alerts=len(alerts) > ALERTS,
        task_id=visible_task_of(session, person, source(row)),
    )


def due_at(row: ComplaintRow) -> datetime | None:
    """By when what is waited for must be done."""
    if row.state is ComplaintState.RECEIVED:
        return row.accept_due_at
    return row.answer_due_at if row.state is ComplaintState.ACCEPTED else None


def _overdue(now: datetime) -> ColumnElement[bool]:
    received = (ComplaintRow.state == ComplaintState.RECEIVED) & (ComplaintRow.accept_due_at < now)
    accepted = (ComplaintRow.state == ComplaintState.ACCEPTED) & (ComplaintRow.answer_due_at < now)
    return received | accepted


def _views(session: Session, rows: Sequence[ComplaintRow], now: datetime) -> list[ComplaintView]:
    premises = {
        place.id: place
        for place in session.scalars(
            select(PremisesRow).where(PremisesRow.id.in_({row.premises_id for row in rows}))
        )
    }
    grids = dict(
        session.execute(
            select(NodeRow.id, NodeRow.name).where(NodeRow.id.in_({row.node_id for row in rows}))
        ).all()
    )
    found = []
    for row in rows:
        due = due_at(row)
        place = premises[row.premises_id]
        found.append(
            ComplaintView(
                id=row.id,
                title=title(row),
                channel=row.channel,
                reference=row.reference,
                kind=row.kind,
                category=row.category,
                premises_id=row.premises_id,
                premises=place.name,
                premises_en=place.name_en,
                grid=grids[row.node_id],
                state=row.state,
                version=row.version,
                since_at=row.since_at,
                until_at=row.until_at,
                filed_at=row.filed_at,
                accept_due_at=row.accept_due_at,
                answer_due_at=row.answer_due_at,
                due_at=due,
                overdue=due is not None and due < now,
                answered_at=row.answered_at,
            )
        )
    return found
