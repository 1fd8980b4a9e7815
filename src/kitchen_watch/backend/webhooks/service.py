"""Receivers and their messages, for administrators. Every change is written down."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.database import announce
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.webhooks.addresses import check_url
from kitchen_watch.backend.webhooks.messages import EVENT_SORT, NOTIFICATION
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
from kitchen_watch.backend.webhooks.sending import TOPIC
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.backend.webhooks.tables import (
    DeliveryRow,
    MessageRow,
    MessageState,
    ReceiverKind,
    ReceiverRow,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound
from kitchen_watch.signing import SECRET_PREFIX, new_secret


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
    secret = _secret(body)
    if body.kind is ReceiverKind.DINGTALK and set(body.types) != {NOTIFICATION}:
        raise InvalidRequest('A group robot is told notifications only: types must be ["notification"].')
    assert by.person_id is not None  # a route without a person cannot reach this
    parts = urlsplit(body.url)
    row = ReceiverRow(
        name=body.name,
        kind=body.kind,
        shown_url=f"{parts.scheme}://{parts.netloc}{parts.path}"[:400],
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
    return ReceiverMade(**_views(session, [row])[0].model_dump(), secret=secret)


def switch_receiver(
    session: Session, receiver_id: int, *, enabled: bool, by: Actor, now: datetime
) -> ReceiverView:
    """Switch a receiver on or off; what waits for it is kept and sent either way."""
    row = session.get(ReceiverRow, receiver_id)
    if row is None:
        raise NotFound(f"There is no receiver {receiver_id}.")
    row.enabled = enabled
    action = "receiver_switched_on" if enabled else "receiver_switched_off"
    record(session, by, action, at=now, about=("receiver", row.id))
    session.flush()
    return _views(session, [row])[0]


def receiver_page(session: Session) -> ReceiverPage:
    """Every receiver."""
    rows = list(session.scalars(select(ReceiverRow).order_by(ReceiverRow.id)))
    return ReceiverPage(items=_views(session, rows), event_sort=dict(EVENT_SORT))


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


def _secret(body: ReceiverBody) -> str:
    if body.kind is ReceiverKind.DINGTALK:
        if body.secret is None:
            raise InvalidRequest("Give the robot's signing secret (SEC...), as DingTalk shows it.")
        return body.secret
    secret = body.secret or new_secret()
    try:
        Webhook(secret)
    except (ValueError, RuntimeError):
        secret = ""
    if not secret.startswith(SECRET_PREFIX) or len(secret) < len(SECRET_PREFIX) + 32:
        raise InvalidRequest(
            "The secret must be whsec_ and the base64 of at least 24 bytes; or leave it out."
        )
    return secret


def _views(session: Session, rows: list[ReceiverRow]) -> list[ReceiverView]:
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
