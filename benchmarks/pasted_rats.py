"""Small rats that run through real empty kitchens: cut out of labelled photographs, pasted and moved.

Nobody films rats in kitchens with boxes around them; this is a stand-in. The rats come from the
validation split, which no training has seen; the rooms are the sharper ones of both splits. Decoys
move the same way and are scraps of another room, so that an edge or a movement alone raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.training.dataset import picture_size, read_picture, read_split
from kitchen_watch.training.paste import PESTS, Cutout, cut_out

SIZE = (1920, 1080)
"""Of the camera; the analysed picture is a third of it."""
ANALYSED = (640, 360)
SHARP = 500
"""Rooms less wide than this would be a blur."""
LONG = 1.2
"""Width by height: a head from the front, or half an animal, would not run across a floor."""
FRAMES = 20
RATE = 5.0
STRIDE = 0.6
"""Body lengths per analysed frame."""
NOISE = 2.0
"""Standard deviation of the sensor's noise, grey levels."""
NIGHT = datetime(2026, 1, 1, 18, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scene:
    """One room and what runs through it."""

    room: Image
    runner: Cutout
    length: int
    """Long side of the runner in pixels of the camera."""
    start: tuple[float, float]
    heading: float
    seed: int

    def frames(self, empty: int = 0) -> Iterator[Frame]:
        """What the camera gives, five frames a second; in the first ``empty`` ones nothing runs."""
        rng = np.random.default_rng(self.seed)
        for number in range(empty + FRAMES):
            picture = (self.room if number < empty else self._at(number - empty)).astype(np.float32)
            noise = rng.normal(0, NOISE, (SIZE[1] // 2, SIZE[0] // 2)).astype(np.float32)
            picture += np.asarray(cv2.resize(noise, SIZE))[..., None]
            full = np.clip(picture, 0, 255).astype(np.uint8)
            yield Frame(
                stream_id="pasted",
                pts=number / RATE,
                captured_at=NIGHT + timedelta(seconds=number / RATE),
                image=np.asarray(cv2.resize(full, ANALYSED, interpolation=cv2.INTER_AREA), dtype=np.uint8),
                width=SIZE[0],
                height=SIZE[1],
                full=_always(full),
                discontinuity=number == 0,
            )

    def _at(self, number: int) -> Image:
        scale = self.length / max(self.runner.cover.shape)
        size = tuple(max(3, round(side * scale)) for side in self.runner.cover.shape[::-1])
        shrunk = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        animal = np.asarray(cv2.resize(self.runner.picture, size, interpolation=shrunk), dtype=np.float32)
        cover = np.asarray(cv2.resize(self.runner.cover, size, interpolation=shrunk))[..., None]
        way = STRIDE * self.length * number
        x = round(self.start[0] * SIZE[0] + np.cos(self.heading) * way)
        y = round(self.start[1] * SIZE[1] + np.sin(self.heading) * way)
        picture = self.room.copy()
        ground = picture[y : y + size[1], x : x + size[0]]
        light = (ground.mean() + 8) / ((animal * cover).sum() / (3 * cover.sum()) + 8)
        lit = animal * float(np.clip(light**0.4, 0.4, 1.6))
        ground[:] = np.clip(ground * (1 - cover) + lit * cover, 0, 255).astype(np.uint8)
        return picture


def scenes(data: Path, lengths: Sequence[int], *, rats: bool, seed: int = 5) -> list[Scene]:
    """One scene per length, from the labelled pictures below ``data``."""
    rng = np.random.default_rng(seed)
    rooms, cutouts = _stock(data)
    made = []
    for number, length in enumerate(lengths):
        room = np.asarray(cv2.resize(_bgr(rooms[number % len(rooms)]), SIZE), dtype=np.uint8)
        runner = cutouts[int(rng.integers(len(cutouts)))]
        if not rats:
            other = _bgr(rooms[(number + 7) % len(rooms)])
            high, wide = runner.cover.shape
            y, x = (
                int(rng.integers(0, side - part))
                for side, part in zip(other.shape, (high, wide), strict=False)
            )
            runner = Cutout(runner.label, other[y : y + high, x : x + wide], runner.cover)
        made.append(
            Scene(
                room=room,
                runner=runner,
                length=length,
                start=(float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.55, 0.8))),
                heading=float(rng.uniform(-0.2, 0.2)),
                seed=number,
            )
        )
    return made


@cache
def _stock(data: Path) -> tuple[list[Path], list[Cutout]]:
    """Pictures of rooms, and whole rats."""
    examples = read_split(data / "val")
    rooms = [
        example.picture
        for example in (*examples, *read_split(data / "train"))
        if example.group == "negative" and picture_size(example.picture)[0] >= SHARP
    ]
    cutouts = [
        cutout
        for example in examples
        if example.picture.stem.startswith("rat_pet")
        for cutout in cut_out(example, _bgr(example.picture))
        if cutout.label == PESTS[0] and cutout.cover.shape[1] >= LONG * cutout.cover.shape[0]
    ]
    return rooms, cutouts


def _bgr(path: Path) -> Image:
    return np.ascontiguousarray(read_picture(path)[:, :, ::-1])


def _always(full: Image) -> Callable[[], Image]:
    return lambda: full
