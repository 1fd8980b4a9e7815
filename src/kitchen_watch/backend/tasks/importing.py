"""What imports of tasks need: what is there already, a row that is saved, and rows to be exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.organisations.writing import Author
from kitchen_watch.backend.tasks.bodies import TaskBody
from kitchen_watch.backend.tasks.tables import TaskReportRow, TaskRow, TaskState, TaskUnitRow

UNSCHEDULED = -1
"""``heard`` of a unit whose reminders the timer has yet to lay out."""


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task as it is registered."""

    body: dict[str, Any]
    parent_number: str


def known_tasks(session: Session, person: Person | None = None) -> dict[str, KnownTask]:
    """Every task that people made, by its number; with ``person`` only what is in scope."""
    units: dict[int, list[str]] = {}
    query = select(TaskUnitRow.task_id, NodeRow.code).join(NodeRow, NodeRow.id == TaskUnitRow.node_id)
    query = query.where(TaskUnitRow.state != TaskState.STOPPED)
    if person is not None:
        query = query.where(person.scope.nodes())
    for task_id, code in session.execute(query.order_by(NodeRow.code)):
        units.setdefault(task_id, []).append(code)
    rows = list(session.scalars(select(TaskRow).where(TaskRow.source == "").order_by(TaskRow.id)))
    numbers = {row.id: row.number for row in rows}
    fields = ("number", "title", "department", "text", "starts_on", "due_on", "weight")
    return {
        row.number: KnownTask(
            {name: getattr(row, name) for name in fields} | {"node_codes": units.get(row.id, [])},
            numbers.get(row.parent_id or 0, ""),
        )
        for row in rows
    }


def save_task(session: Session, author: Author, body: TaskBody, parent_number: str | None) -> None:
    """Make the task or change it; units that are no longer named are stopped, with their reports kept."""
    row = session.scalars(select(TaskRow).where(TaskRow.number == body.number)).one_or_none()
    values = body.model_dump(exclude={"node_codes"})
    if row is None:
        row = TaskRow(created_by=author.person.id, created_at=author.now, **values)
        session.add(row)
    moved = row.due_on != body.due_on
    for name, value in values.items():
        setattr(row, name, value)
    if parent_number is not None:
        row.parent_id = session.scalar(select(TaskRow.id).where(TaskRow.number == parent_number))
    session.flush()
    nodes = set(session.scalars(select(NodeRow.id).where(NodeRow.code.in_(body.node_codes))))
    units = {
        unit.node_id: unit
        for unit in session.scalars(select(TaskUnitRow).where(TaskUnitRow.task_id == row.id))
    }
    for node_id in sorted(nodes - set(units)):
        units[node_id] = TaskUnitRow(
            task_id=row.id, node_id=node_id, state=TaskState.OPEN, done=0, version=1, heard=UNSCHEDULED,
            next_at=author.now,
        )  # fmt: skip
        session.add(units[node_id])
    for node_id, unit in units.items():
        if node_id not in nodes:
            _take_away(session, unit)
        elif unit.state is TaskState.STOPPED:
            unit.state, unit.heard, unit.next_at = TaskState.OPEN, UNSCHEDULED, author.now
        elif moved:
            unit.heard, unit.next_at = UNSCHEDULED, author.now
    author.note(session, "task_saved", ("task", row.id), number=row.number)
    session.flush()


def export_tasks(session: Session, person: Person) -> Iterator[dict[str, Any]]:
    """Tasks in scope, each with its parent's number and the codes of its units."""
    known = known_tasks(session, person)
    wanted: set[str] = set()
    for number, one in known.items():
        if one.body["node_codes"] or person.scope.everything:
            here = number
            while here and here not in wanted:
                wanted.add(here)
                here = known[here].parent_number
    for number, one in known.items():
        if number in wanted:
            codes = " ".join(one.body["node_codes"])
            yield one.body | {"parent_number": one.parent_number, "node_codes": codes}


def _take_away(session: Session, unit: TaskUnitRow) -> None:
    reported = session.scalar(select(TaskReportRow.id).where(TaskReportRow.unit_id == unit.id).limit(1))
    if reported is None:
        session.delete(unit)
    else:
        unit.state, unit.next_at = TaskState.STOPPED, None
