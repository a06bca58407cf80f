"""`tact audit`: attack a release and every file that readers can get, and report each attack in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, emit, format_table, progress
from dashboard.commands.workspace import open_workspace
from dashboard.narrative.attacks import TRIED, judge_attack
from data.disclosure.attacks.audit import Audit
from data.disclosure.attacks.bounds import Finding

_REFUSED = 5  # exit code: an attack succeeded
_MAX_CELLS = 20  # listed for each table
_HEAD = ("attack", "tier", "result", "what was tried")


def audit(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of the release. Default: the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Attack a release together with all earlier ones, and every file that readers can get."""
    workspace = open_workspace(context, or_demo=True)
    with progress("Attacking") as tick:
        # The module is imported only here, because it imports Streamlit, which is slow to start.
        result: Audit = import_module("dashboard.web.reader_files").audit_workspace(workspace, name, tick)
    emit(
        {
            "passed": result.passed,
            "findings": list(result.messages),
            "seconds": result.seconds,
            "report": str(result.report),
        },
        as_json,
        *format_audit(result),
    )
    if not result.passed:
        raise SystemExit(_REFUSED)


def format_audit(result: Audit) -> list[str]:
    """Return the lines for the terminal: a table of the attacks, then the findings by table."""
    rows = [_row(check) for check in result.checks]
    return [
        f"Release {result.release}, tested together with all earlier ones in {result.seconds:.0f} seconds.",
        "",
        *format_table([_HEAD, *rows]),
        "",
        *_format_findings(result.findings),
        "Passed: no attack succeeded."
        if result.passed
        else f"Failed with {len(result.findings)} findings. Do not give this release or its files to anybody.",
        f"Report: {result.report}",
    ]


def _row(check: Mapping[str, Any]) -> tuple[str, ...]:
    name, result = str(check["attack"]), judge_attack(check)
    return name, str(check["tier"]), "SUCCEEDED" if result == "succeeded" else result, TRIED.get(name, "")


def _format_findings(findings: Sequence[Finding]) -> Iterator[str]:
    cells_of: dict[tuple[str, str, str], list[str]] = {}
    for finding in findings:
        key = (finding.table, finding.attack, finding.reason)
        cells_of.setdefault(key, []).append(", ".join(finding.cell.values()))
    for (name, attack, reason), cells in cells_of.items():
        yield f"{name}: {reason} ({attack}; {len(cells)} in all)"
        yield from (f"  {cell}" for cell in cells[:_MAX_CELLS] if cell)
        if len(cells) > _MAX_CELLS:
            yield f"  and {len(cells) - _MAX_CELLS} more, in the report"
        yield ""
