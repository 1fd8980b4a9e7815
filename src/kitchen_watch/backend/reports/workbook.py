"""A report as workbook and as CSV: the same cells as its page, numbers as numbers, never a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from kitchen_watch.backend.reports.layout import Grid, LaidOut, Share, Value

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORBIDDEN_IN_TITLES = re.compile(r"[\[\]:*?/\\]")

Appendix = Sequence[tuple[str, Sequence[Grid]]]
"""Supplements: a title each, and tables."""


def to_xlsx(document: LaidOut, supplements: Appendix = ()) -> bytes:
    """One sheet for the head, one for every section, one for every supplement."""
    import openpyxl  # noqa: PLC0415 - loads numpy where that is installed; not at every start

    book = openpyxl.Workbook(write_only=True)
    head = book.create_sheet(_title(document.title, 1))
    head.column_dimensions["A"].width = 24
    head.column_dimensions["B"].width = 60
    for cells in ((document.issuer, document.title), ("", document.reference), *document.facts):
        head.append([_cell(head, value) for value in cells])
    sections = [(part.title, part.grids) for part in document.parts]
    for number, (title, grids) in enumerate((*sections, *supplements), start=2):
        sheet = book.create_sheet(_title(title, number))
        sheet.column_dimensions["A"].width = 34
        for letter in "BCDEFGH":
            sheet.column_dimensions[letter].width = 18
        for grid in grids:
            if grid.title:
                sheet.append([_cell(sheet, grid.title, bold=True)])
            sheet.append([_cell(sheet, heading, bold=True) for heading in grid.headings])
            for row in grid.rows:
                sheet.append([_cell(sheet, value) for value in row])
            sheet.append([])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def to_csv(document: LaidOut, supplements: Appendix = ()) -> bytes:
    """Every line with its section and table before it; begins with a mark by which Excel knows UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_harmless(document.issuer), document.title])
    writer.writerow(["", _harmless(document.reference)])
    for fact in document.facts:
        writer.writerow([_harmless(text) for text in fact])
    for title, grids in (*((part.title, part.grids) for part in document.parts), *supplements):
        for grid in grids:
            writer.writerow([])
            writer.writerow([title, grid.title])
            writer.writerow([_harmless(heading) for heading in grid.headings])
            for row in grid.rows:
                writer.writerow([_number(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _title(text: str, number: int) -> str:
    return f"{number} {_FORBIDDEN_IN_TITLES.sub(' ', text)}"[:31]


def _cell(sheet: Any, value: Value, *, bold: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - see to_xlsx
    from openpyxl.styles import Font  # noqa: PLC0415

    if isinstance(value, Share):
        cell = WriteOnlyCell(sheet, value=value.value)
        cell.number_format = "0.0%"
    elif isinstance(value, int | float):
        cell = WriteOnlyCell(sheet, value=value)
        cell.number_format = "#,##0.0" if isinstance(value, float) else "#,##0"
    else:
        cell = WriteOnlyCell(sheet, value=_UNPRINTABLE.sub("", value or ""))
        cell.data_type = "s"  # whatever it looks like, it is text
    if bold:
        cell.font = Font(bold=True)
    return cell


def _number(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Share):
        return f"{value.value:.6f}"
    if isinstance(value, int | float):
        return str(value)
    return _harmless(value)


def _harmless(text: str) -> str:
    text = _UNPRINTABLE.sub("", text)
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text
