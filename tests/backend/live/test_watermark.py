"""A picture that leaves the house says who took it; one that would cost gigabytes is refused."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from kitchen_watch.backend.live.watermark import MAX_SIDE, marked
from kitchen_watch.errors import Conflict
from tests.backend.support import NOON


def photo(width: int, height: int) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(encoded, "JPEG")
    return encoded.getvalue()


def mark(jpeg: bytes) -> Image.Image:
    content = marked(jpeg, viewer="甲老板", camera="灶台", at=NOON, zone=ZoneInfo("Asia/Shanghai"))
    return Image.open(io.BytesIO(content))


def test_a_band_below_and_faint_lines_across_are_added() -> None:
    whole = mark(photo(640, 360))
    assert whole.width == 640
    assert whole.height > 360
    assert len({whole.getpixel((x, 180)) for x in range(640)}) > 1


@pytest.mark.parametrize("jpeg", [photo(MAX_SIDE + 1, 8), photo(8, MAX_SIDE + 1), b"", b"\xff\xd8\xff"])
def test_strips_and_what_is_no_picture_are_refused(jpeg: bytes) -> None:
    with pytest.raises(Conflict):
        mark(jpeg)
