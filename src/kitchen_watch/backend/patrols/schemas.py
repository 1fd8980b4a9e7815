"""What is asked of and told about patrols, checks, findings and the sweep."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.bounds import KeptMoment, Moment, PlaceId, RowId
from kitchen_watch.backend.forms.answers import Answer, Answers, ProblemCode
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.forms.schemas import FormView
from kitchen_watch.backend.organisations.bodies import Body
from kitchen_watch.backend.patrols.settings import GRADES
from kitchen_watch.backend.patrols.tables import MAX_TEXT, CheckReason, CheckState, PictureSource
from kitchen_watch.events import Identifier

MAX_PHOTOS = 9
"""Of one answer to a finding."""

ItemKey = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,39})?$", description="empty: no single item")]
Words = Annotated[str, Field(max_length=MAX_TEXT, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")]
PictureId = Annotated[int, Field(ge=1, le=2**63 - 1)]
OfficersKind = Literal[FormKind.PATROL, FormKind.ON_SITE]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="that of the check as you have seen it")]


class NextBody(Body):
    """The next premises of the queue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"kind": "patrol"}]})

    kind: OfficersKind = FormKind.PATROL
    form_id: PlaceId | None = Field(default=None, description="without: the first form of that kind")
    node_id: PlaceId | None = Field(default=None, description="only below this node")


class StartBody(NextBody):
    """A check of one premises, out of turn or planned."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"premises_id": 1, "kind": "on_site", "reason": "complaint"}]}
    )

    node_id: None = None
    premises_id: PlaceId
    reason: CheckReason = CheckReason.OTHER
    announced: bool = Field(default=False, description="the premises sees it beforehand")
    planned_at: KeptMoment | None = None


class DraftBody(Body):
    """Answers so far; what is missing may be missing."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "answers": {"hats": {"value": "yes"}}}]}
    )

    version: Version
    answers: Answers


class FindingBody(Body):
    """What the premises has to do about a finding of an item, or one besides the items."""

    item: ItemKey = ""
    text: Words = ""
    due_on: date | None = Field(default=None, description="local day; without: as the settings say")


class CompleteBody(DraftBody):
    """The whole form; every answer out of order becomes a finding."""

    findings: list[FindingBody] = Field(default=[], max_length=60)


class WithdrawBody(Body):
    """Give a premises back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 1, "note": "停业装修"}]})

    version: Version
    note: Annotated[Words, Field(min_length=2)]


class SnapshotBody(Body):
    """A picture of what a camera shows now, for one item."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"camera_id": "cam-a1", "item": "hats"}]})

    camera_id: Identifier
    item: ItemKey = ""


class AnswerBody(Body):
    """What the premises has done about a finding."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "已更换垃圾桶盖", "photo_ids": []}]})

    text: Annotated[Words, Field(min_length=2)]
    photo_ids: list[PictureId] = Field(
        default=[], max_length=MAX_PHOTOS, description="photos of how it is now, uploaded before"
    )


class SettleBody(Body):
    """Whether it is mended; if not, what is missing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})

    accepted: bool
    note: Words = ""


class AbsenceBody(Body):
    """An officer is away; without an end, for good."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person_id": 4, "since_at": "2026-03-02T00:00:00+08:00"}]}
    )

    person_id: PlaceId
    since_at: KeptMoment
    until_at: KeptMoment | None = None
    note: Annotated[Words, Field(max_length=300)] = ""


class PolicyBody(Body):
    """How often the premises below a node are looked at."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"period_days": 30, "looks": {"A": 1, "B": 1, "C": 2, "D": 4}}]}
    )

    period_days: int = Field(ge=1, le=732)
    looks: dict[Annotated[str, Field(pattern="^[ABCD]$")], Annotated[int, Field(ge=1, le=31)]] = Field(
        min_length=len(GRADES), description="looks per period by risk grade"
    )
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="empty when it is set first")


class View(BaseModel):
    """What is told is not changed."""

    model_config = ConfigDict(frozen=True)


class PersonBrief(View):
    """A person as a check names them."""

    id: int
    name: str


class PremisesShort(View):
    """A premises as a check names it."""

    id: int
    name: str
    name_en: str
    address: str
    place: str
    time_zone: str
    risk_grade: str | None


class QueueItem(View):
    """A premises and by when it must be looked at."""

    premises: PremisesShort
    last_looked_at: AwareDatetime | None
    target_at: AwareDatetime = Field(description="from then on it ought to be looked at")
    limit_at: AwareDatetime
    cameras: int
    taken_by: PersonBrief | None


class QueueView(View):
    """The queue, the nearest limit first."""

    items: list[QueueItem]
    total: int
    due: int = Field(description="premises whose target has come")
    late: int = Field(description="premises whose limit has passed")


