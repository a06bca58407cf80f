"""The main numbers of one area, each read in the same way as in its layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from data.message import Message, mark
from data.release import Release
from data.tables.periods import Period
from data.tables.states import ZEROS
from geo.layers import effort, encounters, population, services
from geo.layers.core import View
from geo.layers.core.change import Cell
from geo.layers.core.service_choices import AXES
from geo.layers.core.words import describe_state, format_margin, format_quantity
from geo.layers.reading.counted import Counted

INTERNAL = {"of": "pathway-internal"}
_NO_DATA, _WITHHELD = Cell("no_data"), Cell("withheld")


@dataclass(frozen=True)
class Fact:
    """One number of an area: label, text with margin, state, period and source."""

    id: str
    label: str
    text: str
    margin: str
    state: str
    period: str
    source: str
    note: str
    invented: bool


@dataclass(frozen=True)
class Place:
    """The area of a profile, in a release."""

    release: Release
    area: str
    level: str
    country: str

    def describe_state(self, state: str) -> str:
        """Return a state of a cell in words."""
        return describe_state(state, self.release.k, self.release.find_threshold(self.level))

    def read_cell(self, counted: Counted, period: str, options: Mapping[str, str] | None = None) -> Cell:
        """Return the cell of exactly this period; state "no_data" if there is none."""
        history = counted.history(self.release, self.level, self.area, options or {})
        return history.get(period, _NO_DATA)

    def read_nearest_cell(
        self, counted: Counted, period: str, options: Mapping[str, str] | None = None
    ) -> tuple[Cell, str]:
        """Return the cell of the period that is shown when `period` is requested, and that period.

        See `Counted.choose_period`. State "no_data" and an empty period if there is none.
        """
        nearest = counted.choose_period(self.release, View(self.level, period, options or {}))
        return self.read_cell(counted, nearest, options), nearest


def format_cell(cell: Cell, place: Place) -> str:
    """Return a cell of a place as text: its number or class, or else its state."""
    return format_quantity(cell.value, cell.low, cell.high) or place.describe_state(cell.state)


def list_facts(place: Place, period: str) -> tuple[Fact, ...]:
    """List the main numbers of an area, in the order in which they are shown."""
    children, when = place.read_nearest_cell(encounters.COUNTED, period)
    inside, inside_when = place.read_nearest_cell(encounters.COUNTED, period, INTERNAL)
    days, days_when = place.read_nearest_cell(effort.COUNTED, period)
    frame = population.LAYER.read(place.release, View(place.level, "")).frame
    row: dict[Any, Any] = frame.loc[place.area].to_dict()
    value, year = float(row["value"]), float(row["year"])
    known = not math.isnan(year)
    return (
        _fact(place, "children", mark("Children identified or met"), children, when),
        _count_internal(place, when, inside, inside_when),
        _fact(place, "effort", mark("Outreach days"), days, days_when),
        _count_axes(place, period),
        Fact(
            id="population",
            label=_counted_when(row, year) if known else mark("Population"),
            text=format_quantity(value) or place.describe_state(str(row["state"])),
            margin="",
            state=str(row["state"]),
            period=str(int(year)) if known else "",
            source=str(row["source"]),
            note=str(row["note"]),
            invented=bool(row["invented"]),
        ),
    )


def _count_internal(place: Place, when: str, inside: Cell, inside_when: str) -> Fact:
    """Return the number of children in internal trafficking as a fact.

    If its period is not `when`, the text also has the number of all children met in its period, if both are known.
    """
    if when == inside_when or not inside_when:
        label = Message(mark("of these, internal trafficking in {country}"), country=place.country)
        return _fact(place, "internal", label, inside, inside_when)
    period = Period.parse(inside_when).label
    label = Message(mark("internal trafficking in {country}, {period}"), country=place.country, period=period)
    every = place.read_cell(encounters.COUNTED, inside_when)
    values = {"part": format_cell(inside, place), "all": format_cell(every, place)}
    text = Message("{part} of {all} children", **values) if inside.state == every.state == "number" else ""
    return _fact(place, "internal", label, inside, inside_when, text)


def _fact(place: Place, name: str, label: str, cell: Cell, period: str, text: str = "") -> Fact:
    release = place.release
    return Fact(
        id=name,
        label=label,
        text=text or format_cell(cell, place),
        margin=format_margin(cell.value, cell.margin, cell.state, cell.published.value - cell.published.margin),
        state=cell.state,
        period=Period.parse(period).label if period else "",
        source=Counted.source(release),
        note=place.describe_state(cell.state) if cell.state in ZEROS and cell.value > 0 else "",
        invented=release.invented,
    )


def _count_axes(place: Place, period: str) -> Fact:
    """Count the axes of work on which the area has a service; withheld axes are named but not counted."""
    cells = [place.read_nearest_cell(services.COUNTED, period, {"of": axis.id}) for axis in AXES]
    has_service = [_has_service(cell) for cell, _ in cells]
    label, when = mark("Services"), cells[0][1]
    hidden = [axis.label for axis, at_work in zip(AXES, has_service, strict=True) if at_work is None]
    served = [axis.label for axis, at_work in zip(AXES, has_service, strict=True) if at_work]
    if len(hidden) == len(AXES):
        silent = all(cell.state == "no_data" for cell, _ in cells)
        return _fact(place, "services", label, _NO_DATA if silent else _WITHHELD, when)
    # Readers would take a zero for "none" although some axes are hidden: then the row says "withheld".
    cell = _WITHHELD if hidden and not served else Cell("number", len(served))
    return replace(
        _fact(place, "services", label, cell, when, _axes_text(served, hidden)), note=_list_axes(served, hidden)
    )


def _axes_text(served: list[str], hidden: list[str]) -> str:
    if not hidden:
        return Message("{there} of {all} axes", there=len(served), all=len(AXES))
    if len(served) == 1:
        return mark("1 axis shown")
    return Message("{there} axes shown", there=len(served)) if served else ""


def _list_axes(served: list[str], hidden: list[str]) -> str:
    """Return a text on the axes with a service and the withheld axes.

    Empty if every axis has a service, or if no axis has one and none is withheld.
    """
    names = reduce(_listed, served) if 0 < len(served) < len(AXES) else ""
    if not hidden:
        return names
    withheld = Message("withheld: {axes}", axes=reduce(_listed, hidden))
    none = mark("no service on the axes that are shown")
    return Message("{there}; {hidden}", there=names or none, hidden=withheld)


def _listed(first: str, second: str) -> str:
    return Message("{first}, {second}", first=first, second=second)


def _has_service(cell: Cell) -> bool | None:
    """Return whether there is a service; None where the cell does not show it, such as "0 to 2"."""
    if cell.state in {"number", "structural_zero"}:
        return cell.value > 0
    return True if cell.low > 0 else None


def _counted_when(row: Mapping[Any, Any], year: float) -> str:
    census = "census" in str(row["source"]).lower()
    template = mark("Population, census {year}") if census else mark("Population, {year}")
    if row["invented"]:
        template = mark("Population, invented figure of {year}")
    return Message(template, year=int(year))
