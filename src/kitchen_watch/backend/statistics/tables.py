"""Sums of months that are over, kept so that a year is read in a moment; made anew when an alert changes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.tables import JsonValue, Table, stored_enum


class MonthSumsRow(Table):
    """Everything counted of one grid in one local month (``2026-03``)."""

    __tablename__ = "statistics_months"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    sums: Mapped[dict[str, Any]] = mapped_column(JsonValue)


class SliceKind(StrEnum):
    """By what the alerts of a month are divided."""

    CODE = "code"
    TIER = "tier"
    BUSINESS_TYPE = "business_type"


class MonthSliceRow(Table):
    """The same of the alerts of one code, tier or business type alone, for whoever asks for these."""

    __tablename__ = "statistics_slices"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    kind: Mapped[SliceKind] = mapped_column(stored_enum(SliceKind), primary_key=True)
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("nodes.id", ondelete="CASCADE"), primary_key=True)
    sums: Mapped[dict[str, Any]] = mapped_column(JsonValue)


class KeptTypeRow(Table):
    """As what a premises was counted in the slices of a month; it may be of another type today."""

    __tablename__ = "statistics_kept_types"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id", ondelete="CASCADE"), primary_key=True)
    business_type: Mapped[str] = mapped_column(String(64))


class KeptMonthRow(Table):
    """A month that is summed; what was found in none of its grids has no row of its own.

    ``feed_id`` is the newest entry of the feed that the sums know of.
    """

    __tablename__ = "statistics_kept_months"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    feed_id: Mapped[int] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(64))
    """In which it was cut; the service may count in another by now."""
