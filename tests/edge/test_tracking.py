from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.tracking import Tracker, TrackerSettings
from kitchen_watch.edge.tracks import Track

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ASPECT = 16 / 9


def found(
    label: str,
    x: float,
    y: float = 0.3,
    *,
    width: float = 0.04,
    height: float = 0.08,
    confidence: float = 0.8,
    firm: bool = True,
) -> Detection:
    return Detection(
        label, confidence, Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), firm
    )


def play(
    tracker: Tracker,
    frames: Iterable[Iterable[Detection]],
    *,
    since: datetime = START,
    step: float = 0.2,
) -> list[tuple[Track, ...]]:
    return [
        tracker.update(detections, at=since + timedelta(seconds=step * (number + 1)), aspect=ASPECT)
        for number, detections in enumerate(frames)
    ]


def ids(played: Iterable[Iterable[Track]], group: str = "") -> set[int]:
    return {track.track_id for tracks in played for track in tracks if group in {"", track.group}}


def test_a_head_keeps_its_identity_when_its_hat_comes_off() -> None:
    played = play(Tracker(), [[found("hat" if n < 10 else "no_hat", 0.5 + n * 0.002)] for n in range(20)])
    assert len(ids(played)) == 1
    assert [track.label for (track,) in played[1:]] == ["hat"] * 9 + ["no_hat"] * 10
    (last,) = played[-1]
    assert last.group == "head"
    assert last.hits == 20
    assert last.first_seen_at <= START + timedelta(seconds=0.4)


def test_a_track_begins_with_the_second_sighting() -> None:
    played = play(Tracker(), [[found("rat", 0.5)], [found("rat", 0.51)]])
    assert played[0] == ()
    assert len(played[1]) == 1


def test_one_false_flash_never_becomes_a_track() -> None:
    frames = [[found("rat", 0.5)] if n == 5 else [] for n in range(20)]
    assert ids(play(Tracker(), frames)) == set()


def test_a_head_behind_a_pan_for_a_second_is_the_same_head() -> None:
    def frames() -> Iterable[list[Detection]]:
        for n in range(40):
            yield [] if 15 <= n < 20 else [found("no_hat", 0.3 + n * 0.003)]

    assert len(ids(play(Tracker(), frames()))) == 1


def test_a_head_that_is_away_for_long_is_another_track() -> None:
    frames = [[found("no_hat", 0.3)] if n < 10 or n >= 40 else [] for n in range(50)]
    assert len(ids(play(Tracker(), frames))) == 2


def test_a_head_may_move_further_than_its_own_width_between_two_frames() -> None:
    frames = [[found("no_hat", 0.1 + n * 0.045)] for n in range(18)]
    assert len(ids(play(Tracker(), frames))) == 1


def test_two_cooks_who_cross_keep_their_identities() -> None:
    frames = [
        [
            found("person", 0.2 + n * 0.015, 0.5, width=0.1, height=0.5),
            found("person", 0.8 - n * 0.015, 0.56, width=0.1, height=0.5),
        ]
        for n in range(40)
    ]
    played = play(Tracker(), frames)
    assert len(ids(played)) == 2
    first = {track.track_id: track.box.centre[0] for track in played[1]}
    last = {track.track_id: track.box.centre[0] for track in played[-1]}
    for track_id, x in first.items():
        assert (last[track_id] > x) == (x < 0.5), "each went on in the direction in which it came"


def test_weak_detections_carry_a_track_but_are_not_shown_to_the_rules() -> None:
    frames = [[found("no_hat", 0.5, firm=n < 5 or n >= 25, confidence=0.3)] for n in range(30)]
    played = play(Tracker(TrackerSettings(lost_s=1.0)), frames)
    assert len(ids(played)) == 1
    assert all(tracks == () for tracks in played[5:25])


def test_weak_detections_alone_never_make_a_track() -> None:
    frames = [[found("rat", 0.5, firm=False, confidence=0.3)] for _ in range(30)]
    assert ids(play(Tracker(), frames)) == set()


