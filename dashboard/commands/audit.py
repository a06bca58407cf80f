"""`tact audit`: attack a release and every file that can leave, and report each attack in words."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.output import Json, emit, progress, table
from dashboard.commands.workspace import open_workspace
from dashboard.pages.method.attacks import TRIED, judge_attack
from data.disclosure.attacks.audit import Audit
from data.disclosure.attacks.audit import audit as audit_release
from data.disclosure.attacks.bounds import Finding
from data.release import Release
from data.tables.spec import TIERS
from geo import export

__all__ = ["format_audit", "register"]

_REFUSED = 5  # exit code: an attack succeeded
_LISTED = 20  # cells of one place
_HEAD = ("attack", "tier", "result", "what was tried")


def audit(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A release's name; default: the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Attack a release together with all earlier ones, and every file that can leave."""
    workspace = open_workspace(context, or_demo=True)
    with progress("Attacking") as tick, tempfile.TemporaryDirectory() as folder:
        files = {}
        for tier in TIERS:
            opened = Release.open(workspace.releases, tier, name, derived=workspace.derived)
            files[tier] = export.export(opened, Path(folder) / tier, export.FORMATS)
        result = audit_release(workspace.releases, workspace.derived, name, files=files, progress=tick)
    emit(
        {
            "passed": result.passed,
            "findings": list(result.findings),
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
    name, went = str(check["attack"]), judge_attack(check)
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


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)
