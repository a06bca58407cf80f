"""Read a release for layers: tables, areas and periods, which stay in memory because a release never changes.

`complete_cells` decides which rows a layer of counts or of results has. Map, page and every file read them through it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from data.errors import InputError
from data.release import Release
from data.tables.periods import GRAINS, Period

AREA_COLUMNS = ["code", "country", "level", "parent", "name_en", "name_local", "km2", "approximate", "counted"]


def find_checksum(release: Release, name: str) -> str:
    """Return the checksum of a resource of the release; empty when it has none of this name."""
    return next((str(r["hash"]) for r in release.manifest["resources"] if r["name"] == name), "")


def release_key(release: Release) -> int:
    """Return a number that changes whenever the content of the release changes; used in keys of caches."""
    return hash(tuple(str(r["hash"]) for r in release.manifest["resources"]))


def load_table(release: Release, name: str) -> pd.DataFrame:
    """Read a table once; empty when the release does not have it. The frame is shared: never change it.

    Raises ReleaseDamaged if the file of the table is missing or was changed.
    """
    checksum = find_checksum(release, name)
    return _read(release, name, checksum) if checksum else pd.DataFrame()


@lru_cache(maxsize=256)
def _read(release: Release, name: str, _hash: str) -> pd.DataFrame:
    return release.table(name)


def load_areas(release: Release) -> pd.DataFrame:
    """Read the areas without geometry, indexed by code, in the release's order. Never change the shared frame.

    Raises ReleaseDamaged if the file of areas is missing or was changed.
    """
    return _areas(release.areas_file, release.areas_checksum)


@lru_cache(maxsize=16)
def _areas(file: Path, _hash: str) -> pd.DataFrame:
    table: pd.DataFrame = pq.read_table(file, columns=AREA_COLUMNS).to_pandas()
    return table.set_index("code")


def list_areas(release: Release, level: str) -> pd.Index[str]:
    """List the codes of a level's areas; municipalities of 2019 are left out, as their predecessors count for them."""
    return _list_areas(release.areas_file, release.areas_checksum, level)


@lru_cache(maxsize=64)
def _list_areas(file: Path, checksum: str, level: str) -> pd.Index[str]:
    areas = _areas(file, checksum)
    return areas.index[(areas["level"] == level) & areas["counted"]]


def complete_cells(release: Release, cells: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return one row for each area of the level and each period in `cells`; "no_data" where `cells` has none.

    `cells` are those of one choice, with the columns area, period and state.
    """
    every = pd.MultiIndex.from_product([list_areas(release, level), cells["period"].unique()], names=["area", "period"])
    rows = cells.set_index(["area", "period"]).reindex(every).reset_index()
    return rows.assign(state=rows["state"].fillna("no_data"))


def list_grains(release: Release, measure: str, level: str, by: str = "") -> tuple[str, ...]:
    """List the grains at which the release has a measure at a level, finest first; `by` is the breakdown, if any."""
    names = {g: "_".join(filter(None, (measure, level, g, by))) for g in GRAINS}
    return tuple(g for g in GRAINS if find_checksum(release, names[g]))


def choose_period(wanted: str, available: dict[str, tuple[str, ...]]) -> str:
    """Return the period to show when `wanted` is requested; `available` lists the periods by grain, finest first.

    It is the first of these that exists: the period itself; the shortest period that contains it; the last period
    within it; the last period of the finest grain. Empty when there are no periods.
    """
    everything = [p for periods in available.values() for p in periods]
    if wanted in everything or not everything:
        return wanted if everything else ""
    last = next(iter(available.values()))[-1]
    try:
        period = Period.parse(wanted)
    except InputError:
        return last
    parsed = [Period.parse(p) for p in everything]
    around = [p for p in parsed if p.contains(period)]
    within = [p for p in parsed if period.contains(p)]
    if around:
        return min(around, key=lambda p: p.end - p.start).id
    return max(within, key=lambda p: p.end).id if within else last
