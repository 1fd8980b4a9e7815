"""Every event that was accepted, as it came."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import JsonValue, Table, stored_enum
from kitchen_watch.events import EventKind


class EventRow(Table):
    """One accepted event; its id and its place in its violation are taken once and for all."""

    __tablename__ = "events"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    violation_id: Mapped[UUID]
    sequence: Mapped[int]
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    edge_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[EventKind] = mapped_column(stored_enum(EventKind))
    occurred_at: Mapped[datetime]
    server_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(index=True)
    confidence: Mapped[float]
    detail: Mapped[str | None] = mapped_column(String(500))
    body: Mapped[dict[str, Any]] = mapped_column(JsonValue)

    __table_args__ = (UniqueConstraint("violation_id", "sequence"),)
