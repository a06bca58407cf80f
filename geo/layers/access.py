"""Access to services: service places within reach, gaps, and travel time to the nearest service.

A withheld number is never counted as zero: a sum without it is a lower limit, and then no gap is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from data.message import Message, mark
from geo.layers.core import Choice, Option, Style, breaks, palette
from geo.layers.core.service_choices import WHICH_SERVICES
from geo.layers.core.words import format_number
from geo.layers.reading.computed import Computed, Quantity

SURE = 80.0  # per cent: a gap is named if its chance is at least this
NOTE = mark(
    "Children in need are children who newly need help in a quarter, as the risk model estimates them."
    " Services of the other country are not counted, and services across water only if a travel time "
    "was entered. Where services are withheld, there may be more service places than shown. Services of a"
    " duty bearer or of a kind of help are those for prevention and coordination."
)
WAYS = {
    "islands": mark("between islands, travel time not known"),
    "water": mark("across water, travel time not entered"),
}
_NEARER = mark("a service that is withheld may be nearer")
_HIDDEN = mark("some services are withheld")
_MINUTES = (30.0, 60.0, 90.0, 120.0)
_NUMBERS = {
    "median": mark("Service places within reach, middle estimate."),
    "lower": mark("Service places within reach, lower end of the 95 % interval."),
    "upper": mark("Service places within reach, upper end of the 95 % interval."),
    "chance": mark("The chance of a gap in %; the highest possible chance if some services are withheld."),
}
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("places", mark("Service places within reach")),
        Choice("gap", mark("Gaps")),
        Choice("minutes", mark("Travel time to the nearest service")),
    ),
)
_QUANTITIES = {
    "places": Quantity(
        "access",
        mark("Service places within reach"),
        mark("service places within two hours, for 100 children in need"),
        mark("need is an estimate, so each number has an interval"),
    ),
    "gap": Quantity(
        "accessgap",
        mark("Gaps"),
        mark("service places within reach per child in need, compared with the national average"),
        mark("named if its chance is at least 80 %; a gap only if no service within reach is withheld"),
    ),
    "minutes": Quantity(
        "accesstime",
        mark("Travel time to the nearest service"),
        mark("minutes to the nearest service that is shown"),
        mark("estimated from straight lines unless a travel time was entered"),
    ),
}
_GAPS = (mark("no gap: at least half of the national average"), mark("gap: less than half of the national average"))


def _style(show: str, table: pd.DataFrame) -> Style:
    if show == "gap":
        return Style("fill", (SURE,), palette.GAP, _GAPS, named=True)
    if show == "minutes":
        near = palette.COVERAGE[::-1]  # dark is near, as it is well served
        return Style("fill", _MINUTES, near, breaks.format_classes(_MINUTES, whole=False))
    values = table["value"].fillna(table["low"]).dropna().to_numpy(float)
    lows = breaks.choose_breaks(values)
    least = (table["state"] == "class").any()
    names = breaks.format_lower_limits(lows, values.min()) if least else breaks.format_classes(lows, whole=False)
    return Style("fill", lows, palette.choose_colours(palette.COVERAGE, len(names)), names)


def _title(show: str, services: str) -> str:
    title = _QUANTITIES[show].title
    if services == WHICH_SERVICES.default:
        return title
    label = next(choice.label for choice in WHICH_SERVICES.choices if choice.id == services)
    return Message("{what}: {services}", what=title, services=label)


def _margin(show: str, table: pd.DataFrame) -> str:
    margin = _QUANTITIES[show].margin
    if show == "places" and (table["state"] == "class").any():
        at_least = mark("at least this number: some services are withheld")
        return Message("{first}; {second}", first=at_least, second=margin)
    return margin


def _breakdown(services: str) -> tuple[str, str]:
    """Return the table column and the category of a choice such as axis-protection."""
    by, _, category = services.partition("-")
    return by, category


def _note(show: str, row: Mapping[Any, Any]) -> str:
    """Return the note on an area's value, empty if there is nothing to say.

    For travel time: why it is not known, or that a withheld service may be nearer. For gaps: the chance of a gap. For
    places: the 95 % interval. The notes on gaps and places also say whether some services are withheld.
    """
    if show == "minutes":
        return WAYS.get(str(row["way"])) or (_NEARER if row["nearer"] else "")
    if math.isnan(row["chance" if show == "gap" else "median"]):  # withheld, or nothing can be said of need there
        return ""
    if show == "gap":
        template = mark("chance of a gap: {chance}")
        if row["state"] == "cannot_tell" and row["at_least"]:
            template = mark("chance of a gap: {chance}, because some services are withheld")
        return Message(template, chance=format_chance(row["chance"], most=bool(row["at_least"])))
    ends = {"low": format_number(row["lower"]), "high": format_number(row["upper"])}
    interval = Message(mark("95 % interval {low} to {high}"), **ends)
    return Message("{first}; {second}", first=interval, second=_HIDDEN) if row["at_least"] else interval


def format_chance(percent: float, *, most: bool) -> str:
    """Return a probability as text, such as "42 %", "under 1 %" or "over 99 %".

    percent : 0 to 100, rounded by the caller. most : whether it is only an upper limit; from 1 on, the text is then
    "up to 42 %", for example, or "up to 100 %".
    """
    if percent < 1.0:
        return Message(mark("under {number} %"), number=1)
    if most:
        return Message(mark("up to {number} %"), number=format_number(percent))
    return Message(
        mark("over {number} %") if percent > 99.0 else "{number} %", number=format_number(min(percent, 99.0))
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
).as_layer("access", mark("Access"), mark("How many service places can children in need reach, and where are gaps?"))
