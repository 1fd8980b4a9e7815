"""Outboxes of several edges in one database: apart from each other, and each with one writer."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.remote import open_remote
from kitchen_watch.edge.outbox.commands import app
from kitchen_watch.edge.outbox.postgres import PostgresOutbox, SharedDatabase
from kitchen_watch.edge.outbox.records import EventState, Outcome
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.ownership.database import plain
from kitchen_watch.edge.ownership.leases import Leases
from kitchen_watch.edge.ownership.schema import SCHEMA
from kitchen_watch.errors import ConfigError, EvidenceError, LeaseLost
from kitchen_watch.events import EventKind
from kitchen_watch.signing import new_secret
from tests.edge.outbox import situations
from tests.edge.outbox.backend_double import BackendDouble, real_clock
from tests.edge.outbox.situations import START, draft, opened, package, packages, violation
from tests.support import need

need("psycopg", why="the driver of PostgreSQL; the extra [postgres] brings it")

import psycopg  # noqa: E402

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _cluster(cluster_database: SecretStr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situations, "CLUSTER", cluster_database)


async def take_over(url: SecretStr, edge_id: str = situations.EDGE) -> None:
    await asyncio.to_thread(Leases(url).acquire, edge_id, "another node", takeover=True)


def terminate_connections(url: SecretStr) -> None:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid != pg_backend_pid()"
        )


async def test_another_node_goes_on_where_the_lost_one_was(tmp_path: Path) -> None:
    """Nothing of the lost node's disk is needed for events, order, chain and open violations."""
    subject, writer = violation(), packages(tmp_path / "lost")
    async with opened(tmp_path / "lost") as store:
        first = await store.open_event(draft(subject, package=package(writer, subject)))
        await store.pending_events()  # it was just delivering when it went
    async with opened(tmp_path / "next") as store:
        assert [entry.violation for entry in store.recovery.violations] == [subject]
        assert [item.event for item in await store.pending_events()] == [first]
        files = package(packages(tmp_path / "next"), subject, [b"seen by the next node"])
        second = await store.append(draft(subject, EventKind.UPDATED, package=files))
    assert second.sequence == 1
    assert first.evidence is not None
    assert second.evidence is not None
    assert second.evidence.previous_sha256 == first.evidence.sha256


async def test_another_node_uploads_the_evidence_of_the_lost_one(tmp_path: Path) -> None:
    remote = open_remote(f"file://{tmp_path / 'shared'}", {}, edge_id=situations.EDGE)
    clock, subject = real_clock(), violation()
    backend = BackendDouble(clock)
    async with opened(tmp_path / "lost", clock, remote=remote) as store:
        files = package(packages(tmp_path / "lost"), subject, [b"a picture"])
        await store.open_event(draft(subject, package=files))
    shutil.rmtree(tmp_path / "lost")
    async with opened(tmp_path / "next", clock, remote=remote) as store:
        assert store.recovery.missing_files == ()
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        assert backend.complete == {files.files[0].sha256}
        await store.tidy(forget_before=START)
        assert {Path(stored.path).name for stored in remote.below("evidence")} == {
            files.files[0].name, "manifest-00000000.json",
        }  # fmt: skip
        assert await store.sweep_copies() == 0


