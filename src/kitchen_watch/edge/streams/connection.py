"""One open source: demultiplexing and decoding with libav, and nothing about threads or time.

Everything that leaves this module is either a packet, a picture or an error of our own tree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from kitchen_watch.edge.streams.failures import (
    check_file,
    no_video,
    opening_failed,
    reading_failed,
    unknown_codec,
)
from kitchen_watch.edge.streams.packets import VideoInfo
from kitchen_watch.edge.streams.source import SourceKind, SourceSettings

_DAMAGED_IN_A_ROW = 50

VideoPacket: TypeAlias = "av.Packet[VideoStream]"


class Connection(Protocol):
    """What a reader needs of an open source; tests put a faulty one in its place."""

    @property
    def info(self) -> VideoInfo:
        """What the stream says of itself."""
        ...

    @property
    def live(self) -> bool:
        """Whether packets come when they are captured (False: as fast as they are read)."""
        ...

    def packets(self) -> Iterator[VideoPacket]:
        """Every packet in decode order; one without data marks the end of a file or of its loop.

        Raises:
            StreamError: the source stalled, broke or ended.
        """
        ...

    def decode(self, packet: VideoPacket) -> list[av.VideoFrame] | None:
        """The pictures that ``packet`` completes; ``None`` if the packet is damaged."""
        ...

    def close(self) -> None:
        """Give back the socket, file and decoder. May be called twice."""
        ...


OpenVideo = Callable[[SourceSettings], Connection]


class LibavConnection:
    """A source opened with libav."""

    def __init__(self, source: SourceSettings) -> None:
        self._source = source
        self._container, self._stream = _open(source)
        self._offset = 0  # ticks that earlier passes of a looped file have taken
        self._info = _describe(self._stream)
        self._live = source.kind is not SourceKind.FILE

    @property
    def info(self) -> VideoInfo:
        """What the stream says of itself."""
        return self._info

    @property
    def live(self) -> bool:
        """False for files."""
        return self._live

    def packets(self) -> Iterator[VideoPacket]:
        """Every video packet in decode order, with timestamps that go on over a file's loops.

        Raises:
            StreamEnded: a file that does not loop came to its end.
            StreamStalled: nothing came for the read time-out.
            StreamUnreachable: the camera ended the connection.
        """
        while True:
            first: int | None = None
            end = 0
            for packet in self._pass():
                stamp = packet.dts if packet.dts is not None else packet.pts
                if packet.size and stamp is None and not self.live:
                    # A raw stream in a file: only the frame rate says when its pictures are due.
                    stamp = packet.pts = packet.dts = end
                if packet.size and stamp is not None:
                    first = stamp if first is None else first
                    end = max(end, stamp + (packet.duration or self._frame_ticks()))
                    _shift(packet, self._offset)
                yield packet
            if not self._source.loop or first is None:
                raise reading_failed(None, self._source)
            self._offset += end - first
            self._container.close()
            # Opening anew instead of seeking: the same for every container format.
            self._container, self._stream = _open(self._source)

    def _pass(self) -> Iterator[VideoPacket]:
        """Demultiplex until the end, reading on after damaged places."""
        damaged = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    damaged = 0
                    yield packet
                return
            except av.error.InvalidDataError as error:
                damaged += 1
                problem: Exception = error
            except (av.error.FFmpegError, OSError) as error:
                damaged = _DAMAGED_IN_A_ROW
                problem = error
            if damaged >= _DAMAGED_IN_A_ROW:
                raise reading_failed(problem, self._source)

    def decode(self, packet: VideoPacket) -> list[av.VideoFrame] | None:
        """The pictures that ``packet`` completes; ``None`` if the packet is damaged."""
        try:
            return list(self._stream.decode(packet))
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, OSError, ValueError):
            return None

    @property
    def duration(self) -> timedelta | None:
        """Announced length of a file; ``None`` where it does not say."""
        if self._stream.duration:  # more exact than the container's, which edit lists may shorten
            return timedelta(seconds=float(self._stream.duration * self._info.time_base))
        ticks = self._container.duration
        return None if ticks is None else timedelta(microseconds=ticks)

    def close(self) -> None:
        """Give back the socket, file and decoder. May be called twice."""
        self._container.close()

    def _frame_ticks(self) -> int:
        rate = self._info.frame_rate or Fraction(25)
        return max(1, round(1 / (rate * self._info.time_base)))


def open_connection(source: SourceSettings) -> Connection:
    """Open ``source`` within its time-outs.

    Raises:
        StreamUnreachable: nobody answers.
        StreamRefused: the source answers, but with no video that can be decoded.
    """
    return LibavConnection(source)


def measure_size(info: VideoInfo, data: bytes) -> tuple[int, int] | None:
    """(width, height) of the keyframe ``data`` that carries its own parameter sets, or ``None``."""
    context = av.CodecContext.create(info.codec, "r")
    if not isinstance(context, VideoCodecContext):
        return None
    context.thread_count = 1
    try:
        pictures = [*context.decode(av.Packet(data)), *context.decode(None)]
    except av.error.FFmpegError:
        return None
    return (pictures[0].width, pictures[0].height) if pictures else None


def _open(source: SourceSettings) -> tuple[InputContainer, VideoStream]:
    if source.kind is SourceKind.FILE:
        check_file(source)
    started = time.perf_counter()
    try:
        container = _open_container(source)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        problem = opening_failed(error, source, elapsed=time.perf_counter() - started)
    else:
        if not container.streams.video:
            container.close()
            raise no_video(source)
        stream = container.streams.video[0]
        # codec_context is None, against its type, where libav has no decoder.
        context: VideoCodecContext | None = stream.codec_context
        if context is None:
            container.close()
            raise unknown_codec(source, None)
        # Many cameras share the machine; more threads per decoder would only add delay.
        context.thread_count = 1
        return container, stream
    raise problem  # outside of ``except``: the original error's text contains the password


def _open_container(source: SourceSettings) -> InputContainer:
    if source.kind is SourceKind.FILE:
        return av.open(str(source.path), "r")
    timeout = (source.open_timeout.total_seconds(), source.read_timeout.total_seconds())
    if source.kind is SourceKind.WEBCAM:
        if sys.platform == "darwin":
            options = {"framerate": "30"}
            return av.open(str(source.webcam_index), "r", "avfoundation", options, timeout=timeout)
        return av.open(f"/dev/video{source.webcam_index}", "r", "v4l2", timeout=timeout)
    return av.open(source.address().get_secret_value(), "r", "rtsp", _rtsp_options(source), timeout=timeout)


def _rtsp_options(source: SourceSettings) -> dict[str, str]:
    microseconds = str(int(source.read_timeout.total_seconds() * 1_000_000))
    options = {
        "rtsp_transport": source.transport,
        "allowed_media_types": "video",
        "timeout": microseconds,
        # How much is looked at before the first packet comes out: less means faster, and the size
        # is in the session description or in the first keyframe anyway. (fflags=nobuffer would
        # throw away what was looked at, and with it the first keyframe.)
        "analyzeduration": "1000000",
        "probesize": "1000000",
        "fpsprobesize": "0",
    }
    if source.transport == "udp":
        options |= {"buffer_size": "1048576", "max_delay": "300000"}
    return options


def _describe(stream: VideoStream) -> VideoInfo:
    context: Any = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate
    return VideoInfo(
        codec=context.name,
        width=context.width,
        height=context.height,
        extradata=context.extradata,
        frame_rate=Fraction(rate) if rate and 0 < rate <= 240 else None,
        time_base=Fraction(stream.time_base or Fraction(1, 90_000)),
        profile=context.profile,
    )


def _shift(packet: VideoPacket, ticks: int) -> None:
    if ticks:
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
