"""Proof that a clip can be played and shows its moment, before anybody is told that it is ready."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from kitchen_watch.errors import EvidenceError

NEAR_S = 1.0
"""The moment's picture may be this far from it: cameras skip pictures."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What was seen in the finished file."""

    codec: str
    width: int
    height: int
    pictures: int
    duration_s: float
    moment_s: float
    """Place of the decoded picture nearest to the moment, in seconds from the start."""


def prove(path: Path, moment_s: float) -> Proven:
    """Open the clip, read all of it, and decode the picture ``moment_s`` seconds after its start.

    Raises:
        EvidenceError: "no clip", and what is wrong with it.
    """
    try:
        with av.open(str(path), "r") as container:
            return _prove(container, moment_s)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise EvidenceError(f"no clip: it does not play: {error}") from error


def _prove(container: InputContainer, moment_s: float) -> Proven:
    if len(container.streams.video) != 1:
        raise EvidenceError("no clip: the file has no picture")
    stream = container.streams.video[0]
    base = stream.time_base
    packets = [packet for packet in container.demux(stream) if packet.size]
    if base is None or not packets:
        raise EvidenceError("no clip: the file has no picture")
    if not packets[0].is_keyframe:
        raise EvidenceError("no clip: it does not begin with a keyframe")
    decoded = [packet.dts for packet in packets if packet.dts is not None]
    if len(decoded) != len(packets) or any(b <= a for a, b in itertools.pairwise(decoded)):
        raise EvidenceError("no clip: its time stamps do not grow")
    shown = [packet.pts for packet in packets if packet.pts is not None]
    start = min(shown)
    container.seek(round(moment_s / base) + start, stream=stream)
    best: float | None = None
    for frame in container.decode(stream):
        if frame.pts is None:
            continue
        at = float((frame.pts - start) * base)
        if best is None or abs(at - moment_s) < abs(best - moment_s):
            best = at
        if at >= moment_s:
            break
    if best is None or abs(best - moment_s) > NEAR_S:
        raise EvidenceError("no clip: the picture of the moment cannot be decoded")
    return Proven(
        codec=stream.codec_context.name,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        pictures=len(packets),
        duration_s=float((max(shown) - start) * base),
        moment_s=best,
    )
