"""Still scenes: a frame that shows what the model has just found empty is not shown to the model again.

Kitchens are empty half the day. A frame is left out only if nobody and nothing was found lately, no
violation is open or building up, nothing has moved for some seconds, and the picture is the one that the
model has seen without finding anything. Whatever changes, however small, is looked at in the very frame
that shows it, so that nothing is found later than it would have been. A running clock, a fan or steam
changes one small place again and again: such places stop counting, and where there are many of them
nothing is left out at all. Even in a still scene the model looks every few seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from kitchen_watch.config import Settings
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.edge.streams.picture import gray

STILL_S = 3.0
"""So long nothing must have moved, and nothing been found."""
RECENT = 0.2
"""Share of the newest frame in the picture of the last second."""
FOLLOW = 0.01
"""Share of a still frame in the picture that was found empty: daylight moves on."""
LEARNING = 25
"""Frames until the noise of the picture is known well enough to tell it from a movement."""
SPREAD_FOLLOWS = 0.004
NOISE = 4.0
"""A pixel has changed if it differs by ``difference`` and so many times its usual difference."""
WINDOW, CHANGED_IN_WINDOW = 5, 4
"""So many changed pixels of a square of so many are a movement; single ones are noise."""
PLACES = (32, 18)
RESTLESS = 6
"""Movements in one place with nothing found, a second apart, until the place stops counting."""
FORGIVEN_S = 120.0
MOST_RESTLESS = 0.06
"""With a greater share of such places the scene is not to be judged."""

Gray = NDArray[np.float32]


class StillSceneSettings(Settings):
    """Frames of a still, empty scene are not shown to the model; they are counted apart."""

    enabled: bool = Field(default=True, description="false: every frame that is due goes to the model")
    look_every_s: Annotated[
        float, Field(ge=0.2, le=60, description="even in a still scene the model looks so often, seconds")
    ] = 5.0
    difference: Annotated[
        float, Field(ge=2, le=64, description="change of brightness (0 to 255) that may be a movement")
    ] = 6.0


class StillGate:
    """Watches one camera. Times are the frames' own, so that a replay gives the same."""

    def __init__(self, settings: StillSceneSettings | None = None) -> None:
        self._settings = settings or StillSceneSettings()
        self._places: NDArray[np.int32] = np.zeros(PLACES[::-1], np.int32)
        self._moved_at: NDArray[np.float64] = np.full(PLACES[::-1], -np.inf)
        self._counted_at: NDArray[np.float64] = np.full(PLACES[::-1], -np.inf)
        self._recent: Gray | None = None
        """The picture of the last second."""
        self._spread: Gray = np.zeros((0, 0), np.float32)
        """How much each pixel usually differs from it."""
        self._limit: Gray = self._spread
        """From what difference on a pixel has changed; filled anew for every frame."""
        self._empty: Gray | None = None
        """The picture in which nothing was found."""
        self._frames = 0
        self._last = -np.inf
        self._busy_at = -np.inf
        self._looked_at: float | None = None
        self.still = False
        """Whether the last frame's scene was still and empty, also if the model was to look at it."""

    def leaves_out(self, frame: Frame, *, calm: bool) -> bool:
        """Whether the model need not see this frame. To be asked of every frame, in order.

        ``calm``: no violation is open or building up.
        """
        at = frame.captured_at.timestamp()
        now = _gray(frame)
        self.still = False
        recent = self._recent
        if frame.discontinuity or recent is None or recent.shape != now.shape or at < self._last:
            self._reset()
            self._recent, self._spread, self._busy_at, self._last = now, np.zeros_like(now), at, at
            self._limit = np.empty_like(now)
            return False
        self._last = at
        difference = np.asarray(cv2.absdiff(now, recent), np.float32)
        limit = np.multiply(self._spread, np.float32(NOISE), out=self._limit)
        limit += np.float32(self._settings.difference)
        if self._moves(difference > limit, at, calm=calm) or not calm:
            self._busy_at = at
        cv2.accumulateWeighted(now, recent, RECENT)
        self._frames += 1
        follows = max(1 / (self._frames + 1), SPREAD_FOLLOWS)
        cv2.accumulateWeighted(difference, self._spread, follows)
        if self._frames < LEARNING or at - self._busy_at < STILL_S:
            self._empty = None
            return False
        if float((self._places >= RESTLESS).mean()) > MOST_RESTLESS:
            return False
        if self._empty is None:
            # Nothing moved for a while and nothing was found in it: this is what it looks like empty.
            self._empty = recent.copy()
        elif self._moves(cv2.absdiff(recent, self._empty) > limit, at, calm=calm):
            # It changed so slowly that no moment of it was a movement.
            self._busy_at, self._empty = at, None
            return False
        cv2.accumulateWeighted(now, self._empty, FOLLOW)
        self.still = True
        looked = self._looked_at
        return looked is not None and looked > self._busy_at and at - looked < self._settings.look_every_s

    def looked(self, at: datetime, *, empty: bool) -> None:
        """The model has seen the frame of that time. ``empty``: it found nobody and nothing."""
        self._looked_at = at.timestamp()
        if not empty:
            self._busy_at = self._looked_at
            # What moved here was something after all.
            self._places[np.abs(self._looked_at - self._moved_at) < STILL_S] = 0

    def _reset(self) -> None:
        self._recent = self._empty = self._looked_at = None
        self._frames, self._last, self._busy_at = 0, -np.inf, -np.inf

    def _moves(self, changed: NDArray[np.bool_], at: float, *, calm: bool) -> bool:
        """Whether so many pixels changed together that it is a movement, outside of restless places."""
        pixels = changed.view(np.uint8)
        if not cv2.hasNonZero(pixels):
            return False
        near = cv2.boxFilter(pixels, cv2.CV_8U, (WINDOW, WINDOW), normalize=False)
        moving = np.asarray(
            cv2.threshold(near, CHANGED_IN_WINDOW - 1, 1, cv2.THRESH_BINARY)[1], dtype=np.uint8
        )
        if not cv2.hasNonZero(moving):
            return False
        there = _places(moving)
        self._places[there & (at - self._moved_at > FORGIVEN_S)] = 0
        self._moved_at[there] = at
        restless = self._places >= RESTLESS
        # The digits of a clock stand side by side, and the left ones change rarely.
        beside = restless.copy()
        beside[:, 1:] |= restless[:, :-1]
        beside[:, :-1] |= restless[:, 1:]
        counts = bool((there & ~beside).any())
        again = there & (at - self._counted_at >= 1.0)
        if calm:
            self._places[again] += 1
            self._counted_at[again] = at
        return counts


def _places(moving: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """In which places anything moves, shape (18, 32)."""
    height, width = moving.shape
    if height < PLACES[1] or width < PLACES[0]:
        rows, columns = np.nonzero(moving)
        there = np.zeros(PLACES[::-1], np.bool_)
        there[rows * PLACES[1] // height, columns * PLACES[0] // width] = True
        return there
    # Where each place begins, rounded up: a pixel belongs to the place that its product says.
    down = -(-np.arange(PLACES[1]) * height // PLACES[1])
    across = -(-np.arange(PLACES[0]) * width // PLACES[0])
    strips = np.maximum.reduceat(moving, down, axis=0)
    return np.asarray(np.maximum.reduceat(strips, across, axis=1) > 0)


def _gray(frame: Frame) -> Gray:
    """Slightly blurred, float32 of shape (height, width)."""
    return np.asarray(cv2.blur(gray(frame), (3, 3)), dtype=np.float32)
