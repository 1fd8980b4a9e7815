"""Notices between the processes of one PostgreSQL database (LISTEN/NOTIFY).

What a process commits, the others hear of at once instead of at their next look. A notice carries
nothing but its topic, and everybody still looks by themselves now and then: a lost connection, or a
pooler between that cannot LISTEN, makes things slower and never wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import structlog

from kitchen_watch.backend import notices
from kitchen_watch.backend.database import CHANNEL, Database

TOPICS = (notices.FEED, notices.SESSIONS, notices.CONFIGURATIONS, notices.ERRANDS)
CONNECTION_NAME = "kitchen_watch notices"
"""What the database's own list of connections calls it."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
CHECK_EVERY_S = 30.0
"""How often a silent connection is asked whether it still lives."""

log = structlog.get_logger(__name__)


class Listener:
    """Passes on the notices of other processes while the application runs; nothing to do on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connected = False

    async def run(self) -> None:
        """Listen until cancelled, and connect anew whenever the connection is lost."""
        if self._database.is_sqlite:
            return
        import psycopg  # noqa: PLC0415 - an extra that only PostgreSQL needs

        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                if self._connected:
                    pause = FIRST_PAUSE_S
                self._connected = False
                log.warning(
                    "notices of other processes are not heard", reason=str(error)[:300], retry_in=pause
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _listen(self) -> None:
        import psycopg  # noqa: PLC0415

        arguments, options = self._database.connect_arguments()
        options["application_name"] = CONNECTION_NAME
        connection = await psycopg.AsyncConnection.connect(*arguments, **options, autocommit=True)
        try:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._connected = True
            for topic in TOPICS:  # whatever was said while nobody listened
                self._database.notices.publish(topic)
            while True:
                async for notice in connection.notifies(timeout=CHECK_EVERY_S):
                    self._heard(notice.payload)
                await connection.execute("SELECT 1")
        finally:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

    def _heard(self, payload: str) -> None:
        origin, _, topic = payload.partition(" ")
        if origin != self._database.origin and topic in TOPICS:
            self._database.notices.publish(topic)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a listener's task and wait for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
