"""What live view tells people's programs."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kitchen_watch.control import CameraState


class IceServerView(BaseModel):
    """One ``RTCIceServer`` as browsers take it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = Field(default=None, repr=False)


class LiveView(BaseModel):
    """Whether a camera can be watched now, and what a browser needs to try."""

    model_config = ConfigDict(frozen=True)

    camera_id: str
    playable: bool = Field(description="the camera streams and its edge is connected to this service")
    state: CameraState | None
    since_at: AwareDatetime | None
    reason: str | None
    server_time: AwareDatetime
    ice_servers: list[IceServerView]
