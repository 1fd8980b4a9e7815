"""The piece of a snapshot around the box that somebody has judged.

Nobody has judged the rest of the picture: other heads in it may be bare or not. So only the
surroundings of the judged box leave the backend, and other boxes of the same kind that reach into
them are painted grey, as undecided heads are in the training data.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from PIL import Image, ImageDraw, UnidentifiedImageError

from kitchen_watch.errors import EvidenceMissing

Box = tuple[float, float, float, float]

SURROUNDINGS = 3.0
"""Half the cut's side in sides of the box: a head with its shoulders, a rat with its floor."""
LEAST_SIDE = 160
"""Pixels; smaller cuts show the detector nothing it would meet."""
GREY = (114, 114, 114)
QUALITY = 92


def cut(content: bytes, box: Box, others: Iterable[Box]) -> tuple[bytes, Box]:
    """The surroundings of ``box`` (xyxy in 0..1) as JPEG, and the box within them, in 0..1.

    Raises:
        EvidenceMissing: the snapshot is not a picture that can be read.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise EvidenceMissing("The snapshot cannot be read as a picture.") from error
    width, height = picture.size
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    half = max(LEAST_SIDE / 2, SURROUNDINGS * max(right - left, bottom - top))
    middle = ((left + right) / 2, (top + bottom) / 2)
    frame = (
        max(0, int(middle[0] - half)), max(0, int(middle[1] - half)),
        min(width, int(middle[0] + half) + 1), min(height, int(middle[1] + half) + 1),
    )  # fmt: skip
    judged = picture.crop((int(left), int(top), int(right) + 1, int(bottom) + 1))
    brush = ImageDraw.Draw(picture)
    for other in others:
        brush.rectangle((other[0] * width, other[1] * height, other[2] * width, other[3] * height), fill=GREY)
    picture.paste(judged, (int(left), int(top)))  # a neighbour that overlaps hides nothing of it
    encoded = io.BytesIO()
    piece = picture.crop(frame)
    piece.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue(), (
        (left - frame[0]) / piece.width, (top - frame[1]) / piece.height,
        (right - frame[0]) / piece.width, (bottom - frame[1]) / piece.height,
    )  # fmt: skip
