"""Steps of an alert over the API. All are asked with the version seen, and answer with the case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.service import visible_alert
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.handling import photos, service
from kitchen_watch.backend.handling.photo_body import PHOTO_BODY, read_photo
from kitchen_watch.backend.handling.schemas import (
    AppealBody,
    CaseView,
    ContainBody,
    DecideBody,
    MergeBody,
    PhotoView,
    RejectBody,
    RemindBody,
    ReviewBody,
    StepBody,
    SubmitBody,
    SuperviseBody,
)
from kitchen_watch.backend.handling.steps import Hand
from kitchen_watch.backend.handling.uploading import add_photo
from kitchen_watch.backend.handling.views import case_view, photo_view
from kitchen_watch.backend.organisations.writing import Author, Write, Writing
from kitchen_watch.backend.parts import Parts, PartsOf

router = APIRouter(prefix="/api/v1/alerts/{alert_id}", tags=["alerts"])

_Id = Annotated[int, Path(ge=0, le=2**63 - 1)]


class _Write:
    """One write of a step, under the clocks in force."""

    def __init__(self, write: Writing, parts: PartsOf) -> None:
        by = write.author
        self._write = write
        self.hand = Hand(by.person, by.actor.address, by.now, parts.settings.deadlines)

    def answer(self, body: BaseModel, act: Callable[[Session, Hand], AlertRow]) -> CaseView:
        """Do it once and tell how the case stands then."""

        def done(session: Session, _by: Author) -> CaseView:
            alert = act(session, self.hand)
            return case_view(session, self.hand.person, alert, now=self.hand.now)

        return self._write.answer(body, CaseView, done)


_Doing = Annotated[_Write, Depends()]


@router.get("/case", summary="How its handling stands")
def get_case(alert_id: _Id, person: AnyPerson, parts: PartsOf) -> CaseView:
    """State, version, owners, clocks, the whole history, and the steps that you may take now."""
    with parts.database.read() as session:
        alert = visible_alert(session, person, alert_id)
        return case_view(session, person, alert, now=parts.clock.now())


def _simple(write: _Write, alert_id: int, step: Step, body: StepBody, reason: str | None = None) -> CaseView:
    return write.answer(
        body,
        lambda session, hand: service.simple_step(
            session, hand, alert_id, step, version=body.version, note=body.note, reason=reason
        ),
    )


@router.post("/verify", summary="It is true")
def verify(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """Supervision staff: somebody has looked, and it is what it says. The clock to fix it starts."""
    return _simple(write, alert_id, Step.VERIFY, body)


@router.post("/reject", summary="It is a false alarm")
def reject(alert_id: _Id, body: RejectBody, write: _Doing) -> CaseView:
    """Supervision staff: a false alarm, with a reason from the list."""
    return _simple(write, alert_id, Step.REJECT, body, reason=body.reason)


@router.post("/assign", summary="Give it to its owners")
def assign(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """Supervision staff: to the premises' manager and its responsible official or grid officer."""
    return write.answer(
        body,
        lambda session, hand: service.assign(session, hand, alert_id, version=body.version, note=body.note),
    )


