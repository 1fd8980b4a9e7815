"""What an edge opens before its outbox: configuration, model, rules, and, where time counts, its streams.

All of it may be done while another process still watches the same cameras.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.allocation import bound_arenas, keep_freed_memory
from kitchen_watch.edge.building import build_streams
from kitchen_watch.edge.cameras import CameraStreams
from kitchen_watch.edge.configuration import Configuration, ConfigurationSource
from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.opening import Judgement, open_judgement
from kitchen_watch.edge.settings import CameraSettings, EdgeSettings
from kitchen_watch.edge.shadow.watching import ShadowWatch
from kitchen_watch.edge.streams.picture import one_thread_per_picture
from kitchen_watch.events import ModelUsed

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Prepared:
    """An edge that could begin. Build with :meth:`open`; an :class:`EdgeNode` takes it over."""

    source: ConfigurationSource
    configuration: Configuration
    judgement: Judgement
    shadow: ShadowWatch | None
    clock: Clock
    streams: dict[str, CameraStreams] = field(default_factory=dict)
    """Streams opened beforehand, by camera id; who uses one takes it out."""

    @classmethod
    async def open(cls, source: ConfigurationSource, *, clock: Clock, connect: bool = False) -> Prepared:
        """Load everything that can refuse, before the first camera is touched; with ``connect`` cameras are
        connected while the model is loaded, where every second counts.

        Raises:
            ConfigError: the configuration is bad.
            DetectorError: the model cannot be used.
        """
        bound_arenas()
        keep_freed_memory()
        one_thread_per_picture()
        configuration = await asyncio.to_thread(source.load)
        settings = configuration.settings
        streams = _connected(settings, clock) if connect else {}
        try:
            judgement, shadow = await _judging(settings, clock)
        except BaseException:
            await _disconnected(streams)
            raise
        return cls(source, configuration, judgement, shadow, clock, streams)

    async def warm_up(self) -> None:
        """Let the model see one picture of every stream that was opened: it is compiled for the size of
        the pictures. Returns when every camera has given one; must be cancelled before :meth:`take`.

        Raises:
            DetectorError: the model cannot be used for such pictures.
        """
        async with asyncio.TaskGroup() as tasks:
            for streams in self.streams.values():
                tasks.create_task(self._look_once(streams))

    async def _look_once(self, streams: CameraStreams) -> None:
        async with contextlib.aclosing(streams.analysis.newest()) as frames:
            async for frame in frames:
                await self.judgement.detector.detect(frame)
                return

    def take(self, camera: CameraSettings, settings: EdgeSettings) -> CameraStreams:
        """The streams for a camera: those opened beforehand where they are as wanted, else new ones."""
        streams = self.streams.get(camera.camera_id)
        if streams is not None and streams.settings == camera:
            return self.streams.pop(camera.camera_id)
        return build_streams(camera, settings=settings, clock=self.clock)

    async def disconnect(self) -> None:
        """Close the streams that nobody took."""
        left, self.streams = self.streams, {}
        await _disconnected(left)

    async def close(self) -> None:
        """Release everything, streams and model."""
        await self.disconnect()
        await self.judgement.detector.close()
        if self.shadow is not None:
            await self.shadow.close()


def _connected(settings: EdgeSettings, clock: Clock) -> dict[str, CameraStreams]:
    """Every camera's streams, opened; nobody looks at the pictures yet."""
    found = {
        camera.camera_id: build_streams(camera, settings=settings, clock=clock)
        for camera in settings.cameras
        if camera.enabled
    }
    for streams in found.values():
        streams.start()
    return found


async def _disconnected(streams: Mapping[str, CameraStreams]) -> None:
    await asyncio.gather(*(one.stop() for one in streams.values()))


async def _judging(settings: EdgeSettings, clock: Clock) -> tuple[Judgement, ShadowWatch | None]:
    with contextlib.suppress(OSError):  # said where it matters: by the outbox
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    judgement = await asyncio.to_thread(
        open_judgement, model=settings.model, rules_file=settings.rules_file, changes=settings.rules,
        detector_settings=settings.detector, clock=clock, choices=settings.precision_file,
    )  # fmt: skip
    shadow = await asyncio.to_thread(_open_shadow, settings, judgement.detector.model, clock)
    for rule in judgement.switched_off:
        log.info("rule switched off", code=rule.code, reason=rule.reason)
    return judgement, shadow


def _open_shadow(settings: EdgeSettings, current: ModelUsed, clock: Clock) -> ShadowWatch | None:
    """The model that looks along, refused at start like the one in force."""
    if settings.shadow.model is None:
        return None
    detector = open_detector(
        settings.shadow.model, settings=settings.detector, clock=clock, choices=settings.precision_file
    )
    return ShadowWatch(detector, settings.shadow, settings.data_dir, current=current, clock=clock)
