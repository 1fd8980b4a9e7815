"""Check forms and their versions. A version is added and never changed; filled forms name theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.tables import JsonValue, Table, stored_enum


class CheckFormRow(Table):
    """A form that is filled again and again; ``version`` is its newest."""

    __tablename__ = "check_forms"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[FormKind] = mapped_column(stored_enum(FormKind), index=True)
    version: Mapped[int]
    retired: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """No longer offered; what was filled stays readable."""
    created_at: Mapped[datetime]


class CheckFormVersionRow(Table):
    """A form as it stands from its publication on."""

    __tablename__ = "check_form_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_id: Mapped[int] = mapped_column(ForeignKey("check_forms.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the content as canonical JSON: printed on what was filled, so that both can be compared."""
    edition: Mapped[int | None]
    """Which edition of the shipped forms it is; empty where an administrator wrote it."""
    published_at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (UniqueConstraint("form_id", "version"),)
