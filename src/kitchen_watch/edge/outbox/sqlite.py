"""The outbox in a file of its own, and the one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeVar

from kitchen_watch.edge.outbox.ballast import Ballast
from kitchen_watch.edge.outbox.database import Work
from kitchen_watch.errors import EvidenceError

T = TypeVar("T")


class SqliteOutbox:
    """One edge's file. A ballast beside it keeps room for events on a disk that becomes full."""

    def __init__(self, connection: sqlite3.Connection, path: Path, ballast: Ballast) -> None:
        self._connection = connection
        self._path = path
        self._ballast = ballast

    def transact(self, work: Work[T]) -> T:
        """Do ``work`` in a transaction of its own, durable on return.

        Raises:
            EvidenceError: the file cannot be written; nothing of ``work`` is kept.
        """
        try:
            try:
                return self._once(work)
            except sqlite3.OperationalError as error:
                # The ballast is there for this moment: events must still fit on a full disk.
                if not _is_full(error) or not self._ballast.drop():
                    raise
                return self._once(work)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def tidy(self) -> None:
        """Take the ballast aboard again."""
        self._ballast.take()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

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
