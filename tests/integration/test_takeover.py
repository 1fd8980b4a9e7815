"""A node that was only asleep: it wakes, still thinks the cameras are its own, and is believed by nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from kitchen_watch.backend.alerts.tables import AlertRow
from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.outbox.backend_client import BackendClient
from kitchen_watch.edge.outbox.delivery import Delivery
from kitchen_watch.edge.outbox.postgres import SharedDatabase
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.leases import Lease, Leases
from kitchen_watch.errors import LeaseLost
from kitchen_watch.events import EventKind
from tests.backend.stories import MODEL
from tests.backend.support import EDGE_SECRETS, Backend, running
from tests.edge.outbox.situations import draft, package, packages, violation

EDGE = "edge-1"


class Node:
    """One machine that hosts the edge: its lease, its outbox, its way to the backend."""

    def __init__(self, lease: Lease, store: OutboxStore, backend: Backend) -> None:
        self.lease = lease
        self.store = store
        self.to_backend = {
            "edge_id": EDGE, "backend_url": backend.url, "secret": SecretStr(EDGE_SECRETS[EDGE]),
            "clock": SystemClock(), "fencing_token": lease.token,
        }  # fmt: skip
        self.delivery = Delivery(store, **self.to_backend)  # type: ignore[arg-type]

    @classmethod
    async def begin(cls, name: str, url: SecretStr, directory: Path, backend: Backend) -> Node:
        lease = await asyncio.to_thread(Leases(url).acquire, EDGE, name, takeover=True)
        store = await OutboxStore.open(
            packages(directory / name), edge_id=EDGE, clock=SystemClock(), shared=SharedDatabase(url, lease)
        )
        return cls(lease, store, backend)

    async def deliver_all(self) -> None:
        while await self.delivery.deliver_once():
            pass

    async def end(self) -> None:
        await self.delivery._client.close()
        await self.store.close()


@pytest.mark.integration
@pytest.mark.postgres
async def test_a_paused_node_that_wakes_cannot_alert_for_cameras_it_lost(
    tmp_path: Path, cluster_database: SecretStr
) -> None:
    now = SystemClock().now()
    first, second, late = (violation(camera_id="cam-a1", started_at=now, last_seen_at=now) for _ in range(3))
    with running(tmp_path / "backend", clock=SystemClock()) as backend:
        paused = await Node.begin("paused", cluster_database, tmp_path, backend)
        for subject in (first, second):
            files = package(packages(tmp_path / "paused"), subject, [subject.violation_id.bytes])
            await paused.store.open_event(draft(subject, package=files, occurred_at=now, model=MODEL))
        in_hand = [item.event for item in await paused.store.pending_events()]
        assert len(in_hand) == 2  # it had them in hand, and then it was stopped

        other = await Node.begin("other", cluster_database, tmp_path, backend)
        await other.deliver_all()
        ended = replace(first, ended_at=now)
        await other.store.append(draft(ended, EventKind.CLOSED, occurred_at=now, model=MODEL))
        await other.deliver_all()

        # It wakes and goes on as if nothing had been.
        client = BackendClient(**paused.to_backend)  # type: ignore[arg-type]
        with pytest.raises(LeaseLost, match="showed fencing token 2; this request came with fencing token 1"):
            await client.deliver(in_hand)
        await client.close()
        with pytest.raises(LeaseLost):
            await paused.store.open_event(draft(late, occurred_at=now, model=MODEL))
        with pytest.raises(LeaseLost):
            await paused.delivery.deliver_once()

        with backend.parts.database.read() as session:
            alerts = set(session.scalars(select(AlertRow.violation_id)))
        assert alerts == {first.violation_id, second.violation_id}
        assert (await other.store.counts()).pending == 0
        for node in (paused, other):
            await node.end()
