"""The rates that an attacker reads from a release: how many children to expect, by area and period.

Published numbers are used unchanged. Hidden ones are estimated as equal parts of the remainder of their total, because
the attacker has nothing better.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.disclosure.attacks.bounds import Published
from data.tables.periods import GRAINS, Grain, Period
from data.tables.spec import CATEGORIES, Level, TableSpec
from data.workspace.types import Floats, Ints

_LEAST = 0.5  # smallest expected number: even where a total leaves nothing, a child may be there
_SMOOTH = 2.0  # weight of the country's mix in each region's, in children


@dataclass(frozen=True, eq=False)
class Rates:
    """Expected numbers of children and their mix.

    regions, country: the code of each region, and that of its country. children: expected number by region and period
    of the finest grain, shape (regions, periods). shares: the mix for each breakdown, shape (regions, categories), rows
    sum to 1. coarser: for the finest grain and each longer one, the index of the period that contains each finest
    period, (periods,).
    """

    regions: tuple[str, ...]
    country: tuple[str, ...]
    children: Floats
    shares: dict[str, Floats]
    coarser: dict[Grain, Ints]


def read_rates(release: Published, areas: pd.DataFrame, also: Collection[TableSpec] = ()) -> Rates | None:
    """Read the rates from the tables of children; return None if a release has no such table by region.

    `areas` is indexed by code, with level and parent. `also`: tables that the release does not have, whose mix is
    estimated from others.
    """
    spec = find_finest(release)
    if spec is None:
        return None
    finest, table = spec.grain, _wide(release, spec)
    periods = [Period.parse(p) for p in table.columns]
    country = tuple(str(areas.loc[code, "parent"]) for code in table.index)
    children = table.to_numpy(float).copy()
    total = _totals(release, finest, country, len(periods))
    for period, name in enumerate(table.columns):
        threshold = release.threshold(spec, name)
        for code in dict.fromkeys(country):
            inside = np.array([c == code for c in country])
            column = children[inside, period]
            children[inside, period] = _fill_hidden(column, total[code][period], threshold)
    shares = {
        name: _shares(release, name, tuple(table.index), country, finest)
        for name in dict.fromkeys(n for s in (*release.tables, *also) if s.measure == "children" for n in s.breakdown)
    }
    # The index of the period that contains each of `periods`, (periods,), for their grain and longer ones.
    result: dict[Grain, Ints] = {grain: np.zeros(len(periods), np.int64) for grain in ("year", "whole")}
    result[periods[0].grain] = np.arange(len(periods))
    if periods[0].grain in ("month", "quarter"):
        first = periods[0].start
        months = np.array([(p.start.year - first.year) * 12 + p.start.month - first.month for p in periods])
        result["year"] = (months // 12).astype(np.int64)
        if periods[0].grain == "month":
            result["quarter"] = (months // 3).astype(np.int64)
    return Rates(tuple(table.index), country, children, shares, result)


def find_finest(release: Published) -> TableSpec | None:
    """Return the table of children by region with the shortest periods; None if a release has none."""
    specs = (TableSpec("children", "region", grain) for grain in GRAINS)
    return next((spec for spec in specs if spec in release.tables), None)


def _wide(release: Published, spec: TableSpec) -> pd.DataFrame:
    """Return a table without breakdown as a frame, areas x periods, NaN if no number is published."""
    frame = release.tables[spec].select(["area", "period", "value"]).to_pandas()
    wide = frame.set_index(["area", "period"])["value"].unstack()  # noqa: PD010 (each cell stands once)
    return pd.DataFrame(wide).reindex(frame["area"].unique())


def _totals(release: Published, grain: Grain, country: Sequence[str], periods: int) -> dict[str, Floats]:
    spec = TableSpec("children", "country", grain)
    unknown = np.full(periods, np.nan)
    if spec not in release.tables:
        return dict.fromkeys(country, unknown)
    wide = _wide(release, spec)
    return {c: wide.loc[c].to_numpy(float) if c in wide.index else unknown for c in set(country)}


def _fill_hidden(values: Floats, total: float, k: int) -> Floats:
    """Return expected numbers of children from published ones, each at least _LEAST.

    Hidden ones (NaN) get equal parts of the rest of the total, at most k; if the total is unknown (NaN), k / 2.
    """
    hidden = np.isnan(values)
    if not hidden.any():
        return np.maximum(values, _LEAST)
    rest = (k / 2) * hidden.sum() if np.isnan(total) else total - np.nansum(values)
    return np.where(hidden, np.clip(rest / hidden.sum(), _LEAST, k), np.maximum(values, _LEAST))


def _shares(release: Published, name: str, regions: tuple[str, ...], country: Sequence[str], finest: Grain) -> Floats:
    """Return the mix of each region, (regions, categories), rows sum to 1.

    It is smoothed towards the mix of its country, which is smoothed towards equal shares.
    """
    size = len(CATEGORIES[name])
    country_mix = {}
    codes = list(dict.fromkeys(country))
    for code, numbers in zip(codes, _read_mixes(release, "country", codes, name, finest), strict=True):
        country_mix[code] = (numbers + 1.0) / (numbers.sum() + size)
    rows = []
    for numbers, code in zip(_read_mixes(release, "region", regions, name, finest), country, strict=True):
        rows.append((numbers + _SMOOTH * country_mix[code]) / (numbers.sum() + _SMOOTH))
    return np.array(rows)


def _read_mixes(release: Published, level: Level, areas: Sequence[str], name: str, finest: Grain) -> Floats:
    """Return published numbers, (areas, categories), summed over the periods of the longest published grain.

    Hidden numbers count as zero, and so do all numbers if there is no such table.
    """
    for grain in reversed(GRAINS[GRAINS.index(finest) :]):
        table = release.tables.get(TableSpec("children", level, grain, (name,)))
        if table is not None:
            frame = table.select(["area", name, "value"]).to_pandas().astype({"area": "str", name: "str"})
            sums = frame.groupby(["area", name])["value"].sum().unstack()  # noqa: PD010 (each cell stands once)
            wide = sums.reindex(index=list(areas), columns=list(CATEGORIES[name])).fillna(0.0)
            return np.asarray(wide, np.float64)
    return np.zeros((len(areas), len(CATEGORIES[name])))
