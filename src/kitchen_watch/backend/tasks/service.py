"""Read tasks and report on them, each within the own scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.tables import PersonRow
from kitchen_watch.backend.organisations.tables import NodeRow
from kitchen_watch.backend.organisations.writing import Author, check_version
from kitchen_watch.backend.tasks.giving import FULL
from kitchen_watch.backend.tasks.schemas import (
    Attachment,
    Progress,
    ProgressOf,
    ProgressView,
    ReportBody,
    ReportView,
    TaskDetail,
    TaskLine,
    TaskTree,
    UnitView,
)
from kitchen_watch.backend.tasks.tables import (
    TaskAttachmentRow,
    TaskReportRow,
    TaskRow,
    TaskState,
    TaskUnitRow,
)
from kitchen_watch.errors import Conflict, InvalidRequest, NotFound

COUNTED = (TaskState.OPEN, TaskState.DOING, TaskState.DONE)


@dataclass(frozen=True, slots=True)
class _Unit:
    unit: TaskUnitRow
    task: TaskRow
    node: NodeRow


def today(now: datetime, time_zone: str) -> date:
    """The local day of a moment."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def task_tree(session: Session, person: Person, *, day: date, made: bool = False) -> TaskTree:
    """The tasks that people made (or with ``made`` those that complaints made), with their progress."""
    units = _units(session, person, made=made)
    condition = TaskRow.source != "" if made else TaskRow.source == ""
    tasks = {row.id: row for row in session.scalars(select(TaskRow).where(condition).order_by(TaskRow.id))}
    mine: dict[int, list[_Unit]] = defaultdict(list)
    for one in units:
        here: int | None = one.task.id
        while here is not None:
            mine[here].append(one)
            here = tasks[here].parent_id if here in tasks else None
    children: dict[int | None, list[TaskRow]] = defaultdict(list)
    for row in tasks.values():
        if row.id in mine or person.scope.everything:
            children[row.parent_id if row.parent_id in tasks else None].append(row)
    lines: list[TaskLine] = []
    waiting = [(row, 0) for row in reversed(children[None])]
    while waiting:
        row, depth = waiting.pop()
        lines.append(_line(row, depth, progress_of(mine[row.id], day)))
        waiting += [(child, depth + 1) for child in reversed(children[row.id])]
    return TaskTree(items=lines, whole=progress_of(units, day))


def progress_view(session: Session, person: Person, *, day: date) -> ProgressView:
    """Progress of the tasks that people made, by department and by unit."""
    units = _units(session, person, made=False)
    departments: dict[str, list[_Unit]] = defaultdict(list)
    nodes: dict[int, list[_Unit]] = defaultdict(list)
    for one in units:
        departments[one.task.department].append(one)
        nodes[one.node.id].append(one)
    return ProgressView(
        departments=[
            ProgressOf(key=name, name=name, progress=progress_of(some, day))
            for name, some in sorted(departments.items())
        ],
        units=[
            ProgressOf(key=some[0].node.code, name=some[0].node.name, progress=progress_of(some, day))
            for some in sorted(nodes.values(), key=lambda some: some[0].node.path)
        ],
        whole=progress_of(units, day),
    )


def task_detail(session: Session, person: Person, task_id: int, *, day: date) -> TaskDetail:
    """One task with its units in scope.

    Raises:
        NotFound: there is none of which a unit in the person's scope has a part.
    """
    task = session.get(TaskRow, task_id)
    tree = task_tree(session, person, day=day, made=bool(task and task.source))
    line = next((one for one in tree.items if one.id == task_id), None)
    if task is None or line is None:
        raise NotFound(f"There is no task {task_id} that you may see.")
    rows = session.execute(
        select(TaskUnitRow, NodeRow)
        .join(NodeRow, NodeRow.id == TaskUnitRow.node_id)
        .where(TaskUnitRow.task_id == task_id, person.scope.nodes())
        .order_by(NodeRow.path)
    ).all()
    reports = _reports(session, [unit.id for unit, _ in rows])
    parent = session.get(TaskRow, task.parent_id) if task.parent_id is not None else None
    return TaskDetail(
        **dict(line),
        text=task.text,
        parent=f"{parent.number} {parent.title}" if parent is not None else None,
        units=[
            UnitView(
                id=unit.id, node_id=node.id, unit=node.name, state=unit.state, done=unit.done,
                version=unit.version, overdue=_overdue(unit, task, day), reported_at=unit.reported_at,
                reports=reports[unit.id],
            )
            for unit, node in rows
        ],
    )  # fmt: skip


def visible_task_of(session: Session, person: Person, source: str) -> int | None:
    """The task that ``source`` made by itself, if the person may see it: they have a unit of it in scope."""
    return session.scalar(
        select(TaskRow.id)
        .join(TaskUnitRow, TaskUnitRow.task_id == TaskRow.id)
        .join(NodeRow, NodeRow.id == TaskUnitRow.node_id)
        .where(TaskRow.source == source, person.scope.nodes())
        .limit(1)
    )


