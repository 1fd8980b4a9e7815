"""The drawn kitchens: the same every time, dark where they should be dark, alive where nothing moves."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from kitchen_watch.demo import photographs
from kitchen_watch.demo.canvas import HEIGHT, WIDTH, lettering
from kitchen_watch.demo.sample_cameras import SAMPLE_CAMERAS
from kitchen_watch.demo.scene import Figure, Scene, SceneSettings, Step
from kitchen_watch.demo.schedule import Film

RATE = 12
CAMERAS = {camera.camera_id: camera for camera in SAMPLE_CAMERAS}


def test_the_same_moment_always_looks_the_same() -> None:
    settings = CAMERAS["demo-stove"].scene

    assert np.array_equal(Scene(settings).luma_chroma(70, RATE), Scene(settings).luma_chroma(70, RATE))


def test_pictures_are_planar_yuv_of_the_promised_size() -> None:
    picture = Scene(CAMERAS["demo-cold-dishes"].scene).luma_chroma(0, RATE)

    assert picture.shape == (HEIGHT * 3 // 2, WIDTH)
    assert picture.dtype == np.uint8


def test_the_night_is_dark_and_colourless_but_its_noise_lives() -> None:
    night = Scene(CAMERAS["demo-store"].scene)
    first, second = night.luma_chroma(0, RATE), night.luma_chroma(1, RATE)
    below_the_counter = np.s_[80:HEIGHT]

    assert first[:HEIGHT].mean() < 90
    assert (first[HEIGHT:] == 128).all()
    # Nothing moves, yet a working sensor never gives the same picture twice.
    assert (first[below_the_counter] != second[below_the_counter]).mean() > 0.5


def test_a_covered_lens_goes_black_and_comes_back() -> None:
    covered = Scene(CAMERAS["demo-cold-dishes"].films[Film.COVERED])
    seconds = covered.settings.seconds
    brightness = [
        covered.luma_chroma(int(second * RATE), RATE)[80:HEIGHT].mean() for second in (0, 3, seconds)
    ]

    assert brightness[0] > 120
    assert brightness[1] < 32
    assert brightness[2] > 120


@pytest.mark.parametrize("camera_id", sorted(CAMERAS))
def test_loops_have_no_seam(camera_id: str) -> None:
    settings = replace(CAMERAS[camera_id].scene, noise=0.0)
    scene = Scene(settings)
    last = scene.picture(round(settings.seconds * RATE), RATE)[80:]
    first = scene.picture(0, RATE)[80:]

    assert np.abs(last.astype(int) - first).mean() < 1.5


def test_a_figure_walks_evenly_and_waits() -> None:
    figure = Figure("astronaut", 0.5, (Step(0, 0.2), Step(4, 0.6), Step(8, 0.6), Step(10, 0.2)))

    assert figure.x_at(0) == pytest.approx(0.2)
    assert figure.x_at(2) == pytest.approx(0.4)
    assert figure.x_at(6) == pytest.approx(0.6)
    assert figure.x_at(99) == pytest.approx(0.2)


def test_a_figure_stands_behind_the_worktop_and_leaves_the_rest_alone() -> None:
    empty = SceneSettings(room="stove", title="", seconds=8, noise=0.0)
    person = replace(empty, figures=(Figure("astronaut", 0.5, (Step(0, 0.5), Step(8, 0.5))),))

    changed = (
        np.abs(Scene(person).picture(0, RATE).astype(int) - Scene(empty).picture(0, RATE).astype(int)).max(
            axis=2
        )
        > 24
    )
    rows, columns = np.nonzero(changed)

    assert 100 < rows.min() < 200
    assert rows.max() < 620
    assert WIDTH * 0.3 < columns.min() < columns.max() < WIDTH * 0.7


def test_the_jacket_is_white_and_the_face_keeps_its_colour() -> None:
    cook = photographs.astronaut()
    hsv = cv2.cvtColor(cook.picture, cv2.COLOR_BGR2HSV)
    height = hsv.shape[0]

    assert hsv[int(height * 0.85), 60, 1] < 40
    assert hsv[90:130, 190:220, 1].mean() > 50


def test_chinese_titles_are_letters_and_not_empty_boxes() -> None:
    words = [lettering(word, 40) for word in ("灶台", "切配", "库房")]

    assert all(word.max() == 255 for word in words)
    assert not np.array_equal(words[0], words[1])
    # A missing letter would be drawn as the same box every time.
    box = lettering("\uffff\uffff", 40)
    assert all(word.shape != box.shape or not np.array_equal(word, box) for word in words)
