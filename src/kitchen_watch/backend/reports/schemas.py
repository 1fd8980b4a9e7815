"""What is asked of and told about reports and bulletins."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.reports.content import ReportContent, SupplementContent
from kitchen_watch.backend.reports.tables import MAX_NOTE, ReportKind

Form = Literal["pdf", "xlsx", "csv", "json"]
MEDIA_TYPES: dict[Form, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


class ConfirmBody(BaseModel):
    """It was read."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_extra={"examples": [{"note": "已阅"}]}
    )

    note: Annotated[str, Field(max_length=MAX_NOTE, pattern=r"^[^\x00]*$")] = ""


class ReceiptView(BaseModel):
    """Who is asked to confirm a report; ``at`` is empty until they have."""

    person: str
    asked_at: AwareDatetime
    at: AwareDatetime | None
    note: str
    reminders: int


class ReportView(BaseModel):
    """A report in a list."""

    id: int
    kind: ReportKind
    reference: str
    node_id: int
    node: str
    day: date
    since_at: AwareDatetime
    until_at: AwareDatetime
    issued_at: AwareDatetime
    supplements: int
    published_at: AwareDatetime | None
    published_by: str | None
    confirmed: int
    asked: int
    can_acknowledge: bool


class SupplementView(BaseModel):
    """A supplement; ``intact`` tells whether it is what was sealed."""

    number: int
    issued_at: AwareDatetime
    content: SupplementContent
    sha256: str
    intact: bool


class ReportDetail(ReportView):
    """A report with what stands in it; ``intact`` tells whether that is what was sealed."""

    content: ReportContent
    sha256: str
    intact: bool
    supplement_list: list[SupplementView]
    receipts: list[ReceiptView]
    can_publish: bool


class ReportPage(BaseModel):
    """Reports, newest first."""

    items: list[ReportView]
    next_cursor: str | None


class CheckResult(BaseModel):
    """Whether a check against what is known now has brought a supplement."""

    supplement: SupplementView | None


class DutyLine(BaseModel):
    """One thing to look at tonight; ``page`` is where."""

    duty: Literal["overdue", "tier_1", "repeat", "blind", "report"]
    node: str
    premises: str
    detail: str
    """A code, a camera's name, or a report's number."""
    amount: int
    unit: Literal["hours", "times", "none"]
    page: str


class DutyList(BaseModel):
    """What a person or group must look at tonight (日督查)."""

    drawn_at: AwareDatetime
    area: str
    counts: dict[str, int]
    lines: list[DutyLine]
