"""Making a release: count, protect, attack, write. Behind the wall; data/release/__init__.py reads what this writes.

A release is written under a temporary name, attacked there, flushed to disk and renamed; then `current` is
replaced. The vault is told before the rename what is about to be published and after it that it was, so that
a crash at any moment leaves no release or a whole one, and the vault knowing which. Names are the last month
of the release and a counter, "2009-05-001", and are never used twice.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.disclosure.attacks import forgetting
from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import ReleaseError
from data.release import MANIFEST, Release, current_name, names
from data.restricted.counting.encounters import RecordKeys
from data.restricted.publishing import manifest
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.earlier import (
    read_earlier,
    refuse_lost,
    refuse_other_draws,
)
from data.restricted.publishing.frozen import block_name
from data.restricted.publishing.tables import Built, Records, Tables, Vault, build, read_records
from data.restricted.publishing.withholding import withhold_cells
from data.tables.resource import resource
from data.tables.spec import DEFAULT_PLAN, TIERS, Plan, Tier
from data.workspace import files
from data.workspace.types import Progress

__all__ = ["Made", "make_release", "recover"]

_TMP, _LOCK, _USED = ".tmp-", ".lock", ".names"
_FIGURE_COLUMNS = ("area", "period", "measure", "number", "share", "source", "year", "status", "note")
_INVENTED = "Invented: "
_STEPS = 8


@dataclass(frozen=True)
class Made:
    """A release that was made.

    withheld: the number of cells taken away to protect others, by tier.
    """

    name: str
    tiers: tuple[str, ...]
    withheld: Mapping[str, int]
    refused: tuple[Finding, ...] = ()


def make_release(
    vault: Vault | None,
    releases: Path,
    *,
    areas_geoparquet: bytes,
    area_table: pd.DataFrame,
    figures: pd.DataFrame,
    invented: bool,
    record_keys: RecordKeys | None = None,
    areas_source: str = "",
    first_month: int = 6,
    plan: Plan = DEFAULT_PLAN,
    policy: Policy = DEFAULT_POLICY,
    mechanism: CellKey | None = None,
    progress: Progress | None = None,
) -> Made:
    """Make a release of both tiers and let `current` point at it.

    Without a vault, or with an empty one, it holds published figures and areas alone. `record_keys` is
    data.keys.IdentifierHasher.record_keys; needed with a vault. `mechanism` is the policy's; another one is
    for tests. Raises ReleaseRefused with the cells on which an attack succeeds, ReleaseError where the
    policy protects otherwise than earlier releases and when another release is being made (nothing is
    published then).
    """
    if vault is not None and record_keys is None:
        msg = "A release of records needs the identifier key. Check it with: tact doctor"
        raise ReleaseError(msg)
    chosen = mechanism or CellKey.from_policy(policy)
    releases.mkdir(parents=True, exist_ok=True)
    tick = _Ticker(progress)
    with _alone(releases):
        _settle(vault, releases)
        refuse_lost(vault, releases)
        tick("Reading records")
        records = read_records(vault, area_table, first_month, policy) if vault else None
        if records is not None:
            refuse_other_draws(releases, policy, chosen)
        before = {tier: read_earlier(releases, tier) for tier in TIERS}
        draft = Draft(
            _new_name(releases, records, figures),
            invented,
            _sequence(releases),
            policy.frozen and any(before.values()),
            first_month,
            areas_source,
            areas_geoparquet,
            _figures(vault, figures, invented=invented),
            policy,
            plan,
            chosen,
            records.grid.whole if records else None,
        )
        built = Built({tier: {} for tier in TIERS}, None)
        if records is not None and vault is not None and record_keys is not None:
            published = {name: b.members for name, b in vault.published_blocks().items()}
            telling = partial(_telling, draft, before)
            built = build(records, record_keys, plan, policy, chosen, published, telling, tick)
        tick("Attacking")
        withhold_cells(built, draft, before, area_table)
        return _publish(vault, releases, draft, built, before, tick)


@dataclass
class _Ticker:
    """Counts the steps of a release for a progress bar."""

    progress: Progress | None
    done: int = 0

    def __call__(self, what: str) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(min(self.done, _STEPS), _STEPS, what)


@contextmanager
def _alone(releases: Path) -> Iterator[None]:
    lock = filelock.FileLock(releases / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        msg = f"Another release is being made in {releases}. Wait until it is done and try again."
        raise ReleaseError(msg) from None
    try:
        yield
    finally:
        lock.release()


def recover(vault: Vault | None, releases: Path) -> None:
    """Clean up after a run that was killed; raise ReleaseError while another one is at work."""
    if releases.is_dir():
        with _alone(releases):
            _settle(vault, releases)


def _settle(vault: Vault | None, releases: Path) -> None:
    for left in releases.glob(f"{_TMP}*"):
        shutil.rmtree(left)
    for left in releases.glob(".*.part"):
        left.unlink()
    staged = vault.staged_publication() if vault is not None else None
    if vault is not None and staged is not None:
        if (releases / staged).is_dir():
            _point_at(releases, staged)
            vault.confirm_publication(staged)
        else:
            vault.discard_publication(staged)
    held = names(releases)
    if held and current_name(releases) not in held:
        _point_at(releases, held[0])


def _sequence(releases: Path) -> int:
    """Give the release its place in time: one more than all names that were ever used here."""
    held = names(releases)
    newest = Release.open(releases, TIERS[0], held[0]).manifest["tact"]["sequence"] if held else 0
    return max(int(newest), len(_used(releases) | set(held))) + 1


def _used(releases: Path) -> set[str]:
    try:
        return set((releases / _USED).read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return set()


def _new_name(releases: Path, records: Records | None, figures: pd.DataFrame) -> str:
    """Make a name that was never used: last month of the records, or last year of the figures."""
    if records is not None:
        label = records.grid.whole.end.strftime("%Y-%m")
    else:
        years = figures["year"].dropna()
        label = f"{int(years.max())}-figures" if len(years) else "figures"
    taken = _used(releases) | set(names(releases))
    count = 1
    while f"{label}-{count:03d}" in taken:
        count += 1
    return f"{label}-{count:03d}"


def _figures(vault: Vault | None, shipped: pd.DataFrame, *, invented: bool) -> pa.Table:
    """Join the shipped figures and those of the vault, unchanged; the same row once.

    Those of an invented vault are invented, whatever source they name: a column and the source say so.
    """
    own = [batch.to_pandas() for batch in vault.read("figure", _FIGURE_COLUMNS)] if vault else []
    both = pd.concat([shipped[list(_FIGURE_COLUMNS)], *own], ignore_index=True)
    texts = [c for c in _FIGURE_COLUMNS if c not in ("number", "share", "year")]
    both = both.astype({**dict.fromkeys(texts, "str"), "number": "float64", "share": "float64"})
    both["year"] = both["year"].astype("Int64")
    both["invented"] = invented & (both.index >= len(shipped))
    both = both.drop_duplicates(list(_FIGURE_COLUMNS))
    both["source"] = both["source"].mask(both["invented"], _INVENTED + both["source"])
    both = both.sort_values(list(_FIGURE_COLUMNS), kind="stable", ignore_index=True)
    return pa.Table.from_pandas(both, preserve_index=False).replace_schema_metadata(None)


def _telling(
    draft: Draft, earlier: Mapping[Tier, list[Published]], tables: Mapping[Tier, Tables]
) -> set[str]:
    """Name the blocks in which what changed since an earlier release would look like one child's."""
    places = {
        place
        for tier, held in tables.items()
        for place in forgetting.places([*earlier[tier], draft.published(tier, held)])
    }
    return {
        block_name("met", area, "whole" if grain == "whole" else period) for _, grain, area, period in places
    }