class PictureView(View):
    """A photo, or a snapshot of a camera."""

    picture_id: int
    item: str
    source: PictureSource
    camera_id: str | None
    at: AwareDatetime
    sha256: str
    width: int
    height: int
    url: str
    deleted: bool = Field(default=False, description="the file is gone by policy; its hash stays")


class FindingPhotoView(View):
    """A photo with which the premises answers a finding."""

    photo_id: int
    by: PersonBrief
    at: AwareDatetime
    sha256: str
    width: int
    height: int
    url: str
    deleted: bool = Field(default=False, description="the file is gone by policy; its hash stays")


class RoundView(View):
    """An answer of the premises and what was said to it."""

    at: AwareDatetime
    by: PersonBrief
    text: str
    judged_at: AwareDatetime | None
    judged_by: PersonBrief | None
    accepted: bool | None
    note: str
    photos: list[FindingPhotoView] = []


class FindingView(View):
    """Something that was not in order."""

    finding_id: int
    item: str
    item_name: str
    item_name_en: str
    value: str
    text: str
    due_at: AwareDatetime
    overdue: bool
    rounds: list[RoundView]
    loose_photos: list[FindingPhotoView] = Field(
        default=[], description="uploaded and not handed in with an answer yet; only the premises sees them"
    )
    waits_for: Literal["premises", "officer", "nobody"]


class ItemProblem(View):
    """Why an item cannot be handed in as it is."""

    item: str
    code: ProblemCode
    sentence: str


class CheckSummary(View):
    """A check in a list."""

    check_id: int
    premises: PremisesShort
    kind: FormKind
    reason: CheckReason
    announced: bool
    planned_at: AwareDatetime | None
    state: CheckState
    by: PersonBrief
    taken_at: AwareDatetime
    lapses_at: AwareDatetime
    finished_at: AwareDatetime | None
    items: int
    answered: int
    findings: int
    findings_open: int


class CheckPage(View):
    """Checks, the newest first."""

    items: list[CheckSummary]
    next_cursor: str | None


class CheckView(CheckSummary):
    """A check, whole."""

    version: int
    note: str
    mine: bool = Field(description="whether you may fill it now")
    form: FormView
    answers: dict[str, Answer]
    pictures: list[PictureView]
    finding_list: list[FindingView]
    problems: list[ItemProblem] = Field(description="what keeps an open check from being handed in")
    views: int = Field(description="how often a camera was watched for it")


class AbsenceView(View):
    """An officer who is away."""

    id: int
    person: PersonBrief
    since_at: AwareDatetime
    until_at: AwareDatetime | None
    note: str


class AbsenceList(View):
    """Who is away now or later."""

    items: list[AbsenceView]


class PolicyView(View):
    """The rules of the sweep at a node, and where they are set."""

    node_id: int
    period_days: int
    looks: dict[str, int]
    set_at_node_id: int | None = Field(description="empty: by the settings of the service")
    version: int | None = Field(description="of the node's own rules")


class UnitView(View):
    """Premises and the officers who answer for them: the forecast of one part of the tree."""

    node_id: int
    node_name: str
    node_name_en: str
    premises: int
    looked_at: int = Field(description="within the interval of each: in time")
    due: int
    late_now: int
    officers: int
    capacity: int = Field(description="looks a working day that can be counted on")
    needed: int = Field(description="looks a working day with which every limit is kept")
    will_be_late: int
    first_late_at: AwareDatetime | None
    late_premises: list[PremisesShort] = Field(description="those with the nearest limit; at most 20")


class WarningView(View):
    """What a day's forecast said would come late."""

    node_id: int
    node_name: str
    node_name_en: str
    day: str
    at: AwareDatetime
    late: int
    first_late_at: AwareDatetime
    capacity: int
    needed: int


class SweepView(View):
    """Where the sweep stands in your area."""

    at: AwareDatetime
    premises: int
    looked_at: int
    due: int
    late_now: int
    will_be_late: int
    units: list[UnitView]
    warnings: list[WarningView] = Field(description="of the last days, the newest first")


class CheckFilters(BaseModel):
    """Which checks a list shows."""

    model_config = ConfigDict(extra="forbid")

    state: CheckState | None = None
    kind: FormKind | None = None
    premises_id: PlaceId | None = None
    node_id: PlaceId | None = None
    person_id: PlaceId | None = None
    finished_from: Moment | None = None
    finished_to: Moment | None = None
    with_findings: bool | None = Field(default=None, description="only with, or only without findings")
    unsettled: bool = Field(default=False, description="only with findings that are not settled")
    after: RowId | None = Field(default=None, description="the cursor of the page before")
    limit: int = Field(default=50, ge=1, le=200)
