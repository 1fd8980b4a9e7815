"""The edge's word on holds: takes them over and reports what lies under them here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from kitchen_watch.control import HeldSpans, HoldReport
from kitchen_watch.edge.evidence.holds import FILE_NAME, Holds
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.live.segments import SegmentStore

log = structlog.get_logger(__name__)


class HoldDesk:
    """Answers the backend for one edge."""

    def __init__(
        self,
        holds: Holds,
        store: OutboxStore,
        *,
        recordings: Callable[[], Iterable[SegmentStore]],
        server_offset: Callable[[], timedelta | None],
    ) -> None:
        self._holds = holds
        self._store = store
        self._recordings = recordings
        self._server_offset = server_offset

    async def hold(self, told: HeldSpans) -> HoldReport:
        """Hold this from now on, and say how much of it is here.

        Raises:
            OSError: the disk does not take it.
            EvidenceError: the outbox does not answer.
        """
        await asyncio.to_thread(self._holds.replace, told, offset=self._server_offset())
        await self._store.carry(FILE_NAME)
        stores = tuple(self._recordings())
        pieces = await asyncio.to_thread(lambda: [piece for store in stores for piece in store.held_now()])
        held = [package for package in await self._store.packages() if package.kept_by(self._holds)]
        log.info("holds taken over", version=told.version, segments=len(pieces), packages=len(held))
        return HoldReport(
            version=told.version,
            segments=len(pieces),
            size_bytes=sum(piece.size for piece in pieces),
            packages=len(held),
        )
