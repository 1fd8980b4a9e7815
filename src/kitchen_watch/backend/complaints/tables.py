"""Complaints and their history. Rows of the history are added and never changed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, Table, stored_enum

MAX_TEXT = 4000


class ComplaintChannel(StrEnum):
    """How it came."""

    HOTLINE_12315 = "12315"
    HOTLINE_12345 = "12345"
    VISIT = "visit"
    LETTER = "letter"
    ONLINE = "online"
    OTHER = "other"


class ComplaintKind(StrEnum):
    """What is asked for; each has its own term."""

    CONSULTATION = "consultation"
    COMPLAINT = "complaint"
    REPORT = "report"


class ComplaintCategory(StrEnum):
    """What it is about."""

    HYGIENE = "hygiene"
    FOREIGN_MATTER = "foreign_matter"
    SPOILED = "spoiled"
    ILLNESS = "illness"
    PESTS = "pests"
    STAFF = "staff"
    LICENCE = "licence"
    OTHER = "other"


class ComplaintState(StrEnum):
    """Where the handling stands."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    CLOSED = "closed"
    REFUSED = "refused"
    """Not taken up, with a reason that was told."""


class ComplaintStep(StrEnum):
    """What somebody does with it."""

    FILE = "file"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ANSWER = "answer"
    CLOSE = "close"
    REOPEN = "reopen"
    NOTE = "note"


class ComplaintRow(Table):
    """One complaint about one premises. ``node_id`` is the grid it lay in when it was filed.

    ``complainant`` and ``contact`` are shown to those who handle it and to nobody else.
    """

    __tablename__ = "complaints"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    channel: Mapped[ComplaintChannel] = mapped_column(stored_enum(ComplaintChannel))
    reference: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Its number at the hotline or platform it came from."""
    kind: Mapped[ComplaintKind] = mapped_column(stored_enum(ComplaintKind))
    category: Mapped[ComplaintCategory] = mapped_column(stored_enum(ComplaintCategory))
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(String(MAX_TEXT))
    complainant: Mapped[str] = mapped_column(String(100), default="", server_default="")
    contact: Mapped[str] = mapped_column(String(100), default="", server_default="")
    filed_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    filed_at: Mapped[datetime]
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    """Who accepted it."""
    state: Mapped[ComplaintState] = mapped_column(stored_enum(ComplaintState))
    version: Mapped[int] = mapped_column(default=1)
    term_began_at: Mapped[datetime]
    """When its present terms began: filed, or opened again."""
    accept_due_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    """The first answer."""
    settled_at: Mapped[datetime | None]
    """Answered or refused, unless it was opened again since."""
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the grid is reminded next."""

    __table_args__ = (
        UniqueConstraint("year", "number"),
        Index(None, "premises_id", "id"),
        Index(None, "node_id", "filed_at"),
        Index(None, "state", "answer_due_at"),
    )


class ComplaintEntryRow(Table):
    """One step of a complaint; ``version`` counts them, so that two steps at once cannot both be the next."""

    __tablename__ = "complaint_entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"))
    version: Mapped[int]
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    step: Mapped[ComplaintStep] = mapped_column(stored_enum(ComplaintStep))
    to_state: Mapped[ComplaintState] = mapped_column(stored_enum(ComplaintState))
    text: Mapped[str] = mapped_column(String(MAX_TEXT), default="")

    __table_args__ = (UniqueConstraint("complaint_id", "version"),)
