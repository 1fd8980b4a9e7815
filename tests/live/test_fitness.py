"""Which streams browsers take as they are, and why the others must be transcoded."""

from __future__ import annotations

import pytest

from kitchen_watch.live.fitness import H264Parameters, h264_parameters, why_not_as_it_is
from tests.edge.evidence.cameras import camera


def test_profile_and_level_are_read_from_a_real_keyframe() -> None:
    parameters = h264_parameters(camera(1).packets[0].data)
    assert parameters is not None
    assert parameters.profile == 66  # ultrafast and zerolatency: Constrained Baseline
    assert parameters.codec_string == f"avc1.{parameters.hexadecimal}"
    assert H264Parameters(100, 0, 40).codec_string == "avc1.640028"


def test_a_stream_without_parameters_says_nothing() -> None:
    assert h264_parameters(b"\x00\x00\x01\x65" + b"\x88" * 20) is None
    assert h264_parameters(b"") is None


@pytest.mark.parametrize(
    ("profile", "fits"), [(66, True), (77, True), (100, True), (110, False), (244, False)]
)
def test_profiles(profile: int, *, fits: bool) -> None:
    keyframe = b"\x00\x00\x00\x01\x67" + bytes([profile, 0, 31]) + b"\x00" * 8
    assert (why_not_as_it_is("h264", keyframe, reordered=False) is None) == fits


def test_other_codecs_and_b_frames_are_refused_in_words() -> None:
    assert "HEVC" in str(why_not_as_it_is("hevc", None, reordered=False))
    assert "B-frames" in str(why_not_as_it_is("h264", None, reordered=True))
