"""Whatever a camera shows, in whatever order: what must be true of every violation."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edge.rules.scenario import Camera, seen

from kitchen_watch.edge.rules.observation import HealthFacts, Observation
from kitchen_watch.edge.rules.rule_set import CameraRules
from kitchen_watch.edge.rules.violation import ChangeKind, Violation, ViolationChange
from kitchen_watch.edge.rules.zone import Zone
from kitchen_watch.edge.tracks import Track

FACT = st.sampled_from([None, True, False])
HEALTH = st.none() | st.builds(HealthFacts, covered=FACT, frozen=FACT, moved=FACT, blurred=FACT)
TRACKS = st.lists(
    st.builds(
        lambda label, track_id, x: seen(label, track_id, x=x, travelled=1.0),
        st.sampled_from(["no_hat", "hat", "no_mask", "rat", "cockroach", "person", "cat"]),
        st.integers(0, 4),
        st.sampled_from([0.2, 0.8]),
    ),
    max_size=4,
    unique_by=lambda track: track.track_id,
).map(tuple)
SCENE = st.tuples(
    st.sampled_from(["shown", "shown", "shown", "offline", "stall", "clock_back", "restart"]),
    st.floats(0.2, 20.0),
    TRACKS,
    HEALTH,
)
STORY = st.lists(SCENE, min_size=1, max_size=10)
RULES = CameraRules(
    zones=(Zone(zone_id="left", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1))),),
    rules={"ZONE_INTRUSION": {"zones": ["left"]}, "NO_HAT": {"held_s": 2, "zones": ["left"]}},
)
SHORT = ("CAM_OFFLINE.held_s=10", "NO_MASK.cooldown_s=20", "CAM_BLURRED.held_s=5")


def tell(story: list[tuple[str, float, tuple[Track, ...], HealthFacts | None]]) -> Camera:
    camera = Camera(*SHORT, rules=RULES)
    restarts = 0
    for kind, seconds, tracks, health in story:
        if kind == "shown":
            camera.show(tracks, seconds=seconds, health=health)
        elif kind == "offline":
            camera.lose(seconds)
        elif kind == "stall":
            camera.stall(seconds)
        elif kind == "clock_back":
            camera.at -= timedelta(seconds=seconds)
        else:
            restarts += 1
            book = camera.book
            again = Camera(*SHORT, rules=RULES, at=camera.at, ids=1000 * restarts)
            again.changes = camera.changes
            again.book.resume([*book.open_violations(), *book.recent_violations()], at=camera.at)
            camera = again
    return camera


@settings(max_examples=100, deadline=None)
@given(STORY)
def test_a_violation_opens_once_and_never_two_at_a_time_in_one_place(
    story: list[tuple[str, float, tuple[Track, ...], HealthFacts | None]],
) -> None:
    camera = tell(story)
    open_at: dict[tuple[str, str | None], Violation] = {}
    opened = set()
    for change in camera.changes:
        violation = change.violation
        place = (violation.code, violation.zone_id)
        if change.kind in {ChangeKind.OPENED, ChangeKind.REOPENED}:
            assert place not in open_at
            assert (violation.violation_id in opened) == (change.kind == ChangeKind.REOPENED)
            opened.add(violation.violation_id)
            open_at[place] = violation
        else:
            assert open_at[place].violation_id == violation.violation_id
            if change.kind == ChangeKind.CLOSED:
                assert violation.ended_at == violation.last_seen_at
                del open_at[place]
        if change.kind != ChangeKind.CLOSED:
            assert violation.ended_at is None
        assert violation.started_at <= violation.last_seen_at
        assert 0.0 <= violation.confidence <= 1.0
    assert {violation.violation_id for violation in camera.book.open_violations()} == {
        violation.violation_id for violation in open_at.values()
    }


@settings(max_examples=40, deadline=None)
@given(STORY, st.floats(1.0, 60.0))
def test_what_was_open_before_a_restart_is_the_same_after_it(
    story: list[tuple[str, float, tuple[Track, ...], HealthFacts | None]], seconds: float
) -> None:
    before = tell(story)
    open_before = before.book.open_violations()
    after = Camera(*SHORT, rules=RULES, at=before.at + timedelta(seconds=seconds), ids=10_000)
    after.book.resume(open_before, at=after.at)
    assert {violation.violation_id for violation in after.book.open_violations()} == {
        violation.violation_id for violation in open_before
    }
    changes: list[ViolationChange] = after.show([], seconds=120)
    changes += after.book.finish(after.at)
    assert {change.violation.violation_id for change in changes if change.kind == ChangeKind.CLOSED} == {
        violation.violation_id for violation in open_before
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 30.0), st.booleans()), max_size=40))
def test_the_unknown_never_accuses(steps: list[tuple[float, bool]]) -> None:
    """Good heads, people without visible heads, unknown health: for hours, at any rate."""
    camera = Camera(rules=CameraRules(rules={"NO_HAT": {"held_s": 0.1}, "NO_MASK": {"held_s": 0.1}}))
    known_good = (seen("hat", 1), seen("mask", 2), seen("person", 3, height=0.7))
    for step, visible in steps:
        camera.at += timedelta(seconds=step)
        observation = Observation(
            at=camera.at,
            tracks=known_good if visible else (seen("person", 3, height=0.7),),
            health=HealthFacts(),
        )
        assert camera.book.judge(observation) == ()
