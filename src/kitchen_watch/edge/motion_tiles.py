"""Motion tiles: where something small moves in a quiet scene, the undiminished picture is looked at.

A rat far from the camera is ten pixels in the analysed picture and thirty in the camera's own. When
nobody is in the picture (or the kitchen is closed), what changes from one analysed frame to the next
is cut out in full resolution and given to the same model, through the same scheduler. Where
everything changes (light, a moved camera) nothing can be said, and no tile is cut.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.detect.crop import CANVAS, Crop, crop_at
from kitchen_watch.edge.detect.detection import Box, Detection, Detector
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.picture import gray

LARGEST_SHARE = 0.25
"""A region higher or wider than this share of the picture is no small animal far away."""
RESTLESS_SHARE = 0.05
"""Where more of the picture changes than this, the scene is not still."""
SMALLEST_AREA = 6
"""Pixels of the analysed picture."""
GATHER = 5
"""Changes so near to each other (analysed pixels) belong to one region."""
GAIN = 2.0
"""A tile shows things at least so many times larger than the first look."""
PLACE = 1 / 32
"""Places that are remembered as restless are so large (share of the picture's width and height)."""
FRUITLESS = 8
"""Tiles in which nothing was found, until their place is looked at less often."""
RESTLESS_PAUSE_S = 2.0
"""A restless place (the camera's own running clock, a fan, a flame) is looked at only so often."""
FORGIVEN_S = 20.0
"""A place that was quiet for so long is new again."""
CUT_AWAY = 2.0
"""Canvas pixels: a box so near to a tile's edge may be a part of something larger."""


class MotionTileSettings(Settings):
    """Small movements in a quiet scene are looked at in full resolution."""

    enabled: bool = Field(default=True, description="false: pests are found in the analysed picture alone")
    per_second: Annotated[float, Field(gt=0, le=30, description="most tiles per camera and second")] = 5.0
    difference: Annotated[
        int, Field(ge=3, le=128, description="change of brightness (0 to 255) that counts as movement")
    ] = 14


@dataclass(slots=True)
class _Place:
    """A small part of the picture in which something moved."""

    seen_at: datetime
    looked_at: datetime
    fruitless: int = 0


@dataclass(frozen=True, slots=True)
class Region:
    """Where something moved: 0..1 of the picture."""

    box: Box
    area: float
    """Changed pixels."""


class MotionTiles:
    """Tiles of one camera. ``labels`` are what is looked for in them."""

    def __init__(
        self,
        detector: Detector,
        labels: Collection[str],
        settings: MotionTileSettings | None = None,
        *,
        closed: Callable[[datetime], bool] = lambda _at: False,
    ) -> None:
        self.looks = 0
        """Tiles judged so far."""
        self.quiet = False
        """Whether nobody was in the last frame, or the kitchen was closed: the time of small animals."""
        self._detector = detector
        self._labels = frozenset(labels)
        self._settings = settings or MotionTileSettings()
        self._closed = closed
        self._before: Frame | None = None
        self._smooth: tuple[Frame, NDArray[np.uint8]] | None = None
        """A frame with its grey picture, slightly blurred: wanted again when the next one comes."""
        self._spent: deque[datetime] = deque()
        self._places: dict[tuple[int, int], _Place] = {}

    async def look(self, frame: Frame, seen: Sequence[Detection]) -> tuple[Detection, ...]:
        """``seen`` with what tiles show besides, boxes in 0..1 of the whole picture.

        Raises:
            DetectorError: inference failed.
        """
        before, self._before = self._before, frame
        at = frame.captured_at
        self.quiet = self._closed(at) or not any(
            one.label == "person" and (one.firm or one.suspect) for one in seen
        )
        if not self.quiet or not self._allowed(at):
            return tuple(seen)
        regions = self._moved(frame, before)
        regions = [region for region in regions if self._worth_it(region, at)]
        if not regions:
            return tuple(seen)
        full = await asyncio.to_thread(frame.full)
        found: list[Detection] = []
        while regions and self._allowed(at):
            tile = _tile(regions[0].box, full)
            inside = [region for region in regions if _within(region.box, tile)] or regions[:1]
            regions = [region for region in regions if region not in inside]
            self._spent.append(at)
            self.looks += 1
            answers = await self._detector.detect(replace(frame, image=tile.cut(full)))
            kept = self._kept(answers or (), tile, inside)
            found += kept
            if answers is not None:
                self._learn(inside, at, fruitful=bool(kept))
        return (*seen, *found)

    def _worth_it(self, region: Region, at: datetime) -> bool:
        """False for a moment where many tiles showed nothing and something moves all the time."""
        place = self._places.get(_place(region))
        if place is None:
            return True
        quiet, place.seen_at = abs((at - place.seen_at).total_seconds()), at
        if quiet >= FORGIVEN_S:
            place.fruitless = 0
        waited = abs((at - place.looked_at).total_seconds())
        return place.fruitless < FRUITLESS or waited >= RESTLESS_PAUSE_S

    def _learn(self, regions: Sequence[Region], at: datetime, *, fruitful: bool) -> None:
        """Remember where a tile was cut for nothing; what passes through is in no place for long."""
        for key in {_place(region) for region in regions}:
            place = self._places.setdefault(key, _Place(at, at))
            place.looked_at = at
            place.fruitless = 0 if fruitful else place.fruitless + 1

    def _kept(self, answers: Sequence[Detection], tile: Crop, regions: Sequence[Region]) -> list[Detection]:
        """Whole animals of the wanted labels that lie where something moved."""
        kept = []
        for answer in answers:
            if answer.label not in self._labels or _cut_off(answer.box, tile):
                continue
            box = tile.outside(answer.box)
            if any(_touch(box, region.box) for region in regions):
                kept.append(replace(answer, box=box))
        return kept

    def _moved(self, frame: Frame, earlier: Frame | None) -> list[Region]:
        """Small regions that changed since the previous analysed frame, the most changed first."""
        if earlier is None or earlier.image.shape != frame.image.shape or frame.discontinuity:
            return []
        before, grey = self._smoothed(earlier), self._smoothed(frame)
        self._smooth = (frame, grey)
        difference = cv2.absdiff(before, grey)
        _, changed = cv2.threshold(difference, self._settings.difference - 1, 1, cv2.THRESH_BINARY)
        if not 0 < cv2.countNonZero(changed) <= RESTLESS_SHARE * changed.size:
            return []
        height, width = grey.shape
        # Only the part in which anything changed is searched: of a still scene that is next to nothing.
        x, y, wide, high = cv2.boundingRect(changed)
        left, top = max(0, x - GATHER), max(0, y - GATHER)
        changed = changed[top : y + high + GATHER, left : x + wide + GATHER]
        gathered = cv2.dilate(changed, np.ones((GATHER, GATHER), np.uint8))
        count, parts, stats, _ = cv2.connectedComponentsWithStats(gathered)
        areas = np.bincount(parts[changed > 0], minlength=count)
        regions = []
        for index in range(1, count):
            x, y, wide, high, _ = (int(value) for value in stats[index])
            x, y = x + left, y + top
            small = wide <= LARGEST_SHARE * width and high <= LARGEST_SHARE * height
            if areas[index] >= SMALLEST_AREA and small:
                box = Box(x / width, y / height, (x + wide) / width, (y + high) / height)
                regions.append(Region(box, float(areas[index])))
        return sorted(regions, key=lambda region: -region.area)

    def _smoothed(self, frame: Frame) -> NDArray[np.uint8]:
        if self._smooth is not None and self._smooth[0] is frame:
            return self._smooth[1]
        return np.asarray(cv2.GaussianBlur(gray(frame), (3, 3), 0), dtype=np.uint8)

    def _allowed(self, at: datetime) -> bool:
        while self._spent and abs((at - self._spent[0]).total_seconds()) >= 1.0:
            self._spent.popleft()
        return len(self._spent) < max(1.0, self._settings.per_second)


def _place(region: Region) -> tuple[int, int]:
    across, down = region.box.centre
    return int(across / PLACE), int(down / PLACE)


def _tile(region: Box, full: Image) -> Crop:
    """Around a region, as sharp as the camera has it, and never less than twice the first look."""
    height, width = full.shape[:2]
    return crop_at(region.centre, min(float(CANVAS), max(width, height) / GAIN), width, height)


def _within(box: Box, tile: Crop) -> bool:
    there = tile.inside(box)
    return min(there.x1, there.y1) >= 0 and max(there.x2, there.y2) <= 1


def _cut_off(box: Box, tile: Crop) -> bool:
    """Whether a box ends at an edge of the tile that is not an edge of the picture."""
    slack = CUT_AWAY / CANVAS
    return (
        (box.x1 < slack and tile.x1 > 0)
        or (box.y1 < slack and tile.y1 > 0)
        or (box.x2 > 1 - slack and tile.x2 < tile.width)
        or (box.y2 > 1 - slack and tile.y2 < tile.height)
    )


def _touch(one: Box, other: Box) -> bool:
    return one.x1 < other.x2 and other.x1 < one.x2 and one.y1 < other.y2 and other.y1 < one.y2
