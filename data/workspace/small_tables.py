"""Small tables that a person fills in: CSV in UTF-8 with a header, read row by row.

Records of children are never read here, but by data/restricted/intake/__init__.py. The caller checks the
cells of a row; errors name the row, the column and the remedy, and nothing is guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from data.errors import FileRefused, InputError

# Characters of a cell. The limit of the csv module is one for the whole process, and other readers raise it.
_LONGEST = 10_000


@dataclass(frozen=True)
class Row:
    """One row: the name of its file, its number in the file (the header is row 1), and its stripped cells."""

    file: str
    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell; the empty text if the file has no such column."""
        return self.cells.get(column, "")

    def fault(self, what: str) -> InputError:
        """Return the error that names the row; `what` says what is wrong and what to do."""
        return InputError(f"{self.file}, row {self.number}: {what}")

    def one_of(self, column: str, allowed: Collection[str], remedy: str) -> str:
        """Return a cell that must be one of the allowed words; raise InputError, with the remedy, if it is not."""
        if self[column] not in allowed:
            raise self.fault(f"{self[column]!r} in column {column}: {remedy}")
        return self[column]

    def whole(self, column: str, least: int, most: int) -> int:
        """Return a cell that must be a whole number from `least` to `most`; raise InputError if it is not."""
        text = self[column]
        value = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= value <= most:
            wanted = f"a whole number from {least} to {most:,}"
            raise self.fault(f"{text!r} in column {column} is not a valid number. Write {wanted}, without commas.")
        return value


def read_rows(path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[Row]:
    """Read the rows of a table, except empty rows; columns may be in any order.

    columns : the headings that the table must have. optional : further headings, for the message. Raises FileRefused if
    the file cannot be read or lacks a column.
    """
    path = Path(path)
    return parse_rows(path.name, read_text(path, columns), columns, optional)


def read_text(path: Path, columns: tuple[str, ...]) -> str:
    """Read the text of a small table; raise FileRefused, which names the columns, if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"There is no file {path}. Give the path of a CSV file with the columns {','.join(columns)}."
        raise FileRefused(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path.name, columns) from error


def parse_rows(file: str, text: str, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[Row]:
    """Read the rows of the text of a file; `file` is its name. See `read_rows`."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline=None)))  # splitlines also breaks at other characters
    except csv.Error as error:
        raise _unreadable(file, columns) from error
    if any(len(cell) > _LONGEST for line in lines for cell in line):
        raise _unreadable(file, columns)
    heading = [name.strip().casefold() for name in lines[0]] if lines else []
    if missing := [name for name in columns if name not in heading]:
        rest = f"; {', '.join(optional)} may follow" if optional else ""
        raise FileRefused(
            f"{file} has no column {', '.join(missing)}. Row 1 must hold {','.join(columns)} with commas between{rest}."
        )
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if any(cell.strip() for cell in line):
            cells = [cell.strip() for cell in line] + [""] * (len(heading) - len(line))
            rows.append(Row(file, number, dict(zip(heading, cells, strict=False))))
    return rows


def _unreadable(file: str, columns: tuple[str, ...]) -> FileRefused:
    return FileRefused(f"{file} cannot be read. Save it as CSV in UTF-8 with the columns {','.join(columns)}.")
