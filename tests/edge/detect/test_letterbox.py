from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitchen_watch.edge.detect.card import ModelInput
from kitchen_watch.edge.detect.letterbox import letterbox

NETWORK = ModelInput(width=640, height=384)


@pytest.mark.parametrize(
    ("picture", "canvas"),
    [
        ((640, 360), (640, 384)),
        ((1920, 1080), (640, 384)),
        ((640, 640), (640, 640)),
        ((640, 480), (640, 480)),
        ((360, 640), (384, 640)),
        ((388, 218), (640, 384)),
        ((2000, 100), (640, 160)),
    ],
)
def test_every_shape_of_picture_has_a_canvas_that_does_not_squeeze_it(
    picture: tuple[int, int], canvas: tuple[int, int]
) -> None:
    box = letterbox(*picture, NETWORK)
    assert (box.canvas_width, box.canvas_height) == canvas
    assert max(box.width, box.height) == 640


def test_the_picture_is_drawn_in_the_middle_on_grey_whatever_was_there_before() -> None:
    box = letterbox(640, 360, NETWORK)
    canvas = np.full((384, 640, 3), 9, dtype=np.uint8)
    box.draw(np.full((360, 640, 3), 200, dtype=np.uint8), canvas, 114)
    assert (canvas[:12] == 114).all()
    assert (canvas[12:372] == 200).all()
    assert (canvas[372:] == 114).all()


@given(
    st.integers(16, 4000),
    st.integers(16, 4000),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_a_box_comes_back_to_where_it_was_in_the_picture(
    width: int, height: int, corners: tuple[float, float, float, float]
) -> None:
    box = letterbox(width, height, NETWORK)
    assert box.canvas_width % 32 == box.canvas_height % 32 == 0
    size = np.array([box.width, box.height] * 2)
    shift = np.array([box.left, box.top] * 2)
    on_canvas = np.array([corners]) * size + shift
    assert box.back(on_canvas.astype(np.float32))[0] == pytest.approx(corners, abs=2e-3)


def test_a_box_that_reaches_into_the_grey_is_cut_at_the_picture() -> None:
    box = letterbox(640, 360, NETWORK)
    back = box.back(np.array([[-5, 0, 700, 384]], dtype=np.float32))
    assert back.tolist() == [[0.0, 0.0, 1.0, 1.0]]
