"""Which decoded frames are due for analysis: an even rate by the stream's own timestamps."""

from __future__ import annotations

_EARLY = 0.25


class Pacer:
    """Chooses frames so that they come ``rate`` times a second of stream time, on average exactly.

    A frame up to a quarter of an interval early is taken, so that a camera that itself sends about
    ``rate`` frames a second with some jitter loses none.
    """

    def __init__(self, rate: float) -> None:
        if rate <= 0:
            raise ValueError("rate must be above 0")
        self._interval = 1.0 / rate
        self._next: float | None = None

    def due(self, pts: float, *, discontinuity: bool = False) -> bool:
        """Whether the frame at ``pts`` seconds is due; ``discontinuity`` starts the count anew."""
        if self._next is None or discontinuity:
            self._next = pts + self._interval
            return True
        if pts < self._next - _EARLY * self._interval:
            return False
        self._next += self._interval
        if self._next < pts:
            self._next = pts + self._interval
        return True
