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
from kitchen_watch.backend.webhooks import service
from kitchen_watch.backend.webhooks.messages import EVENT_SORT, NOTIFICATION, TYPES
from kitchen_watch.backend.webhooks.schemas import ReceiverBody, ReceiverMade
from kitchen_watch.backend.webhooks.tables import MessageState, ReceiverKind
from kitchen_watch.errors import InvalidRequest

router = APIRouter(prefix="/administration/receivers", include_in_schema=False)

DEAD_SHOWN = 50
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
    receiver_id: Annotated[int, Path(ge=0, le=2**31 - 1)],
    person: Administrator,
    visitor: VisitorOf,
    parts: PartsOf,
    enabled: Annotated[bool, Form()],
) -> Response:
    """On or off."""
    with parts.database.write() as session:
        service.switch_receiver(
            session,
            receiver_id,
            enabled=enabled,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )
    return go_to("/administration/receivers")


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
        return _page(frame, parts, form=form, problem=N_("Give a name and an address; secrets have 8 signs."))
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
) -> Response:
    with parts.database.read() as session:
        receivers = service.receiver_page(session).items
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
        kinds=RECEIVER_KINDS,
    )
