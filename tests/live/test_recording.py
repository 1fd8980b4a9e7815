"""What is recorded of a camera: whole pieces on disk, masked, bounded in time and space."""

from __future__ import annotations

import shutil
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

    def full(_self: Path, _content: bytes) -> int:
        tried.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
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
