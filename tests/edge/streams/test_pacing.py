"""Which frames are due."""

from __future__ import annotations

import random

import pytest

from kitchen_watch.edge.streams.pacing import Allowance, Pacer


def due_times(rate: float, stamps: list[float]) -> list[float]:
    pacer = Pacer(rate)
    return [stamp for stamp in stamps if pacer.due(stamp)]


@pytest.mark.parametrize(("source", "rate"), [(25, 5), (30, 5), (15, 4), (12.5, 5), (25, 7)])
def test_the_rate_is_exact_on_average(source: float, rate: float) -> None:
    stamps = [index / source for index in range(int(60 * source))]
    assert len(due_times(rate, stamps)) == pytest.approx(60 * rate, abs=1)


def test_a_slow_camera_loses_no_frame() -> None:
    stamps = [index / 4 for index in range(100)]
    assert due_times(5, stamps) == stamps


def test_a_camera_at_the_rate_itself_loses_no_frame_to_jitter() -> None:
    rng = random.Random(1)
    stamps = [index / 5 + rng.uniform(-0.02, 0.02) for index in range(200)]
    assert due_times(5, stamps) == stamps


def test_after_a_gap_frames_do_not_come_in_a_burst() -> None:
    stamps = [0.0, 0.2, *[30 + index / 25 for index in range(26)]]
    assert len([stamp for stamp in due_times(5, stamps) if stamp >= 30]) == pytest.approx(6, abs=1)


def test_a_jump_back_does_not_silence_the_camera() -> None:
    pacer = Pacer(5)
    assert pacer.due(1000.0)
    assert not pacer.due(3.0)
    assert pacer.due(3.0, discontinuity=True)
    assert pacer.due(3.2)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pacer(0)


def granted(rate: float, moments: list[float]) -> int:
    allowance = Allowance(rate)
    return sum(allowance.grants(moment) for moment in moments)


def test_a_camera_whose_every_picture_is_due_gets_little_more_than_its_rate() -> None:
    flood = [index / 60 for index in range(60 * 60)]
    assert granted(5, flood) <= 1.3 * 5 * 60 + 10


def test_a_camera_at_its_rate_and_a_burst_after_a_hole_get_everything() -> None:
    assert granted(5, [index / 5 for index in range(300)]) == 300
    assert granted(5, [*(index / 5 for index in range(50)), *[12.0] * 8]) == 58
