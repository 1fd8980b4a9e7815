"""What is asked of and told about holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kitchen_watch.backend.bounds import MAX_ID, KeptMoment, PlaceId
from kitchen_watch.backend.holds.tables import MAX_REASON, HoldAct, HoldKind

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=MAX_REASON, pattern=r"^[^\x00]*$")
]


class HoldBody(BaseModel):
    """What to hold, and why. A camera or a premises is held for a span; an alert as a whole."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "alert", "alert_id": 17, "reason": "行政处罚取证，保留原始证据"},
                {
                    "kind": "premises",
                    "premises_id": 3,
                    "since_at": "2026-03-01T00:00:00+08:00",
                    "until_at": "2026-03-02T00:00:00+08:00",
                    "reason": "消费者投诉调查",
                },
            ]
        },
    )

    kind: HoldKind
    alert_id: int | None = Field(default=None, ge=0, le=MAX_ID)
    camera_id: str | None = Field(default=None, max_length=64, pattern=r"^[^\x00]*$")
    premises_id: PlaceId | None = None
    since_at: KeptMoment | None = Field(default=None, description="the span of what is held")
    until_at: KeptMoment | None = None
    ends_at: KeptMoment | None = Field(
        default=None, description="when the hold itself ends; else when lifted"
    )
    reason: Reason

    @model_validator(mode="after")
    def _about_one_thing(self) -> HoldBody:
        named = {"alert": self.alert_id, "camera": self.camera_id, "premises": self.premises_id}
        if named[self.kind] is None or sum(value is not None for value in named.values()) != 1:
            raise ValueError(f"name the {self.kind} that is to be held, and nothing else")
        span = (self.since_at, self.until_at)
        if self.kind is HoldKind.ALERT and span != (None, None):
            raise ValueError("an alert is held as a whole, without a span")
        if self.kind is not HoldKind.ALERT:
            if self.since_at is None or self.until_at is None:
                raise ValueError("say from when to when it is to be held")
            if self.since_at >= self.until_at:
                raise ValueError("the span must end after it begins")
        return self


class LiftBody(BaseModel):
    """Why the hold is no longer needed."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "处罚决定已执行，案卷已归档"}]}
    )

    reason: Reason


class HoldEntry(BaseModel):
    """One decision about a hold."""

    at: AwareDatetime
    by: str
    act: HoldAct
    reason: str


class HoldView(BaseModel):
    """One hold."""

    id: int
    kind: HoldKind
    premises_id: int
    premises: str
    camera_id: str | None
    camera: str | None
    alert_id: int | None
    since_at: AwareDatetime | None
    until_at: AwareDatetime | None
    reason: str
    source: str = Field(description="what placed it by itself, such as complaint/12; else empty")
    placed_by: str
    placed_at: AwareDatetime
    ends_at: AwareDatetime | None
    lifted_at: AwareDatetime | None
    active: bool
    can_lift: bool


class HoldDetail(HoldView):
    """One hold with its history and what lies under it."""

    entries: list[HoldEntry]
    alerts: int = Field(description="alerts it is about")
    alerts_gone: int = Field(description="those of them whose evidence had been deleted before")


class HoldPage(BaseModel):
    """Holds, newest first."""

    items: list[HoldView]
    next_cursor: str | None


class HeldAtEdge(BaseModel):
    """What an edge has said about what it was told to hold."""

    edge_id: str
    heard_at: AwareDatetime | None
    current: bool = Field(description="it has confirmed exactly what must be held now")
    segments: int
    size_bytes: int
    packages: int
