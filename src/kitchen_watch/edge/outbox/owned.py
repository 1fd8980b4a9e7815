"""Opens an edge's outbox where it lies, together with the right to it."""

from __future__ import annotations

from kitchen_watch.clock import Clock
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.remote import open_remote
from kitchen_watch.edge.outbox.postgres import SharedDatabase
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.leases import Lease
from kitchen_watch.edge.ownership.owning import become_owner
from kitchen_watch.edge.ownership.renewing import Renewal
from kitchen_watch.edge.settings import EdgeSettings
from kitchen_watch.errors import KitchenWatchError


async def open_owned(
    packages: Packages, settings: EdgeSettings, clock: Clock, *, lease: Lease | None
) -> tuple[OutboxStore, Renewal | None]:
    """The outbox, and the renewal of its lease where the caller brought none but one is needed.

    Raises:
        ConfigError: the outbox is another edge's, or ``evidence.store`` cannot be used.
        EvidenceError: the data directory or database cannot be used.
        LeaseLost: the edge has a newer owner than ``lease``.
        LeasesUnreachable: the cluster's database does not answer.
    """
    remote, renewal = None, None
    if settings.evidence.store is not None:
        remote = open_remote(
            settings.evidence.store, settings.evidence.store_options, edge_id=settings.edge_id
        )
    if lease is None:
        renewal = await become_owner(settings.outbox, settings.edge_id, clock)
        lease = None if renewal is None else renewal.lease
    shared = None
    if settings.outbox.url is not None and lease is not None:
        shared = SharedDatabase(settings.outbox.url, lease)
    try:
        store = await OutboxStore.open(
            packages, edge_id=settings.edge_id, clock=clock, shared=shared, remote=remote
        )
    except KitchenWatchError:
        if renewal is not None:
            await renewal.release()
        raise
    return store, renewal
