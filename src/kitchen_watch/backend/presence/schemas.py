"""Coverage and presence over the API."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from kitchen_watch.backend.statistics.schemas import ShareView


class BatchView(BaseModel):
    """One roll-out batch."""

    name: str
    covered: ShareView


class AreaView(BaseModel):
    """One child of the node asked about."""

    node_id: int
    name: str
    name_en: str
    covered: ShareView
    watched: ShareView = Field(description="camera minutes within opening hours")


class DayView(BaseModel):
    """One local day."""

    day: date
    covered: ShareView
    watched: ShareView


class BlindView(BaseModel):
    """A camera whose picture does not come now."""

    camera_id: str
    name: str
    name_en: str
    premises_id: int
    premises: str
    premises_en: str
    state: str = Field(
        description="as its edge says it; ``silent``: the edge itself is not heard; ``unknown``"
    )
    reason: str | None
    open_now: bool
    watched_today: ShareView


class ZoneGapView(BaseModel):
    """A premises without a camera in a zone that its business type must show."""

    premises_id: int
    name: str
    name_en: str
    missing: list[str]


class CoverageView(BaseModel):
    """How far the cameras have got, and who is watching."""

    target: float
    covered: ShareView = Field(description="premises with an active camera, of those in business")
    watched: ShareView = Field(description="camera minutes watched, of those within opening hours")
    cameras_blind: ShareView
    in_turn: ShareView = Field(
        description="cameras that take turns with others of their edge, and are not looked at all the time"
    )
    longest_revisit_s: float | None = Field(description="how long one of those may go without a look at most")
    zones: ShareView = Field(description="zones with a camera, of those required")
    batches: list[BatchView]
    areas: list[AreaView]
    days: list[DayView]
    blind: list[BlindView] = Field(description="open premises first; at most 200")
    zone_gaps: list[ZoneGapView] = Field(description="at most 200")
