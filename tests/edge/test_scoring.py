"""The scorer of replayed clips: it counts situations, not frames, and leaves the doubtful alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitchen_watch.edge.scoring import ClipTruth, CodeScore, Found, load_truth, score, total
from kitchen_watch.errors import ConfigError

CLIP = ClipTruth(duration_s=20, no_hat=((2, 5), (10, 15)), ignore_no_hat=((5, 6),), checked_s=18)


def _no_hat(*spans: tuple[float, float]) -> CodeScore:
    return score(CLIP, [Found("NO_HAT", start, end) for start, end in spans])["NO_HAT"]


def test_two_situations_found_by_two_violations() -> None:
    result = _no_hat((2.5, 5), (11, 15))
    assert (result.recall, result.precision) == (1.0, 1.0)


def test_one_violation_over_both_situations_finds_both() -> None:
    assert _no_hat((2, 15)) == CodeScore(truths=2, hit=2, right=1, wrong=0)


def test_many_violations_in_one_situation_do_not_raise_recall() -> None:
    assert _no_hat((2, 3), (3, 4), (4, 5)).recall == 0.5


def test_an_invented_violation_costs_precision() -> None:
    assert _no_hat((2, 5), (7, 9)).precision == 0.5


def test_a_violation_that_is_mostly_outside_its_situation_is_wrong() -> None:
    assert _no_hat((4, 10)) == CodeScore(truths=2, hit=1, right=0, wrong=1)


def test_doubtful_and_unchecked_time_scores_neither_way() -> None:
    assert _no_hat((5.1, 5.9), (18.5, 19.5)) == CodeScore(truths=2, hit=0, right=0, wrong=0)


def test_a_violation_of_a_single_frame_still_counts() -> None:
    assert _no_hat((3, 3)).hit == 1
    assert score(ClipTruth(duration_s=9), [Found("RODENT", 3, 3)])["RODENT"].wrong == 1


def test_no_truth_and_no_violation_have_no_rate() -> None:
    empty = score(ClipTruth(duration_s=9), [])["COCKROACH"]
    assert (empty.recall, empty.precision) == (None, None)


def test_scores_of_clips_add_up() -> None:
    both = total([score(CLIP, [Found("NO_HAT", 2, 5)]), score(CLIP, [])])
    assert both["NO_HAT"] == CodeScore(truths=4, hit=1, right=1, wrong=0)


def test_a_truth_file_with_a_broken_clip_names_it(tmp_path: Path) -> None:
    path = tmp_path / "events.yaml"
    path.write_text("a.mp4:\n  duration_s: long\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a\.mp4: duration_s"):
        load_truth(path)
