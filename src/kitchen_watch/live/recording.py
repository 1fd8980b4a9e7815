"""Records what viewers of a camera would be given, in segments: for time-shift and around alerts.

The recorder is one more viewer of the camera's relay. A camera with privacy areas is recorded as its
masked transcode, because nothing else is ever handed out. Runs in a thread of its own; a disk or a
stream that fails is tried again and disturbs neither viewers nor analysis.
"""

from __future__ import annotations

import threading
from datetime import datetime

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.control import LiveQuality
from kitchen_watch.errors import Conflict
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.fmp4 import Fragmenter
from kitchen_watch.live.relay import LivePacket, Relay, Subscription
from kitchen_watch.live.segments import SegmentStore

SEGMENT_S = 6.0
"""A segment ends at the first keyframe after so long."""
LONGEST_S = 30.0
"""Of a camera that sends no keyframe for so long, what comes before the next one is lost."""
MOST_BYTES = 48 * 1024 * 1024
PAUSE_S = 0.5
SILENCE_S = 5.0
GATHER_S = 0.25
"""Packets are taken so often, not one by one: a thread that wakes for each costs more than its work."""

log = structlog.get_logger(__name__)


class Recording:
    """Records one camera from ``start`` to ``stop``."""

    def __init__(
        self, camera: LiveCamera, store: SegmentStore, clock: Clock, *, quality: LiveQuality
    ) -> None:
        self.store = store
        self._camera = camera
        self._clock = clock
        self._quality: LiveQuality = quality
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._troubled = False

    def start(self) -> None:
        """Begin to record as soon as the camera gives pictures."""
        self._thread = threading.Thread(
            target=self._run, name=f"record-{self._camera.camera_id}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Finish the present segment and end."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        opened = False
        while not self._stopping.is_set():
            try:
                if not opened:
                    self.store.open(self._clock.now())
                    opened = True
                relay = self._camera.relay(self._quality)
            except Conflict:
                self._stopping.wait(PAUSE_S)
                continue
            except OSError as error:
                self._trouble(error)
                self._stopping.wait(10 * PAUSE_S)
                continue
            subscription = relay.subscribe(self._woken.set)
            try:
                self._follow(relay, subscription)
            finally:
                subscription.close()

    def _follow(self, relay: Relay, subscription: Subscription) -> None:
        """Record until the stream is opened anew, is silent, or ends."""
        while subscription.take() is not None:
            pass  # the kept group is squeezed into a moment: begin with a keyframe in its own time
        opening = relay.openings
        piece: _Piece | None = None
        try:
            while not subscription.ended:
                packet = subscription.take()
                if packet is None:
                    if self._stopping.is_set() or not self._woken.wait(SILENCE_S):
                        return
                    self._stopping.wait(GATHER_S)
                    self._woken.clear()
                    continue
                if relay.openings != opening and packet.keyframe:
                    return
                if piece is not None and piece.over(packet):
                    self._keep(piece)
                    piece = None
                if piece is None and packet.keyframe:
                    piece = _Piece(packet)
                elif piece is not None:
                    piece.add(packet)
        except Conflict as error:
            self._trouble(error)
            self._stopping.wait(PAUSE_S)
            if piece is not None:
                piece.drop()
            piece = None
        finally:
            if piece is not None:
                self._keep(piece)

    def _keep(self, piece: _Piece) -> None:
        try:
            kept = self.store.add(piece.finish(), begins_at=piece.begins_at, seconds=piece.seconds)
        except OSError as error:
            self._trouble(error)
        else:
            if kept is None:
                self._trouble("the disk has no room for recordings")
            else:
                self._troubled = False

    def _trouble(self, reason: object) -> None:
        """Say it once, not with every segment."""
        if not self._troubled:
            log.warning("not recorded", camera_id=self._camera.camera_id, reason=str(reason))
        self._troubled = True


class _Piece:
    """A segment that is being written, in memory: it goes to the disk as a whole."""

    def __init__(self, keyframe: LivePacket) -> None:
        self.begins_at: datetime = keyframe.captured_at
        self._first = self._last = keyframe.seconds
        self._step = 0.0
        self._fragmenter = Fragmenter(keyframe)
        self._parts = [self._fragmenter.initialisation]
        self._size = 0
        self.add(keyframe)

    @property
    def seconds(self) -> float:
        """How long it is; its last picture is taken to last as long as the one before."""
        return self._last - self._first + (self._step or 0.04)

    def over(self, packet: LivePacket) -> bool:
        """Whether ``packet`` belongs to another segment."""
        length = packet.seconds - self._first
        return (packet.keyframe and length >= SEGMENT_S) or length > LONGEST_S or self._size > MOST_BYTES

    def add(self, packet: LivePacket) -> None:
        """One more picture.

        Raises:
            Conflict: it cannot be put into MP4.
        """
        self._step = packet.seconds - self._last
        self._last = packet.seconds
        for fragment in self._fragmenter.add(packet):
            self._parts.append(fragment.data)
            self._size += len(fragment.data)

    def finish(self) -> bytes:
        """The whole segment."""
        self._parts += [fragment.data for fragment in self._fragmenter.finish()]
        return b"".join(self._parts)

    def drop(self) -> None:
        """Give it up."""
        self._fragmenter.close()
