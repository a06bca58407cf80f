"""A small workbook that unpacks to a very large one is refused before it is read."""

import struct
import zipfile

import pytest
from openpyxl import Workbook

from data.errors import FileRefused
from data.restricted.intake import xlsx_rows
from data.restricted.intake.xlsx_rows import read_first_rows

MEGABYTE = 1_000_000


@pytest.fixture
def table(tmp_path):
    book = Workbook()
    book.active.append(["date", "municipality"])
    for number in range(2000):
        book.active.append(["2008-03-04", f"Durrës {number}"])
    book.save(tmp_path / "table.xlsx")
    return tmp_path / "table.xlsx"


def add_part(path, name, megabytes):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts, parts.open(name, "w") as part:
        for _ in range(megabytes):
            part.write(b" " * MEGABYTE)


def test_a_table_is_read(table):
    assert read_first_rows(table)[0].rows[0][1] == ["date", "municipality"]


@pytest.mark.parametrize("name", ["xl/worksheets/sheet2.xml", "xl/sharedStrings2.xml", "docProps/thumbnail.wmf"])
def test_what_unpacks_to_a_hundred_times_its_size_is_refused_unread(table, name, monkeypatch):
    add_part(table, name, 30)
    monkeypatch.setattr(xlsx_rows, "_open", lambda _: pytest.fail("it was read"))
    with pytest.raises(FileRefused, match=r"table\.xlsx unpacks to 30,\d{3},\d{3} bytes.*Copy the rows"):
        read_first_rows(table)


@pytest.mark.parametrize(("limit", "part"), [("_LARGEST", "xl/x.xml"), ("_LARGEST_TEXTS", "xl/SharedStrings.xml")])
def test_what_needs_too_much_room_is_refused_however_well_it_is_packed(table, monkeypatch, limit, part):
    add_part(table, part, 3)
    read_first_rows(table)
    monkeypatch.setattr(xlsx_rows, limit, 3 * MEGABYTE - 1)
    with pytest.raises(FileRefused, match="far more than its table needs"):
        read_first_rows(table)


def test_a_part_that_states_less_than_it_holds_is_not_read_further(table):
    """So that the sum of what the parts state is the most that is ever unpacked."""
    raw = bytearray(table.read_bytes())
    place = raw.index(b"xl/worksheets/sheet1.xml", raw.index(b"PK\x01\x02")) - 46
    assert raw[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<I", raw, place + 24, 5000)
    table.write_bytes(raw)
    with zipfile.ZipFile(table) as parts, pytest.raises(zipfile.BadZipFile):
        parts.read("xl/worksheets/sheet1.xml")
    with pytest.raises(FileRefused, match="damaged or incomplete"):
        list(xlsx_rows.read_sheets(table, ["Sheet"])["Sheet"])
