"""Read a table that a user brings: a CSV or XLSX file as sheets of text, and the numbers in their cells."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.disclosure.attacks.surface import readers, workbook
from data.errors import InputError
from data.message import Message
from data.workspace.types import Floats, Ints

MOST_BYTES = 20_000_000
MOST_ROWS, MOST_COLUMNS = 20_000, 100
_MOST_UNPACKED = 100_000_000
_LARGEST = 1e12  # a larger number is no count
# The parts of a workbook that hold no values but those of the cells that are read.
_PLAIN_PARTS = re.compile(
    r"\[Content_Types\]\.xml|(?:.*/)?_rels/[^/]*\.rels|docProps/(?:app|core|custom)\.xml|.*/"
    r"|xl/(?:workbook|styles|sharedStrings)\.xml|xl/(?:worksheets|theme|tables)/[^/]+\.xml"
    r"|xl/printerSettings/[^/]+\.bin"
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"([+-]?\d{1,3})([.,'])(\d{3})(?:\2\d{3})*(?:[.,]\d+)?")
_BLANKS = re.compile(r"(?<=\d)\s(?=\d{3}(?!\d))|(?<!\d)\s+|\s+(?!\d)")  # not those between two numbers
_BELOW = re.compile(r"(?:<|fewerthan|lessthan|under|mëpakse|nën|λιγότερααπό|κάτωαπό)(=?)(\d+)\D*", re.IGNORECASE)
_ABOVE = re.compile(
    r"(?:≥|>=|atleast|tëpaktën|τουλάχιστον)(\d+)|(\d+)(?:\+|ormore|osemëshumë|ήπερισσότερα|καιάνω)", re.IGNORECASE
)
_RANGE = re.compile(r"(\d+)(?:[-–—]|to|deri|έως)(\d+)", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")

Row = tuple[int, Sequence[object]]  # its number in the file, the first is 1, and its cells


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of text cells. The index has the number of each row in the file; the name is empty for a single sheet."""

    name: str
    cells: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of a column, arrays with an entry for each row.

    value: NaN if there is no number. unit: half a unit of the last written decimal. low, high: a written range, NaN if
    there is none; high is infinite in "at least 6". unread: cells with digits that are neither a number nor a range.
    """

    value: Floats
    unit: Floats
    low: Floats
    high: Floats
    unread: npt.NDArray[np.bool_]

    def take(self, rows: Ints) -> Numbers:
        """Return the numbers of the given rows."""
        return Numbers(self.value[rows], self.unit[rows], self.low[rows], self.high[rows], self.unread[rows])

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """A mask of the rows that have a number or a range, (rows,)."""
        return ~np.isnan(self.value) | ~np.isnan(self.high)


def join_numbers(columns: Sequence[Numbers]) -> Numbers:
    """Return the numbers of several columns as one column, in their order."""
    value, unit, low, high = (
        np.concatenate([getattr(column, name) for column in columns]) for name in ("value", "unit", "low", "high")
    )
    return Numbers(value, unit, low, high, np.concatenate([column.unread for column in columns]))


def read_sheets(name: str, content: bytes) -> tuple[list[Sheet], bool]:
    """Return the sheets of a file, and whether it has anything besides the values of its cells, such as comments.

    Raises InputError for a file of another kind, in another encoding, too large, or with anything but tables: a row of
    headings, and below it rows of cells.
    """
    if len(content) > MOST_BYTES:
        raise InputError(Message("{name} is larger than 20 MB. Check a part of it.", name=name))
    suffix = Path(name).suffix.lower()
    if suffix == ".xlsx":
        named_tables, more = _read_book(name, content)
    elif suffix in (".csv", ".tsv", ".txt"):
        named_tables, more = [("", _read_table(name, _read_text(name, content)))], False
    else:
        raise InputError(Message("{name} is no CSV or XLSX file. Save the table as one of them.", name=name))
    tables = [(sheet, table) for sheet, table in named_tables if table is not None]
    if not tables:
        raise InputError(
            Message(
                "{name} has no table: a row of headings, and below it at least one row with two columns or more.",
                name=name,
            )
        )
    return [Sheet(sheet if len(tables) > 1 else "", table) for sheet, table in tables], more


def _read_text(name: str, content: bytes) -> Iterator[Row]:
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            Message("{name} cannot be read as text in UTF-8. Save it as “CSV UTF-8” and check it again.", name=name)
        ) from None
    first = text.lstrip().partition("\n")[0]
    try:
        yield from enumerate(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True), 1)
    except csv.Error:
        raise InputError(Message("{name} is no CSV file: a quotation mark is not closed.", name=name)) from None


def _read_book(name: str, content: bytes) -> tuple[list[tuple[str, pd.DataFrame | None]], bool]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            if sum(part.file_size for part in book.infolist()) > _MOST_UNPACKED:
                raise InputError(Message("{name} is larger than 20 MB. Check a part of it.", name=name))
            more = not all(_PLAIN_PARTS.fullmatch(part) for part in book.namelist())
            sheets = list(workbook.read_sheets(book, MOST_ROWS + 1, MOST_COLUMNS))
    except workbook.TooLarge as error:
        raise _find_too_large(f"{name} {error.sheet}") from None
    except readers.UNREADABLE:
        raise InputError(
            Message("{name} cannot be read as an Excel workbook. Save it again as XLSX.", name=name)
        ) from None
    tables = [(sheet.name, _read_table(f"{name} {sheet.name}", sheet.rows)) for sheet in sheets]
    return tables, more or any(sheet.formulas for sheet in sheets)


def _find_too_large(name: str) -> InputError:
    return InputError(
        Message(
            "{name} has more than {rows:,} rows or {columns} columns. Check a part of it.",
            name=name,
            rows=MOST_ROWS,
            columns=MOST_COLUMNS,
        )
    )


def _read_table(name: str, rows: Iterable[Row]) -> pd.DataFrame | None:
    """Return rows as a table; the first filled row has the headings. None if they are only words, and no table.

    Raises InputError for rows that are neither, or too many.
    """
    headings: list[str] = []
    cells: dict[int, list[str]] = {}
    for number, row in rows:
        texts = [format_cell(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        if len(texts) > MOST_COLUMNS or len(cells) == MOST_ROWS:
            raise _find_too_large(name)
        if not headings:
            headings, first = texts, number
        elif texts:
            place = next((n for n, text in enumerate(texts) if text and not (headings[n : n + 1] or [""])[0]), None)
            if place is not None:
                raise InputError(
                    Message(
                        "{name}: the cell in row {row}, column {column}, has no heading above it. The first row must "
                        "hold a heading for each column. Delete titles and notes around the table.",
                        name=name,
                        row=number,
                        column=place + 1,
                    )
                )
            cells[number] = texts + [""] * (len(headings) - len(texts))
    named = [heading for heading in headings if heading]
    if not cells or len(named) < 2:
        if any(holds_digits(text) for texts in (headings, *cells.values()) for text in texts):
            raise InputError(
                Message(
                    "{name} is no table: it has one row or one column alone, but numbers in it. Delete it, or give it "
                    "a row of headings and a column of areas.",
                    name=name,
                )
            )
        return None
    if len(set(named)) < len(named) or any(is_number(heading) for heading in named):
        raise InputError(
            Message(
                "{name}: row {row} is no row of headings. Each column needs a heading of its own, in words.",
                name=name,
                row=first,
            )
        )
    table = pd.DataFrame(list(cells.values()), columns=headings, index=list(cells), dtype=str)
    return pd.DataFrame(table.loc[:, [bool(heading) for heading in headings]])


def is_number(text: str) -> bool:
    """Return whether the whole text is a number that is not a year."""
    return _read_number(text)[0] and not _YEAR.fullmatch(text)


def holds_digits(text: str) -> bool:
    """Return whether a text has a digit of any script, or a sign such as ½."""
    return any(c.isnumeric() for c in text)


def format_cell(value: object) -> str:
    """Return the text of a cell: "" for an empty one, and at most ten digits for a number that is not whole."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.10g}"
    return str(value).strip()


