"""The audit of a release: all attacks on both tiers, with a report that anybody who has the release can repeat.

The report is an immutable folder, derived/<release>/audit-<hash>. Its manifest names the checksums of the
release and of the searched files, the version of the code and the parameters. The folder has the outcome twice: in
one file for both tiers, and in a file for each tier, which data/release/audits.py reads for the pages.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from data.disclosure.attacks import reading, surface
from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.suite import attack_numbers
from data.errors import ReleaseError
from data.message import Message
from data.release import MANIFEST, Release, audits, names, shown_name
from data.release.stamp import format_stamped
from data.tables.spec import TIERS, Tier
from data.workspace import files as safely
from data.workspace.types import Progress
from data.workspace.version import code_version

_FORMAT = 2
# In the order in which they come, see data/disclosure/attacks/suite.py.
ATTACKS = (
    "checksums", "threshold", "indicators", "completeness", "bounds", "homogeneity", "averaging", "sequence",
    "dark_figure", "membership", "surface",
)  # fmt: skip
WRITING = "writing"  # the step before the attacks: the files that readers can get are made
_STEPS = 10  # into which a part of the time is divided
# How many parts of the time an attack usually takes; each other one takes one part.
_PARTS = {"membership": 12, "surface": 40}
_ALL_PARTS = sum(_PARTS.get(attack, 1) for attack in ATTACKS)


@dataclass(frozen=True)
class Audit:
    """The outcome of an audit; `report` is the folder that holds all of it.

    checks: for each attack and tier, whether it passed, and its statistics.
    """

    release: str
    checks: tuple[Mapping[str, Any], ...]
    findings: tuple[Finding, ...]
    seconds: float
    report: Path

    @property
    def passed(self) -> bool:
        """Whether no attack succeeded."""
        return not self.findings

    @property
    def messages(self) -> tuple[Message, ...]:
        """The findings in words without any count."""
        return tuple(finding.words for finding in self.findings)


def audit_release(
    releases: Path,
    derived: Path,
    name: str | None = None,
    *,
    files: Mapping[Tier, Iterable[Path]] | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Attack a release (default: the shown one) with all earlier ones, and exported files; return the audit.

    `releases`, `derived`: the folders of the workspace. `files`: exports and other shared files, by tier. `progress` is
    called with the steps done, the number of steps and the name of the running attack. Raises ReleaseError if there is
    no such release, and ReleaseDamaged if a manifest was changed. An audit of the same files by the same code is not
    written twice.
    """
    release_name = name or shown_name(releases)
    if release_name is None or release_name not in names(releases):
        there = ", ".join(names(releases)) or Message("none")
        raise ReleaseError(
            Message(
                "No release {chosen!r} in {releases}. There are: {there}.",
                chosen=release_name or "",
                releases=releases,
                there=there,
            )
        )
    began = time.monotonic()
    leaving = {tier: sorted((files or {}).get(tier, ()), key=lambda p: p.name) for tier in TIERS}
    checks: list[dict[str, Any]] = []
    findings: dict[Tier, list[Finding]] = {tier: [] for tier in TIERS}
    for number, tier in enumerate(TIERS):
        release = Release.open(releases, tier, release_name)
        tick = partial(_report_progress, progress, number * _ALL_PARTS)
        tick(ATTACKS[0])
        for attack, attack_findings, statistics in _run_attacks(releases, derived, release, leaving[tier], tick):
            checks.append({"attack": attack, "tier": tier, "passed": not attack_findings, **statistics})
            findings[tier] += attack_findings
            if attack != ATTACKS[-1]:
                tick(ATTACKS[ATTACKS.index(attack) + 1])
    seconds = round(time.monotonic() - began, 2)
    report = _write(releases / release_name, derived / release_name, checks, findings, leaving, seconds)
    all_findings = tuple(finding for tier in TIERS for finding in findings[tier])
    return Audit(release_name, tuple(checks), all_findings, seconds, report)


