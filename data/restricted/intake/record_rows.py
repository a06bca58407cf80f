"""Find out whether a row is a record or the headings of a table. A record must not be shown or stored as headings.

Headings are words. A day, an age, a code, a phone number or a given name, with only few known headings, shows a record.
So do places, words of categories, and cells like others of their column, if they are more than the known headings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from data.personal.content import find_personal_content
from data.personal.headings import is_value
from data.restricted.intake.headings import TELLING, find_answers, is_metadata, rate_headings, read_meanings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.personal_words import is_place
from data.restricted.intake.values import list_spellings
from data.schema.kinds import KINDS
from data.schema.words import index_unsure, look_up
from data.workspace.folding import fold

_FIRST = 2  # columns in which a form may have its headings


def is_record(cells: Sequence[str], mapping: ColumnMapping, rows: Iterable[Sequence[str]]) -> bool:
    """Return whether a row of a sheet looks like a record; `rows` are the first rows of the sheet, with this one."""
    score, others = _rate(cells, mapping), [row for row in rows if row != cells]
    theirs = {fold(name) for column in mapping.columns for name in mapping.headings_of(column)}
    # Answers of a question side by side are headings of columns with marks.
    answers = {p for kind in KINDS.values() for codes in find_answers(kind, cells).values() for p in codes}
    sure = likely = 0
    for position, cell in enumerate(cells):
        if not cell or is_metadata(cell) or fold(cell) in theirs or any(read_meanings(kind, cell) for kind in KINDS):
            continue
        if is_value(cell):
            sure += 1
            continue
        column = [row[position] for row in others if len(row) > position]
        is_value_word = is_place(cell) or (look_up(_list_words(), cell) is not None and position not in answers)
        likely += is_value_word or _is_like_others(cell, column)
    return sure + likely > score or (sure > 0 and score < TELLING)


def is_inside_table(number: int, mapping: ColumnMapping, rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a row that names few columns stands inside a table or above its headings.

    This is so if another row or one of the first columns has the headings, or if a row above has at least as many
    cells. number : the position of the row in `rows`.
    """
    columns = ([row[position] for row in rows if len(row) > position] for position in range(_FIRST))
    lines = (row for place, row in enumerate(rows) if place != number)
    if any(_rate(cells, mapping) >= TELLING for cells in (*lines, *columns)):
        return True
    width = _count_filled(rows[number])
    return any(_count_filled(row) >= width > 1 for row in rows[:number])


def _rate(cells: Sequence[str], mapping: ColumnMapping) -> float:
    """Return how many columns of a kind the cells name, for the kind that fits best."""
    return max(rate_headings(kind, cells, mapping) for kind in KINDS.values())


def _count_filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _is_like_others(cell: str, others: list[str]) -> bool:
    """Return whether a cell occurs again in its column, or has the same kind of personal data as the other cells."""
    sort = find_personal_content([cell])
    return cell in others or (sort is not None and sort == find_personal_content(others))


@lru_cache(maxsize=1)
def _list_words() -> dict[str, str]:
    """Return the codes of all kinds by the keys of their spellings."""
    columns = {column.name: tuple(column.allowed.items()) for kind in KINDS.values() for column in kind.file_columns}
    spellings = ({**index_unsure(name), **list_spellings(name, allowed)} for name, allowed in columns.items())
    return {key: code for known in spellings for key, code in known.items()}
