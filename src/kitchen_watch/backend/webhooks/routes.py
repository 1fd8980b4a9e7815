"""Receivers of outgoing events, and what became of the messages to them; for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.auth.callers import Administrator, VisitorOf
from kitchen_watch.backend.bounds import MAX_ID, PlaceId, RowId
from kitchen_watch.backend.organisations.writing import Author, Writing
from kitchen_watch.backend.parts import PartsOf
from kitchen_watch.backend.webhooks import changing, service
from kitchen_watch.backend.webhooks.schemas import (
    MessageDetail,
    MessagePage,
    ReceiverBody,
    ReceiverChange,
    ReceiverMade,
    ReceiverPage,
    ReceiverTried,
    ReceiverView,
    SecretBody,
)
from kitchen_watch.backend.webhooks.tables import MessageState
from kitchen_watch.backend.webhooks.trying import try_receiver

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])

_ReceiverId = Annotated[int, Path(ge=0, le=2**31 - 1)]
_MessageId = Annotated[int, Path(ge=0, le=MAX_ID)]


@router.get("/receivers", summary="Receivers of outgoing events")
def list_receivers(
    _person: Administrator,
    parts: PartsOf,
    *,
    cursor: Annotated[PlaceId, Query(description="next_cursor of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ReceiverPage:
    """Receivers with how much waits for each and how much was given up."""
    with parts.database.read() as session:
        return service.receiver_page(session, after=cursor, limit=limit)


@router.post("/receivers", status_code=201, summary="Add a receiver")
def add_receiver(body: ReceiverBody, _person: Administrator, parts: PartsOf, write: Writing) -> ReceiverMade:
    """Tell another system from now on. The secret in the answer is not told again.

    Messages have the form ``OutgoingEvent``, are signed by Standard Webhooks, come at least once
    (drop a ``message_id`` that you have had) and in order per alert. Answer 2xx to confirm.
    """

    def act(session: Session, by: Author) -> ReceiverMade:
        return service.add_receiver(
            session, body, vault=parts.vault, settings=parts.settings.outgoing, by=by.actor, now=by.now
        )

    return write.secretly(body, ReceiverMade, act)


@router.patch("/receivers/{receiver_id}", summary="Change a receiver, or switch it on or off")
def change_receiver(
    receiver_id: _ReceiverId, body: ReceiverChange, _person: Administrator, parts: PartsOf, write: Writing
) -> ReceiverView:
    """What is left out stays. What waits for it is sent to a new address."""

    def act(session: Session, by: Author) -> ReceiverView:
        row = changing.change_receiver(
            session,
            receiver_id,
            body,
            vault=parts.vault,
            settings=parts.settings.outgoing,
            by=by.actor,
            now=by.now,
        )
        return service.receiver_views(session, [row])[0]

    return write.answer(body, ReceiverView, act)


@router.post("/receivers/{receiver_id}/secret", summary="Give a receiver a new secret")
def rotate_secret(
    receiver_id: _ReceiverId, body: SecretBody, _person: Administrator, parts: PartsOf, write: Writing
) -> ReceiverMade:
    """The answer tells it, this once. During the overlap messages are signed by both."""

    def act(session: Session, by: Author) -> ReceiverMade:
        row, secret = changing.rotate_secret(
            session, receiver_id, body, vault=parts.vault, by=by.actor, now=by.now
        )
        return ReceiverMade(**dict(service.receiver_views(session, [row])[0]), secret=secret)

    return write.secretly(body, ReceiverMade, act)


@router.post("/receivers/{receiver_id}/test", summary="Send a test message")
async def test_receiver(
    receiver_id: _ReceiverId, person: Administrator, visitor: VisitorOf, parts: PartsOf
) -> ReceiverTried:
    """Signed like every message, of type ``test``, tried once and at once, also while it is switched off."""
    return await try_receiver(parts, receiver_id, Actor(person.id, visitor.address))


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
def requeue(message_id: _MessageId, _person: Administrator, write: Writing) -> MessageDetail:
    """It keeps its ``message_id`` and gets its full number of attempts again."""
    return write.answer(
        None,
        MessageDetail,
        lambda session, by: service.requeue(session, message_id, by=by.actor, now=by.now),
    )
