"""Letters with their numbers, what they are about, their PDF and their receipt."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum

MAX_TEXT = 2000


class LetterKind(StrEnum):
    """Which document it is."""

    REMINDER = "reminder"
    """提醒函"""
    SUPERVISION = "supervision"
    """督办通知"""


class LetterCounterRow(Table):
    """The last number that an issuer has given to a kind of letter in a year."""

    __tablename__ = "letter_counters"

    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"), primary_key=True)
    kind: Mapped[LetterKind] = mapped_column(stored_enum(LetterKind), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class LetterRow(Table):
    """A letter as it was issued; never changed afterwards.

    ``content`` is the whole document and the one source of its page and its PDF; ``content_sha256``
    seals it. ``premises_side`` tells whom it is for: the restaurant, or the territory side.
    ``issued_by`` is empty where the deadline's timer was the cause, ``notice_id`` is that of the
    reminder or supervision it puts into writing.
    """

    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[LetterKind] = mapped_column(stored_enum(LetterKind))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    year: Mapped[int]
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(String(200))
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    premises_side: Mapped[bool]
    addressee: Mapped[str] = mapped_column(String(300))
    deadline_at: Mapped[datetime | None]
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("alert_notices.id"), unique=True)
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    issued_at: Mapped[datetime]
    content: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    content_sha256: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("node_id", "kind", "year", "number"),
        Index("ix_letters_premises", "premises_id", "id"),
    )


class LetterAlertRow(Table):
    """An alert that a letter is about."""

    __tablename__ = "letter_alerts"

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), primary_key=True, index=True)


class LetterPdfRow(Table):
    """The PDF of a letter, made once; every download is checked against its hash."""

    __tablename__ = "letter_pdfs"

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    made_at: Mapped[datetime]


class LetterReceiptRow(Table):
    """Who has confirmed that the letter has arrived, and when."""

    __tablename__ = "letter_receipts"

    letter_id: Mapped[int] = mapped_column(ForeignKey("letters.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(MAX_TEXT), default="")
