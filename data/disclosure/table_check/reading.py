"""Reading a table that somebody made: CSV or XLSX as sheets of text, and the numbers in their cells."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.disclosure.attacks.surface import readers
from data.errors import InputError
from data.message import Message
from data.workspace.types import Floats, Ints

MOST_BYTES = 20_000_000
MOST_ROWS, MOST_COLUMNS = 20_000, 100
_MOST_UNPACKED = 200_000_000
_COPIES = ("xl/pivotCache/", "xl/externalLinks/", "xl/model/")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"([+-]?\d{1,3})([.,'])(\d{3})(?:\2\d{3})*(?:[.,]\d+)?")
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009]+")
_BELOW = re.compile(r"(?:<|fewerthan|lessthan|under|mëpakse|nën|λιγότερααπό|κάτωαπό)(=?)(\d+)", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)(?:[-–—]|to|deri|έως)(\d+)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of text cells; `first_row` is the row of the file for index 0 (of a workbook, below the headings)."""

    name: str
    cells: pd.DataFrame
    first_row: int = 2


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of a column, arrays with an entry for each row.

    value: NaN where there is no number. unit: half of the last decimal that is written. low, high: a written range, NaN
    where there is none. unread: cells with digits that are neither.
    """

    value: Floats
    unit: Floats
    low: Floats
    high: Floats
    unread: npt.NDArray[np.bool_]

    def take(self, rows: Ints) -> Numbers:
        """Return the numbers of some rows."""
        return Numbers(self.value[rows], self.unit[rows], self.low[rows], self.high[rows], self.unread[rows])

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which rows have a number or a range."""
        return ~np.isnan(self.value) | ~np.isnan(self.high)


def read_sheets(name: str, content: bytes) -> tuple[list[Sheet], bool]:
    """Return the sheets of a file, and whether it holds copies of other tables that a reader of it does not see.

    Raises InputError for a file of another kind, in another encoding, too large, or without a row of headings.
    """
    if len(content) > MOST_BYTES:
        raise InputError(Message("{name} is larger than 20 MB. Check a part of it.", name=name))
    suffix = Path(name).suffix.lower()
    if suffix == ".xlsx":
        sheets, copies = _read_book(name, content)
    elif suffix in (".csv", ".tsv", ".txt"):
        sheets, copies = [_read_text(name, content)], False
    else:
        raise InputError(Message("{name} is no CSV or XLSX file. Save the table as one of them.", name=name))
    whole = [sheet for sheet in sheets if len(sheet.cells) and len(sheet.cells.columns) > 1]
    if not whole:
        raise InputError(
            Message(
                "{name} has no table: a row of headings, and below it at least one row with two columns or more.",
                name=name,
            )
        )
    for sheet in whole:
        if len(sheet.cells) > MOST_ROWS or len(sheet.cells.columns) > MOST_COLUMNS:
            raise InputError(
                Message(
                    "{name} has more than {rows:,} rows or {columns} columns. Check a part of it.",
                    name=sheet.name,
                    rows=MOST_ROWS,
                    columns=MOST_COLUMNS,
                )
            )
        headings = list(sheet.cells.columns)
        if "" in headings or len(set(headings)) < len(headings) or sum(map(_is_number, headings)) > len(headings) / 2:
            raise InputError(
                Message(
                    "{name}: the first row is no row of headings. Each column needs a heading of its own.",
                    name=sheet.name,
                )
            )
    return whole, copies


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and not re.fullmatch(r"(19|20)\d\d", text)


def _read_text(name: str, content: bytes) -> Sheet:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            Message("{name} cannot be read as text in UTF-8. Save it as “CSV UTF-8” and check it again.", name=name)
        ) from None
    first = text.partition("\n")[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True))
    except csv.Error:
        raise InputError(Message("{name} is no CSV file: a quotation mark is not closed.", name=name)) from None
    above = next((number for number, row in enumerate(rows) if any(map(str.strip, row))), len(rows))
    rows = rows[above:]
    width = len(rows[0]) if rows else 0
    if long := next((number for number, row in enumerate(rows, above + 1) if len(row) > width), 0):
        raise InputError(Message("{name}: row {row} has more cells than there are headings.", name=name, row=long))
    cells = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in rows]
    return Sheet(name, pd.DataFrame(cells[1:], columns=cells[0] if cells else [], dtype=str), above + 2)


def _read_book(name: str, content: bytes) -> tuple[list[Sheet], bool]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(part.file_size for part in book.infolist()) > _MOST_UNPACKED:
                raise InputError(Message("{name} is larger than 20 MB. Check a part of it.", name=name))
            copies = any(part.startswith(_COPIES) for part in book.namelist())
        found = [(where, what) for where, what in readers.READERS[".xlsx"](content) if isinstance(what, pd.DataFrame)]
    except readers.UNREADABLE:
        raise InputError(
            Message("{name} cannot be read as an Excel workbook. Save it again as XLSX.", name=name)
        ) from None
    return [_tidy(f"{name}{where}", frame) for where, frame in found if len(frame)], copies


def _tidy(name: str, frame: pd.DataFrame) -> Sheet:
    """Return a sheet without empty rows and columns, all cells as text."""
    texts = frame.map(_format_cell)
    texts = texts.loc[(texts != "").any(axis=1)]
    texts.columns = [str(column).strip() for column in texts.columns]
    filled = (texts != "").any(axis=0).to_numpy()
    return Sheet(name, pd.DataFrame(texts.loc[:, filled]))


def _format_cell(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.10g}"
    return str(value).strip()


def read_numbers(texts: pd.Series) -> Numbers:
    """Read the numbers of a column; decimals with point or comma, thousands with either or a blank, also per cent."""
    numbers = [_read_number(text) for text in texts]
    ranges = [
        (np.nan, np.nan) if known else _read_range(text) for text, (known, _, _) in zip(texts, numbers, strict=True)
    ]
    low, high = (np.array(ends, float) for ends in zip(*ranges, strict=True))
    value = np.array([number for _, number, _ in numbers])
    unit = np.array([half for _, _, half in numbers])
    unread = np.array([any(c.isdigit() for c in text) for text in texts]) & np.isnan(value) & np.isnan(high)
    return Numbers(value, unit, low, high, unread)


def _read_number(text: str) -> tuple[bool, float, float]:
    """Return whether a text is a number, the number, and half of its last decimal."""
    bare = _BLANKS.sub("", text).lstrip("'").removesuffix("%").replace("−", "-")
    if _THOUSANDS.fullmatch(bare) and not bare.lstrip("+-").startswith("0"):
        mark = next(c for c in bare if c in ".,'")
        if mark != "." or bare.count(".") > 1 or "," in bare:
            bare = bare.replace(mark, "")
    bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare):
        return False, np.nan, np.nan
    decimals = len(bare.partition(".")[2]) if "e" not in bare.lower() else 10
    return True, float(bare), 0.5 * 10.0**-decimals


def _read_range(text: str) -> tuple[float, float]:
    bare = _BLANKS.sub("", text)
    if below := _BELOW.match(bare.replace("≤", "<=")):
        return 0.0, float(below[2]) - (not below[1])
    found = _RANGE.fullmatch(bare)
    return (float(found[1]), float(found[2])) if found else (np.nan, np.nan)
