"""The figures of tasks, by subtree and span; every rate as numerator and denominator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from kitchen_watch.backend.local_time import zone_in
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.tasks.tables import TaskRow, TaskState, TaskUnitRow


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """Of one subtree: parts of tasks that were due in a half-open span, and how all of them stand.

    ``done_in_time`` of ``due``; ``open`` and ``overdue`` at the span's end by what is known now;
    ``weighted_done`` of ``weighted_whole`` is the share done, weighted as the tasks are.
    """

    due: int
    done_in_time: int
    open: int
    overdue: int
    weighted_done: int
    weighted_whole: int


def tasks_figures(session: Session, node_path: str, since_at: datetime, until_at: datetime) -> TaskFigures:
    """The figures of the units in the subtree at ``node_path``; days are those of the service."""
    first, end = (at.astimezone(zone_in(session)).date() for at in (since_at, until_at))
    unit, task = TaskUnitRow, TaskRow
    due = and_(task.due_on >= first, task.due_on < end)
    is_open = or_(unit.done_on.is_(None), unit.done_on >= end)
    values = session.execute(
        select(
            func.count().filter(due),
            func.count().filter(and_(due, unit.done_on <= task.due_on)),
            func.count().filter(is_open),
            func.count().filter(and_(is_open, task.due_on < end)),
            func.coalesce(func.sum(task.weight * unit.done), 0),
            func.coalesce(func.sum(task.weight * 100), 0),
        )
        .join(task, task.id == unit.task_id)
        .join(NodeRow, NodeRow.id == unit.node_id)
        .where(NodeRow.path.startswith(node_path), task.source == "", unit.state != TaskState.STOPPED)
    ).one()
    return TaskFigures(*(int(value) for value in values))
