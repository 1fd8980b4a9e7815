"""A loop that makes one process look now and then; what is due, and for whom, the database decides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.database import lock_key

log = structlog.get_logger(__name__)


class Looking:
    """Calls ``look`` every so many seconds while the application runs."""

    def __init__(self, what: str, look: Callable[[], object], *, every_s: float) -> None:
        self._what = what
        self._look = look
        self._every_s = every_s
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look until stopped; a database or disk that is away for a while is only logged."""
        while not self._stopping.is_set():
            try:
                await run_in_threadpool(self._look)
            except (SQLAlchemyError, OSError) as error:
                log.warning("cannot be looked at", what=self._what, reason=str(error)[:300])
            except Exception:  # one odd row must not end what others wait for
                log.exception("a look failed and is tried again", what=self._what)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Let :meth:`run` return after the look that it is in."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether a look that takes long should end after what it is at."""
        return self._stopping.is_set()


def claimed(session: Session, name: str) -> bool:
    """Whether this transaction alone acts under ``name``; another process that does is not waited for."""
    # A write transaction on SQLite is alone already.
    if session.get_bind().dialect.name != "postgresql":
        return True
    taken = session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": lock_key(name)})
    return bool(taken)
