"""File a complaint and take its steps, each within the own scope and by the version that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.complaints.clocks import accept_by, answer_by, next_moment
from kitchen_watch.backend.complaints.schemas import ComplaintBody
from kitchen_watch.backend.complaints.settings import ComplaintSettings
from kitchen_watch.backend.complaints.tables import (
    ComplaintEntryRow,
    ComplaintRow,
    ComplaintState,
    ComplaintStep,
)
from kitchen_watch.backend.database import exclusive
from kitchen_watch.backend.holds.schemas import HoldBody
from kitchen_watch.backend.holds.service import place as place_hold
from kitchen_watch.backend.holds.tables import HoldKind
from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.notifications.telling import News, Teller, officers_of
from kitchen_watch.backend.organisations.service import visible_premises
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.organisations.writing import Author, check_version
from kitchen_watch.backend.tasks.giving import NewTask, give, settle
from kitchen_watch.backend.tasks.settings import TaskSettings
from kitchen_watch.backend.tasks.tables import TaskState
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

STEPS: Mapping[ComplaintState, Mapping[ComplaintStep, ComplaintState]] = MappingProxyType(
    {
        ComplaintState.RECEIVED: {
            ComplaintStep.ACCEPT: ComplaintState.ACCEPTED,
            ComplaintStep.REFUSE: ComplaintState.REFUSED,
            ComplaintStep.NOTE: ComplaintState.RECEIVED,
        },
        ComplaintState.ACCEPTED: {
            ComplaintStep.ANSWER: ComplaintState.ANSWERED,
            ComplaintStep.NOTE: ComplaintState.ACCEPTED,
        },
        ComplaintState.ANSWERED: {
            ComplaintStep.CLOSE: ComplaintState.CLOSED,
            ComplaintStep.REOPEN: ComplaintState.ACCEPTED,
            ComplaintStep.NOTE: ComplaintState.ANSWERED,
        },
        ComplaintState.CLOSED: {
            ComplaintStep.REOPEN: ComplaintState.ACCEPTED,
            ComplaintStep.NOTE: ComplaintState.CLOSED,
        },
        ComplaintState.REFUSED: {
            ComplaintStep.REOPEN: ComplaintState.ACCEPTED,
            ComplaintStep.NOTE: ComplaintState.REFUSED,
        },
    }
)
"""What may be done in which state, and where it leads."""
WAITING = frozenset({ComplaintState.RECEIVED, ComplaintState.ACCEPTED})
"""Something is waited for; its clock runs."""
NEEDS_TEXT = frozenset({ComplaintStep.REFUSE, ComplaintStep.ANSWER, ComplaintStep.REOPEN, ComplaintStep.NOTE})
AHEAD = timedelta(minutes=5)
"""Clocks of browsers differ a little."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings counts for complaints."""

    complaints: ComplaintSettings
    tasks: TaskSettings
    teller: Teller


def file(session: Session, author: Author, body: ComplaintBody, rules: Rules) -> ComplaintRow:
    """Number and store it, hold the evidence around its time, give the grid a task and tell its officers.

    Raises:
        NotFound: the premises lies outside the person's scope.
        InvalidRequest: it is about the future.
    """
    now, policy = author.now, rules.complaints
    if body.since_at > now + AHEAD or body.until_at > now + AHEAD:
        raise InvalidRequest("A complaint is about something that has happened: its time lies in the future.")
    try:
        held_since = body.since_at - policy.hold_around
    except OverflowError:
        raise InvalidRequest("The time that is complained about lies at the end of the calendar.") from None
    premises = visible_premises(session, author.person, body.premises_id)
    exclusive(session, "complaints")
    year = now.astimezone(ZoneInfo(policy.time_zone)).year
    last = session.scalar(select(func.max(ComplaintRow.number)).where(ComplaintRow.year == year))
    row = ComplaintRow(
        **body.model_dump(),
        year=year,
        number=(last or 0) + 1,
        node_id=premises.node_id,
        filed_by=author.person.id,
        filed_at=now,
        state=ComplaintState.RECEIVED,
        version=1,
        term_began_at=now,
        accept_due_at=accept_by(policy, now),
        answer_due_at=answer_by(policy, body.kind, now),
    )
    row.next_at = next_moment(policy, now, row.accept_due_at, now=now)
    session.add(row)
    session.flush()
    _enter(session, author, row, ComplaintStep.FILE, "")
    place_hold(
        session,
        author,
        HoldBody(
            kind=HoldKind.PREMISES,
            premises_id=premises.id,
            since_at=held_since,
            until_at=max(body.until_at, body.since_at + timedelta(seconds=1)) + policy.hold_around,
            reason=title(row),
        ),
        source=source(row),
    )
    _give_task(session, author, row, premises.name, rules)
    news = news_of(session, row, source(row), Occasion.COMPLAINT, premises.name)
    people = set(officers_of(session, row.node_id)) - {author.person.id}
    rules.teller.tell(session, people, news, now=now)
    return row


