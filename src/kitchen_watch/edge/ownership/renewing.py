"""Keeps a lease for as long as its owner lives."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.ownership.leases import TERM, Lease, Leases
from kitchen_watch.errors import LeasesUnreachable

log = structlog.get_logger(__name__)


class Renewal:
    """Renews one lease three times a term.

    While the database does not answer the owner goes on: what it finds waits in memory, and nothing of
    it counts before the database has taken it with the lease's token.
    """

    def __init__(self, leases: Leases, lease: Lease, *, clock: Clock, term: timedelta = TERM) -> None:
        self.lease = lease
        self.trouble: str | None = None
        """Why it cannot be renewed at present; ``None`` while it can."""
        self._leases = leases
        self._clock = clock
        self._term = term

    async def run(self) -> None:
        """Renew until cancelled.

        Raises:
            LeaseLost: another owner has taken the edge over.
        """
        while True:
            await self._clock.sleep(self._term / 3)
            await self.renew()

    async def renew(self) -> None:
        """Renew once.

        Raises:
            LeaseLost: another owner has taken the edge over.
        """
        try:
            self.lease = await asyncio.to_thread(self._leases.renew, self.lease, term=self._term)
        except LeasesUnreachable as error:
            if self.trouble is None:
                log.warning("lease not renewed; trying again", edge_id=self.lease.edge_id, reason=str(error))
            self.trouble = str(error)
        else:
            self.trouble = None

    async def release(self) -> None:
        """Give the lease back; where the database does not answer it ends by itself."""
        try:
            await asyncio.to_thread(self._leases.release, self.lease)
        except LeasesUnreachable as error:
            log.warning("lease not given back", edge_id=self.lease.edge_id, reason=str(error))
