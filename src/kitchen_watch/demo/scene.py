"""One moment of a demo kitchen: figures move, steam rises, the sensor is noisy, a counter runs.

The pictures are rendered before they are streamed, so the counter in the corner is the loop's own
running time, not the wall clock; times of evidence come from the edge's clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.demo import kitchen, photographs
from kitchen_watch.demo.canvas import HEIGHT, WIDTH, lettering
from kitchen_watch.demo.photographs import Cutout, Image

FIGURES: dict[str, Callable[[], Cutout]] = {
    "astronaut": photographs.astronaut,
    "hopper": photographs.hopper,
    "cat": photographs.cat,
}
_NOISE_PICTURES = 7
_MARGIN = 64
_BLACK = 16
"""Luma of black in video."""


@dataclass(frozen=True)
class Step:
    """Where a figure is at a time: ``x`` is its middle in 0..1 of the width, at ``second`` of the loop."""

    second: float
    x: float


@dataclass(frozen=True)
class Figure:
    """Somebody who moves behind the worktop along ``path``; between the steps the walk is even.

    ``size`` is the height above the worktop in 0..1 of the picture. A path ends where it began, or begins
    and ends outside the picture, so that the loop has no seam.
    """

    who: str
    size: float
    path: tuple[Step, ...]

    def x_at(self, second: float) -> float:
        """Middle of the figure in 0..1 of the width."""
        for earlier, later in zip(self.path, self.path[1:], strict=False):
            if second <= later.second:
                share = (second - earlier.second) / (later.second - earlier.second)
                eased = share * share * (3 - 2 * share)
                return earlier.x + (later.x - earlier.x) * eased
        return self.path[-1].x


@dataclass(frozen=True)
class SceneSettings:
    """What one loop of one camera shows."""

    room: str
    title: str
    seconds: float
    figures: tuple[Figure, ...] = ()
    steam: tuple[tuple[float, float], ...] = ()
    """Where steam rises, in picture pixels."""
    night: bool = False
    covered: bool = False
    """Something is put over the lens at the loop's beginning and taken away at its end."""
    noise: float = 2.6
    """Standard deviation of the sensor noise in grey levels."""


