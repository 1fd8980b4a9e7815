"""What stands in a report: numbers, names and keys, sealed as canonical JSON.

Words are not in it: a page, a PDF, a workbook and a table are laid out from the same content in the
reader's language (:mod:`.layout`). A rate is a count out of a count, never a percentage.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.reports.tables import ReportKind

SCHEMA_VERSION = 1

Cell = Annotated[int | str | None, Field(union_mode="left_to_right")]


class Count(BaseModel):
    """``value``, of ``out_of`` where it is a rate."""

    model_config = ConfigDict(frozen=True)

    value: int
    out_of: int | None = None


class Figure(BaseModel):
    """One figure beside the same of the period before, and the sum of the seven days before a day."""

    key: str
    now: Count
    before: Count | None = None
    week: Count | None = None
    unit: Literal["count", "seconds"] = "count"
    """Seconds are a sum over ``out_of`` cases: the mean is their quotient."""
    correctable: bool = False
    """Whether what turns out later corrects it; others say how things stood at the cut-off."""


class Rows(BaseModel):
    """A table: keys of its columns, and cells. Names stand in it as they are."""

    key: str
    columns: list[str]
    rows: list[list[Cell]]


class Section(BaseModel):
    """One part of a report."""

    key: str
    figures: list[Figure] = []
    tables: list[Rows] = []


class NodeBrief(BaseModel):
    """A node as it was then."""

    id: int
    code: str
    name: str
    name_en: str
    path: str
    place: str


class ReportContent(BaseModel):
    """A whole report."""

    schema_version: Literal[1] = 1
    kind: ReportKind
    node: NodeBrief
    reference: str
    first_day: str
    last_day: str
    time_zone: str
    since_at: AwareDatetime
    until_at: AwareDatetime
    """The cut-off."""
    drawn_at: AwareDatetime
    responsible: list[str]
    sections: list[Section]


class Difference(BaseModel):
    """One line of a report that is different now; ``row`` names the row of a table, or is empty."""

    section: str
    key: str
    row: str
    before: Count
    after: Count


class Cause(BaseModel):
    """An alert that made the difference."""

    alert_id: int
    cause: Literal["false_alarm", "appeal_upheld", "late", "merged"]
    code: str
    premises: str
    at: AwareDatetime


class SupplementContent(BaseModel):
    """A supplement: which report, which lines, and why."""

    schema_version: Literal[1] = 1
    report: str
    report_sha256: str
    number: int
    drawn_at: AwareDatetime
    differences: list[Difference]
    causes: list[Cause]


def canonical(content: BaseModel) -> str:
    """The one text of a content: keys in order, no spaces, times in UTC."""
    return json.dumps(
        content.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


def seal(text: str) -> str:
    """SHA-256 of the text as it is stored."""
    return hashlib.sha256(text.encode()).hexdigest()
