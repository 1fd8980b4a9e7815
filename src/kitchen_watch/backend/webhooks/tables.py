"""Receivers, messages on their way to them, attempts to deliver, and how far the feed was read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum


class ReceiverKind(StrEnum):
    """How a receiver is spoken to."""

    WEBHOOK = "webhook"
    """Standard Webhooks: our JSON, signed."""
    DINGTALK = "dingtalk"
    """A group robot of DingTalk (钉钉) with its signature."""


class Channel(StrEnum):
    """Which way a message takes."""

    WEBHOOK = "webhook"
    DINGTALK = "dingtalk"
    EMAIL = "email"


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; visible, and may be sent again by a person."""


class ReceiverRow(Table):
    """Another system, or a group of people, that is told what happens below one node.

    Address and secret are sealed (see :mod:`.auth.vault`): robots carry a token in their address.
    ``codes`` maps our codes to the receiver's; ``types`` and ``only_codes`` say what it wants.
    """

    __tablename__ = "receivers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[ReceiverKind] = mapped_column(stored_enum(ReceiverKind))
    shown_url: Mapped[str] = mapped_column(String(400))
    sealed_url: Mapped[str] = mapped_column(String(4000))
    sealed_secret: Mapped[str] = mapped_column(String(1000))
    sealed_old_secret: Mapped[str | None] = mapped_column(String(1000))
    old_secret_until: Mapped[datetime | None]
    """Until then messages are signed by the secret before as well."""
    node_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    types: Mapped[list[str]] = mapped_column(JsonValue)
    codes: Mapped[dict[str, str]] = mapped_column(JsonValue)
    only_codes: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]


class MessageRow(Table):
    """The fact that somebody is to be told something; ``message_id`` stays the same however often it is sent.

    Messages of one ``lane`` (one receiver and alert) are delivered in the order of their ids.
    ``claimed_until`` is the lease of the process that has it in hand.
    """

    __tablename__ = "outgoing_messages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    channel: Mapped[Channel] = mapped_column(stored_enum(Channel))
    receiver_id: Mapped[int | None] = mapped_column(ForeignKey("receivers.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    lane: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    state: Mapped[MessageState] = mapped_column(stored_enum(MessageState))
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    requeued: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        Index(None, "state", "next_at"),
        Index("ix_outgoing_messages_lane", "lane", "state", "id"),
        Index(None, "receiver_id", "id"),
    )


class DeliveryRow(Table):
    """One attempt to deliver a message, and how it ended."""

    __tablename__ = "outgoing_deliveries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    outgoing_id: Mapped[int] = mapped_column(ForeignKey("outgoing_messages.id"), index=True)
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    delivered: Mapped[bool]
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(500), default="")


class RelayRow(Table):
    """How far a relay has read the feed; moved in the transaction that stores what it made of it."""

    __tablename__ = "feed_relays"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
