"""Where a crop lies and how large it makes what it was cut for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitchen_watch.edge.detect.card import ModelInput
from kitchen_watch.edge.detect.crop import crop_around
from kitchen_watch.edge.detect.detection import Box
from kitchen_watch.edge.detect.letterbox import letterbox

NETWORK = ModelInput(width=640, height=384)
SIZES = st.sampled_from([(3840, 2160), (2560, 1440), (1920, 1080), (704, 576), (640, 360), (540, 960)])


def _around(x: float, y: float, height: float) -> Box:
    return Box(x - height / 5, y - height / 2, x + height / 5, y + height / 2)


@pytest.mark.parametrize(
    ("width", "height", "head_px", "seen_px"),
    [
        (640, 360, 20, 64),  # no more detail than the first look had: enlarged to what the model can judge
        (1920, 1080, 90, 90),  # 30 px at the first look, shown as sharp as the camera has it
        (3840, 2160, 200, 128),  # sharper than needed: more of the surroundings instead
        (640, 360, 90, 112.5),  # large already: still a quarter larger than before
        (640, 480, 150, 150),  # very large: the same again
    ],
)
def test_a_head_is_shown_as_large_as_the_picture_gives(
    width: int, height: int, head_px: float, seen_px: float
) -> None:
    crop = crop_around(_around(0.5, 0.5, head_px / height), width, height, least=64)
    assert head_px * 640 / (crop.x2 - crop.x1) == pytest.approx(seen_px, rel=0.03)


@given(SIZES, st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.9))
def test_any_crop_is_inside_its_picture_and_fits_the_usual_canvas(
    size: tuple[int, int], x: float, y: float, high: float
) -> None:
    width, height = size
    crop = crop_around(_around(x, y, high), width, height, least=64)
    assert 0 <= crop.x1 < crop.x2 <= width
    assert 0 <= crop.y1 < crop.y2 <= height
    canvas = letterbox(crop.x2 - crop.x1, crop.y2 - crop.y1, NETWORK)
    assert (canvas.canvas_width, canvas.canvas_height) == (640, 384)


def test_boxes_go_into_the_crop_and_back() -> None:
    box = _around(0.9, 0.1, 0.05)
    crop = crop_around(box, 1920, 1080, least=64)
    assert crop.outside(crop.inside(box)) == pytest.approx(box)
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[round(box.y1 * 1080) : round(box.y2 * 1080), round(box.x1 * 1920) : round(box.x2 * 1920)] = 255
    lit = np.argwhere(crop.cut(picture)[:, :, 0])
    there = crop.inside(box)
    high, wide = crop.cut(picture).shape[:2]
    assert lit.min(axis=0) == pytest.approx((there.y1 * high, there.x1 * wide), abs=1.5)
    assert lit.max(axis=0) == pytest.approx((there.y2 * high, there.x2 * wide), abs=1.5)


def test_a_crop_serves_a_neighbour_only_wholly_and_at_a_like_size() -> None:
    head = _around(0.5, 0.5, 0.1)
    crop = crop_around(head, 1920, 1080, least=64)
    assert crop.shows(_around(0.52, 0.5, 0.09), like=head)
    assert not crop.shows(_around(0.52, 0.5, 0.02), like=head)
    assert not crop.shows(_around(0.95, 0.5, 0.1), like=head)
