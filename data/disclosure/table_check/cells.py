"""The cells of all releases that a reader of a tier can open, by area, period and categories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel, make_short_channel
from data.disclosure.table_check.context import ALL_AREAS
from data.release import Release
from data.schema.vocabulary import COUNTRIES
from data.tables.periods import Period
from data.tables.shown import choose_numbers, count_draws
from data.tables.spec import COUNTED, Tier, find_knowledge
from data.tables.states import ZEROS

ReadTable = Callable[[Release, str], pd.DataFrame]
Key = tuple[str, str, frozenset[str]]  # area, period, categories; no category is the total
VALUE, NOISY, MARGIN, NOISY_MARGIN, LOW, HIGH, MEDIAN, LOWER, UPPER = range(9)
CLASSES = ("risk", "riskchange")  # results of the model that are ranges, beside other numbers
_LEVEL = 0.95
_MEASURES = (*sorted(COUNTED), "effort", "services", "staff", "capacity", "communities", *CLASSES)


@dataclass(frozen=True)
class Cell:
    """A released cell: its state, its numbers in the order of VALUE to UPPER (NaN if missing), and its table's name."""

    state: str
    numbers: tuple[float, ...]
    table: str

    @property
    def amount(self) -> float:
        """The number for sums: the value, 0 for a published zero, else NaN."""
        value = self.numbers[VALUE]
        return 0.0 if np.isnan(value) and self.state in ZEROS else value


@dataclass(eq=False)
class Source:
    """The cells of one tier of one release, by measure; without those that a newer release repeats.

    figures: other numbers of each area, such as published figures and results. populations: the population figures of
    each area. channels, reaches: the noise of each table that has noise, and the largest count behind a
    number that it does not show. draws: of how many draws the numbers of a table are
    the sum, by its name.
    """

    tier: Tier
    release: str
    cells: dict[str, dict[Key, Cell]] = field(default_factory=dict)
    figures: dict[str, set[float]] = field(default_factory=dict)
    populations: dict[str, list[float]] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    draws: dict[str, float] = field(default_factory=dict)
    reaches: dict[str, float] = field(default_factory=dict)
    _intervals: dict[tuple[str, float], tuple[float, float]] = field(default_factory=dict)

    def find_interval(self, cell: Cell | None) -> tuple[float, float]:
        """Return the ends of the 95 % interval of the true count of a cell, as `tact.Channel.interval` does.

        Both are NaN if its table has no noise, or if the cell is missing or says nothing about its count.
        """
        channel = self.channels.get(cell.table) if cell is not None else None
        if channel is None or cell is None:
            return np.nan, np.nan
        number = 0.0 if cell.state in ZEROS else cell.numbers[NOISY]
        is_hidden = channel.k is not None and cell.state in (*ZEROS, "few")
        margin = float(np.fmax(cell.numbers[NOISY_MARGIN], self.draws.get(cell.table, 1.0) * channel.largest))
        if margin > channel.largest:  # a sum of several draws
            low, high = (0, (channel.k or 1) - 1) if is_hidden else (number, number)
            return max(low - margin, 0.0), high + margin
        # NaN is no safe key of a dictionary: it is not equal to itself.
        key = cell.table, -1.0 if is_hidden else number
        if np.isnan(key[1]):
            return np.nan, np.nan
        if key not in self._intervals:
            published = None if key[1] < 0 else int(key[1])
            self._intervals[key] = channel.confidence_interval(published, _LEVEL)
        return self._intervals[key]


def read_source(
    release: Release, read_table: ReadTable, areas: frozenset[str], grains: frozenset[str], newer: Source | None = None
) -> Source:
    """Read the cells of a release for the given areas and grains, without those that are the same in `newer`."""
    source = Source(release.tier, release.name)
    for resource in release.manifest["resources"]:
        name, about = resource["name"], resource.get("tact") or {}
        if name == "areas" or (about.get("grain") or next(iter(grains))) not in grains:
            continue
        table = read_table(release, name)
        table = table[table["area"].isin(areas)]
        if about.get("measure") in _MEASURES and "breakdown" in about:
            _add_cells(source, about, name, table, release, newer)
        if about.get("measure") not in _MEASURES or about["measure"] in CLASSES:
            _add_numbers(source, table)
    for cells in source.cells.values():
        # The sum of both countries, where each shows a number or a published zero.
        first = next(iter(COUNTRIES))
        for area, period, codes in [key for key in cells if key[0] == first]:
            both = [cells.get((country, period, codes)) for country in COUNTRIES]
            if all(cell is not None and not np.isnan(cell.amount) for cell in both):
                numbers = tuple(float(sum(ends)) for ends in zip(*(c.numbers for c in both if c), strict=True))
                cells[ALL_AREAS, period, codes] = Cell("number", numbers, cells[area, period, codes].table)
    return source


def _read_channel(release: Release, level: str, grain: str, measure: str) -> Channel | None:
    """Return the noise of the tables of a measure; None if they have none."""
    about = release.manifest.get("tact") or {}
    known = find_knowledge(about.get("knowledge") or {}, measure, level, grain)
    if known is None:
        return None
    noise, k = CellKey.from_manifest(about), int(known["open_to"]) + 1
    return make_short_channel(noise.table(int(known["step"])), k if k > 1 else None)


