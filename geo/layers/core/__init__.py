"""What a layer is: what it reads from a release, how it looks, its legend, its words.

The map, the legend, the table, the briefing and every export take a layer from this one definition.
Nothing here knows Folium or Streamlit. Words are message identifiers in English; the dashboard translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from data.release import Release
from geo.layers.core.words import format_quantity

Kind = Literal["fill", "circle", "hatch"]
Nature = Literal["programme", "community", "published"]
_LARGEST_CIRCLE = 22.0


@dataclass(frozen=True)
class Choice:
    """One value of an option, and its words; choices of one group belong together in a menu."""

    id: str
    label: str
    group: str = ""

    @property
    def headed(self) -> bool:
        """Say whether the label needs its group's name before it, since it does not say it itself."""
        return bool(self.group) and self.group.lower() not in self.label.lower()


@dataclass(frozen=True)
class Option:
    """Something that the reader may choose of a layer, as a pathway or an axis."""

    id: str
    label: str
    choices: tuple[Choice, ...]

    @property
    def default(self) -> str:
        """The first choice is the safe and plain one."""
        return self.choices[0].id


@dataclass(frozen=True)
class View:
    """What is asked of a layer: level, period (identifier), and a choice for each option."""

    level: str
    period: str
    options: Mapping[str, str] = field(default_factory=dict)

    def choice(self, option: Option) -> str:
        """Give the choice of an option; anything unknown falls back to its default."""
        asked = self.options.get(option.id, option.default)
        return asked if asked in {c.id for c in option.choices} else option.default


@dataclass(frozen=True)
class Style:
    """How values become marks.

    fill: `breaks` are the lower bounds of all classes but the first, `colours` and `labels` one a class.
    circle: area is proportional to the value; `breaks` are the values shown in the legend, `largest` the
    largest value of any period, so that circles do not change size as time moves.
    hatch: outline and hatch by class, never a fill.
    named: the labels are names of classes, which stand in place of the bounds of a class.
    """

    kind: Kind
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...] = ()
    largest: float = 0.0
    named: bool = False

    def radius(self, value: float, most: float = _LARGEST_CIRCLE) -> float:
        """Give the radius of a circle whose area is proportional to the value; `most` for the largest."""
        return most * (max(value, 0.0) / self.largest) ** 0.5 if self.largest > 0 else 0.0


@dataclass(frozen=True)
class Legend:
    """What a reader must know to read the layer right."""

    title: str
    unit: str
    period: str
    source: str
    margin: str = ""
    note: str = ""


@dataclass(frozen=True)
class LayerData:
    """A layer as read for one view.

    `frame` has one row an area of the level, indexed by area code: value (float or missing), state,
    margin (missing when exact), low and high (for state "class"), source, year (of a published figure,
    else missing) and note (may be empty); of published figures also invented. `words` of a state stand in
    data/tables/states.py. `invented` says whether all numbers shown are.
    """

    frame: pd.DataFrame
    style: Style
    legend: Legend
    invented: bool

    def texts(self) -> dict[str, str]:
        """Give each area's number, or the words of its class, by code; empty where there is neither."""
        if self.style.named:
            names = (*self.style.labels, "")  # class -1 takes the last
            return {str(area): names[one] for area, one in self.classes().items()}
        columns = (self.frame[name] for name in ("value", "low", "high"))
        numbers = zip(self.frame.index, *columns, strict=True)
        return {str(area): format_quantity(value, low, high) for area, value, low, high in numbers}

    def classes(self) -> pd.Series:
        """Give the class of each area, from 0; -1 where there is neither a number nor a class."""
        known = self.frame["value"].fillna(self.frame["low"]).to_numpy(dtype=float)
        classes = np.searchsorted(np.array(self.style.breaks, dtype=float), known, side="right")
        return pd.Series(np.where(np.isnan(known), -1, classes), index=self.frame.index, dtype="int64")


@dataclass(frozen=True)
class Layer:
    """One layer, defined once.

    `levels` lists the levels that it has in a release. `periods` lists its periods, oldest first, at the
    level and with the options of a view: those of the grain of the view's period, or of the finest grain
    when the view's period is empty or of another calendar. It is empty for a layer that does not move with
    time (each area shows its latest figure). `read` gives the data; a period that the layer does not hold is
    settled on the one that holds it, or else on the last, and the legend says which.
    `rows` gives all that the release holds of the layer at a level, long: area, period, one column an
    option (its choice), value, state, margin, low, high, source, year, note.
    `nature` says what they are about; see geo/layers/__init__.py for what may be laid together.
    `of_figures`: the numbers are published figures, of which each area has its own source and year.
    `sums`: numbers of several areas may be added up. `more` names further columns of `rows`, with what each
    means.
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

    def offered(self, release: Release, level: str) -> tuple[Option, ...]:
        """Give the options with the choices that the release holds at a level; none with only one choice."""
        kept = []
        for option in self.options:
            choices = tuple(c for c in option.choices if self.offers(release, level, {option.id: c.id}))
            if len(choices) > 1:
                kept.append(replace(option, choices=choices))
        return tuple(kept)
