"""Drawing with light and surfaces: the brush with which the demo kitchens are painted.

Everything is painted on a :class:`Canvas` in picture coordinates (1280 x 720); the canvas draws twice
as large and shrinks at the end, which gives smooth edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from kitchen_watch.demo.photographs import Image

WIDTH, HEIGHT = 1280, 720
SCALE = 2
Colour = tuple[int, int, int]
Points = Sequence[tuple[float, float]]
Box = tuple[int, int, int, int]
"""x, y, width, height in picture pixels."""
SIMPLIFIED_CHINESE = 2
"""Index of the face inside the font collection: 0 JP, 1 KR, 2 SC, 3 TC, 4 HK."""


@dataclass
class Canvas:
    """A picture under construction with an alpha channel: shape (2 x 720, 2 x 1280, 4), BGRA float32."""

    random: np.random.Generator
    pixels: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((HEIGHT * SCALE, WIDTH * SCALE, 4), np.float32)
    )

    def polygon(self, points: Points, colour: Colour, *, opacity: float = 1.0) -> None:
        """Fill a polygon."""
        corners = np.array(points, np.float32) * SCALE
        mask, origin = self._mask(corners.min(axis=0), corners.max(axis=0))
        cv2.fillPoly(mask, [np.round(corners - origin).astype(np.int32)], 255, cv2.LINE_AA)
        self._paint(mask, origin, colour, opacity)

    def ellipse(
        self, centre: tuple[float, float], axes: tuple[float, float], colour: Colour, *, opacity: float = 1.0
    ) -> None:
        """Fill an ellipse given by its centre and half axes."""
        middle, half = np.array(centre, np.float32) * SCALE, np.array(axes, np.float32) * SCALE
        mask, origin = self._mask(middle - half, middle + half)
        at, size = np.round(middle - origin).astype(int), np.maximum(1, np.round(half).astype(int))
        cv2.ellipse(mask, at.tolist(), size.tolist(), 0, 0, 360, 255, -1, cv2.LINE_AA)
        self._paint(mask, origin, colour, opacity)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: Colour, *, width: float = 2
    ) -> None:
        """Draw a line."""
        ends = np.array([start, end], np.float32) * SCALE
        mask, origin = self._mask(ends.min(axis=0) - width * SCALE, ends.max(axis=0) + width * SCALE)
        first, last = np.round(ends - origin).astype(int).tolist()
        cv2.line(mask, first, last, 255, max(1, round(width * SCALE)), cv2.LINE_AA)
        self._paint(mask, origin, colour, 1.0)

    def surface(
        self, box: Box, first: Colour, last: Colour, *, across: bool = False, grain: float = 0.0
    ) -> None:
        """Fill a rectangle with a gradient (downwards, or ``across``) and brushed ``grain``."""
        x, y, width, height = (value * SCALE for value in box)
        ramp = np.linspace(0, 1, width if across else height, dtype=np.float32)
        ramp = np.tile(ramp, (height, 1)) if across else np.repeat(ramp[:, None], width, axis=1)
        area = (
            np.array(first, np.float32) * (1 - ramp[..., None]) + np.array(last, np.float32) * ramp[..., None]
        )
        if grain:
            lines = self.random.normal(0, grain, (height, 1) if not across else (1, width))
            area = area + cv2.GaussianBlur(np.asarray(lines, np.float32), (0, 0), 0.8)[..., None]
        target = self.pixels[y : y + height, x : x + width]
        target[..., :3] = area[: target.shape[0], : target.shape[1]]
        target[..., 3] = 255

    def pillar(self, box: Box, colour: Colour, *, shine: float = 0.55) -> None:
        """A standing cylinder seen from the front: dark edges, a light band left of the middle."""
        x, y, width, height = box
        across = np.linspace(-1, 1, width * SCALE, dtype=np.float32)
        light = 0.55 + 0.45 * np.cos(across * 1.4) + shine * np.exp(-(((across + 0.35) / 0.16) ** 2)) * 0.5
        area = self.pixels[y * SCALE : (y + height) * SCALE, x * SCALE : (x + width) * SCALE]
        area[..., :3] = np.clip(
            np.array(colour, np.float32) * light[None, :, None][:, : area.shape[1]], 0, 255
        )
        area[..., 3] = 255

    def write(self, text: str, at: tuple[int, int], size: int, colour: Colour) -> None:
        """Write text (Chinese too) with its top left corner at ``at``."""
        mask = lettering(text, size * SCALE)
        self._paint(mask, np.array(at) * SCALE, colour, 1.0)

    def shade(self, centre: tuple[float, float], axes: tuple[float, float], strength: float) -> None:
        """A soft shadow (or, with negative strength, a glow) around ``centre``; colours only."""
        rows = (np.arange(self.pixels.shape[0], dtype=np.float32)[:, None] / SCALE - centre[1]) / axes[1]
        columns = (np.arange(self.pixels.shape[1], dtype=np.float32)[None, :] / SCALE - centre[0]) / axes[0]
        fall = np.exp(-(rows**2)) * np.exp(-(columns**2))  # far cheaper than the exponential of the sum
        self.pixels[..., :3] *= (1 - strength * fall)[..., None]

    def finished(self) -> tuple[Image, NDArray[np.float32]]:
        """The picture (BGR uint8) and its alpha (float32, 0..1), both at 1280 x 720."""
        small = cv2.resize(self.pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.clip(small[..., :3], 0, 255).astype(np.uint8), (small[..., 3] / 255.0).astype(np.float32)

    def _mask(
        self, low: NDArray[np.float32], high: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """An empty mask around the given corners, and where its origin lies on the canvas."""
        limit = np.array([self.pixels.shape[1], self.pixels.shape[0]])
        start = np.clip(np.floor(low).astype(int) - 2, 0, limit - 1)
        end = np.clip(np.ceil(high).astype(int) + 3, start + 1, limit)
        width, height = (end - start).tolist()
        return np.zeros((height, width), np.uint8), start

    def _paint(
        self, mask: NDArray[np.uint8], origin: NDArray[np.int64], colour: Colour, opacity: float
    ) -> None:
        x, y = (int(value) for value in origin)
        area = self.pixels[y : y + mask.shape[0], x : x + mask.shape[1]]
        share = (mask[: area.shape[0], : area.shape[1]].astype(np.float32) * (opacity / 255.0))[..., None]
        area[..., :3] = area[..., :3] * (1 - share) + np.array(colour, np.float32) * share
        area[..., 3:] = np.maximum(area[..., 3:], share * 255)


def tinted(colour: Colour, factor: float) -> Colour:
    """The colour, lighter or darker."""
    blue, green, red = (int(min(250.0, max(0.0, value * factor))) for value in colour)
    return blue, green, red


def lettering(text: str, size: int) -> NDArray[np.uint8]:
    """Text as a mask (height, width) of 0..255, in Noto Sans CJK, which has every Chinese character."""
    face = ImageFont.truetype(str(FONT_PATH), size, index=SIMPLIFIED_CHINESE)
    _, _, width, height = face.getbbox(text)
    sheet = Pictures.new("L", (int(width) + 2, int(height) + 2), 0)
    ImageDraw.Draw(sheet).text((0, 0), text, fill=255, font=face)
    return np.array(sheet, dtype=np.uint8)
