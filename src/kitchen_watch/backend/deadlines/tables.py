"""Deadlines of alerts with the place where the timer stands, and what the timer and people issued."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.tables import BigId, Table, stored_enum


class DeadlineRow(Table):
    """One running or settled clock of an alert. ``next_at`` is when the timer must look again.

    ``met`` is empty where the deadline fell away (false alarm, transfer, merge).
    """

    __tablename__ = "deadlines"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    step: Mapped[ClockStep] = mapped_column(stored_enum(ClockStep))
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    heard: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    met: Mapped[bool | None]

    __table_args__ = (Index(None, "alert_id", "settled_at"), Index(None, "settled_at", "due_at"))


class AlertNoticeRow(Table):
    """A reminder (催办) or supervision (督办), numbered within its alert and kind.

    ``person_id`` is empty where the timer issued it; ``node_id`` is the node whose level supervises.
    ``premises_side`` tells whom it is for: the restaurant, or the territory side.
    """

    __tablename__ = "alert_notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    kind: Mapped[MomentKind] = mapped_column(stored_enum(MomentKind))
    number: Mapped[int]
    level: Mapped[int]
    step: Mapped[ClockStep | None] = mapped_column(stored_enum(ClockStep))
    premises_side: Mapped[bool]
    deadline_id: Mapped[int | None] = mapped_column(ForeignKey("deadlines.id"))
    node_id: Mapped[int | None] = mapped_column(ForeignKey("nodes.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(String(2000), default="")

    __table_args__ = (UniqueConstraint("alert_id", "kind", "number"),)
