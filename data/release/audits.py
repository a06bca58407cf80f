"""Reports of audits: folders `derived/<release>/audit-<hash>/`, opened for reading.

`manifest.json` has the checksums of the audited files, and `report.json` has all results, for the data officer. There
is also one file for each tier, `partner.json` and `public.json`, with the content that readers of that tier may see: a
process of one tier opens no file of the other. data/disclosure/attacks/audit.py writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.message import Message
from data.release.stamp import read_stamped
from data.tables.spec import Tier

PREFIX = "audit-"
_REMEDY = Message("Remove its folder and make it anew: tact audit")
MANIFEST, REPORT = "manifest.json", "report.json"
_KINDS = {"created": str, "release_sha256": str, "checks": list, "findings": list}


@dataclass(frozen=True)
class AuditReport:
    """The result of an audit for one tier of one release.

    created: when it was made (ISO, UTC). checks: attack, passed and details. reasons: attack and description of each
    finding, without counts, each pair once; the cells are only in the file.
    """

    tier: Tier
    created: str
    checks: tuple[Mapping[str, Any], ...]
    reasons: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether no attack succeeded."""
        return all(check.get("passed") is True for check in self.checks) and not self.reasons

    def check(self, attack: str) -> Mapping[str, Any]:
        """Return the outcome of an attack; empty if it was not run."""
        return next((check for check in self.checks if check.get("attack") == attack), {})


def tier_file(tier: Tier) -> str:
    """Return the name of the file with the results for a tier."""
    return f"{tier}.json"


def newest(derived: Path | None, name: str, tier: Tier, checksum: str) -> AuditReport | None:
    """Open the newest report for a tier of a release; None if there is none that can be read.

    `checksum` is the SHA-256 of the tier's manifest; a report on another release of the same name is ignored. No file
    of another tier is opened. Raises ReleaseDamaged if a report was changed.
    """
    path = find_newest(derived, name, tier, checksum)
    if path is None:
        return None
    report = _read(path)
    checks = tuple(entry for entry in report["checks"] if isinstance(entry, dict))
    findings = (entry for entry in report["findings"] if isinstance(entry, dict))
    reasons = dict.fromkeys((str(entry.get("attack", "")), str(entry.get("reason", ""))) for entry in findings)
    return AuditReport(tier, report["created"], checks, tuple(reasons))


def find_newest(derived: Path | None, name: str, tier: Tier, checksum: str) -> Path | None:
    """Return the file of the report that `newest` opens; None if there is none. Raises ReleaseDamaged as it does."""
    folder = derived / name if derived is not None else None
    if folder is None or not folder.is_dir():
        return None
    reports = {path: _read(path) for path in folder.glob(f"{PREFIX}*/{tier_file(tier)}")}
    matching = [p for p, r in reports.items() if r.get("release_sha256") == checksum and r.get("tier") == tier]
    return max(matching, key=lambda path: str(reports[path]["created"]), default=None)


def _read(path: Path) -> dict[str, Any]:
    """Read a report; empty if it has another layout. Raises ReleaseDamaged if it was changed."""
    report = read_stamped(path, _REMEDY)
    is_valid = all(isinstance(report.get(name), kind) for name, kind in _KINDS.items())
    return report if is_valid and report["checks"] else {}
