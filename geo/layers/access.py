"""Access to services: places in reach of children in need, gaps, and the way to the nearest service.

It is read from what `tact risk` wrote beside a release (risk/access/tables.py); without that it is not there. What
is withheld is never a zero: a number then is the least that there is, and no gap is said to be sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from data.release import Release
from data.tables.periods import Period
from geo.layers.core import Choice, Layer, LayerData, Legend, Option, Style, View, breaks, palette
from geo.layers.core.service_choices import WHICH_SERVICES
from geo.layers.core.words import Message, mark, number
from geo.layers.reading import tables
from geo.layers.reading.counted import COLUMNS, choices_of, every_choice, framed

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
_LEVEL, _GRAIN = "region", "quarter"
_MINUTES = (30.0, 60.0, 90.0, 120.0)
_MORE = {
    "median": mark("Places in reach: half of what the model holds possible is below it."),
    "lower": mark("The lower end of the 95 % interval of places in reach."),
    "upper": mark("The upper end of the 95 % interval of places in reach."),
    "chance": mark(
        "The chance in % that there is a gap; the highest that it can be, where some services are not shown."
    ),
}
_BESIDE = ("at_least", "way", "nearer")
_SHOW = Option(
    "show",
    mark("Show"),
    (
        Choice("places", mark("Places in reach")),
        Choice("gap", mark("Gaps")),
        Choice("minutes", mark("Way to the nearest")),
    ),
)
_OPTIONS = (_SHOW, WHICH_SERVICES)


@dataclass(frozen=True)
class _Shown:
    """One thing that is said: where it stands, and its words."""

    measure: str
    title: str
    unit: str
    margin: str


_SHOWN = {
    "places": _Shown(
        "access",
        mark("Places in reach"),
        mark("places for 100 children in need, within two hours"),
        mark("need is an estimate: its interval stands with each number"),
    ),
    "gap": _Shown(
        "accessgap",
        mark("Gaps"),
        mark("places in reach for a child in need, against the country's"),
        mark("named where it is at least 80 % sure; a gap only where all services in reach are shown"),
    ),
    "minutes": _Shown(
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


def _rows(release: Release, show: str, of: str) -> pd.DataFrame:
    """Read one choice, all areas; empty when it is not there. Shared."""
    by, _, category = of.partition("-")
    stem = "_".join((_SHOWN[show].measure, _LEVEL, _GRAIN))
    name = f"{stem}_{by}" if category else stem
    found = tables.digest(release, name)
    return _read(release, name, found, by, category) if found else pd.DataFrame(columns=[*COLUMNS, *_MORE])


@lru_cache(maxsize=256)
def _read(release: Release, name: str, _hash: str, by: str, category: str) -> pd.DataFrame:
    table = tables.table(release, name)
    kept = table[table[by] == category] if category else table
    wanted = kept.reset_index(drop=True).reindex(columns=[*COLUMNS, *_MORE, *_BESIDE])
    return wanted.astype(dict.fromkeys(["value", *COLUMNS[4:], *_MORE], float))


def _chosen(options: Mapping[str, str]) -> tuple[str, str]:
    chosen = choices_of(_OPTIONS, options)
    return chosen[_SHOW.id], chosen[WHICH_SERVICES.id]


def _offers(release: Release, level: str, options: Mapping[str, str]) -> bool:
    return level == _LEVEL and bool(len(_rows(release, *_chosen(options))))


def _levels(release: Release) -> tuple[str, ...]:
    return (_LEVEL,) if _offers(release, _LEVEL, {}) else ()


def _periods(release: Release, view: View) -> tuple[str, ...]:
    if view.level != _LEVEL:
        return ()
    return tuple(sorted(_rows(release, *_chosen(view.options))["period"].unique()))


def _layer_data(release: Release, view: View) -> LayerData:
    show, of = _chosen(view.options)
    held = _periods(release, view)
    period = tables.settle(view.period, {_GRAIN: held} if held else {})
    table = _rows(release, show, of)
    now = table[table["period"] == period]
    frame = framed(release, now.reindex(columns=COLUMNS), view.level)
    notes = {str(row["area"]): _note(show, row) for row in now.to_dict("records")}
    frame["note"] = [notes.get(str(area), "") for area in frame.index]
    return LayerData(frame, _style(show, table), _legend(release, show, of, period, table), release.invented)


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


def _legend(release: Release, show: str, of: str, period: str, table: pd.DataFrame) -> Legend:
    told = _SHOWN[show]
    label = next(choice.label for choice in WHICH_SERVICES.choices if choice.id == of)
    title = (
        told.title
        if of == WHICH_SERVICES.default
        else Message("{what}: {services}", what=told.title, services=label)
    )
    margin = told.margin
    if show == "places" and (table["state"] == "class").any():
        margin = Message(
            "{first}; {second}", first=mark("at least so many: some are not shown"), second=margin
        )
    when = Period.parse(period).label if period else ""
    return Legend(title, told.unit, when, _source(release), margin, NOTE)


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


def _source(release: Release) -> str:
    template = mark("Services and risk model on programme records, release {name}")
    if release.invented:
        template = mark("Services and risk model on invented records, release {name}")
    return Message(template, name=release.name)


def _every_row(release: Release, level: str) -> pd.DataFrame:
    parts = [
        _rows(release, one[_SHOW.id], one[WHICH_SERVICES.id]).assign(**one)
        for one in every_choice(_OPTIONS)
        if level == _LEVEL and len(_rows(release, one[_SHOW.id], one[WHICH_SERVICES.id]))
    ]
    names = [option.id for option in _OPTIONS]
    columns = ["area", "period", *names, *COLUMNS[2:], *_MORE]
    if not parts:
        return pd.DataFrame(columns=[*columns, "source", "year", "note"])
    rows = pd.concat(parts, ignore_index=True)
    notes = [_note(str(row[_SHOW.id]), row) for row in rows.to_dict("records")]
    return rows[columns].assign(source=_source(release), year=np.nan, note=notes)


LAYER = Layer(
    "access",
    mark("Access"),
    mark("How many places of services can children in need reach, and where is there a gap?"),
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
