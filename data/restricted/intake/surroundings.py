"""What other columns of a file say of the place of a row: its county, its municipality or its country.

A name that one town has may be that of a village elsewhere too. So a town is read as its municipality only where one of
these columns agrees, or where the data officer said so; how many people live in it is not known (towns.csv).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.reference import area_table
from data.restricted.intake.headings import Layout
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.table import RawColumn, RawTable
from data.restricted.intake.values import check_values
from data.schema import Match, Resolve, words
from data.schema.column import Column, RecordKind

_OF_AREAS = ("area", "municipality", "country")  # whose headings name areas
_LEVELS = ("country", "region", "municipality")
_MOST = 1_000  # different texts; a column with more has no counties


@dataclass(frozen=True)
class Surroundings:
    """The areas that other columns name beside each row: a number per row, shape (n,), and the areas of each number."""

    numbers: npt.NDArray[np.int64]
    areas: Sequence[frozenset[str]]

    def confirm(self, column: Column, match: Match, number: int) -> bool:
        """Return whether a match counts beside the areas of a number: always, but for a town that none of them has."""
        if match.finding != "town" or match.code is None:
            return True
        table = area_table()
        around = {match.code, str(table["parent"][match.code]), str(table["country"][match.code])}
        return column.name == "municipality" and not around.isdisjoint(self.areas[number])


def read_surroundings(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Surroundings:
    """Read which areas the columns that are not ours, and that of the country, name beside each row."""
    numbers, areas = np.zeros(len(table.lines), np.int64), [frozenset[str]()]
    for raw, named in _list_columns(kind, table, layout, mapping, resolve, today):
        pairs, codes = np.unique(numbers * len(raw.distinct) + raw.codes, return_inverse=True)
        areas = [areas[pair // len(raw.distinct)] | named[pair % len(raw.distinct)] for pair in pairs.tolist()]
        numbers = codes.astype(np.int64)
    return Surroundings(numbers, areas)


def _list_columns(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Iterator[tuple[RawColumn, list[frozenset[str]]]]:
    """Yield columns with the areas that each of their distinct texts names."""
    if "country" in layout.columns:
        raw, names = table.columns[layout.columns["country"]], mapping.value_names.get("country")
        values = check_values(kind.column("country"), raw.distinct, today=today, names=names).values
        yield raw, [frozenset([str(value)]) for value in values]
    for position in layout.unknown:
        raw = table.columns[position]
        says_area = any(words.look_up(words.index_headings(name), raw.heading) is not None for name in _OF_AREAS)
        if says_area and 0 < len(raw.distinct) <= _MOST:
            yield raw, [frozenset[str]().union(*_find_areas(text, resolve)) for text in raw.distinct]


def _find_areas(text: str, resolve: Resolve) -> Iterator[frozenset[str]]:
    for level in _LEVELS:
        match = resolve(text, None, level)
        if match.finding == "one":
            yield match.named
