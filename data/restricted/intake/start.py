"""Where a table begins in a file: its sheet or delimiter, and the row of its headings.

Lists of partners have titles above their headings, headings in two rows with merged cells, and sheets for other things.
The row with the most known headings is used, and if several have equally many, the first one; without any, the first
row with content. A row that looks like a record is never used as headings: its cells are not shown, even if somebody
names this row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from data.errors import FileRefused
from data.message import Message, count_more, join_messages
from data.personal.headings import list_headings
from data.restricted.intake.headings import TELLING, rate_headings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.record_rows import is_inside_table, is_record
from data.schema.column import RecordKind
from data.schema.kinds import KINDS

ROWS = 30  # A table begins in one of these first rows.
_SHOWN = 12  # headings in a message
SINCE_1904 = 1462  # days from the day before 1900 from which Excel counts to 1904, from which it counted on a Macintosh


@dataclass(frozen=True)
class Grid:
    """The first rows of a sheet, or of a text file cut at one delimiter, each with its line in the file.

    `number` counts visible sheets from 1, and is 0 for a text. `shift` is added to day numbers, so that they count from
    1900.
    """

    rows: Sequence[tuple[int, list[str]]]
    name: str = ""
    number: int = 0
    shift: int = 0


@dataclass(frozen=True)
class Start:
    """Where a table begins: the index of its grid, the line of its headings, the headings as one row, and the sheet.

    `score` is the number of known headings; `sheet` and `shift` are those of the grid. The headings are empty if no row
    looks like headings. A table may be spread over several sheets (data/restricted/intake/sheets.py): `months` has the
    start of each of them, with the headings and cells that the name of its sheet adds (`added`); `repeat` has the start
    of the rows and of their submissions, and `numbered` the headings of submissions that number a record.
    """

    grid: int
    line: int
    headings: list[str]
    score: float = 0.0
    sheet: int = 0
    shift: int = 0
    months: tuple[Start, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    repeat: tuple[Start, ...] = ()
    numbered: tuple[str, ...] = ()


FindStart = Callable[[Sequence[Grid]], Start]


def list_starts(kinds: Iterable[RecordKind], mapping: ColumnMapping, grids: Sequence[Grid]) -> list[Start]:
    """Return where a table of one of the kinds may begin on each sheet, or with each delimiter.

    Raises FileRefused when a sheet or row that the mapping names is not there, or the row reads as a record.
    """
    kinds = tuple(kinds)
    wanted = check_choice(mapping, grids)
    return [start for n in wanted for start in [_find_in_grid(kinds, mapping, n, grids[n])] if start]


def describe_start(start: Start) -> Message:
    """Return a sentence that names the row and the headings that were read, without content of cells."""
    positions = [n for n, text in enumerate(start.headings[:_SHOWN]) if text]
    headings = count_more(list_headings(start.headings, positions), len(start.headings) - _SHOWN)
    return Message("Headings read in row {line}: {headings}.", line=start.line, headings=headings)


def check_choice(mapping: ColumnMapping, grids: Sequence[Grid]) -> list[int]:
    """Return the indices of the grids that may be read.

    Raises FileRefused if the sheet or row of the mapping is not there, or if the row reads as a record.
    """
    wanted = _choose_sheets(grids, mapping.sheet)
    if not mapping.heading_row:
        return wanted
    rows = {n: row for n in wanted for line, row in grids[n].rows if line == mapping.heading_row}
    if not rows:
        raise FileRefused(
            Message(
                "Row {row} is empty or not there: the row with the column names is missing.", row=mapping.heading_row
            )
        )
    # Of the versions of a text cut at each delimiter, the one with the most cells in this row.
    cut = [n for n in rows if grids[n].number] or [max(rows, key=lambda n: len(rows[n]))]
    starts = (_find_in_grid(tuple(KINDS.values()), mapping, n, grids[n]) for n in cut)
    if not any(start and any(start.headings) for start in starts):
        raise FileRefused(join_messages(_name_record(mapping, [grids[n] for n in wanted])))
    return wanted


def _name_record(mapping: ColumnMapping, grids: Sequence[Grid]) -> Iterator[Message]:
    """Yield a message that the row for the headings is a record, and what to do."""
    yield Message("Row {row} reads as a record, not as headings: nothing of it is shown.", row=mapping.heading_row)
    kinds, free = tuple(KINDS.values()), replace(mapping, heading_row=0)
    starts = (_find_in_grid(kinds, free, n, grid) for n, grid in enumerate(grids))
    best = max((start for start in starts if start), key=lambda start: start.score, default=None)
    if best is not None and best.score >= TELLING:
        yield Message("The headings seem to be in row {line}.", line=best.line)
    yield Message(
        "Say in which row the headings are (--heading-row N; at the desk: Something is read wrongly; heading_row in a "
        "partner's mapping), or write them above the rows."
    )


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
    rows = [clean_row(row) for _, row in grid.rows]
    for place, ((line, _), cells) in enumerate(zip(grid.rows, rows, strict=True)):
        if mapping.heading_row and line != mapping.heading_row:
            above = cells
            continue
        for headings in _list_headings(above, cells):
            score = max(rate_headings(kind, headings, mapping) for kind in kinds)
            if not any(headings) or (best is not None and score <= best.score):
                continue
            parts = [cells] if headings == cells else [above, cells]
            # A row that somebody named may be any row.
            inside = mapping.heading_row and score < TELLING and is_inside_table(place, mapping, rows)
            if not inside and not any(is_record(part, mapping, rows) for part in parts):
                best = Start(number, line, headings, score, grid.number, grid.shift)
            elif best is None:
                best = Start(number, line, [""] * len(headings), 0.0, grid.number, grid.shift)
        above = cells
    return best


def clean_row(row: Iterable[str]) -> list[str]:
    """Return the cells of a row of headings, without blanks around them and empty ones at the end."""
    cells = [" ".join(cell.replace("\0", "").split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _list_headings(above: list[str], cells: list[str]) -> list[list[str]]:
    """Return the headings that a row may be: its cells, and these with the row above.

    Only with the row above where this tells equal cells apart, unless two tables stand side by side.
    """
    joined = _join(above, cells)
    filled = [cell for cell in cells if cell]
    half, odd = divmod(len(filled), 2)
    beside = not odd and filled[:half] == filled[half:]
    if _count_equal(cells) and not _count_equal(joined) and not beside:
        return [joined]
    return [cells, joined] if above else [cells]


def _count_equal(cells: list[str]) -> int:
    return sum(count > 1 for cell, count in Counter(cells).items() if cell)


def _join(above: list[str], below: list[str]) -> list[str]:
    """Return the headings of two rows as one row; a merged cell has its text only in the upper row.

    A heading that stands below several merged cells has theirs in front: Child 1/Age, Child 2/Age.
    """
    width = max(len(above), len(below))
    upper, lower = ([*cells, *[""] * (width - len(cells))] for cells in (above, below))
    groups: Iterator[str] = accumulate(upper, lambda group, text: text or group)
    twice = {text for text, count in Counter(lower).items() if count > 1}
    return [
        f"{group}/{under}" if group and under in twice and under else under or over
        for group, over, under in zip(groups, upper, lower, strict=True)
    ]
