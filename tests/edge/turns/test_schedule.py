"""Taking turns: nobody is forgotten, the told revisit time holds, and urgent cameras are kept watched."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen_watch.edge.turns.schedule import STRETCH, Turn, Waiting, most_turns_between, next_turn


def line(count: int, *, cost: float = 1.0, watch_s: float = 30.0) -> list[Waiting]:
    return [Waiting(f"cam-{number:02}", cost, watch_s, 0.0) for number in range(count)]


class Watch:
    """Plays turn after turn on a clock of its own and notes how long each camera went without a look."""

    def __init__(self, cameras: list[Waiting], capacity: float, wanted_s: float = 300.0) -> None:
        self.cameras = {camera.camera_id: camera for camera in cameras}
        self.capacity, self.wanted_s = capacity, wanted_s
        self.now = 0.0
        self.gaps: Counter[str] = Counter()
        self.watched: Counter[str] = Counter()

    def turn(self) -> Turn:
        turn = next_turn(list(self.cameras.values()), self.capacity, wanted_s=self.wanted_s)
        for camera_id in turn.cameras:
            gap = self.now - self.cameras[camera_id].looked_at
            self.gaps[camera_id] = max(self.gaps[camera_id], int(gap))
        seconds = turn.seconds or 10.0
        self.now += seconds
        for camera_id in turn.cameras:
            self.watched[camera_id] += int(seconds)
            self.cameras[camera_id] = replace(
                self.cameras[camera_id], looked_at=self.now, watched=self.watched[camera_id]
            )
        return turn

    def wish(self, urgent: dict[str, int]) -> None:
        for camera_id, camera in self.cameras.items():
            self.cameras[camera_id] = replace(camera, urgency=urgent.get(camera_id, 0))


@pytest.mark.parametrize(
    ("count", "at_once", "revisit_s"),
    [(5, 4, 30), (8, 4, 30), (9, 4, 60), (12, 2, 150), (12, 1, 330), (40, 8, 120)],
)
def test_with_n_at_once_everybody_comes_round_in_the_told_time(
    count: int, at_once: int, revisit_s: int
) -> None:
    watch = Watch(line(count), at_once)
    turns = [watch.turn() for _ in range(40)]
    assert all(len(turn.cameras) == at_once for turn in turns)
    assert turns[0].longest_revisit_s == revisit_s
    assert max(watch.gaps.values()) <= revisit_s
    assert len(watch.watched) == count
    fair = 40 * at_once / count
    assert all(fair - 1 <= seconds / 30 <= fair + 1 for seconds in watch.watched.values()), watch.watched


def test_where_all_fit_nobody_takes_turns() -> None:
    turn = next_turn(line(3), 3.0, wanted_s=60)
    assert turn.kept == turn.cameras == {"cam-00", "cam-01", "cam-02"}
    assert turn.seconds == turn.longest_revisit_s == 0


def test_a_camera_with_an_open_violation_stays_watched_and_the_rest_wait_a_little_longer() -> None:
    watch = Watch(line(8), 4, wanted_s=60)
    watch.wish({"cam-07": 2})
    turns = [watch.turn() for _ in range(10)]
    assert all("cam-07" in turn.kept for turn in turns)
    assert turns[0].revisit_s["cam-07"] == 0
    assert turns[0].longest_revisit_s == 60


def test_open_violations_do_not_make_the_others_wait_longer_than_wished() -> None:
    cameras = [replace(camera, urgency=2) for camera in line(8)]
    cameras[5] = replace(cameras[5], urgency=3)
    turn = next_turn(cameras, 4, wanted_s=60)
    assert "cam-05" in turn.kept, "the most urgent comes first"
    assert len(turn.kept) < 4
    assert turn.longest_revisit_s <= 60


def test_what_is_configured_to_be_watched_always_is_whatever_is_urgent() -> None:
    cameras = [replace(camera, urgency=3) for camera in line(8)]
    cameras[2] = replace(cameras[2], always=True, urgency=0)
    assert "cam-02" in next_turn(cameras, 2, wanted_s=30).kept


def test_a_camera_dearer_than_the_machine_has_its_turns_alone() -> None:
    watch = Watch([*line(3), Waiting("cam-4k", 9.0, 30.0, 0.0)], 3.0)
    for _ in range(9):
        turn = watch.turn()
        assert turn.cameras == {"cam-4k"} or "cam-4k" not in turn.cameras
    assert watch.watched["cam-4k"] > 0
    assert watch.watched["cam-00"] > 0


@pytest.mark.parametrize(
    ("cost", "others", "capacity", "turns"),
    [
        (1, [], 1, 0),
        (1, [1], 1, 1),
        (1, [1] * 11, 2, 5),
        (1, [1] * 3, 4, 0),
        (2, [1, 1, 1, 1], 2, 4),  # dear ones may wait for each cheap one
        (0.5, [1.0, 1.0, 1.0], 1.0, 3),
        (1, [2, 2, 2], 4, 1),
    ],
)
def test_how_often_a_camera_can_be_passed_over(
    cost: float, others: list[float], capacity: float, turns: int
) -> None:
    assert most_turns_between(cost, others, capacity) == turns


fleets = st.lists(st.tuples(st.integers(1, 8), st.sampled_from([10, 20, 30, 60])), min_size=1, max_size=14)


@settings(max_examples=100, deadline=None)
@given(fleets, st.integers(2, 16))
def test_the_told_revisit_time_holds_for_any_cameras(fleet: list[tuple[int, int]], capacity: int) -> None:
    watch = Watch(
        [Waiting(f"cam-{n:02}", cost, seconds, 0.0) for n, (cost, seconds) in enumerate(fleet)], capacity
    )
    told: dict[str, float] = {}
    for _ in range(5 * len(fleet)):
        turn = watch.turn()
        told = dict(turn.revisit_s)
        spent = sum(min(watch.cameras[one].cost, capacity) for one in turn.cameras)
        assert spent <= capacity + 1e-6
        # Nobody is looked at for less than a turn of it must last.
        assert not turn.seconds or all(
            turn.seconds >= watch.cameras[one].watch_s for one in turn.cameras - turn.kept
        )
    assert set(watch.watched) == set(told)
    assert all(watch.gaps[camera] <= told[camera] + 1e-6 for camera in told), (watch.gaps, told)


@settings(max_examples=25, deadline=None)
@given(fleets, st.integers(2, 16), st.data())
def test_nor_do_violations_that_come_and_go_break_the_limit(
    fleet: list[tuple[int, int]], capacity: int, data: st.DataObject
) -> None:
    cameras = [Waiting(f"cam-{n:02}", cost, seconds, 0.0) for n, (cost, seconds) in enumerate(fleet)]
    calm = next_turn(cameras, capacity, wanted_s=120).longest_revisit_s
    watch = Watch(cameras, capacity, wanted_s=120)
    for _ in range(4 * len(fleet)):
        urgent = data.draw(st.dictionaries(st.sampled_from(sorted(watch.cameras)), st.integers(1, 3)))
        watch.wish(urgent)
        watch.turn()
    assert max(watch.gaps.values()) <= max(120, STRETCH * calm) + 1e-6
