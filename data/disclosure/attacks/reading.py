"""Read a release for an attack: exactly what a reader of its tier sees."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.attacks.bounds import Published
from data.disclosure.attacks.sums import leave_out_sums
from data.disclosure.channel import Knowledge
from data.release import Release
from data.tables.spec import COUNTED, TableSpec

_ESTIMATED = frozenset({"dark_figure"})


def list_specifications(release: Release, measures: Collection[str] = COUNTED) -> dict[str, TableSpec]:
    """Return the specifications of the tables of these measures, by default the counted ones, by table name."""
    specs: dict[str, TableSpec] = {}
    for resource in release.manifest["resources"]:
        about: dict[str, Any] = resource.get("tact") or {}
        if about.get("measure") in measures:
            spec = TableSpec(about["measure"], about["level"], about["grain"], tuple(about["breakdown"]))
            specs[resource["name"]] = spec
    return specs


def read_published(release: Release) -> Published:
    """Read the counted and the estimated tables of a release, and what its manifest says about the noise.

    Tables that are sums of other tables are left out (`leave_out_sums`).
    """
    about = release.manifest["tact"]
    tables, estimates = (
        {
            spec: pq.ParquetFile(release.folder / f"{name}.parquet").read()
            for name, spec in list_specifications(release, measures).items()
        }
        for measures in (COUNTED, _ESTIMATED)
    )
    knowledge = {m: Knowledge.from_manifest(values) for m, values in about.get("knowledge", {}).items()}
    tables = leave_out_sums({spec: table for spec, table in tables.items() if len(table)})
    frozen, final = bool(about.get("frozen", True)), about.get("final") or ""
    return Published(release.name, tables, knowledge, release.k, frozen, final, estimates)


def read_areas(release: Release) -> pd.DataFrame:
    """Read code (index), level, parent and, if they exist, counted and km2 of each area, without geometry.

    Raises ReleaseDamaged if the file of areas was changed.
    """
    there = set(pq.read_schema(release.areas_file).names)
    columns = [name for name in ("code", "level", "parent", "counted", "km2") if name in there]
    return pd.DataFrame(pq.read_table(release.areas_file, columns=columns).to_pandas()).set_index("code")
