"""A process that records violations as fast as it can, until it is killed: see test_kill.py.

Prints one line per event, after the outbox has said that it is durable.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.evidence.remote import open_remote
from kitchen_watch.edge.outbox.postgres import SharedDatabase
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.leases import Leases
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.events import EventKind
from tests.edge.outbox.situations import EDGE, draft, package, packages, violation


async def work(store: OutboxStore, data_dir: Path, subject: Violation | None) -> None:
    """One violation after the other; the first one may be one of an earlier life."""
    writer = packages(data_dir)
    while True:
        if subject is None:
            subject = violation()
            files = package(writer, subject, [random.randbytes(2000), random.randbytes(3000)])
            await tell(store, subject, EventKind.OPENED, package=files)
        for _ in range(random.randint(0, 3)):
            await tell(store, subject, EventKind.UPDATED)
        ended = replace(subject, ended_at=SystemClock().now())
        await tell(store, ended, EventKind.CLOSED)
        subject = None


async def tell(store: OutboxStore, subject: Violation, kind: EventKind, **more: object) -> None:
    event = await store.append(draft(subject, kind, **more))
    say(event.event_id, event.violation_id, event.sequence)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def main(data_dir: Path, cluster: str | None = None, evidence: str | None = None) -> None:
    shared = remote = None
    if cluster is not None and evidence is not None:
        url = SecretStr(cluster)
        shared = SharedDatabase(url, Leases(url).acquire(EDGE, data_dir.name, takeover=True))
        remote = open_remote(evidence, {}, edge_id=EDGE)
    store = await OutboxStore.open(
        packages(data_dir), edge_id=EDGE, clock=SystemClock(), shared=shared, remote=remote
    )
    still_open = [item.violation for item in store.recovery.violations if item.violation.ended_at is None]
    say("resumed", *(item.violation_id for item in still_open))
    await asyncio.gather(*(work(store, data_dir, subject) for subject in [*still_open, None, None][:3]))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
