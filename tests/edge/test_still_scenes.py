"""Frames of a still, empty scene are left out; whatever changes is looked at in the frame that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import cv2
import numpy as np
import pytest

from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.scheduler import StreamStatistics
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.opening import fit_rules, open_rules
from kitchen_watch.edge.pipeline import Analysis, Seen
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.still_scenes import StillGate, StillSceneSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.events import ModelUsed
from tests.edge.streams.media import kitchen, with_clock, with_noise
from tests.support import DETECT, require

NIGHT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
KITCHEN = kitchen()
NOISE = 1.2
"""Of the analysed picture; a sensor's 2 grey levels are less after scaling."""


def _frame(number: int, picture: Image, *, noise: float = NOISE, seed: int = 1) -> Frame:
    rng = np.random.default_rng((seed, number))
    image = with_noise(picture, rng, noise)
    return Frame(
        stream_id="cam-1", pts=number / 5, captured_at=NIGHT + timedelta(seconds=number / 5), image=image,
        width=640, height=360, full=lambda: image, discontinuity=number == 0,
    )  # fmt: skip


def _ask(gate: StillGate, frames: Sequence[Frame], *, calm: bool = True) -> list[bool]:
    """What the gate leaves out when the model finds nothing in what it sees."""
    left_out = []
    for frame in frames:
        left_out.append(gate.leaves_out(frame, calm=calm))
        if not left_out[-1]:
            gate.looked(frame.captured_at, empty=True)
    return left_out


def _still(count: int, since: int = 0) -> list[Frame]:
    return [_frame(since + number, KITCHEN) for number in range(count)]


def test_a_still_kitchen_is_hardly_looked_at() -> None:
    left_out = _ask(StillGate(), _still(200))
    assert not any(left_out[:25]), "first the noise of this camera is learnt"
    assert sum(left_out[40:]) >= 0.93 * 160
    looks = [number for number, out in enumerate(left_out) if not out and number > 40]
    assert all(later - earlier <= 26 for earlier, later in pairwise(looks))


@pytest.mark.parametrize("side", [4, 6, 10])
def test_the_first_frame_with_something_small_in_it_is_looked_at(side: int) -> None:
    """Four pixels of the analysed picture are twelve of the camera's."""
    gate = StillGate()
    _ask(gate, _still(60))
    running = []
    for number in range(15):
        picture = KITCHEN.copy()
        x = 60 + number * side
        picture[300 : 300 + side, x : x + side] = 40
        running.append(_frame(60 + number, picture))
    assert not any(_ask(gate, running))


def test_what_comes_too_slowly_to_be_a_movement_is_looked_at_too() -> None:
    gate = StillGate()
    _ask(gate, _still(60))
    slow = []
    for number in range(150):
        picture = KITCHEN.astype(np.float32)
        picture[200:260, 300:360] += 60 * number / 150
        slow.append(_frame(60 + number, np.clip(picture, 0, 255).astype(np.uint8)))
    left_out = _ask(gate, slow)
    assert not all(left_out[:60]), "long before it is fully there"
    assert sum(not out for out in left_out) > 30


def test_a_running_clock_stops_counting_and_blinds_nothing_else() -> None:
    gate = StillGate()
    clocked = [
        _frame(number, with_clock(KITCHEN, f"2026-03-02 18:00:{number // 5 % 60:02}"))
        for number in range(250)
    ]
    left_out = _ask(gate, clocked)
    assert sum(left_out[150:]) >= 0.85 * 100
    picture = with_clock(KITCHEN, "2026-03-02 18:00:50")
    picture[300:308, 300:312] = 30
    assert _ask(gate, [_frame(250, picture)]) == [False]


def test_where_everything_is_restless_nothing_is_left_out() -> None:
    rng = np.random.default_rng(3)
    steam = []
    for number in range(150):
        picture = KITCHEN.copy()
        for _ in range(60):
            x, y = int(rng.integers(0, 620)), int(rng.integers(0, 340))
            cv2.circle(picture, (x, y), 8, (240, 240, 240), -1)
        steam.append(_frame(number, picture))
    assert not any(_ask(StillGate(), steam))


def test_while_something_is_open_or_was_found_every_frame_is_looked_at() -> None:
    assert not any(_ask(StillGate(), _still(80), calm=False))
    gate = StillGate()
    for frame in _still(80):
        assert not gate.leaves_out(frame, calm=True)
        gate.looked(frame.captured_at, empty=False)


def test_after_a_reconnect_the_picture_is_learnt_anew() -> None:
    gate = StillGate()
    assert any(_ask(gate, _still(60)))
    again = [_frame(number, KITCHEN) for number in range(24)]  # the first is a discontinuity
    assert not any(_ask(gate, again))


def test_a_scene_that_the_model_did_not_get_to_see_is_not_called_empty() -> None:
    """An overloaded model answers nothing; the gate must not take that for an empty kitchen."""
    gate = StillGate()
    assert not any(gate.leaves_out(frame, calm=True) for frame in _still(80))


class Model:
    """Finds a person wherever the picture is bright in the middle."""

    model = ModelUsed(name="double", version="1", sha256="0" * 64)
    labels = ("person", "no_hat", "rat")

    def __init__(self) -> None:
        self.seen = 0

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        self.seen += 1
        if frame.image[180, 320].mean() > 240:
            return (Detection("person", 0.9, Box(0.4, 0.3, 0.6, 0.9)),)
        return ()

    def statistics(self) -> dict[str, StreamStatistics]:
        return {}

    async def close(self) -> None:
        return None


def _analysis(model: Model, *, gated: bool = True) -> Analysis:
    rule_set = fit_rules(open_rules(None, changes={}), model.labels)[0]
    return build_analysis(
        detector=model, health=HealthMonitor(), rules=RuleBook("cam-1", rule_set),
        settings=AnalysisSettings(still_scenes=StillSceneSettings(enabled=True)), gated=gated,
    )  # fmt: skip


async def _look(analysis: Analysis, frames: Sequence[Frame]) -> list[Seen]:
    return [seen for frame in frames if (seen := await analysis.look(frame)) is not None]


async def test_a_person_who_comes_in_and_stands_still_is_looked_at_all_the_time() -> None:
    model = Model()
    analysis = _analysis(model)
    empty = await _look(analysis, _still(100))
    assert sum(seen.still for seen in empty) > 50
    assert model.seen + sum(seen.still for seen in empty) >= 100
    person = KITCHEN.copy()
    person[100:330, 280:360] = 250
    standing = await _look(analysis, [_frame(100 + number, person) for number in range(60)])
    assert not any(seen.still for seen in standing)
    assert all(seen.detections for seen in standing)


async def test_files_are_looked_at_in_full() -> None:
    model = Model()
    seen = await _look(_analysis(model, gated=False), _still(80))
    assert not any(one.still for one in seen)


@pytest.mark.thorough  # ten to twenty seconds
def test_no_frame_with_a_rat_of_its_true_size_is_left_out() -> None:
    """Real rats in real empty kitchens; the whole proof with the model is benchmarks/still_scenes.py."""
    require(path=DETECT, why="labelled pictures of rats and kitchens")
    from benchmarks.pasted_rats import FRAMES, scenes

    (scene,) = scenes(DETECT, [15], rats=True)
    left_out = _ask(StillGate(), list(scene.frames(empty=40)))
    assert sum(left_out[:40]) >= 10
    assert not any(left_out[40 : 40 + FRAMES])
