"""A cut becomes an MP4 file that starts playing at once: packets as they came, or re-encoded.

Re-encoding (H.264) happens only where a privacy polygon must be burnt in, where the clip must begin
between two keyframes, or for codecs that MP4 players do not know. libav's errors become ours here.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.error
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from kitchen_watch.edge.evidence.annexb import CODECS, AnnexB
from kitchen_watch.edge.evidence.cutting import Cut, packet_seconds
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.errors import EvidenceError

VideoPacket: TypeAlias = "av.Packet[VideoStream]"

CLOCK = 90_000
"""Ticks a second of the files' time stamps."""
TICK = Fraction(1, CLOCK)
FASTSTART = {"movflags": "+faststart"}
"""The index at the front: a browser plays before the file is there whole."""
ENCODER = {"preset": "veryfast", "crf": "23", "threads": "1"}
NOMINAL = Fraction(1, 25)
"""Duration of a lone picture."""


def write_movie(cut: Cut, path: Path, mask: PrivacyMask) -> None:
    """Write ``cut`` to ``path`` as MP4 with ``mask`` burnt in.

    Raises:
        EvidenceError: "no clip", and why.
    """
    with _translated():
        if mask.empty and cut.show_from_s == 0 and cut.info.codec in CODECS:
            _remux(cut, path)
        else:
            _encode(cut, path, mask)


def decode(info: VideoInfo, packets: Sequence[StreamPacket]) -> Iterator[tuple[av.VideoFrame, float]]:
    """Every picture that can be decoded, in the order of display, with its stream time in seconds.

    ``packets`` starts with a keyframe. Damaged packets are passed over.

    Raises:
        EvidenceError: the codec is unknown here.
    """
    with _translated():
        form = AnnexB.of(info)
        context = av.CodecContext.create(info.codec, "r")
        if not isinstance(context, VideoCodecContext):
            raise EvidenceError(f"no clip: {info.codec} is no video")
        context.thread_count = 1
        if info.codec not in CODECS and info.extradata:
            context.extradata = info.extradata
        origin = packet_seconds(packets[0])
        for index, packet in enumerate(packets):
            data = form.first(packet.data) if packet.keyframe else form.packet(packet.data)
            coded = cast(VideoPacket, av.Packet(data))
            coded.time_base = TICK
            coded.pts = _ticks(packet_seconds(packet) - origin)
            coded.dts = None if index else coded.pts
            yield from _pictures(context, coded, origin)
        yield from _pictures(context, None, origin)


def _pictures(
    context: VideoCodecContext, packet: VideoPacket | None, origin: float
) -> Iterator[tuple[av.VideoFrame, float]]:
    try:
        for frame in context.decode(packet):
            if frame.pts is not None:
                yield frame, origin + float(frame.pts * TICK)
    except av.error.InvalidDataError:
        return


def _remux(cut: Cut, path: Path) -> None:
    form = AnnexB.of(cut.info)
    coded = [form.first(p.data) if p.keyframe else form.packet(p.data) for p in cut.packets]
    with (
        _probe(cut.info.codec, coded) as template,
        av.open(str(path), "w", format="mp4", options=FASTSTART) as output,
    ):
        stream = output.add_stream_from_template(template.streams.video[0])
        stream.time_base = TICK
        if cut.info.codec == "hevc":
            stream.codec_context.codec_tag = "hvc1"  # hev1 plays nowhere on Apple's systems
        for data, (pts, dts, duration), packet in zip(coded, stamps(cut.packets), cut.packets, strict=True):
            out = cast(VideoPacket, av.Packet(data))
            out.stream = stream
            out.time_base = TICK
            out.pts, out.dts, out.duration = pts, dts, duration
            out.is_keyframe = packet.keyframe
            output.mux(out)


def _probe(codec: str, coded: Sequence[bytes]) -> InputContainer:
    """The stream as libav itself reads its parameters from the first pictures."""
    head = io.BytesIO(b"".join(coded[:8]))
    return av.open(head, "r", format=codec, options={"probesize": "50000000"})


def stamps(packets: Sequence[StreamPacket]) -> list[tuple[int, int, int]]:
    """(pts, dts, duration) in ticks of 1/90000 s; dts from 0 strictly growing, pts never before dts."""
    origin = packet_seconds(packets[0])
    shift = min(0.0, *((packet.dts if packet.dts is not None else origin) - origin for packet in packets))
    decoded: list[int] = []
    for packet in packets:
        at = packet.dts if packet.dts is not None else packet_seconds(packet)
        ticks = _ticks(at - origin - shift)
        decoded.append(ticks if not decoded else max(ticks, decoded[-1] + 1))
    steps = [after - before for before, after in itertools.pairwise(decoded)]
    usual = sorted(steps)[len(steps) // 2] if steps else _ticks(float(NOMINAL))
    return [
        (max(_ticks(packet_seconds(packet) - origin - shift), dts), dts, duration)
        for packet, dts, duration in zip(packets, decoded, [*steps, usual], strict=True)
    ]


def _encode(cut: Cut, path: Path, mask: PrivacyMask) -> None:
    origin = packet_seconds(cut.packets[0]) + cut.show_from_s
    reformatter = VideoReformatter()
    with av.open(str(path), "w", format="mp4", options=FASTSTART) as output:
        stream: VideoStream | None = None
        last = -1
        for picture, seconds in decode(cut.info, cut.packets):
            if seconds < origin - 1e-4:
                continue
            width, height = picture.width & ~1, picture.height & ~1
            if stream is None:
                stream = _encoder(output, width, height)
            if (stream.width, stream.height) != (width, height):
                break  # a change of size that the stream did not announce ends the clip
            flat = reformatter.reformat(picture, width, height, "yuv420p", threads=1)
            planes = np.ascontiguousarray(flat.to_ndarray(), dtype=np.uint8)
            mask.burn_yuv420(planes)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            last = max(_ticks(seconds - origin), last + 1)
            frame.pts, frame.time_base = last, TICK
            output.mux(stream.encode(frame))
        if stream is None:
            raise EvidenceError("no clip: none of the pictures around the moment can be decoded")
        output.mux(stream.encode(None))


def _encoder(output: OutputContainer, width: int, height: int) -> VideoStream:
    stream = output.add_stream("libx264", rate=25, options=ENCODER)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = TICK
    stream.codec_context.gop_size = 50
    stream.time_base = TICK
    return stream


def _ticks(seconds: float) -> int:
    return round(seconds * CLOCK)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EvidenceError(f"no clip: the pictures cannot be written as MP4: {error}") from error
