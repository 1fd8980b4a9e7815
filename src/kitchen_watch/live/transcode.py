"""One shared transcode of a camera: pictures decoded, privacy burnt in, encoded once for all viewers.

It runs in a thread of its own, only while somebody watches. What it cannot decode or mask is shown
to nobody: the output carries only pictures that went through the mask.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import cast

import av
import av.error
import cv2
import numpy as np
import structlog
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.live.relay import LivePacket, Relay, Subscription

FIT = (640, 360)
"""Largest size of a transcoded stream: that of a sub stream."""
RATE = 15
KEYFRAME_EVERY_S = 2.0
BIT_RATE = 700_000
LINGER_S = 5.0
"""How long it goes on after the last viewer left: a page that is loaded anew finds it warm."""
_TICK = Fraction(1, 90_000)
_WAIT_S = 0.5

log = structlog.get_logger(__name__)


class TranscodedRelay(Relay):
    """A relay whose packets are made from another's, while anybody subscribes to it."""

    def __init__(
        self, source: Relay, mask: PrivacyMask, *, fit: tuple[int, int] = FIT, linger_s: float = LINGER_S
    ) -> None:
        super().__init__()
        self._source = source
        self._mask = mask
        self._fit = fit
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
        transcoding, opening = _Transcoding(self._mask, self._fit, self), self._source.openings
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
                transcoding = _Transcoding(self._mask, self._fit, self)
            transcoding.take(packet, self._source.info, behind=source.pending)


class _Transcoding:
    """From one opening's packets to H.264 of Constrained Baseline."""

    def __init__(self, mask: PrivacyMask, fit: tuple[int, int], output: Relay) -> None:
        self._mask = mask
        self._fit = fit
        self._output = output
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
        coded = cast("av.Packet[VideoStream]", av.Packet(packet.data))
        coded.time_base = _TICK
        coded.pts = round(packet.seconds / _TICK)
        try:
            pictures = self._decoder.decode(coded)
        except av.error.InvalidDataError:
            return
        for picture in pictures:
            seconds = packet.seconds if picture.pts is None else float(picture.pts * _TICK)
            waited = None if self._last is None else seconds - self._last
            if waited is not None and (waited < 0.9 / RATE or (behind > 2 and waited < 0.5)):
                continue
            if waited is None and behind > 0:
                continue  # the kept group: only its newest picture is of interest
            self._last = seconds
            self._encode(picture, seconds, packet)

    def _encode(self, picture: av.VideoFrame, seconds: float, packet: LivePacket) -> None:
        width, height = _fitted(picture.width, picture.height, self._fit)
        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != (width, height):
            self._encoder = encoder = _encoder(width, height)
            self._output.opened(
                VideoInfo("h264", width, height, None, Fraction(RATE), _TICK, "Constrained Baseline")
            )
        flat = self._reformatter.reformat(picture, width, height, "yuv420p", threads=1)
        planes = np.ascontiguousarray(flat.to_ndarray(), dtype=np.uint8)
        self._mask.burn_yuv420(planes)
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


def _encoder(width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = _TICK
    context.framerate = Fraction(RATE)
    context.bit_rate = BIT_RATE
    context.gop_size = round(RATE * KEYFRAME_EVERY_S)
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "threads": "1"}
    return context


def _fitted(width: int, height: int, fit: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, fit[0] / width, fit[1] / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
