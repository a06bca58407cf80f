"""Layers of the programme's own records: tables of counts of a release, read by level, period and category."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from data.message import Message, join_messages, mark
from data.release import Release
from data.tables.periods import Period
from data.tables.shown import NOISY, choose_numbers
from geo.layers.core import Kind, Layer, LayerData, Legend, Nature, Option, Style, View, breaks, palette
from geo.layers.core.change import Cell
from geo.layers.core.words import format_margin, format_number, format_quantity
from geo.layers.reading import tables

COLUMNS = ["area", "period", "value", "state", "margin", "low", "high"]
_CELLS = [*COLUMNS, *NOISY]
_NUMBERS = ["value", "margin", "low", "high"]
LEVELS = ("country", "region", "municipality")
_MOST_CLASSES = 5
_PROVISIONAL = mark("provisional")
_RECORDS = mark("Programme records, release {name}")
_INVENTED = mark("Invented records, release {name}")
_LEAST_ONE = mark("a published number above 0 means at least 1")
NOISY_MEANINGS = (
    ("noisy", mark("The published number with its noise, with which parts do not add up to totals.")),
    ("noisy_margin", mark("The largest possible distance between noisy and the true number.")),
)


@dataclass(frozen=True)
class Slice:
    """Where to find the numbers of one choice: a measure and, for a breakdown, one category.

    If the table has no breakdown, `column` may name the column that contains the category, such as the group of a
    community.
    """

    measure: str
    by: str = ""
    category: str = ""
    column: str = ""


def complete_choices(options: tuple[Option, ...], choices: Mapping[str, str]) -> dict[str, str]:
    """Return a choice for each option, by its identifier: the default if none or an unknown one is chosen."""
    return {o.id: View("", "", choices).choice(o) for o in options}


def read_cells(release: Release, part: Slice, level: str, grain: str) -> pd.DataFrame:
    """Read the cells of a slice, every area and period of a level and grain; empty if not in the release.

    Columns: area, period, value, state, margin, low, high, noisy, noisy_margin (numbers as float, missing as NaN; see
    `choose_numbers`). Never change this shared frame.
    """
    name = _name_table(part, level, grain)
    checksum = tables.find_checksum(release, name)
    return _cells(release, name, checksum, part, level, grain) if checksum else pd.DataFrame(columns=_CELLS)


@lru_cache(maxsize=512)
def _cells(release: Release, name: str, _hash: str, part: Slice, level: str, grain: str) -> pd.DataFrame:
    whole = _select_rows(release, name, part)
    numbers = choose_numbers(whole, release.find_reach(level, grain, part.measure))
    bounds = whole.reindex(columns=["low", "high"]).astype("Float64").astype(float)
    cells = whole[["area", "period", "state"]].join([numbers, bounds])[_CELLS].reset_index(drop=True)
    return tables.complete_cells(release, cells, level)


def _name_table(part: Slice, level: str, grain: str) -> str:
    return "_".join(filter(None, (part.measure, level, grain, part.by)))


def _select_rows(release: Release, name: str, part: Slice) -> pd.DataFrame:
    """Return the rows of a slice as they are in the table of the release."""
    rows = tables.load_table(release, name)
    for column in filter(None, (part.by, part.column)):
        rows = rows[rows[column] == part.category] if column in rows else rows
    return rows


@lru_cache(maxsize=256)
def _by_area(release: Release, _stamp: int, part: Slice, level: str, grain: str) -> dict[str, dict[str, Cell]]:
    """Return the cells of a table by area and period, oldest first."""
    table = read_cells(release, part, level, grain).sort_values("period", kind="stable")
    columns = zip(*(table[c] for c in ("area", "period", "state", *_NUMBERS, *NOISY)), strict=True)
    by_area: dict[str, dict[str, Cell]] = {}
    for area, period, state, *numbers in columns:
        by_area.setdefault(area, {})[period] = Cell(state, *numbers)
    return by_area


@dataclass(frozen=True)
class Counted:
    """A layer of counted tables: how it is read and drawn, and its words.

    `locate` turns a full set of choices into a slice; None if there are no numbers for them. `least` returns, for a
    full set of choices, a text on what may be missing from a number that is a lower limit. `noisy` says that the
    numbers have noise and may be adjusted; files then also have the published numbers.
    """

    title: str
    unit: str
    kind: Kind
    colours: tuple[str, ...]
    options: tuple[Option, ...]
    locate: Callable[[Mapping[str, str]], Slice | None]
    note: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    least: Callable[[Release, Mapping[str, str]], str] | None = None
    noisy: bool = False

    def as_layer(self, name: str, title: str, question: str, nature: Nature = "programme") -> Layer:
        """Return the layer of these tables."""
        reading = (self.levels, self.periods, self.read, self.rows, self.offers)
        more = NOISY_MEANINGS if self.noisy else ()
        return Layer(name, title, question, self.kind, self.options, *reading, nature, more=more)

    def levels(self, release: Release) -> tuple[str, ...]:
        """List the levels at which the release has the default choices."""
        return tuple(level for level in LEVELS if self.offers(release, level, {}))

    def offers(self, release: Release, level: str, options: Mapping[str, str]) -> bool:
        """Return whether the release has numbers for these choices of the options at a level."""
        return bool(self._available(release, level, options))

    def periods(self, release: Release, view: View) -> tuple[str, ...]:
        """List the periods that are as long as the view's period; if the layer lacks it, the shortest periods."""
        available = self._available(release, view.level, view.options)
        same = [periods for periods in available.values() if view.period in periods]
        return same[0] if same else next(iter(available.values()), ())

    def read(self, release: Release, view: View) -> LayerData:
        """Read one view: one row for each area."""
        available = self._available(release, view.level, view.options)
        period = tables.choose_period(view.period, available)
        grain = next((g for g, periods in available.items() if period in periods), "")
        part = self._slice(view.options)
        table = read_cells(release, part, view.level, grain) if part else pd.DataFrame(columns=_CELLS)
        frame = frame_by_area(release, table[table["period"] == period], view.level)
        if part and grain != "whole":
            notes = _note_whole_time(frame, read_cells(release, part, view.level, "whole"))
            frame["note"] = pd.Series(notes, frame.index, dtype=object)  # as plain text they lose their translation
        style, legend = self._style(release, view, grain), self._legend(release, view, period, table)
        return LayerData(frame, style, legend, release.invented)

    def rows(self, release: Release, level: str) -> pd.DataFrame:
        """Return every released row of the layer at a level, one column for each option."""
        parts = [
            read_cells(release, part, level, grain).assign(**choices)
            for choices in list_choices(self.options)
            if (part := self._slice(choices))
            for grain in self._available(release, level, choices)
        ]
        names = [o.id for o in self.options]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*_CELLS, *names])
        provisional = rows["period"].map({p: release.is_provisional(p) for p in rows["period"].unique()})
        rows = rows.assign(source=self.source(release), year=np.nan, note=np.where(provisional, _PROVISIONAL, ""))
        more = NOISY if self.noisy else ()
        return rows[["area", "period", *names, *COLUMNS[2:], *more, "source", "year", "note"]]

    def history(self, release: Release, level: str, area: str, options: Mapping[str, str]) -> dict[str, Cell]:
        """Return an area's cells of a choice by period, finest grain first; empty if there are none."""
        part = self._slice(options)
        by_period: dict[str, Cell] = {}
        if part is None:
            return by_period
        for grain in tables.list_grains(release, part.measure, level, part.by):
            by_period |= _by_area(release, tables.release_key(release), part, level, grain).get(area, {})
        return by_period

    def choose_period(self, release: Release, view: View) -> str:
        """Return the view's period or, if the release lacks it, the one that `tables.choose_period` puts in its place.

        Empty if the release has no period for these choices.
        """
        return tables.choose_period(view.period, self._available(release, view.level, view.options))

    def _slice(self, options: Mapping[str, str]) -> Slice | None:
        return self.locate(complete_choices(self.options, options))

    def _available(self, release: Release, level: str, options: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        part = self._slice(options)
        return _list_periods(release, tables.release_key(release), part, level) if part else {}

    def _style(self, release: Release, view: View, grain: str) -> Style:
        """Return the style; classes are computed over all periods, so that a colour means the same in each period."""
        plain = {} if self.kind == "circle" else view.options
        part = self._slice(plain)
        table = read_cells(release, part, view.level, grain) if part else pd.DataFrame(columns=_CELLS)
        if self.kind == "circle":
            return breaks.circle_style(table["value"].to_numpy(float), self.colours)
        lows, names = _choose_classes(table)
        return Style(self.kind, lows, palette.choose_colours(self.colours, len(names)), names)

    def _legend(self, release: Release, view: View, period: str, table: pd.DataFrame) -> Legend:
        choices = complete_choices(self.options, view.options)
        chosen = [(o, c) for o in self.options for c in o.choices if c.id == choices[o.id]]
        labels = [c.label for o, c in chosen if c.id != o.default or not o.whole]
        margin = _margin(table, least=bool(self.least))
        missing = self.least(release, choices) if self.least and _is_lower_limit(table).any() else ""
        return Legend(
            title=join_messages([self.title, *labels], ": "),
            unit=next((self.units[c] for c in choices.values() if c in self.units), self.unit),
            period=_name_period(release, period) if period else "",
            source=self.source(release),
            margin=_joined(margin, missing),
            note=self.note,
        )

    @staticmethod
    def source(release: Release) -> str:
        """Return the source of the numbers as text: programme or invented records, and the name of the release."""
        template = _INVENTED if release.invented else _RECORDS
        return Message(template, name=release.name)


@lru_cache(maxsize=1024)
def _list_periods(release: Release, _stamp: int, part: Slice, level: str) -> dict[str, tuple[str, ...]]:
    """List the periods of a slice by grain, finest first."""
    available = {
        grain: tuple(sorted(_select_rows(release, _name_table(part, level, grain), part)["period"].unique()))
        for grain in tables.list_grains(release, part.measure, level, part.by)
    }
    return {grain: periods for grain, periods in available.items() if periods}


def _name_period(release: Release, period: str) -> str:
    label = Period.parse(period).label
    return Message("{period} (provisional)", period=label) if release.is_provisional(period) else label


def list_choices(options: tuple[Option, ...]) -> list[dict[str, str]]:
    """List every combination of the choices of these options."""
    combinations: list[dict[str, str]] = [{}]
    for option in options:
        combinations = [{**earlier, option.id: choice.id} for earlier in combinations for choice in option.choices]
    return combinations


def frame_by_area(release: Release, now: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return the cells of one period, one row for each area of the level; "no_data" where there is no cell."""
    frame = now.set_index("area").reindex(tables.list_areas(release, level))
    state = frame["state"].astype("str").fillna("no_data")
    numbers = {name: frame[name].astype(float) if name in _NUMBERS else frame[name] for name in frame}
    columns = {**numbers, "state": state, "source": "", "year": np.nan, "note": ""}
    return pd.DataFrame({name: column for name, column in columns.items() if name != "period"}, frame.index)


def _note_whole_time(frame: pd.DataFrame, whole: pd.DataFrame) -> list[str]:
    """Return a note for each area: its number for the whole programme, if the period's number is too small to show."""
    small = frame.index[frame["state"].isin(["few", "almost_none"])]
    if small.empty:
        return [""] * len(frame)
    numbers = whole[(whole["state"] == "number") & whole["area"].isin(small)]
    notes = {
        row["area"]: Message(
            "whole programme ({period}): {value} {margin}",
            period=Period.parse(row["period"]).label,
            value=format_number(row["value"]),
            margin=format_margin(row["value"], row["margin"], row["state"], row["noisy"] - row["noisy_margin"]),
        )
        for row in numbers.to_dict("records")
    }
    return [notes.get(area, "") for area in frame.index]


def _is_lower_limit(table: pd.DataFrame) -> pd.Series[bool]:
    """Return which cells show only a lower limit."""
    return (table["state"] == "class") & table["high"].isna()


def _choose_classes(table: pd.DataFrame) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the lower ends and labels of the colour classes: the published ranges, or else rounded classes."""
    classed, partial = table[table["state"] == "class"], _is_lower_limit(table).any()
    low, high = classed["low"].to_numpy(float), classed["high"].to_numpy(float)
    if len(classed) and table["value"].isna().all() and np.unique(low).size <= _MOST_CLASSES:
        return breaks.list_published_ranges(low, high)
    values = table["value"].fillna(table["low"]).dropna().to_numpy(float)
    lows = breaks.choose_breaks(values)
    if partial:
        return lows, breaks.format_lower_limits(lows, float(values.min()))
    return lows, breaks.format_classes(lows, whole=bool((values == values.round()).all()))


def _joined(first: str, second: str) -> str:
    return Message("{first}; {second}", first=first, second=second) if first and second else first or second


def _margin(table: pd.DataFrame, *, least: bool) -> str:
    classed = table["state"] == "class"
    if classed.any() and not (least and _is_lower_limit(table)[classed].all()):
        if ((table["low"] == 0) & (table["high"] > 0)).any():
            return Message("published as ranges; zero and few look the same, to protect people")
        return Message("published as ranges")
    margin = table["margin"].max()
    if np.isnan(margin):
        return Message("exact, as recorded") if (table["state"] == "number").any() else ""
    template = mark("at most {margin} away from the true number")
    if not table["value"].equals(table["noisy"]):
        template = mark("adjusted so that parts add up; at most {margin} away from the true number")
    words, low = Message(template, margin=format_quantity(margin)), table["value"] - table["margin"]
    return _joined(words, _LEAST_ONE if (low[table["state"] == "number"] < 1).any() else "")
