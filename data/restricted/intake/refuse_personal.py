"""Refusal of files with personal data of children; messages name columns and lines, never values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from data.errors import FileRefused
from data.message import Message, join_messages
from data.personal.content import Holds, find_birth_day, find_personal_content, recognise_degrees
from data.personal.headings import find_personal_heading, is_about_others, plain_heading, quote_heading
from data.restricted.intake.headings import OWN, Layout, read_meanings
from data.restricted.intake.table import RawColumn, RawTable
from data.schema.column import Column, RecordKind


def refuse_personal_headings(name: str, kind: RecordKind, headings: list[str], layout: Layout) -> None:
    """Raise FileRefused for a column with a personal heading; our own headings and those of tools are allowed."""
    _refuse(name, headings, _by_heading(kind, headings, layout))


def refuse_personal_content(name: str, kind: RecordKind, table: RawTable, layout: Layout, year: float | None) -> None:
    """Raise FileRefused for a column whose content looks personal.

    `year` is the median year of the records; without it, only a word such as "born" makes a date a date of birth.
    """
    _refuse(name, [column.heading for column in table.columns], _by_content(kind, table, layout, year))


@dataclass(frozen=True)
class _Match:
    """A column with personal data.

    line: where it is first seen; 0 for the heading. ours: whether the file uses it as one of our columns.
    """

    position: int
    sort: str
    line: int = 0
    ours: bool = False


def _refuse(name: str, headings: list[str], columns: Iterable[_Match]) -> None:
    by_sort: dict[str, list[_Match]] = {}
    for column in columns:
        by_sort.setdefault(column.sort, []).append(column)
    if not by_sort:
        return
    sorts = join_messages((_name_sort(headings, sort, group) for sort, group in by_sort.items()), "; ")
    parts = [
        Message("{file} is refused because it seems to contain {sorts}. No row was imported.", file=name, sorts=sorts),
        Message("Remove this from the file and import it again."),
    ]
    if any(column.ours for group in by_sort.values() for column in group):
        parts.append(Message("Child identifiers and record numbers are codes such as K-0412."))
    matches = (column for group in by_sort.values() for column in group)
    places = ((c.sort, plain_heading(headings[c.position], c.position), c.line) for c in matches)
    raise FileRefused(join_messages(parts), places)


def _name_sort(headings: list[str], sort: str, columns: list[_Match]) -> Message:
    """Return a kind of personal data, with the columns of a file that seem to contain it, as a message."""
    where = join_messages((_where(headings[column.position], column) for column in columns), ", ")
    return Message("{sort} ({where})", sort=sort, where=where)


def _where(heading: str, column: _Match) -> Message:
    named = quote_heading(heading, column.position)
    return Message("{column} in line {line}", column=named, line=column.line) if column.line else named


def _by_heading(kind: RecordKind, headings: list[str], layout: Layout) -> Iterator[_Match]:
    ours = {position: column for column in layout.list_found() for position in layout.positions_of(column)}
    for position, heading in enumerate(headings):
        column = ours.get(position, "")
        own_word = column not in layout.mapped and read_meanings(kind.name, heading).get(column) == OWN
        if own_word or position in layout.metadata:
            continue
        sort = find_personal_heading(heading, kind.refuses)
        # A year of birth becomes a band of ages; a day of birth in that column is found by its content.
        if sort and not (sort == "dates of birth" and _is_birth_year(kind, heading, column)):
            yield _Match(position, sort)


def _is_birth_year(kind: RecordKind, heading: str, column: str) -> bool:
    return column == "age_band" and column in read_meanings(kind.name, heading)


def _by_content(kind: RecordKind, table: RawTable, layout: Layout, year: float | None) -> Iterator[_Match]:
    ours = {p: kind.column(column) for column in layout.list_found() for p in layout.positions_of(column)}
    degrees: dict[str, _Match] = {}
    for position, raw in enumerate(table.columns):
        if position in layout.metadata:
            continue
        looks = partial(_content, kind, ours.get(position), raw.heading, year=year)
        if position in ours and ours[position].name == "age_band" and _holds_birth_days(kind, raw, year):
            yield _Match(position, "dates of birth")
            continue
        if sort := looks(raw.distinct):
            yield _Match(position, sort, _first_line(table, raw, sort, looks), position in ours)
        elif position not in ours and (which := recognise_degrees(raw.distinct)):
            line = _first_line(table, raw, which, recognise_degrees)
            degrees.setdefault(which, _Match(position, "coordinates", line))
    if len(degrees) == 2:
        yield from degrees.values()


def _holds_birth_days(kind: RecordKind, raw: RawColumn, year: float | None) -> bool:
    """Return whether a column of ages has days of birth.

    If its heading names a date or year of birth, one whole day is enough. Otherwise its values must look like dates of
    birth.
    """
    if find_personal_heading(raw.heading, kind.refuses) == "dates of birth":
        return find_birth_day(raw.distinct)
    return find_personal_content(raw.distinct, "number", year=year) == "dates of birth"


def _content(
    kind: RecordKind, column: Column | None, heading: str, values: list[str], year: float | None
) -> str | None:
    sort = find_personal_content(values, _holds(column), of_children=kind.of_children, year=year)
    of_others = sort == "names" and column is None and is_about_others(heading)
    return None if of_others else sort


def _holds(column: Column | None) -> Holds:
    if column is None:
        return "unknown"
    if column.type == "identifier":
        return "identifier"
    if column.name == "record_number":
        return "number"
    return "text" if column.type == "text" else "coded"


def _first_line(table: RawTable, raw: RawColumn, sort: str, looks: Callable[[list[str]], str | None]) -> int:
    """Return the first line whose cell alone shows this kind of personal data; the last line if none does."""
    codes = [code for code, value in enumerate(raw.distinct) if looks([value]) == sort]
    return int(table.lines[np.isin(raw.codes, codes)].min(initial=table.lines[-1]))
