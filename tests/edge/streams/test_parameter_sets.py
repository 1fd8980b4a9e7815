"""Parameter sets in keyframes: how a stream says that its size changed."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from kitchen_watch.edge.streams.connection import measure_size
from kitchen_watch.edge.streams.packets import VideoInfo
from kitchen_watch.edge.streams.parameter_sets import parameter_sets
from tests.edge.streams.faulty import INFO
from tests.edge.streams.media import moving_box, write_video


def keyframe(path: Path, codec: str, size: tuple[int, int]) -> bytes:
    """The first packet of a raw (Annex B) stream of pictures of ``size``."""
    write_video(path, moving_box(2, size), codec=codec)
    with av.open(str(path)) as container:
        return bytes(next(container.demux(video=0)))


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "h264"), ("hevc", "hevc")])
def test_a_new_size_shows_in_the_parameter_sets(tmp_path: Path, codec: str, suffix: str) -> None:
    encoder = {"h264": "libx264", "hevc": "libx265"}[codec]
    small = keyframe(tmp_path / f"small.{suffix}", encoder, (320, 240))
    large = keyframe(tmp_path / f"large.{suffix}", encoder, (640, 480))
    assert parameter_sets(codec, small) == parameter_sets(codec, small + b"\x00\x00\x01\x67more")
    assert parameter_sets(codec, small) != parameter_sets(codec, large)
    info = VideoInfo(codec, 320, 240, None, None, INFO.time_base)
    assert measure_size(info, large) == (640, 480)


def test_what_has_no_parameter_sets_gives_none() -> None:
    assert parameter_sets("h264", b"") is None
    assert parameter_sets("h264", b"\x00\x00\x00\x05\x65abcd") is None  # length-prefixed, from MP4
    assert parameter_sets("h264", b"\x00\x00\x01\x65slice") is None
    assert parameter_sets("mjpeg", b"\x00\x00\x01\x67") is None
    assert parameter_sets("h264", b"\x00\x00\x01") is None


def test_a_damaged_keyframe_has_no_size() -> None:
    assert measure_size(INFO, b"\x00\x00\x01\x67broken") is None
