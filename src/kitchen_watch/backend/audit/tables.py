"""The audit log: rows are added and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table


class AuditRow(Table):
    """Somebody did or saw something. ``person_id`` is empty where nobody was known (a failed login)."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32), default="")
    object_id: Mapped[str] = mapped_column(String(100), default="")
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"))
    address: Mapped[str] = mapped_column(String(64), default="")
    purpose: Mapped[str] = mapped_column(String(200), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)

    __table_args__ = (
        Index(None, "person_id", "id"),
        Index(None, "premises_id", "id"),
        Index(None, "action", "id"),
    )
