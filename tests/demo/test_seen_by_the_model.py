"""What the shipped model sees in the sample cameras: bare heads and faces, a hat, and no rat in the cat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from kitchen_watch.demo.rendering import render
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.demo.scene import Scene
from kitchen_watch.edge.detect.opening import open_detector
from kitchen_watch.edge.opening import open_judgement
from kitchen_watch.edge.replay import replay_file
from kitchen_watch.resources import shipped

pytestmark = pytest.mark.integration

CAMERAS = {camera.camera_id: camera for camera in SAMPLE_CAMERAS}
RATE = 12

STEP_S = 0.5
HELD = round(3.0 / STEP_S)

Steadiest = Callable[[str, str], float]


@pytest.fixture(scope="module")
def steadiest() -> Steadiest:
    """In which share of the pictures of its best three seconds a label is seen firmly, by camera."""
    detector = open_detector(shipped("models/kitchen-yolo26n.onnx"))
    seen: dict[str, list[set[str]]] = {}

    def look(camera_id: str, label: str) -> float:
        if camera_id not in seen:
            scene = Scene(CAMERAS[camera_id].scene)
            seen[camera_id] = []
            for second in np.arange(0, scene.settings.seconds, STEP_S):
                whole = scene.picture(round(second * RATE), RATE)
                picture = cv2.resize(whole, (640, 360), interpolation=cv2.INTER_AREA)
                (detections,) = detector.infer([np.asarray(picture, np.uint8)])
                seen[camera_id].append({found.label for found in detections if found.firm})
        hits = [label in labels for labels in seen[camera_id]]
        return max(sum(hits[start : start + HELD]) for start in range(len(hits) - HELD + 1)) / HELD

    return look


@pytest.mark.parametrize("camera_id", ["demo-stove", "demo-washing"])
def test_the_bare_head_is_seen_long_enough_for_the_rule(steadiest: Steadiest, camera_id: str) -> None:
    assert steadiest(camera_id, "person") > 0.9
    assert steadiest(camera_id, "no_hat") >= 0.7


def test_the_bare_face_is_seen_and_the_hat_accuses_nobody(steadiest: Steadiest) -> None:
    assert steadiest("demo-preparation", "no_mask") >= 0.7
    assert steadiest("demo-preparation", "no_hat") < 0.7


def test_the_cat_is_nobody_and_hardly_ever_a_rat_at_first_sight(steadiest: Steadiest) -> None:
    assert steadiest("demo-store", "rat") < 0.5
    assert steadiest("demo-store", "person") == 0


@pytest.mark.thorough  # ten to twenty seconds
async def test_the_cat_raises_no_alert(tmp_path: Path) -> None:
    film = tmp_path / "store.mp4"
    render(CAMERAS["demo-store"].scene, film)
    judgement = open_judgement(model=None, rules_file=None, overrides=[])
    try:
        seen = await replay_file(film, detector=judgement.detector, rule_set=judgement.rule_set)
    finally:
        await judgement.detector.close()
    assert seen.frames_analysed > 50
    assert seen.violations == ()
