"""Which decoded frames are due for analysis: an even rate by the stream's own timestamps."""

from __future__ import annotations

_EARLY = 0.25
_GENEROUS = 1.3
_BURST = 5.0


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

    def expects(self, pts: float, *, discontinuity: bool = False) -> bool:
        """What :meth:`due` would answer, without counting the frame."""
        return self._next is None or discontinuity or pts >= self._next - _EARLY * self._interval

    def due(self, pts: float, *, discontinuity: bool = False) -> bool:
        """Whether the frame at ``pts`` seconds is due; ``discontinuity`` starts the count anew."""
        if not self.expects(pts, discontinuity=discontinuity):
            return False
        if self._next is None or discontinuity:
            self._next = pts + self._interval
            return True
        self._next += self._interval
        if self._next < pts:
            self._next = pts + self._interval
        return True


class Allowance:
    """Bounds what a live camera may ask for by our own clock, whatever its timestamps say.

    A camera whose clock jumps at every picture, or runs ten times too fast, has every one of them due.
    Bursts after a hole in the network pass; what comes steadily does so at :data:`_GENEROUS` times the rate.
    """

    def __init__(self, rate: float) -> None:
        self._rate = _GENEROUS * rate
        self._most = max(_BURST, 2 * rate)
        self._left = self._most
        self._asked_at: float | None = None

    def grants(self, now: float) -> bool:
        """Whether one more frame may be offered; ``now`` is monotonic seconds."""
        if self._asked_at is not None:
            self._left = min(self._most, self._left + max(0.0, now - self._asked_at) * self._rate)
        self._asked_at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
