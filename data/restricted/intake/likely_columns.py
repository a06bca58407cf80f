"""Find the columns that may hold the partner's code of each child, or categories, by what is in their cells."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from data.personal.content import find_personal_number
from data.restricted.intake.table import RawColumn, RawTable
from data.restricted.intake.values import read_day
from data.schema import words
from data.workspace.types import Ints

_LONGEST = 20  # characters of a code
_WORDS = 2  # of a code such as "K 12"
_LONGEST_CATEGORY = 40
_WORDS_OF_CATEGORY = 4
_REPEATED = 10  # rows in which a category is there at least twice, on average
_SAMPLE = 5_000  # rows
_MOST = 0.5  # of the filled cells
_MOST_REPEATED = 1 / 3  # of the rows, fewer repeat the code of a child on one day at one place
_DAY_AND_PLACE = 2


def find_code_columns(
    table: RawTable, positions: Iterable[int], named: Iterable[int], beside: Sequence[int] = ()
) -> list[int]:
    """Return the positions of the columns whose cells may be codes of children, the likeliest first.

    Days, remarks, words and empty columns are left out, columns that count the rows or the children, and codes that
    several rows of one day and place share, as those of a family do. `beside` : the positions of the day and place of a
    row. Those in `named`, whose heading may mean such a code, come first and may count the rows: a partner may have
    numbered its children so. Then the columns follow in which a code appears the fewest times.
    """
    counts = find_count_columns(table, range(len(table.columns)))
    positions = [position for position in positions if position not in counts]
    named = [position for position in named if not _repeats(table, position, beside) and position not in counts]
    first = [position for position in named if _has_codes(table.columns[position])]
    others = {
        position: _count_repetitions(column)
        for position in positions
        if position not in first
        and _has_codes(column := table.columns[position])
        and not _counts_rows(column)
        and not _repeats(table, position, beside)
    }
    return [*first, *sorted(others, key=others.__getitem__)]


def find_count_columns(table: RawTable, positions: Iterable[int]) -> list[int]:
    """Return the positions of the columns that count the children of each row, by their heading and small numbers."""
    columns = ((position, table.columns[position]) for position in positions)
    return [p for p, column in columns if words.says_count(column.heading) and _are_most(column, _is_count)]


def _is_count(text: str) -> bool:
    return re.fullmatch(r"\d{1,2}(?:[.,]0+)?", text.strip()) is not None


def find_day_columns(table: RawTable, positions: Iterable[int], today: dt.date) -> list[int]:
    """Return the positions of the columns whose cells are days."""
    return [p for p in positions if _are_most(table.columns[p], lambda text: read_day(text, today) is not None)]


def may_be_group(repeated: int, rows: int) -> bool:
    """Return whether so many rows repeat a code within a day and place that it is rather that of a family or case."""
    return 0 < repeated >= _MOST_REPEATED * rows


def count_repeated(*codes: Ints) -> int:
    """Return how many rows have the same codes as an earlier row."""
    return len(codes[0]) - len(np.unique(np.stack(codes), axis=1).T) if codes else 0


def _repeats(table: RawTable, position: int, beside: Sequence[int]) -> bool:
    if len(beside) < _DAY_AND_PLACE:
        return False
    column = table.columns[position]
    filled = np.array([bool(text.strip()) for text in column.distinct], dtype=bool)[column.codes]
    codes = [table.columns[p].codes[filled].astype(np.int64) for p in (position, *beside)]
    return may_be_group(count_repeated(*codes), int(filled.sum()))


def find_worded_columns(table: RawTable, positions: Iterable[int]) -> list[int]:
    """Return the positions of the columns whose cells may be categories: no days, remarks, codes or numbers of rows."""
    return [position for position in positions if _has_categories(table.columns[position])]


def _has_categories(column: RawColumn) -> bool:
    often = len(column.codes) < _REPEATED or _count_repetitions(column) >= 2
    return often and _are_most(column, _is_category) and not _counts_rows(column)


def _is_category(text: str) -> bool:
    return len(text) <= _LONGEST_CATEGORY and len(text.split()) <= _WORDS_OF_CATEGORY and not find_personal_number(text)


def _has_codes(column: RawColumn) -> bool:
    """Return whether most filled cells are short and have a digit, without being a day or a number of a person."""
    return _are_most(column, _is_code)


def _are_most(column: RawColumn, is_likely: Callable[[str], bool]) -> bool:
    """Return whether more than half of the filled cells are likely, in the first rows."""
    rows = column.codes[:_SAMPLE].tolist()
    filled = {code for code in rows if column.distinct[code].strip()}
    likely = {code for code in filled if is_likely(column.distinct[code])}
    return sum(code in likely for code in rows) > _MOST * sum(code in filled for code in rows)


def _is_code(text: str) -> bool:
    short = len(text) <= _LONGEST and len(text.split()) <= _WORDS
    return short and any(map(str.isdigit, text)) and not find_personal_number(text)


def _counts_rows(column: RawColumn) -> bool:
    return counts_up(column.distinct[code] for code in column.codes.tolist())


def counts_up(texts: Iterable[str], least: int = 1) -> bool:
    """Return whether the filled texts are 1, 2, 3 and so on; false if there are fewer than `least`."""
    number = 0
    for number, text in enumerate(filter(None, texts), start=1):  # ends at the first text in nearly every file
        if text != str(number):
            return False
    return number >= least


def _count_repetitions(column: RawColumn) -> float:
    """Return in how many rows a filled text is, on average."""
    filled = [text for text in column.distinct if text.strip()]
    return len(column.codes) / max(len(filled), 1)
