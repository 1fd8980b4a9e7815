"""Receivers and their messages, for administrators. Every change is written down."""

from __future__ import annotations

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import announce
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.webhooks.addresses import check_url
from kitchen_watch.backend.webhooks.changing import check_types, shown
from kitchen_watch.backend.webhooks.messages import EVENT_SORT
from kitchen_watch.backend.webhooks.schemas import (
    AttemptView,
    MessageDetail,
    MessagePage,
    MessageView,
    ReceiverBody,
    ReceiverMade,
    ReceiverPage,
    ReceiverView,
)
from kitchen_watch.backend.webhooks.secrets import checked_secret
from kitchen_watch.backend.webhooks.sending import TOPIC
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.backend.webhooks.tables import (
    DeliveryRow,
    MessageRow,
    MessageState,
    ReceiverRow,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound


def add_receiver(
    session: Session,
    body: ReceiverBody,
    *,
    vault: Vault,
    settings: OutgoingSettings,
    by: Actor,
    now: datetime,
) -> ReceiverMade:
    """Make a receiver; its secret is in the answer and nowhere else in the clear.

    Raises:
        InvalidRequest: the address may not be called, the secret cannot sign, or there is no such node.
    """
    check_url(body.url, settings.allowed_networks)
    if body.node_id is not None and session.get(NodeRow, body.node_id) is None:
        raise InvalidRequest(f"There is no node {body.node_id}.")
    secret = checked_secret(body.kind, body.secret)
    check_types(body.kind, list(body.types))
    assert by.person_id is not None  # a route without a person cannot reach this
    row = ReceiverRow(
        name=body.name,
        kind=body.kind,
        shown_url=shown(body.url),
        sealed_url=vault.seal(SecretStr(body.url)),
        sealed_secret=vault.seal(SecretStr(secret)),
        node_id=body.node_id,
        types=sorted(set(body.types)),
        codes=dict(body.codes),
        only_codes=body.only_codes,
        created_by=by.person_id,
        created_at=now,
        enabled=True,
    )
    session.add(row)
    session.flush()
    record(session, by, "receiver_added", at=now, about=("receiver", row.id), address=row.shown_url)
    return ReceiverMade(**receiver_views(session, [row])[0].model_dump(), secret=secret)


def receiver_page(session: Session, *, after: int = 0, limit: int = 200) -> ReceiverPage:
    """Receivers with an id above ``after``, in the order in which they were added."""
    rows = list(
        session.scalars(
            select(ReceiverRow).where(ReceiverRow.id > after).order_by(ReceiverRow.id).limit(limit + 1)
        )
    )
    return ReceiverPage(
        items=receiver_views(session, rows[:limit]),
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
        event_sort=dict(EVENT_SORT),
    )


def message_page(
    session: Session,
    *,
    state: MessageState | None = None,
    receiver_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> MessagePage:
    """Messages with an id below ``before``, newest first."""
    query = select(MessageRow, ReceiverRow.name).outerjoin(
        ReceiverRow, ReceiverRow.id == MessageRow.receiver_id
    )
    if state is not None:
        query = query.where(MessageRow.state == state)
    if receiver_id is not None:
        query = query.where(MessageRow.receiver_id == receiver_id)
    if before is not None:
        query = query.where(MessageRow.id < before)
    rows = session.execute(query.order_by(MessageRow.id.desc()).limit(limit + 1)).all()
    return MessagePage(
        items=[_message(row, name) for row, name in rows[:limit]],
        next_cursor=str(rows[limit - 1][0].id) if len(rows) > limit else None,
    )


def message_detail(session: Session, message_id: int) -> MessageDetail:
    """One message with every attempt.

    Raises:
        NotFound: there is none.
    """
    row = session.get(MessageRow, message_id)
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    receiver = session.get(ReceiverRow, row.receiver_id) if row.receiver_id is not None else None
    attempts = session.scalars(
        select(DeliveryRow).where(DeliveryRow.outgoing_id == row.id).order_by(DeliveryRow.id)
    )
    return MessageDetail(
        **_message(row, receiver.name if receiver else None).model_dump(),
        payload=row.payload,
        deliveries=[
            AttemptView(
                at=one.at,
                duration_ms=one.duration_ms,
                delivered=one.delivered,
                status=one.status,
                problem=one.problem,
            )
            for one in attempts
        ],
    )


def requeue(session: Session, message_id: int, *, by: Actor, now: datetime) -> MessageDetail:
    """Let a dead letter be sent again, under its own ``message_id``.

    Raises:
        NotFound: there is none.
        Conflict: it is not a dead letter.
    """
    row = session.get(MessageRow, message_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no message {message_id}.")
    if row.state is not MessageState.DEAD:
        raise Conflict("Only a message that was given up can be sent again.")
    row.state, row.next_at, row.finished_at, row.attempts = MessageState.PENDING, now, None, 0
    row.requeued += 1
    record(session, by, "message_requeued", at=now, about=("message", row.id))
    session.flush()
    announce(session, TOPIC)
    return message_detail(session, message_id)


def receiver_views(session: Session, rows: list[ReceiverRow]) -> list[ReceiverView]:
    """Receivers as administrators see them, with how much waits for each."""
    counts: dict[tuple[int | None, MessageState], int] = {}
    for receiver_id, state, count in session.execute(
        select(MessageRow.receiver_id, MessageRow.state, func.count())
        .where(
            MessageRow.receiver_id.in_([row.id for row in rows]),
            MessageRow.state.in_([MessageState.PENDING, MessageState.DEAD]),
        )
        .group_by(MessageRow.receiver_id, MessageRow.state)
    ):
        counts[receiver_id, state] = count
    return [
        ReceiverView(
            id=row.id,
            name=row.name,
            kind=row.kind,
            shown_url=row.shown_url,
            node_id=row.node_id,
            types=row.types,
            codes=row.codes,
            only_codes=row.only_codes,
            enabled=row.enabled,
            created_at=row.created_at,
            old_secret_until=row.old_secret_until,
            pending=counts.get((row.id, MessageState.PENDING), 0),
            dead=counts.get((row.id, MessageState.DEAD), 0),
        )
        for row in rows
    ]


def _message(row: MessageRow, receiver: str | None) -> MessageView:
    return MessageView(
        id=row.id,
        message_id=row.message_id,
        channel=row.channel,
        receiver_id=row.receiver_id,
        receiver=receiver or "",
        type=row.type,
        state=row.state,
        created_at=row.created_at,
        next_at=row.next_at,
        attempts=row.attempts,
        requeued=row.requeued,
        finished_at=row.finished_at,
        problem=row.problem,
    )
