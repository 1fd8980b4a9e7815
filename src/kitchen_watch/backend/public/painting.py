"""One sheet of A5 paper, painted as a picture or as a document whose text can be selected and searched.

Both are told the same in dots of 300 to the inch, so that the file on paper and the one on a screen
are the same plate.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache
from typing import Protocol

from noto_cjk_sans_otc import FONT_PATH
from PIL import Image, ImageColor, ImageDraw, ImageFont

DOTS_PER_INCH = 300
WIDTH, HEIGHT = 1748, 2480
"""A5 upright."""
PAPER_MM = (148.0, 210.0)
SIMPLIFIED_CHINESE = 2
"""Index of the face inside the font collection: 0 JP, 1 KR, 2 SC, 3 TC, 4 HK."""
_PAPER = "#ffffff"
_BOLD = 45
"""A bold letter is stroked by this part of its size: the collection has one weight."""

Square = tuple[int, int, int, int]
"""Left, top, right and bottom in dots; the last two are not part of it."""


class Painter(Protocol):
    """What a plate needs. Colours as ``#rrggbb``."""

    def words(self, words: str, middle: float, top: float, size: int, colour: str, *, bold: bool) -> None:
        """One line whose middle is at ``middle`` and whose ascenders begin at ``top``."""
        ...

    def squares(self, squares: Iterable[Square], colour: str) -> None:
        """Filled rectangles."""
        ...

    def disc(self, square: Square, colour: str) -> None:
        """A filled circle that touches the sides of ``square``."""
        ...

    def file(self) -> bytes:
        """The finished sheet."""
        ...


class Picture:
    """A PNG that prints at its true size."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def words(self, words: str, middle: float, top: float, size: int, colour: str, *, bold: bool) -> None:
        """See :class:`Painter`."""
        self._draw.text(
            (middle, top),
            words,
            font=face(size),
            fill=colour,
            anchor="ma",
            stroke_width=size / _BOLD if bold else 0,
            stroke_fill=colour,
        )

    def squares(self, squares: Iterable[Square], colour: str) -> None:
        """See :class:`Painter`."""
        for left, top, right, bottom in squares:
            self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def disc(self, square: Square, colour: str) -> None:
        """See :class:`Painter`."""
        self._draw.ellipse(square, fill=colour)

    def file(self) -> bytes:
        """The PNG."""
        buffer = io.BytesIO()
        self._image.save(buffer, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        return buffer.getvalue()


class Document:
    """A PDF: text as text, its font embedded as a subset, everything else as lines and areas."""

    def __init__(self, title: str) -> None:
        # The library is large; a backend that prints nothing never loads it.
        from fpdf import FPDF  # noqa: PLC0415

        self._mm = PAPER_MM[0] / WIDTH
        self._pdf = FPDF(unit="mm", format=PAPER_MM)
        self._pdf.set_title(title)
        self._pdf.set_lang("zh-CN")
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.add_font("cjk", "", str(FONT_PATH), collection_font_number=SIMPLIFIED_CHINESE)
        self._pdf.add_page()

    def words(self, words: str, middle: float, top: float, size: int, colour: str, *, bold: bool) -> None:
        """See :class:`Painter`."""
        self._colour(colour)
        self._pdf.set_font("cjk", size=size * self._mm * 72 / 25.4)
        ascent, _ = face(size).getmetrics()
        left = middle - face(size).getlength(words) / 2
        stroke = 2 * size / _BOLD * self._mm * 72 / 25.4  # in points, which the library takes it for in text
        with self._pdf.local_context(text_mode="FILL_STROKE" if bold else "FILL", line_width=stroke):
            self._pdf.text(left * self._mm, (top + ascent) * self._mm, words)

    def squares(self, squares: Iterable[Square], colour: str) -> None:
        """See :class:`Painter`."""
        self._colour(colour)
        for left, top, right, bottom in squares:
            self._pdf.rect(*(self._mm * side for side in (left, top, right - left, bottom - top)), style="F")

    def disc(self, square: Square, colour: str) -> None:
        """See :class:`Painter`."""
        self._colour(colour)
        left, top, right, bottom = square
        self._pdf.ellipse(*(self._mm * side for side in (left, top, right - left, bottom - top)), style="F")

    def file(self) -> bytes:
        """The PDF."""
        return bytes(self._pdf.output())

    def _colour(self, colour: str) -> None:
        parts = ImageColor.getrgb(colour)[:3]
        self._pdf.set_text_color(*parts)
        self._pdf.set_fill_color(*parts)
        self._pdf.set_draw_color(*parts)


@cache
def face(size: int) -> ImageFont.FreeTypeFont:
    """The font at ``size`` dots."""
    return ImageFont.truetype(FONT_PATH, size, index=SIMPLIFIED_CHINESE)
