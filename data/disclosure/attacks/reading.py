"""Reading releases for an attack: whatever a reader of that tier gets, and nothing else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from data.disclosure.attacks.bounds import Published
from data.disclosure.channel import Knowledge
from data.release import Release
from data.tables.spec import COUNTED, TableSpec

__all__ = ["areas_of", "published", "specifications"]


def specifications(release: Release) -> dict[str, TableSpec]:
    """Give the counted tables of a release by name."""
    found: dict[str, TableSpec] = {}
    for resource in release.manifest["resources"]:
        about: dict[str, Any] = resource.get("tact") or {}
        if about.get("measure") in COUNTED:
            spec = TableSpec(about["measure"], about["level"], about["grain"], tuple(about["breakdown"]))
            found[resource["name"]] = spec
    return found


def published(release: Release) -> Published:
    """Read the counted tables of a release and what its manifest says of the noise."""
    about = release.manifest["tact"]
    tables = {
        spec: pq.ParquetFile(release.folder / f"{name}.parquet").read()
        for name, spec in specifications(release).items()
    }
    knowledge = {m: Knowledge.from_manifest(values) for m, values in about.get("knowledge", {}).items()}
    return Published(release.name, tables, knowledge, release.k, bool(about.get("frozen", True)))


def areas_of(release: Release) -> pd.DataFrame:
    """Read codes, levels and parents of a release's areas; no geometry."""
    table = pq.read_table(release.areas_file, columns=["code", "level", "parent"])
    return pd.DataFrame(table.to_pandas()).set_index("code")
