"""Self-checks with their photos, days on which a premises was closed, and what was reminded of."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum

MAX_REASON = 300


class SelfCheckRow(Table):
    """One filled form. Until ``submitted_at`` it is a draft; from then on it never changes.

    A correction is a row of its own with the next ``revision``; it names the one it corrects and
    says why. ``alerts`` is what the period's alerts were when it was handed in; ``sha256`` seals all.
    """

    __tablename__ = "self_checks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    kind: Mapped[FormKind] = mapped_column(stored_enum(FormKind))
    period: Mapped[str] = mapped_column(String(10))
    revision: Mapped[int]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("self_checks.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(MAX_REASON), default="")
    due_at: Mapped[datetime]
    asked: Mapped[bool]
    """Whether it was asked for when it was begun; a check of a closed day makes up for no missing one."""
    form_version_id: Mapped[int] = mapped_column(ForeignKey("check_form_versions.id"))
    answers: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    alerts: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue)
    findings: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    """Counts the savings of the draft; who saves names the one they have seen."""
    started_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    started_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    submitted_at: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("premises_id", "kind", "period", "revision"),
        Index(None, "due_at", "premises_id"),
        Index(None, "submitted_at"),
    )


class SelfCheckPhotoRow(Table):
    """A photo for one item of a self-check, as it was re-encoded here."""

    __tablename__ = "self_check_photos"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("self_checks.id"), index=True)
    item: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    deleted_at: Mapped[datetime | None]
    """When policy removed the file; the row and its hash stay."""


class ClosureRow(Table):
    """Days on which a premises is closed beside its usual hours: holidays, rebuilding."""

    __tablename__ = "premises_closures"

    id: Mapped[int] = mapped_column(primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]


class SelfCheckReminderRow(Table):
    """A restaurant has been reminded of a self-check: once."""

    __tablename__ = "self_check_reminders"

    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), primary_key=True)
    kind: Mapped[FormKind] = mapped_column(stored_enum(FormKind), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime]
