"""Scoring of partially labelled pictures, false alarms, and the list of mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from kitchen_watch.training import metrics, mistakes, scoring
from kitchen_watch.training.dataset import LABELS
from kitchen_watch.training.scoring import Found
from tests.training.samples import example

LEFT, RIGHT = (0.1, 0.1, 0.3, 0.3), (0.6, 0.6, 0.9, 0.9)
HALF = dict.fromkeys(LABELS, 0.5)


def found(*rows: tuple[str, float, tuple[float, float, float, float]]) -> Found:
    flat = [(LABELS.index(label), confidence, *box) for label, confidence, box in rows]
    return np.array(flat, dtype=np.float32).reshape(-1, 6)


def test_a_class_is_scored_only_where_it_is_labelled() -> None:
    # A mask found in a picture of the hat group is neither right nor wrong: nobody labelled masks there.
    pictures = [
        (example([("mask", *LEFT)]), found(("mask", 0.9, LEFT))),
        (example([], group="hat"), found(("mask", 0.95, RIGHT))),
    ]
    tally = scoring.tally(pictures)
    assert metrics.ap50(tally.of_class("mask")) == 1
    assert len(tally.of_class("mask").confidence) == 1


def test_sites_are_pooled_over_folders() -> None:
    pictures = [
        (example([("hat", *LEFT)], site="newcam"), found(("hat", 0.9, LEFT))),
        (example([("hat", *LEFT)], site="newcam", group="hat"), found()),
        (example([("hat", *LEFT)], site="web"), found(("hat", 0.9, LEFT))),
    ]
    tally = scoring.tally(pictures)
    assert tally.of_site("newcam", "hat").truths == 2
    assert metrics.at_threshold(tally.of_site("newcam", "hat"), 0.5) == (1.0, 0.5)
    assert tally.sites() == ["newcam", "web"]


def test_false_alarms_count_only_empty_pictures_above_the_threshold() -> None:
    pictures = [
        (example([], group="negative"), found(("rat", 0.6, LEFT), ("hat", 0.4, RIGHT))),
        (example([("hat", *LEFT)]), found(("rat", 0.9, RIGHT))),
        (example([], group="hat"), found(("rat", 0.9, RIGHT))),
    ]
    assert scoring.false_alarms(pictures, HALF) == (1, 1)


def test_a_bare_head_taken_for_a_hat_is_a_confusion_not_two_strangers() -> None:
    wrong = mistakes.find([(example([("no_hat", *LEFT)]), found(("hat", 0.8, LEFT)))], HALF)
    assert wrong.confusion[LABELS.index("no_hat"), LABELS.index("hat")] == 1
    assert wrong.confusion.sum() == 1
    assert [one.label for one in wrong.false_alarms] == ["hat"]


def test_misses_carry_the_confidence_that_was_not_enough() -> None:
    pictures = [(example([("rat", *LEFT)]), found(("rat", 0.3, LEFT), ("rat", 0.7, RIGHT)))]
    wrong = mistakes.find(pictures, HALF)
    assert [one.confidence for one in wrong.misses] == pytest.approx([0.3])
    assert [one.confidence for one in wrong.false_alarms] == pytest.approx([0.7])
    nothing = len(LABELS)
    rat = LABELS.index("rat")
    assert wrong.confusion[rat, nothing] == 1
    assert wrong.confusion[nothing, rat] == 1


def test_unknown_classes_are_no_mistakes() -> None:
    pictures = [(example([], group="hat"), found(("no_mask", 0.9, LEFT)))]
    assert mistakes.find(pictures, HALF).false_alarms == []


def test_a_truth_nobody_vouches_for_is_no_miss() -> None:
    wrong = mistakes.find([(example([("no_mask", *LEFT)], group="hat"), found())], HALF)
    assert wrong.misses == []
    assert wrong.confusion.sum() == 0
