"""Looking again before accusing: who is looked at, how often, and what it takes to agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from kitchen_watch.edge.detect.crop import crop_around
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.scheduler import StreamStatistics
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.opening import open_rules
from kitchen_watch.edge.pipeline import Analysis
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.rules.violation import ChangeKind, ViolationChange
from kitchen_watch.edge.second_look import SecondLook, SecondLookSettings
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.edge.tracks import Opinion, Track
from kitchen_watch.events import ModelUsed

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HEAD = Box(0.45, 0.2, 0.5, 0.3)
PERSON = Detection("person", 0.9, Box(0.3, 0.1, 0.6, 0.95))
SURE = Detection("no_hat", 0.9, HEAD)
SUSPECT = Detection("no_hat", 0.6, HEAD, firm=False, suspect=True)
WEAK = Detection("no_hat", 0.3, HEAD, firm=False)

Answer = Callable[[int], Detection | None]
"""What the n-th crop shows at the head's place."""

ANALYSED = np.random.default_rng(3).integers(60, 200, (360, 640, 3), dtype=np.uint8)
FULL = np.random.default_rng(4).integers(60, 200, (1080, 1920, 3), dtype=np.uint8)


class Detector:
    """Sees the same in every frame; crops (anything that is not the analysed size) get ``answer``."""

    model = ModelUsed(name="double", version="1", sha256="0" * 64)
    labels = ("person", "hat", "no_hat", "rat")

    def __init__(self, frame: Sequence[Detection], answer: Answer) -> None:
        self.crops: list[Image] = []
        self.streams: set[str] = set()
        self.frame, self._answer = tuple(frame), answer

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        self.streams.add(frame.stream_id)
        if frame.image.shape == ANALYSED.shape:
            return self.frame
        self.crops.append(frame.image)
        shown = self._answer(len(self.crops) - 1)
        if shown is None:
            return ()
        there = crop_around(HEAD, 1920, 1080, least=64).inside(HEAD)
        return (replace(shown, box=there),)

    def statistics(self) -> dict[str, StreamStatistics]:
        return {}

    async def close(self) -> None:
        return None


def _frame(second: float) -> Frame:
    return Frame(
        stream_id="cam-1", pts=second, captured_at=NOON + timedelta(seconds=second), image=ANALYSED,
        width=1920, height=1080, full=lambda: FULL, discontinuity=second == 0,
    )  # fmt: skip


def _analysis(
    detector: Detector, settings: SecondLookSettings | None = None, mask: PrivacyMask | None = None
) -> Analysis:
    rules = open_rules(None, changes={}).check_labels(detector.labels).rule_set
    return build_analysis(
        detector=detector,
        health=HealthMonitor(),
        rules=RuleBook("cam-1", rules),
        settings=AnalysisSettings(second_look=settings or SecondLookSettings()),
        mask=mask,
    )


async def _watch(
    detector: Detector,
    *,
    seconds: float = 14,
    settings: SecondLookSettings | None = None,
    mask: PrivacyMask | None = None,
) -> list[ViolationChange]:
    analysis = _analysis(detector, settings, mask)
    changes: list[ViolationChange] = []
    for number in range(round(seconds * 5)):
        seen = await analysis.look(_frame(number / 5))
        assert seen is not None
        changes += [change for change in seen.changes if change.violation.code == "NO_HAT"]
    return changes


async def test_a_sure_bare_head_is_accused_once_the_second_look_agrees() -> None:
    detector = Detector((PERSON, SURE), lambda _: SURE)
    first, *_ = await _watch(detector)
    assert first.kind is ChangeKind.OPENED
    assert first.violation.detail == "Second look at no_hat: 5 of 5 agree, surest 0.90."
    assert first.violation.parameters["second_look"] is True


async def test_a_second_look_that_sees_a_hat_acquits() -> None:
    hat = Detection("hat", 0.9, HEAD)
    assert await _watch(Detector((PERSON, SURE), lambda _: hat)) == []


async def test_a_second_look_that_sees_nothing_accuses_nobody() -> None:
    assert await _watch(Detector((PERSON, SURE), lambda _: None), seconds=40) == []


async def test_a_suspicion_that_larger_crops_confirm_surely_is_accused() -> None:
    changes = await _watch(Detector((PERSON, SUSPECT), lambda _: SURE))
    assert [change.kind for change in changes][:1] == [ChangeKind.OPENED]


async def test_suspicions_alone_never_add_up_to_certainty() -> None:
    assert await _watch(Detector((PERSON, SUSPECT), lambda _: SUSPECT), seconds=60) == []


