"""Reports of audits written by hand, as data/disclosure/attacks/audit.py writes them."""

import hashlib
import json
from pathlib import Path

from data.release import MANIFEST, Release, audits

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
    """Write a report of one tier beside what is there; the attacks on which something was found fail.

    `instead` holds values that take the place of others.
    """
    found = {finding["attack"] for finding in findings}
    listed = [{"tier": release.tier, "passed": c["attack"] not in found, **c} for c in checks]
    told = {
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
    path.write_text(json.dumps({**told, **dict(instead)}), encoding="utf-8")
    (folder / audits.REPORT).write_text("{}", encoding="utf-8")
    return path
