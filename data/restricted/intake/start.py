"""Where a table begins in a file: its sheet or delimiter, and the row of its headings.

Lists of partners have titles above their headings, headings in two rows with merged cells, and sheets for other things.
The row with most headings that we know is taken, the first of several; without any, the first row with content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from data.errors import FileRefused
from data.message import Message, count_more
from data.personal.headings import list_headings
from data.restricted.intake.headings import rate_headings
from data.restricted.intake.mapping import ColumnMapping
from data.schema.column import RecordKind

ROWS = 30  # A table begins in one of these.
_SHOWN = 12  # headings in a message


@dataclass(frozen=True)
class Grid:
    """The first rows of a sheet, or of a text file cut at one delimiter, each with its line in the file.

    `number` counts visible sheets from 1, and is 0 for a text.
    """

    rows: Sequence[tuple[int, list[str]]]
    name: str = ""
    number: int = 0


@dataclass(frozen=True)
class Start:
    """Where a table begins: the index of its grid, the line of its headings, the headings as one row, and the sheet.

    `score` is how many headings are known; `sheet` is the grid's number. A table may stand in several sheets
    (data/restricted/intake/sheets.py): `months` are where each of them begins; `repeat` where the rows and their
    submissions begin, and `numbered` the headings of submissions that number a record.
    """

    grid: int
    line: int
    headings: list[str]
    score: float = 0.0
    sheet: int = 0
    months: tuple[Start, ...] = ()
    repeat: tuple[Start, ...] = ()
    numbered: tuple[str, ...] = ()


FindStart = Callable[[Sequence[Grid]], Start]


def list_starts(kinds: Iterable[RecordKind], mapping: ColumnMapping, grids: Sequence[Grid]) -> list[Start]:
    """Return where a table of one of the kinds may begin on each sheet, or with each delimiter.

    Raises FileRefused when a sheet or row that the mapping names is not there.
    """
    kinds = tuple(kinds)
    wanted = check_choice(mapping, grids)
    return [start for n in wanted for start in [_find_in_grid(kinds, mapping, n, grids[n])] if start]


def describe_start(start: Start) -> Message:
    """Return a sentence that names the row and the headings that were read, without content."""
    shown = [n for n, text in enumerate(start.headings[:_SHOWN]) if text]
    headings = count_more(list_headings(start.headings, shown), len(start.headings) - _SHOWN)
    return Message("Headings read in row {line}: {headings}.", line=start.line, headings=headings)


def check_choice(mapping: ColumnMapping, grids: Sequence[Grid]) -> list[int]:
    """Return the grids that may be read; raise FileRefused if the sheet or row of the mapping is not there."""
    wanted = _choose_sheets(grids, mapping.sheet)
    if mapping.heading_row and not any(line == mapping.heading_row for n in wanted for line, _ in grids[n].rows):
        raise FileRefused(
            Message(
                "Row {row} is empty or not there: the row with the column names is missing.", row=mapping.heading_row
            )
        )
    return wanted


def _choose_sheets(grids: Sequence[Grid], sheet: str) -> list[int]:
    if not sheet or not any(grid.number for grid in grids):
        return list(range(len(grids)))
    named = [n for n, grid in enumerate(grids) if grid.name.casefold().strip() == sheet.casefold().strip()]
    counted = [n for n, grid in enumerate(grids) if str(grid.number) == sheet.strip()]
    if not (named or counted):
        raise FileRefused(
            Message(
                "There is no sheet {sheet!r}. The file has {count}: give a name, or a number from 1.",
                sheet=sheet,
                count=len(grids),
            )
        )
    return (named or counted)[:1]


def _find_in_grid(kinds: Sequence[RecordKind], mapping: ColumnMapping, number: int, grid: Grid) -> Start | None:
    best: Start | None = None
    above: list[str] = []
    for line, row in grid.rows:
        cells = clean_row(row)
        if mapping.heading_row and line != mapping.heading_row:
            above = cells
            continue
        for headings in [cells, _join(above, cells)] if above else [cells]:
            score = max(rate_headings(kind, headings, mapping) for kind in kinds)
            if any(headings) and (best is None or score > best.score):
                best = Start(number, line, headings, score, grid.number)
        above = cells
    return best


def clean_row(row: Iterable[str]) -> list[str]:
    """Return the cells of a row of headings, without blanks around them and empty ones at the end."""
    cells = [" ".join(cell.replace("\0", "").split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _join(above: list[str], below: list[str]) -> list[str]:
    """Return the headings of two rows as one: a merged cell has its text in the upper row alone."""
    width = max(len(above), len(below))
    upper, lower = ([*cells, *[""] * (width - len(cells))] for cells in (above, below))
    return [under or over for over, under in zip(upper, lower, strict=True)]
