"""Photos of a rectification: checked, re-encoded without anything hidden in them, compared by look."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import structlog
from PIL import ExifTags, Image, ImageStat, UnidentifiedImageError

from kitchen_watch.errors import InvalidRequest, NotFound

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 60_000_000
MIN_SIDE = 240
LONGEST_SIDE = 2560
QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")
SAME_LOOK = 6
"""Bits of 64 by which two pictures may differ and still be the same one, saved or cropped anew."""
BLANK = 3.0
"""Standard deviation of brightness (0..255) below which a picture shows nothing."""
_TURNS = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
"""By what EXIF calls the orientation."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept: JPEG bytes without EXIF, its size, hash and look (16 hex digits)."""

    content: bytes
    width: int
    height: int
    sha256: str
    look: str


def prepare(content: bytes) -> Photo:
    """Decode, turn upright, scale down and encode anew; nothing of the original file remains.

    Raises:
        InvalidRequest: it is not a JPEG, PNG or WebP picture, too large, too small, or blank.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(f"The photo is larger than {MAX_BYTES // 1024 // 1024} MB. Take a smaller one.")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InvalidRequest("The photo has too many pixels. Take a smaller one.")
            if min(opened.size) < MIN_SIDE:
                raise InvalidRequest(f"The photo is smaller than {MIN_SIDE} pixels. Take a larger one.")
            picture = _upright(opened)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise InvalidRequest("This is not a photo that can be read. Send a JPEG, PNG or WebP file.") from None
    if ImageStat.Stat(picture.convert("L")).stddev[0] < BLANK:
        raise InvalidRequest("The photo shows nothing: it is one plain colour. Take another.")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)  # a new picture: EXIF, comments and profiles stay behind
    encoded = io.BytesIO()
    clean.save(encoded, "JPEG", quality=QUALITY, optimize=True)
    kept = encoded.getvalue()
    return Photo(kept, clean.width, clean.height, hashlib.sha256(kept).hexdigest(), look_of(clean))


def _upright(opened: Image.Image) -> Image.Image:
    """In RGB, turned as its EXIF says. Nothing else of the EXIF is touched: Pillow's own way writes it anew,
    and fails with all kinds of errors over tags that a phone wrote badly."""
    try:
        turn = _TURNS.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
    except (TypeError, LookupError, struct.error):  # no number
        turn = None
    picture = opened.convert("RGB")
    return picture if turn is None else picture.transpose(turn)


def look_of(picture: Image.Image) -> str:
    """Difference hash: of 9 x 8 grey points, whether each is brighter than its right neighbour."""
    points = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            left = points[row * 9 + column]
            bits = bits << 1 | (left > points[row * 9 + column + 1])
    return f"{bits:016x}"


def looks_alike(one: str, other: str) -> bool:
    """Whether two looks are those of the same picture."""
    return (int(one, 16) ^ int(other, 16)).bit_count() <= SAME_LOOK


def store(directory: Path, photo: Photo) -> None:
    """Write the photo under the name of its hash; durable when this returns."""
    path = path_of(directory, photo.sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{photo.sha256}.{secrets.token_hex(4)}")
    with draft.open("wb") as file:
        file.write(photo.content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def path_of(directory: Path, sha256: str) -> Path:
    """Where a photo lies."""
    return directory / sha256[:2] / sha256


def kept(directory: Path, sha256: str) -> Path:
    """Where a photo lies that is to be shown.

    Raises:
        NotFound: its file is lost, whatever the database says.
    """
    path = path_of(directory, sha256)
    if not path.is_file():
        log.error("a photo is missing on the disk", path=str(path))
        raise NotFound("There is no such picture.")
    return path
