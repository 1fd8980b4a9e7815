"""A first look at a source: what it sends, how fast, and one picture."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta

from kitchen_watch.edge.streams.connection import Connection, OpenVideo, open_connection
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.edge.streams.picture import full_picture
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamEnded, StreamStalled


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a source sends, as seen, not as announced."""

    codec: str
    profile: str | None
    width: int
    height: int
    rate: float | None
    """Frames per second by the stream's own timestamps; ``None`` if too few came."""
    keyframe_interval: timedelta | None
    """Time between keyframes; ``None`` if fewer than two came. Long ones delay clips and starts."""
    bit_rate: float | None
    """Bits per second as received, by the stream's own timestamps."""
    opened_in: timedelta
    """From the call to the first picture."""
    damaged: int
    """Packets that could not be decoded."""
    first_picture: Image = field(repr=False)
    """BGR uint8 of shape (height, width, 3)."""


@dataclass(slots=True)
class _Seen:
    stamps: list[float] = field(default_factory=list)
    keyframes: list[float] = field(default_factory=list)
    size: int = 0
    damaged: int = 0

    def span(self) -> float:
        return max(self.stamps) - min(self.stamps) if self.stamps else 0.0


def probe(
    source: SourceSettings,
    *,
    seconds: float = 2.0,
    open_video: OpenVideo = open_connection,
) -> ProbeResult:
    """Open ``source`` and watch ``seconds`` of stream time (at most three times that in real time).

    Raises:
        StreamUnreachable: nobody answers.
        StreamRefused: wrong password, path or content.
        StreamStalled: it opens, but no picture comes.
    """
    started = time.perf_counter()
    connection = open_video(source)
    try:
        return _watch(connection, source, seconds, started)
    finally:
        connection.close()


def _watch(connection: Connection, source: SourceSettings, seconds: float, started: float) -> ProbeResult:
    seen = _Seen()
    picture: Image | None = None
    opened_in = 0.0
    limit = started + source.open_timeout.total_seconds() + 3 * seconds
    try:
        for packet in connection.packets():
            pictures = connection.decode(packet)
            seen.damaged += pictures is None
            if pictures and picture is None:
                picture = full_picture(pictures[0])()
                opened_in = time.perf_counter() - started
            stamp = packet.pts if packet.pts is not None else packet.dts
            if packet.size and stamp is not None:
                seen.stamps.append(float(stamp * packet.time_base))
                seen.size += packet.size
                if packet.is_keyframe:
                    seen.keyframes.append(seen.stamps[-1])
            enough = picture is not None and seen.span() >= seconds
            if enough or time.perf_counter() > limit:
                break
    except StreamEnded:
        pass
    if picture is None:
        raise StreamStalled(
            f"{source.place}: sends data, but no picture could be decoded from it. Set the camera to H.264 "
            "and a keyframe interval of 2 s."
        )
    span = seen.span()
    info = connection.info
    keyframes = len(seen.keyframes) - 1
    interval = (seen.keyframes[-1] - seen.keyframes[0]) / keyframes if keyframes > 0 else None
    return ProbeResult(
        codec=info.codec,
        profile=info.profile,
        width=picture.shape[1],
        height=picture.shape[0],
        rate=(len(seen.stamps) - 1) / span if span > 0 else None,
        keyframe_interval=None if interval is None else timedelta(seconds=interval),
        bit_rate=seen.size * 8 / span if span > 0 else None,
        opened_in=timedelta(seconds=opened_in),
        damaged=seen.damaged,
        first_picture=picture,
    )
