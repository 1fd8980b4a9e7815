"""One connection's thread: open, demultiplex once, hand packets on, decode, offer what is due.

A reader may hang inside libav (a dead name server, a stuck driver). Nobody waits for it: it is
retired, after which nothing it does reaches sinks, counters or the analysis any more, and another
reader takes its place.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import av

from kitchen_watch.clock import Clock
from kitchen_watch.edge.streams.attention import Attention
from kitchen_watch.edge.streams.backlog import Backlog
from kitchen_watch.edge.streams.behind import Behind
from kitchen_watch.edge.streams.connection import Connection, OpenVideo, VideoPacket, measure_size
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.newest import NewestSlot
from kitchen_watch.edge.streams.pacing import Allowance, Pacer
from kitchen_watch.edge.streams.packets import PacketSink, StreamPacket, VideoInfo
from kitchen_watch.edge.streams.parameter_sets import parameter_sets
from kitchen_watch.edge.streams.picture import Scaler, full_picture
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.edge.streams.stall import Progress
from kitchen_watch.edge.streams.status import Tally
from kitchen_watch.edge.streams.timeline import Moment, Timeline
from kitchen_watch.errors import StreamError

_REORDERED = 64


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What a reader is to do; the same for every connection of a stream."""

    stream_id: str
    source: SourceSettings
    rate: float
    """Frames for analysis per second of stream time."""
    fit: tuple[int, int]
    """Largest (width, height) of the frames' images."""
    sinks: Sequence[PacketSink]
    decode: bool
    attention: Attention = field(default_factory=Attention)
    """While it is away nothing is decoded; packets still reach the sinks."""
    nice: int = 0
    """Above 0: where processor time is short, other readers go first (Linux)."""


