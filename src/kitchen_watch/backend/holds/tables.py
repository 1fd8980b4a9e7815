"""Holds and everything that was decided about them. Rows of the history are added and never changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, Table, stored_enum

MAX_REASON = 500


class HoldKind(StrEnum):
    """What is held."""

    ALERT = "alert"
    """Everything that belongs to one alert."""
    CAMERA = "camera"
    """What one camera saw in a span of time."""
    PREMISES = "premises"
    """What every camera of a premises saw in a span of time."""


class HoldAct(StrEnum):
    """What was decided about a hold."""

    PLACED = "placed"
    LIFTED = "lifted"


class HoldRow(Table):
    """One hold. Active until it is lifted, or until ``ends_at`` where it has one.

    ``since_at`` and ``until_at`` are the span of what is held (both or neither); ``source`` names
    what placed it by itself, such as ``complaint/12``.
    """

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[HoldKind] = mapped_column(stored_enum(HoldKind))
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("cameras.camera_id"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    since_at: Mapped[datetime | None]
    until_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
    source: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    placed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    placed_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "premises_id", "lifted_at"),)


class HoldEntryRow(Table):
    """One decision about a hold, with its reason."""

    __tablename__ = "hold_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hold_id: Mapped[int] = mapped_column(ForeignKey("holds.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    act: Mapped[HoldAct] = mapped_column(stored_enum(HoldAct))
    reason: Mapped[str] = mapped_column(String(MAX_REASON))


class EdgeHoldsRow(Table):
    """What an edge has said it holds: which version of the holds, and how much of it is there."""

    __tablename__ = "edge_holds"

    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id"), primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    heard_at: Mapped[datetime]
    segments: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    packages: Mapped[int] = mapped_column(BigInteger)
