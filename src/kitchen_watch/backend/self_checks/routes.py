"""Self-checks over the API: what is to be done, filling and handing in, what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, Regulator, VisitorOf
from kitchen_watch.backend.bounds import MAX_ID, Moment, PlaceId, RowId
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.handling import photos
from kitchen_watch.backend.handling.photo_body import PHOTO_BODY, read_photo
from kitchen_watch.backend.organisations.writing import Author, Write, Writing
from kitchen_watch.backend.pages.self_check_words import alerts_in_words
from kitchen_watch.backend.paging import Paging
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.self_checks import service
from kitchen_watch.backend.self_checks.filling import add_photo, correct, open_check, save, submit
from kitchen_watch.backend.self_checks.schemas import (
    ClosureBody,
    ClosureView,
    CorrectBody,
    DueList,
    HandInBody,
    MissingList,
    OpenBody,
    SaveBody,
    SelfCheckDetail,
    SelfCheckPage,
    SelfCheckPhoto,
)
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/api/v1/self-checks", tags=["self-checks"])

USUAL = timedelta(days=7)
LONGEST = timedelta(days=366)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing was asked for before; days can be counted back from here without an end of the calendar."""
_Id = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("", summary="Self-checks")
def list_checks(
    person: AnyPerson,
    parts: PartsOf,
    *,
    premises_id: PlaceId | None = None,
    kind: FormKind | None = None,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SelfCheckPage:
    """Those in your scope that were handed in, the newest first; a restaurant sees its drafts too."""
    with parts.database.read() as session:
        return service.check_page(
            session, person, premises_id=premises_id, kind=kind, before=cursor, limit=limit
        )


@router.get("/due", summary="What your restaurant has to do")
def list_due(person: PremisesPerson, parts: PartsOf) -> DueList:
    """Today's, this week's and this month's self-checks, and missed ones that can still be handed in."""
    with parts.database.read() as session:
        return service.to_do(session, person, parts.settings.self_checks, now=parts.clock.now())


@router.get("/missing", summary="Missing self-checks")
def list_missing(
    person: Regulator,
    parts: PartsOf,
    *,
    grid_id: Annotated[PlaceId | None, Query(description="only below this node")] = None,
    since_at: Moment | None = None,
    until_at: Moment | None = None,
) -> MissingList:
    """What was due in the span (the last seven days) and was not handed in, by grid; at most 500 lines."""
    now = parts.clock.now()
    until = min(until_at or now, now)
    if until <= EARLIEST:
        raise InvalidRequest("There were no self-checks then.")
    since = max(since_at or until - USUAL, EARLIEST)
    if not timedelta(0) < until - since <= LONGEST:
        raise InvalidRequest("since_at must come before until_at, by a year at most.")
    with parts.database.read() as session:
        return service.missing_list(
            session, person, parts.settings.self_checks, since_at=since, until_at=until, node_id=grid_id
        )


@router.post("", summary="Begin a self-check", status_code=201)
def begin(body: OpenBody, _person: PremisesPerson, write: Writing, parts: PartsOf) -> SelfCheckDetail:
    """Its draft, pre-filled with the period's alerts; the one that is there where it was begun before."""

    def done(session: Session, by: Author) -> SelfCheckDetail:
        row = open_check(session, by, parts.settings.self_checks, body, summary=alerts_in_words)
        return service.check_detail(session, by.person, row)

    return write.answer(body, SelfCheckDetail, done)


@router.post("/closures", summary="Enter closed days", status_code=201)
def enter_closure(body: ClosureBody, _person: AnyPerson, write: Writing) -> ClosureView:
    """Closed days excuse self-checks. A restaurant announces its own beforehand, officers enter any."""

    def done(session: Session, by: Author) -> ClosureView:
        return service.add_closure(session, by, body)

    return write.answer(body, ClosureView, done)


@router.get("/closures/{premises_id}", summary="Closed days of a premises")
def list_closures(premises_id: PlaceId, person: AnyPerson, parts: PartsOf, cut: Paging) -> list[ClosureView]:
    """Who entered which, and why."""
    with parts.database.read() as session:
        return cut.of(service.closures(session, person, premises_id))


@router.get("/{check_id}", summary="One self-check")
def get_check(check_id: _Id, person: AnyPerson, parts: PartsOf) -> SelfCheckDetail:
    """With its form, the period's alerts and photos."""
    with parts.database.read() as session:
        return service.check_detail(session, person, service.visible_check(session, person, check_id))


@router.put("/{check_id}", summary="Save a draft")
def save_draft(check_id: _Id, body: SaveBody, _person: PremisesPerson, write: Writing) -> SelfCheckDetail:
    """All answers so far; a draft may have gaps."""

    def done(session: Session, by: Author) -> SelfCheckDetail:
        row = save(session, by, check_id, body.answers, body.version)
        return service.check_detail(session, by.person, row)

    return write.answer(body, SelfCheckDetail, done)


@router.post("/{check_id}/submit", summary="Hand it in")
def hand_in(check_id: _Id, body: HandInBody, _person: PremisesPerson, write: Writing) -> SelfCheckDetail:
    """For good: sealed, and never changed afterwards."""

    def done(session: Session, by: Author) -> SelfCheckDetail:
        return service.check_detail(session, by.person, submit(session, by, check_id, body.version))

    return write.answer(body, SelfCheckDetail, done)


@router.post("/{check_id}/correct", summary="Begin a correction", status_code=201)
def begin_correction(
    check_id: _Id, body: CorrectBody, _person: PremisesPerson, write: Writing
) -> SelfCheckDetail:
    """A new version that names the old one; what was handed in stays as it is."""

    def done(session: Session, by: Author) -> SelfCheckDetail:
        return service.check_detail(session, by.person, correct(session, by, check_id, body.reason))

    return write.answer(body, SelfCheckDetail, done)


@router.post(
    "/{check_id}/photos",
    summary="Upload a photo",
    openapi_extra=PHOTO_BODY,
)
async def upload_photo(
    check_id: _Id,
    request: Request,
    _person: PremisesPerson,
    parts: PartsOf,
    write: Writing,
    item: Annotated[str, Query(max_length=40, description="key of the item that it shows")],
) -> SelfCheckPhoto:
    """The restaurant: one photo as the body, for one item of a draft. It is encoded anew without EXIF."""
    return await run_in_threadpool(_take_photo_once, parts, write, check_id, item, await read_photo(request))


@router.get(
    "/{check_id}/photos/{photo_id}",
    summary="Look at a photo",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def look_at_photo(
    check_id: _Id, photo_id: _Id, person: AnyPerson, parts: PartsOf, visitor: VisitorOf
) -> FileResponse:
    """As JPEG; the view is written down."""
    by = Author(person, Actor(person.id, visitor.address), parts.clock.now())
    with parts.database.write() as session:
        row = service.photo_of(session, by, check_id, photo_id)
        path = photos.kept(parts.settings.self_check_photos_dir, row.sha256)
    return FileResponse(path, media_type="image/jpeg")


def take_photo(parts: Parts, by: Author, check_id: int, item: str, content: bytes) -> SelfCheckPhoto:
    """Check a photo and keep it for an item of a draft; nothing is decoded for strangers."""
    photo = _prepared(parts, by, check_id, content)
    with parts.database.write() as session:
        row = add_photo(session, by, check_id, item, photo, parts.settings.self_check_photos_dir)
        return service.photo_view(row)


def _take_photo_once(parts: Parts, write: Write, check_id: int, item: str, content: bytes) -> SelfCheckPhoto:
    photo, directory = _prepared(parts, write.author, check_id, content), parts.settings.self_check_photos_dir
    return write.answer(
        content,
        SelfCheckPhoto,
        lambda session, by: service.photo_view(add_photo(session, by, check_id, item, photo, directory)),
    )


def _prepared(parts: Parts, by: Author, check_id: int, content: bytes) -> photos.Photo:
    with parts.database.read() as session:
        service.visible_check(session, by.person, check_id)
    return photos.prepare(content)
