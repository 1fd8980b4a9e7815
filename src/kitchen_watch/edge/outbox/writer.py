"""The one thread that works in the outbox's database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from kitchen_watch.edge.outbox.database import OutboxDatabase, Work

T = TypeVar("T")


class Writer:
    """Runs one piece of work after the other, each in its own transaction, off the event loop."""

    def __init__(self, database: OutboxDatabase) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    async def run(self, work: Work[T], *, then: Callable[[T], None] | None = None) -> T:
        """Do ``work`` in a transaction and ``then``, once it is durable, with its result.

        Once handed in it is done, even if the caller is cancelled while waiting.

        Raises:
            EvidenceError: the database cannot be written; nothing of ``work`` is kept.
            LeaseLost: the edge has a newer owner; nothing of ``work`` is kept.
        """
        future = self._thread.submit(self._transact, work, then)
        return await asyncio.shield(asyncio.wrap_future(future))

    def submit(self, work: Work[T]) -> Future[T]:
        """Do ``work`` in a transaction without waiting for it."""
        return self._thread.submit(self._transact, work, None)

    async def tidy(self) -> None:
        """Put in order what is beside the tables."""
        await asyncio.wrap_future(self._thread.submit(self._database.tidy))

    def close(self) -> None:
        """Finish what was handed in and close the database."""
        self._thread.submit(self._database.close)
        self._thread.shutdown(wait=True)

    def _transact(self, work: Work[T], then: Callable[[T], None] | None) -> T:
        result = self._database.transact(work)
        if then is not None:
            then(result)
        return result
