"""Workbooks: small files with cells of the right types."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook

from geo.export.xlsx import write_workbook

ROWS = 4_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a workbook with a long table, as layers have it, and a table with every type of cell."""
    repeated = {f"column {n}": [f"text {n}", f"other {n}"] * (ROWS // 2) for n in range(20)}
    mixed = {
        "text": ["Tiranë <&>", None, "", "=1+1", "_x003D_1"],
        "number": [1.5, None, -3, 0.1 + 0.2, 1e-7],
        "whole": pd.array([1, None, 3, 4, 2**40], dtype="Int64"),
        "sure": [True, False, True, False, True],
        "long": ["x" * 40_000, "y", "z", "z", None],
    }
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    write_workbook(path, {"Long": pd.DataFrame(repeated), "Mixed": pd.DataFrame(mixed)}, "Title")
    return path


@pytest.fixture(scope="module")
def book(written: Path) -> Workbook:
    return openpyxl.load_workbook(written)


@pytest.mark.slow
def test_every_cell_comes_back_as_text_number_or_truth(book: Workbook) -> None:
    sheet = book["Mixed"]
    head, *rows = sheet.iter_rows(values_only=True)
    assert head == ("text", "number", "whole", "sure", "long")
    text, number, whole, sure, long = zip(*rows, strict=True)
    assert text == ("Tiranë <&>", None, None, "'=1+1", "_x003D_1")
    assert number == (1.5, None, -3, pytest.approx(0.3), 1e-7)
    assert whole == (1, None, 3, 4, 2**40)
    assert sure == (True, False, True, False, True)
    assert [len(value or "") for value in long] == [32_767, 1, 1, 1, 0]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.slow
def test_a_sheet_is_set_up_for_print(book: Workbook) -> None:
    sheet = book["Long"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.oddFooter.left.text == "&A"


@pytest.mark.slow
def test_rows_stand_under_their_headings_with_filter_and_fixed_first_row(book: Workbook) -> None:
    sheet = book["Long"]
    assert sheet.dimensions == sheet.auto_filter.ref == f"A1:T{ROWS + 1}"
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[ROWS + 1]] == [f"other {n}" for n in range(20)]
    assert sheet["A1"].font.b