def test_a_head_that_is_called_bare_and_covered_at_once_is_unknown() -> None:
    frames = [
        [found("no_hat", 0.5, confidence=0.6), found("hat", 0.5, confidence=0.55 if n >= 10 else 0.2)]
        for n in range(20)
    ]
    played = play(Tracker(), frames)
    assert all(len(tracks) == 1 for tracks in played[1:10])
    assert all(tracks == () for tracks in played[10:])


def test_a_face_and_a_head_in_one_place_are_two_things() -> None:
    played = play(Tracker(), [[found("hat", 0.5), found("no_mask", 0.5)] for _ in range(5)])
    assert {track.group for track in played[-1]} == {"head", "face"}
    assert len(ids(played)) == 2


def test_a_label_of_a_users_own_model_is_a_group_by_itself() -> None:
    played = play(Tracker(), [[found("cigarette", 0.5)] for _ in range(5)])
    assert [(track.group, track.label) for track in played[-1]] == [("cigarette", "cigarette")]


def test_a_box_that_trembles_has_not_travelled() -> None:
    frames = [[found("rat", 0.5 + (0.004 if n % 2 else -0.004))] for n in range(500)]
    (track,) = play(Tracker(), frames)[-1]
    assert track.travelled == 0.0


def test_a_toy_half_hidden_by_a_leg_now_and_then_has_not_travelled() -> None:
    whole = found("rat", 0.5, width=0.1)
    left_half = found("rat", 0.475, width=0.05)
    frames = [[left_half if n % 8 < 4 else whole] for n in range(80)]
    (track,) = play(Tracker(), frames)[-1]
    assert track.travelled == 0.0


def test_a_rat_that_runs_has_travelled_as_far_as_it_ran() -> None:
    frames = [[found("rat", 0.1 + n * 0.02, 0.9, width=0.05, height=0.05)] for n in range(30)]
    (track,) = play(Tracker(), frames)[-1]
    assert 0.5 < track.travelled <= 0.58


def test_ids_go_on_counting_over_resets() -> None:
    tracker = Tracker()
    before = play(tracker, [[found("hat", 0.5), found("person", 0.5)] for _ in range(5)])
    tracker.reset()
    after = play(tracker, [[found("hat", 0.5)] for _ in range(5)], since=START + timedelta(seconds=10))
    assert ids(before).isdisjoint(ids(after))
    assert len(ids(after)) == 1


def test_a_clock_set_back_starts_anew_without_confusion() -> None:
    tracker = Tracker()
    before = play(tracker, [[found("hat", 0.5)] for _ in range(5)])
    after = play(tracker, [[found("hat", 0.5)] for _ in range(5)], since=START - timedelta(hours=1))
    assert ids(before).isdisjoint(ids(after))
    assert len(ids(after)) == 1


def test_uneven_times_between_frames_lose_nobody() -> None:
    tracker = Tracker()
    seconds = 0.0
    seen = []
    for n in range(60):
        seconds += (0.05, 0.2, 0.9, 0.1)[n % 4]
        detections = [found("no_hat", 0.1 + seconds * 0.02)]
        seen.append(tracker.update(detections, at=START + timedelta(seconds=seconds), aspect=ASPECT))
    assert len(ids(seen)) == 1


ANY = st.builds(
    found,
    st.sampled_from(["person", "hat", "no_hat", "mask", "no_mask", "rat", "dog"]),
    st.floats(0.05, 0.95),
    st.floats(0.05, 0.95),
    confidence=st.floats(0.1, 1.0),
    firm=st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(ANY, max_size=6), max_size=15))
def test_in_every_frame_ids_differ_and_only_what_was_firmly_seen_is_shown(
    frames: list[list[Detection]],
) -> None:
    labels: dict[int, str] = {}
    for detections, tracks in zip(frames, play(Tracker(), frames), strict=True):
        assert len({track.track_id for track in tracks}) == len(tracks)
        firm = {(one.label, one.confidence, one.box) for one in detections if one.firm}
        for track in tracks:
            assert (track.label, track.confidence, track.box) in firm
            assert labels.setdefault(track.track_id, track.group) == track.group
