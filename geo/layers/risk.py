"""Results of the risk model for areas and periods: classes, chances, changes, forecasts.

Every sentence is about an area and a period, never about a person or a community. Layers of communities are never
shown with it: see geo/layers/__init__.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.layers.core import Choice, Option, Style, breaks, palette
from geo.layers.core.words import Message, format_number, mark
from geo.layers.reading.computed import Computed, Quantity

# The lower bounds of the classes above the lowest, in terms of the country's rate; and those of a change
# over a year. The model names classes by the same ones (risk/model/detection.py, risk/report/change.py).
RATES = (2 / 3, 1.5, 2.25)
SAME = (0.8, 1.25)
CLASSES = (
    mark("low: less than two thirds of the national average"),
    mark("average: two thirds to one and a half times the national average"),
    mark("high: more than one and a half times the national average"),
    mark("very high: more than two and a quarter times the national average"),
)
CHANGES = (
    mark("falling: by more than a fifth"),
    mark("steady: between a fifth less and a quarter more"),
    mark("rising: by more than a quarter"),
)
NOTE = mark(
    "It describes areas and periods, never a person or a community. If the same share of children is "
    "identified everywhere, that share changes nothing. “Cannot tell” means that no class is sure "
    "enough; it does not mean low risk."
)
_REGION_ONLY = {
    "class": mark("{what}; only the average of its county or region, as its own numbers add next to nothing"),
    "change": mark("{what}; this is the change of its county or region"),
}
_CHANCES = (20.0, 50.0, 80.0)
_NUMBERS = {
    "median": mark(
        "The rate compared with the national average (for a change: with the year before), middle "
        "estimate. Empty for the forecast."
    ),
    "lower": mark("The lower end of the 95 % interval; for the forecast, of the 80 % interval."),
    "upper": mark("The upper end of the 95 % interval; for the forecast, of the 80 % interval."),
}
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("class", mark("Risk class")),
        Choice("chance", mark("Chance of a high rate")),
        Choice("change", mark("Change over a year")),
        Choice("expected", mark("Forecast")),
    ),
)
_PATHWAY = Option(
    "on",
    mark("Pathway"),
    (
        Choice("internal", mark("internal trafficking")),
        Choice("cross_border", mark("cross-border trafficking")),
        Choice("all", mark("all pathways")),
    ),
)
_QUANTITIES = {
    "class": Quantity(
        "risk",
        mark("Risk class"),
        mark("rate compared with the national average"),
        mark("a class is named if its chance is at least 80 %"),
    ),
    "chance": Quantity(
        "exceedance",
        mark("Chance of a high rate"),
        mark("chance in % that the rate is more than one and a half times the national average"),
        mark("estimate of the risk model, allowing for population and outreach"),
    ),
    "change": Quantity(
        "riskchange",
        mark("Change over a year"),
        mark("rate of the last twelve months compared with the twelve months before"),
        mark("a rise or fall is named if its chance is at least 90 %"),
    ),
    "expected": Quantity(
        "forecast",
        mark("Forecast: children identified or met"),
        mark("children per quarter, if outreach stays as in the last year"),
        mark("middle estimate"),
    ),
}


def find_class(low: float, *, change: bool = False) -> int:
    """Return the position in CLASSES (or CHANGES) of the class that begins at `low`."""
    return sum(low >= bound for bound in (SAME if change else RATES))


def _style(show: str, table: pd.DataFrame) -> Style:
    """Return the style; classes of expected children are rounded and the same in all periods."""
    if show == "class":
        return Style("fill", RATES, palette.RISK, CLASSES, named=True)
    if show == "change":
        return Style("fill", SAME, palette.CHANGE, CHANGES, named=True)
    is_chance = show == "chance"
    bounds = _CHANCES if is_chance else breaks.choose_breaks(table["value"].dropna().to_numpy(float))
    labels = breaks.format_classes(bounds, whole=not is_chance, sign=" %" if is_chance else "")
    return Style("fill", bounds, palette.choose_colours(palette.RISKS, len(labels)), labels)


def _title(show: str, pathway: str) -> str:
    label = next(choice.label for choice in _PATHWAY.choices if choice.id == pathway)
    return Message("{what}: {pathway}", what=_QUANTITIES[show].title, pathway=label)


def _note(show: str, row: Mapping[Any, Any]) -> str:
    """Return the interval of a class or number, even where no class is certain enough."""
    if math.isnan(row["upper"]):
        return ""
    ends = {"low": format_number(round(row["lower"], 2)), "high": format_number(round(row["upper"], 2))}
    if show == "expected":
        return Message(mark("80 % interval {low} to {high}"), **ends)
    template = mark("{median} times the national average (95 % interval {low} to {high})")
    if show == "change":
        template = mark("{median} times the year before (95 % interval {low} to {high})")
    return Message(template, median=format_number(round(row["median"], 2)), **ends)


def _note_of_area(show: str, row: Mapping[Any, Any]) -> str:
    """Return the note of a row; of a municipality also whether the same is said of its whole region."""
    words = _note(show, row)
    if row["region_only"] is not True:
        return words
    return Message(_REGION_ONLY["change" if show == "change" else "class"], what=words)


LAYER = Computed(
    options=(_SHOW, _PATHWAY),
    quantities=_QUANTITIES,
    grains=("quarter", "year", "whole"),
    numbers=_NUMBERS,
    flags=("region_only",),
    breakdown=lambda pathway: ("crossing", pathway),
    style=_style,
    title=_title,
    margin=lambda show, _table: _QUANTITIES[show].margin,
    note=_note_of_area,
    legend_note=NOTE,
    sources=(
        mark("Risk model on programme records, release {name}"),
        mark("Risk model on invented records, release {name}"),
    ),
).as_layer(
    "risk",
    mark("Risk"),
    mark("Where are more children identified or met than population and outreach explain, and is this changing?"),
)
