"""Tasks in a tree, the units they are given to, and reports of progress. Reports are added, never changed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, Table, stored_enum

MAX_TEXT = 2000


class TaskState(StrEnum):
    """How far a unit is with a task."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    STOPPED = "stopped"
    """It need not be done any more; counts neither as done nor as due."""


class TaskRow(Table):
    """One task. Only tasks without others below them are given to units; the rest are headings.

    ``source`` names what made it by itself, such as ``complaint/12``.
    """

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    title: Mapped[str] = mapped_column(String(300))
    department: Mapped[str] = mapped_column(String(100), default="", server_default="", index=True)
    text: Mapped[str] = mapped_column(String(MAX_TEXT), default="", server_default="")
    starts_on: Mapped[date | None]
    due_on: Mapped[date | None]
    weight: Mapped[int] = mapped_column(default=1)
    source: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]


class TaskUnitRow(Table):
    """A task as it was given to one unit (node of the tree), and how far that is."""

    __tablename__ = "task_units"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), index=True)
    state: Mapped[TaskState] = mapped_column(stored_enum(TaskState))
    done: Mapped[int] = mapped_column(default=0)
    """Percent."""
    version: Mapped[int] = mapped_column(default=1)
    reported_at: Mapped[datetime | None]
    done_on: Mapped[date | None]
    heard: Mapped[int] = mapped_column(default=0)
    """Reminders that were given."""
    next_at: Mapped[datetime | None] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("task_id", "node_id"),)


class TaskReportRow(Table):
    """What a unit has reported about its task."""

    __tablename__ = "task_reports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("task_units.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    state: Mapped[TaskState] = mapped_column(stored_enum(TaskState))
    done: Mapped[int]
    text: Mapped[str] = mapped_column(String(MAX_TEXT))
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("task_attachments.id"))


class TaskAttachmentRow(Table):
    """A file that was uploaded for a report; kept under its hash."""

    __tablename__ = "task_attachments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("task_units.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int]
    deleted_at: Mapped[datetime | None]
    """When policy removed the file; the row and its hash stay."""
