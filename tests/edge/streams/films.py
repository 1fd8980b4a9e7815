"""A camera that shows an encoded film: real packets, the decoder's own pictures, simulated time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.packets import VideoInfo
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamEnded


@dataclass(frozen=True)
class Film:
    """Packets as a camera sends them (Annex B), and what they are of."""

    info: VideoInfo
    packets: tuple[av.Packet[VideoStream], ...]


def film(
    pictures: Iterable[Image], *, codec: str = "libx264", rate: int = 25, gop: int = 25, reordered: int = 0
) -> Film:
    """Encode; ``reordered``: B-frames between two others."""
    encoder = cast("VideoCodecContext", av.CodecContext.create(codec, "w"))
    encoder.time_base, encoder.framerate = Fraction(1, rate), Fraction(rate)
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    encoder.gop_size, encoder.max_b_frames = gop, reordered
    if codec == "libx264":
        encoder.options = {"preset": "ultrafast", "bf": str(reordered)}
    packets: list[av.Packet[VideoStream]] = []
    for index, picture in enumerate(pictures):
        if index == 0:
            encoder.height, encoder.width = picture.shape[:2]
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = index, Fraction(1, rate)
        packets += cast("list[av.Packet[VideoStream]]", encoder.encode(frame))
    packets += cast("list[av.Packet[VideoStream]]", encoder.encode(None))
    for packet in packets:
        packet.time_base = Fraction(1, rate)
    name = {"libx264": "h264"}.get(codec, codec)
    info = VideoInfo(name, encoder.width, encoder.height, None, Fraction(rate), Fraction(1, rate))
    return Film(info, tuple(packets))


@dataclass
class Showing:
    """A connection to the camera; time goes on with every packet."""

    film: Film
    clock: ManualClock
    live: bool = True
    tried: int = 0
    """Packets that were given to the decoder."""

    def __post_init__(self) -> None:
        self.info = self.film.info
        self._decoder = cast("VideoCodecContext", av.CodecContext.create(self.info.codec, "r"))
        self._decoder.thread_count = 1

    def __call__(self, _source: SourceSettings) -> Showing:
        return self

    def packets(self) -> Iterator[av.Packet[VideoStream]]:
        for packet in self.film.packets:
            yield packet
            self.clock.advance(float(packet.time_base))
        raise StreamEnded("the film is over")

    def decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame] | None:
        self.tried += 1
        return list(self._decoder.decode(packet))

    def close(self) -> None:
        pass


@dataclass
class Taken:
    """A slot that keeps every frame it is offered."""

    frames: list[Frame] = field(default_factory=list)

    def offer(self, frame: Frame) -> None:
        self.frames.append(frame)
