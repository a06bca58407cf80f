"""Small tables that a person fills in: how they are read, and the messages for faulty cells."""

import csv

import pytest

from data.errors import FileRefused, InputError
from data.workspace.small_tables import read_rows


def _file(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_keep_their_numbers_and_columns_any_order(tmp_path):
    path = _file(tmp_path, '\ufeff Size,NAME,note\n3 ,"a, b",x\n\n,,\n4,c\n')
    rows = read_rows(path, ("name", "size"))
    assert [(row.number, row["name"], row["size"], row["note"]) for row in rows] == [
        (2, "a, b", "3", "x"),
        (5, "c", "4", ""),
    ]
    assert rows[0]["none"] == ""
    assert rows[0].whole("size", 1, 3) == 3


def test_a_faulty_cell_is_named_with_file_row_column_and_remedy(tmp_path):
    (row,) = read_rows(_file(tmp_path, "name,size\na,4\n"), ("name", "size"))
    with pytest.raises(InputError, match=r"table.csv, row 2: '4' in column size .* from 1 to 3"):
        row.whole("size", 1, 3)
    with pytest.raises(InputError, match=r"row 2: 'a' in column name: no b"):
        row.one_of("name", {"b"}, "no b")
    for text in ("-1", "1.5", "1,000", "", "²", "٣"):
        (row,) = read_rows(_file(tmp_path, f'size\n"{text}"\n' if text else "size,x\n,1\n"), ("size",))
        with pytest.raises(InputError, match="not a valid number"):
            row.whole("size", 0, 2000)


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"no column size\. Row 1 must hold name,size .* note may follow"):
        read_rows(_file(tmp_path, "name\n"), ("name", "size"), ("note",))
    with pytest.raises(FileRefused, match="no column name"):
        read_rows(_file(tmp_path, ""), ("name",))
    with pytest.raises(FileRefused, match="There is no file"):
        read_rows(tmp_path / "none.csv", ("name",))
    (tmp_path / "other.csv").write_bytes(b"name\n\xff\xfe")
    with pytest.raises(FileRefused, match="cannot be read"):
        read_rows(tmp_path / "other.csv", ("name",))


@pytest.mark.parametrize("limit", [1000, 1_000_000])
def test_a_long_cell_refuses_the_file_whatever_the_limit_of_other_readers(tmp_path, limit):
    before = csv.field_size_limit(limit)  # one for the whole process
    try:
        with pytest.raises(FileRefused, match="cannot be read"):
            read_rows(_file(tmp_path, "name\n" + "x" * 20_000), ("name",))
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_a_row_ends_where_a_line_of_the_file_ends_and_at_no_other_sign(tmp_path, sign):
    rows = read_rows(_file(tmp_path, f"name\r\nnew{sign}law\r\n"), ("name",))
    assert [row["name"] for row in rows] == [f"new{sign}law"]
