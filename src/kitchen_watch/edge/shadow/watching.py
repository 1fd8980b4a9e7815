"""Lets a second model look at some of the frames that were analysed anyway.

It listens to the pipelines and never makes them wait: one comparison at a time, in turn over the
cameras, and what cannot be looked at now is not looked at. What it sees goes into the diary and
nowhere else; no rule ever hears of it.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.detect.detection import Detection, Detector
from kitchen_watch.edge.shadow.comparing import compare
from kitchen_watch.edge.shadow.diary import Diary
from kitchen_watch.edge.shadow.settings import ShadowSettings
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.errors import DetectorError, EvidenceError
from kitchen_watch.events import ModelUsed

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger(__name__)

DIRECTORY = "shadow"


class SeenFrame(Protocol):
    """A frame, masked, and what the model in force saw in it."""

    @property
    def frame(self) -> Frame:
        """The frame."""
        ...

    @property
    def detections(self) -> Sequence[Detection]:
        """Weak ones too."""
        ...


class ShadowWatch:
    """One model in the shadow of another, for all cameras of an edge."""

    def __init__(
        self,
        detector: Detector,
        settings: ShadowSettings,
        data_dir: Path,
        *,
        current: ModelUsed,
        clock: Clock,
    ) -> None:
        self._detector = detector
        self._every_s = settings.every_s
        self._clock = clock
        self.diary = Diary(
            data_dir / DIRECTORY, current=current, shadow=detector.model, keep=settings.keep, now=clock.now()
        )
        self._next_at = clock.monotonic()
        self._last: dict[str, float] = {}
        """When each camera was looked at, so that they take turns."""
        self._task: asyncio.Task[None] | None = None

    def saw(self, seen: SeenFrame) -> None:
        """Listen to an analysed frame; neither waits nor raises."""
        now, camera = self._clock.monotonic(), seen.frame.stream_id
        mine = self._last.setdefault(camera, -math.inf)
        if now < self._next_at or (self._task is not None and not self._task.done()):
            return
        # The camera that has waited longest comes first, unless it gives no frames.
        if mine > min(self._last.values()) and now < self._next_at + self._every_s:
            return
        self._last[camera] = now
        self._next_at = now + self._every_s
        self._task = asyncio.get_running_loop().create_task(self._look(seen.frame, tuple(seen.detections)))

    async def settle(self) -> None:
        """Wait for the comparison that is under way."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Finish what is under way and release the model."""
        await self.settle()
        await self._detector.close()

    async def _look(self, frame: Frame, current: tuple[Detection, ...]) -> None:
        account = self.diary.account
        try:
            shadow = await self._detector.detect(frame)
            if shadow is None:
                account.superseded += 1
                return
            seen = compare(current, shadow)
            await asyncio.to_thread(self.diary.note, frame.stream_id, frame.captured_at, frame.image, seen)
        except (DetectorError, EvidenceError) as error:
            account.failures += 1
            log.warning("the model in the shadow failed", camera_id=frame.stream_id, reason=str(error))
