"""Small rats that run through real empty kitchens: cut out of labelled photographs, pasted and moved.

Nobody films rats in kitchens with boxes around them; this is a stand-in. The rooms and the rats are
pictures of the validation split, which no training has seen. Decoys move the same way and are scraps
of another room, so that an edge or a movement alone must raise nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.training.dataset import read_picture, read_split
from kitchen_watch.training.paste import PESTS, Cutout, cut_out

SIZE = (1920, 1080)
"""Of the camera; the analysed picture is a third of it."""
ANALYSED = (640, 360)
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

    def frames(self) -> Iterator[Frame]:
        """What the camera gives, five frames a second."""
        rng = np.random.default_rng(self.seed)
        for number in range(FRAMES):
            picture = self._at(number).astype(np.float32)
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
        way = STRIDE * self.length * number
        x = self.start[0] * SIZE[0] + np.cos(self.heading) * way
        y = self.start[1] * SIZE[1] + np.sin(self.heading) * way
        matrix = np.array([[scale, 0, x], [0, scale, y]], dtype=np.float32)
        animal = np.asarray(cv2.warpAffine(self.runner.picture, matrix, SIZE, flags=cv2.INTER_AREA))
        cover = np.asarray(cv2.warpAffine(self.runner.cover, matrix, SIZE, flags=cv2.INTER_AREA))[..., None]
        mixed = self.room * (1 - cover) + animal * cover
        return mixed.astype(np.uint8)


def scenes(data: Path, lengths: Sequence[int], *, rats: bool, seed: int = 5) -> list[Scene]:
    """One scene per length, from the validation split below ``data``."""
    rng = np.random.default_rng(seed)
    examples = read_split(data / "val")
    rooms = [example for example in examples if example.picture.stem.startswith("kitchen_empty")]
    pets = [example for example in examples if example.picture.stem.startswith("rat_pet")]
    cutouts = [
        cutout
        for example in pets
        for cutout in cut_out(example, _bgr(example.picture))
        if cutout.label == PESTS[0]
    ]
    made = []
    for number, length in enumerate(lengths):
        room = np.asarray(cv2.resize(_bgr(rooms[number % len(rooms)].picture), SIZE), dtype=np.uint8)
        runner = cutouts[int(rng.integers(len(cutouts)))]
        if not rats:
            other = _bgr(rooms[(number + 7) % len(rooms)].picture)
            high, wide = runner.cover.shape
            y, x = (int(rng.integers(0, side - part)) for side, part in zip(other.shape, (high, wide), strict=False))
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


def _bgr(path: Path) -> Image:
    return np.ascontiguousarray(read_picture(path)[:, :, ::-1])


def _always(full: Image) -> Callable[[], Image]:
    return lambda: full
