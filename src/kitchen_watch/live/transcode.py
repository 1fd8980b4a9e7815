"""One shared transcode of a camera: pictures decoded, privacy burnt in, encoded once for all viewers.

It runs in a thread of its own, only while somebody watches. What it cannot decode or mask is shown
to nobody: the output carries only pictures that went through the mask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol, cast

import av
import av.error
import cv2
import numpy as np
import structlog
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.live.relay import LivePacket, Relay, Subscription

KEYFRAME_EVERY_S = 2.0
LINGER_S = 5.0
"""How long it goes on after the last viewer left: a page that is loaded anew finds it warm."""
_TICK = Fraction(1, 90_000)
_WAIT_S = 0.5
MOST_REORDERED = 64
"""Packets whose pictures may still come out of a decoder."""

log = structlog.get_logger(__name__)


Treat = Callable[[NDArray[np.uint8], datetime | None], None]
"""Burns what must not be seen into the planes (YUV 4:2:0) of the picture captured then."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Largest size in pixels, pictures a second and bits a second of a transcoded stream."""

    fit: tuple[int, int] = (640, 360)
    rate: int = 15
    bit_rate: int = 700_000


SUB_STREAM = Quality()


class Hold(Protocol):
    """Keeps packets back until they may be shown."""

    @property
    def delay(self) -> timedelta:
        """How long."""
        ...

    def put(self, packet: LivePacket) -> list[LivePacket]:
        """Take one; gives those whose time has come."""
        ...

    def clear(self) -> None:
        """Forget what waits."""
        ...