def read_numbers(texts: Sequence[str]) -> Numbers:
    """Read the numbers and ranges of a column; `texts` has a text for each row.

    The decimal sign is a point or a comma. Thousands are separated by a point, a comma, an apostrophe or a blank. A per
    cent sign is ignored.
    """
    numbers = [_read_number(text) for text in texts]
    ranges = [
        (np.nan, np.nan) if known else _read_range(text) for text, (known, _, _) in zip(texts, numbers, strict=True)
    ]
    low, high = (np.array(ends, float) for ends in zip(*ranges, strict=True))
    value = np.array([number for _, number, _ in numbers])
    unit = np.array([half for _, _, half in numbers])
    unread = np.array([holds_digits(text) for text in texts]) & np.isnan(value) & np.isnan(high)
    return Numbers(value, unit, low, high, unread)


def _read_number(text: str) -> tuple[bool, float, float]:
    """Return whether a text is a number, the number, and half a unit of its last decimal; both NaN if it is none."""
    bare = _BLANKS.sub("", text).lstrip("'").removesuffix("%").removeprefix("±").replace("−", "-")
    if _THOUSANDS.fullmatch(bare) and not bare.lstrip("+-").startswith("0"):
        mark = next(c for c in bare if c in ".,'")
        if mark != "." or bare.count(".") > 1 or "," in bare:
            bare = bare.replace(mark, "")
    bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare) or not abs(float(bare)) < _LARGEST:
        return False, np.nan, np.nan
    decimals = len(bare.partition(".")[2]) if "e" not in bare.lower() else 10
    return True, float(bare), 0.5 * 10.0**-decimals


def _read_range(text: str) -> tuple[float, float]:
    bare = _BLANKS.sub("", text)
    if any(c.isnumeric() and not c.isdecimal() for c in bare):  # signs such as ½ and ⑤
        return np.nan, np.nan
    if below := _BELOW.fullmatch(bare.replace("≤", "<=")):
        return 0.0, float(below[2]) - (not below[1])
    if above := _ABOVE.fullmatch(bare):
        return float(above[1] or above[2]), np.inf
    span = _RANGE.fullmatch(bare)
    return (float(span[1]), float(span[2])) if span else (np.nan, np.nan)
