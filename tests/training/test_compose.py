"""Boxes stay on their things when pictures are laid out, mirrored, scaled and pasted into."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from kitchen_watch.training import paste
from kitchen_watch.training.compose import Boxes, Jitter, Picture, Tile, carried, grid, single
from kitchen_watch.training.looks import LOOKS, changed
from tests.training.samples import picture

STILL = Jitter(scale=(1.0, 1.0), aspect=1.0, degrees=0.0, shift=0.0)
WILD = Jitter(scale=(0.6, 1.8), aspect=1.3, degrees=5.0, shift=0.2)


def marked(seed: int = 0) -> Tile:
    """A dark picture with one bright rectangle, which its only box fits exactly."""
    pixels = np.full((90, 160, 3), 20, dtype=np.uint8)
    rng = np.random.default_rng(seed)
    left, top = int(rng.integers(10, 90)), int(rng.integers(10, 50))
    pixels[top : top + 30, left : left + 50] = 250
    box = [1, left / 160, top / 90, (left + 50) / 160, (top + 30) / 90]
    return Tile(pixels, np.array([box], dtype=np.float32))


def bright_bounds(canvas: Picture, boxes: Boxes) -> tuple[npt.NDArray[np.int64], Boxes]:
    bright = canvas[..., 1] > 180
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]), boxes


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("jitter", [STILL, Jitter((0.6, 1.8), 1.3, 0.0, 0.2)])
def test_the_box_of_a_single_picture_fits(seed: int, jitter: Jitter) -> None:
    rng = np.random.default_rng(seed)
    canvas, boxes = single(marked(seed), (320, 192), jitter, rng)
    if len(boxes):
        found, kept = bright_bounds(canvas, boxes)
        assert np.abs(kept[0, 1:] - found).max() <= 2.5


@pytest.mark.parametrize("seed", range(12))
def test_a_turned_box_still_holds_the_thing(seed: int) -> None:
    canvas, boxes = single(marked(seed), (320, 192), WILD, np.random.default_rng(seed))
    if len(boxes):
        found, kept = bright_bounds(canvas, boxes)
        assert (kept[0, 1:3] <= found[:2] + 2).all()
        assert (kept[0, 3:] >= found[2:] - 2).all()


@pytest.mark.parametrize("side", [2, 3])
def test_grids_keep_every_box_on_its_own_picture(side: int) -> None:
    tiles = [marked(seed) for seed in range(side**2)]
    kept = 0
    for seed in range(8):
        canvas, boxes = grid(tiles, (384, 256), side, STILL, np.random.default_rng(seed))
        assert canvas.shape == (256, 384, 3)
        for box in boxes:
            x1, y1, x2, y2 = np.round(box[1:]).astype(int)
            inside = canvas[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2, 1]
            assert (inside > 180).mean() > 0.9
            kept += 1
    assert kept > 4 * side**2


def test_half_a_head_is_dropped_and_most_of_a_person_is_kept() -> None:
    shift = np.array([[1.0, 0, -40], [0, 1, 0]])
    boxes = np.array([[1, 0, 0, 80, 50], [0, 0, 0, 80, 50]], dtype=np.float32)
    left = carried(boxes, shift, (200, 100))
    assert left[:, 0].tolist() == [0]
    assert left[0, 1:].tolist() == [0, 0, 40, 50]


@pytest.mark.parametrize("name", list(LOOKS))
def test_looks_change_light_and_nothing_else(name: str) -> None:
    before = picture(3, (96, 64))
    after = LOOKS[name](before.copy(), np.random.default_rng(1))
    assert after.shape == before.shape
    assert after.dtype == np.uint8
    assert (after != before).any()


def test_no_look_is_drawn_with_no_chance_and_the_same_seed_draws_the_same() -> None:
    before = picture(3, (96, 64))
    assert (changed(before, {}, np.random.default_rng(1)) == before).all()
    chances = dict.fromkeys(LOOKS, 0.5)
    first = changed(before, chances, np.random.default_rng(4))
    assert (first == changed(before, chances, np.random.default_rng(4))).all()


def test_pasted_pests_get_boxes_where_they_are_and_scraps_get_none() -> None:
    black = np.zeros((200, 300, 3), dtype=np.uint8)
    cutout = paste.Cutout(paste.PESTS[1], np.full((40, 60, 3), 255, np.uint8), np.ones((40, 60), np.float32))
    labelled = scraps = 0
    for seed in range(30):
        canvas, boxes = paste.paste(
            black,
            np.zeros((0, 5), np.float32),
            [cutout],
            lambda _: np.full((9, 9, 3), (255, 0, 0), np.uint8),
            np.random.default_rng(seed),
        )
        assert black.max() == 0
        green = canvas[..., 1] > 0
        scraps += int((canvas[..., 0].astype(int) - canvas[..., 1] > 5).any())
        for box in boxes:
            x1, y1, x2, y2 = box[1:].astype(int)
            assert green[y1:y2, x1:x2].any()
            green[y1 - 3 : y2 + 3, x1 - 3 : x2 + 3] = False
            labelled += 1
        assert not green.any()
    assert labelled > 20
    assert scraps > 5
