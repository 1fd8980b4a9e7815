"""Large pests pasted together: every one labelled where it lies, none hidden, none over the edge."""

from __future__ import annotations

import numpy as np
import pytest

from kitchen_watch.training import paste
from kitchen_watch.training.dataset import LABELS

RAT, COCKROACH = LABELS.index("rat"), LABELS.index("cockroach")


def _cutout(label: int) -> paste.Cutout:
    """A brown oval, 160 by 90 pixels."""
    y, x = np.mgrid[-1:1:90j, -1:1:160j]
    cover = (x**2 + y**2 < 0.95).astype(np.float32)
    picture = np.full((90, 160, 3), (120, 80, 50), np.uint8)
    return paste.Cutout(label, picture, cover)


@pytest.mark.parametrize("seed", range(12))
def test_a_crowd_of_rats_is_labelled_box_by_box(seed: int) -> None:
    ground = np.full((384, 640, 3), 200, np.uint8)
    there = np.array([[RAT, 250, 150, 400, 260]], np.float32)
    picture, boxes = paste.crowd(ground, there, [_cutout(RAT)], np.random.default_rng(seed))
    assert (boxes[0] == there[0]).all()
    new = boxes[1:]
    assert 1 <= len(new) <= 4
    assert (new[:, 1:] >= 0).all()
    assert (new[:, 3] <= 640).all()
    assert (new[:, 4] <= 384).all()
    for box in new:
        inside = picture[int(box[2]) : int(box[4]), int(box[1]) : int(box[3])]
        assert (inside != 200).any(axis=2).mean() > 0.3
    assert (ground == 200).all(), "the picture it was made from is left alone"


@pytest.mark.parametrize("seed", range(12))
def test_no_animal_is_hidden_by_the_next(seed: int) -> None:
    ground = np.full((384, 640, 3), 200, np.uint8)
    none = np.zeros((0, 5), np.float32)
    _, boxes = paste.crowd(ground, none, [_cutout(RAT), _cutout(COCKROACH)], np.random.default_rng(seed))
    for index, earlier in enumerate(boxes):
        for later in boxes[index + 1 :]:
            wide = min(earlier[3], later[3]) - max(earlier[1], later[1])
            high = min(earlier[4], later[4]) - max(earlier[2], later[2])
            area = (earlier[3] - earlier[1]) * (earlier[4] - earlier[2])
            assert max(wide, 0) * max(high, 0) <= paste.CROWDED * area


def test_rats_come_in_several_coats_and_cockroaches_stay_brown() -> None:
    ground = np.full((384, 640, 3), 200, np.uint8)
    none = np.zeros((0, 5), np.float32)
    rng = np.random.default_rng(1)
    tones: dict[int, list[float]] = {RAT: [], COCKROACH: []}
    for label, seen in tones.items():
        for _ in range(30):
            picture, boxes = paste.crowd(ground, none, [_cutout(label)], rng)
            x, y = (boxes[0, 1] + boxes[0, 3]) / 2, (boxes[0, 2] + boxes[0, 4]) / 2
            red, _, blue = (float(v) for v in picture[int(y), int(x)])
            seen.append(red - blue)
    assert np.std(tones[RAT]) > 1.5 * np.std(tones[COCKROACH])
