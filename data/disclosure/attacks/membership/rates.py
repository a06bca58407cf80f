"""What an attacker who reads a release takes for the rates: how many children to expect where and when.

Shown numbers are taken as they are. What is hidden is guessed from the total that holds it, in equal parts,
as is whatever a table does not show: the attacker has nothing better, and the attack is judged by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.disclosure.attacks.bounds import Published
from data.tables.periods import GRAINS, Grain, Period
from data.tables.spec import CATEGORIES, Level, TableSpec
from data.workspace.types import Floats, Ints

__all__ = ["Rates", "read_rates"]

_LEAST = 0.5  # expected children where a total leaves nothing: somebody may be there
_SMOOTH = 2.0  # children of the country's mix that are added to each region's


@dataclass(frozen=True, eq=False)
class Rates:
    """Expected numbers of children and their mix.

    children: by region and period of the finest grain, shape (regions, periods). country: of each region.
    shares: of each breakdown by region, shape (regions, categories), rows adding to 1. coarser: of each
    grain, for each finest period the number of the period that holds it.
    """

    regions: tuple[str, ...]
    country: tuple[str, ...]
    children: Floats
    shares: dict[str, Floats]
    coarser: dict[Grain, Ints]


def read_rates(release: Published, areas: pd.DataFrame) -> Rates | None:
    """Read the rates from the tables of children; None where a release has none by region.

    `areas` is indexed by code, with level and parent.
    """
    grains = [g for g in GRAINS if TableSpec("children", "region", g) in release.tables]
    if not grains:
        return None
    finest = grains[0]
    table = _wide(release, TableSpec("children", "region", finest))
    periods = [Period.parse(p) for p in table.columns]
    country = tuple(str(areas.loc[code, "parent"]) for code in table.index)
    children = table.to_numpy(float).copy()
    total = _totals(release, finest, country, len(periods))
    for period in range(len(periods)):
        for one in dict.fromkeys(country):
            inside = np.array([c == one for c in country])
            column = children[inside, period]
            children[inside, period] = _filled(column, total[one][period], release.k)
    shares = {
        name: _shares(release, name, tuple(table.index), country, finest)
        for name in dict.fromkeys(n for s in release.tables if s.measure == "children" for n in s.breakdown)
    }
    return Rates(tuple(table.index), country, children, shares, _coarser(periods))


def _wide(release: Published, spec: TableSpec) -> pd.DataFrame:
    """Give a table without breakdown as area x period, NaN where nothing is shown."""
    frame = release.tables[spec].select(["area", "period", "value"]).to_pandas()
    wide = frame.set_index(["area", "period"])["value"].unstack()  # noqa: PD010 (each cell stands once)
    return pd.DataFrame(wide).reindex(frame["area"].unique())


def _totals(release: Published, grain: Grain, country: Sequence[str], periods: int) -> dict[str, Floats]:
    spec = TableSpec("children", "country", grain)
    unknown = np.full(periods, np.nan)
    if spec not in release.tables:
        return dict.fromkeys(country, unknown)
    wide = _wide(release, spec)
    return {one: wide.loc[one].to_numpy(float) if one in wide.index else unknown for one in set(country)}


def _filled(values: Floats, total: float, k: int) -> Floats:
    """Share out among the hidden what a total leaves for them; at most what is hidden at all."""
    hidden = np.isnan(values)
    if not hidden.any():
        return np.maximum(values, _LEAST)
    left = (k / 2) * hidden.sum() if np.isnan(total) else total - np.nansum(values)
    return np.where(hidden, np.clip(left / hidden.sum(), _LEAST, k), np.maximum(values, _LEAST))


def _shares(
    release: Published, name: str, regions: tuple[str, ...], country: Sequence[str], finest: Grain
) -> Floats:
    """Give the mix of each region: as shown, smoothed by the country's, which is smoothed by an even one."""
    size = len(CATEGORIES[name])
    of_country = {one: np.full(size, 1 / size) for one in country}
    for one in of_country:
        shown = _mix(release, "country", one, name, finest)
        of_country[one] = (shown + 1.0) / (shown.sum() + size)
    rows = []
    for region, one in zip(regions, country, strict=True):
        shown = _mix(release, "region", region, name, finest)
        rows.append((shown + _SMOOTH * of_country[one]) / (shown.sum() + _SMOOTH))
    return np.array(rows)


def _mix(release: Published, level: Level, area: str, name: str, finest: Grain) -> Floats:
    """Give what is shown by category over the longest period that is published; hidden ones as zero."""
    size = len(CATEGORIES[name])
    for grain in reversed(GRAINS[GRAINS.index(finest) :]):
        table = release.tables.get(TableSpec("children", level, grain, (name,)))
        if table is not None:
            frame = table.select(["area", name, "value"]).to_pandas()
            shown = frame[frame["area"] == area].groupby(name)["value"].sum()
            return np.asarray(shown.reindex(CATEGORIES[name]).fillna(0.0), np.float64)
    return np.zeros(size)


def _coarser(periods: Sequence[Period]) -> dict[Grain, Ints]:
    """Give for each longer grain the number of the period that holds each period."""
    result: dict[Grain, Ints] = {"whole": np.zeros(len(periods), np.int64)}
    result[periods[0].grain] = np.arange(len(periods))
    if periods[0].grain in ("month", "quarter"):
        first = periods[0].start
        months = np.array([(p.start.year - first.year) * 12 + p.start.month - first.month for p in periods])
        result["year"] = (months // 12).astype(np.int64)
        if periods[0].grain == "month":
            result["quarter"] = (months // 3).astype(np.int64)
    return result
