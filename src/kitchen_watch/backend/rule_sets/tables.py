"""Rule sets with all their versions, and the zones and masks of cameras."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.organisations.tables import AreaType
from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum


class RuleSetRow(Table):
    """Rule parameters for a part of the world; what is left empty does not narrow it.

    With ``starts_at`` and ``ends_at`` it is a campaign: it holds for that time only and over all
    standing rule sets.
    """

    __tablename__ = "rule_sets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    business_type: Mapped[str | None] = mapped_column(String(64))
    area_type: Mapped[AreaType | None] = mapped_column(stored_enum(AreaType))
    node_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"), index=True)
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"), index=True)
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("cameras.camera_id"), index=True)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    began: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether the edges concerned were told of its start; and of its end:"""
    ended: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    rules: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """Parameters by rule: ``{"NO_MASK": {"tier": 2}}``."""
    version: Mapped[int]
    created_at: Mapped[datetime]

    __table_args__ = (Index(None, "began", "starts_at"), Index(None, "ended", "ends_at"))


class RuleSetVersionRow(Table):
    """A rule set as it once was: written at every change, never changed."""

    __tablename__ = "rule_set_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule_set_id: Mapped[int] = mapped_column(ForeignKey("rule_sets.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (UniqueConstraint("rule_set_id", "version"),)


class ZoneVersionRow(Table):
    """The zones and privacy masks of a camera from one moment on: written at every change, never changed."""

    __tablename__ = "camera_zone_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.camera_id"))
    version: Mapped[int]
    areas: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue)
    at: Mapped[datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (UniqueConstraint("camera_id", "version"),)
