"""How long a camera is left alone before it is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitchen_watch.edge.streams.backoff import LONGEST, reconnect_delay


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1.0), (2, 1.6), (3, 2.56), (5, 6.5536), (10, 60.0), (10**6, 60.0)]
)
def test_pauses_grow_from_one_second_to_one_minute(failures: int, seconds: float) -> None:
    assert reconnect_delay(failures, jitter=0).total_seconds() == pytest.approx(seconds)


@given(st.integers(1, 1000), st.floats(0, 1), st.booleans())
def test_never_less_than_a_second_nor_more_than_a_minute(failures: int, jitter: float, wrong: bool) -> None:
    delay = reconnect_delay(failures, jitter=jitter, wrong_password=wrong)
    assert timedelta(seconds=1) <= delay <= LONGEST


def test_jitter_spreads_cameras_over_half_the_pause() -> None:
    longest, shortest = (reconnect_delay(8, jitter=jitter) for jitter in (0.0, 1.0))
    assert shortest == longest / 2


def test_a_wrong_password_is_not_hammered() -> None:
    assert reconnect_delay(1, jitter=1.0, wrong_password=True) >= timedelta(seconds=30)


def test_a_five_second_outage_is_noticed_to_be_over_within_ten_seconds() -> None:
    attempt, failures = 0.0, 0
    while attempt < 6.0:  # outage and the server's own start
        failures += 1
        attempt += reconnect_delay(failures, jitter=0).total_seconds()
    assert attempt - 6.0 < 5.0
