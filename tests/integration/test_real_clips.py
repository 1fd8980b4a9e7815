"""The shipped model and rules on real video: scenes without people or animals accuse nobody."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from kitchen_watch import cli
from kitchen_watch.edge.scoring import load_truth
from tests.support import CLIPS, require

ACCUSATIONS = {"RODENT", "COCKROACH", "NO_HAT", "NO_MASK"}
EMPTY_SCENES = ("empty_apartment_pan.mp4", "intel_bottle_no_person.mp4")
SHORT_CLIPS = ("--rule", "NO_HAT.held_s=1", "--rule", "NO_MASK.held_s=1")


def _json_lines(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> list[dict[str, Any]]:
    monkeypatch.setattr(sys, "argv", ["kitchen-watch", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


@pytest.mark.integration
@pytest.mark.thorough  # half a minute
def test_real_clips_are_scored_and_nobody_is_accused_where_nobody_is(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    require(path=CLIPS / "events.yaml", why="real clips lie beside the checkout only where they may be used")
    lines = _json_lines(capfd, monkeypatch, "score", str(CLIPS), "--json", *SHORT_CLIPS)
    truth = load_truth(CLIPS / "events.yaml")
    seen = {str(line["clip"]): line["violations"] for line in lines if "clip" in line}
    assert set(seen) == set(truth)
    for empty in EMPTY_SCENES:
        assert not [item for item in seen[empty] if item["code"] in ACCUSATIONS], empty
    scores = {str(line["code"]): line for line in lines if "code" in line}
    assert set(scores) == ACCUSATIONS
    assert scores["NO_HAT"]["truth_intervals"] == sum(len(clip.no_hat) for clip in truth.values())


@pytest.mark.integration
def test_a_replayed_clip_gives_the_same_lines_again(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = CLIPS / "one_person_puts_on_mask.mp4"
    require(path=clip, why="real clips lie beside the checkout only where they may be used")
    command = ("replay", str(clip), "--json", *SHORT_CLIPS)
    first = _json_lines(capfd, monkeypatch, *command)
    assert "NO_HAT" in {line["code"] for line in first}
    assert _json_lines(capfd, monkeypatch, *command) == first
