"""The pages of holds and of retention."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.holds.schemas import HoldBody, LiftBody
from kitchen_watch.backend.holds.service import hold_detail, hold_page, lift, place, visible_hold
from kitchen_watch.backend.holds.telling_edges import held_at_edges
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages import complaint_words
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.retention.service import deletion_page, preview, retention_view
from kitchen_watch.errors import InvalidRequest, NotFound

router = APIRouter(include_in_schema=False)

PER_PAGE = 30
PROBLEMS = (
    N_("Name what is to be held and why; a camera or a premises needs a span that ends after it begins."),
    N_("There is nothing of that number that you may see."),
)

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_Cursor = Annotated[int | None, Query(ge=0, le=MAX_ID)]


@router.get("/holds")
def show_holds(
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    *,
    lifted: bool = False,
    alert: _Cursor = None,
    camera: Annotated[str, Query(max_length=64)] = "",
    premises: _Cursor = None,
    cursor: _Cursor = None,
) -> Response:
    """Holds in scope, newest first; with an alert, a camera or a premises the form is filled in."""
    named = {"alert": alert, "camera": camera.replace("\0", ""), "premises": premises}
    kind = next((key for key, value in named.items() if value), "")
    form = {"kind": kind, "what": str(named[kind])} if kind else {}
    return _list(person, frame, parts, lifted=lifted, form=form, cursor=cursor)


@router.post("/holds")
async def place_hold(
    request: Request, person: Regulator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """Place one from the form of the list."""
    fields = {key: str(value) for key, value in (await request.form()).items()}
    return await run_in_threadpool(_place, fields, person, visitor.address, frame, parts)


@router.get("/holds/{hold_id}")
def show_hold(hold_id: _Id, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """One hold with its history."""
    with parts.database.read() as session:
        row = visible_hold(session, person, hold_id)
        hold = hold_detail(session, person, row, now=frame.now)
    return page("hold.html", frame, hold=hold, words=complaint_words)


@router.post("/holds/{hold_id}/lift")
def lift_hold(
    hold_id: _Id,
    person: Regulator,
    visitor: VisitorOf,
    parts: PartsOf,
    reason: Annotated[str, Form(max_length=500)],
) -> Response:
    """It is no longer needed."""
    try:
        body = LiftBody(reason=reason)
    except ValidationError:
        raise InvalidRequest("Say why the hold is no longer needed.") from None
    author = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    with parts.database.write() as session:
        lift(session, author, hold_id, reason=body.reason)
    return go_to(f"/holds/{hold_id}")


@router.get("/retention")
def show_retention(
    person: Regulator, frame: FrameOf, parts: PartsOf, *, dry: bool = False, cursor: _Cursor = None
) -> Response:
    """What was deleted; for administrators also the policy, the disk, the runs and a dry run."""
    settings = parts.settings.retention
    content: dict[str, Any] = {"retention": None, "going": None}
    with parts.database.read() as session:
        content["deletions"] = deletion_page(session, person, before=cursor, limit=PER_PAGE)
        if person.role is Role.ADMIN:
            free = parts.evidence.free_bytes()
            content["retention"] = retention_view(session, settings, free=free, now=frame.now)
            content["going"] = preview(session, settings, now=frame.now) if dry else None
    return page("retention.html", frame, words=complaint_words, **content)


def _place(fields: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    author = Author(person, Actor(person.id, address), parts.clock.now())
    try:
        body = _body(fields, frame.zone)
        with parts.database.write() as session:
            hold_id = place(session, author, body).id
    except (ValidationError, ValueError, InvalidRequest):
        return _list(person, frame, parts, form=fields, problem=PROBLEMS[0])
    except NotFound:
        return _list(person, frame, parts, form=fields, problem=PROBLEMS[1])
    return go_to(f"/holds/{hold_id}")


def _body(fields: dict[str, str], zone: ZoneInfo) -> HoldBody:
    def moment(name: str) -> datetime | None:
        text = fields.get(name, "").strip()
        return datetime.fromisoformat(text).replace(tzinfo=zone) if text else None

    kind, what = fields.get("kind", ""), fields.get("what", "").strip().removeprefix("#")
    spanned = kind != "alert"
    return HoldBody.model_validate(
        {
            "kind": kind,
            f"{kind}_id": what,
            "since_at": moment("since_at") if spanned else None,
            "until_at": moment("until_at") if spanned else None,
            "ends_at": moment("ends_at"),
            "reason": fields.get("reason", ""),
        }
    )


def _list(
    person: Person,
    frame: Frame,
    parts: Parts,
    *,
    form: dict[str, str],
    lifted: bool = False,
    cursor: int | None = None,
    problem: str | None = None,
) -> Response:
    with parts.database.read() as session:
        found = hold_page(
            session, person, now=frame.now, only_active=not lifted, before=cursor, limit=PER_PAGE
        )
        edges = held_at_edges(session, person, now=frame.now)
    return page(
        "holds.html",
        frame,
        status=422 if problem else 200,
        holds=found.items,
        older=found.next_cursor,
        edges=edges,
        lifted=lifted,
        form=form,
        problem=problem,
        words=complaint_words,
    )
