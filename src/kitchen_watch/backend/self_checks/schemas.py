"""What is asked of and told about self-checks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.forms.answers import Answer, Answers
from kitchen_watch.backend.forms.content import FormContent, FormKind
from kitchen_watch.backend.self_checks.tables import MAX_REASON

LONGEST_CLOSURE_DAYS = 366

_Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON, pattern=r"^[^\x00-\x1f]*$")]
_Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="the version you have seen")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class OpenBody(_Body):
    """Begin a self-check, or go on with its draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "daily", "period": "2026-03-02"}]})

    kind: FormKind
    period: str = Field(max_length=10, description="2026-03-02, 2026-W10 or 2026-03")


class SaveBody(_Body):
    """The answers of a draft, all of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "answers": {"clothes": {"value": "yes"}}}]}
    )

    version: _Version
    answers: Answers


class HandInBody(_Body):
    """Hand a draft in, for good."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 2}]})

    version: _Version


class CorrectBody(_Body):
    """Why something that was handed in is corrected."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "冷藏温度填错"}]})

    reason: _Reason


class ClosureBody(_Body):
    """Days on which the premises is closed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"first_day": "2026-10-01", "last_day": "2026-10-03", "reason": "国庆店休"}]
        }
    )

    premises_id: PlaceId | None = Field(default=None, description="for officers; a restaurant means its own")
    first_day: date
    last_day: date
    reason: _Reason

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= (self.last_day - self.first_day).days < LONGEST_CLOSURE_DAYS:
            raise ValueError("the last day must not come before the first, nor more than a year after it")
        return self


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PeriodAlert(_View):
    """An alert of the period a self-check is about, with its state."""

    alert_id: int
    code: str
    tier: int
    state: AlertState
    found_at: AwareDatetime


class SelfCheckPhoto(_View):
    """A photo for one item."""

    photo_id: int
    item: str
    url: str | None = Field(description="empty once policy has deleted the file")
    deleted_at: AwareDatetime | None = None
    width: int
    height: int


class SelfCheckBrief(_View):
    """A self-check in a list. ``late``: handed in after it was due."""

    id: int
    premises_id: int
    premises: str
    kind: FormKind
    period: str
    revision: int
    due_at: AwareDatetime
    submitted_at: AwareDatetime | None
    submitted_by: str | None
    late: bool
    findings: int


class SelfCheckDetail(SelfCheckBrief):
    """A self-check with its form."""

    form_name: str
    form_version: int
    form_sha256: str
    content: FormContent
    answers: dict[str, Answer]
    problems: dict[str, str] = Field(description="what still stands in the way of handing it in, by item")
    alerts: list[PeriodAlert]
    photos: list[SelfCheckPhoto]
    version: int
    corrects_id: int | None
    corrected_by_id: int | None = Field(description="the correction that names this one")
    reason: str
    sha256: str | None
    may_edit: bool
    may_correct: bool


class SelfCheckPage(_View):
    """Self-checks that were handed in, the newest first; a restaurant sees its drafts too."""

    items: list[SelfCheckBrief]
    next_cursor: str | None


class DueView(_View):
    """A self-check that a restaurant has to do. ``check_id`` is set where a draft or more is there."""

    kind: FormKind
    period: str
    due_at: AwareDatetime
    overdue: bool
    check_id: int | None


class DueList(_View):
    """What is to be done now, and what can still be handed in late."""

    items: list[DueView]


class MissingView(_View):
    """A self-check that was due and was not handed in."""

    premises_id: int
    premises: str
    node_id: int
    grid: str
    kind: FormKind
    period: str
    due_at: AwareDatetime
    reminded_at: AwareDatetime | None


class MissingList(_View):
    """Missing self-checks by grid, and the figures of the same part of the tree and span."""

    since_at: AwareDatetime
    until_at: AwareDatetime
    due: int
    submitted: int
    late: int
    missing: int
    items: list[MissingView]
    more: bool


class ClosureView(_View):
    """Days on which a premises is closed."""

    id: int
    premises_id: int
    first_day: date
    last_day: date
    reason: str
    entered_by: str
    at: AwareDatetime
