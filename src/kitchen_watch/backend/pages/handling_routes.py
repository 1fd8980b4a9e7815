"""What people do on the page of an alert: every step is a form, so it works wherever a page does."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.service import visible_alert
from kitchen_watch.backend.auth.callers import AnyPerson, PremisesPerson, Regulator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.service import Visitor
from kitchen_watch.backend.handling import photos, service
from kitchen_watch.backend.handling.steps import Hand
from kitchen_watch.backend.handling.tables import MAX_NOTE
from kitchen_watch.backend.handling.uploading import add_photo
from kitchen_watch.backend.pages.alert_page import Refused, content, show_alert_page
from kitchen_watch.backend.pages.answers import FrameOf, go_to, own_address, page
from kitchen_watch.backend.pages.spoken import said
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.errors import Conflict, InvalidRequest, NotPermitted

router = APIRouter(include_in_schema=False)

AlertId = Annotated[int, Path(ge=1, lt=2**63)]
MAX_PHOTOS = 9
SHORTEST_TEXT = 2


class Act(StrEnum):
    """What a form of the page asks for."""

    VERIFY = "verify"
    REJECT = "reject"
    ASSIGN = "assign"
    ACCEPT = "accept"
    CONTAIN = "contain"
    SUBMIT = "submit"
    CLOSE = "close"
    RETURN = "return"
    APPEAL = "appeal"
    UPHOLD_APPEAL = "uphold_appeal"
    REJECT_APPEAL = "reject_appeal"
    REOPEN = "reopen"
    TRANSFER = "transfer"
    MERGE = "merge"
    REMIND = "remind"
    SUPERVISE = "supervise"


class StepForm(BaseModel):
    """The fields of all these forms; ``version`` is that of the case as the page showed it."""

    version: int = Field(ge=0, le=2**31 - 1)
    note: str = Field(default="", max_length=MAX_NOTE)
    text: str = Field(default="", max_length=MAX_NOTE)
    reason: str = Field(default="", max_length=40)
    photo_ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(default=[], max_length=30)
    into_alert_id: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    next: str = Field(default="", max_length=500)


@router.post("/alerts/{alert_id}/steps/{act}")
def take_step(
    alert_id: AlertId,
    act: Act,
    form: Annotated[StepForm, Form()],
    person: AnyPerson,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """Take a step and show how the alert stands then; or say why not, with what is so now."""
    hand = Hand(person, visitor.address, parts.clock.now(), parts.settings.deadlines)
    try:
        with parts.database.write() as session:
            _perform(session, hand, alert_id, act, form)
    except (Conflict, InvalidRequest, NotPermitted) as error:
        with parts.database.read() as session:
            version = visible_alert(session, person, alert_id).version
        refused = Refused(
            words=said(str(error), frame.language),
            overtaken=version != form.version,
            given={**form.model_dump(), "act": act.value},
            status=error.status,
        )
        return show_alert_page(parts, frame, person, alert_id, refused=refused)
    return go_to(own_address(form.next) if form.next else f"/alerts/{alert_id}")


@router.get("/alerts/{alert_id}/look")
def look(alert_id: AlertId, person: Regulator, frame: FrameOf, parts: PartsOf) -> Response:
    """Clip and evidence with the two answers, for the quick look inside the feed."""
    return page("look.html", frame, **content(parts, frame, person, alert_id))


@router.post("/alerts/{alert_id}/photos")
async def upload_photo(
    alert_id: AlertId,
    request: Request,
    person: PremisesPerson,
    frame: FrameOf,
    parts: PartsOf,
    visitor: VisitorOf,
) -> Response:
    """Take one photo as the body; answers with the tray of waiting photos, or with what is wrong with it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > photos.MAX_BYTES:
            break
    try:
        await run_in_threadpool(_keep, parts, person, visitor, alert_id, bytes(body))
    except (Conflict, InvalidRequest, NotPermitted) as error:
        return JSONResponse({"problem": said(str(error), frame.language)}, status_code=error.status)
    return await run_in_threadpool(
        lambda: page("photo_tray.html", frame, refused=None, **content(parts, frame, person, alert_id))
    )


def _keep(parts: Parts, person: Person, visitor: Visitor, alert_id: int, body: bytes) -> None:
    hand = Hand(person, visitor.address, parts.clock.now(), parts.settings.deadlines)
    with parts.database.read() as session:
        visible_alert(session, person, alert_id)  # nothing is decoded for strangers
    photo = photos.prepare(body)
    with parts.database.write() as session:
        add_photo(session, hand, alert_id, photo, parts.settings.photos_dir)


def _perform(session: Session, hand: Hand, alert_id: int, act: Act, form: StepForm) -> None:
    version, note = form.version, form.note.strip()

    def simple(step: Step) -> Callable[[], object]:
        return lambda: service.simple_step(
            session, hand, alert_id, step, version=version, note=note, reason=form.reason or None
        )

    def decide(upheld: bool) -> Callable[[], object]:
        return lambda: service.decide_appeal(
            session, hand, alert_id, version=version, upheld=upheld, reason=form.reason or None, note=note
        )

    def review(accepted: bool) -> Callable[[], object]:
        return lambda: service.review(session, hand, alert_id, version=version, accepted=accepted, note=note)

    def merge() -> object:
        if form.into_alert_id is None:
            raise InvalidRequest("Choose the alert in which this one goes on.")
        return service.merge(
            session, hand, alert_id, version=version, into_alert_id=form.into_alert_id, note=note
        )

    def submit() -> object:
        if not 1 <= len(form.photo_ids) <= MAX_PHOTOS:
            raise InvalidRequest("Add one to nine photos of how it is now.")
        return service.submit(
            session, hand, alert_id, version=version, text=_text(form), photo_ids=form.photo_ids
        )

    acts: dict[Act, Callable[[], object]] = {
        Act.VERIFY: simple(Step.VERIFY),
        Act.REJECT: simple(Step.REJECT),
        Act.ASSIGN: lambda: service.assign(session, hand, alert_id, version=version, note=note),
        Act.ACCEPT: simple(Step.ACCEPT),
        Act.CONTAIN: lambda: service.contain(session, hand, alert_id, text=_text(form)),
        Act.SUBMIT: submit,
        Act.CLOSE: review(True),
        Act.RETURN: review(False),
        Act.APPEAL: lambda: service.appeal(session, hand, alert_id, version=version, text=_text(form)),
        Act.UPHOLD_APPEAL: decide(True),
        Act.REJECT_APPEAL: decide(False),
        Act.REOPEN: simple(Step.REOPEN),
        Act.TRANSFER: simple(Step.TRANSFER),
        Act.MERGE: merge,
        Act.REMIND: lambda: service.remind(session, hand, alert_id, note=note),
        Act.SUPERVISE: lambda: service.supervise(session, hand, alert_id, level=None, note=note),
    }
    acts[act]()


def _text(form: StepForm) -> str:
    text = form.text.strip()
    if len(text) < SHORTEST_TEXT:
        raise InvalidRequest("Write it in a few words; it stays in the alert's history.")
    return text
