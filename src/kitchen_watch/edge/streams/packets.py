"""Compressed packets as others receive them: every packet of a stream, once, before decoding.

The evidence ring (and later the live view's relay) are packet sinks of a camera's stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a stream says of itself when it opens (or changes codec or size)."""

    codec: str
    """libav's name, such as ``h264`` or ``hevc``."""
    width: int
    """Pixels; 0 where the stream does not say."""
    height: int
    """Pixels; 0 where the stream does not say."""
    extradata: bytes | None = field(repr=False)
    """Codec parameters (Annex B from RTSP, avcC/hvcC from MP4 files), as a muxer wants them."""
    frame_rate: Fraction | None
    """Frames a second as announced; ``None`` where unknown."""
    time_base: Fraction
    """Seconds per tick of the stream's own clock."""
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class StreamPacket:
    """One compressed picture.

    ``pts`` and ``dts`` are seconds from the stream's first packet after a (re)connect and go on
    over jumps of the camera's clock; ``captured_at`` agrees with the frame decoded from it.
    """

    pts: float | None
    dts: float | None
    time_base: Fraction
    data: bytes = field(repr=False)
    keyframe: bool
    received_at: datetime
    captured_at: datetime


class PacketSink(Protocol):
    """Who receives a stream's packets. Called in the reader's thread: must not block or raise.

    The calls of one stream never overlap: ``opened``, any number of ``packet``, ``closed``.
    """

    def opened(self, info: VideoInfo) -> None:
        """The stream (re)opened, or changed codec parameters; packets until ``closed`` follow."""
        ...

    def packet(self, packet: StreamPacket) -> None:
        """The next packet, in decode order."""
        ...

    def closed(self) -> None:
        """No more packets of this opening will come."""
        ...
