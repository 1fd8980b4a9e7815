"""The cameras of an edge: each one started, changed and stopped without touching the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from kitchen_watch.control import CameraState, CameraStatus, TurnStatus
from kitchen_watch.edge.evidence.clip import PacketRing
from kitchen_watch.edge.pipeline import CameraPipeline
from kitchen_watch.edge.recorder import Recorder
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.edge.sealing import shortened
from kitchen_watch.edge.settings import CameraSettings
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.turns.facts import Facts
from kitchen_watch.edge.turns.load import Counts
from kitchen_watch.edge.turns.needs import Needs
from kitchen_watch.errors import LeaseLost
from kitchen_watch.live.camera import LiveCamera

log = structlog.get_logger(__name__)

RESTART_PAUSE = timedelta(seconds=2)


@dataclass(slots=True)
class CameraStreams:
    """One camera's connections; they may be opened before anybody looks at the pictures."""

    settings: CameraSettings
    ring: PacketRing
    """The last seconds of the main stream, for clips."""
    live: LiveCamera
    analysis: CameraStream
    main: CameraStream | None
    """The main stream where analysis reads a sub stream; its packets feed the evidence ring."""
    started: bool = False

    def __iter__(self) -> Iterator[CameraStream]:
        return iter((self.analysis,) if self.main is None else (self.analysis, self.main))

    def start(self) -> None:
        """Connect, unless that was done before."""
        if not self.started:
            self.started = True
            for stream in self:
                stream.start()

    async def stop(self) -> None:
        """Disconnect."""
        for stream in self:
            await stream.stop()


@dataclass(slots=True)
class RunningCamera:
    """One camera's streams, pipeline and recorder, and the task that runs them."""

    streams: CameraStreams
    pipeline: CameraPipeline
    recorder: Recorder
    sleep: Callable[[timedelta], Awaitable[None]]
    rate: float
    """Frames a second that are due for analysis."""
    needs: Needs = field(default_factory=Needs)
    turns: TurnStatus | None = None
    """How it takes turns; set by whoever gives them."""
    judged_share: float | None = None
    restarts: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def settings(self) -> CameraSettings:
        """What the camera was built from."""
        return self.streams.settings

    @property
    def live(self) -> LiveCamera:
        """What viewers get of it."""
        return self.streams.live

    @property
    def analysis_stream(self) -> CameraStream:
        """The stream that is analysed."""
        return self.streams.analysis

    def start(self) -> None:
        """Connect and watch."""
        self.streams.start()
        if self.live.recording is not None:
            self.live.recording.start()
        self.task = asyncio.create_task(self._run(), name=f"camera-{self.settings.camera_id}")

    async def end_analysis(self) -> None:
        """End the analysis: once this returns, nothing is recorded any more. The streams stay open."""
        await self._end_watch()
        await self.recorder.close()

    async def stop(self, *, removed: bool = False) -> None:
        """Disconnect. Open violations stay open for the next start, unless the camera is removed."""
        await self._end_watch()
        if self.live.recording is not None:
            await asyncio.to_thread(self.live.recording.stop)
        self.live.close()
        await self.streams.stop()
        if removed:
            await self.pipeline.finish()
        await self.recorder.close()

    def violations(self) -> tuple[Violation, ...]:
        """Open ones, and those that a recurrence would re-open."""
        rules = self.pipeline.analysis.rules
        return (*rules.open_violations(), *rules.recent_violations())

    def attend(self, here: bool) -> None:
        """Look at its picture, or let it wait for its turn: received, recorded, and not decoded."""
        self.analysis_stream.attend(here)
        self.pipeline.rest(not here)

    def facts(self) -> Facts:
        """What the giver of turns needs to know of it."""
        seen = self.analysis_stream.status()
        pixels = seen.width * seen.height if seen.width and seen.height else None
        late = seen.dropped + self.pipeline.superseded + self.pipeline.failures
        judged = self.pipeline.analysed + self.pipeline.still
        rules = self.pipeline.analysis.rules
        content = [violation.tier for violation in rules.open_violations() if violation.needs_model]
        return Facts(
            streaming=seen.state is CameraState.STREAMING,
            counts=Counts(due=late + judged, judged=judged, received=seen.received),
            pixels=pixels,
            open_tier=min(content, default=None),
            building_up=bool(rules.suspects()),
        )

    def reconnect(self) -> None:
        """Open every connection anew."""
        for stream in self.streams:
            stream.reconnect()

    def status(self) -> CameraStatus:
        """How it is, for heartbeats and metrics. A main stream that is away is said in the reason."""
        seen = self.analysis_stream.status()
        state, reason, since = seen.state, seen.reason, seen.since
        if self.streams.main is not None and state is CameraState.STREAMING:
            main = self.streams.main.status()
            if main.state is not CameraState.STREAMING:
                reason = f"main stream: {main.reason or main.state.value}"
        return CameraStatus(
            camera_id=self.settings.camera_id,
            state=state,
            since=since,
            reason=shortened(reason),
            frames_received=seen.decoded,
            frames_analysed=self.pipeline.analysed,
            frames_still=self.pipeline.still,
            frames_dropped=seen.dropped + self.pipeline.superseded,
            frame_age_ms=None
            if seen.frame_age is None
            else round(seen.frame_age / timedelta(milliseconds=1)),
            width=seen.width,
            height=seen.height,
            codec=seen.codec,
            judged_share=self.judged_share,
            turns=self.turns if state is CameraState.STREAMING else None,
        )

    @property
    def reconnects(self) -> int:
        """Connections after the first, of all its streams."""
        return sum(stream.status().reconnects for stream in self.streams)

    async def _run(self) -> None:
        """Watch again after any fault: it must neither end this watch nor touch the others."""
        while True:
            watch = asyncio.create_task(self.pipeline.run())
            try:
                await asyncio.wait({watch})
            finally:
                watch.cancel()
            fault = None if watch.cancelled() else watch.exception()
            if isinstance(fault, LeaseLost):
                return  # another process watches it; this edge is about to end
            if fault is not None:
                self.restarts += 1
                log.error("camera failed; watching again", camera_id=self.settings.camera_id, exc_info=fault)
            elif self.analysis_stream.status().state is CameraState.ENDED:
                return
            await self.sleep(RESTART_PAUSE)

    async def _end_watch(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})


