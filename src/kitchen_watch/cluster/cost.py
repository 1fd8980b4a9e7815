"""What a group costs: CPU seconds per second of its process, smoothed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from math import exp

from kitchen_watch.clock import Clock

SMOOTHED_OVER = timedelta(seconds=30)


class CpuMeter:
    """CPU seconds per second that this process has used lately; ``None`` before the first reading.

    Decoding and inference run in threads of the process and are in it. ``clock`` gives the time that
    passed, ``used`` the CPU seconds since the start of the process.
    """

    def __init__(self, clock: Clock, *, used: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._used = used
        self._last = (clock.monotonic(), used())
        self.cores: float | None = None

    def read(self) -> float | None:
        """Take a reading. Readings less than a second apart change nothing."""
        now, used = self._clock.monotonic(), self._used()
        passed = now - self._last[0]
        if passed < 1:
            return self.cores
        lately = (used - self._last[1]) / passed
        keep = exp(-passed / SMOOTHED_OVER.total_seconds())
        self.cores = lately if self.cores is None else keep * self.cores + (1 - keep) * lately
        self._last = (now, used)
        return self.cores
