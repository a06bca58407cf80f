"""What the risk model says of areas and periods: classes, chances, changes, children expected.

It is read from what was worked out beside a release (data/release/derived.py); without that the layer is not there.
Every word is about an area and a time, never about a person or a community, and no community layer may lie
over it: see geo/layers/__init__.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from data.release import Release
from data.tables.periods import Period
from geo.layers.core import Choice, Layer, LayerData, Legend, Option, Style, View, breaks, palette
from geo.layers.core.words import Message, mark, number
from geo.layers.reading import tables
from geo.layers.reading.counted import COLUMNS, choices_of, every_choice, framed

# The lower bounds of the classes above the lowest, in terms of the country's rate; and those of a change
# over a year. The model names classes by the same ones (risk/model/detection.py, risk/report/change.py).
RATES = (2 / 3, 1.5, 2.25)
SAME = (0.8, 1.25)
CLASSES = (
    mark("low: less than two thirds of the country's rate"),
    mark("average: two thirds to one and a half times the country's rate"),
    mark("high: more than one and a half times the country's rate"),
    mark("very high: more than two and a quarter times the country's rate"),
)
CHANGES = (
    mark("falling: by more than a fifth"),
    mark("steady: within a fifth less and a quarter more"),
    mark("rising: by more than a quarter"),
)
NOTE = mark(
    "It scores areas and periods, never a person or a community. A share of children who are found that is "
    "the same everywhere cancels out. “Cannot tell” means that no class is sure enough; it is not a low risk."
)
_CHANCES = (20.0, 50.0, 80.0)
_LEVEL, _BY, _EVERY = "region", "crossing", "all"
_GRAINS = ("quarter", "year", "whole")
_MORE = {
    "median": mark(
        "The rate in terms of the country's (of a change: of the year before): half of what the model holds "
        "possible is below it. Empty for children expected."
    ),
    "lower": mark("The lower end of the 95 % interval of the median; of children expected, of 80 %."),
    "upper": mark("The upper end of the 95 % interval of the median; of children expected, of 80 %."),
}
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("class", mark("Risk class")),
        Choice("chance", mark("Chance of a high rate")),
        Choice("change", mark("Change over a year")),
        Choice("expected", mark("Children expected next")),
    ),
)
_ON = Option(
    "on",
    mark("Pathway"),
    (
        Choice("internal", mark("inside the country")),
        Choice("cross_border", mark("across a border")),
        Choice(_EVERY, mark("all pathways")),
    ),
)
_OPTIONS = (_SHOW, _ON)


@dataclass(frozen=True)
class _Shown:
    """One thing that the model says: where it stands, and how it is worded and drawn."""

    measure: str
    title: str
    unit: str
    margin: str
    breaks: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    colours: tuple[str, ...] = palette.RISK

    def style(self, values: pd.Series) -> Style:
        """Give its classes; those of numbers without any of their own are rounded, of all periods."""
        if self.labels:
            return Style("fill", self.breaks, self.colours, self.labels, named=True)
        lows = self.breaks or breaks.rounded(values.dropna().to_numpy(float))
        sign = " %" if self.breaks else ""
        names = breaks.labels(lows, whole=not self.breaks, sign=sign)
        return Style("fill", lows, palette.steps(palette.RISKS, len(names)), names)


_SHOWN = {
    "class": _Shown(
        "risk",
        mark("Risk class"),
        mark("beyond what people and outreach explain"),
        mark("a class is named where it is at least 80 % sure"),
        RATES,
        CLASSES,
    ),
    "chance": _Shown(
        "exceedance",
        mark("Chance of a high rate"),
        mark("% chance of more than one and a half times the country's rate"),
        mark("by the model, for people and outreach alike"),
        _CHANCES,
    ),
    "change": _Shown(
        "riskchange",
        mark("Change over a year"),
        mark("the rate of the year up to then, against the year before it"),
        mark("a rise or fall is named where it is at least 90 % sure"),
        SAME,
        CHANGES,
        palette.CHANGE,
    ),
    "expected": _Shown(
        "forecast",
        mark("Children expected to be met"),
        mark("children a quarter, at the outreach of the last year"),
        mark("half of what the model holds possible is below it"),
    ),
}


def class_of(low: float, *, change: bool = False) -> int:
    """Give the position in CLASSES (or CHANGES) of a class that begins at `low`."""
    return sum(low >= one for one in (SAME if change else RATES))


def _rows(release: Release, show: str, on: str, grain: str) -> pd.DataFrame:
    """Read what the model says of one choice at all areas and periods; empty when it is not there. Shared."""
    stem = "_".join((_SHOWN[show].measure, _LEVEL, grain))
    name = stem if on == _EVERY else f"{stem}_{_BY}"
    found = tables.digest(release, name)
    return _read(release, name, found, on) if found else pd.DataFrame(columns=[*COLUMNS, *_MORE])


@lru_cache(maxsize=256)
def _read(release: Release, name: str, _hash: str, on: str) -> pd.DataFrame:
    table = tables.table(release, name)
    kept = table[table[_BY] == on] if _BY in table else table
    wanted = kept.reset_index(drop=True).reindex(columns=[*COLUMNS, *_MORE])
    return wanted.astype(dict.fromkeys([*COLUMNS[2:3], *COLUMNS[4:], *_MORE], float))


def _chosen(release: Release, options: Mapping[str, str]) -> tuple[str, str]:
    """Settle the choices on what the release holds: all pathways together where it tells none apart."""
    chosen = choices_of(_OPTIONS, options)
    show, on = chosen[_SHOW.id], chosen[_ON.id]
    if on != _EVERY and not _held(release, show, on) and _held(release, show, _EVERY):
        return show, _EVERY
    return show, on if _held(release, show, on) else _ON.default


def _held(release: Release, show: str, on: str) -> dict[str, tuple[str, ...]]:
    """List the periods that are held by grain."""
    held = {g: tuple(sorted(_rows(release, show, on, g)["period"].unique())) for g in _GRAINS}
    return {grain: periods for grain, periods in held.items() if periods}


def _levels(release: Release) -> tuple[str, ...]:
    return (_LEVEL,) if any(_held(release, _SHOW.default, on.id) for on in _ON.choices) else ()


def _offers(release: Release, level: str, options: Mapping[str, str]) -> bool:
    """Say whether the model says this; without a pathway, of any."""
    show = options.get(_SHOW.id, _SHOW.default)
    asked = options.get(_ON.id)
    pathways = [asked] if asked else [choice.id for choice in _ON.choices]
    return level == _LEVEL and show in _SHOWN and any(_held(release, show, on) for on in pathways)


def _periods(release: Release, view: View) -> tuple[str, ...]:
    held = _held(release, *_chosen(release, view.options)) if view.level == _LEVEL else {}
    same = [periods for periods in held.values() if view.period in periods]
    return same[0] if same else next(iter(held.values()), ())


def _layer_data(release: Release, view: View) -> LayerData:
    show, on = _chosen(release, view.options)
    held = _held(release, show, on) if view.level == _LEVEL else {}
    period = tables.settle(view.period, held)
    grain = next((g for g, periods in held.items() if period in periods), _GRAINS[0])
    table = _rows(release, show, on, grain)
    frame = framed(release, table[table["period"] == period], view.level)
    intervals = zip(*(frame[name] for name in _MORE), strict=True)
    frame["note"] = [_note(show, *interval) for interval in intervals]
    told, label = _SHOWN[show], next(choice.label for choice in _ON.choices if choice.id == on)
    title = Message("{what}: {pathway}", what=told.title, pathway=label)
    when = Period.parse(period).label if period else ""
    legend = Legend(title, told.unit, when, _source(release), told.margin, NOTE)
    return LayerData(frame.drop(columns=list(_MORE)), told.style(table["value"]), legend, release.invented)


def _note(show: str, median: float, low: float, high: float) -> str:
    """Tell the interval behind a class or number; where no class is sure there is one too."""
    if np.isnan(high):
        return ""
    ends = {"low": number(round(low, 2)), "high": number(round(high, 2))}
    if show == "expected":
        return Message(mark("{low} to {high} with 80 % probability"), **ends)
    template = mark("{median} times the country's rate ({low} to {high} with 95 % probability)")
    if show == "change":
        template = mark("{median} times the year before ({low} to {high} with 95 % probability)")
    return Message(template, median=number(round(median, 2)), **ends)


def _source(release: Release) -> str:
    template = mark("Risk model on programme records, release {name}")
    if release.invented:
        template = mark("Risk model on invented records, release {name}")
    return Message(template, name=release.name)


def _every_row(release: Release, level: str) -> pd.DataFrame:
    parts = [
        _rows(release, one[_SHOW.id], one[_ON.id], grain).assign(**one)
        for one in every_choice(_OPTIONS)
        for grain in _held(release, one[_SHOW.id], one[_ON.id])
        if level == _LEVEL
    ]
    names = [option.id for option in _OPTIONS]
    columns = ["area", "period", *names, *COLUMNS[2:], *_MORE]
    rows = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    return rows.assign(source=_source(release), year=np.nan, note="")


LAYER = Layer(
    "risk",
    mark("Risk"),
    mark("Where are more children met than people and outreach explain, and is that changing?"),
    "fill",
    _OPTIONS,
    _levels,
    _periods,
    _layer_data,
    _every_row,
    _offers,
    more=tuple(_MORE.items()),
    sums=False,
)
