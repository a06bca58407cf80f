"""What was worked out from a release: folders `derived/<release>/<kind>-<hash>/` of tables with a manifest.

A result names the release by checksum, the code and the parameters, and carries the release's tier. It never
changes: what is worked out anew stands beside it, and the newest one that fits counts. `data.release.Release`
reads its tables like its own, so that whatever shows a number takes it from a release.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from data import files
from data.disclosure import manifest as described
from data.disclosure.plan import Tier

if TYPE_CHECKING:
    from data.release import Release

__all__ = ["KINDS", "MANIFEST", "Result", "Table", "every", "latest", "newest", "publish"]

MANIFEST = "manifest.json"
KINDS = ("risk",)  # those whose tables are read with a release
_FORMAT = 1
_NEEDED = {"kind": str, "format": int, "tier": str, "release_sha256": str, "created": str, "resources": list}


@dataclass(frozen=True)
class Table:
    """A table of a result: as a release's, with the measure, level, grain and breakdown that name it."""

    measure: str
    level: str
    grain: str
    breakdown: tuple[str, ...]
    title: str
    rows: pa.Table

    @property
    def name(self) -> str:
        """The name by which it is read."""
        return "_".join((self.measure, self.level, self.grain, *self.breakdown))


@dataclass(frozen=True)
class Result:
    """A result that was found, with its manifest; see the module."""

    folder: Path
    manifest: Mapping[str, Any]

    def __hash__(self) -> int:
        """Results differ by where they stand: a folder's name holds the checksum of what is in it."""
        return hash(self.folder)

    def __eq__(self, other: object) -> bool:
        """Compare by folder."""
        return isinstance(other, Result) and self.folder == other.folder

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Its tables, described as a release describes its own; paths are absolute."""
        return [{**r, "path": str(self.folder / r["path"])} for r in self.manifest["resources"]]


def newest(derived: Path | None, name: str, tier: Tier, checksum: str, kind: str) -> Result | None:
    """Find the newest result of a kind for a tier of a release; None where there is none that can be read."""
    return next(iter(every(derived, name, tier, checksum, kind)), None)


def every(derived: Path | None, name: str, tier: Tier, checksum: str, kind: str) -> list[Result]:
    """List the results of a kind for a tier of a release that can be read, newest first."""
    folder = derived / name if derived is not None else None
    found = [] if folder is None else _found(folder, f"{kind}-{tier}-*/{MANIFEST}", tier)
    return [one for one in found if one.manifest["release_sha256"] == checksum]


def latest(derived: Path, tier: Tier, kind: str) -> Result | None:
    """Find the newest result of a kind and tier of any release; None where there is none."""
    return next(iter(_found(derived, f"*/{kind}-{tier}-*/{MANIFEST}", tier)), None)


def _found(folder: Path, pattern: str, tier: Tier) -> list[Result]:
    """List the results of a tier that can be read, newest first."""
    read = ((path.parent, _read(path)) for path in folder.glob(pattern))
    found = [Result(*one) for one in read if one[1].get("tier") == tier]
    return sorted(found, key=lambda one: (one.manifest["created"], one.folder.name), reverse=True)


def _read(path: Path) -> dict[str, Any]:
    """Read a manifest; an empty one where it is damaged or of another layout."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    well = isinstance(told, dict) and all(isinstance(told.get(n), kind) for n, kind in _NEEDED.items())
    return told if well and told["format"] == _FORMAT else {}


def publish(
    derived: Path, release: Release, kind: str, tables: Sequence[Table], about: Mapping[str, Any]
) -> Result:
    """Write a result of one tier of a release; the newest is not written again where it is the same.

    `about` joins the manifest: parameters, and what a reader must know. One that comes back after another one
    is written anew and says after which, since the newest one counts.
    """
    name, tier = release.name, release.tier
    own = {
        "kind": kind,
        "format": _FORMAT,
        "release": name,
        "tier": tier,
        "release_sha256": release.checksum,
        "code_version": described.code_version(),
        **about,
    }
    (derived / name).mkdir(parents=True, exist_ok=True)
    aside = derived / name / f".tmp-{kind}-{secrets.token_hex(4)}"
    aside.mkdir()
    try:
        own["resources"] = [_write(aside, table) for table in tables]
        last = newest(derived, name, tier, release.checksum, kind)
        if last is not None and _says(last.manifest) == _says(own):
            return last
        final = _place(derived / name, own)
        if final.is_dir():
            own["after"] = last.folder.name if last is not None else ""
            final = _place(derived / name, own)
        made = {**own, "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        text = json.dumps(made, ensure_ascii=False, indent=1) + "\n"
        (aside / MANIFEST).write_text(text, encoding="utf-8")
        if not final.is_dir():
            files.publish_folder(aside, final)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Result(final, _read(final / MANIFEST))


def _place(folder: Path, own: Mapping[str, Any]) -> Path:
    text = json.dumps(own, sort_keys=True)
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    return folder / f"{own['kind']}-{own['tier']}-{mark}"


def _says(manifest: Mapping[str, Any]) -> str:
    """Give what a result says, apart from when it was written and after which."""
    apart = ("created", "after")
    return json.dumps({name: told for name, told in manifest.items() if name not in apart}, sort_keys=True)


def _write(folder: Path, table: Table) -> dict[str, Any]:
    path = folder / f"{table.name}.parquet"
    pq.write_table(table.rows, path, compression="zstd")
    raw = path.read_bytes()
    about = {
        "measure": table.measure,
        "level": table.level,
        "grain": table.grain,
        "breakdown": list(table.breakdown),
    }
    digest = hashlib.sha256(raw).hexdigest()
    resource = described.resource(table.name, path.name, digest, len(raw), table.rows.schema, None)
    return {**resource, "title": table.title, "tact": about}
