"""A letter as PDF: text that can be searched, the font embedded as a subset, the same bytes every time."""

from __future__ import annotations

from datetime import datetime

from kitchen_watch.backend.letters.content import LetterContent

SIMPLIFIED_CHINESE = 2
"""Which font of the collection: Noto Sans CJK SC."""
WIDTHS = (8, 21, 10, 25, 27, 9)
"""Shares of the columns of the table."""


def render(content: LetterContent, *, issued_at: datetime) -> bytes:
    """The document on A4."""
    # The library and the font are large; a backend that prints no letter never loads them.
    from fpdf import FPDF, FontFace  # noqa: PLC0415
    from noto_cjk_sans_otc import FONT_PATH  # noqa: PLC0415

    class Page(FPDF):  # type: ignore[misc]  # the library has no types
        def footer(self) -> None:
            self.set_y(-16)
            self.set_font("cjk", size=8)
            self.set_text_color(110)
            self.cell(0, 6, f"{content.footer}　第 {self.page_no()} 页", align="C")

    document = Page(format="A4")
    document.set_creation_date(issued_at)
    document.set_title(f"{content.title} {content.reference}")
    document.set_author(content.issuer)
    document.set_lang("zh-CN")
    document.set_margins(26, 28, 24)
    document.set_auto_page_break(auto=True, margin=24)
    document.add_font("cjk", "", str(FONT_PATH), collection_font_number=SIMPLIFIED_CHINESE)
    document.add_page()
    document.set_text_color(190, 20, 20)
    document.set_font("cjk", size=26)
    document.cell(0, 16, content.title, align="C", new_x="LMARGIN", new_y="NEXT")
    document.set_text_color(0)
    document.set_font("cjk", size=11)
    document.cell(0, 9, content.reference, align="C", new_x="LMARGIN", new_y="NEXT")
    document.set_draw_color(190, 20, 20)
    document.set_line_width(0.6)
    document.line(
        document.l_margin, document.get_y() + 2, document.w - document.r_margin, document.get_y() + 2
    )
    document.ln(9)
    document.set_font("cjk", size=12)
    document.multi_cell(0, 8.5, content.addressee, wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")
    document.multi_cell(0, 8.5, f"　　{content.opening}", wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")
    document.ln(2)
    document.set_font("cjk", size=9.5)
    document.set_draw_color(120)
    document.set_line_width(0.2)
    with document.table(
        col_widths=WIDTHS,
        line_height=6.5,
        headings_style=FontFace(fill_color=(240, 240, 240)),
        text_align="LEFT",
        wrapmode="CHAR",
        padding=1,
    ) as table:
        for cells in (content.headings, *content.rows):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    document.ln(4)
    document.set_font("cjk", size=12)
    for paragraph in content.paragraphs:
        document.multi_cell(0, 8.5, f"　　{paragraph}", wrapmode="CHAR", new_x="LMARGIN", new_y="NEXT")
    document.ln(10)
    for line in (content.issuer, content.date):
        document.cell(0, 8.5, line, align="R", new_x="LMARGIN", new_y="NEXT")
    return bytes(document.output())
