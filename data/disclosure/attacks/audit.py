"""Auditing a release: all attacks on both tiers, and a report that anyone with the release can make again.

The report is an immutable folder, derived/<release>/audit-<hash>, with a manifest that names the checksums
of the release and of the files that were searched, the version of the code, and the parameters. What came out
stands in it twice: as a whole, and for each tier by itself; data/release/audits.py reads the latter for the pages.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.disclosure.attacks import reading, surface
from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.suite import attack_numbers
from data.errors import ReleaseError
from data.release import MANIFEST, Release, audits, current_name, names
from data.tables.spec import TIERS, Tier
from data.workspace import files as safely
from data.workspace.types import ProgressCount
from data.workspace.version import code_version

__all__ = ["Audit", "audit"]

_FORMAT = 2


@dataclass(frozen=True)
class Audit:
    """The outcome: each attack on each tier, and what was found; report is the folder that holds all of it.

    checks: attack, tier, passed and how it went.
    """

    release: str
    checks: tuple[Mapping[str, Any], ...]
    found: tuple[Finding, ...]
    seconds: float
    report: Path

    @property
    def passed(self) -> bool:
        """Whether no attack succeeded."""
        return not self.found

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings in words that hold no counts."""
        return tuple(finding.words for finding in self.found)


def audit(
    releases: Path,
    derived: Path,
    name: str | None = None,
    *,
    files: Mapping[Tier, Iterable[Path]] | None = None,
    progress: ProgressCount | None = None,
) -> Audit:
    """Attack a release (default: the current one) together with all earlier ones, and files that leave.

    `files` are exports and other files that leave, by tier. Raises ReleaseError when there is no such
    release. An audit of the same things by the same code is not written twice.
    """
    chosen = name or current_name(releases)
    if chosen is None or chosen not in names(releases):
        msg = f"No release {chosen or ''!r} in {releases}. There are: {', '.join(names(releases)) or 'none'}."
        raise ReleaseError(msg)
    began = time.monotonic()
    leaving = {tier: sorted((files or {}).get(tier, ()), key=lambda p: p.name) for tier in TIERS}
    checks: list[dict[str, Any]] = []
    findings: dict[Tier, list[Finding]] = {tier: [] for tier in TIERS}
    for done, tier in enumerate(TIERS, start=1):
        release = Release.open(releases, tier, chosen)
        for attack, found, went in _attacks(releases, derived, release, leaving[tier]):
            checks.append({"attack": attack, "tier": tier, "passed": not found, **went})
            findings[tier] += found
        if progress is not None:
            progress(done, len(TIERS))
    seconds = round(time.monotonic() - began, 2)
    report = _write(releases / chosen, derived / chosen, checks, findings, leaving, seconds)
    all_found = tuple(finding for tier in TIERS for finding in findings[tier])
    return Audit(chosen, tuple(checks), all_found, seconds, report)


def _attacks(
    releases: Path, derived: Path, release: Release, leaving: Sequence[Path]
) -> Iterable[tuple[str, list[Finding], Mapping[str, float]]]:
    yield "checksums", _checksums(release), {}
    yield from attack_numbers(before(releases, release), release)
    own = [release.folder / f"{table}.parquet" for table in release.tables]
    # Files hold what was worked out from the release too.
    added = Release.open(releases, release.tier, release.name, derived=derived)
    yield "surface", *surface.search(added, [*own, *leaving])


def before(releases: Path, release: Release) -> list[Published]:
    """Read the releases of its tier that came before a release, oldest first; figures alone say nothing."""
    listed = list(reversed(names(releases)))
    earlier = [Release.open(releases, release.tier, n) for n in listed[: listed.index(release.name)]]
    return [reading.published(r) for r in earlier if reading.specifications(r)]


def _checksums(release: Release) -> list[Finding]:
    found = []
    for resource in release.manifest["resources"]:
        path = release.folder / resource["path"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != resource["hash"]:
            found.append(Finding("checksums", resource["name"], {}, "is not the file that was published"))
    return found


def _write(
    release: Path,
    derived: Path,
    checks: list[dict[str, Any]],
    findings: Mapping[Tier, Sequence[Finding]],
    leaving: Mapping[Tier, Sequence[Path]],
    seconds: float,
) -> Path:
    about = _about(release, checks, leaving)
    mark = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    final = derived / f"{audits.PREFIX}{mark}"
    if final.is_dir():
        return final
    derived.mkdir(parents=True, exist_ok=True)
    aside = derived / f".tmp-{audits.PREFIX}{secrets.token_hex(4)}"
    aside.mkdir()
    made = {**about, "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "seconds": seconds}
    written = {audits.MANIFEST: made, audits.REPORT: _outcome(checks, findings)}
    written |= {audits.tier_file(tier): _of_tier(tier, made, checks, findings[tier]) for tier in TIERS}
    for name, content in written.items():
        (aside / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    safely.publish_folder(aside, final)
    return final


def _about(
    release: Path, checks: list[dict[str, Any]], leaving: Mapping[Tier, Sequence[Path]]
) -> dict[str, Any]:
    """Name what was audited, and by what: the same things by the same code have the same."""
    return {
        "kind": "audit",
        "format": _FORMAT,
        "release": release.name,
        "release_sha256": {t: _digest(release / t / MANIFEST) for t in TIERS if (release / t).is_dir()},
        "files": {t: {p.name: _digest(p) for p in paths} for t, paths in leaving.items()},
        "code_version": code_version(),
        "parameters": {"attacks": sorted({c["attack"] for c in checks})},
    }


def _of_tier(
    tier: Tier, made: Mapping[str, Any], checks: list[dict[str, Any]], found: Sequence[Finding]
) -> dict[str, Any]:
    """Give what a reader of one tier may be told, with nothing of the other."""
    named = {name: made[name] for name in ("kind", "format", "release", "code_version", "created")}
    own = [check for check in checks if check["tier"] == tier]
    checksum = made["release_sha256"].get(tier)
    return {**named, "tier": tier, "release_sha256": checksum, **_outcome(own, {tier: found})}


def _outcome(checks: list[dict[str, Any]], findings: Mapping[Tier, Sequence[Finding]]) -> dict[str, Any]:
    told = [
        {"tier": tier, "attack": f.attack, "table": f.table, "cell": dict(f.cell), "reason": f.reason}
        for tier, found in findings.items()
        for f in found
    ]
    return {"passed": not told, "checks": checks, "findings": told}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
