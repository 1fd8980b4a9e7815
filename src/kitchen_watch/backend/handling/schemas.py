"""What is asked of and told about the handling of an alert."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.alerts.lifecycle import FalseAlarmReason, Step
from kitchen_watch.backend.alerts.states import AlertState
from kitchen_watch.backend.deadlines.clocks import ClockStep, MomentKind
from kitchen_watch.backend.handling.tables import MAX_NOTE, StatementKind

Note = Annotated[str, Field(max_length=MAX_NOTE)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Text = Annotated[str, Field(min_length=2, max_length=MAX_NOTE)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepBody(_Body):
    """A step; ``version`` is that of the case as you have seen it."""

    version: int = Field(ge=0, le=2**31 - 1, examples=[0])
    note: Note = ""


class RejectBody(StepBody):
    """A false alarm and why."""

    reason: FalseAlarmReason


class SubmitBody(_Body):
    """What was done, and photos that were uploaded before."""

    version: int = Field(ge=0, le=2**31 - 1)
    text: Text
    photo_ids: list[RowId] = Field(min_length=1, max_length=9)


class ContainBody(_Body):
    """What was done at once so that it does no harm over night."""

    text: Text


class ReviewBody(StepBody):
    """Whether the rectification is good; what is missing goes into the note."""

    accepted: bool


class AppealBody(_Body):
    """Why the alert is wrong."""

    version: int = Field(ge=0, le=2**31 - 1)
    text: Text


class DecideBody(StepBody):
    """Whether the appeal is right; a false alarm has a reason."""

    upheld: bool
    reason: FalseAlarmReason | None = None


class MergeBody(StepBody):
    """The alert of the same premises in which this one goes on."""

    into_alert_id: RowId


class RemindBody(_Body):
    """A reminder (催办) in words of your own."""

    note: Note = ""


class SuperviseBody(RemindBody):
    """A supervision (督办); without a level, the one above the present."""

    level: int | None = Field(default=None, ge=1, le=9)


class PersonBrief(_View):
    """A person as a case names them."""

    id: int
    name: str


class TransitionView(_View):
    """One step of the history."""

    version: int
    at: AwareDatetime
    by: PersonBrief
    step: Step
    from_state: AlertState
    to_state: AlertState
    reason: str | None
    note: str
    merged_into: int | None = None


class DeadlineView(_View):
    """One clock. ``met`` is empty while it runs, and where it fell away."""

    step: ClockStep
    started_at: AwareDatetime
    due_at: AwareDatetime
    settled_at: AwareDatetime | None
    met: bool | None


class NoticeView(_View):
    """A reminder or supervision; ``by`` is empty where the timer issued it."""

    kind: MomentKind
    number: int
    level: int
    step: ClockStep | None
    for_premises: bool
    at: AwareDatetime
    by: PersonBrief | None
    note: str


class AppealView(_View):
    """An appeal and its decision."""

    at: AwareDatetime
    by: PersonBrief
    text: str
    decided_at: AwareDatetime | None
    decided_by: PersonBrief | None
    upheld: bool | None
    decision: str


class PhotoView(_View):
    """A photo of the restaurant; ``url`` needs the session of somebody who may see the alert."""

    photo_id: int
    uploaded_at: AwareDatetime
    width: int
    height: int
    url: str
    submitted: bool
    deleted_at: AwareDatetime | None = Field(default=None, description="when policy deleted the picture")


class RectificationView(_View):
    """What the restaurant says it has done, and the review."""

    kind: StatementKind
    at: AwareDatetime
    by: PersonBrief
    text: str
    photos: list[PhotoView]
    reviewed_at: AwareDatetime | None
    reviewed_by: PersonBrief | None
    accepted: bool | None
    review: str


class CaseView(_View):
    """Where an alert stands and how it came there; ``steps`` are those that you may take now."""

    alert_id: int
    state: AlertState
    version: int
    due_at: AwareDatetime | None
    overdue: bool
    reminders: int
    supervision_level: int
    premises_owner: PersonBrief | None
    territory_owner: PersonBrief | None
    steps: list[Step]
    transitions: list[TransitionView]
    deadlines: list[DeadlineView]
    notices: list[NoticeView]
    appeals: list[AppealView]
    rectifications: list[RectificationView]
    loose_photos: list[PhotoView] = Field(description="uploaded, not submitted yet; the premises side only")
