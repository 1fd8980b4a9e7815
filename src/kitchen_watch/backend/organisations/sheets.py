"""Tables in and out of files: CSV and XLSX to rows of text, and back. Pure; knows nothing of premises.

Files come from strangers: sizes are bounded before anything is unpacked. What goes out may be opened
in a spreadsheet program: no cell of it is ever a formula.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal

from kitchen_watch.errors import InvalidRequest

Format = Literal["csv", "xlsx"]
MAX_BYTES = 8 * 1024 * 1024
MAX_UNPACKED = 80 * 1024 * 1024
MAX_ENTRIES = 500
MAX_ROWS = 20_000
MAX_COLUMNS = 64
MAX_CELL = 2000
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_EXACT = 10**15
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, LookupError, ValueError, TypeError, AttributeError, OSError, EOFError,
    SyntaxError, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip


def read_rows(content: bytes) -> list[list[str]]:
    """Every row of a CSV file or of the first sheet of a workbook, as text; the first is the header.

    Raises:
        InvalidRequest: it is neither, is damaged, or holds more than can be taken.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.")
    if content.startswith(b"PK"):
        rows = _read_workbook(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidRequest("This is a workbook of the old kind (.xls). Save it as .xlsx and try again.")
    else:
        rows = _read_csv(content)
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise InvalidRequest("The file is empty.")
    if len(rows) > MAX_ROWS + 1:
        raise InvalidRequest(f"The file has more than {MAX_ROWS} rows. Split it.")
    return rows


def write_rows(rows: Iterable[Sequence[Any]], form: Format, *, title: str = "kitchen_watch") -> bytes:
    """Rows as a file; the CSV begins with a byte order mark, by which Excel knows UTF-8."""
    if form == "csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows([[_harmless(_text(cell)) for cell in row] for row in rows])
        return b"\xef\xbb\xbf" + text.getvalue().encode()
    import openpyxl  # noqa: PLC0415 - loads numpy where that is installed; not at every start

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_cell(sheet, _text(value)) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _read_csv(content: bytes) -> list[list[str]]:
    text = _decoded(content)
    if "\x00" in text:
        raise InvalidRequest("This is neither a CSV file nor a workbook (.xlsx).")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(rows) > MAX_ROWS + 1:
                break
            rows.append([_plain(cell) for cell in row[:MAX_COLUMNS]])
    except csv.Error as error:
        raise InvalidRequest(f"The CSV file is damaged near line {len(rows) + 1}: {error}.") from None
    return rows


def _decoded(content: bytes) -> str:
    # Chinese Excel writes GBK, of which GB 18030 is the whole.
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if marked else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidRequest("The text of the file cannot be read. Save it as CSV in UTF-8, or as .xlsx.")


def _read_workbook(content: bytes) -> list[list[str]]:
    import openpyxl  # noqa: PLC0415 - see write_rows

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise InvalidRequest("The workbook unpacks to more than can be taken. Split it.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            cells = sheet.iter_rows(max_row=MAX_ROWS + 2, max_col=MAX_COLUMNS, values_only=True)
            return [_shortened([_from_cell(value) for value in row]) for row in cells]
        finally:
            book.close()
    except InvalidRequest:
        raise
    except _DAMAGED as error:
        # What a damaged workbook makes the library raise is not documented; SyntaxError is broken XML.
        raise InvalidRequest("The workbook is damaged. Save it anew as .xlsx and try again.") from error


def _from_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _plain(str(value))


def _shortened(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    return row


def _plain(cell: str) -> str:
    text = cell.strip()[:MAX_CELL]
    if len(text) > 1 and text[0] == "'" and text[1] in _STARTS_FORMULA:
        text = text[1:]  # what _harmless put before it
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNPRINTABLE.sub("", str(value))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def _cell(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - see write_rows

    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"  # whatever it looks like, it is text
    return cell
