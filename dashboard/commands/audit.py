"""What an audit found, for people: what was tried on which tier, how it went, where something was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashboard.commands.output import table
from dashboard.pages.method.attacks import TRIED, outcome
from data.disclosure.attacks.audit import Audit
from data.disclosure.attacks.bounds import Finding

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
    name, went = str(check["attack"]), outcome(check)
    return name, str(check["tier"]), "SUCCEEDED" if went == "succeeded" else went, TRIED.get(name, "")


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
