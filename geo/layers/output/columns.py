"""What each column of a released table means, in one place: for codebooks, pages and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from data.release import Release
from data.tables.states import MEANINGS, STATES, State
from geo.layers.core import Choice, Layer
from geo.layers.core.words import mark, state_words
from geo.layers.reading import tables


@dataclass(frozen=True)
class Column:
    """One column: its kind and what it means."""

    name: str
    kind: str
    meaning: str


_TEXT, _NUMBER, _WHOLE, _DAY, _YES = "text", "number", "whole number", "day (ISO 8601)", "yes or no"
COLUMNS: tuple[Column, ...] = (
    Column(
        "code",
        _TEXT,
        mark(
            "The area's code: ISO 3166 for countries, counties and regions; GeoNames or "
            "ELSTAT code for municipalities."
        ),
    ),
    Column("name", _TEXT, mark("The area's name in Latin letters.")),
    Column(
        "name_local",
        _TEXT,
        mark(
            "The area's name in its own language; Greek municipalities stand in the "
            "genitive, as in “Municipality of …”."
        ),
    ),
    Column("country", _TEXT, mark("AL (Albania) or GR (Greece).")),
    Column("level", _TEXT, mark("country, region (a county in Albania) or municipality.")),
    Column("parent", _TEXT, mark("The code of the area that this one lies in; empty for a country.")),
    Column("km2", _NUMBER, mark("Area in square kilometres, computed in EPSG:3035.")),
    Column(
        "approximate", _YES, mark("Yes: the boundary is approximate. Official boundaries can be imported.")
    ),
    Column(
        "geometry",
        "multipolygon",
        mark("The area's shape, longitude and latitude (EPSG:4326); empty where none is known."),
    ),
    Column(
        "period",
        _TEXT,
        mark(
            "The stretch of time as an ISO 8601 interval (start and length, or two days); in tables "
            "with one row an area, in words."
        ),
    ),
    Column("period_label", _TEXT, mark("The period in words.")),
    Column("first_day", _DAY, mark("The first day of the period.")),
    Column("last_day", _DAY, mark("The last day of the period.")),
    Column("value", _NUMBER, mark("The published number; empty where there is only a state or a class.")),
    Column("state", _TEXT, mark("What kind of answer the row is; see the states.")),
    Column("state_words", _TEXT, mark("The state in plain words.")),
    Column(
        "margin",
        _NUMBER,
        mark(
            "The true number lay within this distance of the value when it was first published; it is "
            "repeated until enough children have changed. Empty where the value is as recorded."
        ),
    ),
    Column(
        "low",
        _NUMBER,
        mark(
            "Where a class is published: its lowest value; the least that there is, where something may be "
            "left out."
        ),
    ),
    Column(
        "high",
        _NUMBER,
        mark(
            "Where a class is published: its highest value; empty where it is open or only the least is told."
        ),
    ),
    Column("unit", _TEXT, mark("What is counted.")),
    Column(
        "source",
        _TEXT,
        mark("From whom the number is; begins with “Invented” where a figure was made up for practice."),
    ),
    Column("year", _WHOLE, mark("Of published figures: the year that the figure is of.")),
    Column(
        "note", _TEXT, mark("What else must be known, such as “provisional” or other figures of the area.")
    ),
    Column(
        "data",
        _TEXT,
        mark(
            "invented (made up for a demonstration or for practice, about no real child), programme (records "
            "of the partners) or published (figures that others published)."
        ),
    ),
    Column("tier", _TEXT, mark("Who may see it: partner (protected, not anonymous) or public.")),
    Column("release", _TEXT, mark("The release that the row comes from.")),
)
LEFT_OUT = mark(
    "What is withheld to protect people has no row in the long tables (CSV, Excel, and those named “all”): "
    "an area, period and choice without a row, where others of the level and period have one, is withheld. "
    "In maps it stands with its state."
)
_BESIDE = mark(
    "A choice beside the plain one: “{label}”. With __state, __margin, __low, __high, __source, __year or "
    "__note behind it, the same of that choice."
)


def states(release: Release, layers: tuple[Layer, ...]) -> list[State]:
    """List the states that occur in some layers of a release."""
    found = frozenset[str]().union(*(_states(release, tables.stamp(release), one) for one in layers))
    return [state for state in STATES if state in found]


@lru_cache(maxsize=64)
def _states(release: Release, _stamp: int, layer: Layer) -> frozenset[str]:
    return frozenset(
        s for level in layer.levels(release) for s in layer.rows(release, level)["state"].unique()
    )


def codebook(release: Release, layers: tuple[Layer, ...]) -> pd.DataFrame:
    """Describe every column and choice of exported tables, and the states in them.

    Columns: table, column, kind, meaning, value.
    """
    rows = [("all tables", c.name, c.kind, c.meaning, "") for c in COLUMNS]
    rows.append(("all tables", "", "rows", LEFT_OUT, ""))
    rows += [
        ("all tables", "state", "state", f"{state_words(s, release.k)}. {MEANINGS[s]}", s)
        for s in states(release, layers)
    ]
    for layer in layers:
        rows.append((layer.id, "", "layer", f"{layer.title}. {layer.question}", ""))
        for option in layer.options:
            rows += [(layer.id, option.id, "choice", _label(c), c.id) for c in option.choices]
            rows += [
                (layer.id, c.id.replace("-", "_"), "number", _BESIDE.format(label=c.label), "")
                for c in option.choices[1:]
            ]
        rows += [(layer.id, name, "number", meaning, "") for name, meaning in layer.more]
    return pd.DataFrame(rows, columns=["table", "column", "kind", "meaning", "value"])


def _label(choice: Choice) -> str:
    return f"{choice.group}: {choice.label}" if choice.headed else choice.label
