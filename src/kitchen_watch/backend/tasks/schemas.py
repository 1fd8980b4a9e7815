"""What is asked of and told about tasks."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from kitchen_watch.backend.bounds import MAX_ID
from kitchen_watch.backend.tasks.tables import MAX_TEXT, TaskState


class Progress(BaseModel):
    """How far it is: weighted percents done over weighted percents to do; sums of parts are the whole."""

    units: int
    finished: int
    overdue: int
    done: int = Field(description="numerator: weight times percent, summed over the units")
    whole: int = Field(description="denominator: weight times 100, summed over the units")


class TaskLine(BaseModel):
    """One task of the tree, in the order of the tree."""

    id: int
    number: str
    title: str
    depth: int
    department: str
    starts_on: date | None
    due_on: date | None
    weight: int
    source: str
    progress: Progress = Field(description="of all units in your scope, of this task and below it")


class TaskTree(BaseModel):
    """Tasks of your scope, parents before what lies below them."""

    items: list[TaskLine]
    whole: Progress


class Attachment(BaseModel):
    """A file that belongs to a report."""

    id: int
    name: str
    media_type: str
    size_bytes: int
    url: str | None = Field(description="empty once policy has deleted the file")
    deleted_at: AwareDatetime | None = None


class ReportView(BaseModel):
    """One report of a unit."""

    at: AwareDatetime
    by: str
    state: TaskState
    done: int
    text: str
    attachment: Attachment | None


class UnitView(BaseModel):
    """A task as one unit has it."""

    id: int
    node_id: int
    unit: str
    state: TaskState
    done: int
    version: int
    overdue: bool
    reported_at: AwareDatetime | None
    reports: list[ReportView]


class TaskDetail(TaskLine):
    """One task with its units and their reports."""

    text: str
    parent: str | None
    units: list[UnitView]


class ReportBody(BaseModel):
    """How far a unit is, by the version that you have seen."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"version": 1, "state": "doing", "done": 60, "text": "12所学校中8所已接入"}]
        },
    )

    version: int = Field(ge=0, le=2**31 - 1)
    state: TaskState
    done: int = Field(ge=0, le=100, description="percent; what is done has 100")
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=2, max_length=MAX_TEXT, pattern=r"^[^\x00]*$"),
    ]
    attachment_id: int | None = Field(default=None, ge=0, le=MAX_ID)


class ProgressOf(BaseModel):
    """The progress of a department or of a unit."""

    key: str
    name: str
    progress: Progress


class ProgressView(BaseModel):
    """Progress by department and by unit; either list sums up to the whole."""

    departments: list[ProgressOf]
    units: list[ProgressOf]
    whole: Progress
