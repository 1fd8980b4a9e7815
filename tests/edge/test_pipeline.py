"""What happens to a frame: looked at, judged, recorded in order; and what happens when none comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from kitchen_watch.clock import ManualClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.scheduler import StreamStatistics
from kitchen_watch.edge.opening import open_rules
from kitchen_watch.edge.pipeline import Analysis, CameraPipeline
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.violation import ChangeKind, ViolationChange
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.streams.status import StreamStatus
from kitchen_watch.edge.tracking import Tracker, TrackerSettings
from kitchen_watch.edge.tracks import Track
from kitchen_watch.errors import DetectorError
from kitchen_watch.events import ModelUsed

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
NOISE = np.random.default_rng(7)
COOK = (Detection("person", 0.9, Box(0.3, 0.1, 0.6, 0.95)), Detection("no_hat", 0.8, Box(0.4, 0.1, 0.5, 0.3)))


def _frame(second: float) -> Frame:
    image = NOISE.integers(60, 200, (360, 640, 3), dtype=np.uint8)
    return Frame(
        stream_id="cam-1", pts=second, captured_at=NOON + timedelta(seconds=second), image=image,
        width=640, height=360, full=lambda: image, discontinuity=second == 0,
    )  # fmt: skip


class Stream:
    """A camera whose frames the test decides."""

    def __init__(self, frames: Sequence[Frame], clock: ManualClock, *, then: CameraState) -> None:
        self._frames, self._clock, self._then = frames, clock, then
        self.state = CameraState.STREAMING
        self.drained = asyncio.Event()

    async def newest(self) -> AsyncIterator[Frame]:
        for frame in self._frames:
            self._clock.set_wall(frame.captured_at)
            yield frame
        self.state = self._then
        self.drained.set()
        await asyncio.Event().wait()

    def status(self) -> StreamStatus:
        return StreamStatus(
            stream_id="cam-1", state=self.state, since=NOON, reason=None, received=0, decoded=0, offered=0,
            dropped=0, corrupt=0, jumps=0, reconnects=0, frame_age=None, lag=timedelta(0), codec="h264",
            width=640, height=360,
        )  # fmt: skip


class Detector:
    """Sees a bareheaded cook in every frame, but is busy or broken when told so."""

    model = ModelUsed(name="double", version="1", sha256="0" * 64)
    labels = ("person", "hat", "no_hat")

    def __init__(self, *, busy_at: float = -1, broken_at: float = -1) -> None:
        self._busy_at, self._broken_at = busy_at, broken_at

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        if frame.pts == self._broken_at:
            raise DetectorError("The model gave no answer.")
        return None if frame.pts == self._busy_at else COOK

    def statistics(self) -> dict[str, StreamStatistics]:
        return {}

    async def close(self) -> None:
        return None


class Records:
    """Remembers what was recorded, slowly, so that an overtaking step would show."""

    def __init__(self) -> None:
        self.changes: list[ViolationChange] = []
        self.frames: list[Frame | None] = []
        self.newest: Frame | None = None

    def saw(self, frame: Frame) -> None:
        self.newest = frame

    async def __call__(self, change: ViolationChange, frame: Frame | None, tracks: Sequence[Track]) -> None:
        await asyncio.sleep(0)
        self.changes.append(change)
        self.frames.append(frame)

    def of(self, code: str) -> list[ChangeKind]:
        return [change.kind for change in self.changes if change.violation.code == code]


async def _watch(
    frames: Sequence[Frame], detector: Detector, *, offline_s: int = 0
) -> tuple[CameraPipeline, Records]:
    clock = ManualClock(NOON)
    stream = Stream(frames, clock, then=CameraState.OFFLINE)
    rules = open_rules(None, changes={"NO_HAT": {"held_s": 1}, "CAM_OFFLINE": {"held_s": 10}})
    book = RuleBook("cam-1", rules.check_labels(detector.labels).rule_set)
    analysis = Analysis(
        detector=detector, tracker=Tracker(TrackerSettings()), health=HealthMonitor(), rules=book
    )
    records = Records()
    pipeline = CameraPipeline(stream, analysis, records, clock=clock)
    running = asyncio.create_task(pipeline.run())
    await stream.drained.wait()
    for _ in range(offline_s):
        clock.advance(1)
        for _ in range(4):
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    return pipeline, records


async def test_a_bare_head_that_holds_is_recorded_with_the_frame_that_shows_it() -> None:
    frames = [_frame(index / 5) for index in range(15)]
    pipeline, records = await _watch(frames, Detector())
    assert records.of("NO_HAT")[0] is ChangeKind.OPENED
    assert records.frames[0] is not None
    assert records.frames[0].captured_at == records.changes[0].at
    assert pipeline.analysed == 15


async def test_a_frame_that_was_superseded_is_counted_and_judges_nobody() -> None:
    pipeline, records = await _watch([_frame(0), _frame(0.2)], Detector(busy_at=0.2))
    assert (pipeline.analysed, pipeline.superseded) == (1, 1)
    assert records.changes == []


async def test_a_failing_model_does_not_end_the_watch() -> None:
    frames = [_frame(index / 5) for index in range(15)]
    pipeline, records = await _watch(frames, Detector(broken_at=0.4))
    assert (pipeline.analysed, pipeline.failures) == (14, 1)
    assert records.of("NO_HAT")[0] is ChangeKind.OPENED


async def test_a_camera_that_goes_away_is_an_alert_without_any_frame() -> None:
    _, records = await _watch([_frame(0)], Detector(), offline_s=15)
    assert records.of("CAM_OFFLINE") == [ChangeKind.OPENED]
    assert records.frames[-1] is None
    assert records.newest is not None


async def test_a_short_outage_is_no_alert() -> None:
    _, records = await _watch([_frame(0)], Detector(), offline_s=5)
    assert records.of("CAM_OFFLINE") == []


async def test_while_it_waits_for_its_turn_nothing_is_looked_at_and_nobody_is_missed() -> None:
    clock = ManualClock(NOON)
    stream = Stream([], clock, then=CameraState.STREAMING)
    book = RuleBook("cam-1", open_rules(None, changes={"CAM_OFFLINE": {"held_s": 10}}))
    analysis = Analysis(
        detector=Detector(), tracker=Tracker(TrackerSettings()), health=HealthMonitor(), rules=book
    )
    records = Records()
    pipeline = CameraPipeline(stream, analysis, records, clock=clock)
    pipeline.rest(True)
    running = asyncio.create_task(pipeline.run())
    await stream.drained.wait()

    async def pass_seconds(seconds: int) -> None:
        for _ in range(seconds):
            clock.advance(1)
            for _ in range(4):
                await asyncio.sleep(0)

    await pass_seconds(60)
    assert records.changes == [], "no picture for a minute, and the camera is there"
    assert pipeline.shown is None
    stream.state = CameraState.OFFLINE
    await pass_seconds(15)
    assert records.of("CAM_OFFLINE") == [ChangeKind.OPENED], "that it is away is known without a look"
    stream.state = CameraState.STREAMING
    await pass_seconds(10)
    assert records.of("CAM_OFFLINE") == [ChangeKind.OPENED, ChangeKind.CLOSED]
    running.cancel()
    await asyncio.wait({running})
