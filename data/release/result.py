"""Results that were made from a release, opened for reading; data/release/derived.py writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.message import Message
from data.release.stamp import read_stamped
from data.tables.spec import Tier

MANIFEST = "manifest.json"
KINDS = ("risk", "advice")  # those whose tables are read with a release
FORMAT = 1
REMEDY = Message("Remove its folder and make it anew: tact risk")
_NEEDED = {"kind": str, "format": int, "tier": str, "release_sha256": str, "created": str, "resources": list}


@dataclass(frozen=True)
class Table:
    """A table of a result, with the measure, level, period length and breakdown that make its name."""

    measure: str
    level: str
    grain: str
    breakdown: tuple[str, ...]
    title: str
    rows: pa.Table

    @property
    def name(self) -> str:
        """The name under which the table is read."""
        return "_".join((self.measure, self.level, self.grain, *self.breakdown))


@dataclass(frozen=True)
class Result:
    """A folder of tables with a manifest, made from a release."""

    folder: Path  # its name contains the checksum of its content
    manifest: Mapping[str, Any] = field(compare=False)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The tables in the form in which a release describes its own; paths are absolute."""
        return [{**r, "path": str(self.folder / r["path"])} for r in self.manifest["resources"]]


def newest(derived: Path | None, name: str, tier: Tier, checksum: str, kind: str) -> Result | None:
    """Find the newest result of a kind for a tier of a release; None if there is none that this version can read.

    checksum: that of the release. Raises ReleaseDamaged if a manifest was changed.
    """
    return next(iter(sort_newest(read_results(list_manifests(derived, name, tier, kind), tier, checksum))), None)


def list_manifests(derived: Path | None, name: str, tier: Tier, kind: str) -> list[Path]:
    """List the manifests of the results of a kind, for one tier of a release; "*" as kind or release means any."""
    return [] if derived is None else sorted(derived.glob(f"{name}/{kind}-{tier}-*/{MANIFEST}"))


def latest(derived: Path, tier: Tier, kind: str) -> Result | None:
    """Find the newest result of a kind and tier of any release; None if there is none that this version can read.

    Raises ReleaseDamaged if a manifest was changed.
    """
    return next(iter(list_all_results(derived, tier, kind)), None)


def list_all_results(derived: Path, tier: Tier, kind: str) -> list[Result]:
    """List the results of a kind and tier, of all releases, that this version can read, newest first.

    Raises ReleaseDamaged if a manifest was changed.
    """
    return sort_newest(read_results(list_manifests(derived, "*", tier, kind), tier))


def read_results(manifests: Iterable[Path], tier: Tier, checksum: str | None = None) -> Iterator[Result]:
    """Yield the results of a tier that this version can read; with a checksum, only results of that release.

    Raises ReleaseDamaged for a manifest that was changed.
    """
    for path in manifests:
        result = Result(path.parent, read_manifest(path))
        if result.manifest.get("tier") == tier and checksum in (None, result.manifest["release_sha256"]):
            yield result


def sort_newest(results: Iterable[Result]) -> list[Result]:
    """Return the given results, the newest first."""
    return sorted(results, key=lambda result: (result.manifest["created"], result.folder.name), reverse=True)


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest; empty if it has another layout. Raises ReleaseDamaged if it was changed."""
    manifest = read_stamped(path, REMEDY)
    is_valid = all(isinstance(manifest.get(name), kind) for name, kind in _NEEDED.items())
    return manifest if is_valid and manifest["format"] == FORMAT else {}
