"""Layers of published figures: numbers that others have counted, each with its source and year.

Figures are copied unchanged from their publication and are never mixed with numbers of the programme. The source and
the legend say when figures are invented for practice. An area without a figure shows "no published figure".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from data.message import Message, mark
from data.release import Release
from data.schema.vocabulary import PROVISIONAL
from geo.layers.core import Kind, Layer, LayerData, Legend, Nature, Option, Style, View, breaks, palette
from geo.layers.core.words import format_number
from geo.layers.reading import tables

LEVELS = ("country", "region", "municipality")
_FACTS = ["source", "year", "status", "note", "invented"]
_PROVISIONAL = dict.fromkeys(PROVISIONAL, mark("provisional"))
_COLUMNS = ["value", "state", "margin", "low", "high", "source", "year", "note", "invented"]


@dataclass(frozen=True)
class Figure:
    """Where to find the figures of one choice: a measure, read as a number or as a share, and its unit."""

    measure: str
    column: Literal["number", "share"]
    unit: str


def read_figures(release: Release, figure: Figure, level: str) -> pd.DataFrame:
    """Read all figures of a measure at a level, oldest first. An area with several figures has several rows.

    Columns: area, period, value (shares in per cent), source, year, status, note, invented, and others. The frame is
    shared: never change it.
    """
    return _figures(release, tables.release_key(release), figure, level)


@lru_cache(maxsize=256)
def _figures(release: Release, _stamp: int, figure: Figure, level: str) -> pd.DataFrame:
    table = tables.load_table(release, "figures")
    if table.empty:
        return pd.DataFrame(columns=["area", "period", "value", *_FACTS])
    wanted = table["area"].isin(tables.list_areas(release, level)) & (table["measure"] == figure.measure)
    rows = table[wanted & table[figure.column].notna()].copy()
    value = rows[figure.column].astype(float)
    rows["invented"] = rows.get("invented", False)
    rows["value"] = (value * 100).round(6) if figure.column == "share" else value
    return rows.sort_values(["year", "source"], kind="stable").reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Published:
    """A layer of published figures: how it is read and drawn, and its words.

    `moving` layers have periods (calendar years). The others show each area's figure for the requested period or,
    without one, its latest figure.
    """

    title: str
    kind: Kind
    colours: tuple[str, ...]
    options: tuple[Option, ...]
    figures: Mapping[str, Figure]
    note: str = ""
    moving: bool = False

    def as_layer(self, name: str, title: str, question: str, nature: Nature) -> Layer:
        """Return the layer of these figures."""
        reading = (self.levels, self.periods, self.read, self.rows, self.offers)
        return Layer(name, title, question, self.kind, self.options, *reading, nature, of_figures=True)

    def levels(self, release: Release) -> tuple[str, ...]:
        """List the levels for which there is a figure of any choice."""
        return tuple(
            level
            for level in LEVELS
            if any(len(read_figures(release, figure, level)) for figure in self.figures.values())
        )

    def offers(self, release: Release, level: str, options: Mapping[str, str]) -> bool:
        """Return whether the release has a figure for these choices of the options at a level."""
        return len(read_figures(release, self._figure(options), level)) > 0

    def periods(self, release: Release, view: View) -> tuple[str, ...]:
        """List the calendar years that have a figure; empty for a layer without periods."""
        if not self.moving:
            return ()
        return tuple(sorted(read_figures(release, self._figure(view.options), view.level)["period"].unique()))

    def read(self, release: Release, view: View) -> LayerData:
        """Read one view: each area's figure for the view's period or, if the layer lacks this period, its latest."""
        figure = self._figure(view.options)
        table = read_figures(release, figure, view.level)
        period = view.period if not self.moving or view.period in self.periods(release, view) else ""
        stamp = tables.release_key(release)
        frame = _build_frame(release, stamp, figure, view.level, period, not self.moving).copy()
        figures = frame.loc[frame["state"] == "number", "invented"]
        invented = bool(len(figures) and figures.all())
        return LayerData(frame, self._style(table, figure), self._legend(view, figure, frame), invented)

    def rows(self, release: Release, level: str) -> pd.DataFrame:
        """Return every figure of the layer at a level, and a row "no_figure" for each area (and year) without one.

        The frame is shared: never change it.
        """
        return _list_rows(self, release, tables.release_key(release), level)

    def split(self, figures: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
        """Return the figures by period; all together for a layer without periods."""
        by_period = [(str(period), part) for period, part in figures.groupby("period")] if self.moving else []
        return by_period or [("", figures)]

    def _figure(self, options: Mapping[str, str]) -> Figure:
        choices = [View("", "", options).choice(o) for o in self.options]
        return self.figures[choices[0]] if choices else next(iter(self.figures.values()))

    def _style(self, table: pd.DataFrame, figure: Figure) -> Style:
        values = table["value"].to_numpy(float)
        if self.kind == "circle":
            return breaks.circle_style(values, self.colours)
        lows = breaks.choose_breaks(values)
        share = figure.column == "share"
        names = breaks.format_classes(lows, whole=not share, sign=" %" if share else "")
        return Style(self.kind, lows, palette.choose_colours(self.colours, len(names)), names)

    def _legend(self, view: View, figure: Figure, frame: pd.DataFrame) -> Legend:
        labels = [c.label for o in self.options for c in o.choices if c.id == view.choice(o)]
        figures = frame[frame["state"] == "number"]
        pairs = zip(figures["source"], figures["year"], strict=True)
        return Legend(
            title=Message("{group}: {choice}", group=self.title, choice=labels[0]) if labels else self.title,
            unit=figure.unit,
            period=_years(frame["year"].dropna()),
            source="; ".join(sorted({name_source(source, year) for source, year in pairs})),
            margin=Message("as published; some are invented, as their source says")
            if frame["invented"].any()
            else Message("as published"),
            note=self.note,
        )


@lru_cache(maxsize=64)
def _list_rows(published: Published, release: Release, _stamp: int, level: str) -> pd.DataFrame:
    index = tables.list_areas(release, level)
    names = [o.id for o in published.options]
    parts = [
        _build_rows(figures, index, period).assign(**dict.fromkeys(names, choice))
        for choice, figure in published.figures.items()
        for period, figures in published.split(read_figures(release, figure, level))
    ]
    return pd.concat(parts, ignore_index=True)[["area", "period", *names, *_COLUMNS]]


def _build_rows(table: pd.DataFrame, index: pd.Index[str], period: str = "") -> pd.DataFrame:
    """Return a row for each figure, and a row without a number for each area (and period) that has no figure."""
    none = index[~index.isin(table["area"])]
    status = table["status"].map(_PROVISIONAL).fillna("")
    notes = table["note"].fillna("") if "note" in table else pd.Series("", index=table.index)
    words = pd.DataFrame(
        {
            "area": table["area"],
            "period": table["period"],
            "value": table["value"],
            "state": "number",
            "source": table["source"],
            "year": table["year"].astype(float),
            "note": ["; ".join(filter(None, pair)) for pair in zip(status, notes, strict=True)],
            "invented": table["invented"].astype(bool),
        }
    )
    empty = pd.DataFrame(
        {
            "area": none,
            "period": period,
            "value": np.nan,
            "state": "no_figure",
            "source": "",
            "year": np.nan,
            "note": "",
            "invented": False,
        }
    )
    parts = [part for part in (words, empty) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else empty
    return whole.assign(margin=np.nan, low=np.nan, high=np.nan)


@lru_cache(maxsize=256)
def _build_frame(
    release: Release, _stamp: int, figure: Figure, level: str, period: str, with_others: bool
) -> pd.DataFrame:
    """Return one row per area: its figure for a period (without a period, its latest).

    with_others : an area without a figure for the period shows its latest, and the notes list the other figures.
    """
    table = read_figures(release, figure, level)
    selection = table[table["period"] == period] if period and not with_others else table
    selection = selection.iloc[(selection["period"] == period).argsort(kind="stable")]
    index = tables.list_areas(release, level)
    rows = _build_rows(selection, index)
    frame = rows.drop_duplicates("area", keep="last").set_index("area").reindex(index)[_COLUMNS]
    several = rows[rows["area"].duplicated(keep=False)] if with_others else rows[:0]
    notes = frame["note"].to_dict()
    for area, figures in several.groupby("area"):
        listed = _others(figures)
        notes[area] = f"{notes[area]}; {listed}" if notes[area] else listed
    return frame.assign(note=pd.Series(notes, dtype="str"))


def _others(rows: pd.DataFrame) -> str:
    earlier = zip(rows["value"][:-1], rows["source"][:-1], rows["year"][:-1], strict=True)
    listed = ", ".join(
        f"{format_number(float(value))} ({name_source(source, year)})" for value, source, year in earlier
    )
    return Message("other figures: {listed}", listed=listed)


def _years(years: pd.Series[float]) -> str:
    if years.empty:
        return ""
    first, last = int(years.min()), int(years.max())
    return (
        str(last) if first == last else Message("{first} to {last}, latest figure of each area", first=first, last=last)
    )


def name_source(source: str, year: float) -> str:
    """Return the source of a figure with its year, unless its name contains the year."""
    return source if str(int(year)) in source else f"{source} {int(year)}"
