"""Average precision and thresholds against cases small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kitchen_watch.training import metrics
from kitchen_watch.training.metrics import IOUS, Scored


def scored(rows: list[tuple[float, bool]], truths: int) -> Scored:
    confidence = np.array([c for c, _ in rows])
    right = np.array([[ok] * len(IOUS) for _, ok in rows], dtype=np.bool_).reshape(-1, len(IOUS))
    return Scored(confidence, right, truths)


def test_average_precision_of_a_case_worked_out_by_hand() -> None:
    # Sorted: right, wrong, right; 3 truths. Recall 1/3 at precision 1, 2/3 at precision 2/3, never more.
    # Recall points 0 .. 0.33 (34 of them) read 1, 0.34 .. 0.66 (33) read 2/3, the other 34 read 0.
    case = scored([(0.9, True), (0.8, False), (0.7, True)], truths=3)
    assert metrics.ap50(case) == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)


def test_average_precision_takes_the_envelope_of_precision() -> None:
    # Wrong first, then two right of two: precision 0, 1/2, 2/3; the envelope reads 2/3 everywhere.
    case = scored([(0.9, False), (0.8, True), (0.7, True)], truths=2)
    assert metrics.ap50(case) == pytest.approx(2 / 3)


def test_nothing_to_find_has_no_average_precision_and_nothing_found_has_zero() -> None:
    assert metrics.ap50(scored([(0.9, False)], truths=0)) is None
    assert metrics.ap50(scored([], truths=4)) == 0
    assert metrics.ap50_95(scored([], truths=0)) is None


def test_overlap_of_two_halves() -> None:
    a = np.array([[0, 0, 1, 1]], dtype=np.float32)
    b = np.array([[0, 0, 1, 1], [0.5, 0, 1.5, 1], [2, 2, 3, 3]], dtype=np.float32)
    assert metrics.overlap(a, b)[0] == pytest.approx([1, 1 / 3, 0])


def test_each_truth_is_matched_once_and_the_more_confident_takes_it() -> None:
    truth = np.array([[0, 0, 1, 1]], dtype=np.float32)
    found = np.array([[0, 0, 1, 0.92], [0, 0, 1, 1]], dtype=np.float32)
    right = metrics.match(found, np.array([0.6, 0.9]), truth)
    assert right[:, 0].tolist() == [False, True]
    # Taken alone, the smaller box overlaps by 0.92: right up to that IoU, wrong at 0.95.
    alone = metrics.match(found[:1], np.array([0.6]), truth)[0]
    assert alone.tolist() == [True] * 9 + [False]


def test_precision_and_recall_at_a_threshold() -> None:
    case = scored([(0.9, True), (0.8, False), (0.3, True)], truths=4)
    assert metrics.at_threshold(case, 0.5) == (0.5, 0.25)
    assert metrics.at_threshold(case, 0.95) == (None, 0.0)


def test_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    good = [(0.95 - 0.01 * k, True) for k in range(40)]
    bad = [(0.4 - 0.01 * k, False) for k in range(10)]
    case = scored(good + bad, truths=40)
    chosen = metrics.choose_threshold(case, precision=0.9)
    precision, recall = metrics.at_threshold(case, chosen)
    assert precision is not None
    assert precision >= 0.9
    assert recall == 1
    assert 0.35 < chosen < 0.56


def test_an_early_mistake_does_not_close_the_gate_for_good() -> None:
    rows = [(0.95, False)] * 2 + [(0.9 - 0.01 * k, True) for k in range(50)]
    chosen = metrics.choose_threshold(scored(rows, truths=50), precision=0.9)
    assert chosen < 0.5
    precision, _ = metrics.at_threshold(scored(rows, truths=50), chosen)
    assert precision is not None
    assert precision >= 0.9


def test_where_the_precision_cannot_be_reached_the_best_useful_threshold_is_taken() -> None:
    # Every fourth is wrong in the upper half, every second in the lower: 3/4 is the best there is.
    upper = [(0.9 - 0.001 * k, k % 4 != 3) for k in range(100)]
    lower = [(0.5 - 0.001 * k, k % 2 == 0) for k in range(100)]
    case = scored(upper + lower, truths=150)
    chosen = metrics.choose_threshold(case, precision=0.9)
    precision, recall = metrics.at_threshold(case, chosen)
    assert precision is not None
    assert recall is not None
    assert 0.75 <= precision < 0.9
    assert recall >= 0.25


@pytest.mark.parametrize("rows", [[], [(0.9, False)] * 20])
def test_a_class_that_is_never_right_gets_the_highest_threshold(
    rows: list[tuple[float, bool]],
) -> None:
    assert metrics.choose_threshold(scored(rows, truths=5), ceiling=0.9) == 0.9


def test_threshold_never_falls_below_its_floor() -> None:
    rows = [(0.5 - 0.01 * k, True) for k in range(45)]
    assert metrics.choose_threshold(scored(rows, truths=45), floor=0.2) == 0.2
