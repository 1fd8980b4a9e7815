"""Frozen half-year scores, and honours that people award. Official grades live elsewhere and stay apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import BigId, JsonValue, Table, stored_enum

MAX_REASON = 500


class HonourKind(StrEnum):
    """What a premises is honoured or admonished with."""

    MODEL_SHOP = "model_shop"
    """示范店"""
    TRUSTED_KITCHEN = "trusted_kitchen"
    """放心厨房"""
    COMMENDED = "commended"
    """通报表扬"""
    WARNED = "warned"
    """警示"""
    CRITICISED = "criticised"
    """通报批评"""
    PENALISED = "penalised"
    """行政处罚"""


POSITIVE = frozenset({HonourKind.MODEL_SHOP, HonourKind.TRUSTED_KITCHEN, HonourKind.COMMENDED})


class RatingSnapshotRow(Table):
    """The score of a half-year as it was frozen; never changed afterwards.

    ``inputs`` and ``formula`` are all it was made of: anybody can calculate it again. ``sha256``
    seals inputs, formula and result. ``node_id`` is the grid in which the premises lay then.
    """

    __tablename__ = "rating_snapshots"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    half: Mapped[str] = mapped_column(String(6))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]
    score: Mapped[float]
    formula_version: Mapped[str] = mapped_column(String(40))
    formula: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    inputs: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JsonValue)
    sha256: Mapped[str] = mapped_column(String(64))
    frozen_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (
        UniqueConstraint("premises_id", "half"),
        Index(None, "half", "score"),
        Index(None, "node_id", "half"),
    )


class HonourRow(Table):
    """An honour or an admonition, awarded and perhaps withdrawn by a person with a reason. Rows are kept."""

    __tablename__ = "honours"

    id: Mapped[int] = mapped_column(primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    kind: Mapped[HonourKind] = mapped_column(stored_enum(HonourKind))
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
    awarded_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    awarded_at: Mapped[datetime]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawal: Mapped[str] = mapped_column(String(MAX_REASON), default="")

    __table_args__ = (Index(None, "node_id", "awarded_at"),)
