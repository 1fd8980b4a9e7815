"""The figures of complaints, by subtree and span; every rate as numerator and denominator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.complaints.tables import ComplaintRow, ComplaintState
from kitchen_watch.backend.organisations.tables import NodeRow


@dataclass(frozen=True, slots=True)
class ComplaintFigures:
    """Of one subtree and a half-open span, as it stood at the span's end.

    ``due``: received in the span and answered, or its term over; ``answered_in_time`` is its part.
    ``open`` and ``overdue`` count all that were waited for at the end, whenever they were received.
    Refused complaints count as received and refused, and are not due for an answer.
    """

    received: int
    refused: int
    answered: int
    due: int
    answered_in_time: int
    open: int
    overdue: int


def complaints_figures(
    session: Session, node_path: str, since_at: datetime, until_at: datetime
) -> ComplaintFigures:
    """The figures of the subtree at ``node_path``; a complaint belongs to the grid it was filed for."""
    row = ComplaintRow
    received = and_(row.filed_at >= since_at, row.filed_at < until_at)
    answered = and_(row.answered_at.is_not(None), row.answered_at < until_at)
    refused = and_(row.state == ComplaintState.REFUSED, row.settled_at < until_at)
    due = and_(received, or_(answered, and_(row.answer_due_at < until_at, ~refused)))
    is_open = and_(row.filed_at < until_at, or_(row.settled_at.is_(None), row.settled_at >= until_at))
    late = or_(
        row.answer_due_at < until_at,
        and_(row.state == ComplaintState.RECEIVED, row.accept_due_at < until_at),
    )

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(condition)

    values = session.execute(
        select(
            count(received),
            count(and_(received, refused)),
            count(and_(received, answered)),
            count(due),
            count(and_(due, answered, row.answered_at <= row.answer_due_at)),
            count(is_open),
            count(and_(is_open, late)),
        )
        .join(NodeRow, NodeRow.id == row.node_id)
        .where(NodeRow.path.startswith(node_path), row.filed_at < until_at)
    ).one()
    return ComplaintFigures(*values)