def _add_cells(
    source: Source, about: Mapping[str, Any], name: str, table: pd.DataFrame, release: Release, newer: Source | None
) -> None:
    measure, place = about["measure"], (about["level"], about["grain"], about["measure"])
    columns = ["group"] if measure == "communities" else list(about["breakdown"])
    choice = choose_numbers(table, release.find_reach(*place))
    if channel := _read_channel(release, *place):
        source.channels[name], source.reaches[name] = channel, release.find_reach(*place)
        source.draws[name] = count_draws(choice["noisy_margin"], channel.largest)
    ends = [
        _floats(table[end]) if end in table else np.full(len(table), np.nan)
        for end in ("low", "high", "median", "lower", "upper")
    ]
    numbers = np.column_stack([choice[["value", "noisy", "margin", "noisy_margin"]].to_numpy(), *ends])
    codes = zip(*(table[column].tolist() for column in columns), strict=True) if columns else ((),) * len(table)
    cells, before = source.cells.setdefault(measure, {}), newer.cells.get(measure, {}) if newer else {}
    for area, period, names, state, row in zip(
        table["area"].tolist(), table["period"].tolist(), codes, table["state"].tolist(), numbers.tolist(), strict=True
    ):
        key, cell = (area, period, frozenset(names)), Cell(state, tuple(row), name)
        newer_cell = before.get(key)
        if (
            newer_cell is None
            or newer_cell.state != state
            or not np.array_equal(newer_cell.numbers, row, equal_nan=True)
        ):
            cells.setdefault(key, cell)


def _add_numbers(source: Source, table: pd.DataFrame) -> None:
    population = table["measure"] == "population" if "measure" in table else None
    for column in table.columns:
        if pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column]):
            for area, number in zip(table["area"], _floats(table[column]), strict=True):
                if not np.isnan(number):
                    source.figures.setdefault(area, set()).add(float(number))
                    if column == "share":
                        source.figures[area].add(float(number) * 100)
    if population is not None:
        for area, number in zip(table.loc[population, "area"], _floats(table.loc[population, "number"]), strict=True):
            source.populations.setdefault(area, []).append(float(number))


def _floats(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan))


@dataclass(eq=False)
class Atlas:
    """All sources, public ones first and newest first, and how areas and periods nest.

    parents, levels: the parent and the level of each area. periods: each period by its identifier.
    """

    sources: list[Source]
    parents: Mapping[str, str]
    levels: Mapping[str, str]
    periods: Mapping[str, Period]

    @cached_property
    def parts_of(self) -> dict[str, tuple[str, ...]]:
        """The areas of the next level inside each area."""
        inside: dict[str, list[str]] = {}
        for code, parent in self.parents.items():
            inside.setdefault(parent or ALL_AREAS, []).append(code)
        return {outer: tuple(codes) for outer, codes in inside.items()}

    @cached_property
    def periods_within(self) -> dict[str, tuple[str, ...]]:
        """The periods of the next shorter length inside each period."""
        shorter = {"whole": "year", "year": "quarter"}
        return {
            outer: tuple(
                name
                for name, p in self.periods.items()
                if p.grain == shorter[period.grain] and p.start <= period.end and period.start <= p.end
            )
            for outer, period in self.periods.items()
            if period.grain in shorter
        }

    def find_longer_period(self, period: str) -> str | None:
        """Return the next longer period that contains a period; None if there is none."""
        return next((outer for outer, inner in self.periods_within.items() if period in inner), None)

    def list_earlier_periods(self, period: str) -> list[str]:
        """List the earlier periods of the same length, the earliest first; empty for an unknown period."""
        here = self.periods.get(period)
        earlier = [n for n, p in self.periods.items() if here and p.grain == here.grain and p.end < here.start]
        return sorted(earlier, key=lambda name: self.periods[name].start)

    def find_parts(self, cells: Mapping[Key, Cell], key: Key) -> Iterator[list[Key]]:
        """Yield each set of cells that adds up to a cell: its areas, its periods, the categories of each breakdown."""
        area, period, codes = key
        if parts := self.parts_of.get(area):
            yield [(part, period, codes) for part in parts]
        if years := self.periods_within.get(period):
            yield [(area, year, codes) for year in years]
        if not codes:
            by_table: dict[str, list[Key]] = {}
            for other in self.categories_of(cells, area, period):
                by_table.setdefault(cells[other].table, []).append(other)
            yield from by_table.values()

    def categories_of(self, cells: Mapping[Key, Cell], area: str, period: str) -> list[Key]:
        """List the cells of an area and period that are about exactly one category."""
        index = self._indexes.setdefault(id(cells), {})
        if not index:
            for key in cells:
                if len(key[2]) == 1:
                    index.setdefault(key[:2], []).append(key)
        return index.get((area, period), [])

    @cached_property
    def _indexes(self) -> dict[int, dict[tuple[str, str], list[Key]]]:
        return {}


def add_up(cells: Mapping[Key, Cell], keys: Iterable[Key]) -> tuple[float, float, bool]:
    """Return the sum of cells, the sum with hidden cells as 0, and whether some of them, but not all, are hidden.

    The first sum is NaN if a cell is hidden or there is no cell.
    """
    amounts = [cells[key].amount if key in cells else np.nan for key in keys]
    present = [amount for amount in amounts if not np.isnan(amount)]
    hidden = len(present) < len(amounts)
    return (np.nan if hidden or not amounts else float(sum(present))), float(sum(present)), hidden and bool(present)
