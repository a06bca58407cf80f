"""What the pages read: releases and layers, each read once a process, because a release never changes.

Every function takes a `Held`, which carries the checksum of the release's manifest, so that what is kept of
one release is never shown of another. What they return is shared between sessions: never change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import pandas as pd

from dashboard.site import Site
from data.disclosure.cost import cost
from data.release import Release, audits
from data.release.audits import AuditReport
from data.release.result import Result
from data.tables.spec import Tier
from geo.layers import LAYERS, layer
from geo.layers.core import LayerData, Option, View
from geo.layers.profile import Profile, area_profile

__all__ = [
    "Held",
    "Options",
    "audited",
    "costs",
    "frozen",
    "held",
    "levels",
    "offered",
    "offers",
    "periods",
    "profile",
    "read",
    "series",
    "table",
]

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
