"""Camera health on drawn kitchens with sensor noise, and frozen or still on really encoded video."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from kitchen_watch.edge.streams.frame import Frame, Image
from kitchen_watch.edge.streams.health import HealthMonitor, HealthReading, HealthSettings
from kitchen_watch.edge.streams.replay import FileStream
from tests.edge.streams.media import kitchen, with_clock, with_noise, with_person, write_video

AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
RATE = 5
KITCHEN = kitchen()
BLACK = np.zeros_like(KITCHEN)
HAND = np.asarray(
    np.clip(np.full_like(KITCHEN, (60, 80, 140)) * np.linspace(0.6, 1.2, 640)[None, :, None], 0, 255),
    dtype=np.uint8,
)


def make_frame(pts: float, image: Image, *, cut: bool = False, keyframes: int = 0) -> Frame:
    height, width = image.shape[:2]
    at = AT + timedelta(seconds=pts)
    return Frame("cam", pts, at, image, width, height, lambda: image, cut, keyframes)


class Watched:
    """A health monitor and a camera with sensor noise that shows it whatever a test says."""

    def __init__(self, *, noise: float = 3.0) -> None:
        self.monitor = HealthMonitor(HealthSettings(reference_after=timedelta(seconds=5)))
        self._rng = np.random.default_rng(11)
        self._noise = noise
        self._count = 0

    def show(self, picture: Image, *, seconds: float = 1.0, cut: bool = False) -> HealthReading:
        return self.play(lambda _: picture, seconds=seconds, cut=cut)

    def play(self, picture: Callable[[int], Image], *, seconds: float, cut: bool = False) -> HealthReading:
        reading = None
        for _ in range(round(seconds * RATE)):
            image = with_noise(picture(self._count), self._rng, self._noise)
            keyframes = self._count // 10 + 1
            frame = make_frame(self._count / RATE, image, cut=cut or self._count == 0, keyframes=keyframes)
            cut = False
            self._count += 1
            reading = self.monitor.observe(frame)
        assert reading is not None
        return reading


@pytest.fixture
def watched() -> Watched:
    """A camera that has long been looking at its kitchen."""
    camera = Watched()
    camera.show(KITCHEN, seconds=7)
    return camera


def shifted(picture: Image, x: int, y: int = 0) -> Image:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT), dtype=np.uint8)


def turned(picture: Image, degrees: float) -> Image:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), dtype=np.uint8
    )


def infrared(picture: Image) -> Image:
    """The same room lit by the camera's own infrared lamp: no colour, bright in the middle."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    lamp = np.exp(-(((x - 320) / 300) ** 2 + ((y - 180) / 200) ** 2)) * 1.2
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) * lamp
    return np.asarray(np.repeat(np.clip(gray, 0, 255)[..., None], 3, axis=2), dtype=np.uint8)