def _publish(
    vault: Vault | None,
    releases: Path,
    draft: Draft,
    built: Built,
    earlier: Mapping[Tier, list[Published]],
    tick: _Ticker,
) -> Made:
    folder = releases / f"{_TMP}{draft.name}-{secrets.token_hex(4)}"
    try:
        tick("Writing")
        folder.mkdir()
        for tier in TIERS:
            _write(folder / tier, tier, draft, built)
        tick("Auditing")
        _audit(folder, earlier, draft)
        if vault is not None:
            vault.stage_publication(draft.name, built.frozen.staged() if built.frozen else {})
        _remember(releases, draft.name)
        files.publish_folder(folder, releases / draft.name)
    finally:
        if folder.exists():
            shutil.rmtree(folder)
    _point_at(releases, draft.name)
    if vault is not None:
        vault.confirm_publication(draft.name)
    tick("Done")
    withheld = {str(tier): sum(t.withheld for t in tables.values()) for tier, tables in built.tables.items()}
    return Made(draft.name, tuple(TIERS), withheld)


def _point_at(releases: Path, name: str) -> None:
    files.write_text(releases / "current", f"{name}\n")


def _remember(releases: Path, name: str) -> None:
    """Note that a name is used, for ever, even if its release is removed by hand."""
    used = sorted(_used(releases) | set(names(releases)) | {name})
    files.write_text(releases / _USED, "\n".join(used) + "\n")


