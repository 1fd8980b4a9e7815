"""Time that runs faster: a wall clock, and an event loop all of whose timers run with it.

Only this benchmark's own program can use it: the backend has no setting for it, so no service can be
started with a false clock by mistake.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kitchen_watch.clock import SystemClock


class HurriedClock(SystemClock):
    """The wall clock of several processes: it stands at ``epoch`` until the file says when the day began."""

    def __init__(self, epoch: datetime, factor: float, file: Path) -> None:
        self._epoch = epoch
        self._factor = factor
        self._file = file
        self._began: float | None = None

    def begin(self) -> None:
        """Let the day begin, for every process that reads the file."""
        draft = self._file.with_suffix(".new")
        draft.write_text(repr(time.time()))
        draft.replace(self._file)

    def now(self) -> datetime:
        """The simulated time, aware UTC."""
        if self._began is None:
            try:
                self._began = float(self._file.read_text())
            except FileNotFoundError:
                return self._epoch
        return self._epoch + timedelta(seconds=(time.time() - self._began) * self._factor)

    def monotonic(self) -> float:
        """Simulated seconds since an arbitrary start."""
        return time.monotonic() * self._factor

    async def until(self, moment: datetime) -> None:
        """Really sleep until the simulated ``moment``; returns at once if it is past."""
        left = (moment - self.now()).total_seconds() / self._factor
        await asyncio.sleep(max(0.0, left))


class _HurriedSelector(selectors.DefaultSelector):
    factor = 1.0

    def select(self, timeout: float | None = None) -> list[Any]:
        return super().select(None if timeout is None else timeout / self.factor)


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop in which a second lasts ``1 / factor`` s, whoever waits for it."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        selector = _HurriedSelector()
        selector.factor = factor
        super().__init__(selector)

    def time(self) -> float:
        """Simulated seconds."""
        return super().time() * self._factor
