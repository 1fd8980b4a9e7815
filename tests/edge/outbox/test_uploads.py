"""Evidence files reach the backend whole: in chunks, resumed, pictures before clips."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.package import PackageFiles
from kitchen_watch.edge.outbox import uploads
from kitchen_watch.edge.outbox.store import OutboxStore
from kitchen_watch.events import EventKind
from tests.edge.outbox.backend_double import BackendDouble, problem, real_clock
from tests.edge.outbox.situations import START, draft, opened, package, packages, violation

CHUNK = 1000


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK", CHUNK)


def patches(backend: BackendDouble) -> list[httpx.Request]:
    return [request for request in backend.requests if request.method == "PATCH"]


async def with_picture(store: OutboxStore, data_dir: Path, content: bytes) -> str:
    """An acknowledged event with one picture; the picture's hash."""
    subject = violation()
    await store.open_event(draft(subject, package=package(packages(data_dir), subject, [content])))
    return hashlib.sha256(content).hexdigest()


async def with_clip(store: OutboxStore, data_dir: Path, content: bytes) -> str:
    subject, writer = violation(), packages(data_dir)
    folder = writer.folder(subject.violation_id, subject.started_at)
    part = writer.part(folder, "clip")
    part.write_bytes(content)
    clip = writer.adopt(folder, part, starts_at=START, ends_at=START + timedelta(seconds=15))
    await store.append(draft(subject, EventKind.UPDATED, package=PackageFiles(folder, (clip,))))
    return clip.sha256


async def test_a_file_goes_up_in_chunks(tmp_path: Path) -> None:
    clock, content = real_clock(), bytes(range(256)) * 10
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        delivery = backend.delivery(store)
        sha256 = await with_picture(store, tmp_path, content)
        assert not await delivery.upload_once()  # its event comes first
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        assert bytes(backend.files[sha256]) == content
        assert [len(request.content) for request in patches(backend)] == [1000, 1000, 560]
        assert (await store.counts()).uploads_pending == 0


async def test_an_upload_goes_on_where_the_backend_stands_after_a_restart(tmp_path: Path) -> None:
    clock, content = real_clock(), bytes(3000)
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        sha256 = await with_picture(store, tmp_path, content)
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        await delivery.upload_once()
    backend.files[sha256] = bytearray(1500)  # a last chunk came through that nobody heard of
    async with opened(tmp_path, clock) as store:
        delivery = backend.delivery(store)
        while await delivery.upload_once():
            pass
        assert sha256 in backend.complete
    assert [int(request.headers["upload-offset"]) for request in patches(backend)] == [0, 1500, 2500]


async def test_another_offset_at_the_backend_is_believed(tmp_path: Path) -> None:
    clock, content = real_clock(), bytes(range(250)) * 12
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        sha256 = await with_picture(store, tmp_path, content)
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        await delivery.upload_once()
        backend.files[sha256] = bytearray(content[:300])  # it lost the end, as after a crash
        while await delivery.upload_once():
            pass
        assert bytes(backend.files[sha256]) == content


async def test_an_upload_whose_last_answer_was_lost_is_finished(tmp_path: Path) -> None:
    clock, content = real_clock(), bytes(1500)
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        sha256 = await with_picture(store, tmp_path, content)
        await backend.delivery(store).deliver_once()
        backend.files[sha256] = bytearray(content)  # all bytes are there, but not called complete
        delivery = backend.delivery(store)
        await delivery.upload_once()
        assert sha256 in backend.complete
        assert (await store.counts()).uploads_pending == 0
        assert [request.content for request in patches(backend)] == [b""]


async def test_content_spoilt_on_the_way_is_sent_again(tmp_path: Path) -> None:
    clock, content = real_clock(), bytes(2500)
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        sha256 = await with_picture(store, tmp_path, content)
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        await delivery.upload_once()
        backend.files[sha256][10] = 99
        for _ in range(10):
            await delivery.upload_once()
            clock.advance(1)
        assert bytes(backend.files[sha256]) == content
        assert sha256 in backend.complete


