"""Clips are cut from the packets as they came, begin on a keyframe and really show their moment."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest

from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.evidence.clip import MOST_CUTS, PacketRing
from kitchen_watch.edge.evidence.cutting import Cut, clip_span
from kitchen_watch.edge.evidence.movie import decode, stamps, write_movie
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.proof import prove
from kitchen_watch.errors import EvidenceError
from tests.edge.evidence.cameras import RATE, START, Camera, at, camera, feed, filled, later, numbers_in


def written(cut: Cut, tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    write_movie(cut, path, PrivacyMask())
    prove(path, cut.moment_s - cut.show_from_s)
    return path


@pytest.mark.parametrize(
    "stream",
    [
        camera(),
        camera(form="bare"),
        camera(form="told"),
        camera(form="mp4"),
        camera(reordered=True),
        camera(reordered=True, form="mp4"),
    ],
    ids=["rtsp", "parameters in the stream", "parameters told", "mp4", "reordered", "reordered mp4"],
)
def test_a_clip_holds_the_very_pictures_around_its_moment(stream: Camera, tmp_path: Path) -> None:
    cut = filled(stream).cut(at(8.0)).take()
    path = written(cut, tmp_path)
    # the keyframe at or before 3.0 s is number 20; the post-roll ends with number 180
    assert list(numbers_in(path)) == list(range(20, 181))
    assert cut.starts_at == at(2.0)
    assert cut.ends_at == at(18.0)
    assert cut.notes == ()


def test_packets_are_not_encoded_again(tmp_path: Path) -> None:
    stream = camera(form="mp4")
    cut = filled(stream).cut(at(8.0)).take()
    path = written(cut, tmp_path)
    with av.open(str(path)) as container:
        coded = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    unkeyed = [packet.data for packet in cut.packets if not packet.keyframe]
    assert unkeyed
    assert set(unkeyed) <= set(coded)


def test_a_browser_can_begin_to_play_before_the_whole_file_is_there(tmp_path: Path) -> None:
    content = written(filled(camera()).cut(at(8.0)).take(), tmp_path).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"avcC" in content


def test_h265_is_marked_as_players_want_it(tmp_path: Path) -> None:
    stream = camera(codec="libx265")
    content = written(filled(stream).cut(at(8.0)).take(), tmp_path).read_bytes()
    assert b"hvc1" in content
    assert b"hev1" not in content


def test_time_stamps_grow_even_where_the_cameras_do_not(tmp_path: Path) -> None:
    stuck = [replace(p, dts=min(p.dts or 0.0, 4.0)) for p in camera().packets]
    marks = stamps(stuck)
    assert all(b[1] > a[1] for a, b in itertools.pairwise(marks))
    assert all(pts >= dts for pts, dts, _ in marks)


def test_a_clip_is_never_longer_than_thirty_seconds_however_rare_keyframes_are(tmp_path: Path) -> None:
    cut = filled(camera(40, keyframe_every=400)).cut(at(28.0)).take()
    path = written(cut, tmp_path)
    assert list(numbers_in(path)) == list(range(230, 381))
    assert cut.starts_at == at(23.0)


def test_a_keyframe_a_little_later_is_better_than_encoding_again(tmp_path: Path) -> None:
    request = filled(camera(40)).cut(at(22.5), timedelta(seconds=19.9), timedelta(seconds=10))
    cut = request.take()
    assert cut.show_from_s == 0
    assert cut.starts_at == at(4.0)  # the keyframe at 2.0 s would make 30.5 s


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(5, 10, (5, 10)), (0, 1, (0, 10)), (30, 60, (30, 0)), (20, 20, (20, 10)), (5, 2, (5, 5))],
)  # fmt: skip
def test_a_clip_takes_ten_to_thirty_seconds(before: float, after: float, expected: tuple[int, int]) -> None:
    fitted = clip_span(timedelta(seconds=before), timedelta(seconds=after))
    assert fitted == tuple(timedelta(seconds=value) for value in expected)


async def test_a_clip_is_ready_when_its_post_roll_is_in() -> None:
    stream, clock = camera(), ManualClock(at(8.0))
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, stream.packets[:80])
    request = ring.cut(at(7.9))
    waiting = asyncio.create_task(request.ready(clock))
    await asyncio.sleep(0)
    for packet in stream.packets[80:180]:
        ring.packet(packet)
        await asyncio.sleep(0)
    assert not waiting.done()
    await asyncio.to_thread(feed, ring, stream.packets[180:])
    await waiting
    assert request.take().ends_at == at(17.9)


async def test_a_camera_that_falls_silent_gives_what_there_is_and_says_so() -> None:
    stream, clock = camera(), ManualClock(at(8.0))
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, stream.packets[:100])
    request = ring.cut(at(8.0))
    waiting = asyncio.create_task(request.ready(clock))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(15)
    await waiting
    cut = request.take()
    assert cut.ends_at == at(9.9)
    assert cut.notes == ("the clip ends 1.9 s after the moment: the camera sent nothing more in time",)


async def test_a_lost_connection_ends_the_wait() -> None:
    stream = camera()
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, stream.packets[:100])
    request = ring.cut(at(8.0))
    ring.closed()
    await request.ready(ManualClock(at(8.0)))
    assert request.take().notes == ("the clip ends 1.9 s after the moment: the camera's stream broke off",)


def test_a_clip_never_crosses_a_reconnect(tmp_path: Path) -> None:
    before, after = camera(), camera(size=(160, 96))
    ring = PacketRing()
    ring.opened(before.info)
    feed(ring, before.packets[:100])
    request = ring.cut(at(8.0))
    ring.closed()
    ring.opened(after.info)
    feed(ring, later(after.packets, 10.0))

    first = request.take()
    assert list(numbers_in(written(first, tmp_path))) == list(range(20, 100))
    second = ring.cut(at(12.0)).take()
    assert list(numbers_in(written(second, tmp_path))) == list(range(121))
    assert second.notes == ("the clip begins 2.0 s before the moment: nothing older was kept",)


def test_a_codec_change_without_a_close_ends_the_run() -> None:
    h264, hevc = camera(), camera(codec="libx265")
    ring = PacketRing()
    ring.opened(h264.info)
    feed(ring, h264.packets[:50])
    ring.opened(hevc.info)
    feed(ring, later(hevc.packets, 5.0))
    cut = ring.cut(at(7.0)).take()
    assert cut.info.codec == "hevc"
    assert cut.starts_at == at(5.0)


def test_a_moment_without_pictures_has_no_clip_and_a_reason() -> None:
    stream = camera()
    ring = PacketRing()
    with pytest.raises(EvidenceError, match="no clip: the camera sent no pictures at that moment"):
        ring.cut(at(0)).take()
    ring.opened(stream.info)
    with pytest.raises(EvidenceError, match="no clip: no keyframe came"):
        ring.cut(at(0)).take()
    feed(ring, stream.packets)
    with pytest.raises(EvidenceError, match=r"no clip: the camera's pictures ended 5\.1 s before"):
        ring.cut(at(25.0)).take()
    with pytest.raises(EvidenceError, match="no clip: the camera sent no pictures at that moment"):
        ring.cut(at(-60.0)).take()


def test_pictures_before_the_first_keyframe_are_not_kept() -> None:
    stream = camera()
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, stream.packets[5:])
    assert ring.cut(at(4.0)).take().starts_at == at(2.0)


def test_a_step_of_the_clock_does_not_tear_a_clip_apart(tmp_path: Path) -> None:
    stream = camera()
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, stream.packets[:60])
    feed(ring, later(stream.packets[60:], 3600.0))
    cut = ring.cut(at(3600 + 8.0)).take()
    assert list(numbers_in(written(cut, tmp_path))) == list(range(20, 181))


def test_a_packet_that_came_twice_is_kept_once(tmp_path: Path) -> None:
    stream = camera()
    ring = PacketRing()
    ring.opened(stream.info)
    for packet in stream.packets:
        feed(ring, [packet, packet])
    assert list(numbers_in(written(ring.cut(at(8.0)).take(), tmp_path))) == list(range(20, 181))


def test_the_ring_keeps_so_many_seconds_in_whole_groups() -> None:
    stream = camera()
    ring = PacketRing(seconds=30)
    ring.opened(stream.info)
    for turn in range(4):
        feed(ring, later(stream.packets, 20.0 * turn, pts=True))
    duration, _ = ring.held
    assert timedelta(seconds=30) <= duration < timedelta(seconds=32)
    assert ring.cut(at(60.0)).take().packets[0].keyframe


def test_the_ring_keeps_within_its_bytes_also_over_reconnects() -> None:
    stream = camera()
    limit = sum(len(packet.data) for packet in stream.packets) // 2
    ring = PacketRing(max_bytes=limit)
    for turn in range(5):
        ring.opened(stream.info)
        feed(ring, later(stream.packets, 20.0 * turn))
        ring.closed()
        assert ring.held[1] <= limit
    group = ring.cut(at(99.0)).take()
    assert group.packets[0].keyframe


def test_keyframes_too_far_apart_for_the_memory_are_named_as_the_reason() -> None:
    stream = camera(40, keyframe_every=400)
    ring = PacketRing(max_bytes=len(stream.packets[0].data) + 1000)
    ring.opened(stream.info)
    feed(ring, stream.packets)
    assert ring.held[1] == 0
    with pytest.raises(EvidenceError, match="set the camera to a keyframe every 2 s"):
        ring.cut(at(39.0)).take()


def test_old_runs_do_not_pile_up() -> None:
    stream = camera()
    ring = PacketRing()
    for turn in range(50):
        ring.opened(stream.info)
        feed(ring, later(stream.packets[:20], 2.0 * turn))
        ring.closed()
    total = sum(len(packet.data) for packet in stream.packets[:20])
    assert ring.held[1] < 30 * total


def test_a_pending_clip_keeps_its_pre_roll_whatever_the_ring_forgets(tmp_path: Path) -> None:
    stream = camera()
    ring = PacketRing(max_bytes=sum(len(packet.data) for packet in stream.packets) // 4)
    ring.opened(stream.info)
    feed(ring, stream.packets[:60])
    request = ring.cut(at(5.9), timedelta(seconds=1), timedelta(seconds=10))
    feed(ring, stream.packets[60:])
    assert list(numbers_in(written(request.take(), tmp_path))) == list(range(40, 160))


def test_there_is_a_limit_to_clips_under_way_and_finished_ones_do_not_count() -> None:
    ring = filled(camera())
    requests = [ring.cut(at(8.0)) for _ in range(MOST_CUTS)]
    with pytest.raises(EvidenceError, match="no clip: 32 clips"):
        ring.cut(at(8.0))
    requests[0].take()
    requests[1].cancel()
    ring.cut(at(8.0))
    ring.cut(at(8.0))


def test_the_picture_of_a_moment_is_decoded_from_the_ring() -> None:
    info, packets = filled(camera(reordered=True)).group_at(at(7.3))
    times = [seconds for _, seconds in decode(info, packets)]
    assert min(times, key=lambda seconds: abs(seconds - 7.3)) == pytest.approx(7.3)
    assert len(times) == 20


def test_damaged_packets_do_not_spoil_the_rest_of_a_clip(tmp_path: Path) -> None:
    stream = camera()
    broken = [
        replace(packet, data=packet.data[:9] + b"\xff" * 40) if index == 45 else packet
        for index, packet in enumerate(stream.packets)
    ]
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, broken)
    path = written(ring.cut(at(8.0)).take(), tmp_path)
    assert set(range(60, 181)) <= set(numbers_in(path))


def test_rubbish_is_never_called_a_clip(tmp_path: Path) -> None:
    stream = camera()
    rubbish = [replace(packet, data=b"\x00\x00\x00\x01" + b"\x7f" * 30) for packet in stream.packets]
    ring = PacketRing()
    ring.opened(stream.info)
    feed(ring, rubbish)
    cut = ring.cut(at(8.0)).take()
    with pytest.raises(EvidenceError, match="no clip"):
        written(cut, tmp_path)


def test_a_clip_without_its_moment_is_not_called_ready(tmp_path: Path) -> None:
    cut = filled(camera()).cut(at(8.0)).take()
    path = tmp_path / "clip.mp4"
    write_movie(cut, path, PrivacyMask())
    with pytest.raises(EvidenceError, match="no clip: the picture of the moment cannot be decoded"):
        prove(path, cut.moment_s + 60)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(EvidenceError, match="no clip"):
        prove(path, cut.moment_s)


def test_what_a_proof_tells(tmp_path: Path) -> None:
    cut = filled(camera()).cut(at(8.0)).take()
    path = tmp_path / "clip.mp4"
    write_movie(cut, path, PrivacyMask())
    proven = prove(path, cut.moment_s)
    assert (proven.codec, proven.width, proven.height) == ("h264", 320, 192)
    assert proven.pictures == 161
    assert proven.duration_s == pytest.approx(16.0, abs=1 / RATE)
    assert proven.moment_s == pytest.approx((at(8.0) - START).total_seconds() - 2.0)


def test_what_comes_after_the_moment_is_kept_by_the_cut_and_not_by_the_ring() -> None:
    stream = camera()
    ring = PacketRing(seconds=6)
    ring.opened(stream.info)
    feed(ring, stream.packets[:80])
    request = ring.cut(at(7.9), timedelta(seconds=5), timedelta(seconds=12))
    feed(ring, stream.packets[80:])
    assert ring.held[0] < timedelta(seconds=9)
    cut = request.take()
    assert cut.starts_at <= at(2.9)
    assert cut.ends_at == at(19.9)
    assert cut.notes == ()
