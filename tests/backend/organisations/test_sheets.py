"""Files from strangers are read whatever program wrote them, and never harm; our own are never formulas."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from kitchen_watch.backend.organisations.columns import read_hours, write_hours
from kitchen_watch.backend.organisations.sheets import MAX_ROWS, Format, read_rows, write_rows
from kitchen_watch.errors import InvalidRequest

TABLE = [["licence_no", "名称"], ["JY-1", "老字号饭店"], ["JY-2", "张记, “面馆”"]]
DANGEROUS = ["=1+1", "+86 951", "-2", "@SUM(A1)", "=cmd|' /C calc'!A0", "'=kept"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_the_encodings_that_chinese_programs_write(encoding: str, delimiter: str) -> None:
    text = f"licence_no{delimiter}名称\r\nJY-1{delimiter}老字号饭店\r\n"
    assert read_rows(text.encode(encoding)) == [["licence_no", "名称"], ["JY-1", "老字号饭店"]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_is_written_is_read_back(form: Format) -> None:
    assert read_rows(write_rows(TABLE, form)) == TABLE


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_that_goes_out_is_a_formula_and_none_changes_on_its_way_back(form: Format) -> None:
    rows = [["name", "phone"], *([cell, cell] for cell in DANGEROUS)]
    content = write_rows(rows, form)
    if form == "csv":
        for line in content.decode("utf-8-sig").splitlines()[1:]:
            assert not line.lstrip('"').startswith(("=", "+", "-", "@")), line
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    back = read_rows(content)
    assert back[1:-1] == rows[1:-1]


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    assert len(file.getvalue()) < 200_000
    with pytest.raises(InvalidRequest, match="unpacks to more"):
        read_rows(file.getvalue())


def test_a_workbook_with_entities_that_multiply_is_refused() -> None:
    sound = io.BytesIO(write_rows(TABLE, "xlsx"))
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
    evil = io.BytesIO()
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            target.writestr(name, bomb if name.endswith("sheet1.xml") else source.read(name))
    with pytest.raises(InvalidRequest, match="damaged"):
        read_rows(evil.getvalue())


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0old", b"\x00\x01\x02\x80\xff", b'a,b\n"open', b"\n\n"],
)
def test_what_is_no_table_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_rows(content)


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="more than"):
        read_rows(b"a\n" + b"x\n" * (MAX_ROWS + 1))


def test_numbers_of_a_workbook_keep_their_digits() -> None:
    book = openpyxl.Workbook()
    book.active.append(["licence_no", "open"])
    book.active.append([916401040012345, True])
    file = io.BytesIO()
    book.save(file)
    assert read_rows(file.getvalue())[1] == ["916401040012345", "true"]


@pytest.mark.parametrize(
    ("text", "monday", "sunday"),
    [
        ("每天 10:00-22:00", ["10:00-22:00"], ["10:00-22:00"]),
        ("daily 06:00-09:00 11:00-14:00; 周日", ["06:00-09:00", "11:00-14:00"], []),
        ("mon 10:00-14:00；sun 9:00-12:00", ["10:00-14:00"], ["9:00-12:00"]),
    ],
)
def test_opening_hours_are_written_as_people_write_them(
    text: str, monday: list[str], sunday: list[str]
) -> None:
    hours = read_hours(text)
    assert (hours.get("mon", []), hours.get("sun", [])) == (monday, sunday)
    assert read_hours(write_hours(hours)) == hours
