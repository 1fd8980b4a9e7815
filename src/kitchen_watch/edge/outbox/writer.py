"""The one thread that writes to the outbox's database, and where SQLite's errors become ours."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from kitchen_watch.edge.outbox.ballast import Ballast
from kitchen_watch.errors import EvidenceError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Writer:
    """Runs one piece of work after the other, each in its own transaction, off the event loop."""

    def __init__(self, connection: sqlite3.Connection, path: Path, ballast: Ballast) -> None:
        self._connection = connection
        self._path = path
        self._ballast = ballast
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    async def run(self, work: Work[T], *, then: Callable[[T], None] | None = None) -> T:
        """Do ``work`` in a transaction and ``then``, once it is durable, with its result.

        Once handed in it is done, even if the caller is cancelled while waiting.

        Raises:
            EvidenceError: the database cannot be written; nothing of ``work`` is kept.
        """
        future = self._thread.submit(self._transact, work, then)
        return await asyncio.shield(asyncio.wrap_future(future))

    def submit(self, work: Work[T]) -> Future[T]:
        """Do ``work`` in a transaction without waiting for it."""
        return self._thread.submit(self._transact, work, None)

    def close(self) -> None:
        """Finish what was handed in and close the database."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown(wait=True)

    def _transact(self, work: Work[T], then: Callable[[T], None] | None) -> T:
        try:
            try:
                result = self._once(work)
            except sqlite3.OperationalError as error:
                # The ballast is there for this moment: events must still fit on a full disk.
                if not _is_full(error) or not self._ballast.drop():
                    raise
                result = self._once(work)
        except sqlite3.Error as error:
            raise self._translated(error) from error
        if then is not None:
            then(result)
        return result

    def _once(self, work: Work[T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    def _translated(self, error: sqlite3.Error) -> EvidenceError:
        if _is_full(error):
            return EvidenceError(
                f"{self._path}: the disk is full, so nothing more can be recorded; what is recorded already "
                "stays. Free space there at once."
            )
        return EvidenceError(
            f"{self._path}: the outbox cannot be written: {error}. "
            "Check the disk and who else has the file open."
        )


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
