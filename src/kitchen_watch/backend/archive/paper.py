"""Cover sheet, labels and index of an archive as PDF, to be printed and put into a binder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SIMPLIFIED_CHINESE = 2
"""Which font of the collection: Noto Sans CJK SC."""
SPINES_MM = (20, 35, 50)
"""Widths of the spines of usual binders."""
SPINE_HEIGHT_MM = 190
COLUMNS_MM = (12, 62, 22, 48, 38)
HEADINGS = ("序号", "题名", "日期", "文件", "备注")
RED, INK, GREY = (190, 20, 20), (20, 32, 43), (110, 110, 110)


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """What stands on the cover and the labels; ``rows`` are names and values."""

    reference: str
    premises: str
    period: str
    grid: str
    rows: Sequence[tuple[str, str]]
    made_at: datetime
    mark: str
    """Who took it, when and what for: at the foot of every page."""


@dataclass(frozen=True, slots=True)
class IndexLine:
    """One line of the index (卷内目录). ``path`` is empty where the file is not in the archive."""

    title: str
    date: str
    path: str
    remark: str = ""
    sha256: str = ""
    size: int = 0


def cover(facts: CoverFacts) -> bytes:
    """The cover sheet (档案封皮)."""
    page = _document(facts, "档案封皮")
    page.add_page()
    page.ln(18)
    page.set_text_color(*RED)
    page.set_font("cjk", size=30)
    page.cell(0, 20, "食品安全监管档案", align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(*INK)
    page.set_font("cjk", size=18)
    page.multi_cell(0, 12, facts.premises, align="C", wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")
    page.set_font("cjk", size=11)
    page.cell(0, 9, facts.reference, align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(8)
    page.set_draw_color(120)
    for name, value in facts.rows:
        top = page.get_y()
        page.set_font("cjk", size=11)
        page.set_x(page.l_margin + 42)
        page.multi_cell(
            page.epw - 42, 9, value or "—", wrapmode="CHAR", border=1, padding=1.5,
            new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        bottom = page.get_y()
        page.set_fill_color(243, 243, 243)
        page.rect(page.l_margin, top, 42, bottom - top, style="DF")
        page.set_xy(page.l_margin, top)
        page.cell(42, bottom - top, name, align="C")
        page.set_y(bottom)
    return bytes(page.output())


def labels(facts: CoverFacts) -> bytes:
    """Spine labels (脊背) for three widths of binders, and a side label (侧标签)."""
    page = _document(facts, "档案标签")
    page.add_page()
    page.set_draw_color(90)
    left: float = page.l_margin
    for width in SPINES_MM:
        page.rect(left, 24, width, SPINE_HEIGHT_MM)
        size = {20: 15, 35: 20, 50: 24}[width]
        _upright(page, facts.premises, left + width / 2, 34, size, 128)
        page.set_font("cjk", size=min(9, width * 0.36))
        for offset, words in ((152, "食安档案"), (160, facts.period[:10]), (166, facts.period[-10:])):
            page.set_xy(left, 24 + offset)
            page.cell(width, 6, words, align="C")
        page.set_font("cjk", size=6)
        page.set_xy(left, 24 + 176)
        page.multi_cell(width, 3.5, facts.reference, align="C", wrapmode="CHAR")
        left += width + 8
    page.rect(page.l_margin, 224, 120, 46)
    for below, points, words in (
        (3, 14.0, facts.premises), (14, 9.5, facts.grid), (22, 9.5, facts.period), (30, 8, facts.reference),
    ):  # fmt: skip
        page.set_font("cjk", size=points)
        page.set_xy(page.l_margin + 4, 224 + below)
        page.cell(112, 8, _fitting(page, words, 112))
    return bytes(page.output())


def index(facts: CoverFacts, lines: Iterable[IndexLine]) -> bytes:
    """The index (卷内目录); a text that does not fit its column is cut, the CSV beside it is whole."""
    page = _document(facts, "卷内目录")
    page.set_margins(14, 18, 14)
    page.add_page()
    page.set_font("cjk", size=18)
    page.cell(0, 12, "卷内目录", align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_font("cjk", size=9)
    page.cell(
        0, 7, f"{facts.premises}　{facts.period}　{facts.reference}", align="C", new_x="LMARGIN", new_y="NEXT"
    )
    _row(page, HEADINGS, heading=True)
    for number, line in enumerate(lines, start=1):
        if page.will_page_break(6):
            page.add_page()
            _row(page, HEADINGS, heading=True)
        _row(page, (str(number), line.title, line.date, line.path or "（不在卷内）", line.remark))
    return bytes(page.output())


def _row(page: Any, cells: Sequence[str], *, heading: bool = False) -> None:
    page.set_font("cjk", size=8)
    page.set_fill_color(240, 240, 240)
    page.set_draw_color(150)
    for width, words in zip(COLUMNS_MM, cells, strict=True):
        page.cell(width, 6, _fitting(page, words, width - 2), border=1, fill=heading)
    page.ln(6)


def _fitting(page: Any, words: str, width: float) -> str:
    if page.get_string_width(words) <= width:
        return words
    while words and page.get_string_width(words + "…") > width:
        words = words[:-1]
    return words + "…"


def _upright(page: Any, words: str, middle: float, top: float, size: float, room: float) -> None:
    """Characters one below the other, as on the back of a book; smaller where they are many."""
    step = min(size * 0.5, room / max(1, len(words)))
    page.set_font("cjk", size=step / 0.5)
    for number, character in enumerate(words):
        page.set_xy(middle - 10, top + number * step)
        page.cell(20, step, character, align="C")


def _document(facts: CoverFacts, title: str) -> Any:
    # The library and the font are large; a backend that prints nothing never loads them.
    from fpdf import FPDF  # noqa: PLC0415
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415

    class Page(FPDF):  # type: ignore[misc]  # the library has no types
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font("cjk", size=7)
            self.set_text_color(*GREY)
            self.cell(0, 5, f"{facts.mark}　第 {self.page_no()} 页", align="C")
            self.set_text_color(*INK)

    page = Page(format="A4")
    page.set_creation_date(facts.made_at)
    page.set_title(f"{title} {facts.premises}")
    page.set_lang("zh-CN")
    page.set_margins(22, 20, 22)
    page.set_auto_page_break(auto=True, margin=18)
    page.add_font("cjk", "", str(FONT_PATH), collection_font_number=SIMPLIFIED_CHINESE)
    page.set_text_color(*INK)
    return page
