"""Steps of one camera's violations that the outbox does not take just now: kept in memory, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.outbox.records import EventDraft
from kitchen_watch.errors import EvidenceError, LeaseLost

RETRY_PAUSE = timedelta(seconds=2)
"""Between attempts to write a step; nothing is forgotten meanwhile."""
MOST = 500
"""So many steps wait per camera; then the camera waits with them. Pictures and clips are on disk, so a
step is a few kilobytes."""

log = structlog.get_logger(__name__)


class Waiting:
    """Hands steps to the outbox. While it cannot be written (a full disk, a database that is away) the
    camera goes on being watched, and its steps follow in their order as soon as they can.
    """

    def __init__(self, append: Callable[[EventDraft], Awaitable[object]], *, clock: Clock) -> None:
        self._append = append
        self._clock = clock
        self._drafts: deque[EventDraft] = deque()
        self._room = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._drafts)

    async def add(self, draft: EventDraft) -> None:
        """Return once the step is in the outbox, or waits for it.

        Raises:
            LeaseLost: the edge has a newer owner, whose business it is.
        """
        if not self._drafts:
            try:
                await self._append(draft)
            except EvidenceError as error:
                log.error("event not on disk yet; trying again", code=draft.violation.code, reason=str(error))
            else:
                return
        while len(self._drafts) >= MOST:
            self._room.clear()
            await self._room.wait()
        self._drafts.append(draft)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._try_on(), name="steps-waiting")

    async def settled(self) -> None:
        """Return once nothing waits."""
        if self._work is not None:
            await asyncio.wait({self._work})

    async def close(self) -> None:
        """Try each once more; what the outbox still does not take is lost with this process."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        while self._drafts:
            try:
                await self._append(self._drafts[0])
            except (EvidenceError, LeaseLost) as error:
                log.error("steps of violations are lost", steps=len(self._drafts), reason=str(error))
                return
            self._drafts.popleft()

    async def _try_on(self) -> None:
        while self._drafts:
            await self._clock.sleep(RETRY_PAUSE)
            try:
                while self._drafts:
                    await self._append(self._drafts[0])
                    self._drafts.popleft()
                    self._room.set()
            except EvidenceError as error:
                log.error("event not on disk yet; trying again", steps=len(self._drafts), reason=str(error))
            except LeaseLost as error:
                log.error("steps of violations are lost", steps=len(self._drafts), reason=str(error))
                self._drafts.clear()
                self._room.set()
                return
        log.info("every step of a violation is on disk again")
