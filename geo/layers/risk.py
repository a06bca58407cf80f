"""Results of the risk model for areas and periods: classes, chances, changes, forecasts.

Every sentence is about an area and a period, never about a person or a community. No layer of communities may
be shown with this one: see geo/layers/__init__.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.layers.core import Choice, Option, Style, breaks, palette
from geo.layers.core.words import Message, mark, number
from geo.layers.reading.computed import Computed, Quantity

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
_NUMBERS = {
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
_PATHWAY = Option(
    "on",
    mark("Pathway"),
    (
        Choice("internal", mark("inside the country")),
        Choice("cross_border", mark("across a border")),
        Choice("all", mark("all pathways")),
    ),
)


_QUANTITIES = {
    "class": Quantity(
        "risk",
        mark("Risk class"),
        mark("beyond what people and outreach explain"),
        mark("a class is named where it is at least 80 % sure"),
    ),
    "chance": Quantity(
        "exceedance",
        mark("Chance of a high rate"),
        mark("% chance of more than one and a half times the country's rate"),
        mark("by the model, for people and outreach alike"),
    ),
    "change": Quantity(
        "riskchange",
        mark("Change over a year"),
        mark("the rate of the year up to then, against the year before it"),
        mark("a rise or fall is named where it is at least 90 % sure"),
    ),
    "expected": Quantity(
        "forecast",
        mark("Children expected to be met"),
        mark("children a quarter, at the outreach of the last year"),
        mark("half of what the model holds possible is below it"),
    ),
}


def class_of(low: float, *, change: bool = False) -> int:
    """Give the position in CLASSES (or CHANGES) of a class that begins at `low`."""
    return sum(low >= one for one in (SAME if change else RATES))


def _style(show: str, table: pd.DataFrame) -> Style:
    """Return the classes; those of children expected are rounded, the same in all periods."""
    if show == "class":
        return Style("fill", RATES, palette.RISK, CLASSES, named=True)
    if show == "change":
        return Style("fill", SAME, palette.CHANGE, CHANGES, named=True)
    is_chance = show == "chance"
    bounds = _CHANCES if is_chance else breaks.rounded(table["value"].dropna().to_numpy(float))
    labels = breaks.labels(bounds, whole=not is_chance, sign=" %" if is_chance else "")
    return Style("fill", bounds, palette.steps(palette.RISKS, len(labels)), labels)


def _title(show: str, pathway: str) -> str:
    label = next(choice.label for choice in _PATHWAY.choices if choice.id == pathway)
    return Message("{what}: {pathway}", what=_QUANTITIES[show].title, pathway=label)


def _note(show: str, row: Mapping[Any, Any]) -> str:
    """Return the interval of a class or number; there may be one where no class is sure enough."""
    if math.isnan(row["upper"]):
        return ""
    ends = {"low": number(round(row["lower"], 2)), "high": number(round(row["upper"], 2))}
    if show == "expected":
        return Message(mark("{low} to {high} with 80 % probability"), **ends)
    template = mark("{median} times the country's rate ({low} to {high} with 95 % probability)")
    if show == "change":
        template = mark("{median} times the year before ({low} to {high} with 95 % probability)")
    return Message(template, median=number(round(row["median"], 2)), **ends)


LAYER = Computed(
    options=(_SHOW, _PATHWAY),
    quantities=_QUANTITIES,
    grains=("quarter", "year", "whole"),
    numbers=_NUMBERS,
    flags=(),
    breakdown=lambda pathway: ("crossing", pathway),
    style=_style,
    title=_title,
    margin=lambda show, _table: _QUANTITIES[show].margin,
    note=_note,
    legend_note=NOTE,
    sources=(
        mark("Risk model on programme records, release {name}"),
        mark("Risk model on invented records, release {name}"),
    ),
).as_layer(
    "risk",
    mark("Risk"),
    mark("Where are more children met than people and outreach explain, and is that changing?"),
)
