"""What people are told, and how each of them wants to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.notifications.rules import Occasion, Subject
from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum


class NotificationRow(Table):
    """The fact that one person is told one thing; ``source`` names what happened, so that it is told once.

    Words are made where it is shown, in the reader's language, from ``occasion`` and ``facts``.
    """

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    source: Mapped[str] = mapped_column(String(64))
    occasion: Mapped[Occasion] = mapped_column(stored_enum(Occasion))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"), index=True)
    """Empty for what is about no alert: a complaint, a task, the disk. ``facts`` then hold its ``page``."""
    letter_id: Mapped[int | None] = mapped_column(ForeignKey("letters.id"))
    subject_kind: Mapped[Subject] = mapped_column(stored_enum(Subject))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of the alert, letter, complaint, task or report, or of the premises of a self-check."""
    tier: Mapped[int]
    suspected: Mapped[bool]
    facts: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("person_id", "source"),
        Index("ix_notifications_person", "person_id", "id"),
        Index("ix_notifications_unread", "person_id", "read_at"),
    )


class PreferencesRow(Table):
    """How somebody wants to be told outside of the application. Hours are local, such as 22:00."""

    __tablename__ = "notification_preferences"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    by_email: Mapped[bool] = mapped_column(default=False)
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    muted: Mapped[list[str]] = mapped_column(JsonValue, default=list)
    updated_at: Mapped[datetime]