def _write(folder: Path, tier: Tier, draft: Draft, built: Built) -> None:
    """Write one tier: tables, figures, areas, manifest."""
    folder.mkdir()
    resources, states = [], {}
    for spec, table in built.tables.get(tier, {}).items():
        states[spec.name] = table.shares()
        about = manifest.of_table(spec, states[spec.name])
        resources.append(_parquet(folder, spec.name, table.arrow(), about))
    figures: dict[str, Any] = {"measure": "figures", "level": None, "grain": None, "breakdown": []}
    figures["tier"] = "public"
    figures["invented"] = pc.any(draft.figures["invented"]).as_py() or False
    resources.append(_parquet(folder, "figures", draft.figures, figures))
    (folder / "areas.parquet").write_bytes(draft.areas)
    schema = pq.read_schema(folder / "areas.parquet")
    resources.append(_described(folder, "areas", schema, None))
    described = manifest.package(
        name=draft.name,
        tier=tier,
        invented=draft.invented,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sequence=draft.sequence,
        repeats=draft.repeats,
        whole=draft.whole,
        first_month=draft.first_month,
        areas_source=draft.areas_source,
        resources=resources,
        policy=draft.policy,
        plan=draft.plan,
        mechanism=draft.mechanism,
        cell_counts=states,
    )
    _write_manifest(folder, described)


def _write_manifest(folder: Path, described: Mapping[str, Any]) -> None:
    text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _parquet(folder: Path, name: str, table: pa.Table, about: Mapping[str, Any]) -> dict[str, Any]:
    pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    return _described(folder, name, table.schema, about)


def _described(folder: Path, name: str, schema: pa.Schema, about: Mapping[str, Any] | None) -> dict[str, Any]:
    raw = (folder / f"{name}.parquet").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    return resource(name, f"{name}.parquet", digest, len(raw), schema, about)


def _audit(folder: Path, earlier: Mapping[Tier, list[Published]], draft: Draft) -> None:
    """Attack what was written, as a reader would, and note the outcome; raise ReleaseRefused."""
    findings: list[Finding] = []
    for tier in TIERS:
        release = Release(folder / tier, draft.name, tier)
        found = {name: cells for name, cells, _ in attack_numbers(earlier[tier], release, thorough=False)}
        checks = [{"name": name, "passed": not cells} for name, cells in found.items()]
        described = dict(release.manifest)
        passed = not any(found.values())
        described["tact"] = {**described["tact"], "audit": {"passed": passed, "checks": checks}}
        _write_manifest(folder / tier, described)
        findings += [f for cells in found.values() for f in cells]
    if findings:
        raise draft.refusal(findings)
