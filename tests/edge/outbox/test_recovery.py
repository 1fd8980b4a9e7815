"""Damage to the database costs as little as can be, is told in words, and never touches evidence."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kitchen_watch.edge.evidence.verification import verify
from kitchen_watch.edge.outbox import opening
from kitchen_watch.edge.outbox.ballast import SIZE, Ballast
from kitchen_watch.edge.outbox.opening import BALLAST_NAME
from kitchen_watch.edge.outbox.schema import FILE_NAME
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.edge.rules.violation import Violation
from kitchen_watch.errors import EvidenceError
from kitchen_watch.events import EventKind
from tests.edge.outbox.situations import START, draft, opened, package, packages, violation


async def filled(data_dir: Path, number: int = 40) -> list[UUID]:
    writer = packages(data_dir)
    events: list[UUID] = []
    async with opened(data_dir) as store:
        for index in range(number):
            subject = violation()
            files = package(writer, subject, [b"picture %d" % index])
            events.append((await store.open_event(draft(subject, package=files))).event_id)
    return events


async def test_a_file_that_is_no_database_is_set_aside_and_the_chain_goes_on(tmp_path: Path) -> None:
    await filled(tmp_path, 3)
    pictures = sorted(tmp_path.rglob("clean-*.jpg"))
    (tmp_path / FILE_NAME).write_bytes(b"this was a database" * 1000)
    writer, subject = packages(tmp_path), violation()
    async with opened(tmp_path) as store:
        (aside,) = tmp_path.glob("outbox-damaged-*.sqlite3")
        assert "outbox was damaged" in store.recovery.problems[0]
        assert aside.name in store.recovery.problems[0]
        event = await store.open_event(draft(subject, package=package(writer, subject, [b"after"])))
    assert event.evidence is not None
    assert event.evidence.chain_index == 3
    assert set(pictures) <= set(tmp_path.rglob("clean-*.jpg"))
    assert verify(tmp_path).proven


async def test_what_can_be_read_of_a_damaged_database_is_saved(tmp_path: Path) -> None:
    ids = await filled(tmp_path)
    database = tmp_path / FILE_NAME
    with sqlite3.connect(database) as connection:
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(database.read_bytes())
    pages = len(content) // page
    content[(pages - 3) * page : (pages - 2) * page] = b"\xff" * page
    database.write_bytes(content)
    async with opened(tmp_path) as store:
        assert "outbox was damaged" in store.recovery.problems[0]
        saved = [item.event.event_id for item in await store.pending_events(1000)]
        assert set(saved) <= set(ids)
        assert len(saved) > len(ids) // 2
        assert f"{len(saved)} undelivered events could be read" in store.recovery.problems[0]
        # and work goes on: sequences and chain have no doubles
        subject = violation()
        event = await store.open_event(
            draft(subject, package=package(packages(tmp_path), subject, [b"after the damage"]))
        )
        assert event.evidence is not None
        assert event.evidence.chain_index == len(ids)
        assert (await store.append(draft(subject, EventKind.UPDATED))).sequence == 1
    assert verify(tmp_path).proven


async def test_a_deleted_database_does_not_fork_the_chain(tmp_path: Path) -> None:
    await filled(tmp_path, 2)
    for path in tmp_path.glob("outbox.sqlite3*"):
        path.unlink()
    async with opened(tmp_path) as store:
        assert "2 manifests were on disk, but not in the outbox" in store.recovery.problems[0]
        subject = violation()
        files = package(packages(tmp_path), subject, [b"new"])
        event = await store.open_event(draft(subject, package=files))
        assert event.evidence is not None
        assert event.evidence.chain_index == 2
        # what lies on disk is taken for undelivered: nobody knows better
        assert not any(stored.delivered for stored in await store.packages())
    assert verify(tmp_path).proven


async def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(EvidenceError, match="cannot be used"):
        async with opened(tmp_path / "data"):
            pass


async def test_a_database_that_cannot_be_opened_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path, 1)

    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def failing(_path: Path) -> sqlite3.Connection:
        raise error

    monkeypatch.setattr(opening, "connect", failing)
    with pytest.raises(EvidenceError, match="cannot be opened: disk I/O error"):
        async with opened(tmp_path):
            pass
    monkeypatch.undo()
    assert list(tmp_path.glob("outbox-damaged*")) == []
    async with opened(tmp_path) as store:
        assert (await store.counts()).pending == 1


async def many(store: OutboxStore, subject: Violation) -> None:
    for _ in range(200):
        await store.append(draft(subject, EventKind.UPDATED, detail="x" * 2000))


async def test_on_a_full_disk_events_still_fit_and_then_the_refusal_loses_nothing(tmp_path: Path) -> None:
    subject = violation()
    async with opened(tmp_path) as store:
        await store.open_event(draft(subject))
        connection = store._writer._database._connection  # type: ignore[attr-defined]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        # SQLite answers a page limit exactly as it answers a full disk.
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        assert (tmp_path / BALLAST_NAME).exists()
        with pytest.raises(EvidenceError, match=r"the disk is full.*what is recorded already stays"):
            await many(store, subject)
        assert not (tmp_path / BALLAST_NAME).exists()  # thrown overboard at the first refusal
        counts = await store.counts()
        connection.execute("PRAGMA max_page_count = 1000000")
        event = await store.append(draft(subject, EventKind.UPDATED))
        assert event.sequence == counts.pending  # the refused step took no number
    async with opened(tmp_path) as store:
        assert (await store.counts()).pending == counts.pending + 1


def test_ballast_is_real_space_and_is_not_taken_from_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ballast = Ballast(tmp_path / "ballast")
    assert ballast.take()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= SIZE
    assert ballast.drop()
    assert not ballast.drop()

    class Full:
        f_bavail, f_frsize = SIZE, 1

    monkeypatch.setattr(os, "statvfs", lambda _: Full)
    assert not ballast.take()
    assert not (tmp_path / "ballast").exists()


async def test_a_manifest_that_a_full_disk_kept_back_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, subject = packages(tmp_path), violation()
    async with opened(tmp_path) as store:
        files = package(writer, subject)

        def full(*_: object) -> None:
            raise EvidenceError("the disk is full")

        monkeypatch.setattr(store._packages, "write_manifest", full)
        event = await store.open_event(draft(subject, package=files))
        assert event.evidence is not None
        assert list(tmp_path.rglob("manifest-*.json")) == []
        monkeypatch.undo()
        await store.tidy(forget_before=START - timedelta(days=1))
        assert len(list(tmp_path.rglob("manifest-*.json"))) == 1
    assert verify(tmp_path).proven


async def test_rows_that_this_version_cannot_read_stop_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        broken = await store.open_event(draft())
        sound = await store.open_event(draft())
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute(
            "UPDATE events SET body = json_set(body, '$.tier', 9) WHERE event_id = ?", (str(broken.event_id),)
        )
        connection.execute(
            "UPDATE violations SET body = json_remove(body, '$.tier') WHERE violation_id = ?",
            (str(broken.violation_id),),
        )
    connection.close()
    async with opened(tmp_path) as store:
        assert [item.violation.violation_id for item in store.recovery.violations] == [sound.violation_id]
        assert f"Violation {broken.violation_id}" in store.recovery.problems[0]
        assert [item.event for item in await store.pending_events()] == [sound]
        (letter,) = await store.dead_letters()
        assert letter.event_id == broken.event_id
        assert "cannot be read" in (letter.last_error or "")
