"""The contents page of the edge: what happens to every frame of one camera, from stream to outbox.

Frames may be dropped, violations never: ``record`` makes them durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.detect.detection import Detection, Detector
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.main_view import MainView
from kitchen_watch.edge.motion_tiles import MotionTiles
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.observation import HealthFacts, Observation
from kitchen_watch.edge.rules.violation import Violation, ViolationChange
from kitchen_watch.edge.second_look import SecondLook
from kitchen_watch.edge.still_scenes import StillGate
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.streams.status import StreamStatus
from kitchen_watch.edge.tracking import Tracker
from kitchen_watch.edge.tracks import Opinion, Track
from kitchen_watch.errors import DetectorError

OUTAGE_LOOK = timedelta(seconds=1)
STILL_STREAMING = timedelta(seconds=3)
"""A stream that has given no frame for so long is looked at as an outage, whatever it says."""

log = structlog.get_logger(__name__)


class FrameSource(Protocol):
    """A camera's stream, or a file that plays as one."""

    def newest(self) -> AsyncIterator[Frame]:
        """The newest frame, whenever one is due."""
        ...


class LiveStream(FrameSource, Protocol):
    """A stream that can be away."""

    def status(self) -> StreamStatus:
        """How it is doing."""
        ...


class Record(Protocol):
    """Makes one step of a violation durable, with what the frame shows."""

    def saw(self, frame: Frame) -> None:
        """Remember the newest analysed frame."""
        ...

    async def __call__(self, change: ViolationChange, frame: Frame | None, tracks: Sequence[Track]) -> None:
        """Return once it is on disk, or waits for an outbox that cannot be written just now."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What one frame showed and what changed by it."""

    frame: Frame
    detections: tuple[Detection, ...]
    """Weak ones too."""
    tracks: tuple[Track, ...]
    changes: tuple[ViolationChange, ...]
    still: bool = False
    """The model did not see it: it shows what the model had found empty. ``detections`` are those of
    the last frame that it saw (weak ones at most)."""


class Analysis:
    """One camera's eyes and judgement: a frame in, tracks and changes out."""

    def __init__(
        self,
        *,
        detector: Detector,
        tracker: Tracker,
        health: HealthMonitor,
        rules: RuleBook,
        mask: PrivacyMask | None = None,
        tiles: MotionTiles | None = None,
        second_look: SecondLook | None = None,
        gate: StillGate | None = None,
    ) -> None:
        self.rules = rules
        self.health = health
        self.main: MainView | None = None
        """Chooses pictures of the main stream, where the frames are those of a sub stream."""
        self._detector = detector
        self._tracker = tracker
        self._mask = mask or PrivacyMask()
        self._tiles = tiles
        self._second_look = second_look
        self._gate = gate
        self._judged_at: datetime | None = None
        self._on_main = False
        self._seen_before: tuple[Detection, ...] = ()
        self._broken_off = False

    async def look(self, frame: Frame) -> Seen | None:
        """Detect, track and judge; ``None`` if a newer frame came before the model was free.

        What is seen may be the main stream's picture of the same moment; see :class:`MainView`.

        Raises:
            DetectorError: inference failed.
        """
        self._broken_off = self._broken_off or frame.discontinuity
        watched = frame = self._masked(frame)
        if self._gate is not None and self._gate.leaves_out(frame, calm=self._calm()):
            self._notice(frame)
            return self._still(frame)
        self._notice(frame)
        if self.main is not None and (sharp := self.main.instead_of(frame, after=self._judged_at)):
            frame = self._masked(sharp)
        detections = await self._detector.detect(frame)
        if detections is None:
            return None
        first_look = detections
        tiles_before = self._tiles.looks if self._tiles is not None else 0
        if self._tiles is not None:
            # Two streams never give quite the same picture; what differs between them has not moved.
            changed, self._on_main = self._on_main != frame.main, frame.main
            tiled = replace(frame, discontinuity=True) if changed else frame
            detections = await self._tiles.look(tiled, detections)
        if self._broken_off:
            self._broken_off = False
            self._tracker.reset()
        height, width = frame.image.shape[:2]
        tracks = self._tracker.update(detections, at=frame.captured_at, aspect=width / height)
        if self._gate is not None:
            found = bool(tracks) or any(one.firm or one.suspect for one in detections)
            self._gate.looked(watched.captured_at, empty=not found)
            self._seen_before = first_look
        opinions = None
        if self._second_look is not None:
            waits = self.main is not None and self.main.awaited(frame)
            suspects: frozenset[int] = frozenset() if waits else self.rules.suspects()
            opinions = await self._second_look.opinions(frame, tracks, suspects=suspects)
        changes = self._judge(frame, tracks, opinions, watched=watched)
        if self.main is not None:
            self.main.judged(
                watched.captured_at,
                suspects=not self._tracker.shown.isdisjoint(self.rules.wanted_labels()),
                alone=self._tiles is not None and self._tiles.quiet,
                tiled=self._tiles is not None and self._tiles.looks > tiles_before,
            )
        standing = tuple(track for track in tracks if _stands(track, opinions or {}))
        return Seen(frame, detections, standing, changes)

    def _notice(self, frame: Frame) -> None:
        if self.main is not None:
            self.main.notice(frame.captured_at, still=self._gate is not None and self._gate.still)

    def rest(self) -> None:
        """Nobody looks until the camera's next turn."""
        if self.main is not None:
            self.main.rest()

    def _masked(self, frame: Frame) -> Frame:
        """What may not be kept may not accuse either: nobody could look at the evidence."""
        if self._mask.empty:
            return frame
        return replace(frame, image=self._mask.burnt(frame.image), full=self._burnt(frame.full))

    def _calm(self) -> bool:
        """Whether nothing is open or building up, which every further frame might decide."""
        return not self.rules.suspects() and not self.rules.open_violations()

    def _still(self, frame: Frame) -> Seen:
        """Judge a frame without the model: there is nobody, as before, and the camera may be ill."""
        opinions: Mapping[int, Opinion] | None = {} if self._second_look is not None else None
        changes = self._judge(frame, (), opinions, watched=frame)
        return Seen(frame, self._seen_before, (), changes, still=True)

    def _judge(
        self,
        frame: Frame,
        tracks: tuple[Track, ...],
        opinions: Mapping[int, Opinion] | None,
        *,
        watched: Frame,
    ) -> tuple[ViolationChange, ...]:
        """``watched`` is the frame of the stream that is always there: by it the camera's health is told."""
        reading = self.health.observe(watched)
        self._judged_at = frame.captured_at
        height, width = frame.image.shape[:2]
        return self.rules.judge(
            Observation(
                at=frame.captured_at,
                tracks=tracks,
                health=HealthFacts(
                    covered=reading.covered,
                    frozen=reading.frozen,
                    moved=reading.moved,
                    blurred=reading.blurred,
                ),
                size=(width, height),
                opinions=opinions,
            )
        )

    def _burnt(self, full: Callable[[], Image]) -> Callable[[], Image]:
        return lambda: self._mask.burnt(full())

    def outage(self, at: datetime) -> tuple[ViolationChange, ...]:
        """Judge a moment in which the camera gives no picture."""
        return self.rules.judge(Observation(at=at, offline=True, analysed=False))

    def unseen(self, at: datetime) -> tuple[ViolationChange, ...]:
        """Judge a moment in which the camera is there and nobody looks at its picture."""
        return self.rules.judge(Observation(at=at, analysed=False))


