"""What is asked of and told about rule sets, zones and masks, and what the edges say to them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, model_validator

from kitchen_watch.backend.bounds import PlaceId
from kitchen_watch.backend.local_time import checked_zone
from kitchen_watch.backend.organisations.bodies import Body, Version
from kitchen_watch.backend.organisations.tables import AreaType
from kitchen_watch.backend.rule_sets.areas import MAX_AREAS, Area
from kitchen_watch.events import Identifier, ViolationCode

Value = bool | int | float | list[Annotated[str, Field(max_length=64)]]
Parameters = Annotated[dict[str, Value], Field(max_length=30)]


class RuleSetBody(Body):
    """A rule set; what is left empty does not narrow it. With a start or an end it is a campaign."""

    model_config = ConfigDict(
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "name": "国庆专项：专间口罩",
                    "area_type": "area",
                    "rules": {"NO_MASK": {"tier": 2, "held_s": 5}},
                    "starts_local": "2026-10-01T00:00:00",
                    "ends_local": "2026-10-08T00:00:00",
                }
            ]
        },
    )

    name: str = Field(min_length=1, max_length=100)
    business_type: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,63}$")
    area_type: AreaType | None = None
    node_id: PlaceId | None = Field(default=None, description="a node of the tree; its whole subtree")
    premises_id: PlaceId | None = None
    camera_id: Identifier | None = None
    starts_local: NaiveDatetime | None = Field(default=None, description="local time in time_zone")
    ends_local: NaiveDatetime | None = Field(default=None, description="from then on it no longer holds")
    time_zone: str | None = Field(default=None, max_length=64, description="without: that of the service")
    enabled: bool = True
    rules: Annotated[dict[ViolationCode, Parameters], Field(max_length=40)] = Field(
        default={}, description="parameters by rule; what is not named is left as it is"
    )
    note: str = Field(default="", max_length=300, description="why it was changed")
    version: Version = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        self.span(UTC)  # where no zone is named the service judges once more, by its own
        if self.camera_id is not None and self.premises_id is not None:
            raise ValueError("name a camera or a premises, not both")
        return self

    def zone(self, services: tzinfo) -> tzinfo:
        """The zone of the local times, that of the service where none is named.

        Raises:
            ValueError: there is no such zone.
        """
        return services if self.time_zone is None else ZoneInfo(checked_zone(self.time_zone))

    def span(self, services: tzinfo) -> tuple[datetime | None, datetime | None]:
        """When it starts and ends, in UTC.

        Raises:
            ValueError: it ends before it starts, or outside of the calendar.
        """
        zone = self.zone(services)
        starts_at, ends_at = _in_utc(self.starts_local, zone), _in_utc(self.ends_local, zone)
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise ValueError("a campaign must end after it starts")
        return starts_at, ends_at


def _in_utc(local: datetime | None, zone: tzinfo) -> datetime | None:
    try:
        return None if local is None else local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise ValueError("this time does not exist in UTC") from None


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class EdgeAnswer(_View):
    """What an edge says to the newest configuration: ``accepted``, ``refused``, ``waiting`` for its
    answer, or ``due``: not compiled yet."""

    edge_id: str
    state: str = Field(examples=["accepted", "refused", "waiting", "due"])
    reason: str | None
    version: str | None
    connected: bool


class RuleSetView(_View):
    """One rule set."""

    id: int
    name: str
    business_type: str | None
    area_type: AreaType | None
    node_id: int | None
    premises_id: int | None
    camera_id: str | None
    place: str = Field(description="the name of what it is narrowed to")
    starts_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    holds: bool = Field(description="whether it is switched on and holds now")
    enabled: bool
    rules: dict[str, dict[str, Any]]
    version: int


class RuleSetDetail(RuleSetView):
    """One rule set with the answers of the edges it concerns, refusals first; at most 200."""

    edges: list[EdgeAnswer]
    edge_count: int


class RuleSetVersion(_View):
    """A rule set as it once was."""

    version: int
    at: AwareDatetime
    by: str
    note: str
    content: dict[str, Any]


class RuleSetHistory(_View):
    """Every version, the newest first."""

    items: list[RuleSetVersion]


class CampaignBrief(_View):
    """A campaign: a rule set with a start or an end. ``state``: planned, running or over."""

    id: int
    name: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None
    enabled: bool
    state: str = Field(examples=["planned", "running", "over"])
    share_of_time: float | None = Field(description="how much of its time is over; empty without an end")


class CampaignCode(_View):
    """Verified alerts of one code in the campaign and in a time as long before it."""

    code: str
    before: int
    during: int


class CampaignGrid(_View):
    """The same by grid, with the premises that are covered there now."""

    node_id: int
    place: str
    premises: int
    before: int
    during: int


class CampaignProgress(CampaignBrief):
    """How a campaign goes in your scope."""

    before_at: AwareDatetime = Field(description="the time before begins here and ends with the start")
    until_at: AwareDatetime
    premises: int = Field(description="with a camera that it is about")
    edges: int
    edges_confirmed: int
    edges_refused: int
    edges_waiting: int
    by_code: list[CampaignCode]
    by_grid: list[CampaignGrid]


class RuleInfo(_View):
    """A rule of the catalogue: its default parameters and which of them may be set."""

    code: str
    defaults: dict[str, Any]
    settable: list[str]


class EffectiveParameter(_View):
    """A parameter that differs from the catalogue, and the rule set it comes from."""

    value: Any
    rule_set_id: int
    rule_set: str


class EffectiveRules(_View):
    """What holds for a camera now, by rule and parameter; the rest is as in the catalogue."""

    camera_id: str
    rules: dict[str, dict[str, EffectiveParameter]]
    switched_off: list[str] = Field(description="rules bound to zones that this camera does not have")


class AreasBody(Body):
    """All zones and masks of a camera; they take the place of the present ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 0,
                    "areas": [
                        {
                            "zone_id": "window", "kind": "mask", "name": "邻居窗户",
                            "polygon": [[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]],
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    version: int = Field(ge=0, le=2**31 - 1, description="the version you have seen; 0 where none was drawn")
    areas: list[Area] = Field(max_length=MAX_AREAS)
    note: str = Field(default="", max_length=300)

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [area.zone_id for area in self.areas]
        doubled = sorted({zone_id for zone_id in ids if ids.count(zone_id) > 1})
        if doubled:
            raise ValueError(f"two areas are called {', '.join(doubled)}; give each its own id")
        return self


class AreasView(_View):
    """The present zones and masks of a camera, and what its edge says to them."""

    camera_id: str
    version: int
    areas: list[Area]
    at: AwareDatetime | None
    by: str
    answer: EdgeAnswer


class AreasVersion(_View):
    """Zones and masks as they once were."""

    version: int
    at: AwareDatetime
    by: str
    note: str
    areas: list[Area]


class AreasHistory(_View):
    """Every version, the newest first."""

    items: list[AreasVersion]
