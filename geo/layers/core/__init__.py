"""The definition of a layer: what it reads from a release, its style, its legend, its words.

The map, the legend, the table, the briefing and every export use this one definition. Nothing here imports Folium or
Streamlit. Words are message identifiers in English; the dashboard translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from data.release import Release
from data.tables.states import ZEROS
from geo.layers.core.words import format_quantity

Kind = Literal["fill", "circle", "hatch"]
Nature = Literal["programme", "community", "published"]
_LARGEST_CIRCLE = 22.0


@dataclass(frozen=True)
class Choice:
    """One value of an option, and its words; choices of one group appear together in a menu."""

    id: str
    label: str
    group: str = ""

    @property
    def needs_group(self) -> bool:
        """Whether the group's name must be shown before the label."""
        return bool(self.group) and self.group.lower() not in self.label.lower()


@dataclass(frozen=True)
class Option:
    """An option of a layer for which the reader makes a choice, such as the pathway or the axis.

    whole : whether the default choice stands for all that the layer shows; titles then do not name it.
    """

    id: str
    label: str
    choices: tuple[Choice, ...]
    whole: bool = True

    @property
    def default(self) -> str:
        """The default choice: the first one."""
        return self.choices[0].id


@dataclass(frozen=True)
class View:
    """A request to a layer: level, period (identifier) and choices by option.

    An empty period lets the layer choose one; an option that is left out has its default choice.
    """

    level: str
    period: str
    options: Mapping[str, str] = field(default_factory=dict)

    def choice(self, option: Option) -> str:
        """Return the choice for an option: the default if there is none or an unknown one."""
        choice = self.options.get(option.id, option.default)
        return choice if choice in {c.id for c in option.choices} else option.default


@dataclass(frozen=True)
class Style:
    """How values are drawn.

    Of kind "fill": `breaks` are the lower bounds of all classes but the first; `colours` and `labels` have one entry
    per class. Of kind "hatch": the same, drawn as an outline and a hatch, never as a fill. Of kind "circle": the area
    of a circle is proportional to its value; `breaks` are the values shown in the legend, and `largest` is the largest
    value of any period, so that circle sizes can be compared between periods.
    named: the labels are names of classes, shown instead of the bounds of a class.
    bounds: the lower and upper end of each class where classes may overlap; NaN without an upper end.
    """

    kind: Kind
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...] = ()
    largest: float = 0.0
    named: bool = False
    bounds: tuple[tuple[float, float], ...] = ()

    def radius(self, value: float, most: float = _LARGEST_CIRCLE) -> float:
        """Return the radius of a circle whose area is proportional to the value, in the unit of `most`.

        most : the radius for the style's largest value, by default in pixels. Returns 0 for a value that is not above
        0, and if the style has no largest value.
        """
        return most * (max(value, 0.0) / self.largest) ** 0.5 if self.largest > 0 else 0.0


@dataclass(frozen=True)
class Legend:
    """What a reader must know to understand the layer."""

    title: str
    unit: str
    period: str
    source: str
    margin: str = ""
    note: str = ""


@dataclass(frozen=True)
class LayerData:
    """A layer as read for one view.

    `frame` has one row per area of the level, indexed by area code: value (float or missing), state, margin (missing
    when exact), low and high (for state "class"), source, year (of a published figure, else missing) and note (may be
    empty). Published figures also have a column invented. Counts also have the columns noisy and noisy_margin: the
    number as published, and its margin (data/tables/shown.py). The words of a state are in data/tables/states.py.
    `invented` says whether all numbers shown are invented.
    """

    frame: pd.DataFrame
    style: Style
    legend: Legend
    invented: bool

    def texts(self) -> dict[str, str]:
        """Return the number of each area, or the words of its class, by area code; empty if it has neither."""
        if self.style.named:
            names = (*self.style.labels, "")  # class -1 takes the last
            return {str(area): names[number] for area, number in self.classes().items()}
        columns = (self.frame[name] for name in ("value", "low", "high"))
        numbers = zip(self.frame.index, *columns, strict=True)
        return {str(area): format_quantity(value, low, high) for area, value, low, high in numbers}

    def list_marks(self) -> pd.Series:
        """Return the state with which each area is drawn: its own; "number" for a published zero adjusted above 0."""
        return self.frame["state"].mask(self.find_adjusted_zeros(), "number")

    def find_adjusted_zeros(self) -> pd.Series[bool]:
        """Return which areas have a published zero that is adjusted above 0, so that parts add up."""
        return self.frame["state"].isin(ZEROS) & (self.frame["value"] > 0)

    def classes(self) -> pd.Series:
        """Return the class of each area, counted from 0; -1 if it has neither a number nor a class."""
        if self.style.bounds:
            ends = self.frame[["low", "high"]].to_numpy(dtype=float)
            matches = np.isclose(ends[:, None], np.array(self.style.bounds), equal_nan=True).all(axis=2)
            return pd.Series(
                np.where(matches.any(axis=1), matches.argmax(axis=1), -1), index=self.frame.index, dtype="int64"
            )
        values = self.frame["value"].fillna(self.frame["low"]).to_numpy(dtype=float)
        classes = np.searchsorted(np.array(self.style.breaks, dtype=float), values, side="right")
        return pd.Series(np.where(np.isnan(values), -1, classes), index=self.frame.index, dtype="int64")


@dataclass(frozen=True)
class Layer:
    """The definition of one layer.

    `levels` lists its levels in a release. `periods` lists its periods, oldest first, for the level and options of a
    view: those of the grain of the view's period, or of the finest grain if the layer lacks the view's period. It is
    empty for a layer without periods (each area shows its latest figure). `read` returns the data; if the layer lacks
    the period, another is used (see `choose_period` in geo/layers/reading/tables.py), and the legend says which.
    `offers` says whether a release has numbers for these choices at a level. `rows` returns all data of the layer at a
    level in long form: area, period, one column per option (its choice), value, state, margin, low, high, source, year,
    note.
    `nature` says what the numbers are about; geo/layers/__init__.py says which layers may be combined. `of_figures`:
    the numbers are published figures; each area has its own source and year. `sums`: numbers of several areas may be
    added up. `more` lists further columns of `rows` and their meaning.
    """

    id: str
    title: str
    question: str
    kind: Kind
    options: tuple[Option, ...]
    levels: Callable[[Release], tuple[str, ...]]
    periods: Callable[[Release, View], tuple[str, ...]]
    read: Callable[[Release, View], LayerData]
    rows: Callable[[Release, str], pd.DataFrame] = lambda _release, _level: pd.DataFrame()
    offers: Callable[[Release, str, Mapping[str, str]], bool] = lambda _release, _level, _options: True
    nature: Nature = "programme"
    of_figures: bool = False
    sums: bool = True
    more: tuple[tuple[str, str], ...] = ()

    def list_options(self, release: Release, level: str) -> tuple[Option, ...]:
        """Return the options with their choices at a level of a release; those with fewer than two are left out."""
        options = []
        for option in self.options:
            choices = tuple(c for c in option.choices if self.offers(release, level, {option.id: c.id}))
            if len(choices) > 1:
                options.append(replace(option, choices=choices))
        return tuple(options)
