"""Reports as they were issued, their supplements, who published and who has confirmed them, and the clocks.

Reports and supplements are only ever added: triggers of the database refuse every change and
deletion, and a hash over the very text that is stored tells of one that was made past them.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, Table, stored_enum

MAX_NOTE = 2000


class ReportKind(StrEnum):
    """Which document it is."""

    DAILY = "daily"
    """日报"""
    WEEKLY = "weekly"
    """周报"""
    MONTHLY = "monthly"
    """月报"""
    BULLETIN = "bulletin"
    """通报: of a week, once the restaurants' time to appeal is over"""


class ReportRow(Table):
    """One issued report. ``content`` is canonical JSON, ``sha256`` its seal.

    ``day`` is the last local day of its period; the period is ``since_at`` <= t < ``until_at``, the
    cut-off. ``drawn_at`` is when the database was read, ``issued_by`` is empty where the timer was
    the cause.
    """

    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ReportKind] = mapped_column(stored_enum(ReportKind))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    day: Mapped[date]
    year: Mapped[int]
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(String(200))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]
    drawn_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("node_id", "kind", "day"),
        UniqueConstraint("node_id", "kind", "year", "number"),
        Index("ix_reports_until", "node_id", "until_at"),
    )


class SupplementRow(Table):
    """What has turned out since a report was issued; numbered within it."""

    __tablename__ = "report_supplements"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"))
    number: Mapped[int]
    drawn_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("report_id", "number"),)


class ReportCounterRow(Table):
    """The last number that a node has given to a kind of report in a year."""

    __tablename__ = "report_counters"

    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), primary_key=True)
    kind: Mapped[ReportKind] = mapped_column(stored_enum(ReportKind), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class ReportClockRow(Table):
    """Which report of a node is next, and when; ``claimed_until`` is set while a process draws it up."""

    __tablename__ = "report_clocks"

    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[ReportKind] = mapped_column(stored_enum(ReportKind), primary_key=True)
    next_day: Mapped[date]
    next_at: Mapped[datetime] = mapped_column(index=True)
    claimed_until: Mapped[datetime | None]


class PublicationRow(Table):
    """Who has published a report, and when; once."""

    __tablename__ = "report_publications"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]


class ReceiptRow(Table):
    """Somebody who is asked to confirm a published report; ``at`` is empty until they have."""

    __tablename__ = "report_receipts"

    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    asked_at: Mapped[datetime]
    at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(MAX_NOTE), default="")
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
