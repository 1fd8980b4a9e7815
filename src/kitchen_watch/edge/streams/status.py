"""How one stream is doing, for people, heartbeats and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kitchen_watch.control import CameraState
from kitchen_watch.edge.streams.packets import VideoInfo


@dataclass(slots=True)
class Tally:
    """Counters of one stream over all its connections; written by its reader."""

    received: int = 0
    """Packets of video that arrived."""
    decoded: int = 0
    """Pictures decoded from them."""
    late: int = 0
    """Frames that were due for analysis and not decoded: the machine was behind."""
    corrupt: int = 0
    """Packets or pictures that were damaged and skipped."""
    jumps: int = 0
    """Jumps of the camera's or the device's clock."""
    info: VideoInfo | None = None
    newest_at: datetime | None = None
    """``captured_at`` of the newest packet."""
    lag: timedelta = timedelta(0)
    """How long before its arrival the newest packet was captured: delay, or skew of clocks."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream at one moment."""

    stream_id: str
    state: CameraState
    since: datetime
    """When this state began; an outage keeps its beginning while reconnecting."""
    reason: str | None
    """Why it is not streaming, in words, without credentials."""
    received: int
    decoded: int
    offered: int
    """Frames that were due for analysis."""
    dropped: int
    """Frames due that nobody looked at: a newer one replaced them, or the machine was too late for them."""
    corrupt: int
    jumps: int
    reconnects: int
    """Connections that were opened after the first one."""
    frame_age: timedelta | None
    """Age of the newest picture received; ``None`` before the first."""
    lag: timedelta
    codec: str | None
    width: int | None
    height: int | None
