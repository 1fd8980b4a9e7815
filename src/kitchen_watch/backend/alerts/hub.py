"""One reader of the feed per process, many listeners.

The hub reads new entries once and hands them to every listener whose scope covers them. A listener
that is new, resumes, or was too slow reads what it missed from the database by itself; the hub
only goes on from a number at which both agree. So a thousand open streams cost one query per
batch, and none can lose an entry.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend import notices
from kitchen_watch.backend.alerts.feed import FeedEntry, entries_after, latest_feed_id
from kitchen_watch.backend.alerts.schemas import FeedMessage
from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.auth.sessions import SessionTimes, live_keys
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.metrics import Metrics
from kitchen_watch.backend.organisations.scope import Scope
from kitchen_watch.clock import Clock

BATCH = 500
QUEUE_LENGTH = 1000
CHECK_SESSIONS_EVERY = timedelta(seconds=5)

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Listener:
    person: Person
    entries: asyncio.Queue[FeedEntry] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    missed: bool = False
    ended: bool = False


class FeedHub:
    """Follows the feed while the application runs."""

    def __init__(
        self, database: Database, clock: Clock, *, poll_s: float, times: SessionTimes, metrics: Metrics
    ) -> None:
        self._database = database
        self._clock = clock
        self._poll_s = poll_s
        self._times = times
        self._metrics = metrics
        self._listeners: set[_Listener] = set()
        self._position: int | None = None
        self._stopping = False
        self.healthy = True

    async def run(self) -> None:
        """Read and hand out until stopped; a database that is away for a while is only logged."""
        checked = self._clock.monotonic()
        with (
            self._database.notices.subscribed(notices.FEED, notices.SESSIONS) as woken,
            self._database.notices.subscribed(notices.SESSIONS) as session_ended,
        ):
            while not self._stopping:
                try:
                    await self._hand_out()
                    now = self._clock.monotonic()
                    if session_ended.is_set() or now - checked >= CHECK_SESSIONS_EVERY.total_seconds():
                        session_ended.clear()
                        checked = now
                        await self._end_dead_sessions()
                    self.healthy = True
                except SQLAlchemyError as error:
                    self.healthy = False
                    log.warning("the feed cannot be read", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await woken.wait()
                woken.clear()

    def stop(self) -> None:
        """Let :meth:`run` return. It is not cancelled: a query in a worker thread would go on by itself."""
        self._stopping = True
        self._database.notices.publish(notices.FEED)

    async def latest(self) -> int:
        """The number of the newest entry."""
        return await run_in_threadpool(self._latest)

    async def listen(self, person: Person, after: int) -> AsyncIterator[FeedMessage]:
        """Every message for this person with a number above ``after``, in order; ends with their session."""
        listener = _Listener(person)
        self._listeners.add(listener)
        self._metrics.streams.set(len(self._listeners))
        try:
            async for message in self._catch_up(listener, after):
                after = message.feed_id
                yield message
            while True:
                while not listener.entries.empty():
                    message = listener.entries.get_nowait().message
                    if message.feed_id > after:
                        after = message.feed_id
                        yield message
                if listener.ended:
                    return
                if listener.missed:
                    async for message in self._catch_up(listener, after):
                        after = message.feed_id
                        yield message
                    continue
                await listener.woken.wait()
                listener.woken.clear()
        finally:
            self._listeners.discard(listener)
            self._metrics.streams.set(len(self._listeners))

    async def _catch_up(self, listener: _Listener, after: int) -> AsyncIterator[FeedMessage]:
        # From here on the hub fills the queue; whatever it gives twice is recognised by its number.
        listener.missed = False
        while True:
            batch = await run_in_threadpool(self._read, after, listener.person.scope)
            for entry in batch:
                after = entry.message.feed_id
                yield entry.message
            if len(batch) < BATCH or listener.ended:
                return

    async def _hand_out(self) -> None:
        if self._position is None:
            self._position = await run_in_threadpool(self._latest)
        while True:
            batch = await run_in_threadpool(self._read, self._position, None)
            for entry in batch:
                self._position = entry.message.feed_id
                for listener in self._listeners:
                    _offer(listener, entry)
            if len(batch) < BATCH:
                return

    async def _end_dead_sessions(self) -> None:
        if not self._listeners:
            return
        keys = {listener.person.session_key for listener in self._listeners}
        alive = await run_in_threadpool(self._live, keys)
        for listener in self._listeners:
            if listener.person.session_key not in alive and listener.person.session_key in keys:
                listener.ended = True
                listener.woken.set()

    def _latest(self) -> int:
        with self._database.read() as session:
            return latest_feed_id(session)

    def _read(self, after: int, scope: Scope | None) -> list[FeedEntry]:
        with self._database.read() as session:
            return entries_after(session, after, limit=BATCH, scope=scope)

    def _live(self, keys: set[str]) -> set[str]:
        with self._database.read() as session:
            return live_keys(session, keys, now=self._clock.now(), times=self._times)


def _offer(listener: _Listener, entry: FeedEntry) -> None:
    if listener.missed or not entry.visible_to(listener.person.scope):
        return
    try:
        listener.entries.put_nowait(entry)
    except asyncio.QueueFull:
        listener.missed = True  # it reads the rest from the database, at its own pace
    listener.woken.set()
