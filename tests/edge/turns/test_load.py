"""How the machine's capacity is found: it falls at once to what was carried, and rises with patience."""

from __future__ import annotations

import pytest

from kitchen_watch.edge.turns.load import (
    LASTING_S,
    PATIENCE_S,
    WINDOW_S,
    CameraLoad,
    Capacity,
    Counts,
    cost,
)


def lasting(capacity: Capacity, since: float, seconds: float, share: float, *, watched: float = 4.0) -> float:
    now = since
    while now < since + seconds:
        now += 1
        capacity.judge(now, share, watched=watched, everything=4.0)
    return now


def test_a_burst_begins_no_turns_and_an_overload_that_lasts_does() -> None:
    capacity = Capacity(0.6)
    now = lasting(capacity, 0, WINDOW_S + LASTING_S / 2, 0.3)
    now = lasting(capacity, now, 5, 1.0)
    now = lasting(capacity, now, LASTING_S - 2, 0.3)
    assert capacity.carried is None
    lasting(capacity, now, 5, 0.3)
    assert capacity.carried == pytest.approx(1.2)


def test_a_share_that_is_only_a_little_low_is_borne() -> None:
    capacity = Capacity(0.6)
    lasting(capacity, 0, 600, 0.7)
    assert capacity.carried is None


def test_a_rise_that_was_one_too_many_is_tried_again_later() -> None:
    capacity = Capacity(0.6)
    now = lasting(capacity, 0, WINDOW_S + LASTING_S + 2, 0.5)
    assert capacity.carried == pytest.approx(2.0)
    now = lasting(capacity, now, PATIENCE_S + 2, 1.0, watched=2.0)
    assert capacity.carried == pytest.approx(2.4)
    now = lasting(capacity, now, WINDOW_S + 2, 0.8, watched=2.4)
    assert capacity.carried == pytest.approx(1.92)
    now = lasting(capacity, now, PATIENCE_S + 2, 1.0, watched=2.0)
    assert capacity.carried == pytest.approx(1.92), "twice the patience"
    lasting(capacity, now, PATIENCE_S, 1.0, watched=2.0)
    assert capacity.carried == pytest.approx(1.92 * 1.2)


def test_costs_are_those_of_the_pictures_that_come() -> None:
    small = cost(15, 640 * 360, 5, 0.015)
    large = cost(60, 3840 * 2160, 5, 0.015)
    assert large > 9 * small
    assert cost(None, None, 5, None) == pytest.approx(0.16, abs=0.01)


def test_a_camera_that_begins_another_life_is_counted_from_there() -> None:
    load = CameraLoad()
    for second in range(10):
        load.note(second, Counts(5 * second, 4 * second, 25 * second))
    assert load.share() == pytest.approx(0.8)
    load.note(10, Counts(0, 0, 0))
    assert load.share() is None