async def test_what_the_edge_was_told_follows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Privacy masks that the backend gave hold on the next machine from the first picture on."""
    told = '{"version": "1", "cameras": {"cam-1": {"name": "热厨"}}}'
    async with opened(tmp_path / "lost") as store:
        (tmp_path / "lost" / "accepted-configuration.json").write_text(told, encoding="utf-8")
        await store.carry("accepted-configuration.json")
        with pytest.raises(EvidenceError, match="cannot be read"):
            await store.carry("no-such-file.json")
    async with opened(tmp_path / "next"):
        brought = tmp_path / "next" / "accepted-configuration.json"
        assert brought.read_text(encoding="utf-8") == told
        assert brought.stat().st_mode & 0o077 == 0
    async with opened(tmp_path / "other", edge_id="edge-2"):
        assert not (tmp_path / "other" / "accepted-configuration.json").exists()


async def test_a_replaced_owner_writes_nothing_more_and_reads_nothing(
    tmp_path: Path, cluster_database: SecretStr
) -> None:
    async with opened(tmp_path / "old") as old:
        event = await old.open_event(draft())
        async with opened(tmp_path / "new") as new:
            for attempt in (
                old.open_event(draft()),
                old.settle([Outcome(event.event_id, EventState.DELIVERED)]),
                old.pending_events(),
                old.counts(),
            ):
                with pytest.raises(LeaseLost, match="taken over by a test with token 2"):
                    await attempt
            counts = await new.counts()
            assert (counts.pending, counts.delivered) == (1, 0)


async def test_edges_see_their_own_rows_only(tmp_path: Path) -> None:
    writers = [packages(tmp_path / name) for name in ("a", "b")]
    async with opened(tmp_path / "a", edge_id="edge-a") as a, opened(tmp_path / "b", edge_id="edge-b") as b:
        for store, writer in zip((a, b), writers, strict=True):
            subject = violation()
            event = await store.open_event(draft(subject, package=package(writer, subject)))
            assert event.evidence is not None
            assert event.evidence.chain_index == 0  # each has a chain of its own
        (only,) = await a.pending_events()
        assert only.event.edge_id == "edge-a"
        await a.settle([Outcome(only.event.event_id, EventState.DEAD, "no")])
        assert (await a.counts()).dead == 1
        assert (await b.counts()).dead == 0
        assert len(await b.packages()) == 1
        assert await b.requeue() == 0


async def test_without_an_edge_nothing_can_be_read(cluster_database: SecretStr) -> None:
    with psycopg.connect(plain(cluster_database)) as connection, pytest.raises(psycopg.Error):
        connection.execute(f"SELECT * FROM {SCHEMA}.events")


async def test_a_database_that_was_away_is_found_again(tmp_path: Path, cluster_database: SecretStr) -> None:
    subject = violation()
    async with opened(tmp_path) as store:
        await store.open_event(draft(subject))
        terminate_connections(cluster_database)  # as a restart of the server does
        update = await store.append(draft(subject, EventKind.UPDATED))
        assert update.sequence == 1


async def test_while_the_database_is_away_a_step_is_refused_in_words_and_kept_by_nobody(
    tmp_path: Path, cluster_database: SecretStr, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = SecretStr("postgresql://nobody:hidden-word@127.0.0.1:9/none")
    step = draft(event_id=uuid4())
    async with opened(tmp_path) as store:
        database = store._writer._database
        assert isinstance(database, PostgresOutbox)
        database.close()
        monkeypatch.setattr(database, "_url", away)
        with pytest.raises(EvidenceError, match="outbox cannot be written") as refusal:
            await store.open_event(step)
        assert "hidden-word" not in str(refusal.value)
        monkeypatch.setattr(database, "_url", cluster_database)
        await store.open_event(step)
        assert (await store.counts()).pending == 1


async def test_a_step_whose_commit_nobody_saw_is_recorded_once(tmp_path: Path) -> None:
    """The connection may break in the very moment of the commit; the step is then handed in again."""
    step = draft(event_id=uuid4())
    async with opened(tmp_path) as store:
        event = await store.open_event(step)
    async with opened(tmp_path) as store:
        assert await store.open_event(step) == event
        assert (await store.counts()).pending == 1


async def test_the_rows_of_what_is_long_done_go(tmp_path: Path) -> None:
    clock, subject, writer = ManualClock(START), violation(), packages(tmp_path)
    async with opened(tmp_path, clock) as store:
        event = await store.open_event(
            draft(replace(subject, ended_at=START), package=package(writer, subject))
        )
        await store.settle([Outcome(event.event_id, EventState.DELIVERED)])
        (stored,) = await store.packages()
        assert (len(stored.files), stored.delivered, stored.held) == (2, False, False)
        assert await store.hold(subject.violation_id)
        assert [one.held for one in await store.packages()] == [True]
        await store.hold(subject.violation_id, held=False)
        await store.mark_removed([subject.violation_id])
        await store.tidy(forget_before=START + timedelta(days=1))
        assert await store.packages() == []
        assert await store.requeue([event.event_id]) == 0


async def test_what_an_earlier_life_left_in_a_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster_database: SecretStr
) -> None:
    monkeypatch.setattr(situations, "CLUSTER", None)
    async with opened(tmp_path) as store:
        await store.open_event(draft())
    monkeypatch.setattr(situations, "CLUSTER", cluster_database)
    async with opened(tmp_path) as store:
        assert "1 events lie there undelivered" in store.recovery.problems[0]


async def test_people_look_into_it_while_its_owner_works(tmp_path: Path, cluster_database: SecretStr) -> None:
    config = tmp_path / "edge.yaml"
    values = {
        "edge_id": situations.EDGE, "data_dir": str(tmp_path / "elsewhere"),
        "backend": {"url": "http://127.0.0.1:9", "secret": new_secret()},
        "outbox": {"url": cluster_database.get_secret_value()},
    }  # fmt: skip
    config.write_text(yaml.safe_dump(values), encoding="utf-8")

    async def run(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, (*arguments, "--config", str(config)))
        assert done.exit_code == 0, done.output
        return done.output

    async with opened(tmp_path) as store:
        event = await store.open_event(draft())
        await store.settle([Outcome(event.event_id, EventState.DEAD, "unknown camera")])
        assert "unknown camera" in await run("list", "--dead")
        assert "1 events will be delivered again" in await run("requeue", "--all-dead")
        assert [item.event for item in await store.pending_events()] == [event]


async def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path, cluster_database: SecretStr) -> None:
    with psycopg.connect(plain(cluster_database), autocommit=True) as connection:
        (version,) = connection.execute(f"SELECT number FROM {SCHEMA}.version").fetchone() or (0,)
        connection.execute(f"UPDATE {SCHEMA}.version SET number = 99")
        try:
            with pytest.raises(ConfigError, match="newer kitchen-watch"):
                async with opened(tmp_path):
                    pass
        finally:
            connection.execute(f"UPDATE {SCHEMA}.version SET number = {version}")


async def test_an_outbox_of_an_edge_that_was_lost_before_it_was_opened_is_not_opened(
    tmp_path: Path, cluster_database: SecretStr
) -> None:
    lease = await asyncio.to_thread(Leases(cluster_database).acquire, situations.EDGE, "slow node")
    await take_over(cluster_database)
    with pytest.raises(LeaseLost):
        await OutboxStore.open(
            packages(tmp_path), edge_id=situations.EDGE, clock=ManualClock(START),
            shared=SharedDatabase(cluster_database, lease),
        )  # fmt: skip
