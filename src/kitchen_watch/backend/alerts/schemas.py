"""What the service tells people about alerts."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.backend.alerts.states import AlertState, FeedKind
from kitchen_watch.backend.evidence.tables import LinkState
from kitchen_watch.backend.organisations.tables import AreaType
from kitchen_watch.events import DetectionSeen, EventKind, EvidenceKind, ModelUsed, RuleUsed


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class PremisesBrief(_View):
    """A premises as an alert names it. ``place`` is the path of names from the root to its grid."""

    id: int
    name: str
    name_en: str
    time_zone: str
    place: str


class CameraBrief(_View):
    """A camera as an alert names it."""

    camera_id: str
    name: str
    name_en: str
    area_type: AreaType
    zone_type: str


class AlertSummary(_View):
    """One line of the feed."""

    alert_id: int
    code: str = Field(examples=["NO_HAT"])
    tier: int
    state: AlertState
    found_at: AwareDatetime = Field(description="when the backend first heard of it (server clock)")
    occurred_at: AwareDatetime = Field(description="the edge's clock at the first event")
    server_offset_ms: int | None = Field(description="server time minus device time, where known")
    started_at: AwareDatetime
    last_seen_at: AwareDatetime
    ended_at: AwareDatetime | None = Field(description="empty while the violation goes on")
    updated_at: AwareDatetime
    confidence: float
    zone_id: str | None
    detail: str | None
    reopenings: int = Field(description="how often it came back inside its cooldown")
    premises: PremisesBrief
    camera: CameraBrief
    snapshot_url: str | None = Field(description="signed, expiring; empty until the picture is here")
    clip_ready: bool
    evidence_sound: bool = Field(description="false if a manifest breaks its edge's chain")
    version: int = Field(default=0, description="steps taken by people; name it with the next one")
    due_at: AwareDatetime | None = Field(default=None, description="the nearest deadline that runs")
    reminders: int = Field(default=0, description="how often it was reminded of (催办)")
    supervision_level: int = Field(default=0, description="level of supervision (督办); 0 without")


class AlertPage(_View):
    """A page of the feed, newest first. ``next_cursor`` is empty on the last one."""

    items: list[AlertSummary]
    next_cursor: str | None


class EvidenceView(_View):
    """One evidence file. ``url`` is signed, expires, and is there once the file is complete."""

    file_id: int
    name: str
    kind: EvidenceKind
    media_type: str
    size_bytes: int
    sha256: str
    received_bytes: int
    complete: bool
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None
    url: str | None
    deleted_at: AwareDatetime | None = Field(default=None, description="when policy deleted the file")


class ManifestView(_View):
    """One evidence package and how it stands in its edge's chain."""

    manifest_id: UUID
    chain_index: int
    sha256: str
    previous_sha256: str
    created_at: AwareDatetime
    received_at: AwareDatetime
    link: LinkState
    link_reason: str | None
    files: list[EvidenceView]


class AlertEvent(_View):
    """One event of the edge, as it came."""

    event_id: UUID
    kind: EventKind
    sequence: int
    occurred_at: AwareDatetime
    server_offset_ms: int | None
    received_at: AwareDatetime
    confidence: float
    detail: str | None


class AlertDetail(AlertSummary):
    """Everything about one alert."""

    violation_id: UUID
    edge_id: str
    model: ModelUsed | None
    rule: RuleUsed
    detections: list[DetectionSeen]
    events: list[AlertEvent]
    missing_events: int = Field(description="events of the violation that have not arrived (yet)")
    manifests: list[ManifestView]


class AlertCounts(_View):
    """Figures for the head of a page."""

    open_by_tier: dict[int, int] = Field(description="violations going on and not finished, by tier")
    found_today: int = Field(description="since midnight of the given time zone")


class FeedMessage(_View):
    """One message of the alert stream; ``feed_id`` is its ``id`` to resume from."""

    feed_id: int
    alert_id: int
    kind: FeedKind
    at: AwareDatetime
    code: str
    tier: int
    state: AlertState
    premises_id: int
    camera_id: str
