"""What the service tells people about nodes, premises and cameras."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.auth.roles import Role
from kitchen_watch.backend.organisations.tables import AreaType, NodeKind
from kitchen_watch.control import CameraState, TurnStatus


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class NodeView(_View):
    """A node of the tree; ``parent_id`` may be a node that the reader does not see."""

    id: int
    parent_id: int | None
    kind: NodeKind
    code: str
    name: str
    name_en: str
    path: str
    depth: int
    version: int = 1


class PremisesView(_View):
    """One premises. ``place`` is the path of names from the root to its grid."""

    id: int
    licence_no: str
    name: str
    name_en: str
    business_type: str
    address: str
    node_id: int
    place: str
    time_zone: str
    hours: dict[str, list[str]] = Field(
        description="local opening hours by weekday", examples=[{"mon": ["10:00-22:00"]}]
    )
    responsible_person: str
    phone: str
    camera_count: int
    open_alerts: int
    latitude: float | None = None
    longitude: float | None = None
    inspection_grade: str | None = Field(default=None, description="量化等级 A-C")
    risk_grade: str | None = Field(default=None, description="风险等级 A (low) to D (high)")
    official: str = Field(default="", description="name of the responsible official (包保)")
    official_level: str | None = Field(default=None, description="包保级别 of that official")
    rollout_batch: str = ""
    uniform: str = ""
    active: bool = True
    version: int = 1


class CameraView(_View):
    """One camera and how its edge last saw it; ``state`` is empty if it was never heard of."""

    camera_id: str
    name: str
    name_en: str
    area_type: AreaType
    zone_type: str
    public: bool
    premises_id: int
    premises_name: str
    edge_id: str
    state: CameraState | None
    since_at: AwareDatetime | None
    reason: str | None
    heard_at: AwareDatetime | None
    width: int | None
    height: int | None
    codec: str | None
    frame_age_ms: int | None
    frames_received: int
    frames_analysed: int
    frames_dropped: int
    frames_still: int = Field(
        default=0, description="of a still scene, not shown to the model because it had found it empty"
    )
    judged_share: float | None = Field(
        default=None, description="of the frames due in the last seconds, how many were judged"
    )
    turns: TurnStatus | None = Field(
        default=None, description="how it takes turns with others of its edge; empty: looked at all the time"
    )
    open_alerts: int
    gb_device_id: str | None = None
    gb_channel_id: str | None = None
    enabled: bool = True
    version: int = 1


class PremisesDetail(PremisesView):
    """One premises with its cameras."""

    cameras: list[CameraView]


class PremisesPage(_View):
    """A page of premises by name; ``next_cursor`` is empty on the last one."""

    items: list[PremisesView]
    next_cursor: str | None


class CameraPage(_View):
    """A page of cameras by id; ``next_cursor`` is empty on the last one."""

    items: list[CameraView]
    next_cursor: str | None


class OfficialView(_View):
    """Who was responsible (包保) for a premises, at which level, from when to when."""

    person_id: int
    display_name: str
    level: str
    since_at: AwareDatetime
    until_at: AwareDatetime | None


class OfficialHistory(_View):
    """The responsible officials of a premises, the present one first."""

    items: list[OfficialView]


class GroupView(_View):
    """A supervision group; without ``sees_all`` it sees the subtrees of ``node_ids``."""

    id: int
    code: str
    name: str
    name_en: str
    sees_all: bool
    node_ids: list[int]
    version: int


class PersonView(_View):
    """A login, without anything that opens it."""

    id: int
    username: str
    display_name: str
    role: Role
    node_id: int | None
    premises_id: int | None
    group_id: int | None
    place: str = Field(description="the name of its node, premises or group")
    disabled: bool
    must_change_password: bool
    version: int


class PersonPage(_View):
    """A page of logins by id; ``next_cursor`` is empty on the last one."""

    items: list[PersonView]
    next_cursor: str | None


class PersonWithPassword(PersonView):
    """A login and its one-time password, which is told this once."""

    one_time_password: str


class Removed(_View):
    """It is gone."""

    removed: bool = True