def _report_progress(progress: Progress | None, before: int, attack: str, share: float = 0.0) -> None:
    """Report the progress of an audit.

    before : the parts of the time for the tiers that are finished. share : how much of this attack is finished.
    """
    if progress is not None:
        finished = before + sum(_PARTS.get(earlier, 1) for earlier in ATTACKS[: ATTACKS.index(attack)])
        progress(round(_STEPS * (finished + share * _PARTS.get(attack, 1))), _STEPS * _ALL_PARTS * len(TIERS), attack)


def _run_attacks(
    releases: Path, derived: Path, release: Release, leaving: Sequence[Path], tick: Callable[..., None]
) -> Iterable[tuple[str, list[Finding], Mapping[str, float]]]:
    changed = [
        Finding("checksums", name, {}, Message("is not the file that was published")) for name in release.list_damaged()
    ]
    yield "checksums", changed, {}
    if changed:  # files that were not published tell nothing about those that were
        return
    yield from attack_numbers(read_earlier(releases, release), release)
    tables = [release.folder / f"{name}.parquet" for name in release.tables]
    # Exports hold results that were computed from the release too.
    with_results = Release.open(releases, release.tier, release.name, derived=derived)
    yield "surface", *surface.search(with_results, [*tables, *leaving], partial(tick, "surface"))


def read_earlier(releases: Path, release: Release) -> list[Published]:
    """Read the earlier releases of the same tier, oldest first, without those that have no tables of counts.

    Raises ReleaseDamaged if a manifest was changed.
    """
    listed = list(reversed(names(releases)))
    earlier = [Release.open(releases, release.tier, n) for n in listed[: listed.index(release.name)]]
    return [reading.read_published(r) for r in earlier if reading.list_specifications(r)]


def _write(
    release: Path,
    derived: Path,
    checks: list[dict[str, Any]],
    findings: Mapping[Tier, Sequence[Finding]],
    leaving: Mapping[Tier, Sequence[Path]],
    seconds: float,
) -> Path:
    identity = _describe(release, checks, leaving)
    mark = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    final = derived / f"{audits.PREFIX}{mark}"
    if final.is_dir():
        return final
    derived.mkdir(parents=True, exist_ok=True)
    aside = derived / f".tmp-{audits.PREFIX}{secrets.token_hex(4)}"
    aside.mkdir()
    manifest = {**identity, "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "seconds": seconds}
    contents = {audits.MANIFEST: manifest, audits.REPORT: _outcome(checks, findings)}
    contents |= {audits.tier_file(tier): _describe_tier(tier, manifest, checks, findings[tier]) for tier in TIERS}
    for name, content in contents.items():
        (aside / name).write_text(format_stamped(content), encoding="utf-8")
    safely.publish_folder(aside, final)
    return final


def _describe(release: Path, checks: list[dict[str, Any]], leaving: Mapping[Tier, Sequence[Path]]) -> dict[str, Any]:
    """Return the description of what was audited and by which code; the same for the same files and code."""
    return {
        "kind": "audit",
        "format": _FORMAT,
        "release": release.name,
        "release_sha256": {t: _digest(release / t / MANIFEST) for t in TIERS if (release / t).is_dir()},
        "files": {t: {p.name: _digest(p) for p in paths} for t, paths in leaving.items()},
        "code_version": code_version(),
        "parameters": {"attacks": sorted({c["attack"] for c in checks})},
    }


def _describe_tier(
    tier: Tier, manifest: Mapping[str, Any], checks: list[dict[str, Any]], findings: Sequence[Finding]
) -> dict[str, Any]:
    """Return the outcome for readers of one tier, without content of the other tier."""
    named = {name: manifest[name] for name in ("kind", "format", "release", "code_version", "created")}
    of_tier = [check for check in checks if check["tier"] == tier]
    checksum = manifest["release_sha256"].get(tier)
    return {**named, "tier": tier, "release_sha256": checksum, **_outcome(of_tier, {tier: findings})}


def _outcome(checks: list[dict[str, Any]], findings: Mapping[Tier, Sequence[Finding]]) -> dict[str, Any]:
    listed = [
        {"tier": tier, "attack": f.attack, "table": f.table, "cell": dict(f.cell), "reason": f.reason}
        for tier, tier_findings in findings.items()
        for f in tier_findings
    ]
    return {"passed": not listed, "checks": checks, "findings": listed}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
