"""A file as a camera: every due frame, in order, the same every time; bad files said in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from kitchen_watch.clock import SystemClock
from kitchen_watch.control import CameraState
from kitchen_watch.edge.streams.camera_stream import CameraStream
from kitchen_watch.edge.streams.replay import FileStream
from kitchen_watch.edge.streams.source import SourceSettings
from kitchen_watch.errors import StreamRefused
from tests.edge.streams.faulty import Recorder
from tests.edge.streams.media import moving_box, with_noise, write_video
from tests.edge.streams.waiting import until

STARTED_AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", moving_box(75))


async def replayed(path: Path, rate: float = 5) -> list[tuple[float, datetime, bytes]]:
    stream = FileStream(path, rate, (160, 120), STARTED_AT)
    return [(frame.pts, frame.captured_at, frame.image.tobytes()) async for frame in stream.newest()]


async def test_every_due_frame_comes_once_and_always_the_same(clip: Path) -> None:
    once, again = await replayed(clip), await replayed(clip)
    assert once == again
    assert len(once) == pytest.approx(15, abs=1)
    assert [pts for pts, _, _ in once] == sorted({pts for pts, _, _ in once})
    assert all(at == STARTED_AT + timedelta(seconds=pts) for pts, at, _ in once)


async def test_at_full_rate_no_picture_is_missing(clip: Path) -> None:
    frames = await replayed(clip, rate=25)
    assert [pts for pts, _, _ in frames] == pytest.approx([index / 25 for index in range(75)])


async def test_stopping_early_closes_the_file(clip: Path) -> None:
    stream = FileStream(clip, 5, (160, 120), STARTED_AT)
    assert stream.duration == timedelta(seconds=3)
    frames = stream.newest()
    first = await anext(frames)
    assert first.discontinuity
    assert first.full().shape == (240, 320, 3)
    await frames.aclose()


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("zero.mp4", b"", "is empty (0 bytes)"),
        ("text.mp4", b"not a video\n" * 100, "is not a video that can be read"),
        ("missing.mp4", None, "there is no such file"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, part: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StreamRefused) as refusal:
        FileStream(tmp_path / name, 5, (160, 120), STARTED_AT)
    assert part in str(refusal.value)
    assert name in str(refusal.value)


def test_a_file_cut_off_before_its_index_is_refused(tmp_path: Path, clip: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(StreamRefused, match="damaged, cut off"):
        FileStream(cut, 5, (160, 120), STARTED_AT)


def test_a_file_without_video_is_refused(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=800)
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(StreamRefused, match="no video"):
        FileStream(sound, 5, (160, 120), STARTED_AT)


async def test_what_can_be_read_of_a_cut_off_or_damaged_file_is_read(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", moving_box(75))
    content = bytearray(whole.read_bytes())
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(content[: len(content) * 2 // 3])
    assert 5 <= len(await replayed(cut)) < 15

    rng = np.random.default_rng(3)
    noisy = [with_noise(picture, rng, 4) for picture in moving_box(75)]
    indexed = bytearray(write_video(tmp_path / "indexed.mp4", noisy).read_bytes())
    for position in range(len(indexed) // 8, len(indexed) // 4):
        indexed[position] ^= 0x55
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(indexed)
    stream = FileStream(damaged, 25, (160, 120), STARTED_AT)
    frames = [frame.pts async for frame in stream.newest()]
    assert stream.corrupt > 0
    assert frames[-1] > 2.9  # read on behind the damaged part
    assert frames == sorted(set(frames))


async def test_a_file_plays_as_a_camera_in_real_time_and_loops(tmp_path: Path) -> None:
    short = write_video(tmp_path / "short.mp4", moving_box(10))
    sink = Recorder()
    source = SourceSettings(url=str(short), loop=True)
    stream = CameraStream("file", source, clock=SystemClock(), rate=25, fit=(160, 120), packet_sinks=[sink])
    stream.start()
    frames = []
    async for frame in stream.newest():
        frames.append(frame)
        if len(frames) == 25:
            break
    await stream.stop()
    assert frames[-1].pts == pytest.approx(24 / 25, abs=0.1)
    assert (frames[-1].captured_at - frames[0].captured_at).total_seconds() == pytest.approx(1, abs=0.2)
    assert sum(frame.discontinuity for frame in frames) == 3  # the start and two loops
    stamps = [packet.pts for packet in sink.packets if packet.pts is not None]
    assert stamps == sorted(stamps)


async def test_a_change_of_size_in_the_middle_is_followed_by_frames_and_sinks(tmp_path: Path) -> None:
    small = write_video(tmp_path / "small.h264", moving_box(25, (320, 240)))
    large = write_video(tmp_path / "large.h264", moving_box(25, (640, 480)))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    sink = Recorder()
    source = SourceSettings(url=str(both))
    stream = CameraStream("file", source, clock=SystemClock(), rate=5, fit=(320, 240), packet_sinks=[sink])
    stream.start()
    sizes = [(frame.width, frame.height) async for frame in stream.newest()]
    await stream.stop()
    assert {(320, 240), (640, 480)} == set(sizes)
    assert sink.calls == ["opened", "packets", "closed", "opened", "packets", "closed"]
    assert [(info.width, info.height) for info in sink.infos] == [(320, 240), (640, 480)]
    assert sink.infos[0].extradata != sink.infos[1].extradata


async def test_a_file_that_does_not_loop_ends(tmp_path: Path) -> None:
    short = write_video(tmp_path / "short.mp4", moving_box(5))
    source = SourceSettings(url=str(short))
    stream = CameraStream("file", source, clock=SystemClock(), rate=25, fit=(160, 120))
    stream.start()
    assert len([frame async for frame in stream.newest()]) >= 1
    await until(lambda: stream.status().state is CameraState.ENDED)
    assert "came to its end" in (stream.status().reason or "")
    await stream.stop()
