"""The shipped model and rules on real video: scenes without people or animals accuse nobody."""

from __future__ import annotations

import json
import sys

import pytest

from kitchen_watch import cli
from kitchen_watch.edge.scoring import load_truth
from tests.support import CLIPS, require

ACCUSATIONS = {"RODENT", "COCKROACH", "NO_HAT", "NO_MASK"}
SHORT_CLIPS = ("--rule", "NO_HAT.held_s=1", "--rule", "NO_MASK.held_s=1")


def _json_lines(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> list[dict[str, object]]:
    monkeypatch.setattr(sys, "argv", ["kitchen-watch", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["empty_apartment_pan.mp4", "intel_bottle_no_person.mp4"])
def test_nobody_is_accused_where_nobody_is(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require(path=CLIPS / name, why="real clips lie beside the checkout only where they may be used")
    violations = _json_lines(capfd, monkeypatch, "replay", str(CLIPS / name), "--json", *SHORT_CLIPS)
    assert not [violation for violation in violations if violation["code"] in ACCUSATIONS]


@pytest.mark.integration
def test_the_scorer_prints_precision_and_recall_of_every_code(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require(path=CLIPS / "events.yaml", why="real clips lie beside the checkout only where they may be used")
    lines = _json_lines(capfd, monkeypatch, "score", str(CLIPS), "--json", *SHORT_CLIPS)
    scores = {str(line["code"]): line for line in lines}
    assert set(scores) == ACCUSATIONS
    truth = load_truth(CLIPS / "events.yaml")
    assert scores["NO_HAT"]["truth_intervals"] == sum(len(clip.no_hat) for clip in truth.values())
    for line in scores.values():
        assert line["wrong"] == 0, f"an accusation without ground: {line}"
