"""A new model looks along: bounded, in turn over the cameras, and without a word in any alert."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from kitchen_watch.cli import app
from kitchen_watch.clock import ManualClock
from kitchen_watch.edge.detect.detection import Box, Detection
from kitchen_watch.edge.detect.scheduler import StreamStatistics
from kitchen_watch.edge.shadow.settings import ShadowSettings
from kitchen_watch.edge.shadow.watching import DIRECTORY, ShadowWatch
from kitchen_watch.edge.streams.frame import Frame
from kitchen_watch.errors import DetectorError
from kitchen_watch.events import ModelUsed
from tests.backend.support import NOON

CURRENT = ModelUsed(name="kitchen", version="1", sha256="a" * 64)
NEW = ModelUsed(name="kitchen", version="2", sha256="b" * 64)
HEAD = Box(0.4, 0.3, 0.5, 0.4)
BARE, CAPPED = Detection("no_hat", 0.9, HEAD), Detection("hat", 0.8, HEAD)


class NewModel:
    """Sees a cap on every head."""

    model = NEW
    labels = ("hat", "no_hat")

    def __init__(self, *, broken: bool = False) -> None:
        self.looked: list[str] = []
        self.broken = broken
        self.closed = False

    async def detect(self, frame: Frame) -> tuple[Detection, ...] | None:
        self.looked.append(frame.stream_id)
        if self.broken:
            raise DetectorError("The model cannot be run.")
        return (CAPPED,)

    def statistics(self) -> dict[str, StreamStatistics]:
        return {}

    async def close(self) -> None:
        self.closed = True


@dataclass
class Seen:
    frame: Frame
    detections: tuple[Detection, ...]


def seen(camera: str = "cam-1", *found: Detection) -> Seen:
    image = np.full((96, 160, 3), 90, np.uint8)
    frame = Frame(camera, 0.0, NOON, image, 160, 96, lambda: image)
    return Seen(frame, found or (BARE,))


def watch(tmp_path: Path, model: NewModel, clock: ManualClock, **settings: float) -> ShadowWatch:
    chosen = ShadowSettings.model_validate(settings)
    return ShadowWatch(model, chosen, tmp_path, current=CURRENT, clock=clock)


async def test_a_difference_is_kept_with_its_picture(tmp_path: Path) -> None:
    shadow = watch(tmp_path, NewModel(), ManualClock(NOON))
    shadow.saw(seen())
    await shadow.settle()
    (one,) = shadow.diary.account.differences
    assert [(sight.by, sight.label) for sight in one.sights] == [("current", "no_hat"), ("shadow", "hat")]
    kept = cv2.imread(str(tmp_path / DIRECTORY / NEW.sha256[:12] / one.picture))
    assert kept is not None
    assert kept.shape == (96, 160, 3)
    assert shadow.diary.account.labels["hat"].only_shadow == 1


async def test_agreement_is_counted_and_no_picture_kept(tmp_path: Path) -> None:
    shadow = watch(tmp_path, NewModel(), ManualClock(NOON))
    shadow.saw(seen("cam-1", CAPPED))
    await shadow.settle()
    assert shadow.diary.account.labels["hat"].both == 1
    assert list(tmp_path.rglob("*.jpg")) == []


async def test_no_more_than_one_frame_in_five_seconds_and_cameras_in_turn(tmp_path: Path) -> None:
    clock, model = ManualClock(NOON), NewModel()
    shadow = watch(tmp_path, model, clock, every_s=5)
    for _ in range(100):  # twenty seconds of two cameras at five frames a second
        for camera in ("cam-1", "cam-2"):
            shadow.saw(seen(camera))
            await shadow.settle()
        clock.advance(timedelta(seconds=0.2))
    assert len(model.looked) == 4
    assert model.looked.count("cam-1") == model.looked.count("cam-2") == 2


async def test_the_oldest_differences_go_first(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    shadow = watch(tmp_path, NewModel(), clock, keep=3, every_s=1)
    for _ in range(8):
        shadow.saw(seen())
        await shadow.settle()
        clock.advance(timedelta(seconds=1.5))
    assert [one.number for one in shadow.diary.account.differences] == [6, 7, 8]
    assert len(list(tmp_path.rglob("*.jpg"))) == 3


async def test_the_account_outlives_a_restart_and_starts_anew_with_another_model_in_force(
    tmp_path: Path,
) -> None:
    for frames in (1, 2):
        shadow = watch(tmp_path, NewModel(), ManualClock(NOON))
        shadow.saw(seen())
        await shadow.settle()
        assert shadow.diary.account.frames == frames
    other = CURRENT.model_copy(update={"sha256": "c" * 64})
    anew = ShadowWatch(NewModel(), ShadowSettings(), tmp_path, current=other, clock=ManualClock(NOON))
    assert anew.diary.account.frames == 0


async def test_a_shadow_model_that_fails_stops_nothing(tmp_path: Path) -> None:
    model = NewModel(broken=True)
    shadow = watch(tmp_path, model, ManualClock(NOON))
    shadow.saw(seen())
    await shadow.close()
    assert (shadow.diary.account.failures, model.closed) == (1, True)


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    shadow = watch(tmp_path, NewModel(), ManualClock(NOON))
    shadow.saw(seen())
    await shadow.settle()
    return tmp_path


def test_differences_are_listed_and_drawn(kept: Path, tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["shadow", "list", "--data-dir", str(kept), "--json"])
    assert json.loads(listed.stdout.splitlines()[0])["camera_id"] == "cam-1"
    drawn = CliRunner().invoke(
        app, ["shadow", "report", "--data-dir", str(kept), "--to", str(tmp_path / "page")]
    )
    assert drawn.exit_code == 0, drawn.output
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "no_hat 0.90" in page
    picture = cv2.imread(str(tmp_path / "page" / "00000001.jpg"))
    assert picture is not None
    assert (picture.max(axis=(0, 1)) > 120).any(), "boxes are drawn"


def test_nothing_to_list_is_said_in_words(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["shadow", "list", "--data-dir", str(tmp_path)])
    assert answer.exit_code != 0
    assert "shadow.model" in str(answer.exception)