async def test_a_suspicion_is_neither_shown_nor_kept_as_evidence_before_it_is_confirmed() -> None:
    answers: tuple[tuple[Answer, bool], ...] = ((lambda _: SUSPECT, False), (lambda _: SURE, True))
    for answer, shown in answers:
        detector = Detector((PERSON, SUSPECT), answer)
        analysis = _analysis(detector)
        for number in range(30):
            seen = await analysis.look(_frame(number / 5))
        assert seen is not None
        assert ("no_hat" in {track.label for track in seen.tracks}) is shown


async def test_what_is_less_than_a_suspicion_is_not_even_looked_at() -> None:
    detector = Detector((PERSON, WEAK), lambda _: SURE)
    assert await _watch(detector) == []
    assert detector.crops == []


async def test_without_second_looks_firm_sightings_accuse_alone_and_suspicions_nobody() -> None:
    off = SecondLookSettings(enabled=False)
    assert await _watch(Detector((PERSON, SUSPECT), lambda _: SURE), settings=off) == []
    sure = Detector((PERSON, SURE), lambda _: None)
    assert (await _watch(sure, settings=off))[0].kind is ChangeKind.OPENED
    assert sure.crops == []


async def test_one_look_in_three_that_disagrees_is_too_many() -> None:
    answers = (SURE, SURE, None)
    assert await _watch(Detector((PERSON, SURE), lambda n: answers[n % 3]), seconds=9) == []
    changes = await _watch(Detector((PERSON, SURE), lambda n: None if n == 0 else SURE))
    assert changes[0].kind is ChangeKind.OPENED


async def test_an_undecided_head_is_looked_at_ever_more_rarely() -> None:
    detector = Detector((PERSON, SURE), lambda _: None)
    await _watch(detector, seconds=60)
    assert 30 <= len(detector.crops) <= 36, "five looks in 3 s, then one every 2 s"


async def test_an_open_violation_needs_no_more_looks() -> None:
    detector = Detector((PERSON, SURE), lambda _: SURE)
    await _watch(detector, seconds=12)
    looks = len(detector.crops)
    again = Detector((PERSON, SURE), lambda _: SURE)
    await _watch(again, seconds=60)
    assert len(again.crops) == looks


async def test_crops_come_from_the_undiminished_picture_without_private_areas() -> None:
    detector = Detector((PERSON, SURE), lambda _: SURE)
    left = PrivacyMask([((0.0, 0.0), (0.46, 0.0), (0.46, 1.0), (0.0, 1.0))])
    await _watch(detector, seconds=2, mask=left)
    crop = crop_around(HEAD, 1920, 1080, least=64)
    shown = detector.crops[0]
    assert shown.shape == crop.cut(FULL).shape
    inner = round(0.46 * 1920) - crop.x1
    assert len(np.unique(shown[:, : inner - 4])) <= 1, "burnt"
    assert np.array_equal(shown[:, inner + 4 :], crop.cut(FULL)[:, inner + 4 :])
    assert detector.streams == {"cam-1"}, "in its camera's own turn"


def _track(number: int, x: float) -> Track:
    box = Box(x, 0.2, x + 0.03, 0.26)
    return Track(number, "head", "no_hat", 0.9, box, NOON, NOON, 5)


async def test_a_crowd_is_looked_at_in_turn_within_the_bound() -> None:
    detector = Detector((), lambda _: None)
    looks = SecondLook(detector, SecondLookSettings(per_second=2, every_s=0.5))
    crowd = [_track(number, 0.02 + 0.19 * number) for number in range(5)]
    everybody = {track.track_id for track in crowd}
    seen: dict[int, Opinion] = {}
    for number in range(15):
        seen.update(await looks.opinions(_frame(number / 5), crowd, suspects=everybody))
    assert looks.looks == 6, "two a second for three seconds"
    assert set(seen) == everybody, "each of the five had a turn"


async def test_a_head_and_a_face_in_one_crop_cost_one_look() -> None:
    detector = Detector((), lambda _: SURE)
    looks = SecondLook(detector)
    head = _track(1, 0.45)
    face = replace(head, track_id=2, group="face", label="no_mask", box=Box(0.452, 0.21, 0.478, 0.26))
    opinions = await looks.opinions(_frame(0), [head, face], suspects={1, 2})
    assert (looks.looks, opinions[1].looks, opinions[2].looks) == (1, 1, 1)


async def test_a_head_that_changes_its_state_is_judged_anew() -> None:
    looks = SecondLook(Detector((), lambda _: SURE))
    bare = replace(_track(1, 0.45), box=HEAD)
    for number in range(10):
        opinions = await looks.opinions(_frame(number / 5), [bare], suspects={1})
    assert opinions[1].agrees
    await looks.opinions(_frame(2.0), [replace(bare, label="hat")], suspects=set())
    opinions = await looks.opinions(_frame(2.2), [bare], suspects={1})
    assert not opinions[1].agrees
