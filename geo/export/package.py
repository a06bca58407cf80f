"""A Data Package (frictionless) of CSV files: a description of each file, with its Table Schema."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from data.release import Release
from data.tables.spec import TIERS
from data.tables.states import STATES
from geo.layers.core import Layer
from geo.layers.output import terms
from geo.layers.output.columns import COLUMNS, list_meanings

_TYPES = {
    "text": "string",
    "number": "number",
    "whole number": "integer",
    "day (ISO 8601)": "date",
    "yes or no": "boolean",
}
_KNOWN = {column.name: column for column in COLUMNS}
_ENUMS: Mapping[str, Sequence[str]] = {"state": STATES, "tier": TIERS}
_REQUIRED = frozenset(("code", "level", "state", "tier", "release"))


def describe_package(
    release: Release, name: str, title: str, about: str, resources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the descriptor of a Data Package; `name` distinguishes it from other packages of the release.

    about : its description. resources : those that `describe_csv` returned.
    """
    manifest = release.manifest
    return {
        "profile": "tabular-data-package",
        "name": f"tact-{release.name}-{release.tier}-{name}".lower(),
        "title": title,
        "description": " ".join(filter(None, [*terms.list_cautions(release), about])),
        "version": release.name,
        "created": str(manifest.get("created") or ""),
        "licenses": manifest.get("licenses") or [{"name": "other-closed", "title": terms.find_licence(release)}],
        "citation": terms.format_citation(release),
        "resources": list(resources),
    }


def describe_csv(
    path: Path, name: str, fields: Sequence[Mapping[str, Any]], keys: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the description of an existing CSV file; `fields` and primary `keys` are for its Table Schema."""
    raw = path.read_bytes()
    return {
        "name": name,
        "path": path.name,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8-sig",
        "bytes": len(raw),
        "hash": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "schema": {"fields": list(fields), "missingValues": [""], **({"primaryKey": list(keys)} if keys else {})},
    }


def list_fields(layer: Layer, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the columns of a layer's long table as fields of a Table Schema."""
    options, meanings = {option.id: option for option in layer.options}, dict(list_meanings(layer, table.columns))
    fields = []
    for name in map(str, table.columns):
        column, option = _KNOWN.get(name), options.get(name)
        kind = _TYPES[column.kind] if column else _find_type(table[name])
        enum = [choice.id for choice in option.choices] if option else list(_ENUMS.get(name, ()))
        limits = {**({"required": True} if name in _REQUIRED else {}), **({"enum": enum} if enum else {})}
        field: dict[str, Any] = {"name": name, "type": kind, "description": str(meanings.get(name, ""))}
        fields.append({**field, "constraints": limits} if limits else field)
    return fields


def _find_type(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    return "number" if pd.api.types.is_numeric_dtype(column) else "string"
