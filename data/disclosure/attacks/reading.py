"""Reading a release for an attack: exactly what a reader of its tier sees."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.attacks.bounds import Published
from data.disclosure.channel import Knowledge
from data.release import Release
from data.tables.spec import COUNTED, TableSpec


def list_specifications(release: Release) -> dict[str, TableSpec]:
    """Return the specifications of the counted tables of a release, by table name."""
    specs: dict[str, TableSpec] = {}
    for resource in release.manifest["resources"]:
        about: dict[str, Any] = resource.get("tact") or {}
        if about.get("measure") in COUNTED:
            spec = TableSpec(about["measure"], about["level"], about["grain"], tuple(about["breakdown"]))
            specs[resource["name"]] = spec
    return specs


def read_published(release: Release) -> Published:
    """Read the counted tables of a release, and what its manifest says about the noise."""
    about = release.manifest["tact"]
    tables = {
        spec: pq.ParquetFile(release.folder / f"{name}.parquet").read()
        for name, spec in list_specifications(release).items()
    }
    knowledge = {m: Knowledge.from_manifest(values) for m, values in about.get("knowledge", {}).items()}
    tables = {spec: table for spec, table in tables.items() if len(table)}
    frozen, final = bool(about.get("frozen", True)), about.get("final") or ""
    return Published(release.name, tables, knowledge, release.k, frozen, final)


def read_areas(release: Release) -> pd.DataFrame:
    """Read code (index), level and parent of each area of a release, without geometry."""
    table = pq.read_table(release.areas_file, columns=["code", "level", "parent"])
    return pd.DataFrame(table.to_pandas()).set_index("code")
