"""The meaning of each column of an exported table, for codebooks, pages and documentation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from data.message import mark
from data.release import Release
from data.tables.states import MEANINGS, STATES, State
from geo.layers.core import Choice, Layer, View
from geo.layers.core.words import describe_state
from geo.layers.reading import tables


@dataclass(frozen=True)
class Column:
    """A column of exported tables: its name, the type of its values in words, and its meaning."""

    name: str
    kind: str
    meaning: str


_TEXT, _NUMBER, _WHOLE, _DAY, _YES = "text", "number", "whole number", "day (ISO 8601)", "yes or no"
COLUMNS: tuple[Column, ...] = (
    Column(
        "code",
        _TEXT,
        mark(
            "The area's code: ISO 3166 for countries, counties and regions; GeoNames code for municipalities."
            " ELSTAT's tables have other codes for municipalities: join them by name."
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
    Column("parent", _TEXT, mark("The code of the larger area that this area is part of; empty for a country.")),
    Column("km2", _NUMBER, mark("Area in square kilometres, computed in EPSG:3035.")),
    Column("approximate", _YES, mark("Yes: the boundary is approximate. Official boundaries can be imported.")),
    Column(
        "geometry",
        "multipolygon",
        mark("The area's shape, longitude and latitude (EPSG:4326); empty where none is known."),
    ),
    Column(
        "period",
        _TEXT,
        mark(
            "The period as an ISO 8601 interval (start and length, or first and last day); in words in"
            " tables with one row for each area."
        ),
    ),
    Column("period_label", _TEXT, mark("The period in words.")),
    Column("first_day", _DAY, mark("The first day of the period.")),
    Column("last_day", _DAY, mark("The last day of the period.")),
    Column(
        "value",
        _NUMBER,
        mark(
            "The number; empty if only a state or a range is published. Numbers of children are adjusted so that parts "
            "add up to totals; the published number with noise is in the column noisy. A published zero may so get a "
            "small number; its state stays."
        ),
    ),
    Column("state", _TEXT, mark("The state of the number, for example “withheld”; see the list of states.")),
    Column("state_words", _TEXT, mark("The state in plain words.")),
    Column(
        "margin",
        _NUMBER,
        mark(
            "The largest possible distance between the value and the true number when it was first published: that of "
            "the published number, and how far the value was adjusted. Empty if the value has no noise."
        ),
    ),
    Column("low", _NUMBER, mark("The lower limit of a range, or of a total from which something may be left out.")),
    Column("high", _NUMBER, mark("The upper limit of a range; empty if there is none.")),
    Column("unit", _TEXT, mark("What is counted.")),
    Column(
        "source",
        _TEXT,
        mark("Who recorded or published the number; begins with “Invented” if a figure was made up for practice."),
    ),
    Column("year", _WHOLE, mark("The year of a published figure.")),
    Column("note", _TEXT, mark("More information, such as “provisional” or other figures for the same area.")),
    Column(
        "data",
        _TEXT,
        mark(
            "invented (made up for a demonstration or for practice, about no real child), programme (records "
            "of the partners) or published (figures that others published)."
        ),
    ),
    Column(
        "tier",
        _TEXT,
        mark("partner (protected, not anonymous; only under the data-sharing agreement) or public (everybody)."),
    ),
    Column("release", _TEXT, mark("The release that the row comes from.")),
)
EVERY_ROW = mark(
    "Every area has a row for every period and choice that is published for its level, also where no number is "
    "shown: the column “state” says why. An empty value is never a zero."
)
DO_NOT_SUM = mark(
    "Do not add up the rows of a layer as they are: levels, periods and choices contain each other, and an area "
    "without a number is not zero. Take one level, one length of periods and one choice first; each layer says by "
    "which filter."
)
_FILTER = mark("Take these rows alone before you add up, map or join; put the level and the choice that you need.")
_BESIDE = mark(
    "The number for “{label}”. The columns that end in __state, __margin, __low, __high, __noisy, __noisy_margin, "
    "__source, __year and __note belong to it."
)


def list_states(release: Release, layers: tuple[Layer, ...]) -> list[State]:
    """List the states that occur in these layers of a release, in the order of STATES."""
    present = frozenset[str]().union(*(_states(release, tables.release_key(release), layer) for layer in layers))
    return [state for state in STATES if state in present]


@lru_cache(maxsize=64)
def _states(release: Release, _stamp: int, layer: Layer) -> frozenset[str]:
    return frozenset(s for level in layer.levels(release) for s in layer.rows(release, level)["state"].unique())


def list_meanings(layer: Layer, columns: Collection[str]) -> list[tuple[str, str]]:
    """Return pairs (name, meaning) of those `columns` of a layer that have a meaning, in the order of the codebook."""
    meanings = {column.name: column.meaning for column in COLUMNS}
    meanings |= {option.id: option.label for option in layer.options} | dict(layer.more)
    return [(name, meaning) for name, meaning in meanings.items() if name in columns]


def build_codebook(release: Release, layers: tuple[Layer, ...]) -> pd.DataFrame:
    """Build the codebook of exported tables: every column, choice and state.

    Columns: table, column, kind, meaning, value.
    """
    rows = [("all tables", c.name, c.kind, c.meaning, "") for c in COLUMNS]
    rows += [("all tables", "", "rows", meaning, "") for meaning in (EVERY_ROW, DO_NOT_SUM)]
    rows += [
        ("all tables", "state", "state", f"{describe_state(s, release.k)}. {MEANINGS[s]}", s)
        for s in list_states(release, layers)
    ]
    for layer in layers:
        rows.append((layer.id, "", "layer", f"{layer.title}. {layer.question}", ""))
        rows.append((layer.id, "", "filter", _FILTER, _write_finest_filter(release, layer)))
        for option in layer.options:
            rows += [(layer.id, option.id, "choice", _label(c), c.id) for c in option.choices]
            rows += [
                (layer.id, c.id.replace("-", "_"), "number", _BESIDE.format(label=c.label), "")
                for c in option.choices[1:]
            ]
        rows += [(layer.id, name, "number", meaning, "") for name, meaning in layer.more]
    return pd.DataFrame(rows, columns=["table", "column", "kind", "meaning", "value"])


def write_filter(
    release: Release, layer: Layer, level: str, more: Mapping[str, str] | None = None, period: str = ""
) -> str:
    """Return an expression (SQL, QGIS) that selects the rows of a layer at a level with its default choices.

    more : values of further columns. period : select only periods as long as this one; empty for all periods.
    """
    conditions = {**(more or {}), **{option.id: option.default for option in layer.list_options(release, level)}}
    parts = [f"\"{name}\" = '{value}'" for name, value in conditions.items()]
    return " AND ".join([*parts, f"\"period\" LIKE '%{period[10:]}'"] if period else parts)


def _write_finest_filter(release: Release, layer: Layer) -> str:
    """Return an expression that selects the rows of the finest level with the default choices.

    Of periods it selects only the shortest. Of figures without periods it selects the years of each area's newest
    figure, because figures of several years are of the same people. Empty if the release does not have the layer.
    """
    levels = layer.levels(release)
    if not levels:
        return ""
    level = levels[-1]
    periods = layer.periods(release, View(level, ""))
    if not layer.of_figures:
        return write_filter(release, layer, level, {"level": level}, periods[-1] if periods else "")
    condition = write_filter(release, layer, level, {"level": level})
    if periods:
        return condition
    newest = layer.read(release, View(level, "")).frame["year"].dropna().astype(int)
    years = ", ".join(map(str, sorted(newest.unique())))
    return f'{condition} AND ("year" IS NULL OR "year" IN ({years}))'


def _label(choice: Choice) -> str:
    return f"{choice.group}: {choice.label}" if choice.needs_group else choice.label
