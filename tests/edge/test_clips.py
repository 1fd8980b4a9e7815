"""Real clips through the shipped model and rules, held times shortened as for scoring."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from kitchen_watch.edge.detect.detection import Detector
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.opening import Judgement, open_judgement
from kitchen_watch.edge.replay import ReplayResult, replay_file
from kitchen_watch.edge.scoring import CodeScore, Found, load_truth, score, total
from tests.support import CLIPS, require

SHORT = ("NO_HAT.held_s=1", "NO_MASK.held_s=1")
pytestmark = pytest.mark.integration


@pytest.fixture
async def judgement() -> AsyncIterator[Judgement]:
    require(path=CLIPS, why="real clips to look at")
    opened = open_judgement(overrides=SHORT, detector_settings=DetectorSettings(threads=1, streams=1))
    yield opened
    await opened.detector.close()


async def _replay(name: str, judgement: Judgement) -> ReplayResult:
    detector: Detector = judgement.detector
    return await replay_file(CLIPS / name, detector=detector, rule_set=judgement.rule_set)


@pytest.mark.parametrize("name", ["intel_bottle_no_person.mp4", "empty_apartment_pan.mp4"])
async def test_rooms_without_people_and_animals_raise_nothing(name: str, judgement: Judgement) -> None:
    assert (await _replay(name, judgement)).violations == ()


async def test_bare_heads_and_rats_are_found_with_second_looks_behind_them(judgement: Judgement) -> None:
    truth = load_truth(CLIPS / "events.yaml")
    scores: list[dict[str, CodeScore]] = []
    for name in ("home_kitchen_woman_nohat_static.mp4", "rat_litter_tray_dpkseq.mp4"):
        result = await _replay(name, judgement)
        details = [violation.detail or "" for violation in result.violations]
        assert all(detail.startswith("Second look at ") for detail in details)
        found = [
            Found(str(line["code"]), float(str(line["started_s"])), float(str(line["ended_s"])))
            for line in result.as_json()
        ]
        scores.append(score(truth[name], found))
    summed = total(scores)
    assert (summed["NO_HAT"].hit, summed["RODENT"].hit) == (1, 1)
    assert [value.wrong for value in summed.values()] == [0, 0, 0, 0]
