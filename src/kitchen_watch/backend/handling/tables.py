"""The history of an alert: transitions, assignments, appeals, rectifications with photos. Rows are added."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.alerts.lifecycle import Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum

MAX_NOTE = 2000


class StatementKind(StrEnum):
    """What the restaurant says it has done."""

    CONTAINMENT = "containment"
    """What was done at once, so that it does no harm until it is rectified."""
    RECTIFICATION = "rectification"


class TransitionRow(Table):
    """One step of an alert; ``version`` counts them, so that two steps at once cannot both be the next."""

    __tablename__ = "alert_transitions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    version: Mapped[int]
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    step: Mapped[Step] = mapped_column(stored_enum(Step))
    from_state: Mapped[AlertState] = mapped_column(stored_enum(AlertState))
    to_state: Mapped[AlertState] = mapped_column(stored_enum(AlertState))
    reason: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(String(MAX_NOTE), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)

    __table_args__ = (
        UniqueConstraint("alert_id", "version"),
        # Few steps withdraw an alert; each of them may correct a report that was issued before.
        Index(
            "ix_alert_transitions_withdrawn",
            "at",
            postgresql_where=text("to_state IN ('false_alarm', 'merged')"),
            sqlite_where=text("to_state IN ('false_alarm', 'merged')"),
        ),
    )


class AssignmentRow(Table):
    """The two owners of an alert from this assignment on; the newest is in force."""

    __tablename__ = "alert_assignments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    premises_owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    territory_owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    assigned_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]


class AppealRow(Table):
    """A restaurant's objection, and what another officer decided about it."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(MAX_NOTE))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime | None]
    upheld: Mapped[bool | None]
    decision: Mapped[str] = mapped_column(String(MAX_NOTE), default="")


class RectificationRow(Table):
    """What the restaurant says it has done, with photos, and what the review found."""

    __tablename__ = "rectifications"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    kind: Mapped[StatementKind] = mapped_column(stored_enum(StatementKind))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(MAX_NOTE))
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reviewed_at: Mapped[datetime | None]
    accepted: Mapped[bool | None]
    review: Mapped[str] = mapped_column(String(MAX_NOTE), default="")


class PhotoRow(Table):
    """A photo that the restaurant took after the assignment, as it was re-encoded here.

    ``rectification_id`` is empty until the photo is submitted. ``look`` is its perceptual hash.
    """

    __tablename__ = "rectification_photos"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    rectification_id: Mapped[int | None] = mapped_column(ForeignKey("rectifications.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    uploaded_at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64))
    look: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    deleted_at: Mapped[datetime | None]
    """When policy deleted the picture; its hash and its perceptual hash stay."""


class IdempotencyRow(Table):
    """A write that was answered under a key: asked again with the same key, the answer is the same."""

    __tablename__ = "idempotency_keys"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    at: Mapped[datetime] = mapped_column(index=True)
