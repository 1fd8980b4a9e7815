"""Sample contents of the pages of tasks."""

from __future__ import annotations

from datetime import date
from typing import Any

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.pages.task_routes import PROBLEMS, STATES
from kitchen_watch.backend.tasks.schemas import (
    Attachment,
    Progress,
    ProgressOf,
    ProgressView,
    ReportView,
    TaskDetail,
    TaskLine,
    TaskTree,
    UnitView,
)
from kitchen_watch.backend.tasks.tables import TaskState
from tests.backend.pages.rating_samples import Pages
from tests.backend.pages.samples import NOW, person

DAY = date(2026, 3, 2)
SHARE = Progress(units=3, finished=1, overdue=1, done=180, whole=300)
NONE = Progress(units=0, finished=0, overdue=0, done=0, whole=0)


def line(name: str, depth: int = 0, progress: Progress = SHARE, **more: Any) -> TaskLine:
    values: dict[str, Any] = {
        "id": 1, "number": "1.1", "title": name, "depth": depth, "department": name, "starts_on": None,
        "due_on": DAY, "weight": 3, "source": "", "progress": progress,
    }  # fmt: skip
    return TaskLine(**values | more)


def task(name: str, **more: Any) -> TaskDetail:
    file = Attachment(
        id=1, name=name, media_type="application/pdf", size_bytes=9, url="/api/v1/tasks/attachments/1"
    )
    reports = [
        ReportView(at=NOW, by=name, state=TaskState.DOING, done=60, text=name, attachment=file),
        ReportView(at=NOW, by=name, state=TaskState.OPEN, done=0, text=name, attachment=None),
    ]
    units = [
        UnitView(
            id=number, node_id=1, unit=name, state=state, done=60, version=1, overdue=number == 1,
            reported_at=NOW, reports=reports if number else [],
        )
        for number, state in enumerate(TaskState)
    ]  # fmt: skip
    return TaskDetail(**dict(line(name)) | {"text": name, "parent": name, "units": units} | more)


def task_pages(name: str) -> Pages:
    """Name, (template, person, content) of each page."""
    part = ProgressOf(key="grid-1", name=name, progress=SHARE)
    nameless = ProgressOf(key="", name="", progress=SHARE)
    listed: dict[str, Any] = {
        "tree": TaskTree(items=[line(name), line(name, 1, NONE, due_on=None)], whole=SHARE), "today": DAY,
        "progress": ProgressView(departments=[part, nameless], units=[part], whole=SHARE), "made": False,
        "may_import": True,
    }  # fmt: skip
    none = {
        "tree": TaskTree(items=[], whole=NONE), "made": True, "may_import": False,
        "progress": ProgressView(departments=[], units=[], whole=NONE),
    }  # fmt: skip
    shown: dict[str, Any] = {"states": STATES, "problem": None}
    officer = person(name=name)
    return {
        "tasks": ("tasks.html", person(Role.ADMIN, name=name), listed),
        "tasks, none": ("tasks.html", officer, listed | none),
        "task": ("task.html", officer, {**shown, "task": task(name), "problem": PROBLEMS[0]}),
        "task, heading": (
            "task.html",
            officer,
            {**shown, "task": task(name, units=[], source="complaint/1")},
        ),
    }
