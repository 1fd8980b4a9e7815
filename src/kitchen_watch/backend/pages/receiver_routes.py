"""The page of receivers: other systems and group robots, what waits for them, and dead letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Administrator, VisitorOf
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.pages.answers import FrameOf, go_to, page
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.pages.rendering import Frame
from kitchen_watch.backend.parts import Parts, PartsOf
from kitchen_watch.backend.webhooks import changing, service
from kitchen_watch.backend.webhooks.messages import EVENT_SORT, NOTIFICATION, TYPES
from kitchen_watch.backend.webhooks.schemas import (
    ReceiverBody,
    ReceiverChange,
    ReceiverMade,
    ReceiverTried,
    SecretBody,
)
from kitchen_watch.backend.webhooks.tables import MessageState, ReceiverKind
from kitchen_watch.backend.webhooks.trying import try_receiver
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/administration/receivers", include_in_schema=False)

DEAD_SHOWN = 50
RECEIVERS_SHOWN = 200
INCOMPLETE = N_("Give a name and an address; secrets have 8 signs.")
_ReceiverId = Annotated[int, Path(ge=0, le=2**31 - 1)]
RECEIVER_KINDS = {
    "webhook": N_("Signed webhook (alerts as JSON)"),
    "webhook_notices": N_("Signed webhook (notifications)"),
    "dingtalk": N_("Group robot of DingTalk"),
}


@router.get("")
def show_receivers(person: Administrator, frame: FrameOf, parts: PartsOf) -> Response:
    """Every receiver, and what was given up."""
    return _page(frame, parts)


@router.post("")
async def add_receiver(
    request: Request, person: Administrator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """Add one from the form; the answer shows its secret this once."""
    form = {key: str(value) for key, value in (await request.form()).items()}
    return await run_in_threadpool(_add, form, person, visitor.address, frame, parts)


@router.post("/{receiver_id}/switch")
def switch(
    receiver_id: _ReceiverId,
    person: Administrator,
    visitor: VisitorOf,
    parts: PartsOf,
    enabled: Annotated[bool, Form()],
) -> Response:
    """On or off."""
    _change(parts, receiver_id, ReceiverChange(enabled=enabled), Actor(person.id, visitor.address))
    return go_to("/administration/receivers")


@router.post("/{receiver_id}/change")
def change(
    receiver_id: _ReceiverId,
    person: Administrator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    *,
    name: Annotated[str, Form(max_length=200)] = "",
    url: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Another name or address; an empty address stays as it is."""
    try:
        body = ReceiverChange.model_validate({"name": name} | ({"url": url} if url.strip() else {}))
        _change(parts, receiver_id, body, Actor(person.id, visitor.address))
    except ValidationError:
        return _page(frame, parts, problem=INCOMPLETE)
    except InvalidRequest as error:
        return _page(frame, parts, problem=str(error))
    return go_to("/administration/receivers")


@router.post("/{receiver_id}/secret")
def rotate(
    receiver_id: _ReceiverId,
    person: Administrator,
    visitor: VisitorOf,
    frame: FrameOf,
    parts: PartsOf,
    *,
    secret: Annotated[str, Form(max_length=200)] = "",
    overlap_hours: Annotated[int, Form(ge=0, le=168)] = 24,
) -> Response:
    """A new secret, shown this once."""
    by = Actor(person.id, visitor.address)
    try:
        body = SecretBody(secret=secret.strip() or None, overlap_hours=overlap_hours)
        with parts.database.write() as session:
            row, made = changing.rotate_secret(
                session, receiver_id, body, vault=parts.vault, by=by, now=parts.clock.now()
            )
            view = service.receiver_views(session, [row])[0]
    except ValidationError:
        return _page(frame, parts, problem=INCOMPLETE)
    except InvalidRequest as error:
        return _page(frame, parts, problem=str(error))
    return _page(frame, parts, made=ReceiverMade(**dict(view), secret=made), rotated=True)


@router.post("/{receiver_id}/test")
async def try_one(
    receiver_id: _ReceiverId, person: Administrator, visitor: VisitorOf, frame: FrameOf, parts: PartsOf
) -> Response:
    """Send a test message and show what the receiver answered."""
    tried = await try_receiver(parts, receiver_id, Actor(person.id, visitor.address))

    def show() -> Response:
        return _page(frame, parts, tried=tried)

    return await run_in_threadpool(show)


@router.post("/messages/{message_id}/requeue")
def requeue(
    message_id: Annotated[int, Path(ge=0, le=MAX_ID)],
    person: Administrator,
    visitor: VisitorOf,
    parts: PartsOf,
) -> Response:
    """Send a dead letter again."""
    with parts.database.write() as session:
        service.requeue(session, message_id, by=Actor(person.id, visitor.address), now=parts.clock.now())
    return go_to("/administration/receivers")


def _change(parts: Parts, receiver_id: int, body: ReceiverChange, by: Actor) -> None:
    with parts.database.write() as session:
        changing.change_receiver(
            session,
            receiver_id,
            body,
            vault=parts.vault,
            settings=parts.settings.outgoing,
            by=by,
            now=parts.clock.now(),
        )


def _add(form: dict[str, str], person: Person, address: str, frame: Frame, parts: Parts) -> Response:
    kind = form.get("kind", "")
    try:
        body = ReceiverBody.model_validate(
            {
                "name": form.get("name", ""),
                "kind": ReceiverKind.DINGTALK if kind == "dingtalk" else ReceiverKind.WEBHOOK,
                "url": form.get("url", ""),
                "secret": form.get("secret", "").strip() or None,
                "types": list(TYPES.values()) if kind == "webhook" else [NOTIFICATION],
                "codes": dict(EVENT_SORT) if form.get("event_sort") == "on" else {},
            }
        )
        with parts.database.write() as session:
            made = service.add_receiver(
                session,
                body,
                vault=parts.vault,
                settings=parts.settings.outgoing,
                by=Actor(person.id, address),
                now=parts.clock.now(),
            )
    except ValidationError:
        return _page(frame, parts, form=form, problem=INCOMPLETE)
    except InvalidRequest as error:
        return _page(frame, parts, form=form, problem=str(error))
    return _page(frame, parts, made=made)


def _page(
    frame: Frame,
    parts: Parts,
    *,
    form: dict[str, str] | None = None,
    problem: str | None = None,
    made: ReceiverMade | None = None,
    rotated: bool = False,
    tried: ReceiverTried | None = None,
) -> Response:
    with parts.database.read() as session:
        receivers = service.receiver_page(session, limit=RECEIVERS_SHOWN).items
        dead = service.message_page(session, state=MessageState.DEAD, limit=DEAD_SHOWN)
    return page(
        "receivers.html",
        frame,
        status=422 if problem else 200,
        receivers=receivers,
        dead=dead.items,
        more=dead.next_cursor is not None,
        form=form or {},
        problem=problem,
        made=made,
        rotated=rotated,
        tried=tried,
        kinds=RECEIVER_KINDS,
    )
