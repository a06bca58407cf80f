"""Access to services: service places within reach, gaps, and travel time to the nearest service.

A withheld number is never counted as zero: a sum that may leave some out is a lower limit, and no gap is then
named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo.layers.core import Choice, Option, Style, breaks, palette
from geo.layers.core.service_choices import WHICH_SERVICES
from geo.layers.core.words import Message, mark, number
from geo.layers.reading.computed import Computed, Quantity

SURE = 80.0  # per cent, from which on a gap is named
NOTE = mark(
    "Children in need are those who newly need help in a quarter, as the risk model estimates them from "
    "those who are found. Services of one country are not counted for children of the other, nor those over "
    "water to which no time was entered. Where services are not shown, there may be more places than told."
)
WAYS = {
    "islands": mark("between islands, no time known"),
    "water": mark("over water, time not entered"),
}
_NEARER = mark("one that is not shown may be nearer")
_HIDDEN = mark("some services are not shown")
_MINUTES = (30.0, 60.0, 90.0, 120.0)
_NUMBERS = {
    "median": mark("Places in reach: half of what the model holds possible is below it."),
    "lower": mark("The lower end of the 95 % interval of places in reach."),
    "upper": mark("The upper end of the 95 % interval of places in reach."),
    "chance": mark(
        "The chance in % that there is a gap; the highest that it can be, where some services are not shown."
    ),
}
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("places", mark("Places in reach")),
        Choice("gap", mark("Gaps")),
        Choice("minutes", mark("Way to the nearest")),
    ),
)


_QUANTITIES = {
    "places": Quantity(
        "access",
        mark("Places in reach"),
        mark("places for 100 children in need, within two hours"),
        mark("need is an estimate: its interval stands with each number"),
    ),
    "gap": Quantity(
        "accessgap",
        mark("Gaps"),
        mark("places in reach for a child in need, against the country's"),
        mark("named where it is at least 80 % sure; a gap only where all services in reach are shown"),
    ),
    "minutes": Quantity(
        "accesstime",
        mark("Way to the nearest service"),
        mark("minutes to the nearest that is shown"),
        mark("a first guess from straight lines where no time was entered"),
    ),
}
_GAPS = (
    mark("no gap: at least half of the country's"),
    mark("gap: less than half of the country's"),
)


def _style(show: str, table: pd.DataFrame) -> Style:
    if show == "gap":
        return Style("fill", (SURE,), palette.GAP, _GAPS, named=True)
    if show == "minutes":
        near = palette.COVERAGE[::-1]  # dark is near, as it is well served
        return Style("fill", _MINUTES, near, breaks.labels(_MINUTES, whole=False))
    values = table["value"].fillna(table["low"]).dropna().to_numpy(float)
    lows = breaks.rounded(values)
    least = (table["state"] == "class").any()
    names = breaks.least_labels(lows, values.min()) if least else breaks.labels(lows, whole=False)
    return Style("fill", lows, palette.steps(palette.COVERAGE, len(names)), names)


def _title(show: str, services: str) -> str:
    title = _QUANTITIES[show].title
    if services == WHICH_SERVICES.default:
        return title
    label = next(choice.label for choice in WHICH_SERVICES.choices if choice.id == services)
    return Message("{what}: {services}", what=title, services=label)


def _margin(show: str, table: pd.DataFrame) -> str:
    margin = _QUANTITIES[show].margin
    if show == "places" and (table["state"] == "class").any():
        at_least = mark("at least so many: some are not shown")
        return Message("{first}; {second}", first=at_least, second=margin)
    return margin


def _breakdown(services: str) -> tuple[str, str]:
    """Split a choice, such as axis-protection, into the column of the tables and its category."""
    by, _, category = services.partition("-")
    return by, category


def _note(show: str, row: Mapping[Any, Any]) -> str:
    """Say what must be known of an area's answer: its interval, its chance, what is not shown of the way."""
    if show == "minutes":
        return WAYS.get(str(row["way"])) or (_NEARER if row["nearer"] else "")
    if row["state"] == "withheld":
        return ""
    if show == "gap":
        template = mark("chance of a gap: {chance}")
        if row["state"] == "cannot_tell" and row["at_least"]:
            template = mark("chance of a gap: {chance}, since some services are not shown")
        return Message(template, chance=chance(row["chance"], most=bool(row["at_least"])))
    ends = {"low": number(row["lower"]), "high": number(row["upper"])}
    interval = Message(mark("{low} to {high} with 95 % probability"), **ends)
    return Message("{first}; {second}", first=interval, second=_HIDDEN) if row["at_least"] else interval


def chance(percent: float, *, most: bool) -> str:
    """Write a chance in whole per cent, of which none is sure; `most`: it may be smaller."""
    if percent < 1.0:
        return Message(mark("under {number} %"), number=1)
    if most:
        return Message(mark("up to {number} %"), number=number(percent))
    return Message(
        mark("over {number} %") if percent > 99.0 else "{number} %", number=number(min(percent, 99.0))
    )


LAYER = Computed(
    options=(_SHOW, WHICH_SERVICES),
    quantities=_QUANTITIES,
    grains=("quarter",),
    numbers=_NUMBERS,
    flags=("at_least", "way", "nearer"),
    breakdown=_breakdown,
    style=_style,
    title=_title,
    margin=_margin,
    note=_note,
    legend_note=NOTE,
    sources=(
        mark("Services and risk model on programme records, release {name}"),
        mark("Services and risk model on invented records, release {name}"),
    ),
    notes_in_rows=True,
).as_layer(
    "access",
    mark("Access"),
    mark("How many places of services can children in need reach, and where is there a gap?"),
)
