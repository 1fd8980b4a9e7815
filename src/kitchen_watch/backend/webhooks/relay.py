"""The feed is the outbox: what happens to alerts becomes messages, each once.

Every change of an alert numbers a feed entry in its own transaction, without gaps and in the order
of commit. The relay reads on from where it stands and stores, in one transaction with its new
position, what its followers make of the entries. So a change that was rolled back tells nobody
anything, one that was committed cannot be forgotten, and taking events stays as fast as it was.
One process reads at a time, as with deadlines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend import notices
from kitchen_watch.backend.alerts.feed import FeedEntry, entries_after, latest_feed_id
from kitchen_watch.backend.database import Database
from kitchen_watch.backend.looking import claimed
from kitchen_watch.backend.webhooks.tables import RelayRow
from kitchen_watch.clock import Clock

NAME = "outgoing"
BATCH = 200
PAUSE_S = 0.2
"""Between two looks, however much happens: what has come together is read together."""

Follower = Callable[[Session, Sequence[FeedEntry], datetime], None]

log = structlog.get_logger(__name__)


class Relay:
    """Follows the feed while the application runs."""

    def __init__(
        self, database: Database, clock: Clock, followers: Sequence[Follower], *, look_every_s: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._followers = tuple(followers)
        self._look_every_s = look_every_s
        self._stopping = False

    async def run(self) -> None:
        """Read until stopped; a database that is away for a while is only logged."""
        with self._database.notices.subscribed(notices.FEED) as woken:
            while not self._stopping:
                woken.clear()
                try:
                    await run_in_threadpool(self.look)
                except SQLAlchemyError as error:
                    log.warning("the feed cannot be relayed", reason=str(error)[:300])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):
                        await woken.wait()
                if not self._stopping:
                    await asyncio.sleep(min(PAUSE_S, self._look_every_s))

    def stop(self) -> None:
        """Let :meth:`run` return after the look that it is in."""
        self._stopping = True
        self._database.notices.publish(notices.FEED)

    def look(self) -> int:
        """Read everything new; returns how many entries this process has read."""
        count = 0
        while self._anything_new():
            with self._database.write() as session:
                read = self._batch(session) if claimed(session, "relay") else 0
            count += read
            if read == 0:
                break  # another process is at it
        return count

    def _anything_new(self) -> bool:
        with self._database.read() as session:
            row = session.get(RelayRow, NAME)
            return row is None or latest_feed_id(session) > row.position

    def _batch(self, session: Session) -> int:
        row = session.get(RelayRow, NAME)
        if row is None:
            row = RelayRow(name=NAME, position=latest_feed_id(session))
            session.add(row)
        entries = entries_after(session, row.position, limit=BATCH)
        if entries:
            now = self._clock.now()
            for follow in self._followers:
                follow(session, entries, now)
            row.position = entries[-1].message.feed_id
        return len(entries)
