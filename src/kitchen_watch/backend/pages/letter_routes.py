"""The pages of letters: the list with a form to write one, and one letter with its receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.letters.issuing import issue_by_hand
from kitchen_watch.backend.letters.schemas import AcknowledgeBody, LetterBody
from kitchen_watch.backend.letters.service import acknowledge, visible_letter
from kitchen_watch.backend.letters.views import letter_detail, letter_page
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

router = APIRouter(include_in_schema=False)

LETTERS_PER_PAGE = 30
LETTER_KINDS = {"reminder": N_("Reminder letter"), "supervision": N_("Supervision notice")}
PROBLEMS = (
    N_("One letter is about one premises; these alerts belong to several."),
    N_("A false alarm, or one that went on in another alert, is no subject of a letter."),
    N_("The deadline of a letter must lie in the future."),
    N_("Name the alerts by their numbers, and a deadline with date and time."),
    N_("There is no such alert that you may see."),
)
"""What can be wrong with a letter, in words that are translated where they are shown."""

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]
_Cursor = Annotated[int | None, Query(ge=0, le=MAX_ID)]
_Text = Annotated[str, Form(max_length=2000)]


@router.get("/letters")
def show_letters(
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    *,
    cursor: _Cursor = None,
    alert: _Cursor = None,
    unconfirmed: bool = False,
) -> Response:
    """Letters in scope, newest first."""
    form = {"alerts": "" if alert is None else str(alert)}
    return _list(person, frame, parts, cursor=cursor, unconfirmed=unconfirmed, form=form)


@router.post("/letters")
async def write_letter(
    request: Request, person: Regulator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """Issue a letter from the form of the list."""
    fields = {key: str(value) for key, value in (await request.form()).items()}
    return await run_in_threadpool(_write, fields, person, visitor.address, frame, parts)


@router.get("/letters/{letter_id}")
def show_letter(letter_id: _Id, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """One letter as it was issued."""
    with parts.database.read() as session:
        letter = letter_detail(session, person, visible_letter(session, person, letter_id))
    return page("letter.html", frame, letter=letter, kinds=LETTER_KINDS)


@router.post("/letters/{letter_id}/acknowledge")
def confirm(
    letter_id: _Id, person: AnyPerson, visitor: VisitorOf, parts: PartsOf, note: _Text = ""
) -> Response:
    """The addressee has it."""
    body = AcknowledgeBody(note=note.replace("\0", ""))
    with parts.database.write() as session:
        acknowledge(
            session,
            person,
            letter_id,
            note=body.note,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )
    return go_to(f"/letters/{letter_id}")


def _write(fields: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    try:
        body = _body(fields, frame.zone)
        with parts.database.write() as session:
            letter = issue_by_hand(session, person, body, by=Actor(person.id, address), now=parts.clock.now())
            letter_id = letter.id
    except (ValidationError, ValueError):
        return _list(person, frame, parts, form=fields, problem=PROBLEMS[3])
    except NotFound:
        return _list(person, frame, parts, form=fields, problem=PROBLEMS[4])
    except (InvalidRequest, Conflict) as error:
        return _list(person, frame, parts, form=fields, problem=str(error))
    return go_to(f"/letters/{letter_id}")


def _body(fields: dict[str, str], zone: ZoneInfo) -> LetterBody:
    until = fields.get("deadline", "").strip()
    numbers = fields.get("alerts", "").replace("，", " ").replace(",", " ").replace("、", " ")
    return LetterBody.model_validate(
        {
            "kind": fields.get("kind"),
            "alert_ids": [int(number.removeprefix("#")) for number in numbers.split()],
            "premises_side": fields.get("to") != "territory",
            "deadline_at": datetime.fromisoformat(until).replace(tzinfo=zone) if until else None,
            "text": fields.get("text", ""),
        }
    )


def _list(
    person: Person,
    frame: Frame,
    parts: Parts,
    *,
    form: dict[str, str],
    cursor: int | None = None,
    unconfirmed: bool = False,
    problem: str | None = None,
) -> Response:
    with parts.database.read() as session:
        found = letter_page(session, person, before=cursor, unconfirmed=unconfirmed, limit=LETTERS_PER_PAGE)
    return page(
        "letters.html",
        frame,
        status=422 if problem else 200,
        letters=found.items,
        older=found.next_cursor,
        unconfirmed=unconfirmed,
        kinds=LETTER_KINDS,
        form=form,
        problem=problem,
        may_write=person.is_regulator,
    )
