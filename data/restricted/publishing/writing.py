"""The last steps of a release: write both tiers to a temporary folder, attack them, record the outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.reconciliation import add_column, reconcile
from data.release import MANIFEST, Release
from data.release.completeness import LATE
from data.release.completeness import NAME as COMPLETENESS
from data.release.stamp import format_stamped
from data.restricted.publishing import indicators, manifest
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.published_table import Tables
from data.tables.resource import describe_resource
from data.tables.spec import TIERS, TableSpec, Tier


def write_tier(folder: Path, tier: Tier, draft: Draft, tables: Tables) -> None:
    """Write one tier into a new folder; the tables of indicators, completeness and late records are for partners."""
    folder.mkdir()
    (folder / "areas.parquet").write_bytes(draft.areas)
    resources, states = [], {}
    for spec, rows in _add_reconciled(folder, tier, draft, tables).items():
        states[spec.name] = tables[spec].shares()
        about = manifest.describe_table(spec, states[spec.name])
        resources.append(_write_parquet(folder, spec.name, rows, about))
    figures: dict[str, Any] = {"measure": "figures", "level": None, "grain": None, "breakdown": []}
    figures["tier"] = "public"
    figures["invented"] = pc.any(draft.figures["invented"]).as_py() or False
    resources.append(_write_parquet(folder, "figures", draft.figures, figures))
    of_partners = {indicators.NAME: draft.indicators, COMPLETENESS: draft.completeness, LATE: draft.late}
    for name, rows_of in of_partners.items():
        if tier == "partner" and rows_of is not None and len(rows_of):
            about_rows: dict[str, Any] = {"measure": name, "level": None, "grain": None, "breakdown": [], "tier": tier}
            resources.append(_write_parquet(folder, name, rows_of, about_rows))
    resources.append(_describe_file(folder, "areas", pq.read_schema(folder / "areas.parquet"), None))
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _write_manifest(folder, manifest.describe_release(draft, tier, created, resources, states))


def _add_reconciled(folder: Path, tier: Tier, draft: Draft, tables: Tables) -> dict[TableSpec, pa.Table]:
    """Return the tables as published, with the reconciled numbers, which add up, beside those with noise."""
    published = {spec: table.arrow() for spec, table in tables.items()}
    areas = pq.read_table(folder / "areas.parquet", columns=["code", "parent"]).to_pandas().set_index("code")
    k = draft.policy.k if tier == "public" else None
    numbers = reconcile(published, areas, draft.mechanism, partial(draft.policy.threshold, tier))
    return {s: add_column(rows, numbers[s], k) if s in numbers else rows for s, rows in published.items()}


def audit_tiers(folder: Path, earlier: Mapping[Tier, Sequence[Published]], draft: Draft) -> None:
    """Attack the written files as a reader would, and record the outcome; raise ReleaseRefused if one succeeds."""
    findings: list[Finding] = []
    for tier in TIERS:
        release = Release(folder / tier, draft.name, tier)
        by_attack = {name: cells for name, cells, _ in attack_numbers(earlier[tier], release, thorough=False)}
        checks = [{"name": name, "passed": not cells} for name, cells in by_attack.items()]
        described = dict(release.manifest)
        passed = not any(by_attack.values())
        described["tact"] = {**described["tact"], "audit": {"passed": passed, "checks": checks}}
        _write_manifest(folder / tier, described)
        findings += [finding for cells in by_attack.values() for finding in cells]
    if findings:
        raise draft.refusal(findings)


def _write_manifest(folder: Path, described: Mapping[str, Any]) -> None:
    (folder / MANIFEST).write_text(format_stamped(described), encoding="utf-8")


def _write_parquet(folder: Path, name: str, table: pa.Table, about: Mapping[str, Any]) -> dict[str, Any]:
    pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return _describe_file(folder, name, table.schema, about)


def _describe_file(folder: Path, name: str, schema: pa.Schema, about: Mapping[str, Any] | None) -> dict[str, Any]:
    raw = (folder / f"{name}.parquet").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    return describe_resource(name, f"{name}.parquet", digest, len(raw), schema, about)
