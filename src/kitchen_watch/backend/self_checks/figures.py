"""What reports count of self-checks in a subtree and a span; every figure is a count, so parents add up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.organisations.tables import NodeRow, PremisesRow
from kitchen_watch.backend.self_checks.due import KINDS, closed_days, due_slots, handed_in, premises_asked


@dataclass(frozen=True, slots=True)
class SelfChecksFigures:
    """``submitted`` of ``due`` were handed in, ``late`` of them after they were due; the rest is missing."""

    due: int = 0
    submitted: int = 0
    late: int = 0
    missing: int = 0
    findings: int = 0


def self_checks_figures(
    session: Session,
    node_path: str,
    since_at: datetime,
    until_at: datetime,
    *,
    kinds: Collection[FormKind] = KINDS,
) -> SelfChecksFigures:
    """Slots that end in the half-open span (UTC), of premises that lie in the subtree now.

    ``until_at`` must not lie in the future: what can still be done is not missing.
    """
    nodes = select(NodeRow.id).where(NodeRow.path.startswith(node_path, autoescape=True))
    return figures_of(session, PremisesRow.node_id.in_(nodes), since_at, until_at, kinds=kinds)


def figures_of(
    session: Session,
    chosen: ColumnElement[bool],
    since_at: datetime,
    until_at: datetime,
    *,
    kinds: Collection[FormKind] = KINDS,
) -> SelfChecksFigures:
    """The same of the premises for which a condition on :class:`PremisesRow` holds."""
    ids = select(PremisesRow.id).where(chosen)
    closed = closed_days(session, ids, since_at, until_at)
    came = handed_in(session, ids, since_at, until_at)
    due = submitted = late = findings = 0
    for one, slots in due_slots(premises_asked(session, chosen), closed, kinds, since_at, until_at):
        due += len(slots)
        for slot in slots:
            found = came.get((one.premises_id, slot.kind, slot.period))
            if found is not None:
                submitted += 1
                late += found.late
                findings += found.findings
    return SelfChecksFigures(due, submitted, late, due - submitted, findings)
