"""What other columns of a file reveal about the place of a row: its county, its municipality or its country.

The name of a town may also be the name of a village elsewhere, and some names belong to several places. Such a name is
accepted only if all of these columns that name an area agree with exactly one place, or if the data officer has
confirmed it. The population of a town is not known (towns.csv), so it cannot decide.

A known municipality is compared too. Where a column says another area, the cell becomes the pair, "Durrës (Vlorë)",
which is no known place: the officer is asked once for each pair. A name in another language (Αυλώνα for Vlorë) is not
accepted if all other places of its column are in the other country, or if a town there has nearly this name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

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
    names any. list_codes : returns the municipalities that a column names.
    """

    numbers: npt.NDArray[np.int64]
    areas: Sequence[tuple[frozenset[str], ...]]
    list_codes: Callable[[str], frozenset[str]]

    def settle(self, column: Column, match: Match, number: int) -> str | None:
        """Return the code that a match means; None if it has none, or if nothing decides between several.

        `number` is the row's entry of `numbers`.
        """
        if match.finding not in ("town", "exonym", "several"):
            return match.code
        beside = self.areas[number] if column.name == "municipality" else ()
        if not beside:
            return match.code if match.finding == "exonym" and self._fits_column(column, match) else None
        options = {match.code} if match.code else match.named
        agreed = [code for code in options if not any(areas.isdisjoint(_list_around(code)) for areas in beside)]
        return agreed[0] if len(agreed) == 1 else None

    def _fits_column(self, column: Column, match: Match) -> bool:
        """Return whether a name in another language fits the countries of the other places in its column."""
        countries = area_table()["country"]
        code = match.code or ""
        others = {countries[other] == countries[code] for other in self.list_codes(column.name) - {code}}
        has_rivals = len(match.candidates) > 1
        return others == {True} or (not has_rivals and others != {False})


def find_place(resolve: Resolve, column: Column, text: str, country: str | None = None) -> Match:
    """Return the area that a text means, or the country if the column may have one in its place."""
    match = resolve(text, country, column.level)
    if not column.abroad or match.finding not in ("none", "elsewhere"):
        return match
    abroad = resolve(text, None, "abroad")
    return abroad if abroad.code else match


def _list_around(*codes: str) -> set[str]:
    table = area_table()
    return {*codes, *table["parent"][list(codes)], *table["country"][list(codes)]}


def _list_regions(codes: frozenset[str]) -> frozenset[str]:
    table = area_table()
    return frozenset(str(table["parent"][code]) for code in codes if table["level"][code] == "municipality")


def name_pairs(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> RawTable:
    """Return a table in our shape in which a municipality has in brackets an area beside it in which it is not."""
    position = layout.columns.get("municipality")
    if position is None or not list_area_columns(kind, table, layout):
        return table
    raw, names = table.columns[position], mapping.value_names.get("municipality")
    around = _read_columns(_list_unknown(kind, table, layout, resolve), len(table.lines))
    texts = [
        str(text) for text in check_values(kind.column("municipality"), raw.distinct, today=today, names=names).values
    ]
    pairs, numbers = np.unique(around[0] * len(texts) + raw.codes, return_inverse=True)
    places = (divmod(pair, len(texts)) for pair in pairs.tolist())
    named = [_name_pair(raw.distinct[code], texts[code], around[1][number], resolve) for number, code in places]
    index = {text: code for code, text in enumerate(dict.fromkeys(named))}
    codes = np.array([index[text] for text in named], dtype=raw.codes.dtype)
    columns = list(table.columns)
    columns[position] = replace(raw, codes=codes[numbers] if named else raw.codes, distinct=list(index))
    return replace(table, columns=columns)


def _name_pair(cell: str, text: str, beside: tuple[frozenset[str], ...], resolve: Resolve) -> str:
    match = resolve(text, None, "municipality") if text and beside else None
    options = {*(match.named if match else ()), *([match.code] if match and match.code else [])}
    apart = [areas for areas in beside if options and areas.isdisjoint(_list_around(*options))]
    if not match or not apart:
        return cell
    names = area_table()["name_en"]
    place = str(names[match.code]) if match.code and match.finding in ("one", "exonym") else text
    # The widest area is what the column most likely says.
    return f"{place} ({names[min(apart[0], key=lambda code: (len(code), code))]})"


def read_surroundings(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Surroundings:
    """Return the areas that the column of the country and unknown columns name in each row."""

    @cache
    def list_codes(name: str) -> frozenset[str]:
        raw, names = table.columns[layout.columns[name]], mapping.value_names.get(name)
        texts = check_values(kind.column(name), raw.distinct, today=today, names=names).values
        matches = (resolve(str(text), None, "municipality") for text in texts if text)
        return frozenset(match.code for match in matches if match.code)

    columns = _list_columns(kind, table, layout, mapping, resolve, today)
    return Surroundings(*_read_columns(columns, len(table.lines)), list_codes)


def _read_columns(
    columns: Iterator[tuple[RawColumn, list[frozenset[str]]]], rows: int
) -> tuple[npt.NDArray[np.int64], list[tuple[frozenset[str], ...]]]:
    """Return `numbers` and `areas` of Surroundings from columns with the areas that each distinct text names."""
    numbers, areas = np.zeros(rows, np.int64), [tuple[frozenset[str], ...]()]
    for raw, named in columns:
        pairs, codes = np.unique(numbers * len(raw.distinct) + raw.codes, return_inverse=True)
        places = (divmod(pair, len(raw.distinct)) for pair in pairs.tolist())
        areas = [areas[number] + ((named[code],) if named[code] else ()) for number, code in places]
        numbers = codes.astype(np.int64)
    return numbers, areas


def _list_columns(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping, resolve: Resolve, today: dt.date
) -> Iterator[tuple[RawColumn, list[frozenset[str]]]]:
    """Yield the column of the country, and unknown columns with areas, with the areas that each distinct text names."""
    if "country" in layout.columns:
        raw, names = table.columns[layout.columns["country"]], mapping.value_names.get("country")
        values = check_values(kind.column("country"), raw.distinct, today=today, names=names).values
        yield raw, [frozenset([str(value)] if value else []) for value in values]
    yield from _list_unknown(kind, table, layout, resolve)


def _list_unknown(
    kind: RecordKind, table: RawTable, layout: Layout, resolve: Resolve
) -> Iterator[tuple[RawColumn, list[frozenset[str]]]]:
    """Yield unknown columns with areas, with the areas that each distinct text names.

    Unless its heading is one for municipalities, a column may have districts, which bear the name of one municipality
    and have several: the county or region of that municipality counts too.
    """
    for position in list_area_columns(kind, table, layout):
        raw = table.columns[position]
        is_wide = words.look_up(words.index_headings("municipality"), raw.heading) is None
        by_text = (frozenset[str]().union(*_find_areas(text, resolve)) for text in raw.distinct)
        yield raw, [areas | _list_regions(areas) if is_wide else areas for areas in by_text]


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