def _stands(track: Track, opinions: Mapping[int, Opinion]) -> bool:
    """Whether a track may be shown and kept as evidence: a mere suspicion tells nobody anything."""
    opinion = opinions.get(track.track_id)
    return track.firm or (opinion is not None and opinion.agrees)


class CameraPipeline:
    """Runs one camera until it is cancelled or its file ends."""

    def __init__(self, stream: LiveStream, analysis: Analysis, record: Record, *, clock: Clock) -> None:
        self.analysis = analysis
        self.analysed = 0
        """Frames that the model saw."""
        self.still = 0
        """Frames of a still scene that it did not need to see."""
        self.superseded = 0
        self.failures = 0
        self.last: Seen | None = None
        self.listeners: list[Callable[[Seen], None]] = []
        """Told of every frame that was judged; must neither wait nor raise."""
        self._stream = stream
        self._record = record
        self._clock = clock
        self._in_order = asyncio.Lock()
        self._last_look = clock.monotonic()
        self._resting = False

    def rest(self, resting: bool) -> None:
        """Leave the camera alone until its next turn, or look at it again."""
        if resting == self._resting:
            return
        # At both ends: a frame that was under way when the turn ended has been judged since.
        self.analysis.rules.suspend()
        if resting:
            self.analysis.rest()
        self._resting = resting
        self._last_look = self._clock.monotonic()

    @property
    def shown(self) -> Frame | None:
        """The newest frame that was looked at; ``None`` while it rests: the past is not shown as present."""
        return None if self.last is None or self._resting else self.last.frame

    @property
    def resting(self) -> bool:
        """Whether it waits for its turn."""
        return self._resting

    async def run(self) -> None:
        """Watch the frames, and watch for their absence."""
        outage = asyncio.create_task(self._watch_outage())
        try:
            await self._watch_frames()
        finally:
            outage.cancel()

    def resume(self, violations: Sequence[Violation]) -> None:
        """Go on with violations of an earlier life of this camera. Call before :meth:`run`."""
        self.analysis.rules.resume(violations, at=self._clock.now())

    async def finish(self) -> None:
        """Close what is open: the camera is taken away for good. Call after :meth:`run` ended."""
        await self._keep(self.analysis.rules.finish(self._clock.now()), None, ())

    async def _watch_frames(self) -> None:
        async for frame in self._stream.newest():
            self._last_look = self._clock.monotonic()
            if self._resting:
                continue  # decoded just before its turn ended
            try:
                seen = await self.analysis.look(frame)
            except DetectorError as error:
                self.failures += 1
                log.error("analysis failed", camera_id=frame.stream_id, reason=str(error))
                continue
            if seen is None:
                self.superseded += 1
                continue
            if seen.still:
                self.still += 1
            else:
                self.analysed += 1
            self.last = seen
            self._record.saw(seen.frame)
            for tell in self.listeners:
                tell(seen)
            await self._keep(seen.changes, seen.frame, seen.tracks)

    async def _watch_outage(self) -> None:
        while True:
            await self._clock.sleep(OUTAGE_LOOK)
            silent = self._clock.monotonic() - self._last_look
            away = self._stream.status().state is not CameraState.STREAMING
            if self._resting and not away:
                await self._keep(self.analysis.unseen(self._clock.now()), None, ())
            elif away or silent > STILL_STREAMING.total_seconds():
                await self._keep(self.analysis.outage(self._clock.now()), None, ())

    async def _keep(
        self, changes: tuple[ViolationChange, ...], frame: Frame | None, tracks: Sequence[Track]
    ) -> None:
        if not changes:
            return
        async with self._in_order:
            for change in changes:
                await self._record(change, frame, tracks)
