"""Complaints over the API: file, list, read, and every step."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID, PlaceId, RowId
from kitchen_watch.backend.complaints import service
from kitchen_watch.backend.complaints.schemas import (
    ComplaintBody,
    ComplaintCounts,
    ComplaintDetail,
    ComplaintPage,
    ComplaintStepBody,
)
from kitchen_watch.backend.complaints.tables import ComplaintState, ComplaintStep
from kitchen_watch.backend.complaints.views import (
    ComplaintFilters,
    complaint_counts,
    complaint_detail,
    complaint_page,
)
from kitchen_watch.backend.notifications.channels import teller_of
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.parts import Parts, PartsOf

router = APIRouter(prefix="/api/v1/complaints", tags=["complaints"])

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


def rules_of(parts: Parts) -> service.Rules:
    """What of the settings counts for complaints."""
    settings = parts.settings
    return service.Rules(settings.complaints, settings.tasks, teller_of(settings))


@router.get("", summary="Complaints")
def list_complaints(
    person: Regulator,
    parts: PartsOf,
    *,
    state: Annotated[list[ComplaintState] | None, Query(description="only in these states")] = None,
    premises_id: Annotated[PlaceId | None, Query(description="only about this premises")] = None,
    overdue: Annotated[bool, Query(description="only those whose term is over")] = False,
    q: Annotated[
        str, Query(max_length=100, pattern=r"^[^\x00]*$", description="premises, number or words")
    ] = "",
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ComplaintPage:
    """Supervision staff: complaints about premises in your scope, newest first. Nobody is named."""
    with parts.database.read() as session:
        return complaint_page(
            session,
            person,
            now=parts.clock.now(),
            filters=ComplaintFilters(state or (), premises_id, overdue=overdue, words=q.strip()),
            before=cursor,
            limit=limit,
        )


@router.get("/counts", summary="How many are open")
def get_counts(person: Regulator, parts: PartsOf) -> ComplaintCounts:
    """Supervision staff: how many of your scope are open, and how many of these overdue."""
    with parts.database.read() as session:
        return complaint_counts(session, person, now=parts.clock.now())


@router.post("", status_code=201, summary="File a complaint")
def file(body: ComplaintBody, _person: Regulator, write: Writing, parts: PartsOf) -> ComplaintDetail:
    """Supervision staff: number it, hold the evidence around its time, and give the grid a task."""

    def done(session: Session, by: Author) -> ComplaintDetail:
        row = service.file(session, by, body, rules_of(parts))
        return complaint_detail(session, by.person, row, links=parts.links, now=by.now)

    return write.answer(body, ComplaintDetail, done)


@router.get("/{complaint_id}", summary="One complaint")
def get_complaint(
    complaint_id: _Id, person: Regulator, parts: PartsOf, visitor: VisitorOf
) -> ComplaintDetail:
    """Supervision staff: all of it; who complained only for those who handle it, which is written down."""
    return look_at(parts, person, complaint_id, address=visitor.address)


def look_at(parts: Parts, person: Person, complaint_id: int, *, address: str) -> ComplaintDetail:
    """Read one complaint; a look at who complained is written down.

    Raises:
        NotFound: there is none in the person's scope.
    """
    now = parts.clock.now()
    with parts.database.read() as session:
        row = service.visible_complaint(session, person, complaint_id)
        found = complaint_detail(session, person, row, links=parts.links, now=now)
    if found.complainant or found.contact:
        with parts.database.write() as session:
            record(
                session, Actor(person.id, address), "complainant_viewed", at=now,
                about=("complaint", complaint_id), premises_id=found.premises_id,
            )  # fmt: skip
    return found


def _step(
    step: ComplaintStep, complaint_id: int, body: ComplaintStepBody, write: Writing, parts: Parts
) -> ComplaintDetail:
    def done(session: Session, by: Author) -> ComplaintDetail:
        row = service.take_step(
            session, by, complaint_id, step, version=body.version, text=body.text, rules=rules_of(parts)
        )
        return complaint_detail(session, by.person, row, links=parts.links, now=by.now)

    return write.answer(body, ComplaintDetail, done)


@router.post("/{complaint_id}/accept", summary="Accept (受理)")
def accept(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: it is taken up; whoever accepts it handles it. Its answer is due by its clock."""
    return _step(ComplaintStep.ACCEPT, complaint_id, body, write, parts)


@router.post("/{complaint_id}/refuse", summary="Refuse (不予受理)")
def refuse(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: it is not taken up; the text says why."""
    return _step(ComplaintStep.REFUSE, complaint_id, body, write, parts)


@router.post("/{complaint_id}/answer", summary="Answer (答复)")
def answer(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: what was found and done, as it was told to whoever complained."""
    return _step(ComplaintStep.ANSWER, complaint_id, body, write, parts)


@router.post("/{complaint_id}/close", summary="Close")
def close(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: nothing more is to be done. Its hold stays until somebody lifts it."""
    return _step(ComplaintStep.CLOSE, complaint_id, body, write, parts)


@router.post("/{complaint_id}/reopen", summary="Open it again")
def reopen(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: it was not over; a new term begins, the text says why."""
    return _step(ComplaintStep.REOPEN, complaint_id, body, write, parts)


@router.post("/{complaint_id}/note", summary="Add a note")
def note(
    complaint_id: _Id, body: ComplaintStepBody, _person: Regulator, write: Writing, parts: PartsOf
) -> ComplaintDetail:
    """Supervision staff: what was found on the way."""
    return _step(ComplaintStep.NOTE, complaint_id, body, write, parts)
