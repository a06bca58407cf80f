"""The words for an audit: which attacks were tried, their results, and where something was found."""

from pathlib import Path

from dashboard.commands import audit
from data.disclosure.attacks.audit import Audit
from data.disclosure.attacks.bounds import Finding


def lines(*findings):
    checks = (
        {"attack": "bounds", "tier": "partner", "passed": True, "sweeps": 3},
        {"attack": "surface", "tier": "public", "passed": not findings},
        {"attack": "membership", "tier": "partner", "passed": True},
    )
    return audit.format_audit(Audit("2009-05-001", checks, findings, 12.3, Path("report")))


def test_each_attack_is_told_with_its_outcome():
    text = "\n".join(lines())
    assert "bounds      partner  held      bounds and differencing: calculate hidden numbers" in text
    assert "membership  partner  measured  " in text
    assert "Passed: no attack succeeded." in text
    assert "{" not in text


def test_findings_stand_by_place_and_not_one_line_each_for_ever():
    cells = [{"area": f"AL-{n:02d}", "period": "2006"} for n in range(30)]
    findings = [Finding("surface", "a.csv", cell, "holds a number that it should not") for cell in cells]
    text = lines(*findings, Finding("surface", "b.csv", {}, "cannot be read"))
    assert "a.csv: holds a number that it should not (surface; 30 in all)" in text
    assert "  AL-00, 2006" in text
    assert "  and 10 more, in the report" in text
    assert "b.csv: cannot be read (surface; 1 in all)" in text
    assert any(line.startswith("Failed with 31 findings.") for line in text)
    assert len(text) < 50
