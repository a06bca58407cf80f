"""The data that pages read from the shown release. Most results are cached, because a release never changes.

The key of a cache is a `CurrentRelease`. It has the checksum of the release's manifest, so a result that is cached for
one release is never shown for another. All sessions share the results: never change them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pandas as pd

from dashboard.site import Site
from dashboard.site.cache import cache_once
from dashboard.site.reader import find_reader
from dashboard.site.text import cache_by_language, find_language, format_period, name_area, order_name
from data.accounts.rights import Right
from data.disclosure.cost import compute_cost
from data.errors import ReleaseDamaged, ReleaseError
from data.release import Release, audits, list_earlier, read_withdrawn
from data.release.audits import AuditReport
from data.release.result import Result
from data.tables.periods import Period
from data.tables.spec import Tier, table_name
from geo.areas import Areas
from geo.areas import read_areas as read_areas
from geo.layers import LAYERS, find_layer
from geo.layers.core import LayerData, Option, View
from geo.layers.profile import Profile, build_profile
from geo.layers.reading.tables import load_table
from risk.report.manifest import RiskManifest, read_manifest

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CurrentRelease:
    """The shown release; the checksum of its manifest distinguishes it from others with the same name.

    `added` lists the results derived from the release, `without` the measures that are not shown. Both may change while
    the map is open.
    """

    release: Release = field(compare=False)
    checksum: str
    tier: Tier
    added: tuple[Result, ...] = ()
    without: frozenset[str] = frozenset()


_opened: ContextVar[tuple[Site, CurrentRelease | None] | None] = ContextVar("release", default=None)


@contextmanager
def keep_open(site: Site, current: CurrentRelease | None) -> Iterator[None]:
    """Make `open_current_release` return this release for this site inside the block, without opening it again."""
    token = _opened.set((site, current))
    try:
        yield
    finally:
        _opened.reset(token)


def open_current_release(site: Site) -> CurrentRelease | None:
    """Open the release that the site shows now, or return None if there is none.

    Raises ReleaseError if the release does not exist, and ReleaseDamaged if it was changed.
    """
    opened = _opened.get()
    if opened is not None and opened[0] == site:
        return opened[1]
    release = site.release()
    return None if release is None else follow_release(release)


def open_earlier_release(site: Site, current: CurrentRelease) -> CurrentRelease | None:
    """Open the newest earlier release that can be read; None if there is none."""
    for name in list_earlier(site.releases, current.release.name):
        try:
            return follow_release(site.open_release(name))
        except (ReleaseError, ReleaseDamaged):
            continue
    return None


def has_earlier_release(site: Site, current: CurrentRelease) -> bool:
    """Return whether there is a release before the shown one. The folder is searched only if it has changed."""
    folder = site.releases
    return _has_earlier(folder, current.release.name, read_withdrawn(folder), folder.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _has_earlier(releases: Path, name: str, _withdrawn: frozenset[str], _changed: int) -> bool:
    """Compute `has_earlier_release` once for each state of the folder: its change time and the withdrawn releases."""
    return bool(list_earlier(releases, name))


def follow_release(release: Release) -> CurrentRelease:
    """Return an open release in the form that pages read."""
    return _remember(release, release.checksum)


@lru_cache(maxsize=16)
def _remember(release: Release, checksum: str) -> CurrentRelease:
    return CurrentRelease(release, checksum, release.tier, release.added, release.without)


def read_newest_audit(site: Site, current: CurrentRelease) -> AuditReport | None:
    """Read the newest audit of the release; None if there is none that can be read. It is not cached.

    Raises ReleaseDamaged if the report was changed.
    """
    return audits.newest(site.derived, current.release.name, current.tier, current.checksum)


@cache_once(maxsize=16)
def read_costs(current: CurrentRelease) -> pd.DataFrame:
    """Compute the accuracy that numbers of the release lose through protection; see `compute_cost`."""
    return compute_cost(current.release)


def read_table(current: CurrentRelease, name: str) -> pd.DataFrame:
    """Read a table of the release or of its derived results; empty if there is no such table."""
    return load_table(current.release, name)


@cache_once(maxsize=16)
def list_levels(current: CurrentRelease) -> dict[str, tuple[str, ...]]:
    """Return the area levels of each layer that the release has, by the layer's id."""
    levels = {layer.id: layer.levels(current.release) for layer in LAYERS}
    return {name: layer_levels for name, layer_levels in levels.items() if layer_levels}


@cache_once(maxsize=512)
def list_options(current: CurrentRelease, name: str, level: str) -> tuple[Option, ...]:
    """Return the options of a layer with the choices that the release has at a level."""
    return find_layer(name).list_options(current.release, level)


