"""A report as PDF: text that can be searched, the font embedded as a subset, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kitchen_watch.backend.letters.pdf import SIMPLIFIED_CHINESE
from kitchen_watch.backend.reports.layout import Grid, LaidOut, Plot

RED = (190, 20, 20)
BARS = ((11, 90, 128), (176, 190, 203))
MARGIN = 20


def render(
    document: LaidOut, *, issued_at: datetime, supplements: Sequence[tuple[str, Sequence[Grid]]] = ()
) -> bytes:
    """The report on A4, and behind it what its supplements say."""
    # The library and the font are large; a backend that prints nothing never loads them.
    from fpdf import FPDF  # noqa: PLC0415
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415

    class Page(FPDF):  # type: ignore[misc]  # the library has no types
        def footer(self) -> None:
            self.set_y(-14)
            self.set_font("cjk", size=8)
            self.set_text_color(110)
            self.cell(0, 6, f"{document.footer}　{self.page_no()}", align="C")
            self.set_text_color(0)

    page = Page(format="A4")
    page.set_creation_date(issued_at)
    page.set_title(f"{document.title} {document.reference}")
    page.set_author(document.issuer)
    page.set_lang(document.language.html)
    page.set_margins(MARGIN, MARGIN, MARGIN)
    page.set_auto_page_break(auto=True, margin=18)
    page.add_font("cjk", "", str(FONT_PATH), collection_font_number=SIMPLIFIED_CHINESE)
    page.add_page()
    _head(page, document)
    for part in document.parts:
        _heading(page, part.title, size=14)
        for plot in part.plots:
            _plot(page, plot, document)
        for grid in part.grids:
            _grid(page, grid, document)
    for title, grids in supplements:
        _heading(page, title, size=14)
        for grid in grids:
            _grid(page, grid, document)
    return bytes(page.output())


def _head(page: Any, document: LaidOut) -> None:
    page.set_font("cjk", size=22)
    page.set_text_color(*RED)
    page.multi_cell(0, 12, f"{document.issuer} {document.title}", align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(0)
    page.set_font("cjk", size=11)
    page.cell(0, 8, document.reference, align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_draw_color(*RED)
    page.set_line_width(0.6)
    page.line(MARGIN, page.get_y() + 1, page.w - MARGIN, page.get_y() + 1)
    page.ln(5)
    page.set_font("cjk", size=9.5)
    for label, text in document.facts:
        page.multi_cell(0, 6, f"{label}　{text}", wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")


def _heading(page: Any, text: str, *, size: float) -> None:
    if page.will_page_break(30):
        page.add_page()
    page.ln(4)
    page.set_font("cjk", size=size)
    page.cell(0, 9, text, new_x="LMARGIN", new_y="NEXT")


def _plot(page: Any, plot: Plot, document: LaidOut) -> None:
    """Lying bars; the numbers beside them are those of the table that follows."""
    height = 4.2
    largest = max((value for _name, values in plot.series for value in values), default=0) or 1
    label_width, number_width = 46.0, 14.0
    room = page.epw - label_width - number_width
    if page.will_page_break(10 + len(plot.labels) * (height * len(plot.series) + 1.5)):
        page.add_page()
    page.set_font("cjk", size=8)
    page.set_draw_color(120)
    for (name, _values), colour in zip(plot.series, BARS, strict=False):
        page.set_fill_color(*colour)
        page.rect(page.get_x() + 1, page.get_y() + 1.5, 3, 3, style="F")
        page.set_x(page.get_x() + 5)
        page.cell(page.get_string_width(name) + 8, 6, name)
    page.ln(7)
    for index, label in enumerate(plot.labels):
        top = page.get_y()
        for row, ((_name, values), colour) in enumerate(zip(plot.series, BARS, strict=False)):
            page.set_xy(MARGIN, top + row * height)
            page.cell(label_width, height, label if row == 0 else "", align="R")
            page.set_fill_color(*colour)
            length = room * values[index] / largest
            page.rect(
                MARGIN + label_width + 1, top + row * height + 0.5, max(length, 0.2), height - 1, style="F"
            )
            page.set_xy(MARGIN + label_width + 2 + length, top + row * height)
            page.cell(number_width, height, document.text(values[index]))
        page.set_xy(MARGIN, top + len(plot.series) * height + 1.5)
    page.ln(2)


def _grid(page: Any, grid: Grid, document: LaidOut) -> None:
    from fpdf import FontFace  # noqa: PLC0415 - see render

    if not grid.rows:
        return
    if grid.title:
        _heading(page, grid.title, size=11)
    page.set_font("cjk", size=8.5)
    page.set_draw_color(150)
    page.set_fill_color(255)
    page.set_line_width(0.2)
    columns = len(grid.headings)
    first = 3 if columns > 2 else 4
    align = ["LEFT", *(_align(grid, column) for column in range(1, columns))]
    with page.table(
        col_widths=(first, *(1 + _wide(grid, column) for column in range(1, columns))),
        line_height=5.5,
        headings_style=FontFace(fill_color=(240, 240, 240)),
        text_align=tuple(align),
        wrapmode="CHAR",
        padding=0.8,
    ) as table:
        for cells in (grid.headings, *grid.rows):
            row = table.row()
            for cell in cells:
                row.cell(document.text(cell))
    page.ln(2)


def _align(grid: Grid, column: int) -> str:
    return "LEFT" if any(isinstance(row[column], str) for row in grid.rows) else "RIGHT"


def _wide(grid: Grid, column: int) -> float:
    return 1.0 if any(isinstance(row[column], str) for row in grid.rows) else 0.0
