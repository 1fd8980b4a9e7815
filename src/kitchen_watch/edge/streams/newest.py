"""The single slot between a reader's thread and the analysis: the newest frame wins."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import replace

from kitchen_watch.edge.streams.frame import Frame


class NewestSlot:
    """Holds at most one frame. ``offer`` is called in any thread, ``take`` by one asyncio consumer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._frame: Frame | None = None
        self._closed = False
        self._ready = asyncio.Event()
        self.offered = 0
        """Frames that were due and put here."""
        self.dropped = 0
        """Frames that nobody had taken when a newer one came."""

    def offer(self, frame: Frame) -> None:
        """Replace whatever waits here by ``frame``."""
        with self._lock:
            if self._closed:
                return
            waiting = self._frame is not None
            if self._frame is not None and self._frame.discontinuity:
                frame = replace(frame, discontinuity=True)  # the mark must not get lost
            self._frame = frame
            self.offered += 1
            self.dropped += waiting
        if not waiting:
            wake(self._loop, self._ready)

    async def take(self) -> Frame | None:
        """Wait for the next frame; ``None`` once the slot is closed and empty."""
        while True:
            with self._lock:
                frame, self._frame = self._frame, None
                closed = self._closed
                self._ready.clear()
            if frame is not None or closed:
                return frame
            await self._ready.wait()

    def poll(self) -> Frame | None:
        """The frame that waits, at once; ``None`` if none does."""
        with self._lock:
            frame, self._frame = self._frame, None
            return frame

    def close(self) -> None:
        """Let the consumer take the last frame and then end."""
        with self._lock:
            self._closed = True
        wake(self._loop, self._ready)


def wake(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    """Set ``event`` from any thread; without effect once the loop is closed."""
    with contextlib.suppress(RuntimeError):  # a retired reader may outlive the loop
        loop.call_soon_threadsafe(event.set)
