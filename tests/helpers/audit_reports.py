"""Hand-written audit reports, in the form that data/disclosure/attacks/audit.py writes."""

import hashlib
from pathlib import Path

from data.release import MANIFEST, Release, audits
from data.release.stamp import format_stamped

MEMBERSHIP = {"attack": "membership", "all_numbers": 0.2, "all_numbers_high": 0.22, "children": 26}


def write(
    derived: Path,
    release: Release,
    created: str = "2026-11-24T15:33:35Z",
    mark: str = "",
    *,
    checks=({"attack": "bounds"}, MEMBERSHIP),
    findings=(),
    instead=(),
) -> Path:
    """Write an audit report for one tier and return its path; an attack with a finding did not pass.

    `instead` holds values that replace those of the report.
    """
    failed = {finding["attack"] for finding in findings}
    listed = [{"tier": release.tier, "passed": c["attack"] not in failed, **c} for c in checks]
    report = {
        "kind": "audit",
        "format": 2,
        "release": release.name,
        "tier": release.tier,
        "release_sha256": hashlib.sha256((release.folder / MANIFEST).read_bytes()).hexdigest(),
        "created": created,
        "passed": not findings,
        "checks": listed,
        "findings": list(findings),
    }
    folder = derived / release.name / f"{audits.PREFIX}{mark or created.replace(':', '')}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / audits.tier_file(release.tier)
    path.write_text(format_stamped({**report, **dict(instead)}), encoding="utf-8")
    (folder / audits.REPORT).write_text("{}", encoding="utf-8")
    return path
