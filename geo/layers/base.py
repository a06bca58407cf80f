"""What a layer is: what it reads from a release, how it looks, its legend, its words.

The map, the legend, the table, the briefing and every export take a layer from this one definition.
Nothing here knows Folium or Streamlit. Words are message identifiers in English; the dashboard translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from data.release import Release

__all__ = ["Choice", "Layer", "LayerData", "Legend", "Option", "Style", "View"]

Kind = Literal["fill", "circle", "hatch"]


@dataclass(frozen=True)
class Choice:
    """One value of an option, and its words."""

    id: str
    label: str


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
    circle: area is proportional to the value; `breaks` are the values shown in the legend.
    hatch: outline and hatch by class, never a fill.
    """

    kind: Kind
    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...] = ()

    def classify(self, value: float) -> int:
        """Give the class of a value, from 0."""
        return sum(value >= b for b in self.breaks)


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
    margin (missing when exact), low and high (for state "class"), source and note (may be empty).
    """

    frame: pd.DataFrame
    style: Style
    legend: Legend
    invented: bool


@dataclass(frozen=True)
class Layer:
    """One layer, defined once.

    `periods` lists the periods that it has in a release at a level, oldest first; `read` gives the data.
    `over` names the layers that may be laid over it; see interface.md on community layers.
    """

    id: str
    title: str
    question: str
    kind: Kind
    options: tuple[Option, ...]
    levels: Callable[[Release], tuple[str, ...]]
    periods: Callable[[Release, View], tuple[str, ...]]
    read: Callable[[Release, View], LayerData]
