"""One camera's stream for many viewers: packets as they came, the newest group kept, nobody waits.

The reader's thread hands a packet to :class:`Relay`, which puts it into every viewer's own bounded
queue and goes on. A viewer that does not keep up loses what lies in its queue and goes on with the
next keyframe; it never holds up another viewer, the reader or the analysis. A new viewer is given
the group since the last keyframe, squeezed into a few milliseconds, so that its first picture is
the present one and is there at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kitchen_watch.edge.evidence.annexb import AnnexB
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.live.fitness import PASSED_THROUGH

GROUP_PACKETS = 1500
GROUP_BYTES = 12 * 1024 * 1024
"""A group that grows beyond these is not kept: a new viewer then waits for the next keyframe."""
QUEUE_SECONDS = 2.0
"""Stream time that may wait for one viewer."""
SQUEEZED_STEP = 0.001
"""Seconds between the pictures of a kept group as a new viewer gets them."""
USUAL_STEP = 0.04
REORDERED = 0.001
"""A picture shown later than it is decoded, in seconds: others come between."""
LONGEST_GAP = 3600.0


@dataclass(frozen=True, slots=True)
class LivePacket:
    """One compressed picture on the relay's own time line, which goes on over reconnects."""

    seconds: float
    """When it is to be shown, in seconds; for a stream without B-frames never going back."""
    data: bytes = field(repr=False)
    """H.264 and H.265: Annex B, keyframes with their parameter sets before them."""
    keyframe: bool
    captured_at: datetime


class Subscription:
    """One viewer's queue. ``take`` never waits; ``wake`` is called (in any thread) when it may give more."""

    def __init__(self, relay: Relay, wake: Callable[[], None], group: Sequence[LivePacket]) -> None:
        self._relay = relay
        self._wake = wake
        self._lock = threading.Lock()
        self._packets: deque[LivePacket] = deque(group)
        self._bytes = sum(len(packet.data) for packet in group)
        self._waits = not group
        self._ended = False
        self.dropped = 0
        """Packets this viewer was not given because it was too slow."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: the viewer left, or the camera is no longer relayed."""
        return self._ended

    @property
    def pending(self) -> int:
        """Packets that wait to be taken."""
        return len(self._packets)

    def take(self) -> LivePacket | None:
        """The next packet; ``None`` if none waits."""
        with self._lock:
            if not self._packets:
                return None
            packet = self._packets.popleft()
            self._bytes -= len(packet.data)
            return packet

    def close(self) -> None:
        """The viewer leaves."""
        self._relay.leave(self)

    def offer(self, packet: LivePacket) -> None:
        """Called by the relay: queue the packet, or drop what waits if the viewer is too slow."""
        with self._lock:
            behind = self._packets and packet.seconds - self._packets[0].seconds > QUEUE_SECONDS
            if behind or self._bytes > GROUP_BYTES or len(self._packets) > GROUP_PACKETS:
                self.dropped += len(self._packets)
                self._packets.clear()
                self._bytes = 0
                self._waits = True
            if self._waits and not packet.keyframe:
                self.dropped += 1
                return
            self._waits = False
            self._packets.append(packet)
            self._bytes += len(packet.data)
        self._wake()

    def end(self) -> None:
        """Called by the relay: nothing more will come."""
        with self._lock:
            self._ended = True
            self._packets.clear()
            self._bytes = 0
        self._wake()


