"""What an audit found, for people: what was tried on which tier, how it went, where something was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashboard.commands.output import table
from data.disclosure.attacks.audit import Audit
from data.disclosure.attacks.bounds import Finding

__all__ = ["TRIED", "told"]

TRIED = {
    "checksums": "whether each file is the one that was published",
    "threshold": "whether a count of children shows that is too small",
    "bounds": "to work out numbers from sums and differences, earlier releases too",
    "homogeneity": "to find areas where nearly all children are alike",
    "averaging": "to average the noise away",
    "forgetting": "to tell who left between two releases",
    "membership": "to tell whether one child is among those counted",
    "surface": "to find numbers in files that the release does not hold",
}
_NOT_BOUNDED = {("membership", "partner"): "measured"}
_LISTED = 20  # cells of one place
_HEAD = ("attack", "tier", "result", "what was tried")


def told(result: Audit) -> list[str]:
    """Write the lines: a table of the attacks, then the findings by place."""
    rows = [_row(check) for check in result.checks]
    return [
        f"Release {result.release}, attacked together with all earlier ones in {result.seconds:.0f} seconds.",
        "",
        *table([_HEAD, *rows]),
        "",
        *_findings(result.found),
        "Passed: no attack succeeded."
        if result.passed
        else f"Not passed; findings: {len(result.found)}. Do not pass this release or its files on.",
        f"Report: {result.report}",
    ]


def _row(check: Mapping[str, Any]) -> tuple[str, ...]:
    outcome = "held" if check["passed"] else "SUCCEEDED"
    name, tier = str(check["attack"]), str(check["tier"])
    return name, tier, _NOT_BOUNDED.get((name, tier), outcome), TRIED.get(name, "")


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    places: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        places.setdefault((one.table, one.attack, one.reason), []).append(", ".join(one.cell.values()))
    for (place, attack, reason), cells in places.items():
        yield f"{place}: {reason} ({attack}; {len(cells)} in all)"
        yield from (f"  {cell}" for cell in cells[:_LISTED] if cell)
        if len(cells) > _LISTED:
            yield f"  and {len(cells) - _LISTED} more, in the report"
        yield ""
