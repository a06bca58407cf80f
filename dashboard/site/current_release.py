"""What the pages read: releases and layers, each read once a process, because a release never changes.

Every function takes a `Held`, which carries the checksum of the release's manifest, so that what is kept of
one release is never shown of another. What they return is shared between sessions: never change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.site import Site
from data.disclosure.cost import cost
from data.release import Release, audits
from data.release.audits import AuditReport
from data.release.result import Result
from data.tables.spec import Tier
from geo.areas import Areas
from geo.areas import read as read_areas
from geo.layers import LAYERS, layer
from geo.layers.core import LayerData, Option, View
from geo.layers.profile import Profile, area_profile

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Held:
    """A release and the checksum of its manifest, which tells it from another of the same name.

    `added` names what was worked out from it, which may be made while the map is open.
    """

    release: Release = field(compare=False)
    checksum: str
    tier: Tier
    added: tuple[Result, ...] = ()


def held(site: Site) -> Held | None:
    """Open what the site shows now; None where there is no release yet. Raises ReleaseError when damaged."""
    release = site.release()
    if release is None:
        return None
    return _held(release, release.checksum)


@lru_cache(maxsize=16)
def _held(release: Release, checksum: str) -> Held:
    return Held(release, checksum, release.tier, release.added)


def audited(site: Site, of: Held) -> AuditReport | None:
    """Open the newest audit of what is shown; None where there is none. Read each time: one may be made."""
    return audits.newest(site.derived, of.release.name, of.tier, of.checksum)


@lru_cache(maxsize=16)
def costs(of: Held) -> pd.DataFrame:
    """Say what protection costs the release, see data/disclosure/cost.py."""
    return cost(of.release)


@lru_cache(maxsize=64)
def table(of: Held, name: str) -> pd.DataFrame:
    """Read a table of the release or of what was worked out from it; empty where there is none."""
    return of.release.table(name) if name in of.release.tables else pd.DataFrame()


def frozen(options: Mapping[str, str]) -> Options:
    """Give choices in a form that can be a key."""
    return tuple(sorted(options.items()))


@lru_cache(maxsize=16)
def levels(of: Held) -> dict[str, tuple[str, ...]]:
    """List the layers that the release holds, each with its levels."""
    found = {one.id: one.levels(of.release) for one in LAYERS}
    return {name: held_levels for name, held_levels in found.items() if held_levels}


@lru_cache(maxsize=512)
def offered(of: Held, name: str, level: str) -> tuple[Option, ...]:
    """List the options of a layer with the choices that the release holds at a level."""
    return layer(name).offered(of.release, level)


@lru_cache(maxsize=2048)
def offers(of: Held, name: str, level: str, options: Options) -> bool:
    """Say whether the release holds a layer at a level with these choices."""
    return layer(name).offers(of.release, level, dict(options))


@lru_cache(maxsize=4096)
def periods(of: Held, name: str, level: str, period: str, options: Options) -> tuple[str, ...]:
    """List the periods of a layer, oldest first, of the grain of a period."""
    return layer(name).periods(of.release, View(level, period, dict(options)))


@lru_cache(maxsize=4096)
def read(of: Held, name: str, level: str, period: str, options: Options) -> LayerData:
    """Read a layer for a view."""
    return layer(name).read(of.release, View(level, period, dict(options)))


@lru_cache(maxsize=4096)
def profile(of: Held, area: str, period: str) -> Profile:
    """Describe an area at a period."""
    return area_profile(of.release, area, period)


@lru_cache(maxsize=512)
def series(
    of: Held, name: str, level: str, listed: tuple[str, ...], options: Options
) -> dict[str, pd.DataFrame]:
    """Read a layer for each of some periods: by period its rows by area."""
    return {period: read(of, name, level, period, options).frame for period in listed}


def load_areas(release: Release) -> Areas:
    """Return the areas of a release, read once for each set of boundaries. Shared between sessions."""
    return load_areas_file(release.areas_file, release.areas_checksum)


@lru_cache(maxsize=8)
def load_areas_file(file: Path, _checksum: str) -> Areas:
    """Read a file of areas once for each checksum of its content."""
    return read_areas(file)


def read_risk_manifest(of: Held) -> Mapping[str, Any] | None:
    """Read what the risk model wrote about itself; None where it was not fitted to this release."""
    found = of.release.result("risk")
    return None if found is None else found.manifest


def read_area_names(of: Held) -> pd.Series:
    """Return the English names of all areas, indexed by code."""
    return load_areas(of.release).table["name_en"].astype(str)


def read_country_names(of: Held) -> dict[str, str]:
    """Return the English names of the countries by code."""
    table = load_areas(of.release).table
    return {str(code): str(table.loc[code, "name_en"]) for code in table.index[table["level"] == "country"]}


def may_download(release: Release) -> bool:
    """Check whether a page may offer files: partner files of real records need a named receiver."""
    return release.tier == "public" or release.invented
