"""With an object store a lost disk costs no evidence, and a lost store no alert."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.remote import RemoteEvidence, open_remote
from kitchen_watch.edge.outbox.disk import DiskKeeper
from kitchen_watch.edge.outbox.records import EventState, Outcome
from kitchen_watch.edge.outbox.remote_copies import PAUSE
from kitchen_watch.errors import EvidenceError
from tests.edge.outbox.backend_double import BackendDouble, real_clock
from tests.edge.outbox.situations import EDGE, START, draft, opened, package, packages, violation
from tests.support import require

PICTURE = b"a clean picture"
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def remote(tmp_path: Path) -> RemoteEvidence:
    require(module="obstore", why="the object store's library; pip install 'kitchen-watch[cluster]'")
    return open_remote(f"file://{tmp_path / 'shared'}", {}, edge_id=EDGE)


class Away(RemoteEvidence):
    """A store that does not answer until it is told to."""

    def __init__(self, remote: RemoteEvidence) -> None:
        self.there = remote
        self.away = True
        self.asked = 0

    def put(self, path: str, file: Path) -> None:
        self._ask()
        self.there.put(path, file)

    def fetch(self, path: str, target: Path, *, sha256: str) -> None:
        self._ask()
        self.there.fetch(path, target, sha256=sha256)

    def has(self, path: str) -> bool:
        self._ask()
        return self.there.has(path)

    def remove(self, path: str) -> None:
        self._ask()
        self.there.remove(path)

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise EvidenceError("the store does not answer")


def objects(remote: RemoteEvidence) -> set[str]:
    return {Path(stored.path).name for stored in remote.below("evidence")}


async def test_files_are_in_the_store_before_their_event_is_recorded(
    tmp_path: Path, remote: RemoteEvidence
) -> None:
    subject, writer = violation(), packages(tmp_path / "node")
    seen: list[set[str]] = []
    async with opened(tmp_path / "node", remote=remote) as store:
        store.watch(lambda: seen.append(objects(remote)))
        files = package(writer, subject)
        await store.open_event(draft(subject, package=files))
        assert seen == [{file.name for file in files.files}]
        await store.tidy(forget_before=START)
        assert "manifest-00000000.json" in objects(remote)


async def test_an_upload_goes_on_when_the_disk_is_lost(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, clock, subject = tmp_path / "node", real_clock(), violation()
    backend = BackendDouble(clock)
    async with opened(data_dir, clock, remote=remote) as store:
        files = package(packages(data_dir), subject, [PICTURE])
        await store.open_event(draft(subject, package=files))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        shutil.rmtree(data_dir / "evidence")
        while await delivery.upload_once():
            pass
        assert bytes(backend.files[SHA256]) == PICTURE
        assert (await store.counts()).uploads_lost == 0


async def test_a_start_on_an_empty_disk_misses_nothing(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, subject = tmp_path / "node", violation()
    async with opened(data_dir, remote=remote) as store:
        await store.open_event(draft(subject, package=package(packages(data_dir), subject)))
    shutil.rmtree(data_dir / "evidence")
    async with opened(data_dir, remote=remote) as store:
        assert store.recovery.missing_files == ()
    async with opened(data_dir) as store:  # without the store they are missing indeed
        assert len(store.recovery.missing_files) == 2


async def test_a_damaged_file_is_replaced_from_the_store(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, clock, subject = tmp_path / "node", real_clock(), violation()
    backend = BackendDouble(clock)
    async with opened(data_dir, clock, remote=remote) as store:
        files = package(packages(data_dir), subject, [PICTURE])
        await store.open_event(draft(subject, package=files))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        (data_dir / files.folder / files.files[0].name).write_bytes(b"a broken disk")
        while await delivery.upload_once():
            pass
        assert bytes(backend.files[SHA256]) == PICTURE


async def test_what_is_damaged_in_the_store_too_is_never_sent(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, clock, subject = tmp_path / "node", real_clock(), violation()
    backend = BackendDouble(clock)
    async with opened(data_dir, clock, remote=remote) as store:
        files = package(packages(data_dir), subject, [PICTURE])
        await store.open_event(draft(subject, package=files))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        for path in tmp_path.rglob(files.files[0].name):
            path.write_bytes(b"somebody was here")
        while await delivery.upload_once():
            pass
        assert SHA256 not in backend.files
        assert (await store.counts()).uploads_lost == 1


async def test_an_alert_does_not_wait_for_a_store_that_is_away_and_the_store_catches_up(
    tmp_path: Path, remote: RemoteEvidence
) -> None:
    away, clock, writer = Away(remote), ManualClock(START), packages(tmp_path / "node")
    async with opened(tmp_path / "node", clock, remote=away) as store:
        for _ in range(3):
            subject = violation()
            await store.open_event(draft(subject, package=package(writer, subject)))
        assert away.asked == 1  # and it was not asked again for each
        assert (await store.counts()).pending == 3
        assert "Evidence is on this machine alone" in store.problems()[0]
        away.away = False
        clock.advance(PAUSE + timedelta(seconds=1))
        await store.tidy(forget_before=START)
        assert len(objects(remote)) == 5  # two names of pictures, three of manifests
        assert store.problems() == ()
        before = away.asked
        await store.tidy(forget_before=START)
        assert away.asked == before


async def test_an_upload_waits_for_a_store_that_is_away(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, clock, subject = tmp_path / "node", real_clock(), violation()
    backend, away = BackendDouble(clock), Away(remote)
    away.away = False
    async with opened(data_dir, clock, remote=away) as store:
        await store.open_event(draft(subject, package=package(packages(data_dir), subject, [PICTURE])))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        shutil.rmtree(data_dir / "evidence")
        away.away = True
        await delivery.upload_once()
        counts = await store.counts()
        assert (counts.uploads_pending, counts.uploads_lost) == (1, 0)
        away.away = False
        clock.advance(60)
        while await delivery.upload_once():
            pass
        assert bytes(backend.files[SHA256]) == PICTURE


async def test_what_is_too_old_goes_from_both_places(tmp_path: Path, remote: RemoteEvidence) -> None:
    data_dir, clock = tmp_path / "node", ManualClock(START)
    subject = replace(violation(), ended_at=START)
    writer, backend = packages(data_dir), BackendDouble(clock, verify_signatures=False)
    async with opened(data_dir, clock, remote=remote) as store:
        await store.open_event(draft(subject, package=package(writer, subject)))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        keeper = DiskKeeper(
            store, writer, warn_free_bytes=0, floor_free_bytes=0, keep=timedelta(days=30), clock=clock
        )
        await keeper.look()
        assert {name.split("-")[0] for name in objects(remote)} == {"clean", "annotated", "manifest"}
        clock.advance(timedelta(days=31))
        await keeper.look()
        assert objects(remote) == {"manifest-00000000.json"}
        assert list(data_dir.rglob("*.jpg")) == []


async def test_what_a_killed_process_left_in_the_store_is_swept(
    tmp_path: Path, remote: RemoteEvidence
) -> None:
    """It was killed after its files were stored and before its event was recorded."""
    clock, subject, data_dir = real_clock(), violation(), tmp_path / "node"
    clock.set_wall(clock.now() - timedelta(hours=2))
    async with opened(data_dir, clock):
        clock.advance(timedelta(hours=2))  # this outbox has been at work for a while
    today = replace(subject, started_at=clock.now())
    writer = packages(data_dir)
    orphans = package(writer, replace(violation(), started_at=clock.now()))
    for file in orphans.files:
        remote.put(f"{orphans.folder}/{file.name}", data_dir / orphans.folder / file.name)
    async with opened(data_dir, clock, remote=remote) as store:
        kept = package(writer, today, [b"an event names it"])
        event = await store.open_event(draft(today, package=kept))
        await store.settle([Outcome(event.event_id, EventState.PENDING, "busy")])
        assert await store.sweep_copies() == 0  # its process may be just about to record it
        clock.advance(timedelta(hours=7))
        assert await store.sweep_copies() == 2
        assert {stored.path for stored in remote.below("evidence")} == {f"{kept.folder}/{kept.files[0].name}"}


async def test_what_an_outbox_stored_that_was_lost_is_left_alone(
    tmp_path: Path, remote: RemoteEvidence
) -> None:
    clock, writer = real_clock(), packages(tmp_path / "lost")
    files = package(writer, replace(violation(), started_at=clock.now()))
    for file in files.files:
        remote.put(f"{files.folder}/{file.name}", tmp_path / "lost" / files.folder / file.name)
    async with opened(tmp_path / "new", clock, remote=remote) as store:
        clock.advance(timedelta(hours=8))
        assert await store.sweep_copies() == 0


async def test_a_package_that_is_handed_in_again_is_stored_once(
    tmp_path: Path, remote: RemoteEvidence
) -> None:
    away, subject, writer = Away(remote), violation(), packages(tmp_path / "node")
    away.away = False
    async with opened(tmp_path / "node", remote=away) as store:
        files = package(writer, subject)
        await store.store_files(files)
        assert away.asked == 2
        await store.open_event(draft(subject, package=files))
        assert away.asked == 2
        await store.tidy(forget_before=START)
        assert away.asked == 3  # the manifest alone


async def test_a_store_that_is_away_holds_up_no_start(tmp_path: Path, remote: RemoteEvidence) -> None:
    away, data_dir = Away(remote), tmp_path / "node"
    async with opened(data_dir) as store:
        for _ in range(3):
            subject = violation()
            await store.open_event(draft(subject, package=package(packages(data_dir), subject)))
    shutil.rmtree(data_dir / "evidence")
    async with opened(data_dir, remote=away) as store:
        assert away.asked == 1
        assert store.recovery.missing_files == ()