class TranscodedRelay(Relay):
    """A relay whose packets are made from another's, while anybody subscribes to it."""

    def __init__(
        self,
        source: Relay,
        mask: PrivacyMask,
        *,
        quality: Quality = SUB_STREAM,
        treat: Treat | None = None,
        hold: Hold | None = None,
        linger_s: float = LINGER_S,
    ) -> None:
        """``treat`` replaces burning ``mask``; with ``hold`` everything is shown later."""
        super().__init__()
        self._source = source
        self._treat: Treat = treat or (lambda planes, _at: mask.burn_yuv420(planes))
        self._quality = quality
        self._hold = hold
        self._linger_s = linger_s
        self._starting = threading.Lock()
        self._worker: threading.Thread | None = None

    @property
    def streaming(self) -> bool:
        """Whether there is anything to transcode."""
        return self._source.streaming

    @property
    def running(self) -> bool:
        """Whether pictures are being transcoded now."""
        return self._worker is not None

    def subscribe(self, wake: Callable[[], None]) -> Subscription:
        """A new viewer; the first one sets the work going."""
        viewer = super().subscribe(wake)
        with self._starting:
            if self._worker is None and not viewer.ended:
                self._worker = threading.Thread(target=self._work, name="live-transcode", daemon=True)
                self._worker.start()
        return viewer

    def join(self, timeout_s: float) -> None:
        """Wait until the worker has ended, at most so long."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout_s)

    def _work(self) -> None:
        woken = threading.Event()
        source = self._source.subscribe(woken.set)
        try:
            self._transcode(source, woken)
        except (av.error.FFmpegError, cv2.error, ValueError) as error:
            log.error("a camera cannot be transcoded; nothing of it is shown", reason=str(error))
        finally:
            source.close()
            self.closed()
            with self._starting:
                self._worker = None

    def _transcode(self, source: Subscription, woken: threading.Event) -> None:
        transcoding, opening = self._begin(), self._source.openings
        alone_since: float | None = None
        while not source.ended:
            alone_since = None if self.viewers else alone_since or time.monotonic()
            if alone_since is not None and time.monotonic() - alone_since >= self._linger_s:
                return
            packet = source.take()
            if packet is None:
                woken.wait(_WAIT_S)
                woken.clear()
                continue
            if self._source.openings != opening:
                opening = self._source.openings
                transcoding = self._begin()
            if self._hold is None:
                transcoding.take(packet, self._source.info, behind=source.pending)
                continue
            transcoding.preview(packet, self._source.info)
            for due in self._hold.put(packet):
                transcoding.take(due, self._source.info, behind=0)

    def _begin(self) -> _Transcoding:
        late_s = 0.0
        if self._hold is not None:
            self._hold.clear()
            late_s = self._hold.delay.total_seconds()
        return _Transcoding(self._treat, self._quality, self, late_s=late_s)


class _Transcoding:
    """From one opening's packets to H.264 of Constrained Baseline. ``late_s``: how late they are shown."""

    def __init__(self, treat: Treat, quality: Quality, output: Relay, *, late_s: float = 0.0) -> None:
        self._treat = treat
        self._quality = quality
        self._output = output
        self._late_s = late_s
        self._captured: dict[int, datetime] = {}
        self._decoder: VideoCodecContext | None = None
        self._encoder: VideoCodecContext | None = None
        self._reformatter = VideoReformatter()
        self._last: float | None = None
        self._began = False

    def take(self, packet: LivePacket, info: VideoInfo | None, *, behind: int) -> None:
        """Decode one packet; encode its picture unless newer ones wait already."""
        if info is None or not (self._began or packet.keyframe):
            return
        self._began = True
        if self._decoder is None:
            self._decoder = _decoder(info)
        try:
            pictures = self._decoder.decode(self._coded(packet))
        except av.error.InvalidDataError:
            return
        for picture in pictures:
            seconds = packet.seconds if picture.pts is None else float(picture.pts * _TICK)
            waited = None if self._last is None else seconds - self._last
            if waited is not None and (waited < 0.9 / self._quality.rate or (behind > 2 and waited < 0.5)):
                continue
            if waited is None and behind > 0:
                continue  # the kept group: only its newest picture is of interest
            self._last = seconds
            self._encode(picture, seconds + self._late_s, packet, at=self._captured.get(picture.pts or 0))

    def preview(self, packet: LivePacket, info: VideoInfo | None) -> None:
        """Before anything else: the first keyframe, treated as a picture of a time of which nothing is known.

        Twice, because players show a picture once the next one has come.
        """
        if self._encoder is not None or info is None or not packet.keyframe:
            return
        decoder = _decoder(info)
        try:
            pictures = [*decoder.decode(self._coded(packet)), *decoder.decode(None)]
        except av.error.FFmpegError:
            return
        for number, picture in enumerate(2 * pictures[:1]):
            self._encode(picture, packet.seconds + number / self._quality.rate, packet, at=None)

    def _coded(self, packet: LivePacket) -> av.Packet[VideoStream]:
        coded = cast("av.Packet[VideoStream]", av.Packet(packet.data))
        coded.time_base = _TICK
        coded.pts = round(packet.seconds / _TICK)
        self._captured[coded.pts] = packet.captured_at
        if len(self._captured) > MOST_REORDERED:
            del self._captured[next(iter(self._captured))]
        return coded

    def _encode(
        self, picture: av.VideoFrame, seconds: float, packet: LivePacket, *, at: datetime | None
    ) -> None:
        width, height = _fitted(picture.width, picture.height, self._quality.fit)
        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != (width, height):
            self._encoder = encoder = _encoder(width, height, self._quality)
            rate = Fraction(self._quality.rate)
            self._output.opened(VideoInfo("h264", width, height, None, rate, _TICK, "Constrained Baseline"))
        flat = self._reformatter.reformat(picture, width, height, "yuv420p", threads=1)
        planes = np.ascontiguousarray(flat.to_ndarray(), dtype=np.uint8)
        self._treat(planes, at)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = round(seconds / _TICK), _TICK
        for made in encoder.encode(frame):
            self._output.packet(
                StreamPacket(
                    pts=seconds,
                    dts=seconds,
                    time_base=_TICK,
                    data=bytes(made),
                    keyframe=bool(made.is_keyframe),
                    received_at=packet.captured_at,
                    captured_at=packet.captured_at,
                )
            )


def _decoder(info: VideoInfo) -> VideoCodecContext:
    context = av.CodecContext.create(info.codec, "r")
    if not isinstance(context, VideoCodecContext):
        raise ValueError(f"{info.codec} is no video")
    context.thread_count = 1
    return context


def _encoder(width: int, height: int, quality: Quality) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = _TICK
    context.framerate = Fraction(quality.rate)
    context.bit_rate = quality.bit_rate
    context.gop_size = round(quality.rate * KEYFRAME_EVERY_S)
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"}
    return context


def _fitted(width: int, height: int, fit: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, fit[0] / width, fit[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
