"""Export tables of a layer: a long table with everything, and a table for maps with one row per area.

In both, every row has the unit, the state in words, the source, the tier and the origin of the number, so that a row is
still clear when it is copied out of its file.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import pandas as pd

from data.errors import InputError
from data.release import Release
from data.tables.periods import Calendar, Period
from geo.layers.core import Layer, LayerData, View
from geo.layers.core.words import describe_state
from geo.layers.reading import tables

_NAMES = ["name", "name_local", "country", "level", "parent"]
_NUMBERS = ["value", "state", "state_words", "margin", "low", "high", "unit"]
_TAIL = ["source", "year", "note", "data", "tier", "release"]


def find_owner(release: Release, layer: Layer) -> str:
    """Return the origin of a layer's numbers: "programme", "invented", "published" or "mixed".

    "mixed" stands for published figures of which at least one is invented.
    """
    if layer.of_figures:
        return "mixed" if _has_invented_figures(release, tables.release_key(release), layer) else "published"
    return "invented" if release.invented else "programme"


@lru_cache(maxsize=64)
def _has_invented_figures(release: Release, _stamp: int, layer: Layer) -> bool:
    return any(layer.rows(release, level)["invented"].any() for level in layer.levels(release))


def has_invented_numbers(release: Release, layers: Iterable[Layer]) -> bool:
    """Return whether any number of these layers is invented."""
    return any(find_owner(release, layer) in {"invented", "mixed"} for layer in layers)


def choose_latest_view(release: Release, level: str) -> View:
    """Return a view of the whole time of the release; with it, each layer shows the last of its longest periods.

    The view has no period if the manifest names no first and last day.
    """
    about = release.manifest["tact"]
    if not about.get("first") or not about.get("last"):
        return View(level, "")
    first, last = date.fromisoformat(about["first"]), date.fromisoformat(about["last"])
    return View(level, Calendar(int(about.get("first_month", 6))).whole(first, last).id)


def build_long_table(release: Release, layer: Layer) -> pd.DataFrame:
    """Build the table of every cell of a layer, with names and words; empty if the release does not have the layer.

    The table is shared: never change it.
    """
    return _build_long_table(release, tables.release_key(release), layer)


@lru_cache(maxsize=24)  # every layer, for files of several formats
def _build_long_table(release: Release, _stamp: int, layer: Layer) -> pd.DataFrame:
    parts = [_add_names(release, layer.rows(release, level), level) for level in layer.levels(release)]
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    options = [o.id for o in layer.options]
    rows = _add_words(release, rows.assign(**_describe_periods(rows["period"])), layer)
    rows = rows.assign(unit=_find_units(release, layer, rows))
    order = ["code", *_NAMES, "period", "period_label", "first_day", "last_day", *options]
    return rows[[*order, *_NUMBERS, *dict(layer.more), *_TAIL]]


def build_map_table(release: Release, layer: Layer, level: str) -> tuple[pd.DataFrame, LayerData]:
    """Build a table with one row per area, indexed by code, and columns for each choice, the default first.

    Returns the table, and the data of the default choices.

    The period is the last of the layer's longest periods. A choice that is published only for another period is left
    out; the long table has it. The table is shared: never change it.
    """
    return _build_map_table(release, tables.release_key(release), layer, level)


@lru_cache(maxsize=24)
def _build_map_table(release: Release, _stamp: int, layer: Layer, level: str) -> tuple[pd.DataFrame, LayerData]:
    view = choose_latest_view(release, level)
    data = layer.read(release, view)
    rows = _add_names(release, data.frame.rename_axis("area").reset_index(), level).assign(
        period=data.legend.period, unit=data.legend.unit
    )
    rows = _add_words(release, rows, layer).set_index("code")
    order = [*_NAMES, "km2", "approximate", "period", *_NUMBERS, *_list_more(layer, data), *_TAIL]
    beside = [
        _read_choice(release, layer, view, data, option.id, choice.id)
        for option in layer.list_options(release, level)
        for choice in option.choices[1:]
    ]
    return pd.concat([rows[order], *beside], axis=1), data


def _read_choice(
    release: Release, layer: Layer, view: View, plain: LayerData, option: str, choice: str
) -> pd.DataFrame:
    """Return the columns of one choice; no columns when its period is not that of the default choice."""
    data = layer.read(release, View(view.level, view.period, {option: choice}))
    if data.legend.period != plain.legend.period and not layer.of_figures:
        return pd.DataFrame(index=data.frame.index)
    name = choice.replace("-", "_")
    columns = ["value", "state", "source", "year", "note"]
    if not layer.of_figures:
        # An area of either choice is enough. Without a number and without a class the values are empty.
        both = pd.concat([plain.frame, data.frame])
        classed = (both["state"] == "class").any()
        numbers = ["value"] if both["value"].notna().any() or not classed else []
        margins = ["margin"] if both["margin"].notna().any() else []
        columns = [*numbers, "state", *margins, *(["low", "high"] if classed else []), *_list_more(layer, data)]
    frame = data.frame[columns]
    frame = frame.assign(year=_read_years(frame["year"])) if layer.of_figures else frame
    return frame.rename(columns=lambda c: name if c == "value" else f"{name}__{c}")


def _list_more(layer: Layer, data: LayerData) -> list[str]:
    """List the further columns of a layer that its data for one view have."""
    return [name for name, _ in layer.more if name in data.frame]


def _add_names(release: Release, rows: pd.DataFrame, level: str) -> pd.DataFrame:
    areas = tables.load_areas(release).rename(columns={"name_en": "name"})
    names = areas[[*_NAMES, "km2", "approximate"]].loc[rows["area"]].reset_index(drop=True)
    return rows.reset_index(drop=True).rename(columns={"area": "code"}).join(names).assign(level=level)


def _add_words(release: Release, rows: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    words = [
        str(describe_state(str(state), release.k, release.find_threshold(level)))
        for state, level in zip(rows["state"], rows["level"], strict=True)
    ]
    source = rows["source"].astype("str")
    return rows.assign(
        state_words=words,
        source=source,
        note=rows["note"].fillna("").astype("str"),
        year=_read_years(rows["year"]),
        data=_owner_of_rows(release, layer, rows),
        tier=release.tier,
        release=release.name,
    )


def _read_years(years: pd.Series) -> pd.Series:
    """Return years as whole numbers, also where some are missing."""
    return years.astype("Float64").round().astype("Int64")


def _owner_of_rows(release: Release, layer: Layer, rows: pd.DataFrame) -> pd.Series:
    """Return the origin of the number in each row; an invented figure is never called published."""
    if layer.of_figures:
        return rows["invented"].map({True: "invented", False: "published"})
    return pd.Series(find_owner(release, layer), index=rows.index)


def _find_units(release: Release, layer: Layer, rows: pd.DataFrame) -> pd.Series:
    """Return the unit of each row: the one in the legend for the choices of the row."""
    options = [o.id for o in layer.options]
    if not options:
        return pd.Series(layer.read(release, View("country", "")).legend.unit, index=rows.index)
    combinations = rows[options].drop_duplicates()
    units = [
        layer.read(release, View("country", "", dict(zip(options, choices, strict=True)))).legend.unit
        for choices in combinations.itertuples(index=False, name=None)
    ]
    unit_of_row: pd.Series = rows[options].merge(combinations.assign(unit=units), on=options, how="left")["unit"]
    return unit_of_row.set_axis(rows.index)


def _describe_periods(periods: pd.Series) -> dict[str, pd.Series]:
    """Return the label, first day and last day of each period, by column; empty for a text that is not a period."""
    parsed: dict[str, Period] = {}
    for period in periods.unique():
        try:
            parsed[period] = Period.parse(str(period))
        except InputError:
            continue
    return {
        "period_label": periods.map({k: p.label for k, p in parsed.items()}).fillna(""),
        "first_day": periods.map({k: p.start.isoformat() for k, p in parsed.items()}).fillna(""),
        "last_day": periods.map({k: p.end.isoformat() for k, p in parsed.items()}).fillna(""),
    }
