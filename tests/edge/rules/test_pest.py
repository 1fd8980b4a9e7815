from __future__ import annotations

from dataclasses import replace

from tests.edge.rules.scenario import Camera, only, seen, told

from kitchen_watch.edge.rules.observation import HealthFacts
from kitchen_watch.edge.rules.violation import ChangeKind
from kitchen_watch.edge.tracks import Opinion, Track


def running(number: int) -> list[Track]:
    """A rat that crosses the floor, a quarter of its length per frame."""
    return [seen("rat", x=0.2 + 0.01 * number, y=0.8, width=0.04, height=0.03, travelled=0.01 * number)]


def test_a_rat_that_runs_is_tier_one_within_a_second() -> None:
    camera = Camera()
    camera.show(running, seconds=2)
    rodent = only(camera.changes, ChangeKind.OPENED)
    assert (rodent.code, rodent.tier) == ("RODENT", 1)


def test_a_toy_rat_that_stands_still_is_nothing() -> None:
    camera = Camera()
    camera.show([seen("rat", y=0.8, width=0.04, height=0.03)], seconds=300)
    assert camera.changes == []


def test_two_hits_are_not_three() -> None:
    camera = Camera()
    camera.show([seen("rat", travelled=1.0)], seconds=0.4)
    camera.show([], seconds=60)
    camera.show([seen("rat", travelled=1.0)], seconds=0.4)
    assert camera.changes == []


def test_three_tracks_with_one_hit_each_are_nothing() -> None:
    camera = Camera()
    camera.show(lambda n: [seen("rat", track_id=n, travelled=1.0)], seconds=5)
    assert camera.changes == []


def test_a_cat_in_its_place_explains_the_rat() -> None:
    camera = Camera("PET_ANIMAL.enabled=false")
    cat = seen("cat", 2, x=0.3, y=0.8, width=0.3, height=0.2)
    camera.show(lambda n: [*running(n), cat], seconds=2)
    assert camera.changes == []


def test_a_cat_elsewhere_explains_nothing() -> None:
    camera = Camera("PET_ANIMAL.enabled=false")
    cat = seen("cat", 2, x=0.9, y=0.1, width=0.1, height=0.1)
    camera.show(lambda n: [*running(n), cat], seconds=2)
    assert camera.open() == ["RODENT"]


def test_while_the_whole_picture_moves_nothing_can_be_said_to_run() -> None:
    camera = Camera()
    camera.show(running, seconds=3, health=HealthFacts(covered=False, frozen=False, moved=True))
    assert camera.changes == []


def test_a_second_rat_and_a_return_belong_to_the_same_violation() -> None:
    camera = Camera()
    camera.show(running, seconds=2)
    camera.show([], seconds=120)
    camera.show(lambda n: [seen("rat", 9, x=0.2 + n / 100, y=0.8, travelled=n / 50)], seconds=2)
    assert told(camera.changes) == [("RODENT", "opened"), ("RODENT", "closed"), ("RODENT", "reopened")]
    assert len({change.violation.violation_id for change in camera.changes}) == 1


def test_a_rat_that_ran_and_now_sits_is_still_there() -> None:
    camera = Camera()
    camera.show(running, seconds=2)
    camera.show([seen("rat", x=0.3, y=0.8, travelled=0.1)], seconds=120)
    assert camera.open() == ["RODENT"]


def test_a_cockroach_need_not_move() -> None:
    camera = Camera()
    camera.show([seen("cockroach", width=0.02, height=0.02)], seconds=1)
    assert camera.open() == ["COCKROACH"]


def test_a_dark_spot_that_hardly_looks_like_a_cockroach_accuses_nobody() -> None:
    camera = Camera()
    camera.show([seen("cockroach", y=0.8, width=0.02, height=0.02, confidence=0.6)], seconds=60)
    assert camera.changes == []
    camera.show([seen("cockroach", y=0.8, width=0.02, height=0.02, confidence=0.7)], seconds=2)
    assert told(camera.changes) == [("COCKROACH", "opened")]


def test_a_running_suspicion_is_a_rat_only_if_a_second_look_agrees() -> None:
    agreed = Opinion("rat", looks=2, agreeing=2, surest=0.8, agrees=True)
    for opinions, expected in (
        (None, []), ({}, []), ({1: replace(agreed, agrees=False)}, []), ({1: agreed}, [("RODENT", "opened")]),
    ):  # fmt: skip
        camera = Camera()
        camera.show(lambda n: [replace(running(n)[0], firm=False)], seconds=2, opinions=opinions)
        assert told(camera.changes) == expected
        if expected:
            detail = only(camera.changes, ChangeKind.OPENED).detail
            assert detail == "Second look at rat: 2 of 2 agree, surest 0.80."


def test_a_rat_is_looked_at_again_from_its_first_hit_until_it_is_open() -> None:
    camera = Camera()
    camera.show(running, seconds=0.4, opinions={})
    assert camera.book.suspects() == {1}
    camera.show(running, seconds=2, opinions={1: Opinion("rat", 2, 2, 0.8, agrees=True)})
    assert camera.book.suspects() == frozenset()


def test_an_animal_half_as_long_as_a_person_is_tall_is_no_rat() -> None:
    cook = seen("person", 9, x=0.7, height=0.6)

    def prowling(number: int) -> list[Track]:
        x = 0.2 + 0.02 * number
        return [seen("rat", x=x, y=0.8, width=0.2, height=0.15, travelled=0.02 * number)]

    camera = Camera()
    camera.show([cook], seconds=1)
    camera.show(prowling, seconds=4)
    assert camera.changes == []
    camera.show(running, seconds=2)
    assert told(camera.changes) == [("RODENT", "opened")], "a small one in the same kitchen is one"


def test_where_nobody_was_seen_size_says_nothing_and_people_are_not_remembered_for_ever() -> None:
    cook = seen("person", 9, x=0.7, height=0.6)
    for before in ([], [cook]):
        camera = Camera()
        camera.show(before, seconds=1)
        for _ in range(3):
            camera.show([], seconds=1800, rate=0.5)
            camera.show([], seconds=1800, rate=0.5)
        camera.show(
            lambda n: [seen("rat", x=0.2 + 0.02 * n, y=0.8, width=0.2, height=0.15, travelled=0.02 * n)],
            seconds=4,
        )
        assert told(camera.changes) == [("RODENT", "opened")]
