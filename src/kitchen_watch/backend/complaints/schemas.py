"""What is asked of and told about complaints."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kitchen_watch.backend.alerts.schemas import AlertSummary
from kitchen_watch.backend.bounds import KeptMoment, PlaceId
from kitchen_watch.backend.complaints.tables import (
    MAX_TEXT,
    ComplaintCategory,
    ComplaintChannel,
    ComplaintKind,
    ComplaintState,
    ComplaintStep,
)
from kitchen_watch.backend.holds.schemas import HoldView

_Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")
]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
_Reference = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=64, pattern=r"^[^\x00-\x1f]*$")
]


class ComplaintBody(BaseModel):
    """A complaint as it came in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "channel": "12315",
                    "reference": "1640100002026030200012",
                    "kind": "complaint",
                    "category": "foreign_matter",
                    "premises_id": 1,
                    "since_at": "2026-03-01T18:00:00+08:00",
                    "until_at": "2026-03-01T20:00:00+08:00",
                    "text": "晚餐的菜里有头发，要求退款。",
                    "complainant": "李女士",
                    "contact": "138****0000",
                }
            ]
        },
    )

    channel: ComplaintChannel
    reference: _Reference = Field(default="", description="its number at the hotline or platform")
    kind: ComplaintKind = ComplaintKind.COMPLAINT
    category: ComplaintCategory
    premises_id: PlaceId
    since_at: KeptMoment = Field(description="the time that is complained about")
    until_at: KeptMoment
    text: _Words
    complainant: _Short = Field(default="", description="shown to those who handle it and to nobody else")
    contact: _Short = ""

    @model_validator(mode="after")
    def _in_order(self) -> ComplaintBody:
        if self.until_at < self.since_at:
            raise ValueError("the time that is complained about ends before it begins")
        return self


class ComplaintStepBody(BaseModel):
    """One step, by the version that you have seen."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"version": 1, "text": "已受理，由一号网格核查"}]}
    )

    version: int = Field(ge=0, le=2**31 - 1)
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT, pattern=r"^[^\x00]*$")
    ] = Field(default="", description="needed to refuse, to answer, to reopen and for a note")


class ComplaintEntry(BaseModel):
    """One step of its history."""

    at: AwareDatetime
    by: str
    step: ComplaintStep
    to_state: ComplaintState
    text: str


class ComplaintView(BaseModel):
    """One complaint as a line of the list."""

    id: int
    title: str = Field(description="its number here, such as 投诉〔2026〕1号")
    channel: ComplaintChannel
    reference: str
    kind: ComplaintKind
    category: ComplaintCategory
    premises_id: int
    premises: str
    premises_en: str
    grid: str
    state: ComplaintState
    version: int
    since_at: AwareDatetime
    until_at: AwareDatetime
    filed_at: AwareDatetime
    accept_due_at: AwareDatetime
    answer_due_at: AwareDatetime
    due_at: AwareDatetime | None = Field(description="what is waited for now; empty where nothing is")
    overdue: bool
    answered_at: AwareDatetime | None


class ComplaintDetail(ComplaintView):
    """One complaint with its history, what is held for it, and what the cameras found around its time."""

    text: str
    filed_by: str
    handler: str | None
    complainant: str | None = Field(description="empty for those who do not handle it")
    contact: str | None
    handles: bool = Field(description="whether you handle it")
    entries: list[ComplaintEntry]
    steps: list[ComplaintStep] = Field(description="what may be done now")
    hold: HoldView | None
    alerts: list[AlertSummary] = Field(description="alerts of the premises within what is held")
    more_alerts: bool
    task_id: int | None = Field(description="the task it made, where you may see one of its units")


class ComplaintPage(BaseModel):
    """Complaints, newest first."""

    items: list[ComplaintView]
    next_cursor: str | None


class ComplaintCounts(BaseModel):
    """How many of your scope are open, and how many of these overdue."""

    open: int
    overdue: int
