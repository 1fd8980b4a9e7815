"""Manifests with the state of their chain, and the files they name."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum
from kitchen_watch.events import EvidenceKind


class LinkState(StrEnum):
    """How a manifest stands in its edge's chain."""

    LINKED = "linked"
    WAITING = "waiting"
    """The manifest before it has not arrived (yet)."""
    BROKEN = "broken"


class ManifestRow(Table):
    """One evidence package's manifest, kept whole."""

    __tablename__ = "manifests"

    manifest_id: Mapped[UUID] = mapped_column(primary_key=True)
    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    event_id: Mapped[UUID]
    chain_index: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    previous_sha256: Mapped[str] = mapped_column(String(64))
    link: Mapped[LinkState] = mapped_column(stored_enum(LinkState))
    link_reason: Mapped[str | None] = mapped_column(String(300))
    received_at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JsonValue)

    __table_args__ = (
        Index(None, "edge_id", "chain_index"),
        Index(None, "edge_id", "previous_sha256"),
        Index(None, "edge_id", "sha256"),
    )


class EvidenceFileRow(Table):
    """One file of a manifest; visible once its edge has uploaded content of the right hash."""

    __tablename__ = "evidence_files"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    manifest_id: Mapped[UUID] = mapped_column(ForeignKey("manifests.manifest_id"), index=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    edge_id: Mapped[str] = mapped_column(ForeignKey("edges.edge_id"))
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[EvidenceKind] = mapped_column(stored_enum(EvidenceKind))
    media_type: Mapped[str] = mapped_column(String(40))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    """When policy deleted the file; the row, its hash and its manifest stay. It is not complete any more."""

    __table_args__ = (Index(None, "edge_id", "sha256"), Index(None, "sha256"))
