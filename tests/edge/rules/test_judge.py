from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from tests.edge.rules.scenario import COVERED, NOON, Camera, seen, told

from kitchen_watch.edge.rules.observation import Observation
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.rules.violation import ChangeKind, ViolationChange
from kitchen_watch.edge.rules.zone import Zone

BARE = [seen("no_hat")]


def test_a_violation_open_at_a_crash_goes_on_as_the_same_one() -> None:
    before = Camera()
    before.show(BARE, seconds=15)
    (violation,) = before.book.open_violations()
    after = Camera(at=before.at + timedelta(minutes=3), ids=100)
    after.book.resume([violation], at=after.at)
    after.show([seen("no_hat", 41)], seconds=20)
    assert told(after.changes) == []
    (resumed,) = after.book.open_violations()
    assert resumed.violation_id == violation.violation_id
    assert resumed.started_at == violation.started_at
    assert resumed.last_seen_at == after.at
    assert resumed.track_ids == (1, 41)


def test_a_resumed_violation_that_is_over_closes_where_it_was_last_seen() -> None:
    before = Camera()
    before.show(BARE, seconds=15)
    (violation,) = before.book.open_violations()
    after = Camera(at=before.at + timedelta(hours=8), ids=100)
    after.book.resume([violation], at=after.at)
    changes = after.show([], seconds=15)
    assert told(changes) == [("NO_HAT", "closed")]
    assert changes[0].violation.ended_at == violation.last_seen_at


def test_the_cooldown_outlives_a_restart() -> None:
    before = Camera()
    before.show(BARE, seconds=15)
    before.show([], seconds=15)
    (closed,) = before.book.recent_violations()
    soon = Camera(at=before.at + timedelta(minutes=5), ids=100)
    soon.book.resume([closed], at=soon.at)
    soon.show(BARE, seconds=12)
    assert told(soon.changes) == [("NO_HAT", "reopened")]
    assert soon.changes[0].violation.violation_id == closed.violation_id
    late = Camera(at=before.at + timedelta(minutes=11), ids=100)
    late.book.resume([closed], at=late.at)
    late.show(BARE, seconds=12)
    assert told(late.changes) == [("NO_HAT", "opened")]


def test_a_violation_of_a_rule_that_is_no_more_is_closed() -> None:
    zone = Zone(zone_id="stove", polygon=((0, 0), (1, 0), (1, 1)))
    before = Camera(rules=CameraRules(zones=(zone,), rules={"NO_HAT": {"zones": ["stove"]}}))
    before.show(BARE, seconds=15)
    assert before.open() == ["NO_HAT/stove"]
    after = Camera("NO_HAT.enabled=false", at=before.at)
    after.book.resume(before.book.open_violations(), at=after.at)
    assert after.open() == ["NO_HAT/stove"]
    after.show([], seconds=0.2)
    assert told(after.changes) == [("NO_HAT/stove", "closed")]


def test_another_cameras_violation_is_not_taken_over() -> None:
    before = Camera()
    before.show(BARE, seconds=15)
    violations = before.book.open_violations()
    after = Camera(at=before.at)
    after.book.camera_id = "kitchen2"
    after.book.resume(violations, at=after.at)
    assert after.open() == []


def test_the_end_of_a_file_closes_everything() -> None:
    camera = Camera()
    camera.show([*BARE, seen("no_mask", 2)], seconds=15)
    closed = camera.book.finish(camera.at)
    assert told(closed) == [("NO_HAT", "closed"), ("NO_MASK", "closed")]
    assert all(change.violation.ended_at == camera.at for change in closed)
    assert camera.book.finish(camera.at) == ()


def test_a_clock_set_back_an_hour_neither_closes_nor_opens_anything() -> None:
    camera = Camera()
    camera.show(BARE, seconds=15)
    camera.at -= timedelta(hours=1)
    camera.show(BARE, seconds=30)
    assert told(camera.changes) == [("NO_HAT", "opened")]
    camera.show([], seconds=12)
    assert told(camera.changes) == [("NO_HAT", "opened"), ("NO_HAT", "closed")]
    closed = camera.changes[-1].violation
    assert closed.ended_at is not None
    assert closed.started_at <= closed.last_seen_at == closed.ended_at


