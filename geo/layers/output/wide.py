"""A layer as rows that can be taken away: long with everything, or one row an area for a map.

Both carry the layer's words, its states in words, the tier and whose numbers they are in every row, so that
a row stays honest when it is copied out of its file.
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
    """Say whose numbers a layer has: programme, invented, published, or mixed (published, some invented)."""
    if layer.of_figures:
        levels = layer.levels(release)
        made_up = any(layer.rows(release, level)["invented"].any() for level in levels)
        return "mixed" if made_up else "published"
    return "invented" if release.invented else "programme"


def has_invented_numbers(release: Release, layers: Iterable[Layer]) -> bool:
    """Say whether any number of some layers is invented."""
    return any(find_owner(release, one) in {"invented", "mixed"} for one in layers)


def choose_latest_view(release: Release, level: str) -> View:
    """Ask for the whole time of the release, which settles on the longest and last period of each layer."""
    about = release.manifest["tact"]
    if not about.get("first") or not about.get("last"):
        return View(level, "")
    first, last = date.fromisoformat(about["first"]), date.fromisoformat(about["last"])
    return View(level, Calendar(int(about.get("first_month", 6))).whole(first, last).id)


def build_long_table(release: Release, layer: Layer) -> pd.DataFrame:
    """Give every released row of a layer, all levels, periods and choices, with names and words. Shared.

    What is withheld has no row; of services in municipalities that is four rows of five. Codebooks say so.
    """
    return _everything(release, tables.release_key(release), layer)


@lru_cache(maxsize=8)
def _everything(release: Release, _stamp: int, layer: Layer) -> pd.DataFrame:
    parts = [_named(release, _told(layer.rows(release, level)), level) for level in layer.levels(release)]
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    options = [o.id for o in layer.options]
    rows = _worded(release, rows.assign(**_periods(rows["period"])), layer)
    rows = rows.assign(unit=_units(release, layer, rows))
    order = ["code", *_NAMES, "period", "period_label", "first_day", "last_day", *options]
    return rows[[*order, *_NUMBERS, *dict(layer.more), *_TAIL]]


def _told(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["state"] != "withheld"]


def build_map_table(release: Release, layer: Layer, level: str) -> tuple[pd.DataFrame, LayerData]:
    """Give one row an area, indexed by code: the plainest choice, and the other choices beside it. Shared.

    The period is the longest and last one that the layer holds; a choice that is published for another
    period only is left to the long table.
    """
    return _map_rows(release, tables.release_key(release), layer, level)


@lru_cache(maxsize=24)
def _map_rows(release: Release, _stamp: int, layer: Layer, level: str) -> tuple[pd.DataFrame, LayerData]:
    view = choose_latest_view(release, level)
    data = layer.read(release, view)
    rows = _named(release, data.frame.rename_axis("area").reset_index(), level).assign(
        period=data.legend.period, unit=data.legend.unit
    )
    rows = _worded(release, rows, layer).set_index("code")
    order = [*_NAMES, "km2", "approximate", "period", *_NUMBERS, *_TAIL]
    beside = [
        _choice(release, layer, view, data, option.id, choice.id)
        for option in layer.offered(release, level)
        for choice in option.choices[1:]
    ]
    return pd.concat([rows[order], *beside], axis=1), data


def _choice(release: Release, layer: Layer, view: View, plain: LayerData, option: str, choice: str) -> pd.DataFrame:
    """Give the columns of one choice; empty when it is of another period than the plain one."""
    data = layer.read(release, View(view.level, view.period, {option: choice}))
    if data.legend.period != plain.legend.period and not layer.of_figures:
        return pd.DataFrame(index=data.frame.index)
    name = choice.replace("-", "_")
    kept = ["value", "state", "source", "year", "note"] if layer.of_figures else _kept(plain, data)
    return data.frame[kept].rename(columns=lambda c: name if c == "value" else f"{name}__{c}")


def _kept(plain: LayerData, data: LayerData) -> list[str]:
    """Name the columns that a counted choice needs: a class has bounds, a noisy number a margin."""
    both = pd.concat([plain.frame, data.frame])
    classed = (both["state"] == "class").any()
    numbers = ["value"] if both["value"].notna().any() or not classed else []
    margins = ["margin"] if both["margin"].notna().any() else []
    return [*numbers, "state", *margins, *(["low", "high"] if classed else [])]


def _named(release: Release, rows: pd.DataFrame, level: str) -> pd.DataFrame:
    areas = tables.load_areas(release).rename(columns={"name_en": "name"})
    names = areas[[*_NAMES, "km2", "approximate"]].loc[rows["area"]].reset_index(drop=True)
    return rows.reset_index(drop=True).rename(columns={"area": "code"}).join(names).assign(level=level)


def _worded(release: Release, rows: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    words = {str(s): str(describe_state(str(s), release.k)) for s in rows["state"].unique()}
    source = rows["source"].astype("str")
    return rows.assign(
        state_words=rows["state"].map(words),
        source=source,
        note=rows["note"].fillna("").astype("str"),
        year=rows["year"].astype("Float64").round().astype("Int64"),
        data=_data(release, layer, rows),
        tier=release.tier,
        release=release.name,
    )


def _data(release: Release, layer: Layer, rows: pd.DataFrame) -> pd.Series:
    """Say of each row whose number it is; a figure that was made up is never called published."""
    if layer.of_figures:
        return rows["invented"].map({True: "invented", False: "published"})
    return pd.Series(find_owner(release, layer), index=rows.index)


def _units(release: Release, layer: Layer, rows: pd.DataFrame) -> pd.Series:
    """Look up the unit of each row by its choices; the layer's legend says it."""
    options = [o.id for o in layer.options]
    if not options:
        return pd.Series(layer.read(release, View("country", "")).legend.unit, index=rows.index)
    chosen = rows[options].drop_duplicates()
    units = [
        layer.read(release, View("country", "", dict(zip(options, one, strict=True)))).legend.unit
        for one in chosen.itertuples(index=False, name=None)
    ]
    found: pd.Series = rows[options].merge(chosen.assign(unit=units), on=options, how="left")["unit"]
    return found.set_axis(rows.index)


def _periods(periods: pd.Series) -> dict[str, pd.Series]:
    """Word the periods: label, first and last day."""
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
