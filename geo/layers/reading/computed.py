"""Layers of results that `tact risk` computed from a release, for counties and regions and for municipalities.

Without results beside the release (data/release/derived.py) such a layer has no levels and is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from data.message import Message
from data.release import Release
from data.tables.periods import Period
from geo.layers.core import Layer, LayerData, Legend, Option, Style, View
from geo.layers.reading import tables
from geo.layers.reading.counted import COLUMNS, complete_choices, frame_by_area, list_choices

_LEVELS, _EVERY = ("region", "municipality"), "all"


@dataclass(frozen=True)
class Quantity:
    """One quantity that a layer shows: the measure of its tables, and its words in the legend."""

    measure: str
    title: str
    unit: str
    margin: str


@dataclass(frozen=True)
class Computed:
    """A layer of computed results: how it is read and drawn, and its words.

    options : the quantity that is shown (a key of `quantities`), and for which pathway or services.
    grains : lengths of periods, finest first.
    numbers : further columns of numbers in `rows`, each with its meaning.
    flags : further columns that only `note` needs.
    breakdown : turns a choice of the second option into a column of the tables and its category.
    style, margin, title, note : functions of the quantity shown and of one more value: the table (style, margin), the
        identifier of the choice of the second option (title) or the row (note).
    sources : the name of the source if the records are those of the programme, and if they are invented.
    notes_in_rows : whether `rows` has the notes too.
    """

    options: tuple[Option, Option]
    quantities: Mapping[str, Quantity]
    grains: tuple[str, ...]
    numbers: Mapping[str, str]
    flags: tuple[str, ...]
    breakdown: Callable[[str], tuple[str, str]]
    style: Callable[[str, pd.DataFrame], Style]
    title: Callable[[str, str], str]
    margin: Callable[[str, pd.DataFrame], str]
    note: Callable[[str, Mapping[Any, Any]], str]
    legend_note: str
    sources: tuple[str, str]
    notes_in_rows: bool = False

    def as_layer(self, name: str, title: str, question: str) -> Layer:
        """Return the layer of these results."""
        reading = (self.levels, self.periods, self.read, self.rows, self.offers)
        more = tuple(self.numbers.items())
        return Layer(name, title, question, "fill", self.options, *reading, more=more, sums=False)

    def levels(self, release: Release) -> tuple[str, ...]:
        """List the levels for which the release has results."""
        return tuple(level for level in _LEVELS if self.offers(release, level, {}))

    def offers(self, release: Release, level: str, options: Mapping[str, str]) -> bool:
        """Return whether the release has results for these choices of the options at a level.

        If `options` has no category, any category is enough.
        """
        show = options.get(self.options[0].id, self.options[0].default)
        category = options.get(self.options[1].id)
        categories = [category] if category else [choice.id for choice in self.options[1].choices]
        known = level in _LEVELS and show in self.quantities
        return known and any(self._periods(release, level, show, c) for c in categories)

    def periods(self, release: Release, view: View) -> tuple[str, ...]:
        """List the periods that are as long as the view's period; if the layer lacks it, the shortest periods.

        Empty if the release has no results for the view.
        """
        by_grain = self._periods(release, view.level, *self._choose(release, view))
        same = [periods for periods in by_grain.values() if view.period in periods]
        return same[0] if same else next(iter(by_grain.values()), ())

    def read(self, release: Release, view: View) -> LayerData:
        """Read one view: one row for each area."""
        show, category = self._choose(release, view)
        by_grain = self._periods(release, view.level, show, category)
        period = tables.choose_period(view.period, by_grain)
        grain = next((g for g, periods in by_grain.items() if period in periods), self.grains[0])
        table = self._table(release, view.level, show, category, grain)
        rows = table[table["period"] == period]
        frame = frame_by_area(release, rows[COLUMNS], view.level)
        notes = {str(row["area"]): self._note(show, row) for row in rows.to_dict("records")}
        frame["note"] = [notes.get(str(area), "") for area in frame.index]
        legend = Legend(
            self.title(show, category),
            self.quantities[show].unit,
            Period.parse(period).label if period else "",
            self._source(release),
            self.margin(show, table),
            self.legend_note,
        )
        return LayerData(frame, self.style(show, table), legend, release.invented)

    def rows(self, release: Release, level: str) -> pd.DataFrame:
        """Return every row of the layer at a level, one column for each option."""
        names = [option.id for option in self.options]
        parts = [
            self._table(release, level, choices[names[0]], choices[names[1]], grain).assign(**choices)
            for choices in list_choices(self.options)
            for grain in self._periods(release, level, choices[names[0]], choices[names[1]])
        ]
        columns = ["area", "period", *names, *COLUMNS[2:], *self.numbers]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        records = rows.to_dict("records") if self.notes_in_rows else []
        notes = [self._note(str(row[names[0]]), row) for row in records] or ""
        return rows[columns].assign(source=self._source(release), year=np.nan, note=notes)

    def _note(self, show: str, row: Mapping[Any, Any]) -> str:
        return "" if row["state"] == "no_data" else self.note(show, row)

    def _choose(self, release: Release, view: View) -> tuple[str, str]:
        """Return the quantity and category to show; "all", or else the default, replaces a category without results."""
        show, category = complete_choices(self.options, view.options).values()
        if self._periods(release, view.level, show, category):
            return show, category
        return show, _EVERY if self._periods(release, view.level, show, _EVERY) else self.options[1].default

    def _periods(self, release: Release, level: str, show: str, category: str) -> dict[str, tuple[str, ...]]:
        """List the periods of a choice by grain, finest first."""
        choices = {grain: self._find_choice(release, level, show, category, grain) for grain in self.grains}
        by_grain = {grain: _list_periods(release, choice) for grain, choice in choices.items() if choice}
        return {grain: periods for grain, periods in by_grain.items() if periods}

    def _table(self, release: Release, level: str, show: str, category: str, grain: str) -> pd.DataFrame:
        """Return the cells of one choice for all areas and periods; empty if the release lacks it.

        The frame is shared: never change it.
        """
        choice = self._find_choice(release, level, show, category, grain)
        return _read_choice(release, choice) if choice else pd.DataFrame(columns=self._columns)

    def _find_choice(self, release: Release, level: str, show: str, category: str, grain: str) -> _Choice | None:
        by, value = ("", "") if category == _EVERY else self.breakdown(category)
        name = "_".join(filter(None, (self.quantities[show].measure, level, grain, by)))
        checksum = tables.find_checksum(release, name)
        numbers = ("value", *COLUMNS[4:], *self.numbers)
        return _Choice(name, checksum, level, by, value, self._columns, numbers) if checksum else None

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*COLUMNS, *self.numbers, *self.flags)

    def _source(self, release: Release) -> str:
        return Message(self.sources[release.invented], name=release.name)


class _Choice(NamedTuple):
    """Where to find the rows of one choice: a table of the release, and a category of its column `by`, if any."""

    name: str
    checksum: str
    level: str
    by: str
    category: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]


@lru_cache(maxsize=512)
def _read_choice(release: Release, choice: _Choice) -> pd.DataFrame:
    table = tables.load_table(release, choice.name)
    rows = table[table[choice.by] == choice.category] if choice.by else table
    frame = tables.complete_cells(release, rows.reindex(columns=list(choice.columns)), choice.level)
    return frame.astype(dict.fromkeys(choice.numbers, float))


@lru_cache(maxsize=1024)
def _list_periods(release: Release, choice: _Choice) -> tuple[str, ...]:
    return tuple(sorted(_read_choice(release, choice)["period"].unique()))