@router.post("/accept", summary="We take care of it")
def accept(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """The restaurant: has seen it and takes care of it."""
    return _simple(write, alert_id, Step.ACCEPT, body)


@router.post("/begin", summary="Begin to rectify")
def begin(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """The restaurant: begins to rectify; a submission does so by itself."""
    return _simple(write, alert_id, Step.BEGIN, body)


@router.post("/contain", tags=["rectifications"], summary="What was done at once")
def contain(alert_id: _Id, body: ContainBody, write: _Doing) -> CaseView:
    """The restaurant: what keeps it from doing harm over night; meets the containment clock."""
    return write.answer(body, lambda session, hand: service.contain(session, hand, alert_id, text=body.text))


@router.post("/submit", tags=["rectifications"], summary="Hand in the rectification")
def submit(alert_id: _Id, body: SubmitBody, write: _Doing) -> CaseView:
    """The restaurant: what was done, with at least one photo that was uploaded before."""
    return write.answer(
        body,
        lambda session, hand: service.submit(
            session, hand, alert_id, version=body.version, text=body.text, photo_ids=body.photo_ids
        ),
    )


@router.post("/review", tags=["rectifications"], summary="Judge the rectification")
def review(alert_id: _Id, body: ReviewBody, write: _Doing) -> CaseView:
    """Supervision staff: close the case, or return it and say what is missing."""
    return write.answer(
        body,
        lambda session, hand: service.review(
            session, hand, alert_id, version=body.version, accepted=body.accepted, note=body.note
        ),
    )


@router.post("/appeal", tags=["appeals"], summary="Object")
def appeal(alert_id: _Id, body: AppealBody, write: _Doing) -> CaseView:
    """The restaurant's manager: why the alert is wrong."""
    return write.answer(
        body,
        lambda session, hand: service.appeal(session, hand, alert_id, version=body.version, text=body.text),
    )


@router.post("/decide", tags=["appeals"], summary="Decide the appeal")
def decide(alert_id: _Id, body: DecideBody, write: _Doing) -> CaseView:
    """Supervision staff, but nobody who has verified or assigned the alert."""
    return write.answer(
        body,
        lambda session, hand: service.decide_appeal(
            session,
            hand,
            alert_id,
            version=body.version,
            upheld=body.upheld,
            reason=body.reason,
            note=body.note,
        ),
    )


@router.post("/remind", summary="Remind (催办)")
def remind(alert_id: _Id, body: RemindBody, write: _Doing) -> CaseView:
    """Supervision staff: a reminder besides those of the clock."""
    return write.answer(body, lambda session, hand: service.remind(session, hand, alert_id, note=body.note))


@router.post("/supervise", summary="Supervise (督办)")
def supervise(alert_id: _Id, body: SuperviseBody, write: _Doing) -> CaseView:
    """Supervision staff: supervision one level up, or at the level given."""
    return write.answer(
        body,
        lambda session, hand: service.supervise(session, hand, alert_id, level=body.level, note=body.note),
    )


@router.post("/reopen", summary="Open it again")
def reopen(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """Supervision staff: a closed case that was not mended. It is assigned anew; a new clock starts."""
    return _simple(write, alert_id, Step.REOPEN, body)


@router.post("/transfer", summary="Hand it to enforcement")
def transfer(alert_id: _Id, body: StepBody, write: _Doing) -> CaseView:
    """Supervision staff: it becomes a case of enforcement; why goes into the note."""
    return _simple(write, alert_id, Step.TRANSFER, body)


@router.post("/merge", summary="Let it go on in another alert")
def merge(alert_id: _Id, body: MergeBody, write: _Doing) -> CaseView:
    """Supervision staff: the same matter as another open alert of the same premises."""
    return write.answer(
        body,
        lambda session, hand: service.merge(
            session,
            hand,
            alert_id,
            version=body.version,
            into_alert_id=body.into_alert_id,
            note=body.note,
        ),
    )


@router.post(
    "/photos",
    tags=["rectifications"],
    summary="Upload a photo",
    openapi_extra=PHOTO_BODY,
)
async def upload_photo(
    alert_id: _Id, request: Request, _person: PremisesPerson, parts: PartsOf, write: Writing
) -> PhotoView:
    """The restaurant: one photo as the body, taken after the assignment; submit names its id.

    It is encoded anew without EXIF. A picture that this restaurant has used before is refused.
    """
    return await run_in_threadpool(_add_photo, parts, write, alert_id, await read_photo(request))


@router.get(
    "/photos/{photo_id}",
    tags=["rectifications"],
    summary="Look at a photo",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def look_at_photo(
    alert_id: _Id, photo_id: _Id, person: AnyPerson, parts: PartsOf, visitor: VisitorOf
) -> FileResponse:
    """A photo of the restaurant, as JPEG; the view is written down."""
    with parts.database.write() as session:
        row = service.photo_of(session, _hand(parts, person, visitor), alert_id, photo_id)
        path = photos.kept(parts.settings.photos_dir, row.sha256)
    return FileResponse(path, media_type="image/jpeg")


def _add_photo(parts: Parts, write: Write, alert_id: int, content: bytes) -> PhotoView:
    by = write.author
    hand = Hand(by.person, by.actor.address, by.now, parts.settings.deadlines)
    with parts.database.read() as session:
        visible_alert(session, by.person, alert_id)  # nothing is decoded for strangers
    photo = photos.prepare(content)
    directory = parts.settings.photos_dir
    return write.answer(
        content,
        PhotoView,
        lambda session, _by: photo_view(add_photo(session, hand, alert_id, photo, directory)),
    )


def _hand(parts: Parts, person: Person, visitor: Visitor) -> Hand:
    return Hand(person, visitor.address, parts.clock.now(), parts.settings.deadlines)
