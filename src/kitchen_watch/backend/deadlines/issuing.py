"""Issue a reminder or supervision about an alert: numbered, addressed, written down, shown live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.backend.audit.service import Actor, record
from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.deadlines.tables import AlertNoticeRow
from kitchen_watch.backend.organisations.places import node_ids
from kitchen_watch.backend.organisations.tables import NodeRow

TIMER = Actor(person_id=None, address="")

_WITH_PREMISES = frozenset(
    {
        AlertState.ASSIGNED,
        AlertState.ACCEPTED,
        AlertState.RECTIFYING,
        AlertState.RETURNED,
        AlertState.APPEAL_REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why something is issued: a deadline's moment, or a person's decision with a note."""

    kind: MomentKind
    level: int
    step: ClockStep | None = None
    deadline_id: int | None = None
    note: str = ""


def issue(
    session: Session, alert: AlertRow, occasion: Occasion, *, by: Actor, now: datetime
) -> AlertNoticeRow:
    """Issue it. The caller holds the alert's lock, so that numbers follow each other."""
    kind = occasion.kind
    number = session.scalar(
        select(func.coalesce(func.max(AlertNoticeRow.number), 0) + 1).where(
            AlertNoticeRow.alert_id == alert.id, AlertNoticeRow.kind == kind
        )
    )
    notice = AlertNoticeRow(
        alert_id=alert.id,
        kind=kind,
        number=number,
        level=occasion.level,
        step=occasion.step,
        premises_side=is_with_premises(alert.state, occasion.step),
        deadline_id=occasion.deadline_id,
        node_id=_supervising_node(session, alert, occasion.level) if occasion.level else None,
        person_id=by.person_id,
        at=now,
        note=occasion.note,
    )
    session.add(notice)
    if kind is MomentKind.REMINDER:
        alert.reminders += 1
    else:
        alert.supervision_level = max(alert.supervision_level, occasion.level)
    alert.updated_at = now
    record(
        session,
        by,
        f"{kind.value}_issued",
        at=now,
        about=("alert", alert.id),
        premises_id=alert.premises_id,
        number=number,
        level=occasion.level,
        step=None if occasion.step is None else occasion.step.value,
    )
    session.flush()
    return notice


def is_with_premises(state: AlertState, step: ClockStep | None) -> bool:
    """Whether the restaurant is waited for, and not the territory side."""
    return step in {ClockStep.ACCEPT, ClockStep.CONTAIN} or state in _WITH_PREMISES


def _supervising_node(session: Session, alert: AlertRow, level: int) -> int:
    # Level 1 is the grid's own superior, level 2 that one's, and so on up to the root.
    path = session.scalars(select(NodeRow.path).where(NodeRow.id == alert.node_id)).one()
    line = node_ids(path)
    return line[max(0, len(line) - 1 - level)]
