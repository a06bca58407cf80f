"""What other columns of a file reveal about the place of a row: its county, its municipality or its country.

The name of a town may also be the name of a village elsewhere, and some names belong to several places. Such a name is
accepted only if all of these columns that name an area agree with exactly one place, or if the data officer has
confirmed it. The population of a town is not known (towns.csv), so it cannot decide.
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
    """The areas that other columns name beside each row.

    numbers : for each row, an index into `areas`, shape (n,). areas : for each index, the areas of each column that
    names any.
    """

    numbers: npt.NDArray[np.int64]
    areas: Sequence[tuple[frozenset[str], ...]]

    def settle(self, column: Column, match: Match, number: int) -> str | None:
        """Return the code that a match means; None if it has none, or if nothing decides between several.

        `number` is the row's entry of `numbers`.
        """
        if match.finding not in ("town", "several"):
            return match.code
        beside = self.areas[number]
        if column.name != "municipality" or not beside:
            return None
        options = {match.code} if match.code else match.named
        agreed = [code for code in options if not any(areas.isdisjoint(_list_around(code)) for areas in beside)]
        return agreed[0] if len(agreed) == 1 else None


def _list_around(code: str) -> set[str]:
    table = area_table()
    return {code, str(table["parent"][code]), str(table["country"][code])}


def read_surroundings(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Surroundings:
    """Return the areas that the column of the country and unknown columns name in each row."""
    numbers, areas = np.zeros(len(table.lines), np.int64), [tuple[frozenset[str], ...]()]
    for raw, named in _list_columns(kind, table, layout, mapping, resolve, today):
        pairs, codes = np.unique(numbers * len(raw.distinct) + raw.codes, return_inverse=True)
        places = (divmod(pair, len(raw.distinct)) for pair in pairs.tolist())
        areas = [areas[number] + ((named[code],) if named[code] else ()) for number, code in places]
        numbers = codes.astype(np.int64)
    return Surroundings(numbers, areas)


def _list_columns(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Iterator[tuple[RawColumn, list[frozenset[str]]]]:
    """Yield the column of the country, and unknown columns with areas, with the areas that each distinct text names."""
    if "country" in layout.columns:
        raw, names = table.columns[layout.columns["country"]], mapping.value_names.get("country")
        values = check_values(kind.column("country"), raw.distinct, today=today, names=names).values
        yield raw, [frozenset([str(value)] if value else []) for value in values]
    for position in list_area_columns(kind, table, layout):
        raw = table.columns[position]
        yield raw, [frozenset[str]().union(*_find_areas(text, resolve)) for text in raw.distinct]


def list_area_columns(kind: RecordKind, table: RawTable, layout: Layout) -> list[int]:
    """Return the positions of unknown columns that are read to find the municipality of a row, such as its county."""
    if all(column.name != "municipality" for column in kind.file_columns):
        return []
    return [position for position in layout.unknown if _names_areas(table.columns[position])]


def _names_areas(raw: RawColumn) -> bool:
    says_area = any(words.look_up(words.index_headings(name), raw.heading) is not None for name in _OF_AREAS)
    return says_area and 0 < len(raw.distinct) <= _MOST


def _find_areas(text: str, resolve: Resolve) -> Iterator[frozenset[str]]:
    for level in _LEVELS:
        match = resolve(text, None, level)
        if match.finding == "one":
            yield match.named
