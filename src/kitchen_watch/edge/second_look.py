"""The second look: what a rule is about to accuse is cut from the undiminished picture, enlarged, and
given to the same model again.

It goes through the same scheduler as the frames do, in its camera's own turn, so that a camera full
of suspects delays no other camera by more than one frame. The number of looks per second is bounded;
whom nobody could look at again is not accused.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.detect.crop import Crop, crop_around
from kitchen_watch.edge.detect.detection import Detection, Detector
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.tracking import GROUPS
from kitchen_watch.edge.tracks import Opinion, Track

SAME_OBJECT = 0.3
"""IoU from which a box in the crop is the one that was asked about."""
AMBIGUOUS = 0.8
"""A contrary label so nearly as sure makes a look undecided (as in :class:`TrackerSettings`)."""
REMEMBERED = 5
FEWEST = 2
AGREEING = 0.7
"""Share of the remembered looks that must agree; the same as of a rule's frames."""
SETTLED_PAUSE = 4
"""Once the memory is full, looks at a track are so many times rarer."""
FORGET_S = 10.0


class SecondLookSettings(Settings):
    """Before a bare head, a bare face or a rat is accused, it is looked at again in full resolution."""

    enabled: bool = Field(default=True, description="false: firm sightings accuse alone, as rules say")
    every_s: Annotated[float, Field(gt=0, le=60, description="seconds between two looks at one track")] = 0.5
    per_second: Annotated[float, Field(gt=0, le=30, description="most looks per camera and second")] = 4.0
    head_px: Annotated[
        float, Field(ge=16, le=320, description="a small head is enlarged to so many pixels")
    ] = 64.0


@dataclass(slots=True)
class _Memory:
    label: str
    asked_at: datetime | None = None
    seen_at: datetime | None = None
    looks: deque[tuple[bool, float]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    firm: bool = False
    """Whether any look, first or second, was sure of the label by the model card's threshold."""

    def opinion(self) -> Opinion:
        agreeing = sum(agrees for agrees, _ in self.looks)
        enough = len(self.looks) >= FEWEST and agreeing >= AGREEING * len(self.looks)
        return Opinion(
            label=self.label,
            looks=len(self.looks),
            agreeing=agreeing,
            surest=max((confidence for _, confidence in self.looks), default=0.0),
            agrees=enough and self.firm,
        )


class SecondLook:
    """Second looks of one camera. Times are the frames' own, so that a replay gives the same."""

    def __init__(self, detector: Detector, settings: SecondLookSettings | None = None) -> None:
        self.looks = 0
        """Crops judged so far."""
        self._detector = detector
        self._settings = settings or SecondLookSettings()
        self._memories: dict[int, _Memory] = {}
        self._spent: deque[datetime] = deque()

    async def opinions(
        self,
        frame: Frame,
        tracks: Sequence[Track],
        *,
        suspects: Collection[int],
    ) -> Mapping[int, Opinion]:
        """Opinions by track id on the tracks of this frame, after the looks that are due.

        ``suspects`` are track ids that a rule is about to accuse. The frame's undiminished picture is
        rendered in a thread, once, and only if a look is due.

        Raises:
            DetectorError: inference failed.
        """
        at = frame.captured_at
        self._forget(at)
        for track in tracks:
            self._meet(track, at)
        due = [track for track in tracks if track.track_id in suspects and self._due(track, at)]
        due.sort(
            key=lambda track: (
                self._memories[track.track_id].asked_at or datetime.min.replace(tzinfo=at.tzinfo)
            )
        )
        if due and self._allowed(at):
            await self._look(frame, due, await asyncio.to_thread(frame.full))
        return {
            track.track_id: self._memories[track.track_id].opinion()
            for track in tracks
            if self._memories[track.track_id].looks
        }

    async def _look(self, frame: Frame, due: list[Track], full: Image) -> None:
        at = frame.captured_at
        while due and self._allowed(at):
            first = due[0]
            crop = crop_around(
                first.box,
                full.shape[1],
                full.shape[0],
                least=self._settings.head_px,
            )
            self._spent.append(at)
            found = await self._detector.detect(replace(frame, image=crop.cut(full)))
            self.looks += 1
            # One crop serves everybody who is well inside it: a head and its face are one look.
            served = [track for track in due if track is first or crop.shows(track.box, like=first.box)]
            for track in served:
                memory = self._memories[track.track_id]
                memory.asked_at = at
                if found is not None:
                    memory.looks.append(self._verdict(memory, track, crop, found))
            due = [track for track in due if track not in served]

    def _verdict(
        self, memory: _Memory, track: Track, crop: Crop, found: Sequence[Detection]
    ) -> tuple[bool, float]:
        """Whether this look agrees, and how sure it is of the label."""
        there = crop.inside(track.box)
        group = GROUPS.get(track.label, track.label)
        same, contrary = 0.0, 0.0
        counts = firm = False
        for detection in found:
            if GROUPS.get(detection.label, detection.label) != group:
                continue
            if detection.box.overlap(there) < SAME_OBJECT:
                continue
            if detection.label != track.label:
                contrary = max(contrary, detection.confidence)
            elif detection.confidence > same:
                same, firm = detection.confidence, detection.firm
                counts = detection.firm or detection.suspect
        agrees = counts and contrary < AMBIGUOUS * same
        memory.firm = memory.firm or (agrees and firm)
        return agrees, same

    def _meet(self, track: Track, at: datetime) -> None:
        memory = self._memories.get(track.track_id)
        if memory is None or memory.label != track.label:
            # A head that takes its hat off is judged anew.
            memory = _Memory(track.label)
            self._memories[track.track_id] = memory
        memory.seen_at = at
        memory.firm = memory.firm or track.firm

    def _due(self, track: Track, at: datetime) -> bool:
        memory = self._memories[track.track_id]
        if memory.asked_at is None:
            return True
        pause = self._settings.every_s * (SETTLED_PAUSE if len(memory.looks) == REMEMBERED else 1)
        return abs((at - memory.asked_at).total_seconds()) >= pause

    def _allowed(self, at: datetime) -> bool:
        """Whether one more look fits: never more than ``per_second`` in any second (at least one)."""
        while self._spent and abs((at - self._spent[0]).total_seconds()) >= 1.0:
            self._spent.popleft()
        return len(self._spent) < max(1.0, self._settings.per_second)

    def _forget(self, at: datetime) -> None:
        oldest = at - timedelta(seconds=FORGET_S)
        self._memories = {
            key: memory
            for key, memory in self._memories.items()
            if memory.seen_at is not None and oldest <= memory.seen_at <= at
        }
