"""Waking asynchronous waiters of this process from any thread, by topic.

A notice carries nothing: the waiter looks into the database. It only makes the look come sooner
than the next poll, so a lost or doubled notice does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator

FEED = "feed"
SESSIONS = "sessions"
CONFIGURATIONS = "configurations"
HOLDS = "holds"
ERRANDS = "errands"


class Notices:
    """Topics and the events that are set when one is published."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(list)

    @contextlib.contextmanager
    def subscribed(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set at every notice; the waiter clears it."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            for topic in topics:
                self._waiting[topic].append(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                for topic in topics:
                    self._waiting[topic].remove(entry)

    def publish(self, topic: str) -> None:
        """Set the event of everybody who waits for ``topic``; callable from any thread."""
        with self._lock:
            waiting = list(self._waiting[topic])
        for loop, woken in waiting:
            with contextlib.suppress(RuntimeError):  # that loop has just been closed
                loop.call_soon_threadsafe(woken.set)
