"""The long form, with an area in each row, of tables with areas in their headings, such as a column for each county."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data.disclosure.table_check.context import Column, Context, Known, choose_areas, find_category
from data.disclosure.table_check.reading import join_numbers
from data.workspace.folding import make_key

_BETWEEN_NAMES = re.compile(r"[\s_,;:()/]+")


@dataclass(frozen=True)
class _Named:
    """A column whose heading names areas, and the other words of its heading."""

    column: Column
    areas: frozenset[str]
    words: str


def list_long(context: Context, own_columns: Collection[str]) -> list[Context]:
    """Return the long form of each group of columns with areas in their headings.

    Columns whose headings have the same other words form a group. Empty if the rows name areas, or if no heading does.
    own_columns: headings of columns that each form a separate group.
    """
    if context.has_areas:
        return []
    groups: dict[tuple[str, str], list[_Named]] = {}
    for named in _find_named(context):
        alone = named.column.heading if named.column.heading in own_columns else ""
        groups.setdefault((named.words, alone), []).append(named)
    return [_make_long(context, group) for group in groups.values()]


def _find_named(context: Context) -> Iterator[_Named]:
    for column in context.columns:
        parts = None if find_category(column.heading) else _read_heading(column.heading, context.known)
        if parts:
            yield _Named(column, *parts)


def _read_heading(heading: str, known: Known) -> tuple[frozenset[str], str] | None:
    """Return the areas that a heading names, and its other words without periods and categories.

    The longest run of words that names an area counts. Returns None if the heading names no area.
    """
    words = [word for word in _BETWEEN_NAMES.split(heading) if word]
    for length in range(len(words), 0, -1):
        for first in range(len(words) - length + 1):
            areas = known.name_areas(" ".join(words[first : first + length]))
            if areas:
                rest = known.drop_periods(" ".join([*words[:first], *words[first + length :]]))
                return areas, " ".join(make_key(word) for word in rest.split() if not find_category(word))
    return None


def _make_long(context: Context, group: Sequence[_Named]) -> Context:
    """Return a context with a row for each row and column of a group, one column after the other."""
    columns = [named.column for named in group]
    long = Context(context.known, context.size * len(group), has_areas=True)
    long.areas = [area for area in choose_areas([named.areas for named in group], context.known) for _ in context.codes]
    long.periods = [column.period or period for column in columns for period in context.periods]
    long.codes = [column.codes | codes for column in columns for codes in context.codes]
    long.rows = np.tile(context.rows, len(group))
    long.wide = [column for column in columns for _ in context.codes]
    long.columns = [Column(columns[0].heading, columns[0].position, join_numbers([c.numbers for c in columns]))]
    return long
