"""Frozen or merely still: whether a picture still brings anything that was not seen before.

A living sensor never gives the same picture twice: its noise makes every keyframe come out
different almost everywhere, however dark the room and however hard the encoder compresses.
Between keyframes a still, quiet scene *is* bit-identical (the encoder repeats itself), so "nothing
changed for a while" proves nothing. A camera that hangs encodes one raw picture again and again:
its keyframes take few values, and come back to them, also where the running clock at the picture's
edge makes the encoder change its mind a little.

Therefore the picture without its upper and lower edge is cut into 5 x 16 cells, each cell
remembers the values it has had, and per group of pictures the share of cells with a value never
seen before is counted. Measured on x264 with five rate controls, by day, at dusk and in infrared:
living with sensor noise of 0.5 to 2 grey levels 42-100 % in every single group (0.25 grey levels:
28 % and more), hanging 0-15 % on average over five groups. Something that moves brings news in
most frames, and counts as life too.

Not seen: a hanging sensor behind an encoder that keeps spending spare bits on refining the same
picture; it is reported once its rate control settles.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_ROWS, _COLUMNS = 9, 16
_FIRST_ROW, _LAST_ROW = 2, 7
_CELLS = (_LAST_ROW - _FIRST_ROW) * _COLUMNS
_MEMORY = 24
"""Values a cell remembers: the states of some groups of pictures, not the noise of an hour."""
_FROZEN_SHARE = 0.2
_ALIVE_SHARE = 0.35
_MOVING_SHARE = 0.5
_UNKNOWN_GROUP_S = 12.0
"""Where keyframes are not known, a group is taken to be longer than any camera makes it."""


@dataclass(slots=True)
class _Group:
    """One group of pictures, from a keyframe to the next."""

    began: float
    keyframes: int
    frames: int = 0
    with_news: int = 0
    new: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(_CELLS, np.bool_))

    def share(self) -> float:
        """Share of the cells that brought something new; 1 if something moves."""
        if self.frames > 1 and self.with_news > _MOVING_SHARE * self.frames:
            return 1.0
        return float(self.new.mean())


class NoveltyWatch:
    """Watches one stream for pictures that bring nothing new."""

    def __init__(self, *, seconds: float, keyframes: int) -> None:
        self._seconds = seconds
        self._needed = keyframes
        self._seen: NDArray[np.uint64] | None = None
        self._cursor: NDArray[np.intp] = np.zeros(_CELLS, np.intp)
        self._weights: NDArray[np.uint64] = np.zeros((0, 0), np.uint64)
        self._shape: tuple[int, int] = (0, 0)
        self._group: _Group | None = None
        self._past: deque[tuple[float, float]] = deque()  # (when it began, share of new cells)

    def frozen(
        self, gray: NDArray[np.uint8], at: float, keyframes: int, *, discontinuity: bool
    ) -> bool | None:
        """Whether the stream is frozen, ``None`` for pictures too small to tell.

        ``gray`` is the analysed picture, uint8 (height, width); ``at`` is seconds of the stream;
        ``keyframes`` counts those decoded so far on this connection (0: not known).
        """
        if gray.shape[0] < 3 * _ROWS or gray.shape[1] < 8 * _COLUMNS:
            return None
        new = self._new(gray)
        if discontinuity:
            self._past.clear()
            self._group = None
        group = self._group
        if group is None:
            group = self._group = _Group(at, keyframes)
        elif self._ends(group, at, keyframes):
            self._remember(group)
            group = self._group = _Group(at, keyframes)
        group.frames += 1
        group.with_news += bool(new.any())
        group.new |= new
        if float(group.new.mean()) > _ALIVE_SHARE:
            self._past.clear()  # back to life: not held against it any longer
            return False
        return self._judge(at)

    def _judge(self, at: float) -> bool:
        if len(self._past) < self._needed or at - self._past[0][0] < self._seconds:
            return False
        return sum(share for _, share in self._past) / len(self._past) <= _FROZEN_SHARE

    def _ends(self, group: _Group, at: float, keyframes: int) -> bool:
        if keyframes == 0:
            return at - group.began >= _UNKNOWN_GROUP_S
        return keyframes != group.keyframes

    def _remember(self, group: _Group) -> None:
        self._past.append((group.began, group.share()))
        while len(self._past) > self._needed and group.began - self._past[1][0] >= self._seconds:
            self._past.popleft()

    def _new(self, gray: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which cells have a value that they have not had lately; remembers the values."""
        values = self._values(gray)
        if self._seen is None:  # nothing to compare with: the first picture is no news
            self._seen = np.repeat(values[:, None], _MEMORY, axis=1)
        new = ~(self._seen == values[:, None]).any(axis=1)
        rows = np.flatnonzero(new)
        self._seen[rows, self._cursor[rows]] = values[rows]
        self._cursor[rows] = (self._cursor[rows] + 1) % _MEMORY
        return np.asarray(new)

    def _values(self, gray: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """One number per cell that changes with any pixel of it (a random linear hash mod 2^64)."""
        if gray.shape != self._shape:
            self._shape = (gray.shape[0], gray.shape[1])
            self._seen = None
            size = (gray.shape[0] // _ROWS, gray.shape[1] // _COLUMNS // 8)
            random = np.random.default_rng(20_260_302)
            # Odd weights: no change of a single pixel can vanish modulo 2^64.
            self._weights = random.integers(1, 2**64, size=size, dtype=np.uint64) | np.uint64(1)
        height, words = self._weights.shape
        part = gray[_FIRST_ROW * height : _LAST_ROW * height, : _COLUMNS * words * 8]
        cells = np.ascontiguousarray(part).view(np.uint64)
        cells = cells.reshape(_LAST_ROW - _FIRST_ROW, height, _COLUMNS, words)
        weighted = cells * self._weights[None, :, None, :]
        return np.asarray(weighted.sum(axis=(1, 3), dtype=np.uint64).ravel(), dtype=np.uint64)
