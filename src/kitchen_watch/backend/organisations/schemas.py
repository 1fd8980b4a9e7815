"""What the service tells people about nodes, premises and cameras."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.organisations.tables import AreaType, NodeKind
from kitchen_watch.control import CameraState


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
    open_alerts: int


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
