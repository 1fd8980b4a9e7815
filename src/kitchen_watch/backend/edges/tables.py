"""What connected edges last said of themselves, and the configurations offered to them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum
from kitchen_watch.control import CameraState, TurnStatus


class EdgeStateRow(Table):
    """An edge's last heartbeat. ``connection_id`` is empty while it is not connected."""

    __tablename__ = "edge_states"

    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id", ondelete="CASCADE"), primary_key=True)
    connection_id: Mapped[UUID | None]
    connected_at: Mapped[datetime | None]
    last_heard_at: Mapped[datetime]
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Server time minus device time at the last heartbeat."""
    software_version: Mapped[str] = mapped_column(String(64), default="")
    model_sha256: Mapped[str | None] = mapped_column(String(64))
    configuration_version: Mapped[str | None] = mapped_column(String(100))
    """The version the edge says is in force."""
    outbox_pending: Mapped[int] = mapped_column(default=0)
    outbox_oldest_s: Mapped[float | None]
    dead_letters: Mapped[int] = mapped_column(default=0)
    disk_free_bytes: Mapped[int | None] = mapped_column(BigInteger)
    warnings: Mapped[list[str]] = mapped_column(JsonValue, default=list)


class CameraStateRow(Table):
    """A camera's line in its edge's last heartbeat."""

    __tablename__ = "camera_states"

    camera_id: Mapped[str] = mapped_column(
        ForeignKey("cameras.camera_id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[CameraState] = mapped_column(stored_enum(CameraState))
    since_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(300))
    heard_at: Mapped[datetime]
    frames_received: Mapped[int] = mapped_column(BigInteger, default=0)
    frames_analysed: Mapped[int] = mapped_column(BigInteger, default=0)
    frames_still: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    frames_dropped: Mapped[int] = mapped_column(BigInteger, default=0)
    judged_share: Mapped[float | None]
    """Of the frames due in the last seconds, how many were judged; less than all is overload."""
    turn_share: Mapped[float | None]
    """Of the time, lately, in which it was looked at; empty unless it takes turns with others (轮巡)."""
    turn_watch_s: Mapped[float | None]
    turn_revisit_s: Mapped[float | None]
    """It goes without a look for no longer."""
    turn_now: Mapped[bool | None]
    turn_kept: Mapped[bool | None]
    frame_age_ms: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    codec: Mapped[str | None] = mapped_column(String(40))

    def take_turns(self, turns: TurnStatus | None) -> None:
        """Note how it takes turns, or that it is looked at all the time."""
        self.turn_share = None if turns is None else turns.share
        self.turn_watch_s = None if turns is None else turns.watch_s
        self.turn_revisit_s = None if turns is None else turns.revisit_s
        self.turn_now = None if turns is None else turns.watched_now
        self.turn_kept = None if turns is None else turns.kept

    @property
    def turns(self) -> TurnStatus | None:
        """How it takes turns with other cameras of its edge."""
        if self.turn_share is None:
            return None
        return TurnStatus(
            watched_now=bool(self.turn_now), kept=bool(self.turn_kept), share=self.turn_share,
            watch_s=self.turn_watch_s or 0.0, revisit_s=self.turn_revisit_s or 0.0,
        )  # fmt: skip


class ConfigurationRow(Table):
    """One configuration offered to an edge, and what the edge answered."""

    __tablename__ = "edge_configurations"

    offer_id: Mapped[UUID] = mapped_column(primary_key=True)
    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id", ondelete="CASCADE"))
    version: Mapped[str] = mapped_column(String(100))
    cameras: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    made_of: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default="{}")
    """Versions that went into it: ``{"zones": {camera_id: version}, "rule_sets": {id: version}}``."""
    offered_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    accepted: Mapped[bool | None]
    reason: Mapped[str | None] = mapped_column(String(500))

    __table_args__ = (Index(None, "edge_id", "created_at"),)


class ConfigurationDueRow(Table):
    """An edge whose configuration must be compiled anew; gone once that is done."""

    __tablename__ = "configurations_due"

    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id", ondelete="CASCADE"), primary_key=True)
    since_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ErrandKind(StrEnum):
    """What one process wants of another."""

    ASK = "ask"
    """Send a message to the edge, and its answer back."""
    TELL = "tell"
    ANSWER = "answer"
    FAILED = "failed"
    """There is no answer, and why."""
    ENDED = "ended"
    """The edge ended a view of the receiver, or refused what it was to push."""
    GONE = "gone"
    """The edge has left the sender."""


class EdgeErrandRow(Table):
    """An errand of the process ``sender``; gone once it is taken.

    Without a ``receiver`` it is for whichever process the edge is connected to.
    """

    __tablename__ = "edge_errands"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ErrandKind] = mapped_column(stored_enum(ErrandKind))
    edge_id: Mapped[str] = mapped_column(String(64))
    about: Mapped[UUID]
    sender: Mapped[str] = mapped_column(String(32))
    receiver: Mapped[str | None] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
