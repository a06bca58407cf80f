"""Write workbooks with one sheet for each table: typed cells, bold headings, a fixed first row and filters.

The same content gives the same bytes. Text is always written as text and never as a formula. It is also made safe for
users who save a sheet as CSV and open that file again.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data.errors import InputError
from data.workspace.safe_text import escape_formula

_MOST_ROWS = 1_048_576
_A4 = 9  # as Excel numbers papers
_WIDEST, _LONGEST = 60, 32_767  # characters of a column, and of a cell
_HEADER = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#0F6B66", "valign": "top"}
_WRAPPED = {"text_wrap": True, "valign": "top"}
# Characters that XML 1.0 cannot hold.
_UNFIT = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))
# A workbook must not depend on the time of writing; this is also the date of its parts in the ZIP archive.
_CREATED = datetime(1980, 1, 1)  # noqa: DTZ001 (XlsxWriter takes it as UTC and no other)
_TEXT_ONLY = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}


def write_workbook(path: Path, sheets: dict[str, pd.DataFrame], title: str) -> None:
    """Write one sheet for each table, in order; raise InputError for a table that is too long for a sheet."""
    for name, table in sheets.items():
        if len(table) >= _MOST_ROWS:
            msg = (
                f"{name!r} has {len(table):,} rows, but a sheet can have only {_MOST_ROWS - 1:,}. "
                "Choose fewer layers, or export csv or parquet."
            )
            raise InputError(msg)
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, **_TEXT_ONLY}) as book:
        book.set_properties({"title": title, "author": "TACT Map", "created": _CREATED})
        header, wrapped = book.add_format(_HEADER), book.add_format(_WRAPPED)
        for name, table in sheets.items():
            _fill_sheet(book.add_worksheet(name), table, header, wrapped)
    path.write_bytes(content.getvalue())


def _fill_sheet(sheet: Worksheet, table: pd.DataFrame, header: Format, wrapped: Format) -> None:
    for place, name in enumerate(table.columns):
        # Wide enough for the heading and the first 200 values.
        texts = [str(name), *table.iloc[:, place].iloc[:200].dropna().astype("str")]
        sheet.set_column(place, place, min(_WIDEST, max(8, 2 + max(map(len, texts)))))
        sheet.write_string(0, place, _safe(str(name)), header)
        _fill_column(sheet, place, table.iloc[:, place], wrapped)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table), max(table.shape[1] - 1, 0))
    # For printing: A4 landscape, all columns on one page, headings on each page, the sheet's name and the page below.
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")


def _fill_column(sheet: Worksheet, place: int, column: pd.Series, wrapped: Format) -> None:
    """Write the cells of a column below its heading; missing values and empty texts leave cells empty."""
    codes, values = pd.factorize(column)
    style: Format | None = None
    cells: list[bool | float | str]
    if pd.api.types.is_bool_dtype(column.dtype):
        write, cells = sheet.write_boolean, [bool(value) for value in values]
    elif pd.api.types.is_numeric_dtype(column.dtype):
        write, cells = sheet.write_number, [float(value) for value in values]
    else:
        texts = [_safe(str(value))[:_LONGEST] for value in values]
        write, cells = sheet.write_string, [*texts]
        style = wrapped if any(len(text) > _WIDEST for text in texts) else None
    cells.append("")  # where the code is -1: missing
    for row, code in enumerate(codes, 1):
        if cells[code] != "":
            write(row, place, cells[code], style)


def _safe(text: str) -> str:
    return escape_formula(text.translate(_UNFIT))
