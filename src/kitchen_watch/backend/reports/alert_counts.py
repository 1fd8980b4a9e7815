"""What was found in a period and how it was handled, as counts and counts out of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.deadlines.tables import AlertNoticeRow, DeadlineRow
from kitchen_watch.backend.handling.tables import AppealRow
from kitchen_watch.backend.reports.case_sections import below


@dataclass
class AlertCounts:
    """Sums over a span: ``found`` by (node, tier, code, state); the rest by node."""

    found: Counter[tuple[int, int, str, AlertState]] = field(default_factory=Counter)
    due: Counter[int] = field(default_factory=Counter)
    met: Counter[int] = field(default_factory=Counter)
    reminders: Counter[int] = field(default_factory=Counter)
    supervisions: Counter[int] = field(default_factory=Counter)
    appeals: Counter[int] = field(default_factory=Counter)
    appeals_upheld: Counter[int] = field(default_factory=Counter)
    heard_later: Counter[int] = field(default_factory=Counter)


def count_alerts(
    session: Session, path: str, since_at: datetime, until_at: datetime, *, later: bool = False
) -> AlertCounts:
    """Everything of a subtree in a half-open span, in a few grouped queries.

    With ``later`` also what happened in the span and was heard of only after it.
    """
    counts = AlertCounts()
    span = (AlertRow.found_at >= since_at, AlertRow.found_at < until_at, below(path))
    key = (AlertRow.node_id, AlertRow.tier, AlertRow.code, AlertRow.state)
    for *group, many in session.execute(select(*key, func.count()).where(*span).group_by(*key)):
        counts.found[tuple(group)] = many  # type: ignore[index]  # as selected
    fix = (DeadlineRow.step == ClockStep.FIX, DeadlineRow.due_at >= since_at, DeadlineRow.due_at < until_at)
    for node, met, many in session.execute(
        select(AlertRow.node_id, DeadlineRow.met, func.count())
        .join(AlertRow, AlertRow.id == DeadlineRow.alert_id)
        .where(*fix, below(path), (DeadlineRow.settled_at.is_(None)) | DeadlineRow.met.is_not(None))
        .group_by(AlertRow.node_id, DeadlineRow.met)
    ):
        counts.due[node] += many
        counts.met[node] += many if met else 0
    for node, kind, many in _grouped(
        session, path, AlertNoticeRow.at, since_at, until_at, AlertNoticeRow.kind
    ):
        (counts.reminders if kind is MomentKind.REMINDER else counts.supervisions)[node] += many
    for node, upheld, many in _grouped(
        session, path, AppealRow.decided_at, since_at, until_at, AppealRow.upheld
    ):
        counts.appeals[node] += many
        counts.appeals_upheld[node] += many if upheld else 0
    if later:
        late = (
            AlertRow.found_at >= until_at,
            AlertRow.occurred_at >= since_at,
            AlertRow.occurred_at < until_at,
        )
        for node, many in session.execute(
            select(AlertRow.node_id, func.count()).where(*late, below(path)).group_by(AlertRow.node_id)
        ):
            counts.heard_later[node] = many
    return counts


def _grouped(
    session: Session,
    path: str,
    at: InstrumentedAttribute[Any],
    since_at: datetime,
    until_at: datetime,
    by: InstrumentedAttribute[Any],
) -> Sequence[Any]:
    return session.execute(
        select(AlertRow.node_id, by, func.count())
        .join(AlertRow, AlertRow.id == at.class_.alert_id)
        .where(at >= since_at, at < until_at, below(path))
        .group_by(AlertRow.node_id, by)
    ).all()
