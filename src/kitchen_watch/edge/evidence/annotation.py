"""Boxes, names and times drawn on a picture, so that a person sees at once what was seen where.

Drawn by Pillow with Noto Sans CJK (simplified Chinese), at the picture's full resolution. The
caption goes into a band below the picture, so that it hides nothing of the evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

import cv2
import numpy as np
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from kitchen_watch.edge.streams.frame import Image
from kitchen_watch.events import DetectionSeen

_SIMPLIFIED = 2
"""Place of Noto Sans CJK SC in the font collection."""
SMALLEST_TEXT = 14
"""Pixels; below it Chinese characters cannot be told apart."""

Colour = tuple[int, int, int]
TIER_COLOURS: dict[int, Colour] = {1: (214, 40, 40), 2: (245, 130, 32), 3: (250, 204, 21)}
OTHERS: Colour = (225, 225, 225)
BAND: Colour = (24, 26, 30)
WHITE: Colour = (255, 255, 255)
DARK: Colour = (20, 20, 20)

LABELS = {
    "person": "人员",
    "head": "头部",
    "hat": "已戴帽",
    "no_hat": "未戴帽",
    "face": "面部",
    "mask": "已戴口罩",
    "no_mask": "未戴口罩",
    "rat": "老鼠",
    "cockroach": "蟑螂",
    "cat": "猫",
    "dog": "狗",
    "smoking": "抽烟",
    "cigarette": "香烟",
    "phone": "手机",
    "uniform": "工作服",
    "no_uniform": "未穿工作服",
    "glove": "手套",
    "no_glove": "未戴手套",
    "fire": "明火",
    "water": "积水",
}


@dataclass(frozen=True, slots=True)
class Caption:
    """What the band below an annotated picture says. ``tier`` (1 to 3) chooses the colour."""

    camera_name: str
    code: str
    name_zh: str
    name_en: str
    tier: int
    at: datetime
    zone: tzinfo
    detail: str | None = None

    def lines(self) -> tuple[str, str]:
        """The two lines of the band."""
        local = self.at.astimezone(self.zone)
        time = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%z}"
        names = " ".join(name for name in (self.name_zh, self.name_en) if name)
        second = " · ".join(part for part in (time, self.detail) if part)
        return f"{names} · {self.code} · {self.camera_name}", second


def annotate(
    image: Image, detections: Sequence[DetectionSeen], offenders: Collection[int], caption: Caption
) -> Image:
    """``image`` (BGR, height x width x 3) with boxes and, below it, a band: a new, taller BGR picture.

    Detections whose ``track_id`` is among ``offenders`` stand out in the tier's colour.
    """
    height, width = image.shape[:2]
    size = max(SMALLEST_TEXT, round(height / 34))
    lines = caption.lines()
    line_height = round(size * 1.5)
    margin = round(size * 0.5)
    canvas = Pillow.new("RGB", (width, height + 2 * line_height + margin), BAND)
    canvas.paste(Pillow.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)), (0, 0))
    pen = ImageDraw.Draw(canvas)
    colour = TIER_COLOURS.get(caption.tier, TIER_COLOURS[3])
    for detection in sorted(detections, key=lambda seen: seen.track_id in offenders):
        blamed = detection.track_id in offenders
        _draw_box(
            pen, detection, (width, height), colour if blamed else OTHERS, size, thick=blamed or not offenders
        )
    pen.rectangle((0, height, margin - 1, canvas.height), fill=colour)
    for number, (line, fill) in enumerate(zip(lines, (WHITE, OTHERS), strict=True)):
        font, text = _fitted(line, size, width - 3 * margin)
        middle = height + margin // 2 + round((number + 0.5) * line_height)
        pen.text((2 * margin, middle), text, font=font, fill=fill, anchor="lm")
    drawn = cv2.cvtColor(np.asarray(canvas, dtype=np.uint8), cv2.COLOR_RGB2BGR)
    return np.asarray(drawn, dtype=np.uint8)


def label_text(detection: DetectionSeen) -> str:
    """A detection's name in Chinese and English, with its confidence."""
    english = detection.label.replace("_", " ")
    chinese = LABELS.get(detection.label)
    name = f"{chinese} {english}" if chinese else english
    return f"{name} {detection.confidence:.0%}"


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK SC at ``size`` pixels."""
    return ImageFont.truetype(str(FONT_PATH), size, index=_SIMPLIFIED)


def _draw_box(
    pen: ImageDraw.ImageDraw,
    detection: DetectionSeen,
    picture: tuple[int, int],
    colour: Colour,
    size: int,
    *,
    thick: bool,
) -> None:
    width, height = picture
    x1, x2 = sorted(round(x * (width - 1)) for x in detection.box[::2])
    y1, y2 = sorted(round(y * (height - 1)) for y in detection.box[1::2])
    line = max(2, round(height / 300)) * (2 if thick else 1)
    pen.rectangle((x1, y1, x2, y2), outline=colour, width=line)
    text_size = size if thick else max(SMALLEST_TEXT, round(size * 0.75))
    text_font, text = _fitted(label_text(detection), text_size, width)
    pad = max(2, text_size // 6)
    plate_width = round(text_font.getlength(text)) + 2 * pad
    plate_height = round(text_size * 1.3)
    left = max(0, min(x1, width - plate_width))
    top = y1 - plate_height if y1 >= plate_height else min(y1, height - plate_height)
    pen.rectangle((left, top, left + plate_width, top + plate_height), fill=colour)
    light = sum(weight * part for weight, part in zip((0.299, 0.587, 0.114), colour, strict=True)) > 140
    pen.text(
        (left + pad, top + plate_height / 2), text, font=text_font, fill=DARK if light else WHITE, anchor="lm"
    )


def _fitted(text: str, size: int, width: int) -> tuple[ImageFont.FreeTypeFont, str]:
    """Font and text that fit into ``width`` pixels: smaller letters first, then fewer."""
    while size > SMALLEST_TEXT and font(size).getlength(text) > width:
        size -= 1
    chosen = font(size)
    if chosen.getlength(text) <= width:
        return chosen, text
    while len(text) > 1 and chosen.getlength(text + "…") > width:
        text = text[:-1]
    return chosen, text + "…"
