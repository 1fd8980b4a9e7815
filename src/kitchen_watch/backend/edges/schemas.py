"""What the service tells people about edges."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.events import Identifier


class EdgeView(BaseModel):
    """One edge and what it last said of itself."""

    model_config = ConfigDict(frozen=True)

    edge_id: str
    name: str
    enabled: bool
    camera_ids: list[str]
    connected: bool
    connected_at: AwareDatetime | None
    last_heard_at: AwareDatetime | None
    clock_offset_ms: int | None = Field(description="server time minus device time")
    software_version: str
    outbox_pending: int
    outbox_oldest_s: float | None
    dead_letters: int
    disk_free_bytes: int | None
    warnings: list[str]
    configuration_version: str | None = Field(description="what the edge says is in force")
    offered_version: str | None = Field(description="what was offered last")
    configuration_accepted: bool | None = Field(description="empty until the edge has answered")
    configuration_reason: str | None


class ConfigurationRequest(BaseModel):
    """Cameras and their settings to offer to an edge (see ConfigurationOffer)."""

    model_config = ConfigDict(extra="forbid")

    cameras: dict[Identifier, dict[str, Any] | None] = Field(examples=[{"cam-a1": {"rate": 5.0}}])


class ConfigurationOffered(BaseModel):
    """The offer was stored and sent, or will be when the edge connects."""

    version: str


class CommandRequest(BaseModel):
    """Something to ask of a camera."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["reconnect", "snapshot", "reference"]


class CommandResult(BaseModel):
    """The edge's word; ``data`` is a base64 JPEG for a snapshot."""

    accepted: bool
    reason: str | None
    data: str | None
