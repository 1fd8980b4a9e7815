"""A machine that is too slow looks at fewer pictures, never at ever older ones."""

from __future__ import annotations

from kitchen_watch.edge.streams.behind import Behind

RATE, GROUP = 25, 50


def _decoded(cost_s: float, seconds: float = 60.0) -> tuple[int, float]:
    """Pictures decoded of 25 a second where each takes ``cost_s``, and the largest lag at the end."""
    behind, now, decoded, lags = Behind(), 0.0, 0, []
    for number in range(int(seconds * RATE)):
        captured = number / RATE
        now = max(now, captured)
        lag = now - captured
        lags.append(lag)
        if not behind.skips(lag=lag, now=now, keyframe=number % GROUP == 0):
            decoded += 1
            now += cost_s
    return decoded, max(lags[-10 * RATE :])


def test_a_machine_that_is_fast_enough_decodes_everything() -> None:
    assert _decoded(0.035) == (1500, 0.0)


def test_a_machine_that_is_too_slow_stays_near_the_present() -> None:
    decoded, lag = _decoded(0.08)
    assert lag < 6
    assert 400 < decoded < 800, "about the half, as that is what it can"


def test_a_burst_after_a_hole_in_the_network_is_decoded() -> None:
    behind, now = Behind(), 5.0
    for number in range(125):  # five seconds of pictures arrive at once
        lag = now - number / RATE
        assert not behind.skips(lag=lag, now=now, keyframe=number == 0)
        now += 0.004


def test_what_follows_a_skipped_picture_is_skipped_up_to_the_next_keyframe() -> None:
    behind = Behind()
    assert not behind.skips(lag=2.0, now=0.0, keyframe=False)
    assert behind.skips(lag=2.0, now=2.5, keyframe=False)
    assert behind.skips(lag=0.0, now=2.6, keyframe=False), "in time again, but it builds on the skipped one"
    assert not behind.skips(lag=0.0, now=2.7, keyframe=True)
    assert not behind.skips(lag=0.0, now=2.8, keyframe=False)