def test_the_same_observations_give_the_same_changes() -> None:
    def play() -> list[tuple[ChangeKind, str]]:
        camera = Camera()
        camera.show(lambda n: BARE if n % 7 else [], seconds=60)
        camera.lose(200)
        camera.show([*BARE, seen("rat", 5, travelled=1)], seconds=60)
        return [(change.kind, repr(change.violation)) for change in camera.changes]

    assert play() == play()
    assert len(play()) > 5


def test_a_violation_says_with_which_parameters_it_was_judged() -> None:
    camera = Camera("NO_HAT.held_s=1.0")
    camera.show(BARE, seconds=2)
    violation = camera.changes[0].violation
    assert violation.parameters["held_s"] == 1.0
    assert violation.parameters["name"]["zh"] == "未戴厨师帽"
    assert len(violation.rule_version) == 12
    assert violation.started_at > NOON


def test_the_rules_load_no_media_inference_or_web_library() -> None:
    program = (
        "import importlib, pkgutil, sys\n"
        "import kitchen_watch.edge.rules as room\n"
        "for module in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "heavy = {'av', 'cv2', 'openvino', 'fastapi', 'supervision', 'trackers', 'torch', 'sqlalchemy'}\n"
        "assert 'kitchen_watch.edge.rules.judge' in sys.modules\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def wait_for_its_turn(camera: Camera, seconds: int, *, offline: bool = False) -> list[tuple[str, str]]:
    """Nobody looks for so long; the camera itself is there, or not."""
    camera.book.suspend()
    changes: list[ViolationChange] = []
    for _ in range(seconds):
        camera.at += timedelta(seconds=1)
        changes += camera.book.judge(Observation(at=camera.at, offline=offline, analysed=False))
    camera.book.suspend()
    return told(changes)


def test_a_violation_open_when_the_turn_ends_is_neither_ended_nor_accused_meanwhile() -> None:
    camera = Camera()
    camera.show(BARE, seconds=15)
    (before,) = camera.book.open_violations()
    camera.show([], seconds=9)
    assert wait_for_its_turn(camera, 300) == []
    (after,) = camera.book.open_violations()
    assert (after.ended_at, after.last_seen_at) == (None, before.last_seen_at)
    assert told(camera.show([seen("no_hat", 9)], seconds=12)) == []
    (again,) = camera.book.open_violations()
    assert (again.violation_id, again.last_seen_at) == (before.violation_id, camera.at)


def test_what_is_not_there_at_the_next_turn_ends_where_it_was_last_seen() -> None:
    camera = Camera()
    camera.show(BARE, seconds=15)
    (before,) = camera.book.open_violations()
    wait_for_its_turn(camera, 300)
    assert told(camera.show([], seconds=9)) == [], "ten seconds of looking, not of waiting"
    changes = camera.show([], seconds=3)
    assert told(changes) == [("NO_HAT", "closed")]
    assert changes[0].violation.ended_at == before.last_seen_at


def test_a_bare_head_before_and_after_the_wait_is_not_one_long_one() -> None:
    camera = Camera()
    camera.show(BARE, seconds=8)
    wait_for_its_turn(camera, 60)
    assert told(camera.show(BARE, seconds=8)) == []
    assert told(camera.show(BARE, seconds=3)) == [("NO_HAT", "opened")]
    assert camera.changes[-1].violation.started_at > NOON + timedelta(seconds=60)


def test_a_covered_lens_builds_up_from_turn_to_turn() -> None:
    camera = Camera()
    camera.show([], seconds=8, health=COVERED)
    assert wait_for_its_turn(camera, 60) == []
    assert told(camera.show([], seconds=9, health=COVERED)) == [("CAM_COVERED", "opened")]


def test_a_camera_that_goes_away_while_it_waits_is_offline_and_comes_back() -> None:
    camera = Camera()
    camera.show([], seconds=5)
    assert wait_for_its_turn(camera, 130, offline=True) == [("CAM_OFFLINE", "opened")]
    assert wait_for_its_turn(camera, 10) == [("CAM_OFFLINE", "closed")]