class Scene:
    """Renders the loop of one camera; the same settings always give the same pictures."""

    def __init__(self, settings: SceneSettings) -> None:
        self.settings = settings
        room = kitchen.draw(settings.room)
        self._room = room
        alpha = room.front_alpha[..., None]
        self._empty = (room.back * (1 - alpha) + room.front * alpha).astype(np.uint8)
        random = np.random.default_rng(7)
        strength = settings.noise
        self._noise = [
            np.clip(random.normal(0, strength, (HEIGHT + _MARGIN, WIDTH + _MARGIN)), -40, 40).astype(np.int16)
            for _ in range(_NOISE_PICTURES)
        ]
        self._title = lettering(settings.title, 26)
        self._digits = {digit: lettering(digit, 26) for digit in "0123456789:."}
        self._puff = _puff()

    def luma_chroma(self, index: int, rate: float) -> Image:
        """Frame ``index`` of the loop as planar YUV 4:2:0: uint8 of shape (720 * 3 / 2, 1280)."""
        second = index / rate
        picture = self._empty.copy()
        for figure in self.settings.figures:
            self._place(picture, figure, second)
        for number, place in enumerate(self.settings.steam):
            self._steam(picture, place, second, number)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        luma, chroma = planes[:HEIGHT], planes[HEIGHT:]
        self._light(luma, chroma, index, second)
        random = np.random.default_rng(index)
        top, left = random.integers(0, _MARGIN, 2)
        noise = self._noise[index % _NOISE_PICTURES][top : top + HEIGHT, left : left + WIDTH]
        planes[:HEIGHT] = cv2.add(luma, noise, dtype=cv2.CV_8U)
        self._overlay(planes[:HEIGHT], second)
        return planes

    def picture(self, index: int, rate: float) -> Image:
        """Frame ``index`` as BGR uint8 of shape (720, 1280, 3)."""
        return np.asarray(cv2.cvtColor(self.luma_chroma(index, rate), cv2.COLOR_YUV2BGR_I420), np.uint8)

    def _place(self, picture: Image, figure: Figure, second: float) -> None:
        """Blend a figure between the far wall and the worktop."""
        cutout = FIGURES[figure.who]()
        height, width = cutout.alpha.shape
        zoom = figure.size * HEIGHT / height
        pace = (figure.x_at(second + 0.1) - figure.x_at(second - 0.1)) * 5
        walking = min(1.0, abs(pace) / 0.03)
        stride = self._swing(second, 0.83)
        sway = 0.6 * self._swing(second, 0.21) + 1.4 * walking * stride
        bob = 1.5 * self._swing(second, 0.30) + 4 * walking * abs(stride)
        feet = kitchen.COUNTER + 26
        x, y = figure.x_at(second) * WIDTH, feet + bob - figure.size * HEIGHT / 2
        reach_x, reach_y = width * zoom / 2 + 16, height * zoom / 2 + 16
        left, right = max(0, int(x - reach_x)), min(WIDTH, int(x + reach_x))
        top, bottom = max(0, int(y - reach_y)), min(HEIGHT, int(y + reach_y))
        if right - left < 2 or bottom - top < 2:
            return
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), sway, zoom)
        matrix[:, 2] += (x - width / 2 - left, y - height / 2 - top)
        size = (right - left, bottom - top)
        body = cv2.warpAffine(
            cutout.picture, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        share = cv2.warpAffine(cutout.alpha, matrix, size, flags=cv2.INTER_LINEAR)
        window = np.s_[top:bottom, left:right]
        behind = cv2.blendLinear(body, picture[window], share, 1 - share)
        front = self._room.front_alpha[window]
        picture[window] = cv2.blendLinear(self._room.front[window], behind, front, 1 - front)

    def _swing(self, second: float, rate: float) -> float:
        """A swing between -1 and 1, about ``rate`` times a second, without a seam at the loop's end."""
        swings = max(1, round(rate * self.settings.seconds))
        return math.sin(2 * math.pi * swings * second / self.settings.seconds)

    def _steam(self, picture: Image, place: tuple[float, float], second: float, number: int) -> None:
        period = self.settings.seconds / max(1, round(self.settings.seconds / 3))
        for puff in range(4):
            age = (second / period + puff / 4 + number * 0.13) % 1.0
            x = place[0] + 22 * math.sin(2 * math.pi * (age + puff * 0.31)) * age
            y = place[1] - 190 * age
            size = int(70 + 120 * age)
            left, top = int(x - size / 2), int(y - size / 2)
            if left < 0 or top < 0 or left + size > WIDTH or top + size > HEIGHT:
                continue
            soft = cv2.resize(self._puff, (size, size)) * np.float32(0.30 * math.sin(math.pi * age) ** 1.2)
            window = np.s_[top : top + size, left : left + size]
            vapour = np.full((size, size, 3), 238, np.uint8)
            picture[window] = cv2.blendLinear(vapour, picture[window], soft, 1 - soft)

    def _light(self, luma: Image, chroma: Image, index: int, second: float) -> None:
        gain, lift = 1.0 + 0.006 * math.sin(index * 2.399), 0.0
        if self.settings.night:
            gain, lift, chroma[:] = gain * 0.45, 6.0, 128
        if self.settings.covered:
            open_share = self._open_share(second)
            gain *= 0.02 + 0.98 * open_share
            lift += 7 * (1 - open_share)  # a covered sensor is not perfectly black
            if open_share < 1:
                chroma[:] = (128 + (chroma.astype(np.int16) - 128) * open_share).astype(np.uint8)
        cv2.convertScaleAbs(luma, luma, gain, _BLACK * (1 - gain) + lift)

    def _open_share(self, second: float) -> float:
        """0 while the lens is covered, 1 while it is free; half a second of change at either end."""
        closing = 1 - second / 0.5
        opening = 1 - (self.settings.seconds - second) / 0.5
        return min(1.0, max(0.0, closing, opening))

    def _overlay(self, luma: Image, second: float) -> None:
        _stamp(luma, self._title, 28, 22)
        left = WIDTH - 190
        for digit in f"{int(second) // 60:02d}:{second % 60:04.1f}":
            _stamp(luma, self._digits[digit], left, 22)
            left += 17 if digit.isdigit() else 9


def _stamp(luma: Image, mask: NDArray[np.uint8], x: int, y: int) -> None:
    """White letters with a dark rim, as recorders draw them."""
    height, width = mask.shape
    area = luma[y : y + height, x : x + width]
    rim = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    share, dark = mask.astype(np.float32) / 255, rim.astype(np.float32) / 255
    area[:] = (area * (1 - dark) * (1 - share) + 20 * dark * (1 - share) + 235 * share).astype(np.uint8)


def _puff() -> NDArray[np.float32]:
    axis = np.linspace(-1, 1, 96, dtype=np.float32)
    distance = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
    return np.asarray(np.clip(1 - distance, 0, 1) ** 1.5, dtype=np.float32)
