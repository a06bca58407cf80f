"""The content of a map that a page shows as a picture: a mark for each area, and the legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.map.legend import LegendClass


@dataclass(frozen=True)
class AreaMark:
    """How an area is drawn: its name, its colour, and the words of its tooltip.

    unsure : whether the area has the pattern of "cannot tell" in place of its colour. numbers : the numbers in the
    tooltip, by their column in the tables of the release.
    """

    name: str
    colour: str
    words: str
    unsure: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """The legend of a map that is a picture. unit : unit and period. notes : sentences; empty ones are left out.

    in_words : whether classes have names, listed one below another; otherwise each shows its lower bound.
    """

    title: str
    unit: str
    classes: Sequence[LegendClass]
    notes: Sequence[str]
    in_words: bool = False
