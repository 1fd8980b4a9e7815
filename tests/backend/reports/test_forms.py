"""One source, five forms: what the page says, the PDF, the workbook, the table and the JSON say, too."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import openpyxl
import pytest

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.pages.languages import languages
from kitchen_watch.backend.reports.content import ReportContent
from kitchen_watch.backend.reports.layout import LaidOut, Share, Value, lay_out
from kitchen_watch.backend.reports.tables import ReportRow
from kitchen_watch.backend.reports.workbook import to_csv
from tests.backend.pages.markup import read
from tests.backend.reports.scenes import (
    ASSIGN,
    DAY,
    REJECT,
    VERIFY,
    district,
    evening,
    look,
    pass_time,
    report_of,
    take,
)
from tests.backend.support import Backend


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """After the first evening; one alert proved false on the next day."""
    with district(tmp_path_factory.mktemp("forms")) as backend:
        take(backend, 2, VERIFY, ASSIGN)
        take(backend, 3, REJECT)
        evening(backend)
        take(backend, 1, REJECT)
        pass_time(backend, DAY)
        look(backend)
        yield backend


@pytest.fixture(scope="module")
def report(world: Backend) -> ReportRow:
    """That of district 1 of the first evening, with a supplement."""
    node_id = report_of(world, "district-1").node_id
    with world.parts.database.read() as session:
        return session.query(ReportRow).filter_by(node_id=node_id).order_by(
            ReportRow.id
        ).first() or pytest.fail("no report")


@pytest.fixture(scope="module")
def officer(world: Backend) -> httpx.Client:
    return world.logged_in("supervisor")


def document_of(report: ReportRow) -> LaidOut:
    return lay_out(ReportContent.model_validate_json(report.content), languages()["zh"])


def cells(document: LaidOut) -> list[Value]:
    return [cell for part in document.parts for grid in part.grids for row in grid.rows for cell in row]


def test_every_cell_stands_on_the_page(report: ReportRow, officer: httpx.Client) -> None:
    document = document_of(report)
    answer = officer.get(f"/reports/{report.id}")
    assert answer.status_code == 200
    shown = re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", "|", answer.text.split("<article")[1].split("</article")[0])
    )
    found = [text.strip() for text in shown.split("|") if text.strip()]
    wanted = [document.text(cell) for cell in cells(document)]
    assert len(wanted) > 100
    position = 0
    for text in wanted:  # all of them, in their order
        position = found.index(text, position) + 1
    assert "补充报告1" in answer.text
    assert read(answer.text)


def test_the_workbook_holds_the_same_numbers_as_numbers(report: ReportRow, officer: httpx.Client) -> None:
    answer = officer.get(f"/api/v1/reports/{report.id}/xlsx")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    document = document_of(report)
    assert len(book.sheetnames) == 1 + len(document.parts) + 1  # the head, and one supplement
    for part, name in zip(document.parts, book.sheetnames[1:], strict=False):
        lines = [
            row for row in book[name].iter_rows(values_only=True) if any(cell is not None for cell in row)
        ]
        wanted: list[Sequence[Value]] = []
        for grid in part.grids:
            wanted += [(grid.title,)] if grid.title else []
            wanted += [grid.headings, *grid.rows]
        for line, row in zip(lines, wanted, strict=True):
            for cell, value in zip(line, row, strict=False):
                number = value.value if isinstance(value, Share) else value
                assert cell == (number or (None if number in {None, ""} else number)), (name, row)


def test_the_pdf_opens_and_says_every_number_and_name(
    report: ReportRow, officer: httpx.Client, tmp_path: Path
) -> None:
    answer = officer.get(f"/api/v1/reports/{report.id}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert officer.get(f"/api/v1/reports/{report.id}/pdf").content == answer.content
    file = tmp_path / "report.pdf"
    file.write_bytes(answer.content)
    said = subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True
    ).stdout
    plain = re.sub(r"\s+", "", said)
    document = document_of(report)
    for part in document.parts:
        assert re.sub(r"\s+", "", part.title) in plain
        for grid in part.grids:
            for row in grid.rows:
                numbers = [document.text(cell) for cell in row[1:] if not isinstance(cell, str)]
                assert all(re.sub(r"\s+", "", text) in plain for text in numbers), row
                # short lines are not broken: name and numbers stand in one line of the page
                if len(str(row[0])) < 8 and numbers:
                    pattern = r"\s+".join(re.escape(text) for text in [str(row[0]), *numbers])
                    assert re.search(pattern, said) or len(numbers) < len(row) - 1, row
    assert report.reference in plain
    assert "补充报告1" in plain
    fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout
    assert "yes" in fonts


def test_csv_and_json_say_the_same(report: ReportRow, officer: httpx.Client) -> None:
    answer = officer.get(f"/api/v1/reports/{report.id}/csv")
    lines = [row for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) if row]
    for part in document_of(report).parts:
        for grid in part.grids:
            for row in grid.rows:
                plain = [
                    "" if cell is None else f"{cell.value:.6f}" if isinstance(cell, Share) else str(cell)
                    for cell in row
                ]
                assert plain in lines
    sealed = officer.get(f"/api/v1/reports/{report.id}/json")
    assert hashlib.sha256(sealed.content).hexdigest() == report.sha256
    assert officer.get(f"/api/v1/reports/{report.id}").json()["content"] == sealed.json()


def test_who_took_a_copy_is_written_down(world: Backend, report: ReportRow, officer: httpx.Client) -> None:
    officer.get(f"/api/v1/reports/{report.id}/csv")
    with world.parts.database.read() as session:
        row = session.query(AuditRow).filter_by(action="report_downloaded").first()
    assert row is not None
    assert row.facts["reference"] == report.reference


def test_a_node_whose_name_looks_like_a_formula_is_text_in_the_csv() -> None:
    name = '=HYPERLINK("http://example.org")'
    document = LaidOut("日报", f"{name}食安日报〔2026〕1号", name, (), (), "", languages()["zh"])
    rows = list(csv.reader(io.StringIO(to_csv(document).decode("utf-8-sig"))))
    assert [rows[0][0], rows[1][1]] == [f"'{name}", f"'{name}食安日报〔2026〕1号"]
