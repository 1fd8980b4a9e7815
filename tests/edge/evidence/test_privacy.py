"""What lies inside a privacy polygon is gone from everything that is stored: proven by pixels."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from kitchen_watch.edge.evidence.movie import write_movie
from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.proof import prove
from kitchen_watch.edge.streams.frame import Image
from tests.edge.evidence.cameras import HEIGHT, WIDTH, at, camera, filled, numbers_in, picture

LOWER_LEFT = ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0))
TRIANGLE = ((0.5, 0.3), (0.9, 0.9), (0.1, 0.9))


def noise(width: int = WIDTH, height: int = HEIGHT) -> Image:
    return np.random.default_rng(7).integers(30, 255, (height, width, 3), dtype=np.uint8)


def inside(
    polygon: tuple[tuple[float, float], ...], width: int, height: int
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    grid = np.zeros((height, width), np.uint8)
    corners = np.array([(x * width, y * height) for x, y in polygon], np.int32)
    cv2.fillPoly(grid, [corners], 1)
    return grid.astype(np.bool_)


@pytest.mark.parametrize("polygon", [LOWER_LEFT, TRIANGLE])
@pytest.mark.parametrize("size", [(320, 192), (321, 193), (64, 48)])
def test_nothing_inside_a_polygon_survives(
    polygon: tuple[tuple[float, float], ...], size: tuple[int, int]
) -> None:
    before = noise(*size)
    after = PrivacyMask([polygon]).burnt(before)
    assert not after[inside(polygon, *size)].any()
    untouched = (after == before).all(axis=2)
    assert untouched.mean() > 1 - inside(polygon, *size).mean() - 0.2
    assert untouched[0, 0] or polygon is not TRIANGLE


def test_the_original_is_not_touched() -> None:
    before = noise()
    kept = before.copy()
    PrivacyMask([LOWER_LEFT]).burnt(before)
    assert (before == kept).all()


def test_without_polygons_nothing_changes() -> None:
    before = noise()
    assert (PrivacyMask().burnt(before) == before).all()


def test_chroma_goes_with_luma() -> None:
    planes = np.random.default_rng(7).integers(30, 240, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    PrivacyMask([TRIANGLE]).burn_yuv420(planes)
    covered = inside(TRIANGLE, WIDTH, HEIGHT)
    assert (planes[:HEIGHT][covered] == 16).all()
    chroma = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    assert (chroma[:, covered[::2, ::2]] == 128).all()


def test_a_clip_is_encoded_again_with_the_area_burnt_into_every_picture(tmp_path: Path) -> None:
    cut = filled(camera()).cut(at(8.0)).take()
    path = tmp_path / "clip.mp4"
    write_movie(cut, path, PrivacyMask([LOWER_LEFT]))
    prove(path, cut.moment_s)
    covered = inside(LOWER_LEFT, WIDTH, HEIGHT)
    pictures = 0
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        for frame in container.decode(video=0):
            shown = np.asarray(frame.to_ndarray(format="bgr24"))
            assert shown[covered].max() < 24  # black, but for the rounding of the codec
            pictures += 1
    assert pictures == 161
    assert list(numbers_in(path)) == list(range(20, 181))  # the rest of the picture is still evidence


def test_the_masked_half_was_not_black_before() -> None:
    assert picture(3)[inside(LOWER_LEFT, WIDTH, HEIGHT)].max() > 100
