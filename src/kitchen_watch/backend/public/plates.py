"""Plates to print and hang up: the QR code to the public page, and who is responsible (包保).

A plate is drawn once at 300 dots per inch on A5 paper and kept as PNG or as a PDF of the same size. The
code alone comes as SVG for print shops that lay it out themselves.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import Literal

import segno
from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageDraw, ImageFont

DOTS_PER_INCH = 300
WIDTH, HEIGHT = 1748, 2480
"""A5 upright."""
SIMPLIFIED_CHINESE = 2
"""Index of the face inside the font collection: 0 JP, 1 KR, 2 SC, 3 TC, 4 HK."""
MARGIN = 130
NAVY, PAPER, INK, GREY, SKY, GREEN = "#0e2a3f", "#ffffff", "#14202b", "#566472", "#b7cbdb", "#17693b"
QUIET_ZONE = 4
"""Empty modules around a QR code, as ISO/IEC 18004 asks for."""

PlateFormat = Literal["pdf", "png"]


@dataclass(frozen=True, slots=True)
class PlateFacts:
    """What stands on plates. ``official`` is name and level of the responsible official."""

    name: str
    name_en: str
    licence_no: str
    url: str
    official: tuple[str, str] | None = None


def qr_plate(facts: PlateFacts, kind: PlateFormat) -> bytes:
    """The plate for the door: scan it and look into the kitchen."""
    sheet = _Sheet("互联网＋明厨亮灶", "Kitchens in plain sight")
    sheet.text(facts.name, 560, 118, bold=True)
    if facts.name_en:
        sheet.text(facts.name_en, 716, 58, colour=GREY)
    sheet.code(facts.url, 810, 1020)
    sheet.text("扫一扫 看后厨", 1880, 112, bold=True, colour=NAVY)
    sheet.text("Scan to look into the kitchen", 2020, 54, colour=GREY)
    sheet.line(2140)
    sheet.text(f"许可证编号  {facts.licence_no}", 2180, 52)
    sheet.text("画面延时显示，人脸已模糊，不含声音", 2280, 46, colour=GREY)
    return sheet.save(kind)


def official_plate(facts: PlateFacts, kind: PlateFormat) -> bytes:
    """The plate that names the official responsible for the premises; ``facts.official`` must be there."""
    assert facts.official is not None
    name, level = facts.official
    sheet = _Sheet("食品安全包保责任公示牌", "Official responsible for food safety")
    sheet.text(facts.name, 560, 104, bold=True)
    sheet.text(f"许可证编号  {facts.licence_no}", 700, 50, colour=GREY)
    sheet.badge(f"{level}级", 840)
    sheet.text("包保干部", 1240, 58, colour=GREY)
    sheet.text(name, 1325, 130, bold=True)
    sheet.text("属地管理责任 · 企业主体责任", 1510, 54)
    sheet.code(facts.url, 1630, 560)
    sheet.text("扫一扫 看后厨", 2215, 66, bold=True, colour=NAVY)
    sheet.text("Scan to look into the kitchen", 2310, 44, colour=GREY)
    return sheet.save(kind)


def qr_svg(url: str) -> bytes:
    """The code alone as SVG, 40 mm wide when printed as it is."""
    buffer = io.BytesIO()
    made = _qr(url)
    side = made.symbol_size(border=QUIET_ZONE)[0]
    made.save(buffer, kind="svg", border=QUIET_ZONE, scale=40 / side, unit="mm", light="#fff", xmldecl=True)
    return buffer.getvalue()


class _Sheet:
    """One sheet of paper under a coloured head."""

    def __init__(self, title: str, title_en: str) -> None:
        self._image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._draw.rectangle((0, 0, WIDTH, 460), fill=NAVY)
        self.text(title, 110, 150, colour=PAPER, bold=True)
        self.text(title_en, 310, 60, colour=SKY)

    def text(self, words: str, top: int, size: int, *, colour: str = INK, bold: bool = False) -> None:
        """One centred line, made smaller until it fits between the margins."""
        face = _face(size)
        while size > 20 and face.getlength(words) > WIDTH - 2 * MARGIN:
            size = max(20, min(size - 2, int(size * (WIDTH - 2 * MARGIN) / face.getlength(words))))
            face = _face(size)
        while face.getlength(words) > WIDTH - 2 * MARGIN:
            words = words.rstrip("…")[:-1] + "…"
        self._draw.text(
            (WIDTH / 2, top),
            words,
            font=face,
            fill=colour,
            anchor="ma",
            stroke_width=size / 45 if bold else 0,
            stroke_fill=colour,
        )

    def badge(self, words: str, top: int) -> None:
        """A big round sign."""
        radius, middle = 180, WIDTH / 2
        self._draw.ellipse((middle - radius, top, middle + radius, top + 2 * radius), fill=GREEN)
        self._draw.text(
            (middle, top + radius), words, font=_face(170), fill=PAPER, anchor="mm", stroke_width=3
        )

    def line(self, top: int) -> None:
        """A thin rule."""
        self._draw.line((MARGIN, top, WIDTH - MARGIN, top), fill=SKY, width=4)

    def code(self, url: str, top: int, side: int) -> None:
        """The QR code, at most ``side`` dots wide with whole dots per module."""
        made = _qr(url)
        modules = made.symbol_size(border=QUIET_ZONE)[0]
        buffer = io.BytesIO()
        made.save(buffer, kind="png", border=QUIET_ZONE, scale=side // modules)
        with Image.open(buffer) as picture:
            self._image.paste(picture.convert("RGB"), ((WIDTH - picture.width) // 2, top))

    def save(self, kind: PlateFormat) -> bytes:
        """The sheet as a file that prints at its true size."""
        buffer = io.BytesIO()
        if kind == "pdf":
            self._image.save(buffer, "PDF", resolution=DOTS_PER_INCH, quality=92, title="明厨亮灶")
        else:
            self._image.save(buffer, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        return buffer.getvalue()


def _qr(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="q")


@cache
def _face(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT_PATH, size, index=SIMPLIFIED_CHINESE)