class Reader:
    """Reads one connection in a thread of its own. ``wake`` is called in that thread at its end."""

    def __init__(
        self,
        plan: ReadingPlan,
        *,
        open_video: OpenVideo,
        clock: Clock,
        tally: Tally,
        slot: NewestSlot,
        wake: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._open_video = open_video
        self._clock = clock
        self._tally = tally
        self._slot = slot
        self._wake = wake
        self._stop = threading.Event()
        self._delivery = threading.Lock()  # held while anything leaves this reader
        self._retired = False
        self._sinks_open = False
        self._timeline = Timeline(clock)
        self._pacer = Pacer(plan.rate)
        self._allowance: Allowance | None = None
        self._asleep = not plan.attention.here
        self._behind = Behind()
        self._backlog = Backlog()
        self._scaler = Scaler(plan.fit)
        self._moments: OrderedDict[int, Moment] = OrderedDict()
        self._keyframes = 0
        self._cut = True  # the next frame comes after a gap
        self._cut_from = float("-inf")  # and belongs to a moment not before this
        self._parameters: bytes | None = None
        self._previous: VideoPacket | None = None
        self.progress = Progress(started=clock.monotonic())
        self.failure: StreamError | None = None
        """Why the reader ended; ``None`` also if a fault of our own ended it (its thread logs it)."""
        self._done = False
        self._thread = threading.Thread(target=self._run, name=f"stream-{plan.stream_id}", daemon=True)

    def start(self) -> None:
        """Begin to open the source."""
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether reading has come to its end (``failure`` says why)."""
        return self._done

    @property
    def alive(self) -> bool:
        """Whether the thread still exists, retired or not."""
        return self._thread.is_alive()

    def retire(self) -> None:
        """Cut the reader off: its sinks are closed, and nothing of it counts any more.

        Does not wait for the thread, which ends by itself when libav lets it go.
        """
        self._stop.set()
        with self._delivery:
            self._retired = True
            self._close_sinks()

    def join(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for the thread."""
        self._thread.join(timeout)

    def _run(self) -> None:
        if self._plan.nice and sys.platform == "linux":  # elsewhere it would be the whole process
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._plan.nice)
        try:
            connection = self._open_video(self._plan.source)
            try:
                self._read(connection)
            finally:
                connection.close()
        except StreamError as error:
            self.failure = error
        finally:
            with self._delivery:
                self._close_sinks()
            self._done = True
            self._wake()

    def _read(self, connection: Connection) -> None:
        self._opened(connection.info)
        pace = None if connection.live else _RealTime(self._clock, self._stop)
        self._allowance = Allowance(self._plan.rate) if connection.live else None
        for packet in connection.packets():
            if self._stop.is_set():
                return
            if packet.size == 0:  # end of a file, or of one pass over it
                self._decode(connection, self._backlog.take())
                self._show(connection.decode(packet) or [])
                self._cut, self._cut_from = True, float("-inf")
                continue
            if self._repeated(packet):
                # It proves that the camera is not silent, and nothing more.
                with self._delivery:
                    self.progress = replace(self.progress, packet=self._clock.monotonic())
                continue
            moment = self._place(packet, pace)
            data = bytes(packet) if self._plan.sinks or packet.is_keyframe else b""
            if not self._hand_on(packet, moment, data):
                return
            if not self._plan.decode:
                continue
            codec = connection.info.codec
            if not self._awake(moment):
                self._backlog.keep(packet, codec, data)
            elif self._left_behind(packet, moment, live=pace is None):
                self._backlog.lose()
            else:
                due = self._pacer.expects(moment.pts, discontinuity=self._cut)
                self._decode(connection, self._backlog.put(packet, codec, data, due=due))

    def _awake(self, moment: Moment) -> bool:
        """Whether anybody looks. Once somebody does again, what waits since the last keyframe is decoded,
        and the picture of this moment comes after a gap."""
        if not self._plan.attention.here:
            self._asleep = True
        elif self._asleep:
            self._asleep, self._cut, self._cut_from = False, True, moment.pts
        return not self._asleep

    def _left_behind(self, packet: VideoPacket, moment: Moment, *, live: bool) -> bool:
        """Whether the packet is not worth decoding any more; a frame that was due is then counted as late."""
        lag = (moment.received_at - moment.captured_at).total_seconds()
        now = self._clock.monotonic()
        if not live or not self._behind.skips(lag=lag, now=now, keyframe=packet.is_keyframe):
            return False
        due = self._pacer.due(moment.pts, discontinuity=self._cut)
        self._cut = self._cut and not due
        with self._delivery:
            self._tally.late += due and not self._retired
        return True

    def _opened(self, info: VideoInfo) -> None:
        self._parameters = parameter_sets(info.codec, info.extradata or b"")
        with self._delivery:
            if self._retired:
                return
            self.progress = replace(self.progress, opened=self._clock.monotonic())
            self._tally.info = info
            self._sinks_open = True
            for sink in self._plan.sinks:
                sink.opened(info)

    def _repeated(self, packet: VideoPacket) -> bool:
        """Whether this is the packet before once more: some servers under load send one twice, and a
        picture that is decoded twice spoils all that depend on it."""
        previous, self._previous = self._previous, packet
        return (
            previous is not None
            and packet.dts is not None
            and (packet.dts, packet.size) == (previous.dts, previous.size)
            and bytes(packet) == bytes(previous)
        )

    def _place(self, packet: VideoPacket, pace: _RealTime | None) -> Moment:
        base = packet.time_base
        pts = None if packet.pts is None else float(packet.pts * base)
        dts = None if packet.dts is None else float(packet.dts * base)
        stamp = dts if dts is not None else pts
        if pace is not None and stamp is not None:
            pace.wait_for(stamp)
        moment = self._timeline.place(pts, dts)
        if packet.pts is None:
            # The decoder hands timestamps through; without one its picture would have no moment.
            packet.pts = packet.dts if packet.dts is not None else round(moment.pts / float(base))
        self._moments[packet.pts] = moment
        while len(self._moments) > _REORDERED:
            self._moments.popitem(last=False)
        if moment.discontinuity:
            self._cut, self._cut_from = True, moment.pts
        return moment

    def _hand_on(self, packet: VideoPacket, moment: Moment, data: bytes) -> bool:
        """Count the packet and give it to the sinks; False once this reader is retired."""
        changed = self._changed(data) if packet.is_keyframe else None
        with self._delivery:
            if self._retired:
                return False
            now = self._clock.monotonic()
            self.progress = replace(self.progress, packet=now, advanced=self._timeline.advanced_at)
            self._tally.received += 1
            self._tally.corrupt += packet.is_corrupt
            self._tally.jumps += moment.discontinuity
            self._tally.newest_at = moment.captured_at
            self._tally.lag = self._timeline.lag
            if changed is not None:
                self._tally.info = changed
                for sink in self._plan.sinks:
                    sink.closed()
                    sink.opened(changed)
            if self._plan.sinks:
                self._give(packet, moment, data)
        return True

    def _give(self, packet: VideoPacket, moment: Moment, data: bytes) -> None:
        stamped = StreamPacket(
            pts=moment.pts,
            dts=moment.dts,
            time_base=packet.time_base,
            data=data,
            keyframe=packet.is_keyframe,
            received_at=moment.received_at,
            captured_at=moment.captured_at,
        )
        for sink in self._plan.sinks:
            sink.packet(stamped)

    def _changed(self, data: bytes) -> VideoInfo | None:
        """New information if this keyframe's parameter sets are not the ones known so far."""
        info = self._tally.info
        parameters = None if info is None else parameter_sets(info.codec, data)
        if info is None or parameters is None or parameters == self._parameters:
            return None
        known, self._parameters = self._parameters, parameters
        if known is None and info.extradata:
            return None
        width, height = measure_size(info, data) or (info.width, info.height)
        return replace(info, extradata=parameters, width=width, height=height)

    def _decode(self, connection: Connection, packets: Sequence[VideoPacket]) -> None:
        for packet in packets:
            pictures = connection.decode(packet)
            if pictures is None:
                with self._delivery:
                    self._tally.corrupt += not self._retired
            else:
                self._show(pictures)

    def _show(self, pictures: Sequence[av.VideoFrame]) -> None:
        for picture in pictures:
            moment = self._moments.pop(picture.pts, None) if picture.pts is not None else None
            with self._delivery:
                if self._retired:
                    return
                self.progress = replace(self.progress, picture=self._clock.monotonic())
                self._tally.decoded += 1
                if picture.is_corrupt:
                    self._tally.corrupt += 1
            self._backlog.shown(picture.pts)
            self._keyframes += picture.key_frame
            if moment is not None and not picture.is_corrupt:
                self._offer(picture, moment)

    def _offer(self, picture: av.VideoFrame, moment: Moment) -> None:
        if self._cut and moment.pts < self._cut_from:
            return  # it was left waiting before the gap
        if not self._pacer.due(moment.pts, discontinuity=self._cut):
            return
        if self._allowance is not None and not self._allowance.grants(self._clock.monotonic()):
            with self._delivery:
                self._tally.late += not self._retired
            return
        frame = Frame(
            stream_id=self._plan.stream_id,
            pts=moment.pts,
            captured_at=moment.captured_at,
            image=self._scaler.scale(picture),
            width=picture.width,
            height=picture.height,
            full=full_picture(picture),
            discontinuity=self._cut,
            keyframes=self._keyframes,
        )
        self._cut = False
        with self._delivery:
            if not self._retired:
                self._slot.offer(frame)

    def _close_sinks(self) -> None:
        if self._sinks_open:
            self._sinks_open = False
            for sink in self._plan.sinks:
                sink.closed()


class _RealTime:
    """Holds a file's packets back to the pace at which they were recorded."""

    def __init__(self, clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self._stop = stop
        self._anchor: tuple[float, float] | None = None

    def wait_for(self, stamp: float) -> None:
        """Return when ``stamp`` (seconds of the file) is due."""
        now = self._clock.monotonic()
        if self._anchor is None:
            self._anchor = (stamp, now)
        wait = self._anchor[1] + (stamp - self._anchor[0]) - now
        if abs(wait) > 5.0:  # a hole in the file, or the machine slept
            self._anchor = (stamp, now)
        elif wait > 0:
            self._stop.wait(wait)
