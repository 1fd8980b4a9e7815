"""Small movements in a quiet kitchen are looked at in full resolution; busy or restless scenes are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import cv2
import numpy as np
import pytest

from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.scheduler import StreamStatistics
from kitchen_watch.edge.detect.settings import DetectorSettings
from kitchen_watch.edge.looking import build_analysis
from kitchen_watch.edge.motion_tiles import MotionTiles, MotionTileSettings
from kitchen_watch.edge.opening import open_judgement
from kitchen_watch.edge.rules.judge import RuleBook
from kitchen_watch.edge.settings import AnalysisSettings
from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor
from kitchen_watch.events import ModelUsed
from tests.support import DETECT, require

NIGHT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
FLOOR = np.random.default_rng(2).integers(90, 96, (1080, 1920, 3), dtype=np.uint8)
RAT_PX = 36
COOK = Detection("person", 0.9, Box(0.1, 0.1, 0.3, 0.9))
BLOB = 230


class Detector:
    """Finds every bright blob in a crop, and calls it what the test says."""

    model = ModelUsed(name="double", version="1", sha256="0" * 64)
    labels = ("person", "rat")

    def __init__(self, label: str = "rat", *, busy: bool = False) -> None:
        self.tiles: list[Image] = []
        self._label, self._busy = label, busy

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        self.tiles.append(frame.image)
        if self._busy:
            return None
        height, width = frame.image.shape[:2]
        _, _, stats, _ = cv2.connectedComponentsWithStats((frame.image[:, :, 0] > BLOB).astype(np.uint8))
        return tuple(
            Detection(self._label, 0.9, Box(x / width, y / height, (x + w) / width, (y + h) / height))
            for x, y, w, h, _ in stats[1:].tolist()
        )

    def statistics(self) -> dict[str, StreamStatistics]:
        return {}

    async def close(self) -> None:
        return None


def _frame(number: int, *blobs: tuple[int, int, int]) -> Frame:
    """A floor with bright squares (x, y, side) in pixels of the camera."""
    full = FLOOR.copy()
    for x, y, side in blobs:
        full[y : y + side, x : x + side] = 255
    small = np.asarray(cv2.resize(full, (640, 360), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Frame(
        stream_id="cam-1", pts=number / 5, captured_at=NIGHT + timedelta(seconds=number / 5), image=small,
        width=1920, height=1080, full=lambda: full, discontinuity=number == 0,
    )  # fmt: skip


async def _run(
    tiles: MotionTiles, frames: Sequence[Frame], seen: Sequence[Detection] = ()
) -> list[list[Detection]]:
    return [[one for one in await tiles.look(frame, seen) if one not in seen] for frame in frames]


def _running(count: int, side: int = RAT_PX) -> list[Frame]:
    return [_frame(number, (300 + 40 * number, 800, side)) for number in range(count)]


async def test_what_runs_across_an_empty_kitchen_is_found_where_it_is() -> None:
    detector = Detector()
    found = await _run(MotionTiles(detector, ("rat",)), _running(5))
    assert found[0] == [], "one frame alone shows no movement"
    for number, animals in enumerate(found[1:], start=1):
        (rat,) = animals
        x, y = 300 + 40 * number, 800
        assert rat.box == pytest.approx(
            (x / 1920, y / 1080, (x + RAT_PX) / 1920, (y + RAT_PX) / 1080), abs=1e-3
        )
    assert {tile.shape[1] for tile in detector.tiles} == {640}, "as sharp as the camera has it"


async def test_a_still_kitchen_costs_no_tile() -> None:
    detector = Detector()
    await _run(MotionTiles(detector, ("rat",)), [_frame(n, (300, 800, RAT_PX)) for n in range(10)])
    assert detector.tiles == []


async def test_among_people_no_tile_is_cut_unless_the_kitchen_is_closed() -> None:
    detector = Detector()
    assert not any(await _run(MotionTiles(detector, ("rat",)), _running(5), [COOK]))
    assert detector.tiles == []
    closed = MotionTiles(detector, ("rat",), closed=lambda _: True)
    assert any(await _run(closed, _running(5), [COOK]))


async def test_light_that_goes_on_is_no_swarm_of_rats() -> None:
    detector = Detector()
    dark, bright = _frame(0), _frame(1)
    bright.image[:] = 200
    await _run(MotionTiles(detector, ("rat",)), [dark, bright])
    assert detector.tiles == []


async def test_something_as_large_as_a_door_is_no_small_animal() -> None:
    detector = Detector()
    await _run(MotionTiles(detector, ("rat",)), [_frame(0), _frame(1, (600, 500, 350))])
    assert detector.tiles == []


async def test_what_lies_still_beside_the_movement_is_not_taken_from_the_tile() -> None:
    frames = [_frame(n, (300 + 40 * n, 800, RAT_PX), (500, 600, RAT_PX)) for n in range(4)]
    found = await _run(MotionTiles(Detector(), ("rat",)), frames)
    assert all(len(animals) == 1 and animals[0].box.y1 > 0.7 for animals in found[1:])


async def test_only_the_wanted_labels_are_taken() -> None:
    assert not any(await _run(MotionTiles(Detector("no_hat"), ("rat",)), _running(5)))


async def test_tiles_per_second_are_bounded() -> None:
    detector = Detector()
    await _run(MotionTiles(detector, ("rat",), MotionTileSettings(per_second=2)), _running(16))
    assert 6 <= len(detector.tiles) <= 7


async def test_a_model_that_is_busy_leaves_what_was_seen() -> None:
    tiles = MotionTiles(Detector(busy=True), ("rat",))
    assert await _run(tiles, _running(3)) == [[], [], []]


@pytest.mark.integration
@pytest.mark.thorough  # half a minute
async def test_small_pasted_rats_are_found_only_with_tiles_and_scraps_of_rooms_never() -> None:
    require(path=DETECT, why="rats and rooms to paste together")
    from benchmarks.pasted_rats import scenes

    judgement = open_judgement(detector_settings=DetectorSettings(threads=1, streams=1))
    found = {}
    for kind, rats, tiles in (("without", True, False), ("with", True, True), ("decoys", False, True)):
        found[kind] = 0
        for scene in scenes(DETECT, [60, 84], rats=rats):
            analysis = build_analysis(
                detector=judgement.detector,
                health=HealthMonitor(),
                rules=RuleBook("pasted", judgement.rule_set),
                settings=AnalysisSettings(motion_tiles=MotionTileSettings(enabled=tiles)),
            )
            seen = [await analysis.look(frame) for frame in islice(scene.frames(), 12)]
            codes = {change.violation.code for one in seen if one for change in one.changes}
            found[kind] += "RODENT" in codes
    await judgement.detector.close()
    assert found["with"] > found["without"]
    assert found["decoys"] == 0


async def test_a_running_clock_costs_few_tiles_and_hides_nothing_that_runs_past_it() -> None:
    clock = [(1800, 40, 30 + 10 * (number % 2)) for number in range(60)]
    nothing_there, found = Detector("hat"), Detector("rat")
    tiles = MotionTiles(nothing_there, ("rat",))
    await _run(tiles, [_frame(number, clock[number]) for number in range(60)])
    assert 8 < tiles.looks < 16, "often at first, then every other second"
    tiles._detector = found
    passing = [_frame(60 + number, clock[number], (1500 + 60 * number, 60, RAT_PX)) for number in range(6)]
    assert sum(len(one) for one in await _run(tiles, passing)) >= 4


async def test_a_rat_that_stays_in_one_place_is_looked_at_again_and_again() -> None:
    tiles = MotionTiles(Detector(), ("rat",))
    frames = [_frame(number, (1000 + 15 * (number % 2), 800, RAT_PX)) for number in range(40)]
    found = await _run(tiles, frames)
    assert sum(bool(one) for one in found) >= 38
