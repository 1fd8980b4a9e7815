"""Whether the machine keeps up, and how much it can carry: judged by what became of the frames due."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 20.0
FEWEST_DUE = 10
"""A share of fewer frames says nothing."""
ENOUGH = 0.97
FALLING = 0.85
"""While cameras take turns, those that are looked at get at least so much of their frames."""
LASTING_S = 30.0
"""An overload must last so long, besides the window, until turns begin: a start or a burst is none."""
PATIENCE_S = 120.0
MOST_PATIENCE_S = 3600.0
RAISE = 1.2

DECODE_S_PER_PIXEL = 1.6e-9
"""CPU seconds to decode a pixel of H.264 (1080p: 3.3 ms); only the proportion between cameras matters."""
ASSUMED_RATE, ASSUMED_PIXELS, ASSUMED_INFERENCE_S = 25.0, 1920 * 1080, 0.015


@dataclass(frozen=True, slots=True)
class Counts:
    """A camera's counters at one moment; they only grow."""

    due: int
    judged: int
    received: int


class CameraLoad:
    """The last seconds of one camera."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, Counts]] = deque()

    def note(self, now: float, counts: Counts) -> None:
        """One sample; ``now`` is monotonic seconds."""
        if self._samples and counts.received < self._samples[-1][1].received:
            self._samples.clear()  # another life of the camera
        self._samples.append((now, counts))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW_S:
            self._samples.popleft()

    def forget(self) -> None:
        """Its turn began or ended: what came before says nothing of what comes."""
        self._samples.clear()

    def frames(self) -> tuple[int, int]:
        """(due, judged) within the window."""
        if len(self._samples) < 2:
            return 0, 0
        first, last = self._samples[0][1], self._samples[-1][1]
        return last.due - first.due, last.judged - first.judged

    def share(self) -> float | None:
        """Of the frames due, how many were judged; ``None`` where too few were due to say."""
        due, judged = self.frames()
        return min(1.0, judged / due) if due >= FEWEST_DUE else None

    def received_per_s(self) -> float | None:
        """Pictures that came, a second."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last.received - first.received) / (ended - began) if ended - began >= WINDOW_S / 2 else None


def cost(received_per_s: float | None, pixels: int | None, rate: float, inference_s: float | None) -> float:
    """CPU seconds a second that a camera takes, measured where it is known, rounded so as not to tremble."""
    decoding = (received_per_s or ASSUMED_RATE) * (pixels or ASSUMED_PIXELS) * DECODE_S_PER_PIXEL
    return max(0.01, round(decoding + rate * (inference_s or ASSUMED_INFERENCE_S), 2))


class Capacity:
    """How much cost the machine carries; found by trying, because costs are estimates.

    ``None``: everything that it has. It falls at once to what was really carried, and rises in steps
    after a while without loss, each time more patiently if the last rise was one too many.
    """

    def __init__(self, overloaded_below: float) -> None:
        self.carried: float | None = None
        self._below = overloaded_below
        self._settled_at: float | None = None
        self._low_since: float | None = None
        self._patience = PATIENCE_S
        self._raised = False

    def judge(self, now: float, share: float | None, *, watched: float, everything: float) -> None:
        """One look: ``share`` of the due frames that was judged, cost of the cameras watched and of all."""
        if self._settled_at is None:
            self._settled_at = now
        if share is None or now - self._settled_at < WINDOW_S:
            return
        low = share < (self._below if self.carried is None else FALLING)
        self._low_since = (now if self._low_since is None else self._low_since) if low else None
        if self._low_since is not None:
            if self.carried is None and now - self._low_since < LASTING_S:
                return
            self._patience = min(MOST_PATIENCE_S, 2 * self._patience) if self._raised else PATIENCE_S
            self.carried = watched * share
            self._settle(now, raised=False)
        elif self.carried is not None and share >= ENOUGH and now - self._settled_at >= self._patience:
            self.carried = self.carried * RAISE
            if self.carried >= everything:
                self.carried = None
            self._settle(now, raised=True)

    def _settle(self, now: float, *, raised: bool) -> None:
        self._settled_at, self._raised, self._low_since = now, raised, None
