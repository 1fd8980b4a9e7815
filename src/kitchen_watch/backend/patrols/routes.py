"""Checks and the queue over the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.handling import photos
from kitchen_watch.backend.handling.photo_body import PHOTO_BODY, read_photo
from kitchen_watch.backend.live.snapshots import snapshot
from kitchen_watch.backend.organisations.writing import Author, Write, Writing
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.patrols import answer_photos, checks, findings, pictures, queue
from kitchen_watch.backend.patrols.schemas import (
    AnswerBody,
    CheckFilters,
    CheckPage,
    CheckView,
    CompleteBody,
    DraftBody,
    FindingPhotoView,
    ItemKey,
    NextBody,
    PersonBrief,
    PictureView,
    QueueView,
    SettleBody,
    SnapshotBody,
    StartBody,
    WithdrawBody,
)
from kitchen_watch.backend.patrols.views import check_page, check_view, finding_photo_view, picture_view

router = APIRouter(prefix="/api/v1/patrols", tags=["patrols"])

_Id = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", summary="Checks")
def list_checks(person: AnyPerson, parts: PartsOf, filters: Annotated[CheckFilters, Query()]) -> CheckPage:
    """The newest first. The premises sees what was completed about it, and what was announced to it."""
    with parts.database.read() as session:
        return check_page(session, person, filters, now=parts.clock.now())


@router.get("/queue", summary="The queue")
def get_queue(
    person: Regulator,
    parts: PartsOf,
    *,
    node_id: PlaceId | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> QueueView:
    """Whose turn it is in your area: the nearest limit first."""
    with parts.database.read() as session:
        return queue.queue_view(
            session, person, parts.settings.patrols, now=parts.clock.now(), node_id=node_id, limit=limit
        )


@router.post("/next", summary="Take the next premises", status_code=201)
def take_next(body: NextBody, _person: Regulator, write: Writing, parts: PartsOf) -> CheckView:
    """Two officers never get the same one. Who holds one from the queue already gets that one."""

    def act(session: Session, by: Author) -> CheckView:
        row = queue.take_next(session, by, parts.settings.patrols, body)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(body, CheckView, act)


@router.post("", summary="Check one premises", status_code=201)
def start(body: StartBody, _person: Regulator, write: Writing, parts: PartsOf) -> CheckView:
    """Out of turn, or planned for later; the premises sees it beforehand only if it is announced."""

    def act(session: Session, by: Author) -> CheckView:
        row = queue.start(session, by, parts.settings.patrols, body)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(body, CheckView, act)


@router.post("/findings/{finding_id}/answer", summary="Answer a finding")
def answer_finding(finding_id: _Id, body: AnswerBody, _person: PremisesPerson, write: Writing) -> CheckView:
    """The restaurant: what it has done."""

    def act(session: Session, by: Author) -> CheckView:
        return check_view(session, by.person, findings.answer(session, by, finding_id, body), now=by.now)

    return write.answer(body, CheckView, act)


@router.post("/findings/{finding_id}/settle", summary="Settle a finding, or return the answer")
def settle_finding(finding_id: _Id, body: SettleBody, _person: Regulator, write: Writing) -> CheckView:
    """Supervision staff: it is mended, or what is missing."""

    def act(session: Session, by: Author) -> CheckView:
        return check_view(session, by.person, findings.settle(session, by, finding_id, body), now=by.now)

    return write.answer(body, CheckView, act)


@router.post(
    "/findings/{finding_id}/photos",
    summary="Upload a photo for the answer to a finding",
    status_code=201,
    openapi_extra=PHOTO_BODY,
)
async def upload_finding_photo(
    finding_id: _Id, request: Request, _person: PremisesPerson, parts: PartsOf, write: Writing
) -> FindingPhotoView:
    """The restaurant: one photo as the body, taken after the check; the answer names its id.

    It is encoded anew without EXIF. A picture that was used before in this restaurant is refused.
    """
    return await run_in_threadpool(keep_finding_photo, parts, write, finding_id, await read_photo(request))


@router.get(
    "/findings/{finding_id}/photos/{photo_id}",
    summary="Look at a photo of an answer",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def look_at_finding_photo(
    finding_id: _Id, photo_id: _Id, person: AnyPerson, parts: PartsOf, visitor: VisitorOf
) -> FileResponse:
    """A photo of the restaurant, as JPEG; the view is written down."""
    with parts.database.write() as session:
        by = _author(parts, person, visitor)
        row = answer_photos.look_at_photo(session, by, finding_id, photo_id)
        path = photos.kept(parts.settings.patrol_pictures_dir, row.sha256)
    return FileResponse(path, media_type="image/jpeg")


@router.get("/{check_id}", summary="A check")
def get_check(check_id: _Id, person: AnyPerson, parts: PartsOf) -> CheckView:
    """With its form, answers, pictures and findings."""
    with parts.database.read() as session:
        row = checks.visible_check(session, person, check_id)
        return check_view(session, person, row, now=parts.clock.now())


@router.put("/{check_id}", summary="Save a draft")
def save_draft(
    check_id: _Id, body: DraftBody, _person: Regulator, write: Writing, parts: PartsOf
) -> CheckView:
    """All answers so far; saving keeps the premises yours for a while."""

    def act(session: Session, by: Author) -> CheckView:
        row = checks.save_draft(session, by, parts.settings.patrols, check_id, body)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(body, CheckView, act)


@router.post("/{check_id}/complete", summary="Hand the form in")
def complete(
    check_id: _Id, body: CompleteBody, _person: Regulator, write: Writing, parts: PartsOf
) -> CheckView:
    """Refused with a sentence for every item that is missing or cannot stand."""

    def act(session: Session, by: Author) -> CheckView:
        row = checks.complete(session, by, parts.settings.patrols, check_id, body)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(body, CheckView, act)


@router.post("/{check_id}/withdraw", summary="Give a premises back")
def withdraw(
    check_id: _Id, body: WithdrawBody, _person: Regulator, write: Writing, parts: PartsOf
) -> CheckView:
    """It goes back to its place in the queue."""

    def act(session: Session, by: Author) -> CheckView:
        row = checks.withdraw(session, by, parts.settings.patrols, check_id, body)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(body, CheckView, act)


@router.post(
    "/{check_id}/photos",
    summary="Upload a photo",
    status_code=201,
    openapi_extra=PHOTO_BODY,
)
async def upload_photo(
    check_id: _Id,
    request: Request,
    _person: Regulator,
    parts: PartsOf,
    write: Writing,
    *,
    item: Annotated[ItemKey, Query()] = "",
) -> PictureView:
    """One photo as the body, for an item of the form. It is encoded anew without EXIF."""
    return await run_in_threadpool(keep_photo, parts, write, check_id, await read_photo(request), item)


@router.post("/{check_id}/snapshots", summary="Take a picture of a camera", status_code=201)
async def take_snapshot(
    check_id: _Id,
    body: SnapshotBody,
    person: Regulator,
    parts: PartsOf,
    visitor: VisitorOf,
    write: Writing,
) -> PictureView:
    """What a camera of the premises shows now, for an item; viewer and time are burnt in."""
    return await keep_snapshot(parts, person, visitor, write, check_id, body)


@router.get(
    "/{check_id}/pictures/{picture_id}",
    summary="Look at a picture",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def look_at_picture(
    check_id: _Id, picture_id: _Id, person: AnyPerson, parts: PartsOf, visitor: VisitorOf
) -> FileResponse:
    """A photo or snapshot, as JPEG; the view is written down."""
    with parts.database.write() as session:
        row = pictures.look_at(session, _author(parts, person, visitor), check_id, picture_id)
        path = photos.kept(parts.settings.patrol_pictures_dir, row.sha256)
    return FileResponse(path, media_type="image/jpeg")


@router.delete("/{check_id}/pictures/{picture_id}", summary="Take a picture out")
def remove_picture(
    check_id: _Id, picture_id: _Id, _person: Regulator, write: Writing, parts: PartsOf
) -> CheckView:
    """Of a check that is still open."""

    def act(session: Session, by: Author) -> CheckView:
        row = pictures.remove_picture(session, by, parts.settings.patrols, check_id, picture_id)
        return check_view(session, by.person, row, now=by.now)

    return write.answer(None, CheckView, act)


def keep_photo(parts: Parts, write: Write, check_id: int, content: bytes, item: str) -> PictureView:
    """Check and keep one photo; nothing is decoded for strangers."""
    with parts.database.read() as session:
        checks.visible_check(session, write.author.person, check_id)
    photo = photos.prepare(content)
    settings = parts.settings

    def keep(session: Session, by: Author) -> PictureView:
        row = pictures.add_picture(
            session, by, settings.patrols, check_id, photo, settings.patrol_pictures_dir, item=item
        )
        return picture_view(row)

    return write.answer(content, PictureView, keep)


def keep_finding_photo(parts: Parts, write: Write, finding_id: int, content: bytes) -> FindingPhotoView:
    """Check and keep one photo for the answer to a finding; nothing is decoded for strangers."""
    with parts.database.read() as session:
        findings.seen_by(session, write.author, finding_id)
    photo = photos.prepare(content)
    directory = parts.settings.patrol_pictures_dir

    def keep(session: Session, by: Author) -> FindingPhotoView:
        finding, _ = findings.for_answer(session, by, finding_id)
        row = answer_photos.add_photo(session, by, finding, photo, directory)
        return finding_photo_view(row, PersonBrief(id=by.person.id, name=by.person.display_name))

    return write.answer(content, FindingPhotoView, keep)


async def keep_snapshot(
    parts: Parts, person: Person, visitor: Visitor, write: Write, check_id: int, body: SnapshotBody
) -> PictureView:
    """Take and keep what a camera of the premises shows now."""

    def may() -> None:
        with parts.database.read() as session:
            row = checks.visible_check(session, person, check_id)
            pictures.check_camera(session, row, body.camera_id)

    await run_in_threadpool(may)
    taken = await snapshot(parts, person, visitor, body.camera_id, queue.purpose_of(check_id))

    def once() -> PictureView:
        photo, settings = pictures.as_photo(taken), parts.settings

        def keep(session: Session, by: Author) -> PictureView:
            row = pictures.add_picture(
                session, by, settings.patrols, check_id, photo, settings.patrol_pictures_dir,
                item=body.item, camera_id=body.camera_id,
            )  # fmt: skip
            return picture_view(row)

        return write.answer(body, PictureView, keep)

    return await run_in_threadpool(once)


def _author(parts: Parts, person: Person, visitor: Visitor) -> Author:
    return Author(person, Actor(person.id, visitor.address), parts.clock.now())
