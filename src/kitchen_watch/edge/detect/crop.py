"""A crop: a part of the undiminished picture, shaped so that the network's usual canvas fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kitchen_watch.edge.detect.detection import Box
from kitchen_watch.edge.streams.frame import Image

CANVAS = 640
ASPECT = 0.59
"""Height ÷ width, a little under 384 ÷ 640, so that rounding never asks for a network of another size."""
LARGEST_PX = 128.0
"""What is larger than this in the canvas gains nothing more."""
ENLARGED = 1.25
"""Least gain over the first look, or there would be nothing new to see."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Where a crop lies: pixels of the undiminished picture of ``width`` x ``height``."""

    x1: int
    y1: int
    x2: int
    y2: int
    width: int
    height: int

    def cut(self, picture: Image) -> Image:
        """The crop's pixels, BGR uint8 (y2 - y1, x2 - x1, 3)."""
        return np.ascontiguousarray(picture[self.y1 : self.y2, self.x1 : self.x2])

    def inside(self, box: Box) -> Box:
        """A box of the whole picture in 0..1 of the crop; may reach beyond it."""
        wide, high = self.x2 - self.x1, self.y2 - self.y1
        return Box(
            (box.x1 * self.width - self.x1) / wide,
            (box.y1 * self.height - self.y1) / high,
            (box.x2 * self.width - self.x1) / wide,
            (box.y2 * self.height - self.y1) / high,
        )

    def outside(self, box: Box) -> Box:
        """A box in 0..1 of the crop as one of the whole picture."""
        wide, high = self.x2 - self.x1, self.y2 - self.y1
        return Box(
            (box.x1 * wide + self.x1) / self.width,
            (box.y1 * high + self.y1) / self.height,
            (box.x2 * wide + self.x1) / self.width,
            (box.y2 * high + self.y1) / self.height,
        )

    def shows(self, box: Box, *, like: Box) -> bool:
        """Whether a box lies wholly inside and is about as large as the one the crop was made for."""
        there = self.inside(box)
        whole = min(there.x1, there.y1) >= 0 and max(there.x2, there.y2) <= 1
        return whole and 0.67 * like.height <= box.height <= 1.5 * like.height


def crop_around(box: Box, width: int, height: int, *, least: float) -> Crop:
    """The crop in which ``box`` is large enough to judge.

    In the network's canvas it will be as large as the undiminished picture (``width`` x ``height``
    pixels) really shows it, at least ``least`` pixels and :data:`ENLARGED` times what the first look
    saw; but nothing is enlarged beyond :data:`LARGEST_PX`.
    """
    long_side = max(box.width * width, box.height * height, 1.0)
    first_look = long_side / max(width, height) * CANVAS
    enlarged = min(max(long_side, ENLARGED * first_look), LARGEST_PX)
    wanted = max(least, enlarged, first_look)
    return crop_at(box.centre, long_side * CANVAS / wanted, width, height)


def crop_at(centre: tuple[float, float], wide: float, width: int, height: int) -> Crop:
    """The crop ``wide`` pixels wide around ``centre`` (0..1), shifted and, where it must, shrunk to lie
    inside the picture.
    """
    wide = min(wide, float(width), height / ASPECT)
    high = wide * ASPECT
    across, down = centre
    x1 = round(min(max(across * width - wide / 2, 0.0), width - wide))
    y1 = round(min(max(down * height - high / 2, 0.0), height - high))
    return Crop(
        x1, y1, min(width, x1 + max(2, int(wide))), min(height, y1 + max(1, int(high))), width, height
    )
