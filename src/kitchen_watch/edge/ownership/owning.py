"""How a process becomes the owner of an edge that other processes may run as well."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import timedelta

import structlog

from kitchen_watch.clock import Clock
from kitchen_watch.edge.ownership.leases import Leases
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.edge.settings import OutboxSettings
from kitchen_watch.errors import LeaseHeld

LOOK_AGAIN = timedelta(seconds=1)

log = structlog.get_logger(__name__)


async def become_owner(
    settings: OutboxSettings, edge_id: str, clock: Clock, *, owner: str | None = None
) -> Renewal | None:
    """Wait for the edge's lease; ``None`` where no other process can run the edge.

    Raises:
        LeasesUnreachable: the database does not answer.
    """
    if settings.url is None:
        return None
    leases, term = Leases(settings.url), timedelta(seconds=settings.lease_s)
    told = False
    while True:
        try:
            lease = await asyncio.to_thread(leases.acquire, edge_id, owner or this_process(), term=term)
        except LeaseHeld as error:
            if not told:
                log.info("another process runs this edge; waiting for it to end", reason=str(error))
            told = True
            await clock.sleep(LOOK_AGAIN)
        else:
            log.info("edge owned", edge_id=edge_id, owner=lease.owner, number=lease.token)
            return Renewal(leases, lease, clock=clock, term=term)


def this_process() -> str:
    """How an owner is called that nobody gave a name."""
    return f"{socket.gethostname()}, process {os.getpid()}"
