"""Write results that were made from a release: folders `derived/<release>/<kind>-<tier>-<hash>/` of tables.

The manifest of a result has the checksum of the release, the version of the code and the parameters; a result
belongs to the tier of its release. It never changes: a new result is written beside it, and the newest one that fits is
used. `data.release.Release` reads its tables like its own, so that every shown number comes from a release.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from data.release import Release
from data.release.result import FORMAT, MANIFEST, Result, Table, newest, read_manifest
from data.release.stamp import format_stamped
from data.tables.resource import describe_resource
from data.workspace import files
from data.workspace.version import code_version, library_versions

# What people decided and what was forecast, beside the folders of releases; no command can compute it again.
LEDGER = "ledger-partner.jsonl"  # registered forecasts and plans; of the partner tier, as all forecasts are


def publish(
    derived: Path,
    release: Release,
    kind: str,
    tables: Sequence[Table],
    about: Mapping[str, Any],
    before: Callable[[str], None] = lambda _name: None,
) -> Result:
    """Write a result for one tier of a release, unless the newest one is the same, and return it.

    `about` is added to the manifest: parameters, and what a reader must know. `before` is called with the name of the
    new folder; if it raises an error, nothing is stored. Always the newest result is used. So a result that equals an
    earlier one, but not the newest, is written again, and names the newest one before it. Raises ReleaseDamaged if the
    manifest of an earlier result was changed.
    """
    name, tier = release.name, release.tier
    manifest = {
        "kind": kind,
        "format": FORMAT,
        "release": name,
        "tier": tier,
        "release_sha256": release.checksum,
        "code_version": code_version(),
        "libraries": library_versions(),
        **about,
    }
    with _make_aside(derived / name, kind) as aside:
        manifest["resources"] = [_write(aside, table) for table in tables]
        last = newest(derived, name, tier, release.checksum, kind)
        if last is not None and _comparable_content(last.manifest) == _comparable_content(manifest):
            return last
        final = _place(derived / name, manifest)
        if final.is_dir():
            manifest["after"] = last.folder.name if last is not None else ""
            final = _place(derived / name, manifest)
        before(final.name)
        complete = {**manifest, "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        (aside / MANIFEST).write_text(format_stamped(complete), encoding="utf-8")
        if not final.is_dir():
            files.publish_folder(aside, final)
    return Result(final, read_manifest(final / MANIFEST))


def copy_plain(result: Result, derived: Path) -> Result:
    """Copy a result without tables from elsewhere into the folder of results `derived`; return the copy.

    Raises ReleaseError if the folder has this result already.
    """
    final = derived / result.folder.parent.name / result.folder.name
    with _make_aside(final.parent, result.manifest["kind"]) as aside:
        (aside / MANIFEST).write_bytes((result.folder / MANIFEST).read_bytes())
        files.publish_folder(aside, final)
    return Result(final, read_manifest(final / MANIFEST))


@contextmanager
def _make_aside(folder: Path, kind: str) -> Iterator[Path]:
    """Yield a new folder beside the results; if it was not renamed in the block, it is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".tmp-{kind}-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def is_unchanged(result: Result) -> bool:
    """Return whether the manifest of a result still fits the name of its folder.

    A manifest that was edited and stamped again can be read, but does not fit the name any more.
    """
    named = {key: value for key, value in result.manifest.items() if key != "created"}
    return _place(result.folder.parent, named) == result.folder


def _place(folder: Path, manifest: Mapping[str, Any]) -> Path:
    text = json.dumps(manifest, sort_keys=True)
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    return folder / f"{manifest['kind']}-{manifest['tier']}-{mark}"


def _comparable_content(manifest: Mapping[str, Any]) -> str:
    """Return the content of a manifest without time, predecessor and head of the ledger, to compare results."""
    apart = ("created", "after", "ledger")
    return json.dumps({name: value for name, value in manifest.items() if name not in apart}, sort_keys=True)


def format_table(table: Table) -> bytes:
    """Return a table as the bytes of a Parquet file. The same rows and library give the same bytes."""
    content = BytesIO()
    pq.write_table(table.rows, content, compression="zstd")
    return content.getvalue()


def _write(folder: Path, table: Table) -> dict[str, Any]:
    path, raw = folder / f"{table.name}.parquet", format_table(table)
    path.write_bytes(raw)
    about = {"measure": table.measure, "level": table.level, "grain": table.grain, "breakdown": list(table.breakdown)}
    digest = hashlib.sha256(raw).hexdigest()
    described = describe_resource(table.name, path.name, digest, len(raw), table.rows.schema, None)
    return {**described, "title": table.title, "tact": about}