def news_of(session: Session, row: ComplaintRow, name: str, occasion: Occasion, premises: str) -> News:
    """What is told of a complaint to its grid; ``name`` is that of the moment."""
    return News(
        name,
        occasion,
        f"{title(row)} {premises}",
        f"complaints/{row.id}",
        Subject.COMPLAINT,
        row.id,
        session.get_one(NodeRow, row.node_id).path,
    )


def take_step(
    session: Session,
    author: Author,
    complaint_id: int,
    step: ComplaintStep,
    *,
    version: int,
    text: str,
    rules: Rules,
) -> ComplaintRow:
    """Take one step.

    Raises:
        NotFound: there is none in the person's scope.
        Conflict: the state does not allow it, or somebody else was faster.
        InvalidRequest: the step needs words.
    """
    row = _locked(session, author.person, complaint_id)
    to_state = STEPS[row.state].get(step)
    if to_state is None:
        raise Conflict(f"A complaint that is {row.state.value} cannot be taken this step ({step.value}).")
    if step in NEEDS_TEXT and not text:
        raise InvalidRequest("Say it in words: this step needs a text.")
    row.version = check_version(row.version, version)
    row.state = to_state
    now, policy = author.now, rules.complaints
    if step is ComplaintStep.ACCEPT:
        row.handler_id = author.person.id
        row.next_at = next_moment(policy, row.term_began_at, row.answer_due_at, now=now)
    elif step in {ComplaintStep.ANSWER, ComplaintStep.REFUSE}:
        row.settled_at, row.next_at = now, None
        if step is ComplaintStep.ANSWER:
            row.answered_at = row.answered_at or now
        settle(session, source(row), state=TaskState.DONE, text=text, by=author.person.id, now=now)
    elif step is ComplaintStep.REOPEN:
        row.settled_at, row.term_began_at = None, now
        row.handler_id = author.person.id
        row.answer_due_at = answer_by(policy, row.kind, now)
        row.next_at = next_moment(policy, now, row.answer_due_at, now=now)
        settle(session, source(row), state=TaskState.DOING, text=text, by=author.person.id, now=now)
    _enter(session, author, row, step, text)
    return row


def visible_complaint(session: Session, person: Person, complaint_id: int) -> ComplaintRow:
    """The complaint, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(ComplaintRow).where(
            ComplaintRow.id == complaint_id, person.scope.owned(ComplaintRow.premises_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no complaint {complaint_id} that you may see.")
    return row


def handles(person: Person, row: ComplaintRow) -> bool:
    """Whether this person may know who complained: who took it down, who accepted it, the grid's officers."""
    if not person.is_regulator:
        return False
    return person.id in {row.filed_by, row.handler_id} or person.node_id == row.node_id


def title(row: ComplaintRow) -> str:
    """Its number here, as people say it."""
    return f"投诉〔{row.year}〕{row.number}号"


def source(row: ComplaintRow) -> str:
    """Its name for what it makes: hold, task, notifications."""
    return f"complaint/{row.id}"


def _give_task(session: Session, author: Author, row: ComplaintRow, premises: str, rules: Rules) -> None:
    due_on = row.answer_due_at.astimezone(ZoneInfo(rules.complaints.time_zone)).date()
    new = NewTask(
        number=f"TS-{row.year}-{row.number}",
        title=f"{title(row)} {premises}",
        text=row.text[:2000],
        due_on=due_on,
        source=source(row),
    )
    give(session, new, [row.node_id], by=author.person.id, now=author.now, policy=rules.tasks)


def _locked(session: Session, person: Person, complaint_id: int) -> ComplaintRow:
    visible_complaint(session, person, complaint_id)
    return session.scalars(
        select(ComplaintRow)
        .where(ComplaintRow.id == complaint_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _enter(session: Session, author: Author, row: ComplaintRow, step: ComplaintStep, text: str) -> None:
    session.add(
        ComplaintEntryRow(
            complaint_id=row.id,
            version=row.version,
            at=author.now,
            person_id=author.person.id,
            step=step,
            to_state=row.state,
            text=text,
        )
    )
    author.note(session, f"complaint_{step.value}", ("complaint", row.id), premises_id=row.premises_id)
    session.flush()
