"""The pages of complaints: the list with a form to file one, and one complaint with its steps."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.complaints.routes import look_at, rules_of
from kitchen_watch.backend.complaints.schemas import ComplaintBody, ComplaintStepBody
from kitchen_watch.backend.complaints.service import WAITING, file, take_step
from kitchen_watch.backend.complaints.tables import ComplaintState, ComplaintStep
from kitchen_watch.backend.complaints.views import ComplaintFilters, complaint_counts, complaint_page
from kitchen_watch.backend.organisations.service import visible_premises
from kitchen_watch.backend.organisations.tables import PremisesRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages import complaint_words
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.searching import holds_words
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

router = APIRouter(include_in_schema=False)

PER_PAGE = 30
FOUND = 20
PROBLEMS = (
    N_("Say what is complained about, and from when to when. The end must not lie before the beginning."),
    N_("A complaint is about something that has happened: its time lies in the future."),
    N_("Somebody else has done something meanwhile. Your step was not carried out; see how it stands now."),
    N_("Say it in words: this step needs a text."),
)
SHOWN = {"open": tuple(WAITING), "done": tuple(set(ComplaintState) - WAITING), "all": ()}

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_Words = Annotated[str, Query(max_length=100)]


@router.get("/complaints")
def show_complaints(
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    *,
    show: Annotated[str, Query(pattern="^(open|done|all|overdue)$")] = "open",
    q: _Words = "",
    find: _Words = "",
    about: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    cursor: Annotated[int | None, Query(ge=0, le=MAX_ID)] = None,
) -> Response:
    """Complaints in scope, newest first; ``find`` looks for the premises of a new one."""
    view = {"show": show, "q": q.replace("\0", ""), "find": find.replace("\0", "").strip()}
    return _list(person, frame, parts, view=view, about=about, cursor=cursor, form={})


@router.post("/complaints")
async def file_complaint(
    request: Request, person: Regulator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """File one from the form of the list."""
    fields = {key: str(value) for key, value in (await request.form()).items()}
    return await run_in_threadpool(_file, fields, person, visitor.address, frame, parts)


@router.get("/complaints/{complaint_id}")
def show_complaint(
    complaint_id: _Id, person: Regulator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """One complaint with its steps."""
    return _detail(complaint_id, person, visitor.address, frame, parts)


@router.post("/complaints/{complaint_id}/{step}")
def step(
    complaint_id: _Id,
    step: ComplaintStep,
    person: Regulator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    *,
    version: Annotated[int, Form(ge=0, le=2**31 - 1)],
    text: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Take a step from the form of its page."""
    body = ComplaintStepBody(version=version, text=text.replace("\0", ""))
    author = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        with parts.database.write() as session:
            take_step(
                session, author, complaint_id, step, version=version, text=body.text, rules=rules_of(parts)
            )
    except Conflict:
        return _detail(complaint_id, person, visitor.address, frame, parts, problem=PROBLEMS[2], given=text)
    except InvalidRequest:
        return _detail(complaint_id, person, visitor.address, frame, parts, problem=PROBLEMS[3], given=text)
    return go_to(f"/complaints/{complaint_id}")


def _detail(
    complaint_id: int,
    person: Person,
    address: str,
    frame: Frame,
    parts: Parts,
    *,
    problem: str | None = None,
    given: str = "",
) -> Response:
    found = look_at(parts, person, complaint_id, address=address)
    return page(
        "complaint.html",
        frame,
        status=409 if problem else 200,
        complaint=found,
        words=complaint_words,
        problem=problem,
        given=given,
    )


def _file(fields: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    author = Author(person, Actor(person.id, address), parts.clock.now())
    view = {"show": "open", "q": "", "find": ""}
    try:
        body = _body(fields, frame.zone)
        with parts.database.write() as session:
            complaint_id = file(session, author, body, rules_of(parts)).id
    except (ValidationError, ValueError, NotFound, InvalidRequest) as error:
        problem = PROBLEMS[1] if isinstance(error, InvalidRequest) else PROBLEMS[0]
        about = fields.get("premises_id", "")
        known = int(about) if about.isdecimal() and len(about) < 10 else None
        return _list(person, frame, parts, view=view, about=known, form=fields, problem=problem)
    return go_to(f"/complaints/{complaint_id}")


def _body(fields: dict[str, str], zone: ZoneInfo) -> ComplaintBody:
    def moment(name: str) -> datetime:
        return datetime.fromisoformat(fields.get(name, "")).replace(tzinfo=zone)

    named = ("channel", "reference", "kind", "category", "premises_id", "text", "complainant", "contact")
    values = {name: fields.get(name, "") for name in named}
    return ComplaintBody.model_validate(
        {**values, "since_at": moment("since_at"), "until_at": moment("until_at")}
    )


def _list(
    person: Person,
    frame: Frame,
    parts: Parts,
    *,
    view: dict[str, str],
    about: int | None,
    form: dict[str, str],
    cursor: int | None = None,
    problem: str | None = None,
) -> Response:
    overdue = view["show"] == "overdue"
    filters = ComplaintFilters(SHOWN.get(view["show"], ()), overdue=overdue, words=view["q"].strip())
    with parts.database.read() as session:
        found = complaint_page(session, person, now=frame.now, filters=filters, before=cursor, limit=PER_PAGE)
        counts = complaint_counts(session, person, now=frame.now)
        chosen = None
        if about is not None:
            try:
                chosen = visible_premises(session, person, about)
            except NotFound:
                chosen = None
        matches = _matches(session, person, view["find"]) if view["find"] else []
    return page(
        "complaints.html",
        frame,
        status=422 if problem else 200,
        complaints=found.items,
        older=found.next_cursor,
        counts=counts,
        view=view,
        chosen=chosen,
        matches=matches,
        form=form,
        problem=problem,
        words=complaint_words,
    )


def _matches(session: Session, person: Person, words: str) -> list[PremisesRow]:
    return list(
        session.scalars(
            select(PremisesRow)
            .where(
                person.scope.premises(),
                holds_words(
                    words,
                    PremisesRow.name,
                    PremisesRow.name_en,
                    PremisesRow.licence_no,
                    PremisesRow.address,
                ),
            )
            .order_by(PremisesRow.name, PremisesRow.id)
            .limit(FOUND)
        )
    )
