"""Give a task to units, and settle it: what other rooms need of tasks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.tasks.settings import TaskSettings
from kitchen_watch.backend.tasks.tables import TaskReportRow, TaskRow, TaskState, TaskUnitRow

FULL = 100


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that another room makes by itself."""

    number: str
    title: str
    text: str
    due_on: date | None
    source: str


def give(
    session: Session, new: NewTask, node_ids: Iterable[int], *, by: int, now: datetime, policy: TaskSettings
) -> TaskRow:
    """Make a task and give it to these units."""
    row = TaskRow(
        number=new.number,
        title=new.title[:300],
        text=new.text,
        starts_on=now.astimezone(ZoneInfo(policy.time_zone)).date(),
        due_on=new.due_on,
        weight=1,
        source=new.source,
        created_by=by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    give_to(session, row, node_ids, now=now, policy=policy)
    return row


def give_to(
    session: Session, task: TaskRow, node_ids: Iterable[int], *, now: datetime, policy: TaskSettings
) -> None:
    """These units have it from now on; those that have it keep their progress."""
    known = set(session.scalars(select(TaskUnitRow.node_id).where(TaskUnitRow.task_id == task.id)))
    for node_id in sorted(set(node_ids) - known):
        unit = TaskUnitRow(task_id=task.id, node_id=node_id, state=TaskState.OPEN, done=0, heard=0, version=1)
        schedule(unit, task, now=now, policy=policy)
        session.add(unit)
    session.flush()


def settle(session: Session, source: str, *, state: TaskState, text: str, by: int, now: datetime) -> None:
    """What a task was made for is done, or open again: the same for all its units."""
    units = session.scalars(
        select(TaskUnitRow).join(TaskRow, TaskRow.id == TaskUnitRow.task_id).where(TaskRow.source == source)
    )
    for unit in units:
        unit.state = state
        unit.done = FULL if state is TaskState.DONE else 0
        unit.version += 1
        unit.reported_at = now
        unit.next_at = None
        session.add(
            TaskReportRow(
                unit_id=unit.id, person_id=by, at=now, state=state, done=unit.done, text=text[:2000]
            )
        )
    session.flush()


def schedule(unit: TaskUnitRow, task: TaskRow, *, now: datetime, policy: TaskSettings) -> None:
    """When the unit is reminded next; never of days that are over."""
    unit.next_at = next((at for at in moments(task, policy) if at > now), None)


def moments(task: TaskRow, policy: TaskSettings) -> list[datetime]:
    """When a unit is reminded of a task, in UTC."""
    if task.due_on is None:
        return []
    zone = ZoneInfo(policy.time_zone)
    days = sorted(policy.remind_days_before, reverse=True)
    found = []
    for day in days:
        with contextlib.suppress(OverflowError):  # some lists write "some day" as 9999-12-31
            on = task.due_on - timedelta(days=day)
            found.append(datetime.combine(on, policy.remind_at, zone).astimezone(UTC))
    return found
