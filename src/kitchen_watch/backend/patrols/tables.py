"""Checks of premises, what they found and show, who is away, and how often a part of the tree is swept."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum

MAX_TEXT = 1000


class CheckState(StrEnum):
    """Where a check stands."""

    OPEN = "open"
    """Somebody has taken the premises and fills the form."""
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    """Given back, with a reason."""
    LAPSED = "lapsed"
    """Not done in time: the premises went back to the queue."""


class CheckReason(StrEnum):
    """Why a premises is looked at."""

    SWEEP = "sweep"
    """It was its turn in the queue."""
    ALERT = "alert"
    COMPLAINT = "complaint"
    CAMPAIGN = "campaign"
    OTHER = "other"


class PatrolCheckRow(Table):
    """One look at a premises with a form. While it is open nobody else can take the same premises.

    ``node_id`` is the grid in which the premises lay when it was taken.
    """

    __tablename__ = "patrol_checks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    form_version_id: Mapped[int] = mapped_column(ForeignKey("check_form_versions.id"))
    kind: Mapped[FormKind] = mapped_column(stored_enum(FormKind))
    reason: Mapped[CheckReason] = mapped_column(stored_enum(CheckReason))
    announced: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether the premises knows beforehand."""
    planned_at: Mapped[datetime | None]
    state: Mapped[CheckState] = mapped_column(stored_enum(CheckState))
    taken_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    answers: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)
    items: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    findings: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(String(MAX_TEXT), default="")
    """Why it was withdrawn."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __table_args__ = (
        Index(
            "uq_patrol_checks_open",
            "premises_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        Index("ix_patrol_checks_last", "premises_id", "state", "finished_at"),
        Index(None, "node_id", "finished_at"),
        Index(None, "person_id", "finished_at"),
        Index(None, "state", "lapses_at"),
    )


class PatrolFindingRow(Table):
    """Something that was not in order: to be mended by a date, answered by the premises, then settled.

    ``rounds`` are the answers and what was said to them, the oldest first:
    ``{"at", "person_id", "text", "judged_at", "judged_by", "accepted", "note"}``.
    """

    __tablename__ = "patrol_findings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("patrol_checks.id"), index=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    item: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(MAX_TEXT), default="")
    due_at: Mapped[datetime]
    rounds: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue, default=list)
    answered_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_patrol_findings_waiting", "premises_id", "settled_at", "due_at"),)


class PictureSource(StrEnum):
    """Where a picture of a check comes from."""

    PHOTO = "photo"
    SNAPSHOT = "snapshot"


class PatrolPictureRow(Table):
    """A photo as it was re-encoded here, or a marked snapshot of a live camera, for one item of a check."""

    __tablename__ = "patrol_pictures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("patrol_checks.id"), index=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    item: Mapped[str] = mapped_column(String(40))
    source: Mapped[PictureSource] = mapped_column(stored_enum(PictureSource))
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("cameras.camera_id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64))
    look: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    deleted_at: Mapped[datetime | None]
    """When retention removed the file; the row and its hash stay."""


class FindingPhotoRow(Table):
    """A photo with which a premises answers a finding, as it was re-encoded here.

    ``answer`` is the place of its answer among the finding's ``rounds``; empty until it is given.
    """

    __tablename__ = "finding_photos"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("patrol_findings.id"), index=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    answer: Mapped[int | None]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    look: Mapped[str] = mapped_column(String(16))
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    deleted_at: Mapped[datetime | None]


class PatrolAbsenceRow(Table):
    """An officer is away and not counted on; without an end, for good."""

    __tablename__ = "patrol_absences"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    since_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(300), default="")
    entered_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    entered_at: Mapped[datetime]


class PatrolPolicyRow(Table):
    """A period and numbers of looks for one subtree, over those of the settings and of nodes above."""

    __tablename__ = "patrol_policies"

    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), primary_key=True)
    period_days: Mapped[int]
    looks: Mapped[dict[str, int]] = mapped_column(JsonValue)
    version: Mapped[int]
    changed_at: Mapped[datetime]


class SweepWarningRow(Table):
    """What the forecast of a local day said would come late, written once a day and part of the tree."""

    __tablename__ = "patrol_warnings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    day: Mapped[str] = mapped_column(String(10), index=True)
    at: Mapped[datetime]
    late: Mapped[int]
    first_late_at: Mapped[datetime]
    capacity: Mapped[int]
    needed: Mapped[int]
    premises: Mapped[list[int]] = mapped_column(JsonValue, default=list)

    __table_args__ = (UniqueConstraint("node_id", "day"),)
