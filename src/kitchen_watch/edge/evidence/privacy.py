"""Privacy polygons burnt into pictures: the one place that does it, for everything that is stored.

Whatever lies inside a polygon is replaced by one colour, before anything is encoded; nothing of it
can be brought back. A polygon is grown by two pixels, because chroma is stored for pairs of pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.edge.streams.frame import Image

Polygon = Sequence[tuple[float, float]]
GROW = 2
BLACK = (0, 0, 0)
BLACK_LUMA, GREY_CHROMA = 16, 128


class PrivacyMask:
    """Polygons in 0..1 of a picture's width and height. Immutable, usable from several threads."""

    def __init__(self, polygons: Iterable[Polygon] = ()) -> None:
        self._polygons = tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in polygons)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to hide."""
        return not self._polygons

    def burnt(self, image: Image) -> Image:
        """``image`` (BGR, height x width x 3) with everything private painted over; a copy."""
        if self.empty:
            return image
        image = image.copy()
        height, width = image.shape[:2]
        image[_covered(self._polygons, width, height)] = BLACK
        return image

    def burn_yuv420(self, planes: NDArray[np.uint8]) -> None:
        """The same, in place, on planar YUV 4:2:0 as PyAV gives it: (height * 3 / 2, width), even sizes."""
        if self.empty:
            return
        rows, width = planes.shape
        height = rows * 2 // 3
        covered = _covered(self._polygons, width, height)
        planes[:height][covered] = BLACK_LUMA
        # A chroma sample goes if any of its four pixels is private.
        pairs = covered.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3))
        planes[height:].reshape(2, height // 2, width // 2)[:, pairs] = GREY_CHROMA


@lru_cache(maxsize=64)
def _covered(polygons: tuple[Polygon, ...], width: int, height: int) -> NDArray[np.bool_]:
    """Which pixels are private; shape (height, width)."""
    drawn: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.array([(x * width, y * height) for x, y in polygon])
        cv2.fillPoly(drawn, [np.round(corners).astype(np.int32)], 1)
    kernel = np.ones((2 * GROW + 1, 2 * GROW + 1), np.uint8)
    grown = np.asarray(cv2.dilate(drawn, kernel), dtype=np.bool_)
    grown.setflags(write=False)
    return grown