BuildCamera = Callable[[CameraSettings], RunningCamera]


class Cameras:
    """All cameras of an edge. ``apply`` brings them to what the settings say."""

    def __init__(self, build: BuildCamera) -> None:
        self._build = build
        self._running: dict[str, RunningCamera] = {}

    def __iter__(self) -> Iterator[RunningCamera]:
        return iter(list(self._running.values()))

    def find(self, camera_id: str) -> RunningCamera | None:
        """The running camera with this id."""
        return self._running.get(camera_id)

    async def apply(
        self,
        wanted: Sequence[CameraSettings],
        *,
        resume: Sequence[Violation] = (),
        renew_all: bool = False,
    ) -> None:
        """Start, restart and stop cameras until they are as ``wanted``; the unchanged go on untouched,
        unless ``renew_all`` says that what all of them share has changed.

        ``resume`` are violations of an earlier process. New cameras are built before anything is
        stopped, so that settings which cannot be put in force change nothing.

        Raises:
            ConfigError: a camera cannot be built; all cameras go on as they were.
        """
        active = {camera.camera_id: camera for camera in wanted if camera.enabled}
        changed = {
            camera_id: self._build(settings)
            for camera_id, settings in active.items()
            if renew_all or camera_id not in self._running or self._running[camera_id].settings != settings
        }
        for camera_id in [known for known in self._running if known not in active]:
            log.info("camera removed", camera_id=camera_id)
            await self._running.pop(camera_id).stop(removed=True)
        for camera_id, camera in changed.items():
            violations = [item for item in resume if item.camera_id == camera_id]
            before = self._running.pop(camera_id, None)
            if before is not None:
                await before.stop()
                violations = list(before.violations())
            log.info("camera started" if before is None else "camera changed", camera_id=camera_id)
            camera.pipeline.resume(violations)
            self._running[camera_id] = camera
            camera.start()

    async def end_analysis(self) -> None:
        """End the analysis of all of them; see :meth:`RunningCamera.end_analysis`."""
        await asyncio.gather(*(camera.end_analysis() for camera in self))

    async def stop(self) -> None:
        """Stop all of them; their open violations stay open."""
        running, self._running = list(self._running.values()), {}
        await asyncio.gather(*(camera.stop() for camera in running))