class Relay:
    """A packet sink of one stream, and the place where its viewers subscribe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._viewers: set[Subscription] = set()
        self._group: list[LivePacket] = []
        self._group_bytes = 0
        self._group_broken = True
        self._info: VideoInfo | None = None
        self._form: AnnexB | None = None
        self._offset: float | None = None
        self._newest: LivePacket | None = None
        self._ended = False
        self._open = False
        self.reordered = False
        """Whether pictures come in another order than they are shown (B-frames)."""
        self.openings = 0

    @property
    def info(self) -> VideoInfo | None:
        """What the stream said of itself last; ``None`` before its first opening."""
        return self._info

    @property
    def newest(self) -> LivePacket | None:
        """The picture that is shown last of all that came."""
        return self._newest

    @property
    def streaming(self) -> bool:
        """Whether the stream is open and a new viewer would get pictures."""
        return self._open

    @property
    def viewers(self) -> int:
        """How many subscribe now."""
        return len(self._viewers)

    def group(self) -> tuple[LivePacket, ...]:
        """The packets since the last keyframe, as they came."""
        with self._lock:
            return tuple(self._group)

    def subscribe(self, wake: Callable[[], None]) -> Subscription:
        """A new viewer, who begins with the kept group."""
        with self._lock:
            squeezed = _squeezed(self._group) if self._open else []
            viewer = Subscription(self, wake, squeezed)
            if self._ended:
                viewer.end()
            else:
                self._viewers.add(viewer)
        if squeezed:
            wake()
        return viewer

    def leave(self, viewer: Subscription) -> None:
        """Forget a viewer; one that has left already is no matter."""
        with self._lock:
            self._viewers.discard(viewer)
        viewer.end()

    def end(self) -> None:
        """The camera is no longer relayed: every viewer's queue ends."""
        with self._lock:
            self._ended = True
            self._open = False
            viewers, self._viewers = self._viewers, set()
            self._drop_group()
        for viewer in viewers:
            viewer.end()

    # PacketSink: called in the reader's thread

    def opened(self, info: VideoInfo) -> None:
        """The stream (re)opened; its own time line begins anew, the relay's goes on."""
        try:
            form = AnnexB.of(info) if info.codec in PASSED_THROUGH else None
        except ValueError:
            form = None  # parameters cut short: nothing can be passed on, a transcode may still do
        with self._lock:
            self._info, self._form = info, form
            self._offset = None
            self.reordered = False
            self._open = True
            self.openings += 1
            self._drop_group()

    def packet(self, packet: StreamPacket) -> None:
        """Hand one packet to every viewer; returns at once."""
        with self._lock:
            placed = self._placed(packet)
            if placed is None or self._ended:
                return
            self._keep(placed)
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.offer(placed)

    def closed(self) -> None:
        """The stream is away; viewers keep their place for when it comes back."""
        with self._lock:
            self._open = False
            self._drop_group()

    def _placed(self, packet: StreamPacket) -> LivePacket | None:
        data = packet.data
        if self._form is not None:
            try:
                data = self._form.first(data) if packet.keyframe else self._form.packet(data)
            except ValueError:
                return None  # a torn packet; the decoder of a viewer would only stumble over it
        newest = self._newest
        own = packet.pts if packet.pts is not None else packet.dts
        if own is None:
            seconds = newest.seconds + USUAL_STEP if newest else 0.0
        elif self._offset is None:
            gap = (packet.captured_at - newest.captured_at).total_seconds() if newest else 0.0
            seconds = newest.seconds + min(max(gap, USUAL_STEP), LONGEST_GAP) if newest else 0.0
            self._offset = seconds - own
        else:
            seconds = max(0.0, own + self._offset)
            if newest is not None and seconds < newest.seconds:
                self.reordered = True
        if packet.pts is not None and packet.dts is not None and packet.pts - packet.dts > REORDERED:
            self.reordered = True
        return LivePacket(seconds, data, packet.keyframe, packet.captured_at)

    def _keep(self, packet: LivePacket) -> None:
        if packet.keyframe:
            self._drop_group()
            self._group_broken = False
        if not self._group_broken:
            self._group.append(packet)
            self._group_bytes += len(packet.data)
            if len(self._group) > GROUP_PACKETS or self._group_bytes > GROUP_BYTES:
                self._drop_group()
        if self._newest is None or packet.seconds >= self._newest.seconds:
            self._newest = packet

    def _drop_group(self) -> None:
        self._group = []
        self._group_bytes = 0
        self._group_broken = True


def _squeezed(group: Sequence[LivePacket]) -> list[LivePacket]:
    """The group shown within milliseconds, ending at the moment of its newest picture."""
    if not group:
        return []
    end = max(packet.seconds for packet in group)
    last = len(group) - 1
    return [
        replace(packet, seconds=max(0.0, end - (last - index) * SQUEEZED_STEP))
        for index, packet in enumerate(group)
    ]
