"""The rows of a text whose cells are separated by a comma, semicolon, tab or vertical bar."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import IO

from data.errors import FileRefused
from data.message import Message
from data.restricted.intake.start import ROWS, Grid, Start
from data.restricted.intake.table import Fault

DELIMITERS = {",": Message("comma"), ";": Message("semicolon"), "\t": Message("tab"), "|": Message("vertical bar")}
_BLANK = "".join(DELIMITERS) + " \r\n"  # Cells of nothing but another delimiter are empty too.
LINES = 400  # Enough for the first rows, also where cells have several lines.


def rows_of_csv(file: IO[str], name: str, delimiter: str, begin: Start) -> Iterator[tuple[int, list[str] | Fault]]:
    """Yield each row below the headings with the line on which it begins; a row that cannot be read is a fault.

    Raises FileRefused if that row has the headings or may include other rows.
    """
    lines = _Lines(file)
    for _ in islice(lines, begin.line - 1):
        pass
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        before = lines.read
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            _refuse_unless_one_line(lines, before, name)
            if before + 1 == begin.line:
                raise FileRefused(Message("{file}: the row with the column names cannot be read.", file=name)) from None
            yield before + 1, Fault(before + 1, "", Message("the row cannot be read"), _ONE_LINE)
            continue
        if before + 1 > begin.line:
            yield before + 1, row


_ONE_LINE = "cells with at most 131072 characters and quotation marks in pairs"


class _Lines:
    """An iterator over the lines of a file that counts them and keeps the last one, to examine an unreadable row."""

    def __init__(self, file: IO[str]) -> None:
        self.read = 0
        self.last = ""
        self._file = file

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = next(self._file)
        self.read += 1
        return self.last


def _refuse_unless_one_line(lines: _Lines, before: int, name: str) -> None:
    """Raise FileRefused if a faulty row may include other rows: it has several lines, or an odd number of quotes."""
    if lines.read == before + 1 and lines.last.count('"') % 2 == 0:
        return
    raise FileRefused(
        Message(
            "{file}: a quotation mark that opens on line {line} is not closed as it should be, so the "
            "rows after it cannot be separated. Correct that line; the file was not imported.",
            file=name,
            line=before + 1,
        )
    )


def cut_text(lines: list[str], name: str) -> list[tuple[str, Grid]]:
    """Return each delimiter with the first rows, cut at it: one version of the rows for each delimiter.

    If the first line names the delimiter, as in "sep=;", only this version is returned. Raises FileRefused for a file
    that is empty or is not a text.
    """
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise FileRefused(Message("{file} is empty.", file=name))
    if "\0" in lines[first]:
        raise FileRefused(Message("{file} is not a text table. CSV and XLSX files can be imported.", file=name))
    says_delimiter = lines[first].lower().startswith("sep=")
    declared = lines[first].strip().lower().removeprefix("sep=") if says_delimiter else ""
    marks = [declared] if declared in DELIMITERS else list(DELIMITERS)
    return [(mark, Grid(list(_cut_at(mark, lines, first + (declared in DELIMITERS))))) for mark in marks]


def _cut_at(delimiter: str, lines: list[str], skip: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the first rows that have content, at most ROWS, each with the line on which it begins.

    A row that cannot be read ends them.
    """
    reader = csv.reader(lines[skip:], delimiter=delimiter)
    count = 0
    while count < ROWS:
        line = skip + reader.line_num + 1
        try:
            row = next(reader)
        except (StopIteration, csv.Error):
            return
        if any(cell.strip(_BLANK) for cell in row):
            count += 1
            yield line, row
