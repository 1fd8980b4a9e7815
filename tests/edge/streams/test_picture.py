"""Scaling: inside the fit, even, aspect kept, never upscaled; the full picture on demand."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitchen_watch.edge.streams.picture import Scaler, fit_size, full_picture
from tests.edge.streams.media import kitchen


@pytest.mark.parametrize(
    ("size", "fit", "expected"),
    [
        ((1920, 1080), (640, 384), (640, 360)),
        ((1280, 960), (640, 384), (512, 384)),
        ((1080, 1920), (640, 384), (216, 384)),
        ((320, 240), (640, 384), (320, 240)),
        ((641, 361), (1000, 1000), (640, 360)),
        ((3840, 40), (640, 384), (640, 6)),
    ],
)
def test_sizes(size: tuple[int, int], fit: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit_size(*size, fit) == expected


@given(st.integers(2, 8000), st.integers(2, 8000))
def test_any_picture_gets_an_even_size_inside_the_fit(width: int, height: int) -> None:
    wide, high = fit_size(width, height, (640, 384))
    assert wide % 2 == high % 2 == 0
    assert 2 <= wide <= min(640, width)
    assert 2 <= high <= min(384, height)


def test_scaled_and_full_pictures_show_the_same_scene() -> None:
    scene = kitchen((640, 360))
    picture = av.VideoFrame.from_ndarray(scene, format="bgr24").reformat(format="yuv420p")
    small = Scaler((320, 192)).scale(picture)
    full = full_picture(picture)()
    assert small.shape == (180, 320, 3)
    assert full.shape == (360, 640, 3)
    assert small.dtype == full.dtype == np.uint8
    assert np.abs(full.astype(int) - scene.astype(int)).mean() < 6
    assert abs(small.mean() - scene.mean()) < 3
