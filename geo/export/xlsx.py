"""Workbooks with one sheet for each table: typed cells, bold headings, a fixed first row and filters.

The same content gives the same bytes. Text is always written as text and never as a formula. It is also made safe for
users who save a sheet as CSV and open that file again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data.errors import InputError
from data.workspace.safe_text import escape_formula

_MOST_ROWS = 1_048_576
_WIDEST = 60  # characters
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
    with xlsxwriter.Workbook(path, {"in_memory": True, **_TEXT_ONLY}) as book:
        book.set_properties({"title": title, "author": "TACT Map", "created": _CREATED})
        header, wrapped = book.add_format(_HEADER), book.add_format(_WRAPPED)
        for name, table in sheets.items():
            _fill_sheet(book.add_worksheet(name), table, header, wrapped)


def _fill_sheet(sheet: Worksheet, table: pd.DataFrame, header: Format, wrapped: Format) -> None:
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        sheet.set_column(place, place, _width(str(name), column))
        sheet.write_string(0, place, _safe(str(name)), header)
        _write_column(sheet, place, column, wrapped)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table), max(table.shape[1] - 1, 0))


def _width(heading: str, column: pd.Series) -> int:
    """Return a width in characters that fits the heading and the first 200 values."""
    texts = [heading, *column.iloc[:200].dropna().astype("str")]
    return min(_WIDEST, max(8, 2 + max(map(len, texts))))


def _write_column(sheet: Worksheet, place: int, column: pd.Series, wrapped: Format) -> None:
    """Write the values of a column below its heading; missing values and empty texts leave cells empty."""
    write: Callable[..., object]
    style = None
    values = column.dropna()
    rows = (column.notna().to_numpy().nonzero()[0] + 1).tolist()
    if pd.api.types.is_bool_dtype(column.dtype):
        write = sheet.write_boolean
    elif pd.api.types.is_numeric_dtype(column.dtype):
        write = sheet.write_number
    else:
        write = sheet.write_string
        texts = {value: _safe(str(value)) for value in values.unique()}
        values = values.map(texts)
        style = wrapped if any(len(text) > _WIDEST for text in texts.values()) else None
    for row, value in zip(rows, values.tolist(), strict=True):
        if value != "":
            write(row, place, value, style)


def _safe(text: str) -> str:
    return escape_formula(text.translate(_UNFIT))