async def test_a_file_that_was_changed_on_disk_is_never_sent(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        await with_picture(store, tmp_path, bytes(2000))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        (picture,) = tmp_path.rglob("clean-*.jpg")
        picture.write_bytes(b"forged".ljust(2000))
        assert await delivery.upload_once()
        assert patches(backend) == []
        counts = await store.counts()
        assert (counts.uploads_pending, counts.uploads_lost) == (0, 1)


async def test_a_file_that_vanished_while_running_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        await with_picture(store, tmp_path, bytes(500))
        other = await with_picture(store, tmp_path, bytes(600))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        sorted(tmp_path.rglob("clean-*.jpg"), key=lambda path: path.stat().st_size)[0].unlink()
        while await delivery.upload_once():
            pass
        assert backend.complete == {other}
        assert (await store.counts()).uploads_lost == 1


async def test_a_new_picture_goes_before_the_rest_of_an_old_clip(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        clip = await with_clip(store, tmp_path, bytes(10 * CHUNK))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        for _ in range(3):
            await delivery.upload_once()
        assert 0 < len(backend.files[clip]) < 10 * CHUNK
        picture = await with_picture(store, tmp_path, bytes(100))
        await delivery.deliver_once()
        await delivery.upload_once()
        assert picture in backend.complete
        while await delivery.upload_once():
            pass
        assert clip in backend.complete


async def test_a_stuck_upload_does_not_hold_up_events(tmp_path: Path) -> None:
    clock = real_clock()
    backend, stuck = BackendDouble(clock), asyncio.Event()
    answer = backend.handle

    async def hang_on_files(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            stuck.set()
            await asyncio.sleep(3600)
        return await answer(request)

    backend.handle = hang_on_files  # type: ignore[method-assign]  # this one hangs
    async with opened(tmp_path, clock) as store:
        task = asyncio.create_task(backend.delivery(store).run())
        await with_clip(store, tmp_path, bytes(5000))
        async with asyncio.timeout(10):
            await stuck.wait()
            event = await store.open_event(draft())
            while event not in backend.accepted:
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait({task})


@pytest.mark.parametrize(
    "fault",
    [problem(404, "not named"), problem(413, "too large"), problem(422, "?"), httpx.Response(500)],
    ids=str,
)
async def test_a_file_that_is_not_taken_waits_by_itself(tmp_path: Path, fault: httpx.Response) -> None:
    clock = ManualClock(real_clock().now())
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        first = await with_picture(store, tmp_path, bytes(100))
        second = await with_picture(store, tmp_path, bytes(200))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        backend.faults = [fault]
        while await delivery.upload_once():
            pass
        assert backend.complete == {second}
        clock.advance(1)
        await delivery.upload_once()
        assert backend.complete == {first, second}


async def test_an_unreachable_backend_is_no_files_fault(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        await with_picture(store, tmp_path, bytes(100))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        backend.faults = [httpx.ConnectError("refused")]
        assert not await delivery.upload_once()
        upload = await store.next_upload()
        assert upload is not None
        assert upload.attempts == 0


async def test_what_the_backend_lost_is_sent_again(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        sha256 = await with_picture(store, tmp_path, bytes(100))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        backend.files.clear()
        backend.complete.clear()
        backend.missing_files = (sha256,)
        await store.open_event(draft())
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        assert backend.complete == {sha256}


async def test_equal_pictures_of_two_alerts_go_up_once(tmp_path: Path) -> None:
    clock = real_clock()
    backend = BackendDouble(clock)
    async with opened(tmp_path, clock) as store:
        for _ in range(2):
            await with_picture(store, tmp_path, bytes(100))
        delivery = backend.delivery(store)
        await delivery.deliver_once()
        while await delivery.upload_once():
            pass
        assert len(patches(backend)) == 1
        assert (await store.counts()).uploads_pending == 0