def visible_unit(session: Session, person: Person, unit_id: int) -> TaskUnitRow:
    """A unit's part of a task, if the unit lies in the person's scope.

    Raises:
        NotFound: there is none, or it is not theirs to know about.
    """
    row = session.scalars(
        select(TaskUnitRow)
        .join(NodeRow, NodeRow.id == TaskUnitRow.node_id)
        .where(TaskUnitRow.id == unit_id, person.scope.nodes())
        .with_for_update(of=TaskUnitRow)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no part {unit_id} of a task that you may see.")
    return row


def report(session: Session, author: Author, unit_id: int, body: ReportBody, *, day: date) -> TaskUnitRow:
    """How far the unit is.

    Raises:
        NotFound: the unit lies outside the person's scope, or the file is not this unit's.
        Conflict: somebody else has reported meanwhile, or the task was stopped.
        InvalidRequest: state and percent do not fit.
    """
    unit = visible_unit(session, author.person, unit_id)
    if unit.state is TaskState.STOPPED:
        raise Conflict("This task was taken from the unit; nothing is to be reported any more.")
    if body.state is TaskState.STOPPED:
        raise InvalidRequest("A task is stopped by whoever gives it, not by a report.")
    if (body.state is TaskState.DONE) != (body.done == FULL):
        raise InvalidRequest("What is done has 100 percent, and what has 100 percent is done.")
    if body.attachment_id is not None:
        file = session.get(TaskAttachmentRow, body.attachment_id)
        if file is None or file.unit_id != unit.id:
            raise NotFound("There is no such file of this unit. Send it again.")
    unit.version = check_version(unit.version, body.version)
    unit.state, unit.done, unit.reported_at = body.state, body.done, author.now
    unit.done_on = day if body.state is TaskState.DONE else None
    session.add(
        TaskReportRow(
            unit_id=unit.id, person_id=author.person.id, at=author.now, state=body.state, done=body.done,
            text=body.text, attachment_id=body.attachment_id,
        )
    )  # fmt: skip
    author.note(session, "task_reported", ("task_unit", unit.id), state=body.state.value, done=body.done)
    session.flush()
    return unit


def progress_of(units: Iterable[_Unit], day: date) -> Progress:
    """The sum over units; those that were stopped do not count."""
    counted = [one for one in units if one.unit.state in COUNTED]
    return Progress(
        units=len(counted),
        finished=sum(one.unit.state is TaskState.DONE for one in counted),
        overdue=sum(_overdue(one.unit, one.task, day) for one in counted),
        done=sum(one.task.weight * one.unit.done for one in counted),
        whole=sum(one.task.weight * FULL for one in counted),
    )


def progress_rows(session: Session, person: Person, *, day: date) -> list[list[object]]:
    """Every part of every task in scope as rows of a file, the heading first."""
    rows: list[list[object]] = [
        ["编号", "任务", "牵头部门", "责任单位", "完成时限", "状态", "完成率(%)", "权重", "逾期", "最近上报"]
    ]
    for one in _units(session, person, made=False):
        unit, task = one.unit, one.task
        rows.append(
            [
                task.number, task.title, task.department, one.node.name, task.due_on, unit.state.value,
                unit.done, task.weight, _overdue(unit, task, day),
                unit.reported_at.isoformat(timespec="minutes") if unit.reported_at else "",
            ]
        )  # fmt: skip
    return rows


def _units(session: Session, person: Person, *, made: bool) -> list[_Unit]:
    condition = TaskRow.source != "" if made else TaskRow.source == ""
    rows = session.execute(
        select(TaskUnitRow, TaskRow, NodeRow)
        .join(TaskRow, TaskRow.id == TaskUnitRow.task_id)
        .join(NodeRow, NodeRow.id == TaskUnitRow.node_id)
        .where(person.scope.nodes(), condition)
        .order_by(TaskRow.id, NodeRow.path)
    )
    return [_Unit(*row) for row in rows]


def _overdue(unit: TaskUnitRow, task: TaskRow, day: date) -> bool:
    open_ = unit.state in {TaskState.OPEN, TaskState.DOING}
    return open_ and task.due_on is not None and task.due_on < day


def _line(row: TaskRow, depth: int, progress: Progress) -> TaskLine:
    return TaskLine(
        id=row.id, number=row.number, title=row.title, depth=depth, department=row.department,
        starts_on=row.starts_on, due_on=row.due_on, weight=row.weight, source=row.source, progress=progress,
    )  # fmt: skip


def _reports(session: Session, unit_ids: list[int]) -> dict[int, list[ReportView]]:
    found: dict[int, list[ReportView]] = defaultdict(list)
    rows = session.execute(
        select(TaskReportRow, PersonRow.display_name, TaskAttachmentRow)
        .join(PersonRow, PersonRow.id == TaskReportRow.person_id)
        .outerjoin(TaskAttachmentRow, TaskAttachmentRow.id == TaskReportRow.attachment_id)
        .where(TaskReportRow.unit_id.in_(unit_ids))
        .order_by(TaskReportRow.id.desc())
    )
    for row, name, file in rows:
        found[row.unit_id].append(
            ReportView(
                at=row.at, by=name, state=row.state, done=row.done, text=row.text,
                attachment=None if file is None else attachment_view(file),
            )
        )  # fmt: skip
    return found


def attachment_view(row: TaskAttachmentRow) -> Attachment:
    """A file and where to get it."""
    return Attachment(
        id=row.id, name=row.name, media_type=row.media_type, size_bytes=row.size_bytes,
        url=f"/api/v1/tasks/attachments/{row.id}" if row.deleted_at is None else None,
        deleted_at=row.deleted_at,
    )  # fmt: skip
