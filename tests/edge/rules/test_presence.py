from __future__ import annotations

from datetime import timedelta

from tests.edge.rules.scenario import NOON, Camera, only, seen, told

from kitchen_watch.edge.rules.hours import OpeningHours
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.rules.violation import ChangeKind
from kitchen_watch.edge.rules.zone import Zone

LUNCH = OpeningHours(every_day=("10:00-14:00",))
COLD_ROOM = Zone(
    zone_id="cold_room", name="Cold room", polygon=((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))
)
GUARDED = CameraRules(zones=(COLD_ROOM,), rules={"ZONE_INTRUSION": {"zones": ["cold_room"]}})


def test_somebody_at_night_is_tier_one_after_three_seconds() -> None:
    camera = Camera(rules=CameraRules(hours=LUNCH), at=NOON + timedelta(hours=10))
    camera.show([seen("person", height=0.4)], seconds=2.8)
    assert camera.changes == []
    camera.show([seen("person", height=0.4)], seconds=0.6)
    night = only(camera.changes, ChangeKind.OPENED)
    assert (night.code, night.tier) == ("NIGHT_INTRUSION", 1)
    assert night.parameters["hours"]["every_day"] == ["10:00-14:00"]


def test_somebody_at_noon_is_at_work() -> None:
    camera = Camera(rules=CameraRules(hours=LUNCH))
    camera.show([seen("person", height=0.4)], seconds=60)
    assert camera.changes == []


def test_staff_who_stay_after_closing_become_an_intrusion_and_opening_ends_it() -> None:
    before_closing = NOON + timedelta(hours=2) - timedelta(seconds=10)
    camera = Camera(rules=CameraRules(hours=LUNCH), at=before_closing)
    camera.show([seen("person", height=0.4)], seconds=9)
    assert camera.changes == []
    camera.show([seen("person", height=0.4)], seconds=10)
    started = only(camera.changes, ChangeKind.OPENED).started_at
    assert started >= NOON + timedelta(hours=2)


def test_without_known_hours_nobody_intrudes_by_night() -> None:
    camera = Camera(at=NOON + timedelta(hours=12))
    camera.show([seen("person", height=0.4)], seconds=60)
    assert camera.changes == []


def test_a_zone_that_nobody_may_enter() -> None:
    camera = Camera(rules=GUARDED)
    inside = seen("person", 1, x=0.7, y=0.5, width=0.1, height=0.4)  # feet at 0.7
    beside = seen("person", 1, x=0.2, y=0.5, width=0.1, height=0.4)
    camera.show([beside], seconds=30)
    assert camera.changes == []
    camera.show([inside], seconds=6)
    opened = only(camera.changes, ChangeKind.OPENED)
    assert opened.rule_id == "ZONE_INTRUSION/cold_room"
    assert opened.detail == "1 in zone Cold room, 0 allowed."
    camera.show([beside], seconds=11)
    assert told(camera.changes)[-1] == ("ZONE_INTRUSION/cold_room", "closed")


def test_a_person_is_where_the_feet_are_not_where_the_head_is() -> None:
    camera = Camera(rules=GUARDED)
    reaching_over = seen("person", 1, x=0.7, y=0.25, width=0.1, height=0.4)  # feet at 0.45
    camera.show([reaching_over], seconds=30)
    assert camera.changes == []


def test_a_zone_for_two_counts_the_third_whoever_it_is() -> None:
    camera = Camera("ZONE_INTRUSION.max_persons=2", rules=GUARDED)
    people = [
        seen("person", n, x=0.6 + n / 10, y=0.5, width=0.1, height=0.4, confidence=0.9 - n / 10)
        for n in range(3)
    ]
    camera.show(people[:2], seconds=30)
    assert camera.changes == []
    camera.show(people, seconds=6)
    opened = only(camera.changes, ChangeKind.OPENED)
    assert opened.detail == "3 in zone Cold room, 2 allowed."
    assert opened.confidence == 0.7


def test_without_a_zone_the_zone_rule_is_silent() -> None:
    camera = Camera()
    camera.show([seen("person", height=0.4)], seconds=60)
    assert camera.changes == []
