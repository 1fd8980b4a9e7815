"""What is recorded of a camera: whole pieces on disk, masked, bounded in time and space."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.errors import NotFound
from kitchen_watch.live import recording as recording_module
from kitchen_watch.live.camera import LiveCamera
from kitchen_watch.live.recording import Recording
from kitchen_watch.live.segments import Keeping, SegmentStore
from tests.edge.evidence.cameras import START, at, number_in
from tests.live.peers import streaming
from tests.live.test_masked import LEFT_HALF, OF, check_masked, decoded

FOR_EVER = Keeping(timedelta(days=100_000), 10**9, 0)


def store(directory: Path, keeping: Keeping = FOR_EVER) -> SegmentStore:
    made = SegmentStore(directory, keeping)
    made.open(START)
    return made


def add(to: SegmentStore, second: float, size: int = 100, length: float = 6.0) -> str:
    segment = to.add(bytes(size), begins_at=at(second), seconds=length)
    assert segment is not None
    return segment.segment_id


def recorded(tmp_path: Path, live: LiveCamera, *, pieces: int) -> SegmentStore:
    """Record a camera that plays ten times too fast until so many pieces lie on the disk."""
    kept = SegmentStore(tmp_path, FOR_EVER)
    recording = Recording(live, kept, SystemClock(), quality="sub")
    with streaming(OF, live.main, live.sub, speed=5):
        recording.start()
        until = time.monotonic() + 30
        while len(kept.between(at(-1e6), at(1e6), most=99)) < pieces and time.monotonic() < until:
            time.sleep(0.05)
        recording.stop()
    live.close()
    return kept


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "SEGMENT_S", 1.5)
    monkeypatch.setattr(recording_module, "GATHER_S", 0.05)  # the camera plays five times too fast


@pytest.mark.integration
def test_pieces_play_alone_and_show_every_picture_once(tmp_path: Path) -> None:
    kept = recorded(tmp_path, LiveCamera("cam-1", has_sub=True, mask=PrivacyMask()), pieces=3)
    first, second, *_ = kept.between(at(-1e6), at(1e6), most=9)
    shown = [
        [number_in(picture) for picture in decoded(kept.read(one.segment_id), "mp4")]
        for one in (first, second)
    ]
    assert [len(numbers) for numbers in shown] == [20, 20]  # a keyframe every two seconds, ten a second
    together = shown[0] + shown[1]
    assert together == [(together[0] + step) % 100 for step in range(40)]
    assert first.seconds == pytest.approx(2.0)
    assert first.begins_at == at(shown[0][0] / 10)


@pytest.mark.integration
def test_a_camera_with_privacy_areas_is_recorded_masked(tmp_path: Path) -> None:
    kept = recorded(tmp_path, LiveCamera("cam-1", has_sub=True, mask=PrivacyMask([LEFT_HALF])), pieces=2)
    contents = [kept.read(one.segment_id) for one in kept.between(at(-1e6), at(1e6), most=9)]
    pictures = [picture for content in contents for picture in decoded(content, "mp4")]
    assert len(pictures) > 5
    for picture in pictures:
        check_masked(picture)
    raw = [packet.data[-200:] for packet in OF.packets]
    assert not any(tail in content for tail in raw for content in contents)


@pytest.mark.integration
def test_recording_waits_for_a_camera_that_is_away_and_ends_when_told(tmp_path: Path) -> None:
    live = LiveCamera("cam-1", has_sub=False, mask=PrivacyMask())
    recording = Recording(live, SegmentStore(tmp_path, FOR_EVER), SystemClock(), quality="sub")
    recording.start()
    began = time.monotonic()
    recording.stop()
    assert time.monotonic() - began < 2
    assert live.main.viewers == 0
    assert recording.store.oldest_at is None


@pytest.mark.integration
def test_a_disk_that_takes_nothing_hurts_neither_camera_nor_recorder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def full(_file: int) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    live = LiveCamera("cam-1", has_sub=False, mask=PrivacyMask())
    recording = Recording(live, SegmentStore(tmp_path, FOR_EVER), SystemClock(), quality="sub")
    with streaming(OF, live.main, speed=5):
        recording.start()
        assert tried.wait(20)
        monkeypatch.undo()
        monkeypatch.setattr(recording_module, "SEGMENT_S", 1.5)
        until = time.monotonic() + 20
        while recording.store.oldest_at is None and time.monotonic() < until:
            time.sleep(0.05)
        recording.stop()
    assert recording.store.oldest_at is not None
    assert list(tmp_path.glob("*/*.part")) == []
    live.close()


def test_what_is_too_old_goes_and_what_shows_part_of_the_span_is_found(tmp_path: Path) -> None:
    kept = store(tmp_path, Keeping(timedelta(seconds=20), 10**9, 0))
    ids = [add(kept, 6 * number) for number in range(6)]
    assert [one.segment_id for one in kept.between(at(0), at(99), most=9)] == ids[2:]
    assert [one.segment_id for one in kept.between(at(13), at(18), most=9)] == [ids[2]]
    assert [one.segment_id for one in kept.between(at(0), at(99), most=2)] == ids[2:4]
    with pytest.raises(NotFound):
        kept.read(ids[0])
    assert kept.read(ids[5]) == bytes(100)


def test_no_more_disk_is_used_than_may_be_and_the_oldest_goes_first(tmp_path: Path) -> None:
    kept = store(tmp_path, Keeping(timedelta(days=7), 350, 0))
    ids = [add(kept, 6 * number) for number in range(6)]
    assert [one.segment_id for one in kept.between(at(0), at(99), most=9)] == ids[3:]
    assert kept.size == sum(path.stat().st_size for path in tmp_path.rglob("*.mp4")) == 300


def test_evidence_comes_first_on_a_disk_that_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store(tmp_path, Keeping(timedelta(days=7), 10**9, 1000))
    add(kept, 0)
    add(kept, 6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: _Usage(free=950))
    assert kept.add(bytes(100), begins_at=at(12), seconds=6) is None
    assert kept.between(at(0), at(99), most=9) == ()
    assert list(tmp_path.rglob("*.mp4")) == []


class _Usage:
    def __init__(self, *, free: int) -> None:
        self.free = free


def test_after_a_power_cut_the_whole_pieces_are_found_and_the_torn_one_is_gone(tmp_path: Path) -> None:
    ids = [add(store(tmp_path), 6 * number) for number in range(2)]
    torn = tmp_path / ids[0][:8] / "20260302T040100000Z-6000.part"
    torn.write_bytes(b"half")
    (tmp_path / ids[0][:8] / "notes.txt").write_text("not ours")
    again = store(tmp_path)
    assert [one.segment_id for one in again.between(at(0), at(99), most=9)] == ids
    assert again.size == 200
    assert not torn.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "20260302T040000000Z-6000", "", "/etc/passwd"])
def test_only_what_is_recorded_can_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        store(tmp_path).read(name)


def test_what_cannot_be_removed_stays_known_and_counted_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path, Keeping(timedelta(seconds=20), 10**9, 0))
    stuck = add(kept, 0)
    unlink = Path.unlink

    def held(path: Path, *, missing_ok: bool = False) -> None:
        if path.stem == stuck:
            raise PermissionError(13, "held by another program")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    for second in range(6, 60, 6):
        add(kept, second)
    names = [one.segment_id for one in kept.between(at(-1e6), at(1e6), most=99)]
    assert names[0] == stuck  # the others go nevertheless
    assert len(names) == 5
    assert kept.size == 500
    monkeypatch.undo()
    add(kept, 60)
    assert kept.oldest_at == at(42)
    assert not any(tmp_path.glob(f"*/{stuck}.mp4"))


def test_a_disk_from_which_nothing_goes_is_not_filled_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store(tmp_path, Keeping(timedelta(days=1), 350, 0))
    for second in (0, 6, 12):
        add(kept, second)

    def held(_path: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "unlink", held)
    assert kept.add(b"x" * 100, begins_at=at(18), seconds=6) is None
    assert kept.size == 300


@pytest.mark.parametrize(
    "name",
    [
        "20250230T000000000Z-6000.mp4", "20251399T999999999Z-6000.mp4", "99991231T235959999Z-9999999.mp4",
        "20240101T000000000Z-6000.mp4", "20250901T000000000Z-6000.d/x.mp4", "notes.txt",
    ],
)  # fmt: skip
def test_files_that_are_no_pieces_are_left_alone(tmp_path: Path, name: str) -> None:
    day = tmp_path / "20250901"
    (day / name).parent.mkdir(parents=True)
    (day / name).write_bytes(b"x")
    (day / "20250901T010000000Z-6000.mp4").mkdir()
    whole = day / "20250901T120000000Z-6000.mp4"
    whole.write_bytes(b"x")
    kept = store(tmp_path)
    assert [one.segment_id for one in kept.between(at(-1e9), at(1e9), most=9)] == [whole.stem]
    assert (day / name).exists()


@pytest.mark.integration
def test_killed_while_it_writes_it_leaves_only_whole_pieces(tmp_path: Path) -> None:
    size = 3_000_000
    program = f"""
from datetime import UTC, datetime, timedelta
from pathlib import Path
from kitchen_watch.live.segments import Keeping, SegmentStore
store = SegmentStore(Path({str(tmp_path)!r}), Keeping(timedelta(days=1), 10**10, 0))
begin = datetime(2025, 9, 1, 12, tzinfo=UTC)
store.open(begin)
for number in range(10**6):
    store.add(b"x" * {size}, begins_at=begin + timedelta(seconds=number / 10), seconds=0.1)
    print(number, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for _ in range(3):
            child.stdout.readline()
        until = time.monotonic() + 5
        while not any(tmp_path.glob("*/*.part")) and time.monotonic() < until:
            pass
        child.kill()
    kept = store(tmp_path)
    found = kept.between(at(-1e9), at(1e9), most=10**6)
    assert len(found) >= 3
    assert {one.size for one in found} == {size}
    assert list(tmp_path.glob("*/*.part")) == []
