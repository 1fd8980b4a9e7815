"""A camera's stream that never gives up: readers come and go, the newest frame stays in reach.

One supervisor task per stream watches the present reader, replaces it when the camera stalls or
the reader hangs, waits with growing pauses while the camera is away, and says in words how it is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kitchen_watch.clock import Clock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.streams.attention import Attention
from kitchen_watch.edge.streams.backoff import STABLE, reconnect_delay
from kitchen_watch.edge.streams.connection import OpenVideo, open_connection
from kitchen_watch.edge.streams.failures import WrongPassword
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.newest import NewestSlot, wake
from kitchen_watch.edge.streams.packets import PacketSink
from kitchen_watch.edge.streams.reader import Reader, ReadingPlan
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.streams.stall import stall_reason
from kitchen_watch.edge.streams.status import StreamStatus, Tally
from kitchen_watch.errors import StreamEnded, StreamError, StreamStalled

TICK = timedelta(seconds=0.5)
"""How often a reader is looked at. Its end is seen at once."""
HANGING_LIMIT = 4
"""Retired readers that may still hang in libav before no further one is started."""
ON_DEMAND_NICE = 5
_STOP_WAIT_S = 2.0
_RANDOM = random.SystemRandom()


@dataclass(slots=True)
class _Condition:
    state: CameraState
    since: datetime
    reason: str | None = None


class CameraStream:
    """One connection to one source: packets to sinks at once, frames for analysis on demand.

    With ``decode=False`` packets only pass through (a main stream that is recorded, not analysed);
    ``newest()`` then gives nothing. ``start`` and everything async belong to one event loop.
    """

    def __init__(
        self,
        stream_id: str,
        source: SourceSettings,
        *,
        clock: Clock,
        rate: float,
        fit: tuple[int, int],
        packet_sinks: Sequence[PacketSink] = (),
        decode: bool = True,
        open_video: OpenVideo = open_connection,
    ) -> None:
        self.stream_id = stream_id
        self.source = source
        self._attention = Attention()
        self._plan = ReadingPlan(stream_id, source, rate, fit, tuple(packet_sinks), decode, self._attention)
        self._clock = clock
        self._open_video = open_video
        self._tally = Tally()
        self._condition = _Condition(CameraState.CONNECTING, clock.now())
        self._reader: Reader | None = None
        self._hanging: list[Reader] = []
        self._connections = 0
        self._reconnect_asked = False
        self._task: asyncio.Task[None] | None = None
        self._slot: NewestSlot | None = None
        self._wake = asyncio.Event()

    def only_on_demand(self) -> None:
        """Decode only while somebody attends, and where time is short, after those that are always watched.

        To be called before :meth:`start`.
        """
        self._plan = replace(self._plan, nice=ON_DEMAND_NICE)
        self.attend(False)

    def start(self) -> None:
        """Begin to connect. Call once, inside the event loop that uses the stream."""
        loop = asyncio.get_running_loop()
        self._slot = NewestSlot(loop)
        self._condition = _Condition(CameraState.CONNECTING, self._clock.now())
        self._task = loop.create_task(self._supervise(), name=f"stream-{self.stream_id}")

    async def stop(self) -> None:
        """Disconnect, close the sinks and end ``newest()``; returns within about two seconds.

        A reader that hangs is left to end by itself. Raises what broke the supervisor, if
        anything did.
        """
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        reader = self._reader
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
        finally:
            if reader is not None:
                reader.retire()
                await asyncio.to_thread(reader.join, _STOP_WAIT_S)

    async def newest(self) -> AsyncGenerator[Frame]:
        """Frames at the analysis rate, always the newest one; ends with the stream.

        For one consumer. While the camera is away nothing comes; ``status()`` says why.
        """
        slot = self._slot
        if slot is None:
            raise RuntimeError("start() comes before newest()")
        while (frame := await slot.take()) is not None:
            yield frame

    def poll(self) -> Frame | None:
        """The newest frame if nobody has taken it yet; for a consumer that asks instead of waiting."""
        return None if self._slot is None else self._slot.poll()

    def reconnect(self) -> None:
        """Drop the present connection and open a new one now, also in the middle of a pause."""
        self._reconnect_asked = True
        self._wake.set()

    def attend(self, here: bool) -> None:
        """Decode from the last keyframe on, or stop decoding; packets reach the sinks either way."""
        self._attention.turn(here, self._clock.monotonic())

    def status(self) -> StreamStatus:
        """How the stream is at this moment."""
        tally, slot, info = self._tally, self._slot, self._tally.info
        age = None if tally.newest_at is None else max(timedelta(0), self._clock.now() - tally.newest_at)
        return StreamStatus(
            stream_id=self.stream_id,
            state=self._condition.state,
            since=self._condition.since,
            reason=self._condition.reason,
            received=tally.received,
            decoded=tally.decoded,
            offered=slot.offered if slot else 0,
            dropped=tally.late + (slot.dropped if slot else 0),
            corrupt=tally.corrupt,
            jumps=tally.jumps,
            reconnects=max(0, self._connections - 1),
            frame_age=age,
            lag=tally.lag,
            codec=info.codec if info else None,
            width=info.width if info else None,
            height=info.height if info else None,
        )

    async def _supervise(self) -> None:
        assert self._slot is not None
        failures = 0
        try:
            while True:
                started = self._clock.monotonic()
                failure = await self._one_connection(self._slot)
                if isinstance(failure, StreamEnded):
                    self._enter(CameraState.ENDED, str(failure))
                    return
                if failure is None:
                    failures = 0
                    continue
                streamed = self._condition.state is CameraState.STREAMING
                lasted = timedelta(seconds=self._clock.monotonic() - started)
                failures = 1 if streamed and lasted >= STABLE else failures + 1
                stalled = isinstance(failure, StreamStalled)
                self._enter(CameraState.STALLED if stalled else CameraState.OFFLINE, str(failure))
                await self._pause(
                    reconnect_delay(
                        failures,
                        jitter=_RANDOM.random(),
                        wrong_password=isinstance(failure, WrongPassword),
                    )
                )
        finally:
            if self._reader is not None:
                self._reader.retire()
            self._slot.close()

    async def _one_connection(self, slot: NewestSlot) -> StreamError | None:
        """Run one reader until it ends or must be replaced; ``None``: a reconnect was asked for."""
        self._reconnect_asked = False
        loop = asyncio.get_running_loop()
        reader = Reader(
            self._plan,
            open_video=self._open_video,
            clock=self._clock,
            tally=self._tally,
            slot=slot,
            wake=lambda: wake(loop, self._wake),
        )
        self._reader = reader
        self._connections += 1
        reader.start()
        try:
            while True:
                await self._sleep(TICK)
                self._look(reader)
                if reader.ended:
                    return reader.failure or StreamStalled(
                        f"{self.source.place}: reading broke off by a fault of this program; the log says "
                        "where. It is connected again."
                    )
                if self._reconnect_asked:
                    return None
                reason = self._stalled(reader)
                if reason is not None:
                    return StreamStalled(f"{self.source.place}: the camera {reason}. It is connected again.")
        finally:
            reader.retire()
            self._hanging = [old for old in (*self._hanging, reader) if old.alive]

    def _look(self, reader: Reader) -> None:
        """Streaming is what has given a picture (or a packet, where nothing is decoded)."""
        progress = reader.progress
        seen = progress.picture if self._decodes else progress.packet
        if seen is not None and self._condition.state is not CameraState.STREAMING:
            self._enter(CameraState.STREAMING, None)

    @property
    def _decodes(self) -> bool:
        return self._plan.decode and self._attention.here

    def _stalled(self, reader: Reader) -> str | None:
        progress, since = reader.progress, self._attention.since
        if since is not None and progress.opened is not None:
            # Nobody may miss pictures of a time in which none was decoded.
            progress = replace(progress, picture=max(since, progress.picture or progress.opened))
        return stall_reason(
            progress,
            self._clock.monotonic(),
            open_timeout=self.source.open_timeout.total_seconds(),
            read_timeout=self.source.read_timeout.total_seconds(),
            decode=self._decodes,
        )

    async def _pause(self, delay: timedelta) -> None:
        until = self._clock.monotonic() + delay.total_seconds()
        while not self._reconnect_asked:
            left = until - self._clock.monotonic()
            self._hanging = [old for old in self._hanging if old.alive]
            if left <= 0 and len(self._hanging) < HANGING_LIMIT:
                return
            await self._sleep(timedelta(seconds=left) if left > 0 else TICK)

    async def _sleep(self, duration: timedelta) -> None:
        """Sleep on the injected clock, or less if somebody wakes the supervisor."""
        sleep = asyncio.ensure_future(self._clock.sleep(duration))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleep, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            woken.cancel()
        self._wake.clear()

    def _enter(self, state: CameraState, reason: str | None) -> None:
        """Change state; an outage that only changes its kind keeps the time it began."""
        outage = {CameraState.OFFLINE, CameraState.STALLED}
        if self._condition.state in outage and state in outage:
            self._condition.state, self._condition.reason = state, reason
        else:
            self._condition = _Condition(state, self._clock.now(), reason)
