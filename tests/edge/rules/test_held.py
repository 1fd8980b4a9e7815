from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.edge.rules.scenario import NOON

from kitchen_watch.edge.rules.held import FEWEST_SIGHTINGS, HeldFor

FRAMES = st.lists(
    st.tuples(st.just(0.0) | st.floats(0.01, 2.0), st.sets(st.integers(0, 2))), min_size=1, max_size=120
)


@given(FRAMES, st.sampled_from([0.5, 1.0, 3.0, 10.0]), st.sampled_from([0.5, 0.7, 1.0]))
def test_what_holds_was_seen_often_enough_over_long_enough(
    frames: list[tuple[float, set[int]]], held: float, fraction: float
) -> None:
    """Against the definition, computed from the whole history by brute force."""
    watch = HeldFor[int](held, fraction)
    now = 0.0
    history: list[tuple[float, set[int]]] = []
    for step, keys in frames:
        now += step
        history.append((now, keys))
        watch.look(now, NOON + timedelta(seconds=now), keys)
        for key, since in watch.holding().items():
            start = (since - NOON).total_seconds()
            window = [seen for at, seen in history if at >= start - 1e-5]
            sightings = sum(key in seen for seen in window)
            assert now - start >= held - 1e-5
            assert sightings >= FEWEST_SIGHTINGS
            assert sightings >= fraction * len(window) - 1e-3


@given(st.floats(0.05, 2.0), st.sampled_from([0.4, 1.0, 10.0, 60.0]))
def test_what_is_always_there_holds_at_every_rate(step: float, held: float) -> None:
    watch = HeldFor[str](held, 0.7)
    now = 0.0
    for _ in range(FEWEST_SIGHTINGS + int(held / step) + 2):
        now += step
        watch.look(now, NOON, ["there"])
    assert "there" in watch.holding()
    assert "there" in watch.staying()


def test_memory_does_not_grow_with_the_day() -> None:
    watch = HeldFor[int](10.0, 0.7)
    for number in range(20_000):
        watch.look(number * 0.2, NOON, [number // 100])
    assert len(watch._frames) < 200
    assert len(watch._keys) < 5


def test_after_a_pause_everything_starts_anew() -> None:
    watch = HeldFor[str](1.0, 0.7)
    for number in range(10):
        watch.look(number * 0.2, NOON, ["there"])
    watch.forget()
    assert watch.holding() == {}
    watch.look(2.2, NOON, ["there"])
    assert watch.holding() == {}
