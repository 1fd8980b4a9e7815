"""A source that does what a test tells it, in place of libav."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamError

TIME_BASE = Fraction(1, 1000)
INFO = VideoInfo("h264", 64, 48, None, Fraction(25), TIME_BASE)


class FaultyConnection:
    """Gives the packets and errors that are put into it; hangs for ever when there are none."""

    info = INFO

    def __init__(self, *, live: bool = True) -> None:
        self.live = live
        self.closed = False
        self._script: queue.Queue[int | bytes | StreamError | BaseException | None] = queue.Queue()

    def send(self, *stamps: int | None) -> None:
        """Let packets with these timestamps (ms) arrive."""
        for stamp in stamps:
            self._script.put(stamp)

    def send_damaged(self) -> None:
        """Let a packet arrive that no decoder can read."""
        self._script.put(b"damaged")

    def fail(self, error: BaseException) -> None:
        """Break the connection."""
        self._script.put(error)

    def packets(self) -> Iterator[av.Packet[VideoStream]]:
        while True:
            step = self._script.get(timeout=30)
            if isinstance(step, BaseException):
                raise step
            packet = cast(
                "av.Packet[VideoStream]", av.Packet(step if isinstance(step, bytes) else b"picture")
            )
            packet.time_base = TIME_BASE
            if not isinstance(step, bytes):
                packet.pts = packet.dts = step
            packet.is_keyframe = True
            yield packet

    def decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame] | None:
        if bytes(packet) == b"damaged":
            return None
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
        picture.pts = packet.pts
        return [picture]

    def close(self) -> None:
        self.closed = True


@dataclass
class FaultyCamera:
    """Opens one prepared connection (or raises one prepared error) after the other."""

    plan: list[FaultyConnection | StreamError] = field(default_factory=list)
    opened: list[FaultyConnection] = field(default_factory=list)
    attempts: int = 0

    def __call__(self, _source: SourceSettings) -> FaultyConnection:
        self.attempts += 1
        step = self.plan.pop(0)
        if isinstance(step, StreamError):
            raise step
        self.opened.append(step)
        return step


@dataclass
class Recorder:
    """A packet sink that remembers everything."""

    calls: list[str] = field(default_factory=list)
    packets: list[StreamPacket] = field(default_factory=list)
    infos: list[VideoInfo] = field(default_factory=list)
    break_next: bool = False

    def opened(self, info: VideoInfo) -> None:
        self.calls.append("opened")
        self.infos.append(info)

    def packet(self, packet: StreamPacket) -> None:
        if self.break_next:
            self.break_next = False
            raise ZeroDivisionError("a fault of this test")
        self.packets.append(packet)
        if self.calls[-1] != "packets":
            self.calls.append("packets")

    def closed(self) -> None:
        self.calls.append("closed")
