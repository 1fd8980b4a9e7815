"""The pages of self-checks: to do and missing, and one form on a phone that needs no script."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.forms.answers import Answer
from kitchen_watch.backend.forms.content import FormContent, ItemKind
from kitchen_watch.backend.handling.photos import MAX_BYTES
from kitchen_watch.backend.organisations.service import node_tree
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.self_check_words import KINDS, alerts_in_words
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.self_checks import service
from kitchen_watch.backend.self_checks.filling import correct, form_of, open_check, save, submit
from kitchen_watch.backend.self_checks.routes import take_photo
from kitchen_watch.backend.self_checks.schemas import ClosureBody, CorrectBody, OpenBody, SaveBody
from kitchen_watch.errors import Conflict, InvalidRequest

router = APIRouter(include_in_schema=False)

HISTORY = 30
SPANS = (1, 7, 31)
PHOTO = "photo-"
PROBLEMS = {
    "photo": N_("A photo could not be read: JPEG, PNG or WebP, at least 240 pixels, not one plain colour."),
    "incomplete": N_("Not everything is filled in yet. What is missing is marked; nothing is lost."),
    "answer": N_("An answer cannot be taken: a number belongs where one is asked for."),
    "overtaken": N_("Somebody else has changed this form or handed it in. This is how it stands now."),
    "period": N_("This self-check cannot be begun: too long ago, not yet, or there is no form for it."),
    "closure": N_("Give both days and a reason. Closed days are announced beforehand."),
    "reason": N_("Say why it is corrected."),
}

_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("/self-checks")
def show_self_checks(
    request: Request,
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    cursor: Annotated[int | None, Query(ge=0, le=MAX_ID)] = None,
) -> Response:
    """For a restaurant what is to be done, for officers what is missing."""
    if person.is_premises_side:
        return _own(person, frame, parts, cursor=cursor)
    values = request.query_params
    days = next((days for days in SPANS if str(days) == values.get("days", "")), SPANS[1])
    with parts.database.read() as session:
        nodes = node_tree(session, person)
        node_id = next((node.id for node in nodes if str(node.id) == values.get("grid", "")), None)
        missing = service.missing_list(
            session,
            person,
            parts.settings.self_checks,
            since_at=frame.now - timedelta(days=days),
            until_at=frame.now,
            node_id=node_id,
        )
        came = service.check_page(session, person, before=cursor, limit=HISTORY)
    return page(
        "self_checks_missing.html",
        frame,
        missing=missing,
        came=came,
        nodes=nodes,
        node_id=node_id,
        days=days,
        spans=SPANS,
        kinds=KINDS,
    )


@router.post("/self-checks")
def begin(
    person: PremisesPerson,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    kind: Annotated[str, Form(max_length=20)] = "",
    period: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Begin a form, or go on with it."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = OpenBody.model_validate({"kind": kind, "period": period})
        with parts.database.write() as session:
            row = open_check(session, by, parts.settings.self_checks, body, summary=alerts_in_words)
            check_id = row.id
    except (ValidationError, InvalidRequest, Conflict):
        return _own(person, frame, parts, problem=PROBLEMS["period"])
    return go_to(f"/self-checks/{check_id}")


@router.post("/self-checks/closures")
def close_days(
    person: PremisesPerson,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    first_day: Annotated[str, Form(max_length=10)] = "",
    last_day: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Announce closed days."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = ClosureBody.model_validate({"first_day": first_day, "last_day": last_day, "reason": reason})
        with parts.database.write() as session:
            service.add_closure(session, by, body)
    except (ValidationError, InvalidRequest):
        return _own(person, frame, parts, problem=PROBLEMS["closure"])
    return go_to("/self-checks")


@router.get("/self-checks/{check_id}")
def show_self_check(check_id: _Id, person: AnyPerson, frame: FrameOf, parts: PartsOf) -> Response:
    """One form: to fill, or as it was handed in."""
    return _form(check_id, person, frame, parts)


@router.post("/self-checks/{check_id}")
async def fill(
    check_id: _Id,
    request: Request,
    person: PremisesPerson,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
) -> Response:
    """Save the draft with its photos, and hand it in where that was pressed."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    async with request.form(max_files=60, max_fields=300) as form:
        pictures = await _pictures(form)
        fields = {key: value for key, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(_fill, check_id, fields, pictures, by, frame, parts)


@router.post("/self-checks/{check_id}/correct")
def begin_correction(
    check_id: _Id,
    person: PremisesPerson,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    reason: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """A new version that names the old one."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    try:
        body = CorrectBody.model_validate({"reason": reason})
        with parts.database.write() as session:
            new_id = correct(session, by, check_id, body.reason).id
    except ValidationError:
        return _form(check_id, person, frame, parts, problem=PROBLEMS["reason"])
    except Conflict:
        return _form(check_id, person, frame, parts, problem=PROBLEMS["overtaken"])
    return go_to(f"/self-checks/{new_id}")


async def _pictures(form: FormData) -> list[tuple[str, bytes]]:
    found = []
    for key, value in form.multi_items():
        if isinstance(value, UploadFile) and key.startswith(PHOTO) and value.size:
            # one byte more than is taken: what is too large is refused, not read whole
            found.append((key.removeprefix(PHOTO), await value.read(MAX_BYTES + 1)))
    return found


def _fill(
    check_id: int,
    fields: dict[str, str],
    pictures: list[tuple[str, bytes]],
    by: Author,
    frame: Frame,
    parts: Parts,
) -> Response:
    problem = None
    try:
        with parts.database.write() as session:
            row = service.visible_check(session, by.person, check_id)
            answers = _answers(form_of(session, row), fields)
            body = SaveBody.model_validate({"version": fields.get("version"), "answers": answers})
            version = save(session, by, check_id, body.answers, body.version).version
    except Conflict:
        return _form(check_id, by.person, frame, parts, problem=PROBLEMS["overtaken"], status=409)
    except (ValidationError, InvalidRequest):
        return _form(check_id, by.person, frame, parts, problem=PROBLEMS["answer"], given=fields)
    for item, content in pictures:
        try:
            take_photo(parts, by, check_id, item, content)
        except (InvalidRequest, Conflict):
            problem = PROBLEMS["photo"]
    if problem is None and fields.get("act") == "submit":
        try:
            with parts.database.write() as session:
                submit(session, by, check_id, version)
        except InvalidRequest:
            problem = PROBLEMS["incomplete"]
    if problem is not None:
        return _form(check_id, by.person, frame, parts, problem=problem, marked=True)
    return go_to("/self-checks" if fields.get("act") == "submit" else f"/self-checks/{check_id}?saved=1")


def _answers(content: FormContent, fields: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in content.all_items():
        value: str | float | None = fields.get(f"value-{item.key}", "").strip() or None
        note = fields.get(f"note-{item.key}", "").strip()
        if value is not None and item.kind is ItemKind.NUMBER:
            try:
                value = float(str(value).replace(",", ".").replace("，", ".").replace("−", "-"))
            except ValueError:
                raise InvalidRequest("A number belongs here.") from None
        if value is not None or note:
            found[item.key] = {"value": value, "note": note}
    return found


def _own(
    person: Person, frame: Frame, parts: Parts, *, cursor: int | None = None, problem: str | None = None
) -> Response:
    with parts.database.read() as session:
        due = service.to_do(session, person, parts.settings.self_checks, now=frame.now)
        came = service.check_page(session, person, before=cursor, limit=HISTORY)
        closed = (
            service.closures(session, person, person.premises_id) if person.premises_id is not None else []
        )
    return page(
        "self_checks.html",
        frame,
        status=422 if problem else 200,
        due=due.items,
        came=came,
        closed=closed,
        kinds=KINDS,
        problem=problem,
    )


def _form(
    check_id: int,
    person: Person,
    frame: Frame,
    parts: Parts,
    *,
    problem: str | None = None,
    given: dict[str, str] | None = None,
    marked: bool = False,
    status: int = 422,
) -> Response:
    with parts.database.read() as session:
        row = service.visible_check(session, person, check_id)
        check = service.check_detail(session, person, row)
    photos: dict[str, list[Any]] = {}
    for photo in check.photos:
        photos.setdefault(photo.item, []).append(photo)
    return page(
        "self_check.html",
        frame,
        status=status if problem else 200,
        check=check,
        answers={item.key: check.answers.get(item.key, Answer()) for item in check.content.all_items()},
        photos=photos,
        kinds=KINDS,
        problem=problem,
        given=given or {},
        marked=marked,
    )
