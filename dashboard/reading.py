"""What the pages read: releases and layers, each read once a process, because a release never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import pandas as pd

from dashboard.access import Site
from data.release import MANIFEST, Release
from geo.layers import layer
from geo.layers.base import LayerData, View

__all__ = ["Held", "held", "read", "series"]

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Held:
    """A release and the checksum of its manifest, which tells it from another of the same name."""

    release: Release = field(compare=False)
    checksum: str
    tier: str


def held(site: Site) -> Held | None:
    """Open what the site shows now; None where there is no release yet. Raises ReleaseError when damaged."""
    release = site.release()
    if release is None:
        return None
    digest = hashlib.sha256((release.folder / MANIFEST).read_bytes()).hexdigest()
    return Held(release, digest, release.tier)


def read(of: Held, name: str, level: str, period: str, options: Mapping[str, str]) -> LayerData:
    """Read a layer for a view. Shared between sessions: never change it."""
    return _read(of, name, level, period, tuple(sorted(options.items())))


@lru_cache(maxsize=2048)
def _read(of: Held, name: str, level: str, period: str, options: Options) -> LayerData:
    return layer(name).read(of.release, View(level, period, dict(options)))


def series(
    of: Held, name: str, level: str, periods: tuple[str, ...], options: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """Read a layer for each of some periods: its frame by period. Shared: never change it."""
    return {period: read(of, name, level, period, options).frame for period in periods}
