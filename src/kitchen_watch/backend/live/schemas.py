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


class PieceView(BaseModel):
    """One recorded piece of a camera."""

    begins_at: AwareDatetime = Field(description="the edge's clock")
    seconds: float
    size: int = Field(description="bytes")
    url: str = Field(description="a fragmented MP4 that plays alone")


class RecordingView(BaseModel):
    """What is recorded of a camera in a span."""

    camera_id: str
    since_at: AwareDatetime
    until_at: AwareDatetime
    oldest_at: AwareDatetime | None = Field(description="where the recording begins; null: there is none yet")
    continuous: bool = Field(description="recorded for days; else only the last minutes, for time-shift")
    more: bool = Field(description="the span holds more pieces; ask again from the end of the last one")
    pieces: list[PieceView]
