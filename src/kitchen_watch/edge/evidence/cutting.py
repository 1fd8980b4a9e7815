"""Which packets make a clip: a pure choice from what a stream sent around a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.errors import EvidenceError

SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(seconds=30)
SHORT_BY = 1.5
"""Seconds that may be missing at either end before the clip says so."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Packets of one codec configuration, the first one a keyframe, in decode order.

    ``moment_s`` and ``show_from_s`` are seconds after the first packet: where the moment lies, and
    where the clip has to begin (0: with its first packet; later where the keyframe before the
    moment lies so far back that the clip would be too long, which takes re-encoding).
    """

    info: VideoInfo
    packets: tuple[StreamPacket, ...]
    moment_s: float
    show_from_s: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def starts_at(self) -> datetime:
        """Device time of the clip's first picture."""
        return self.packets[0].captured_at + timedelta(seconds=self.show_from_s)

    @property
    def ends_at(self) -> datetime:
        """Device time of the clip's last picture."""
        return max(packet.captured_at for packet in self.packets)


def clip_span(before: timedelta, after: timedelta) -> tuple[timedelta, timedelta]:
    """``before`` and ``after`` fitted into 10 s to 30 s in all: more after, less before."""
    before = min(max(before, timedelta(0)), LONGEST)
    after = min(max(after, timedelta(0)), LONGEST - before)
    return before, max(after, SHORTEST - before)


def packet_seconds(packet: StreamPacket) -> float:
    """A packet's place on its stream's own time line, in seconds."""
    if packet.pts is not None:
        return packet.pts
    return packet.dts if packet.dts is not None else packet.captured_at.timestamp()


def select(
    info: VideoInfo,
    packets: Sequence[StreamPacket],
    *,
    moment: datetime,
    before: timedelta,
    after: timedelta,
    near: timedelta,
    broke_off: bool,
) -> Cut:
    """Choose from ``packets`` (decode order) those from the keyframe at or before ``moment - before``
    up to ``moment + after``.

    The moment is found by ``captured_at``; everything else goes by the stream's own time, which no
    step of the device's clock can shake.

    Raises:
        EvidenceError: "no clip", and why.
    """
    if not packets:
        raise EvidenceError(
            "no clip: no keyframe came, or keyframes lie too far apart for the memory that clips have; "
            "set the camera to a keyframe every 2 s"
        )
    nearest = min(packets, key=lambda packet: abs(packet.captured_at - moment))
    away = abs(nearest.captured_at - moment)
    if away > near:
        side = "ended" if nearest.captured_at < moment else "began"
        raise EvidenceError(
            f"no clip: the camera's pictures {side} {away.total_seconds():.1f} s "
            f"{'before' if side == 'ended' else 'after'} the moment"
        )
    anchor = packet_seconds(nearest)
    wanted_start, wanted_end = anchor - before.total_seconds(), anchor + after.total_seconds()
    first = _first_keyframe(packets, wanted_start, anchor, wanted_end)
    start = packet_seconds(packets[first])
    chosen = tuple(packet for packet in packets[first:] if packet_seconds(packet) <= wanted_end)
    end = max(packet_seconds(packet) for packet in chosen)
    too_long = wanted_end - start > LONGEST.total_seconds()
    notes = []
    if start - wanted_start > SHORT_BY:
        notes.append(f"the clip begins {anchor - start:.1f} s before the moment: nothing older was kept")
    if wanted_end - end > SHORT_BY:
        why = "the camera's stream broke off" if broke_off else "the camera sent nothing more in time"
        notes.append(f"the clip ends {max(0.0, end - anchor):.1f} s after the moment: {why}")
    return Cut(
        info=info,
        packets=chosen,
        moment_s=anchor - start,
        show_from_s=wanted_start - start if too_long else 0.0,
        notes=tuple(notes),
    )


def _first_keyframe(
    packets: Sequence[StreamPacket], wanted_start: float, anchor: float, wanted_end: float
) -> int:
    """Index of the last keyframe at or before ``wanted_start``, else the first one before the moment.

    Where that makes the clip too long, a keyframe a little later is better than re-encoding.
    """
    places = [(index, packet_seconds(packet)) for index, packet in enumerate(packets) if packet.keyframe]
    early = [index for index, at in places if at <= wanted_start]
    late = [(index, at) for index, at in places if wanted_start < at <= anchor]
    if early:
        too_long = wanted_end - packet_seconds(packets[early[-1]]) > LONGEST.total_seconds()
        if too_long and late and late[0][1] <= (wanted_start + anchor) / 2:
            return late[0][0]
        return early[-1]
    if not late:
        raise EvidenceError("no clip: no keyframe came before the moment")
    return late[0][0]
