"""Change a receiver: what it is told and where, its secret, and whether it can be reached at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy.orm import Session

from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.auth.vault import Vault
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.webhooks.addresses import check_url
from kitchen_watch.backend.webhooks.couriers import Message
from kitchen_watch.backend.webhooks.messages import NOTIFICATION, SCHEMA
from kitchen_watch.backend.webhooks.schemas import ReceiverChange, SecretBody
from kitchen_watch.backend.webhooks.secrets import checked_secret, secrets_of
from kitchen_watch.backend.webhooks.settings import OutgoingSettings
from kitchen_watch.backend.webhooks.tables import Channel, ReceiverKind, ReceiverRow
from kitchen_watch.errors import InvalidRequest, NotFound

TEST = "test"
TEST_SUBJECT = "kitchen_watch: 测试消息 / test message"
TEST_TEXT = "收到本消息即表示连接正常，无需处理。 / The connection works; nothing is to be done."


@dataclass(frozen=True, slots=True)
class Trial:
    """A test message and the way it takes."""

    channel: Channel
    message: Message


def receiver_of(session: Session, receiver_id: int) -> ReceiverRow:
    """A receiver, locked until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    row = session.get(ReceiverRow, receiver_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no receiver {receiver_id}.")
    return row


def change_receiver(
    session: Session,
    receiver_id: int,
    change: ReceiverChange,
    *,
    vault: Vault,
    settings: OutgoingSettings,
    by: Actor,
    now: datetime,
) -> ReceiverRow:
    """Change what is named and nothing else; what waits for it goes to the new address.

    Raises:
        NotFound: there is no such receiver.
        InvalidRequest: the address may not be called, there is no such node, or a robot is told of alerts.
    """
    row = receiver_of(session, receiver_id)
    given = change.model_dump(exclude_unset=True)
    url = given.pop("url", None)
    enabled = given.pop("enabled", None)
    if url is not None:
        check_url(url, settings.allowed_networks)
        row.shown_url, row.sealed_url = shown(url), vault.seal(SecretStr(url))
    if given.get("node_id") is not None and session.get(NodeRow, given["node_id"]) is None:
        raise InvalidRequest(f"There is no node {given['node_id']}.")
    if given.get("types") is not None:
        given["types"] = sorted(set(given["types"]))
        check_types(row.kind, given["types"])
    for name, value in given.items():
        if value is None and name != "node_id":
            raise InvalidRequest(f"{name} cannot be empty; leave it out if it stays as it is.")
        setattr(row, name, value)
    if given or url is not None:
        named = sorted([*given, *(["url"] if url is not None else [])])
        record(session, by, "receiver_changed", at=now, about=("receiver", row.id), changed=", ".join(named))
    if enabled is not None:
        row.enabled = enabled
        action = "receiver_switched_on" if enabled else "receiver_switched_off"
        record(session, by, action, at=now, about=("receiver", row.id))
    session.flush()
    return row


def rotate_secret(
    session: Session, receiver_id: int, body: SecretBody, *, vault: Vault, by: Actor, now: datetime
) -> tuple[ReceiverRow, str]:
    """A new secret from now on; until the overlap ends, messages carry a signature by the old one too.

    A group robot knows one secret only: there the old one ends at once.

    Raises:
        NotFound: there is no such receiver.
        InvalidRequest: the secret cannot sign.
    """
    row = receiver_of(session, receiver_id)
    secret = checked_secret(row.kind, body.secret)
    overlap = timedelta(0) if row.kind is ReceiverKind.DINGTALK else timedelta(hours=body.overlap_hours)
    row.sealed_old_secret = row.sealed_secret if overlap else None
    row.old_secret_until = now + overlap if overlap else None
    row.sealed_secret = vault.seal(SecretStr(secret))
    until = row.old_secret_until.isoformat() if row.old_secret_until is not None else ""
    record(session, by, "receiver_secret_rotated", at=now, about=("receiver", row.id), old_until=until)
    session.flush()
    return row, secret


def begin_trial(session: Session, receiver_id: int, *, vault: Vault, by: Actor, now: datetime) -> Trial:
    """The message that tries a receiver; that it was tried is written down.

    Raises:
        NotFound: there is no such receiver.
    """
    row = receiver_of(session, receiver_id)
    message_id = f"test-{uuid4()}"
    record(session, by, "receiver_tried", at=now, about=("receiver", row.id), message_id=message_id)
    payload = {
        "schema_version": SCHEMA,
        "message_id": message_id,
        "type": TEST,
        "at": now.isoformat(),
        "subject": TEST_SUBJECT,
        "text": TEST_TEXT,
    }
    secret, *older = secrets_of(row, vault, now=now)
    message = Message(
        row_id=0,
        message_id=message_id,
        person_id=None,
        type=TEST,
        payload=payload,
        at=now,
        url=vault.open(row.sealed_url).get_secret_value(),
        secret=secret,
        older_secrets=tuple(older),
    )
    return Trial(Channel(row.kind.value), message)


def shown(url: str) -> str:
    """An address without what it may carry in secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:400]


def check_types(kind: ReceiverKind, types: list[str]) -> None:
    """A robot speaks to people.

    Raises:
        InvalidRequest: it would be told of alerts.
    """
    if kind is ReceiverKind.DINGTALK and set(types) != {NOTIFICATION}:
        raise InvalidRequest('A group robot is told notifications only: types must be ["notification"].')