@cache_once(maxsize=2048)
def has_layer(current: CurrentRelease, name: str, level: str, options: Options) -> bool:
    """Return whether the release has a layer at a level with these choices."""
    return find_layer(name).offers(current.release, level, dict(options))


@cache_once(maxsize=4096)
def list_periods(current: CurrentRelease, name: str, level: str, period: str, options: Options) -> tuple[str, ...]:
    """Return the periods of a layer, oldest first: those as long as `period`, or else the shortest ones."""
    return find_layer(name).periods(current.release, View(level, period, dict(options)))


@cache_once(maxsize=4096)
def read_layer(current: CurrentRelease, name: str, level: str, period: str, options: Options) -> LayerData:
    """Read a layer at a level and period with these choices of its options."""
    return find_layer(name).read(current.release, View(level, period, dict(options)))


@cache_once(maxsize=4096)
def read_profile(current: CurrentRelease, area: str, period: str) -> Profile:
    """Read all values that the release shows for an area in a period; `period` : empty for the latest."""
    return build_profile(current.release, area, period)


@cache_once(maxsize=512)
def read_series(
    current: CurrentRelease, name: str, level: str, periods: tuple[str, ...], options: Options
) -> dict[str, pd.DataFrame]:
    """Read a layer in these periods; return for each period the rows of the layer, one for each area."""
    return {period: read_layer(current, name, level, period, options).frame for period in periods}


def load_areas(release: Release) -> Areas:
    """Return the areas of a release. They are read once for each set of boundaries; all sessions share them."""
    return load_areas_file(release.areas_file, release.areas_checksum)


@cache_once(maxsize=8)
def load_areas_file(file: Path, _checksum: str) -> Areas:
    """Return the areas in a file. It is read once for each checksum of its content; all sessions share the result."""
    return read_areas(file)


@lru_cache(maxsize=16)
def read_risk_manifest(current: CurrentRelease) -> RiskManifest | None:
    """Read the manifest of the risk model; None if the model was not fitted to this release."""
    return read_manifest(current.release)


@cache_by_language(maxsize=16)
def read_area_names(current: CurrentRelease) -> pd.Series:
    """Return the names of all areas in the reader's language, indexed by code. Never change the shared series."""
    table = load_areas(current.release).table
    rows = zip(*(table[name].astype(str) for name in ("country", "level", "name_en", "name_local")), strict=True)
    return pd.Series([name_area(find_language(), *row) for row in rows], index=table.index)


@cache_by_language(maxsize=16)
def read_country_names(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the countries in the reader's language, by code."""
    table, names = load_areas(current.release).table, read_area_names(current)
    return {str(code): str(names[code]) for code in table.index[table["level"] == "country"]}


def list_countries(current: CurrentRelease, area: str) -> list[str]:
    """Return a list with the code of an area's country (of a country, its own); for an unknown area all countries."""
    rows, countries = load_areas(current.release).rows, list(read_country_names(current))
    country = str(rows[area]["country"] or area) if area in rows else ""
    return [country] if country in countries else countries


@cache_by_language(maxsize=16)
def name_regions(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the counties and regions by code, each with its country, in the reader's language.

    They are in alphabetical order, one country after the other.
    """
    names, countries = read_area_names(current), load_areas(current.release).table["country"]
    levels, lands = load_areas(current.release).table["level"], list(read_country_names(current))
    regions = sorted(
        map(str, levels.index[levels == "region"]),
        key=lambda code: (lands.index(countries[code]), order_name(names[code])),
    )
    return {code: f"{names[code]}, {names[countries[code]]}" for code in regions}


def name_periods(current: CurrentRelease, measure: str, level: str, by: str) -> dict[str, str]:
    """Return the names of the periods of a measure by identifier: first the whole time, then the years, latest first.

    level, by : the area level and the categories of its tables.
    """
    tables = [read_table(current, table_name(measure, level, grain, by)) for grain in ("whole", "year")]
    ids = {str(period) for table in tables if len(table) for period in table["period"].unique()}
    ordered = sorted(map(Period.parse, ids), key=lambda p: (p.grain == "whole", p.start), reverse=True)
    return {period.id: format_period(period.id) for period in ordered}


def may_download(release: Release) -> bool:
    """Return whether a page may offer files to this reader.

    The reader needs the right to export. Partner files of real records need a named recipient, so no page offers them.
    """
    return (release.tier == "public" or release.invented) and Right.EXPORT in find_reader().rights
