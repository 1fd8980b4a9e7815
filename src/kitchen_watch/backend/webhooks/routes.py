"""Receivers of outgoing events, and what became of the messages to them; for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Administrator, VisitorOf
from kitchen_watch.backend.bounds import MAX_ID, PlaceId, RowId
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.webhooks import service
from kitchen_watch.backend.webhooks.schemas import (
    MessageDetail,
    MessagePage,
    ReceiverBody,
    ReceiverChange,
    ReceiverMade,
    ReceiverPage,
    ReceiverView,
)
from kitchen_watch.backend.webhooks.tables import MessageState

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

_ReceiverId = Annotated[int, Path(ge=0, le=2**31 - 1)]
_MessageId = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("/receivers", summary="Receivers of outgoing events")
def list_receivers(_person: Administrator, parts: PartsOf) -> ReceiverPage:
    """Every receiver with how much waits for it and how much was given up."""
    with parts.database.read() as session:
        return service.receiver_page(session)


@router.post("/receivers", status_code=201, summary="Add a receiver")
def add_receiver(
    body: ReceiverBody, person: Administrator, visitor: VisitorOf, parts: PartsOf
) -> ReceiverMade:
    """Tell another system from now on. The secret in the answer is not told again.

    Messages have the form ``OutgoingEvent``, are signed by Standard Webhooks, come at least once
    (drop a ``message_id`` that you have had) and in order per alert. Answer 2xx to confirm.
    """
    with parts.database.write() as session:
        return service.add_receiver(
            session,
            body,
            vault=parts.vault,
            settings=parts.settings.outgoing,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )


@router.patch("/receivers/{receiver_id}", summary="Switch a receiver on or off")
def switch_receiver(
    receiver_id: _ReceiverId, body: ReceiverChange, person: Administrator, visitor: VisitorOf, parts: PartsOf
) -> ReceiverView:
    """What happens while it is switched off is not told later."""
    with parts.database.write() as session:
        return service.switch_receiver(
            session,
            receiver_id,
            enabled=body.enabled,
            by=Actor(person.id, visitor.address),
            now=parts.clock.now(),
        )


@router.get("/messages", summary="Messages to receivers")
def list_messages(
    _person: Administrator,
    parts: PartsOf,
    *,
    state: Annotated[MessageState | None, Query(description="dead: those that were given up")] = None,
    receiver_id: PlaceId | None = None,
    cursor: Annotated[RowId | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessagePage:
    """Messages, newest first."""
    with parts.database.read() as session:
        return service.message_page(session, state=state, receiver_id=receiver_id, before=cursor, limit=limit)


@router.get("/messages/{message_id}", summary="One message")
def get_message(message_id: _MessageId, _person: Administrator, parts: PartsOf) -> MessageDetail:
    """What it says, and every attempt to deliver it."""
    with parts.database.read() as session:
        return service.message_detail(session, message_id)


@router.post("/messages/{message_id}/requeue", summary="Send a dead letter again")
def requeue(
    message_id: _MessageId, person: Administrator, visitor: VisitorOf, parts: PartsOf
) -> MessageDetail:
    """It keeps its ``message_id`` and gets its full number of attempts again."""
    with parts.database.write() as session:
        return service.requeue(
            session, message_id, by=Actor(person.id, visitor.address), now=parts.clock.now()
        )
