"""A user's own files as cameras: served as they are, converted once, or refused with a reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import pytest

from kitchen_watch.demo.clips import usable_clips
from kitchen_watch.errors import ConfigError
from tests.demo.films import write_film


def test_h264_without_b_frames_goes_out_as_it_is(tmp_path: Path) -> None:
    film = write_film(tmp_path / "后厨 1.mp4")

    clips, refusals = usable_clips(tmp_path, tmp_path / "kept")

    assert refusals == []
    assert [(clip.camera_id, clip.name, clip.film) for clip in clips] == [("clip-1", "后厨 1", film)]
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [("b.mp4", "libx264", 2), ("old.avi", "mpeg4", 0), ("plain.ts", "libx264", 0)],
)
def test_other_files_are_converted_once(tmp_path: Path, name: str, codec: str, b_frames: int) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_film(source / name, codec=codec, b_frames=b_frames)
    told: list[tuple[str, float]] = []

    (clip,), _ = usable_clips(source, tmp_path / "kept", progress=lambda *what: told.append(what))
    made_at = clip.film.stat().st_mtime_ns
    (again,), _ = usable_clips(source, tmp_path / "kept")

    assert told[-1][0] == name
    assert told[-1][1] == pytest.approx(1.0, abs=0.1)
    assert again.film == clip.film
    assert again.film.stat().st_mtime_ns == made_at
    with av.open(str(clip.film)) as container:
        codec_context = container.streams.video[0].codec_context
        assert codec_context.name == "h264"
        assert not codec_context.has_b_frames
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_a_converted_file_that_was_damaged_is_converted_anew(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_film(source / "plain.ts")
    (clip,), _ = usable_clips(source, tmp_path / "kept")
    clip.film.write_bytes(clip.film.read_bytes()[:700])

    (again,), refusals = usable_clips(source, tmp_path / "kept")

    assert (again.film, refusals) == (clip.film, [])
    with av.open(str(again.film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_files_that_cannot_be_cameras_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    write_film(tmp_path / "good.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "letter.mkv").write_text("not a film")
    write_film(tmp_path / "blink.mp4", seconds=0.4)
    (tmp_path / "notes.txt").write_text("no video at all, and nobody claimed so")
    cut = (tmp_path / "good.mp4").read_bytes()[:700]
    (tmp_path / "truncated.mp4").write_bytes(cut)

    clips, refusals = usable_clips(tmp_path, tmp_path / "kept")

    assert [clip.name for clip in clips] == ["good"]
    sentences = "\n".join(refusals)
    assert len(refusals) == 4
    assert "empty.mp4: is empty (0 bytes)" in sentences
    assert "letter.mkv: is no video file" in sentences
    assert "blink.mp4: lasts only 0.4 s" in sentences
    assert "truncated.mp4: " in sentences


def test_two_files_never_share_an_id(tmp_path: Path) -> None:
    write_film(tmp_path / "门.mp4")
    shutil.copy(tmp_path / "门.mp4", tmp_path / "窗.mp4")

    clips, _ = usable_clips(tmp_path, tmp_path / "kept")

    assert {clip.camera_id for clip in clips} == {"clip-video", "clip-video-2"}


def test_a_directory_that_is_not_there_or_holds_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--clips .*nowhere: there is no such directory"):
        usable_clips(tmp_path / "nowhere", tmp_path)

    with pytest.raises(ConfigError, match="no file in it can be served as a camera"):
        usable_clips(tmp_path, tmp_path)
