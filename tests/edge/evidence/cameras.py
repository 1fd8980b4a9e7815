"""Real H.264 and H.265, rendered with PyAV, as packets that a camera's reader would hand on.

Every picture carries its number as sixteen black or white blocks, so that a test can tell from
pixels which moment it sees.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.edge.streams.parameter_sets import parameter_sets

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WIDTH, HEIGHT, RATE = 320, 192, 10
_BITS = 16
_BLOCK = WIDTH // _BITS


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A grey picture with its number in the top quarter."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[height // 2 :, :, 1] = np.linspace(40, 200, width, dtype=np.uint8)
    block = width // _BITS
    for bit in range(_BITS):
        image[: height // 4, bit * block : (bit + 1) * block] = 255 if number >> bit & 1 else 0
    return image


def number_in(image: Image) -> int:
    """The number that :func:`picture` wrote."""
    height, width = image.shape[:2]
    block = width // _BITS
    row = image[height // 8, block // 2 :: block, 0]
    return sum(1 << bit for bit in range(_BITS) if row[bit] > 127)


@dataclass(frozen=True)
class Camera:
    """One rendered stream: its description and all its packets."""

    info: VideoInfo
    packets: tuple[StreamPacket, ...]


@lru_cache(maxsize=16)
def camera(
    seconds: int = 20,
    *,
    codec: str = "libx264",
    keyframe_every: int = 20,
    reordered: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    form: str = "annexb",
    paint: Callable[[int, int, int], Image] = picture,
) -> Camera:
    """``form``: annexb (RTSP), bare (the same, without parameters at opening), told (parameters at
    opening only) or mp4 (a file as a camera). ``paint``: gives a picture of a number, a width and a
    height."""
    muxed = io.BytesIO()
    with av.open(muxed, "w", format="mp4" if form == "mp4" else _raw(codec)) as output:
        stream = output.add_stream(codec, rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.max_b_frames = 2 if reordered else 0
        if codec == "libx264":
            stream.options = {"tune": "zerolatency", "preset": "ultrafast"} if not reordered else {}
        else:
            stream.options = {"x265-params": f"log-level=none:bframes=0:keyint={keyframe_every}"}
        coded: list[av.Packet[VideoStream]] = []
        for number in range(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(paint(number, *size), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            coded += stream.encode(frame)
        coded += stream.encode(None)
        stamped = [
            (float(p.pts * p.time_base), float(p.dts * p.time_base), bytes(p), bool(p.is_keyframe))
            for p in coded
            if p.pts is not None and p.dts is not None
        ]
        output.mux(coded)
    if form == "mp4":
        muxed.seek(0)
        with av.open(muxed, "r") as read:
            extradata = read.streams.video[0].codec_context.extradata
            stamped = [
                (float(p.pts * p.time_base), float(p.dts * p.time_base), bytes(p), bool(p.is_keyframe))
                for p in read.demux(read.streams.video[0])
                if p.pts is not None and p.dts is not None and p.size
            ]
    name = "h264" if codec == "libx264" else "hevc"
    if form != "mp4":
        extradata = parameter_sets(name, stamped[0][2])
        assert extradata is not None
        if form == "told":
            stamped = [(pts, dts, data.replace(extradata, b""), key) for pts, dts, data, key in stamped]
    info = VideoInfo(
        codec=name,
        width=size[0],
        height=size[1],
        extradata=None if form == "bare" else extradata,
        frame_rate=Fraction(RATE),
        time_base=Fraction(1, 90_000),
    )
    packets = tuple(
        StreamPacket(
            pts=pts,
            dts=dts,
            time_base=info.time_base,
            data=data,
            keyframe=keyframe,
            received_at=START + timedelta(seconds=dts),
            captured_at=START + timedelta(seconds=pts),
        )
        for pts, dts, data, keyframe in stamped
    )
    return Camera(info, packets)


def _raw(codec: str) -> str:
    return "h264" if codec == "libx264" else "hevc"


def later(packets: Iterable[StreamPacket], by: float, *, pts: bool = False) -> list[StreamPacket]:
    """The same packets, captured ``by`` seconds later (``pts``: on the stream's own time line too)."""
    shift = timedelta(seconds=by)
    return [
        replace(
            packet,
            captured_at=packet.captured_at + shift,
            received_at=packet.received_at + shift,
            pts=packet.pts + by if pts and packet.pts is not None else packet.pts,
            dts=packet.dts + by if pts and packet.dts is not None else packet.dts,
        )
        for packet in packets
    ]


def feed(ring: PacketRing, packets: Iterable[StreamPacket]) -> None:
    for packet in packets:
        ring.packet(packet)


def filled(of: Camera, **ring: int) -> PacketRing:
    made = PacketRing(**ring)
    made.opened(of.info)
    feed(made, of.packets)
    return made


def numbers_in(path: Path) -> Iterator[int]:
    """The number of every picture of a clip, in the order of display."""
    with av.open(str(path), "r") as container:
        for frame in container.decode(video=0):
            yield number_in(np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
