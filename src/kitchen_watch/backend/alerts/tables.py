"""Alerts, and the feed: one numbered entry for everything that happens to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.tables import BigId, JsonValue, PathText, Table, stored_enum


class AlertRow(Table):
    """One violation as people handle it; grows with every event of its violation.

    ``node_id`` is the grid in which it was found and never changes, even if the premises moves.
    ``found_at`` is when the backend first heard of it; ``occurred_at`` is the edge's own clock.
    """

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    violation_id: Mapped[UUID] = mapped_column(unique=True)
    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id"))
    camera_id: Mapped[str] = mapped_column(ForeignKey("cameras.camera_id"))
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    code: Mapped[str] = mapped_column(String(40))
    tier: Mapped[int]
    state: Mapped[AlertState] = mapped_column(stored_enum(AlertState))
    found_at: Mapped[datetime] = mapped_column(index=True)
    occurred_at: Mapped[datetime]
    server_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    confidence: Mapped[float]
    zone_id: Mapped[str | None] = mapped_column(String(100))
    detail: Mapped[str | None] = mapped_column(String(500))
    model: Mapped[dict[str, Any] | None] = mapped_column(JsonValue)
    rule: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    detections: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue)
    first_sequence: Mapped[int]
    last_sequence: Mapped[int]
    events_received: Mapped[int]
    reopenings: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many steps people have taken; who takes one names the version they have seen."""
    due_at: Mapped[datetime | None]
    """The nearest deadline that still runs."""
    reminders: Mapped[int] = mapped_column(default=0, server_default="0")
    supervision_level: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        Index(None, "premises_id", "id"),
        Index(None, "node_id", "id"),
        Index(None, "camera_id", "id"),
        Index(None, "state", "id"),
        Index(None, "tier", "id"),
        Index(None, "code", "id"),
        Index(None, "due_at"),
        # Few of a million alerts go on: what counts or lists them reads this small index and no table.
        Index(
            "ix_alerts_ongoing",
            "id",
            postgresql_include=["premises_id", "camera_id", "tier", "state"],
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )


class FeedEntryRow(Table):
    """One thing that happened to an alert, numbered without gaps in the order of commit.

    ``premises_id`` and ``node_path`` say who may hear of it without asking other tables.
    """

    __tablename__ = "feed_entries"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    kind: Mapped[FeedKind] = mapped_column(stored_enum(FeedKind))
    at: Mapped[datetime]
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_path: Mapped[str] = mapped_column(PathText)
    camera_id: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(40))
    tier: Mapped[int]
    state: Mapped[AlertState] = mapped_column(stored_enum(AlertState))