def blurred(picture: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def healthy(reading: HealthReading) -> bool:
    return not (reading.covered or reading.frozen or reading.moved or reading.blurred)


def test_before_a_reference_exists_moving_is_unknown(watched: Watched) -> None:
    reading = Watched().show(KITCHEN, seconds=4)
    assert reading.moved is None
    assert reading.blurred is None
    assert reading.covered is False
    assert watched.monitor.reference() is not None


@pytest.mark.parametrize(
    "picture",
    [
        lambda _: KITCHEN,
        lambda n: with_clock(KITCHEN, f"2026-03-02 12:00:{n // 5 % 60:02d}"),
        lambda n: with_person(KITCHEN, n * 9 % 640, height=260),
        lambda _: with_person(with_person(KITCHEN, 200, height=330), 420, height=330),
        lambda _: kitchen(light=0.5),
        lambda _: kitchen(light=0.2),
        lambda _: infrared(KITCHEN),
        lambda _: shifted(KITCHEN, 3),
        lambda _: np.asarray(KITCHEN * 0.5 + 100, dtype=np.uint8),
    ],
    ids=["same", "clock", "walking", "close", "dim", "dark", "infrared", "trembling", "thin steam"],
)
def test_daily_life_is_no_fault(watched: Watched, picture: Callable[[int], Image]) -> None:
    reading = watched.play(picture, seconds=7)
    assert healthy(reading), reading
    assert reading.moved is False


@pytest.mark.parametrize(
    "picture",
    [
        lambda _: BLACK,
        lambda n: with_clock(BLACK, f"2026-03-02 12:00:{n // 5 % 60:02d}"),
        lambda _: HAND,
        lambda n: with_clock(HAND, f"2026-03-02 12:00:{n // 5 % 60:02d}"),
    ],
    ids=["black", "black with clock", "hand", "hand with clock"],
)
def test_a_covered_camera_is_covered_and_nothing_else(
    watched: Watched, picture: Callable[[int], Image]
) -> None:
    reading = watched.play(picture, seconds=8)
    assert reading.covered is True
    assert (reading.frozen, reading.moved, reading.blurred) == (None, None, None)
    back = watched.show(KITCHEN, seconds=5)
    assert healthy(back)
    assert back.moved is False


def test_a_camera_that_starts_black_is_covered_without_any_reference() -> None:
    assert Watched().show(BLACK, seconds=2).covered is True


@pytest.mark.parametrize(
    "picture",
    [
        shifted(KITCHEN, 30, 10),
        shifted(KITCHEN, 200),
        turned(KITCHEN, 6),
        np.ascontiguousarray(np.rot90(kitchen((360, 640), seed=77))),
    ],
    ids=["nudged", "turned aside", "tilted", "another scene"],
)
def test_a_moved_camera(watched: Watched, picture: Image) -> None:
    assert watched.show(picture, seconds=8).moved is True
    assert watched.show(KITCHEN, seconds=8).moved is False


def test_a_moved_camera_is_still_moved_after_a_reconnect_and_right_after_a_new_reference(
    watched: Watched,
) -> None:
    elsewhere = shifted(KITCHEN, 40)
    assert watched.show(elsewhere, seconds=8, cut=True).moved is True
    watched.monitor.set_reference(elsewhere)
    assert watched.show(elsewhere, seconds=3).moved is False


def test_a_reference_kept_over_a_restart_shows_that_the_camera_was_moved_meanwhile(
    watched: Watched,
) -> None:
    kept = watched.monitor.reference()
    assert kept is not None
    restarted = Watched()
    restarted.monitor.set_reference(kept)
    assert restarted.show(shifted(KITCHEN, 40), seconds=5).moved is True


@pytest.mark.parametrize("sigma", [2.0, 3.0, 5.0])
def test_a_greasy_lens_is_blurred_in_bright_and_in_dim_light(watched: Watched, sigma: float) -> None:
    assert watched.show(blurred(KITCHEN, sigma), seconds=6).blurred is True
    assert watched.show(blurred(kitchen(light=0.4), sigma), seconds=6).blurred is True
    clear = watched.show(KITCHEN, seconds=6)
    assert clear.blurred is False
    assert clear.sharpness == pytest.approx(1.0, abs=0.1)


# --- frozen or still: really encoded -----------------------------------------------------------

NIGHT = infrared(kitchen(light=0.35))
ENCODERS = {
    "constant quality": {"preset": "veryfast", "crf": "26"},
    "coarse": {"preset": "veryfast", "crf": "38"},
    "bit rate with a floor": {"preset": "veryfast", "b": "150000", "qmin": "24"},
}


def encoded(path: Path, pictures: Iterable[Image], encoder: str) -> list[HealthReading]:
    """The readings of 5 pictures a second through H.264 with a keyframe every two seconds."""
    write_video(path, pictures, rate=RATE, gop=10, options={**ENCODERS[encoder], "sc_threshold": "0"})
    monitor = HealthMonitor()
    return [monitor.observe(frame) for frame in FileStream(path, RATE, (640, 384), AT).frames()]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_a_still_night_kitchen_is_never_frozen(tmp_path: Path, encoder: str, noise: float) -> None:
    rng = np.random.default_rng(1)
    pictures = (with_noise(NIGHT, rng, noise) for _ in range(40 * RATE))
    readings = encoded(tmp_path / "night.mp4", pictures, encoder)
    assert not any(reading.frozen for reading in readings)


def test_that_night_has_stretches_in_which_nothing_at_all_changes(tmp_path: Path) -> None:
    """What makes the test above hard: between keyframes the decoded pictures are identical."""
    rng = np.random.default_rng(1)
    path = tmp_path / "night.mp4"
    pictures = (with_noise(NIGHT, rng, 0.7) for _ in range(8 * RATE))
    write_video(path, pictures, rate=RATE, gop=10, options=ENCODERS["coarse"])
    images = [frame.image for frame in FileStream(path, RATE, (640, 384), AT).frames()]
    same = [np.array_equal(a, b) for a, b in pairwise(images)]
    assert sum(same) > len(same) / 2


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("light", [1.0, 0.35])
def test_a_hanging_camera_is_frozen_even_while_its_clock_runs(
    tmp_path: Path, encoder: str, light: float
) -> None:
    rng = np.random.default_rng(1)
    stuck = with_noise(kitchen(light=light), rng, 2.0)

    def pictures() -> Iterable[Image]:
        for _ in range(5 * RATE):
            yield with_noise(kitchen(light=light), rng, 2.0)
        for index in range(40 * RATE):
            yield with_clock(stuck, f"2026-03-02 12:00:{index // RATE:02d}")

    readings = encoded(tmp_path / "hanging.mp4", pictures(), encoder)
    assert not any(reading.frozen for reading in readings[: 15 * RATE])
    # The encoder empties its look-ahead over the file's last pictures, as no camera does.
    assert all(reading.frozen for reading in readings[-15 * RATE : -5 * RATE])


def test_a_frozen_camera_recovers_with_the_first_living_picture() -> None:
    camera = Watched(noise=0)
    assert camera.show(KITCHEN, seconds=25).frozen is True
    living = with_noise(KITCHEN, np.random.default_rng(3), 2.0)
    assert camera.show(living, seconds=0.2).frozen is False


def test_something_small_that_moves_before_a_noiseless_background_is_life() -> None:
    camera = Watched(noise=0)

    def mouse(count: int) -> Image:
        picture = KITCHEN.copy()
        cv2.circle(picture, (100 + count * 3 % 400, 200), 6, (40, 40, 40), -1)
        return picture

    assert camera.play(mouse, seconds=40).frozen is False


def test_without_knowledge_of_keyframes_sameness_must_last_a_minute() -> None:
    monitor = HealthMonitor()
    readings = []
    for index in range(70 * RATE):
        readings.append(monitor.observe(make_frame(index / RATE, KITCHEN)))
    assert not any(reading.frozen for reading in readings[: 59 * RATE])
    assert readings[-1].frozen is True


@pytest.mark.parametrize("size", [(64, 36), (100, 60), (320, 240), (512, 384), (642, 362)])
def test_any_size_of_picture_can_be_read(size: tuple[int, int]) -> None:
    image = kitchen((max(size[0], 120), max(size[1], 100)))[: size[1], : size[0]]
    monitor = HealthMonitor()
    for index in range(30):
        reading = monitor.observe(make_frame(index / RATE, image, keyframes=index))
    assert 0 <= reading.luma <= 255
