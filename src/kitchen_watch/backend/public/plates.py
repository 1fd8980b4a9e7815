"""Plates to print and hang up: the QR code to the public page, and who is responsible (包保).

A plate is laid out once on A5 paper and painted as PNG or as a PDF of the same size. The code alone comes
as SVG for print shops that lay it out themselves.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import segno

from kitchen_watch.backend.public.painting import WIDTH, Document, Painter, Picture, Square, face

MARGIN = 130
NAVY, PAPER, INK, GREY, SKY, GREEN = "#0e2a3f", "#ffffff", "#14202b", "#566472", "#b7cbdb", "#17693b"
BLACK = "#000000"
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
    sheet = _Sheet(kind, "互联网＋明厨亮灶", "Kitchens in plain sight")
    sheet.text(facts.name, 560, 118, bold=True)
    if facts.name_en:
        sheet.text(facts.name_en, 716, 58, colour=GREY)
    sheet.code(facts.url, 810, 1020)
    sheet.text("扫一扫 看后厨", 1880, 112, bold=True, colour=NAVY)
    sheet.text("Scan to look into the kitchen", 2020, 54, colour=GREY)
    sheet.line(2140)
    sheet.text(f"许可证编号  {facts.licence_no}", 2180, 52)
    sheet.text("画面延时显示，人脸已模糊，不含声音", 2280, 46, colour=GREY)
    return sheet.file()


def official_plate(facts: PlateFacts, kind: PlateFormat) -> bytes:
    """The plate that names the official responsible for the premises; ``facts.official`` must be there."""
    assert facts.official is not None
    name, level = facts.official
    sheet = _Sheet(kind, "食品安全包保责任公示牌", "Official responsible for food safety")
    sheet.text(facts.name, 560, 104, bold=True)
    sheet.text(f"许可证编号  {facts.licence_no}", 700, 50, colour=GREY)
    sheet.badge(f"{level}级", 840)
    sheet.text("包保干部", 1240, 58, colour=GREY)
    sheet.text(name, 1325, 130, bold=True)
    sheet.text("属地管理责任 · 企业主体责任", 1510, 54)
    sheet.code(facts.url, 1630, 560)
    sheet.text("扫一扫 看后厨", 2215, 66, bold=True, colour=NAVY)
    sheet.text("Scan to look into the kitchen", 2310, 44, colour=GREY)
    return sheet.file()


def qr_svg(url: str) -> bytes:
    """The code alone as SVG, 40 mm wide when printed as it is."""
    buffer = io.BytesIO()
    made = _qr(url)
    side = made.symbol_size(border=QUIET_ZONE)[0]
    made.save(buffer, kind="svg", border=QUIET_ZONE, scale=40 / side, unit="mm", light="#fff", xmldecl=True)
    return buffer.getvalue()


class _Sheet:
    """One sheet of paper under a coloured head."""

    def __init__(self, kind: PlateFormat, title: str, title_en: str) -> None:
        self._painter: Painter = Document(title) if kind == "pdf" else Picture()
        self._painter.squares([(0, 0, WIDTH, 460)], NAVY)
        self.text(title, 110, 150, colour=PAPER, bold=True)
        self.text(title_en, 310, 60, colour=SKY)

    def text(self, words: str, top: int, size: int, *, colour: str = INK, bold: bool = False) -> None:
        """One centred line, made smaller until it fits between the margins."""
        room = WIDTH - 2 * MARGIN
        while size > 20 and face(size).getlength(words) > room:
            size = max(20, min(size - 2, int(size * room / face(size).getlength(words))))
        while face(size).getlength(words) > room:
            words = words.rstrip("…")[:-1] + "…"
        self._painter.words(words, WIDTH / 2, top, size, colour, bold=bold)

    def badge(self, words: str, top: int) -> None:
        """A big round sign."""
        radius, size = 180, 170
        middle = WIDTH // 2
        self._painter.disc((middle - radius, top, middle + radius, top + 2 * radius), GREEN)
        height = sum(face(size).getmetrics())
        self._painter.words(words, middle, top + radius - height / 2, size, PAPER, bold=True)

    def line(self, top: int) -> None:
        """A thin rule."""
        self._painter.squares([(MARGIN, top - 2, WIDTH - MARGIN, top + 2)], SKY)

    def code(self, url: str, top: int, side: int) -> None:
        """The QR code, at most ``side`` dots wide with whole dots per module."""
        made = _qr(url)
        modules = made.symbol_size(border=QUIET_ZONE)[0]
        scale = int(side // modules)
        left = int(WIDTH - modules * scale) // 2
        self._painter.squares(_dark(made, left, top, scale), BLACK)

    def file(self) -> bytes:
        """The sheet as a file that prints at its true size."""
        return self._painter.file()


def _dark(made: segno.QRCode, left: int, top: int, scale: int) -> Iterator[Square]:
    """The dark modules, those that lie side by side as one: lines between them would show in print."""
    for row, modules in enumerate(made.matrix_iter(border=QUIET_ZONE)):
        begin: int | None = None
        for column, dark in enumerate([*modules, 0]):
            if dark and begin is None:
                begin = column
            elif not dark and begin is not None:
                upper = top + row * scale
                yield left + begin * scale, upper, left + column * scale, upper + scale
                begin = None


def _qr(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="q")
