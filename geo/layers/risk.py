"""Results of the risk model for areas and periods: rates, children in need, chances, changes, forecasts.

Every sentence is about an area and a period, never about a person or a community. These results are never shown with
layers of communities: see geo/layers/__init__.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from data.message import Message, mark
from geo.layers.core import Choice, Option, Style, breaks, palette
from geo.layers.core.words import format_number
from geo.layers.reading.computed import Computed, Quantity


@dataclass(frozen=True)
class Claim:
    """A statement about a ratio: the ends of its interval (NaN without an upper end), its name and its meaning."""

    low: float
    high: float
    name: str
    meaning: str

    @property
    def words(self) -> str:
        """The name and the meaning, as a legend shows them."""
        return Message("{name}: {meaning}", name=self.name, meaning=self.meaning)


# The claims of the model (risk/model/statements.py, risk/report/change.py), the lowest first.
RATES = {
    "low": Claim(0.0, 2 / 3, mark("low"), mark("under 0.67")),
    "below": Claim(0.0, 1.0, mark("below average"), mark("under 1")),
    "not_high": Claim(0.0, 1.5, mark("not high"), mark("up to 1.5")),
    "average": Claim(2 / 3, 1.5, mark("average"), mark("0.67 to 1.5")),
    "not_low": Claim(2 / 3, math.nan, mark("not low"), mark("0.67 or more")),
    "above": Claim(1.0, math.nan, mark("above average"), mark("over 1")),
    "high": Claim(1.5, math.nan, mark("high"), mark("over 1.5")),
    "very_high": Claim(2.25, math.nan, mark("very high"), mark("over 2.25")),
}
CHANGES = {
    "falling": Claim(0.0, 0.8, mark("falling"), mark("under 0.8")),
    "less": Claim(0.0, 1.0, mark("lower"), mark("under 1")),
    "not_rising": Claim(0.0, 1.25, mark("not rising"), mark("up to 1.25")),
    "same": Claim(0.8, 1.25, mark("about the same"), mark("0.8 to 1.25")),
    "not_falling": Claim(0.8, math.nan, mark("not falling"), mark("0.8 or more")),
    "more": Claim(1.0, math.nan, mark("higher"), mark("over 1")),
    "rising": Claim(1.25, math.nan, mark("rising"), mark("over 1.25")),
}
# The code of each claim by its ends, of rates and of changes.
_CODES = [
    {(claim.low, math.inf if math.isnan(claim.high) else claim.high): code for code, claim in claims.items()}
    for claims in (RATES, CHANGES)
]
# The classes of the public tier, which states no certainty.
PUBLIC = ("low", "average", "high", "very_high")
CERTAINTIES = {
    "very_likely": mark("very likely"),
    "likely": mark("likely"),
    "as_likely_as_not": mark("as likely as not"),
    "likely_not": mark("likely not"),
    "very_likely_not": mark("very likely not"),
    "as_region": mark("as its county or region"),
}
NOTE = mark(
    "It describes areas and periods, never a person or a community. If the same share of children is "
    "identified everywhere, that share changes nothing. “Very likely” means from 90 in 100, “likely” "
    "from 66 in 100. “Cannot tell” does not mean low risk."
)
_REGION_ONLY = mark("{what}; as its county or region: its own numbers add next to nothing")
_CHANCES = (20.0, 50.0, 80.0)
_NUMBERS = {
    "median": mark(
        "The rate compared with the national average (for a change: with the year before), middle "
        "estimate. Empty for the forecast."
    ),
    "lower": mark("The lower end of the 95 % interval; for the forecast, of the 80 % interval."),
    "upper": mark("The upper end of the 95 % interval; for the forecast, of the 80 % interval."),
    "probability": mark(
        "The chance that the statement holds, from 0 to 1: very likely from 0.9, likely from 0.66. Of a change, less "
        "an allowance for looking again each quarter."
    ),
    "rank": mark("The rank by children newly in need within the country, 1 the most, middle estimate."),
    "rank_first": mark("The first rank of the 95 % interval."),
    "rank_last": mark("The last rank of the 95 % interval."),
    "tipping": mark(
        "The tipping point: how many times as many children a day teams there would have to find as elsewhere (for a "
        "change: as in the year before) for the statement to lapse. Empty without a statement, and where no factor up "
        "to 20 is enough."
    ),
    "top": mark(
        "The chance, from 0 to 1, that the area is among the five of its country with the most children in need."
    ),
}
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("class", mark("Rate")),
        Choice("burden", mark("Children newly in need")),
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
        mark("Rate"),
        mark("times the national average"),
        mark("what is said is likely: its chance is at least 66 %"),
    ),
    "burden": Quantity(
        "burden",
        mark("Children newly in need"),
        mark("children per quarter, average of the last year: those found, divided by an assumed share found"),
        mark("middle estimate"),
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
        mark("rate of the last twelve months, times that of the twelve months before"),
        mark("what is said is likely: its chance is at least 66 %, for a rise or fall at every look"),
    ),
    "expected": Quantity(
        "forecast",
        mark("Forecast: children identified or met"),
        mark("children per quarter, if outreach stays as in the last year"),
        mark("average of what is possible"),
    ),
}


def find_claim(low: float, high: float, *, change: bool = False) -> str:
    """Return the code of the claim whose interval has these ends; empty if there is none.

    high : NaN or infinity for an interval without an upper end. change : look among the claims on changes instead of
    those on rates.
    """
    return _CODES[change].get((low, math.inf if math.isnan(high) else high), "")


def _is_public(table: pd.DataFrame) -> bool:
    """Return whether the table is that of the public tier, which has no probabilities."""
    return bool(table["probability"].isna().all())


def _margin(show: str, table: pd.DataFrame) -> str:
    if show == "class" and _is_public(table):
        return mark("what is said is likely: its chance is at least 80 %")
    return _QUANTITIES[show].margin


def _style(show: str, table: pd.DataFrame) -> Style:
    """Return the style. The bounds of classes of children are round numbers, and the same in all periods."""
    if show == "class":
        return _name_claims(RATES, palette.RISK, PUBLIC if _is_public(table) else tuple(RATES))
    if show == "change":
        return _name_claims(CHANGES, palette.CHANGE, tuple(CHANGES))
    is_chance = show == "chance"
    bounds = _CHANCES if is_chance else breaks.choose_breaks(table["value"].dropna().to_numpy(float))
    labels = breaks.format_classes(bounds, whole=not is_chance, sign=" %" if is_chance else "")
    return Style("fill", bounds, palette.choose_colours(palette.RISKS, len(labels)), labels)


def _name_claims(claims: Mapping[str, Claim], colours: tuple[str, ...], codes: tuple[str, ...]) -> Style:
    """Return the style of claims: overlapping classes, each with its colour."""
    by_code = dict(zip(claims, colours, strict=True))
    ends = tuple((claims[code].low, claims[code].high) for code in codes)
    labels = tuple(claims[code].words for code in codes)
    return Style("fill", (), tuple(by_code[code] for code in codes), labels, named=True, bounds=ends)


def _title(show: str, pathway: str) -> str:
    label = next(choice.label for choice in _PATHWAY.choices if choice.id == pathway)
    return Message("{what}: {pathway}", what=_QUANTITIES[show].title, pathway=label)


def _note(show: str, row: Mapping[Any, Any]) -> str:
    """Return the note of a row, empty if there is none.

    It also says so if a municipality has only the statement of its region.
    """
    words = _note_interval(show, row)
    if not words or row["region_only"] is not True:
        return words
    # Where the row has a statement, the words for its certainty say so.
    return words if row["certainty"] in CERTAINTIES else Message(_REGION_ONLY, what=words)


def _note_interval(show: str, row: Mapping[Any, Any]) -> str:
    """Return the interval of a statement or number as text; empty without an interval.

    The text on a rate or a change also has the middle estimate and, if the row has one, the certainty. The text on
    children in need also has the rank.
    """
    if math.isnan(row["upper"]):
        return ""
    ends = {"low": format_number(round(row["lower"], 2)), "high": format_number(round(row["upper"], 2))}
    certainty = CERTAINTIES.get(str(row["certainty"]), "")
    if show == "expected":
        return Message(mark("80 % interval {low} to {high}"), **ends)
    if show == "burden":
        ranks = {name: format_number(row[name]) for name in ("rank", "rank_first", "rank_last")}
        return Message(
            mark("95 % interval {low} to {high}; rank {rank} of the country ({rank_first} to {rank_last})"),
            **ends,
            **ranks,
        )
    template = mark("{median} times the national average (95 % interval {low} to {high})")
    if show == "change":
        template = mark("{median} times the year before (95 % interval {low} to {high})")
    interval = Message(template, median=format_number(round(row["median"], 2)), **ends)
    return Message(mark("{certainty}; {interval}"), certainty=certainty, interval=interval) if certainty else interval


LAYER = Computed(
    options=(_SHOW, _PATHWAY),
    quantities=_QUANTITIES,
    grains=("quarter", "year", "whole"),
    numbers=_NUMBERS,
    flags=("region_only", "certainty"),
    breakdown=lambda pathway: ("crossing", pathway),
    style=_style,
    title=_title,
    margin=_margin,
    note=_note,
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
