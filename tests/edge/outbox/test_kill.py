"""kill -9 at random moments: no event lost, none doubled, no gap, the chain whole."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from pydantic import SecretStr

from kitchen_watch.edge.evidence.remote import open_remote
from kitchen_watch.edge.evidence.verification import verify
from kitchen_watch.edge.outbox.schema import FILE_NAME
from tests.edge.outbox import situations
from tests.edge.outbox.backend_double import BackendDouble, real_clock
from tests.edge.outbox.situations import EDGE, opened
from tests.support import REPOSITORY

ROUNDS = 6


def live_and_die(data_dir: Path, *where: str) -> tuple[set[str], set[str]]:
    """Run the restless edge and kill it; what it had been told was durable, and what it resumed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.edge.outbox.restless_edge", str(data_dir), *where],
        stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip
    assert process.stdout is not None
    resumed = process.stdout.readline().split()[1:]  # it is at work now
    time.sleep(random.uniform(0.02, 0.6))
    process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().splitlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    # A line may have been cut in two by the kill; a whole one has three words.
    whole = [line.split() for line in lines if len(line.split()) == 3]
    return {words[0] for words in whole}, set(resumed)


def recorded(data_dir: Path) -> list[tuple[str, str, int]]:
    connection = sqlite3.connect(data_dir / FILE_NAME)
    try:
        return list(connection.execute("SELECT event_id, violation_id, sequence FROM events ORDER BY number"))
    finally:
        connection.close()


def open_violations(data_dir: Path) -> set[str]:
    connection = sqlite3.connect(data_dir / FILE_NAME)
    try:
        return {row[0] for row in connection.execute("SELECT violation_id FROM violations WHERE open = 1")}
    finally:
        connection.close()


@pytest.mark.integration
async def test_kill_at_random_moments(tmp_path: Path) -> None:
    promised: set[str] = set()
    still_open: set[str] = set()
    for _ in range(ROUNDS):
        told, resumed = live_and_die(tmp_path)
        assert resumed == still_open  # what was open goes on as itself
        promised |= told
        events = recorded(tmp_path)
        assert promised <= {event_id for event_id, _, _ in events}
        still_open = open_violations(tmp_path)
    assert len(promised) > ROUNDS

    by_violation: dict[str, list[int]] = defaultdict(list)
    for _, violation_id, sequence in events:
        by_violation[violation_id].append(sequence)
    assert all(found == list(range(len(found))) for found in by_violation.values())

    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        assert verify(tmp_path).proven  # the start has written what the last kill kept back
        assert list(tmp_path.rglob("*.part")) == []
        delivery = backend.delivery(store)
        while await delivery.deliver_once():
            pass
        while await delivery.upload_once():
            pass
        counts = await store.counts()
        assert (counts.pending, counts.dead, counts.uploads_pending, counts.uploads_lost) == (0, 0, 0, 0)
    delivered = [str(event.event_id) for event in backend.accepted]
    assert sorted(delivered) == sorted(event_id for event_id, _, _ in events)
    is_whole(backend)


@pytest.mark.integration
@pytest.mark.postgres
async def test_machines_are_lost_one_after_the_other(
    tmp_path: Path, cluster_database: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on where the one before was killed, with nothing of its disk."""
    monkeypatch.setattr(situations, "CLUSTER", cluster_database)
    evidence = f"file://{tmp_path / 'evidence of all'}".replace(" ", "%20")
    promised: set[str] = set()
    for number in range(3):
        machine = tmp_path / f"machine-{number}"
        machine.mkdir()
        told, _ = live_and_die(machine, cluster_database.get_secret_value(), evidence)
        promised |= told
        shutil.rmtree(machine)
    assert len(promised) > 3

    clock = real_clock()
    backend, last = BackendDouble(clock), tmp_path / "last"
    async with opened(last, clock, remote=open_remote(evidence, {}, edge_id=EDGE)) as store:
        delivery = backend.delivery(store)
        while await delivery.deliver_once():
            pass
        while await delivery.upload_once():
            pass
        counts = await store.counts()
        assert (counts.pending, counts.dead, counts.uploads_pending, counts.uploads_lost) == (0, 0, 0, 0)
    delivered = [str(event.event_id) for event in backend.accepted]
    assert len(delivered) == len(set(delivered))
    assert promised <= set(delivered)
    is_whole(backend)


def is_whole(backend: BackendDouble) -> None:
    """Every file arrived and the chain has neither gap nor fork."""
    assert backend.complete == {
        file.sha256 for event in backend.accepted if event.evidence for file in event.evidence.files
    }
    chain = sorted(
        (event.evidence for event in backend.accepted if event.evidence), key=lambda m: m.chain_index
    )
    assert [manifest.chain_index for manifest in chain] == list(range(len(chain)))
    assert all(b.previous_sha256 == a.sha256 for a, b in itertools.pairwise(chain))
