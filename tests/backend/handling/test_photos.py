"""Photos as phones really write them: turned upright, with whatever else stands in their EXIF."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from kitchen_watch.backend.handling.photos import prepare


def photo(orientation: int, *, tag: bytes = b"") -> bytes:
    """Black on the left, white elsewhere, 400 x 300 as stored; ``tag`` is one more entry of its EXIF."""
    picture = Image.new("L", (400, 300))
    picture.paste(255, (100, 0, 400, 300))
    entries = [struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0), *([tag] if tag else [])]
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    encoded = io.BytesIO()
    exif = b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory
    picture.save(encoded, "JPEG", exif=exif)
    return encoded.getvalue()


def darker_side(content: bytes) -> str:
    picture = Image.open(io.BytesIO(content)).convert("L")
    width, height = picture.size
    spots = {
        "left": (4, height // 2), "right": (width - 4, height // 2),
        "top": (width // 2, 4), "bottom": (width // 2, height - 4),
    }  # fmt: skip
    dark = [side for side, spot in spots.items() if picture.getpixel(spot) < 20]  # type: ignore[operator]
    return dark[0]


@pytest.mark.parametrize(
    ("orientation", "dark", "size"),
    [
        (1, "left", (400, 300)), (2, "right", (400, 300)), (3, "right", (400, 300)), (4, "left", (400, 300)),
        (5, "top", (300, 400)), (6, "top", (300, 400)), (7, "bottom", (300, 400)), (8, "bottom", (300, 400)),
        (0, "left", (400, 300)), (99, "left", (400, 300)),
    ],
)  # fmt: skip
def test_a_photo_is_kept_upright(orientation: int, dark: str, size: tuple[int, int]) -> None:
    kept = prepare(photo(orientation))
    assert (kept.width, kept.height) == size
    assert darker_side(kept.content) == dark


@pytest.mark.parametrize(
    "tag",
    [
        struct.pack(">HHIHH", 0x010F, 3, 1, 7, 0),  # the maker is a number
        struct.pack(">HHI4s", 0x011A, 2, 3, b"72\0\0"),  # the resolution is a text
        struct.pack(">HHI4s", 0x0131, 5, 1, b"\0\0\0\x08"),  # the program is a fraction
    ],
)
def test_a_badly_written_tag_of_a_turned_photo_is_nobodys_mistake(tag: bytes) -> None:
    kept = prepare(photo(6, tag=tag))
    assert (kept.width, kept.height) == (300, 400)
    assert not Image.open(io.BytesIO(kept.content)).getexif()


def test_an_orientation_that_is_no_number_turns_nothing() -> None:
    content = photo(1).replace(struct.pack(">HHI", 0x0112, 3, 1), struct.pack(">HHI", 0x0112, 2, 1))
    assert prepare(content).width == 400
