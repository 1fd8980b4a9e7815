"""Violations, drafts and packages as the tests of the outbox need them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from kitchen_watch.clock import Clock, ManualClock
from kitchen_watch.edge.evidence.package import PackageFiles, Packages
from kitchen_watch.edge.evidence.remote import RemoteEvidence
from kitchen_watch.edge.outbox.postgres import SharedDatabase
from kitchen_watch.edge.outbox.records import EventDraft
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.leases import Leases
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.events import EventKind, EvidenceKind

EDGE = "edge-1"
START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CLUSTER: SecretStr | None = None
"""Where outboxes are opened; ``None``: in a file of their directory."""


def violation(violation_id: UUID | None = None, **changes: Any) -> Violation:
    opened = Violation(
        violation_id=violation_id or uuid4(),
        camera_id="cam-1",
        code="NO_HAT",
        tier=2,
        rule_id="NO_HAT",
        rule_version="0123456789ab",
        parameters={"held_s": 10.0, "labels": ["no_hat"]},
        zone_id=None,
        started_at=START,
        last_seen_at=START,
        ended_at=None,
        confidence=0.8,
        track_ids=(7,),
        needs_model=True,
    )
    return replace(opened, **changes)


def draft(of: Violation | None = None, kind: EventKind = EventKind.OPENED, **changes: Any) -> EventDraft:
    return replace(EventDraft(kind=kind, violation=of or violation(), occurred_at=START), **changes)


def packages(data_dir: Path) -> Packages:
    return Packages(data_dir, zone=UTC, reserve_bytes=0)


def package(
    store_of: Packages, of: Violation, contents: Sequence[bytes] = (b"a clean picture", b"an annotated one")
) -> PackageFiles:
    folder = store_of.folder(of.violation_id, of.started_at)
    kinds = (EvidenceKind.CLEAN, EvidenceKind.ANNOTATED, EvidenceKind.CLEAN)
    files = [
        store_of.put(folder, kind, content, at=START + timedelta(milliseconds=number))
        for number, (kind, content) in enumerate(zip(kinds, contents, strict=False))
    ]
    return PackageFiles(folder, tuple(files))


@asynccontextmanager
async def opened(
    data_dir: Path,
    clock: Clock | None = None,
    edge_id: str = EDGE,
    remote: RemoteEvidence | None = None,
) -> AsyncIterator[OutboxStore]:
    shared = None
    if CLUSTER is not None:
        lease = await asyncio.to_thread(Leases(CLUSTER).acquire, edge_id, "a test", takeover=True)
        shared = SharedDatabase(CLUSTER, lease)
    store = await OutboxStore.open(
        packages(data_dir),
        edge_id=edge_id,
        clock=clock or ManualClock(START),
        shared=shared,
        remote=remote,
    )
    try:
        yield store
    finally:
        await store.close()
