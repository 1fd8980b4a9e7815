"""Who took a picture, and when, burnt into it: so that one that leaves the house says where it came from."""

from __future__ import annotations

import io
from datetime import datetime
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from kitchen_watch.errors import Conflict

QUALITY = 90
MAX_PIXELS = 40_000_000
MAX_SIDE = 8192
"""The slanting lines need a square as wide as the diagonal: a long strip would ask for gigabytes."""
_SIMPLIFIED = 2
"""Place of Noto Sans CJK SC in the font collection."""
SMALLEST = 12
FAINT = 70
"""Opacity (0..255) of the lines across the picture."""


def marked(jpeg: bytes, *, viewer: str, camera: str, at: datetime, zone: ZoneInfo) -> bytes:
    """``jpeg`` with a band below it that names all, and the viewer faintly across the picture.

    Raises:
        Conflict: the edge sent no picture that can be read.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as opened:
            if opened.width * opened.height > MAX_PIXELS or max(opened.size) > MAX_SIDE:
                raise Conflict("The edge sent a picture that is too large.")
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise Conflict("The edge sent no picture that can be read.") from None
    when = f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    size = max(SMALLEST, picture.width // 45)
    band = round(size * 1.8)
    whole = Image.new("RGB", (picture.width, picture.height + band), (24, 26, 30))
    whole.paste(_crossed(picture, f"{viewer}  {when}", size), (0, 0))
    pen = ImageDraw.Draw(whole)
    text = _fitting(f"{camera}  {when}  {viewer}", size, picture.width - size)
    pen.text(
        (size // 2, picture.height + band / 2), text, font=_font(size), fill=(255, 255, 255), anchor="lm"
    )
    buffer = io.BytesIO()
    whole.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _crossed(picture: Image.Image, text: str, size: int) -> Image.Image:
    """The text again and again at a slant, too faint to hide anything, too often to be cut off."""
    side = round((picture.width**2 + picture.height**2) ** 0.5)
    sheet = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen, font = ImageDraw.Draw(sheet), _font(size)
    step = round(font.getlength(text) * 1.4)
    for row, y in enumerate(range(0, side, size * 7)):
        for x in range(-(row % 2) * step // 2, side, step):
            pen.text((x + 1, y + 1), text, font=font, fill=(0, 0, 0, FAINT))
            pen.text((x, y), text, font=font, fill=(255, 255, 255, FAINT))
    turned = sheet.rotate(20, resample=Image.Resampling.BILINEAR)
    left, top = (side - picture.width) // 2, (side - picture.height) // 2
    layer = turned.crop((left, top, left + picture.width, top + picture.height))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _fitting(text: str, size: int, width: int) -> str:
    font = _font(size)
    if font.getlength(text) <= width:
        return text
    while len(text) > 1 and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _font(size: int) -> ImageFont.FreeTypeFont:
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415 - only when a picture is taken

    return ImageFont.truetype(str(FONT_PATH), size, index=_SIMPLIFIED)
