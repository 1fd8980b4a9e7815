"""What people do on the pages of patrols: every act is a form; drafts and pictures are sent by a script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import PremisesPerson, Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.bounds import PlaceId, RowId
from kitchen_watch.backend.forms.answers import judge
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.handling.photo_body import read_photo
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.patrol_form import clean, read_answers, read_findings
from kitchen_watch.backend.pages.patrol_routes import (
    check_answer,
    local_midnight,
    pictures_by_item,
    queue_page,
    sweep_page,
)
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.patrols import checks, findings, pictures, planning, queue
from kitchen_watch.backend.patrols.routes import keep_photo, keep_snapshot
from kitchen_watch.backend.patrols.schemas import (
    MAX_PHOTOS,
    AbsenceBody,
    AnswerBody,
    CompleteBody,
    DraftBody,
    NextBody,
    PictureId,
    SettleBody,
    SnapshotBody,
    StartBody,
    WithdrawBody,
)
from kitchen_watch.backend.patrols.tables import CheckReason, PatrolCheckRow
from kitchen_watch.backend.patrols.views import check_view
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound, NotPermitted

router = APIRouter(prefix="/patrols", include_in_schema=False)

B = TypeVar("B", bound=BaseModel)
REFUSED = (Conflict, InvalidRequest, NotPermitted)


class StartForm(BaseModel):
    """Take one premises; without an id, the next one."""

    kind: FormKind = FormKind.PATROL
    premises_id: PlaceId | None = None
    reason: CheckReason = CheckReason.OTHER


class WordForm(BaseModel):
    """A few words with a decision."""

    text: str = Field(default="", max_length=5000)
    photo_ids: list[PictureId] = Field(default=[], max_length=30)
    version: int = Field(default=0, ge=0, le=2**31 - 1)
    accepted: bool = False


class AbsenceForm(BaseModel):
    """Who is away, and the first and last local day."""

    person_id: PlaceId
    since: str = Field(max_length=10)
    until: str = Field(default="", max_length=10)


@router.post("/start")
def start(
    form: Annotated[StartForm, Form()],
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """Take the next premises, or the one chosen, and go to its form."""
    by = _author(parts, person, visitor)
    kind = form.kind if form.kind in {FormKind.PATROL, FormKind.ON_SITE} else FormKind.PATROL
    try:
        with parts.database.write() as session:
            if form.premises_id is None:
                row = queue.take_next(session, by, parts.settings.patrols, NextBody(kind=kind))
            else:
                body = StartBody(premises_id=form.premises_id, kind=kind, reason=form.reason)
                row = queue.start(session, by, parts.settings.patrols, body)
            check_id = row.id
    except (*REFUSED, NotFound) as error:
        words = said(str(error), frame.language)
        return queue_page(parts, frame, person, refused=words, status=error.status)
    return go_to(f"/patrols/{check_id}")


@router.post("/absences")
def enter_absence(
    form: Annotated[AbsenceForm, Form()],
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """An officer is away from a day to a day, both included; without the last one, for good."""

    def act(session: Session, by: Author) -> None:
        since_at = local_midnight(form.since, 0, frame.zone)
        until_at = local_midnight(form.until, 1, frame.zone)
        if since_at is None or (form.until and until_at is None):
            raise InvalidRequest("A deadline is a day, such as 2026-03-05.")
        body = _body(AbsenceBody, person_id=form.person_id, since_at=since_at, until_at=until_at)
        planning.add_absence(session, by, body)

    return _plan(parts, frame, person, visitor, act)


@router.post("/absences/{absence_id}/end")
def end_absence(
    absence_id: PlaceId, person: Regulator, frame: FrameOf, parts: PartsOf, visitor: VisitorOf
) -> Response:
    """The officer is back, or does not go."""
    return _plan(
        parts, frame, person, visitor, lambda session, by: planning.end_absence(session, by, absence_id)
    )


@router.post("/{check_id}/form")
async def hand_in(
    check_id: RowId, request: Request, person: Regulator, frame: FrameOf, parts: PartsOf, visitor: VisitorOf
) -> Response:
    """Hand the form in, or only keep it; what is wrong is said beside each item."""
    fields = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    by = _author(parts, person, visitor)

    def act() -> Response:
        try:
            with parts.database.write() as session:
                _keep_form(session, parts, by, check_id, fields, complete="complete" in fields)
        except InvalidRequest as error:
            _keep_quietly(parts, by, check_id, fields)
            words = said(str(error), frame.language)
            return check_answer(
                parts, frame, person, check_id, refused=words, fields=fields, status=error.status
            )
        except REFUSED as error:
            words = said(str(error), frame.language)
            return check_answer(
                parts, frame, person, check_id, refused=words, fields=fields, status=error.status
            )
        return go_to(f"/patrols/{check_id}")

    return await run_in_threadpool(act)


@router.post("/{check_id}/draft")
async def keep_draft(
    check_id: RowId, request: Request, person: Regulator, frame: FrameOf, parts: PartsOf, visitor: VisitorOf
) -> Response:
    """Keep the form while it is being filled: a script asks for it after every change."""
    fields = {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    by = _author(parts, person, visitor)

    def act() -> Response:
        try:
            with parts.database.write() as session:
                row = _keep_form(session, parts, by, check_id, fields, complete=False)
                return JSONResponse({"version": row.version, "answered": row.answered, "items": row.items})
        except REFUSED as error:
            return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)

    return await run_in_threadpool(act)


@router.post("/{check_id}/withdraw")
def withdraw(
    check_id: RowId,
    form: Annotated[WordForm, Form()],
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """Give the premises back to the queue."""

    def act(session: Session, by: Author) -> None:
        body = _body(WithdrawBody, version=form.version, note=clean(form.text))
        checks.withdraw(session, by, parts.settings.patrols, check_id, body)

    return _act(parts, frame, person, visitor, check_id, act, then="/patrols")


@router.post("/{check_id}/findings/{finding_id}/answer")
def answer(
    check_id: RowId,
    finding_id: RowId,
    form: Annotated[WordForm, Form()],
    person: PremisesPerson,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """The restaurant: what it has done."""

    def act(session: Session, by: Author) -> None:
        if len(form.photo_ids) > MAX_PHOTOS:
            raise InvalidRequest("An answer has at most nine photos.")
        body = _body(AnswerBody, text=clean(form.text), photo_ids=form.photo_ids)
        findings.answer(session, by, finding_id, body)

    return _act(parts, frame, person, visitor, check_id, act)


@router.post("/{check_id}/findings/{finding_id}/settle")
def settle(
    check_id: RowId,
    finding_id: RowId,
    form: Annotated[WordForm, Form()],
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """Supervision staff: it is mended, or what is missing."""

    def act(session: Session, by: Author) -> None:
        body = _body(SettleBody, accepted=form.accepted, note=clean(form.text))
        findings.settle(session, by, finding_id, body)

    return _act(parts, frame, person, visitor, check_id, act)


@router.post("/{check_id}/photos")
async def upload_photo(
    check_id: RowId,
    request: Request,
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    write: Writing,
    *,
    item: str = "",
) -> Response:
    """Take one photo as the body; answers with the pictures of its item, or with what is wrong with it."""
    try:
        await run_in_threadpool(keep_photo, parts, write, check_id, await read_photo(request), item)
    except REFUSED as error:
        return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)
    return await run_in_threadpool(_tray, parts, frame, person, check_id, item)


@router.post("/{check_id}/snapshots")
async def take_snapshot(
    check_id: RowId,
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
    write: Writing,
    *,
    camera_id: str,
    item: str = "",
) -> Response:
    """A picture of what a camera shows now; answers with the pictures of its item."""
    try:
        body = _body(SnapshotBody, camera_id=camera_id, item=item)
        await keep_snapshot(parts, person, visitor, write, check_id, body)
    except REFUSED as error:
        return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)
    return await run_in_threadpool(_tray, parts, frame, person, check_id, item)


@router.post("/{check_id}/pictures/{picture_id}/remove")
def remove_picture(
    check_id: RowId,
    picture_id: RowId,
    person: Regulator,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
    *,
    item: str = "",
) -> Response:
    """Take a picture out of an open check; answers with those that are left of its item."""
    by = _author(parts, person, visitor)
    try:
        with parts.database.write() as session:
            pictures.remove_picture(session, by, parts.settings.patrols, check_id, picture_id)
    except REFUSED as error:
        return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)
    return _tray(parts, frame, person, check_id, item)


def _keep_form(
    session: Session, parts: Parts, by: Author, check_id: int, fields: dict[str, str], *, complete: bool
) -> PatrolCheckRow:
    row = checks.visible_check(session, by.person, check_id)
    content = checks.form_of(session, row)
    answers = read_answers(content, fields)
    version = int(fields["version"]) if fields.get("version", "").isdecimal() else 0
    if not complete:
        body = _body(DraftBody, version=max(1, min(version, 2**31 - 1)), answers=answers)
        return checks.save_draft(session, by, parts.settings.patrols, check_id, body)
    bad = {one.item for one in judge(content, answers, with_photo=()).bad}
    whole = _body(
        CompleteBody,
        version=max(1, min(version, 2**31 - 1)),
        answers=answers,
        findings=read_findings(fields, bad),
    )
    return checks.complete(session, by, parts.settings.patrols, check_id, whole)


def _keep_quietly(parts: Parts, by: Author, check_id: int, fields: dict[str, str]) -> None:
    """Keep as a draft what could not be handed in, where even that can be."""
    try:
        with parts.database.write() as session:
            _keep_form(session, parts, by, check_id, fields, complete=False)
    except REFUSED:
        return


def _act(
    parts: Parts,
    frame: Frame,
    person: Person,
    visitor: Visitor,
    check_id: int,
    act: Callable[[Session, Author], None],
    *,
    then: str = "",
) -> Response:
    try:
        with parts.database.write() as session:
            act(session, _author(parts, person, visitor))
    except REFUSED as error:
        words = said(str(error), frame.language)
        return check_answer(parts, frame, person, check_id, refused=words, status=error.status)
    return go_to(then or f"/patrols/{check_id}")


def _plan(
    parts: Parts, frame: Frame, person: Person, visitor: Visitor, act: Callable[[Session, Author], None]
) -> Response:
    try:
        with parts.database.write() as session:
            act(session, _author(parts, person, visitor))
    except (*REFUSED, NotFound) as error:
        words = said(str(error), frame.language)
        return sweep_page(parts, frame, person, refused=words, status=error.status)
    return go_to("/patrols/sweep")


def _tray(parts: Parts, frame: Frame, person: Person, check_id: int, item: str) -> Response:
    with parts.database.read() as session:
        check = check_view(session, person, checks.visible_check(session, person, check_id), now=frame.now)
    shown = pictures_by_item(check).get(item, [])
    return page("patrols/tray.html", frame, check=check, item=item, pictures=shown)


def _body(kind: type[B], **values: object) -> B:
    try:
        return kind.model_validate(values)
    except ValidationError:
        raise InvalidRequest("Something is missing or cannot stand. Write it in a few words.") from None


def _author(parts: Parts, person: Person, visitor: Visitor) -> Author:
    return Author(person, Actor(person.id, visitor.address), parts.clock.now())
