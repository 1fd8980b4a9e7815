"""The packet ring: the last seconds of a camera as they came, and clips cut out of them.

Packets arrive in the reader's thread and are never decoded here. The ring holds whole groups of
pictures (a keyframe and what depends on it), so that whatever is cut can be decoded; a cut never
crosses a reconnect or a change of codec parameters.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.cutting import Cut, clip_span, packet_seconds, select
from kitchen_watch.edge.evidence.runs import Group, Run
from kitchen_watch.edge.streams.packets import StreamPacket, VideoInfo
from kitchen_watch.errors import EvidenceError

BEFORE = timedelta(seconds=5)
AFTER = timedelta(seconds=10)
GRACE = timedelta(seconds=5)
"""How much longer than the post-roll a cut waits for a slow camera."""
NEAR = timedelta(seconds=1)
"""A picture this near to the moment shows it; a stream that began or ended so near has it."""
MOST_CUTS = 32
"""Cuts under way at once, per camera."""


class ClipRequest:
    """A cut under way: it keeps the packets it needs, and knows when the last of them is in."""

    def __init__(self, ring: PacketRing, moment: datetime, before: timedelta, after: timedelta) -> None:
        self.moment = moment
        self.before = before
        self.after = after
        self._ring = ring
        self._run: Run | None = None
        self._kept: list[Group] = []
        self._anchor: float | None = None
        self._complete = False
        self._waiter: Callable[[], None] | None = None

    async def ready(self, clock: Clock) -> None:
        """Return when the post-roll is in, the stream broke off, or it has taken too long."""
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(event.set)

        if self._ring.wait_for(self, wake):
            return
        left = self.moment + self.after + GRACE - clock.now()
        # A moment in the far future or past is a stepped clock, not a reason to wait or to hurry.
        left = min(max(left, timedelta(0)), self.after + GRACE)
        waiting = {asyncio.create_task(event.wait()), asyncio.create_task(clock.sleep(left))}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def take(self) -> Cut:
        """What is there now; ends the request. To be called once, from any thread.

        Raises:
            EvidenceError: "no clip", and why.
        """
        return self._ring.finish(self)

    def cancel(self) -> None:
        """End the request without a clip."""
        self._ring.forget(self)

    # called by the ring, under its lock

    def attach(self, run: Run) -> None:
        """Cut from this run."""
        self._run = run
        self._kept = list(run.groups)
        for packet in run.packets():
            self._look(packet)
        if run.ended:
            self._finished()

    def follow(self, run: Run, group: Group, packet: StreamPacket) -> None:
        """A packet came in."""
        if self._run is not run:
            return
        if not self._kept or self._kept[-1] is not group:
            self._kept.append(group)
        self._look(packet)

    def run_ended(self, run: Run) -> None:
        """No more packets of this run will come."""
        if self._run is run:
            self._finished()

    def waits(self, wake: Callable[[], None]) -> bool:
        """Whether it is complete; otherwise ``wake`` is called once it is."""
        self._waiter = wake
        return self._complete

    def kept(self) -> list[StreamPacket]:
        """Every packet that was kept, in decode order."""
        return [packet for group in self._kept for packet in group.packets]

    def select(self, packets: list[StreamPacket]) -> Cut:
        """Choose from what was kept."""
        if self._run is None:
            raise EvidenceError("no clip: the camera sent no pictures at that moment")
        return select(
            self._run.info, packets, moment=self.moment, before=self.before, after=self.after, near=NEAR,
            broke_off=self._run.ended,
        )  # fmt: skip

    def _look(self, packet: StreamPacket) -> None:
        if self._complete:
            return
        if self._anchor is None and packet.captured_at >= self.moment:
            self._anchor = packet_seconds(packet)
        if self._anchor is not None and packet_seconds(packet) > self._anchor + self.after.total_seconds():
            self._finished()

    def _finished(self) -> None:
        self._complete = True
        if self._waiter is not None:
            self._waiter()

    @property
    def attached(self) -> bool:
        """Whether it has found the run that its moment lies in."""
        return self._run is not None

    @property
    def complete(self) -> bool:
        """Whether more packets would change nothing."""
        return self._complete


class PacketRing:
    """A packet sink that keeps the last ``seconds`` of one stream, at most ``max_bytes`` of it.

    Thread-safe: packets come in the reader's thread, cuts from anywhere.
    """

    def __init__(self, *, seconds: float = 45.0, max_bytes: int = 64_000_000) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._runs: list[Run] = []
        self._requests: list[ClipRequest] = []
        self._size = 0
        self._overflowed = False

    # PacketSink

    def opened(self, info: VideoInfo) -> None:
        """A new run begins."""
        with self._lock:
            self._end_run()
            run = Run(info)
            self._runs = [old for old in self._runs if old.groups]
            self._runs.append(run)
            for request in self._requests:
                if not request.attached:
                    request.attach(run)

    def packet(self, packet: StreamPacket) -> None:
        """Keep one packet. Nothing before a keyframe is worth keeping."""
        with self._lock:
            run = self._runs[-1] if self._runs else None
            if run is None or run.ended or _repeats(packet, run.last):
                return
            if packet.keyframe:
                run.groups.append(Group([packet], len(packet.data)))
                self._overflowed = False
            elif run.groups and not self._overflowed:
                group = run.groups[-1]
                group.packets.append(packet)
                group.size += len(packet.data)
            else:
                return
            self._size += len(packet.data)
            for request in self._requests:
                request.follow(run, run.groups[-1], packet)
            self._evict(run, packet)

    def closed(self) -> None:
        """The run ends."""
        with self._lock:
            self._end_run()

    # cuts

    def cut(self, moment: datetime, before: timedelta = BEFORE, after: timedelta = AFTER) -> ClipRequest:
        """Begin a clip around ``moment`` (aware UTC): its pre-roll is safe from now on.

        ``before`` and ``after`` are fitted into 10 s to 30 s in all.

        Raises:
            EvidenceError: too many cuts of this camera are under way.
        """
        request = ClipRequest(self, moment, *clip_span(before, after))
        with self._lock:
            if len(self._requests) >= MOST_CUTS:
                raise EvidenceError(f"no clip: {MOST_CUTS} clips of this camera are being made already")
            run = self._run_at(moment)
            if run is not None:
                request.attach(run)
            self._requests.append(request)
        return request

    def group_at(self, moment: datetime) -> tuple[VideoInfo, list[StreamPacket]]:
        """The group of pictures that ``moment`` lies in, to be decoded.

        Raises:
            EvidenceError: the ring has no picture near it.
        """
        with self._lock:
            run = self._run_at(moment)
            groups = [] if run is None else list(run.groups)
            chosen = None
            for group in groups:
                if chosen is None or group.packets[0].captured_at <= moment:
                    chosen = group
            packets = [] if chosen is None else list(chosen.packets)
        if run is None or not packets or not _covers(packets, moment):
            raise EvidenceError("the stream has no picture near that moment")
        return run.info, packets

    @property
    def held(self) -> tuple[timedelta, int]:
        """How much of the present run is kept: duration and bytes (of all runs)."""
        with self._lock:
            run = self._runs[-1] if self._runs else None
            first, last = (run.first, run.last) if run is not None else (None, None)
            if first is None or last is None:
                return timedelta(0), self._size
            return timedelta(seconds=packet_seconds(last) - packet_seconds(first)), self._size

    # called by requests

    def wait_for(self, request: ClipRequest, wake: Callable[[], None]) -> bool:
        """Register for completion; whether it is complete already."""
        with self._lock:
            return request.waits(wake)

    def finish(self, request: ClipRequest) -> Cut:
        """Take the request's packets out."""
        with self._lock:
            self._drop(request)
            packets = request.kept()
        return request.select(packets)

    def forget(self, request: ClipRequest) -> None:
        """The request is not wanted any more."""
        with self._lock:
            self._drop(request)

    def _drop(self, request: ClipRequest) -> None:
        with contextlib.suppress(ValueError):
            self._requests.remove(request)

    def _end_run(self) -> None:
        if self._runs and not self._runs[-1].ended:
            run = self._runs[-1]
            run.ended = True
            for request in self._requests:
                request.run_ended(run)

    def _run_at(self, moment: datetime) -> Run | None:
        """The newest run that had begun by then; an empty one that is open will have it."""
        for run in reversed(self._runs):
            first, last = run.first, run.last
            if first is None or last is None:
                if not run.ended:
                    return run
                continue
            if first.captured_at <= moment + NEAR:
                # A run that was over by then is not it, but nothing older is either.
                return run if not run.ended or moment <= last.captured_at + NEAR else None
        return None

    def _evict(self, run: Run, newest: StreamPacket) -> None:
        """Drop whole groups: the oldest runs first, then what the rest does without."""
        for old in self._runs[:-1]:
            last = old.last
            if last is None or (newest.received_at - last.received_at).total_seconds() > self._seconds:
                self._size -= sum(group.size for group in old.groups)
                old.groups.clear()
        while len(run.groups) > 1 and (
            packet_seconds(newest) - packet_seconds(run.groups[1].packets[0]) >= self._seconds
        ):
            self._size -= run.groups.popleft().size
        while self._size > self._max_bytes:
            oldest = next(candidate for candidate in self._runs if candidate.groups)
            group = oldest.groups.popleft()
            self._size -= group.size
            # One group alone is too large: nothing can be cut until the next keyframe.
            self._overflowed = self._overflowed or not run.groups
        self._runs = [old for old in self._runs if old is run or old.groups]


def _repeats(packet: StreamPacket, last: StreamPacket | None) -> bool:
    """Some servers send a packet twice when they are late; decoded twice it spoils what follows."""
    return last is not None and packet.dts == last.dts and packet.data == last.data


def _covers(packets: list[StreamPacket], moment: datetime) -> bool:
    return packets[0].captured_at - NEAR <= moment <= packets[-1].captured_at + NEAR
