"""Two models agree on a head if they name it alike and see it in the same place."""

from __future__ import annotations

from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.shadow.comparing import compare

HEAD, NEARLY, ELSEWHERE = Box(0.4, 0.3, 0.5, 0.4), Box(0.41, 0.31, 0.51, 0.41), Box(0.7, 0.3, 0.8, 0.4)


def seen(label: str, box: Box = HEAD, confidence: float = 0.9, *, firm: bool = True) -> Detection:
    return Detection(label, confidence, box, firm)


def test_the_same_head_a_little_aside_is_the_same_head() -> None:
    found = compare([seen("no_hat")], [seen("no_hat", NEARLY)])
    assert (len(found.both), found.differs) == (1, False)


def test_another_word_for_the_same_head_is_a_difference_on_both_sides() -> None:
    found = compare([seen("no_hat")], [seen("hat")])
    assert [one.label for one in found.only_current] == ["no_hat"]
    assert [one.label for one in found.only_shadow] == ["hat"]


def test_a_head_elsewhere_is_another_head() -> None:
    found = compare([seen("hat")], [seen("hat"), seen("hat", ELSEWHERE)])
    assert (len(found.both), len(found.only_current), len(found.only_shadow)) == (1, 0, 1)


def test_a_head_is_not_paired_twice() -> None:
    found = compare([seen("hat"), seen("hat", NEARLY, 0.7)], [seen("hat")])
    assert (len(found.both), len(found.only_current)) == (1, 1)


def test_what_is_below_its_threshold_counts_for_neither() -> None:
    assert not compare([seen("hat", firm=False)], [seen("rat", firm=False)]).differs
