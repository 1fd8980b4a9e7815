from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from tests.edge.rules.scenario import COVERED, GOOD, Camera, only, seen, told

from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.observation import HealthFacts
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.rules.violation import ChangeKind

BARE = [seen("no_hat")]


def test_an_outage_of_two_minutes_in_open_hours_is_told_once_and_ends_by_itself() -> None:
    camera = Camera()
    camera.show(seconds=10)
    camera.lose(119)
    assert camera.changes == []
    camera.lose(300)
    camera.show(seconds=10)
    assert told(camera.changes) == [("CAM_OFFLINE", "opened"), ("CAM_OFFLINE", "closed")]
    closed = only(camera.changes, ChangeKind.CLOSED)
    assert closed.last_seen_at - closed.started_at == timedelta(seconds=418)
    assert not closed.needs_model
    assert closed.confidence == 1.0


def test_outside_opening_hours_it_takes_ten_minutes() -> None:
    camera = Camera(rules=CameraRules(hours=OpeningHours.always_closed()))
    camera.lose(590)
    assert camera.changes == []
    camera.lose(20)
    assert told(camera.changes) == [("CAM_OFFLINE", "opened")]


def test_short_outages_do_not_add_up() -> None:
    camera = Camera()
    for _ in range(20):
        camera.lose(100)
        camera.show(seconds=1)
    assert camera.changes == []


def test_a_flicker_of_connection_does_not_end_an_outage() -> None:
    camera = Camera()
    camera.lose(130)
    camera.show(seconds=2)
    camera.lose(130)
    assert told(camera.changes) == [("CAM_OFFLINE", "opened")]


@pytest.mark.parametrize(
    ("code", "fault", "held", "good_for"),
    [
        ("CAM_COVERED", HealthFacts(covered=True), 15, 5),
        ("CAM_FROZEN", HealthFacts(covered=False, frozen=True), 30, 5),
        ("CAM_MOVED", HealthFacts(covered=False, frozen=False, moved=True), 20, 20),
        ("CAM_BLURRED", HealthFacts(covered=False, frozen=False, blurred=True), 300, 60),
    ],
)
def test_each_fault_must_hold_is_raised_once_and_closes_after_a_good_picture(
    code: str, fault: HealthFacts, held: float, good_for: float
) -> None:
    camera = Camera()
    camera.show(seconds=5)
    camera.show(seconds=held - 1, health=fault)
    assert camera.changes == []
    camera.show(seconds=held * 3, health=fault)
    assert told(camera.changes) == [(code, "opened")]
    camera.show(seconds=good_for - 1)
    assert camera.open() == [code]
    camera.show(seconds=2)
    assert told(camera.changes) == [(code, "opened"), (code, "closed")]


def test_what_is_unknown_is_no_fault_and_ends_none() -> None:
    camera = Camera()
    camera.show(seconds=600, health=HealthFacts())
    camera.show(seconds=600, health=None)
    assert camera.changes == []
    camera.show(seconds=20, health=COVERED)
    camera.show(seconds=600, health=HealthFacts())
    assert camera.open() == ["CAM_COVERED"]


def test_a_covered_lens_is_not_also_called_moved_and_blurred() -> None:
    camera = Camera()
    everything = HealthFacts(covered=True, frozen=True, moved=True, blurred=True)
    camera.show(seconds=600, health=everything)
    assert told(camera.changes) == [("CAM_COVERED", "opened")]


def test_content_rules_pause_while_the_camera_is_covered_and_go_on_afterwards() -> None:
    camera = Camera()
    camera.show(BARE, seconds=12)
    before = camera.book.open_violations()[0]
    camera.show(seconds=120, health=COVERED)
    assert camera.book.paused
    camera.show(BARE, seconds=10)
    assert told(camera.changes) == [
        ("NO_HAT", "opened"),
        ("CAM_COVERED", "opened"),
        ("CAM_COVERED", "closed"),
    ]
    (still_open,) = camera.book.open_violations()
    assert still_open.violation_id == before.violation_id


def test_nothing_opens_from_what_a_faulty_camera_shows() -> None:
    camera = Camera()
    camera.show(BARE, seconds=60, health=COVERED)
    camera.show(BARE, seconds=4)  # the fault is still open for its five good seconds
    assert told(camera.changes) == [("CAM_COVERED", "opened")]


def test_a_violation_survives_an_outage_of_its_camera() -> None:
    camera = Camera()
    camera.show(BARE, seconds=12)
    camera.lose(3600)
    camera.show(BARE, seconds=10)
    assert ("NO_HAT", "closed") not in told(camera.changes)
    assert camera.open() == ["NO_HAT"]


def test_what_was_building_up_before_an_outage_proves_nothing_after_it() -> None:
    camera = Camera()
    camera.show(BARE, seconds=9)
    camera.lose(60)
    camera.show(BARE, seconds=9)
    assert camera.changes == []


def test_a_fault_rule_that_does_not_pause_leaves_the_others_at_work() -> None:
    camera = Camera("CAM_MOVED.pauses=false")
    shaking = HealthFacts(covered=False, frozen=False, moved=True)
    camera.show(BARE, seconds=40, health=shaking)
    assert camera.open() == ["CAM_MOVED", "NO_HAT"]


def test_a_jump_of_the_clock_is_no_outage() -> None:
    camera = Camera()
    camera.show(seconds=5, health=GOOD)
    camera.lose(2)
    camera.stall(86_400)
    camera.lose(2)
    assert camera.changes == []


def test_an_outage_of_a_day_does_not_flood_the_backend() -> None:
    camera = Camera()
    camera.lose(24 * 3600)
    grown = [change for change in camera.changes if change.kind is ChangeKind.GREW]
    assert 100 < len(grown) < 250
    gaps = [later.at - earlier.at for earlier, later in pairwise(grown)]
    assert max(gaps) <= timedelta(minutes=11)
