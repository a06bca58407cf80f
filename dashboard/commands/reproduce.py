"""`tact reproduce`: compute the results of a release again, and compare them with the stored ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, progress
from dashboard.commands.workspace import open_workspace
from data.release import shown_name
from data.restricted import governance
from risk.planning.reproduction import Comparison, Difference, reproduce_release

_DIFFERENT = 5  # exit code
_MAX_LINES = 20  # differences listed for each result


def reproduce(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of the release. Default: the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Compute risk, access, advice and saved plans of a release again, and compare them to the last bit.

    Nothing is written or registered.
    """
    workspace = open_workspace(context, or_demo=True)
    with progress("Computing again") as tick:
        comparisons = reproduce_release(
            workspace.releases, workspace.derived, name, frozenset(governance.read(workspace).blocked), tick
        )
    equal = all(comparison.equal for comparison in comparisons)
    emit(
        {
            "release": name or shown_name(workspace.releases),
            "equal": equal,
            "results": [asdict(comparison) for comparison in comparisons],
        },
        as_json,
        *_format_comparisons(comparisons),
        "Everything is the same, to the last bit." if equal else "Not everything is the same.",
    )
    if not equal:
        raise SystemExit(_DIFFERENT)


def _format_comparisons(comparisons: Sequence[Comparison]) -> Iterator[str]:
    for comparison in comparisons:
        outcome = "the same" if comparison.equal else "DIFFERENT"
        yield f"{comparison.tier} {comparison.kind} ({comparison.result}): {outcome}, {comparison.tables} tables"
        yield from (f"  not the usual setting: {setting}" for setting in comparison.settings)
        yield from (f"  {cause}" for cause in comparison.causes)
        yield from (f"  {_format_difference(difference)}" for difference in comparison.differences[:_MAX_LINES])
        if len(comparison.differences) > _MAX_LINES:
            yield f"  and {len(comparison.differences) - _MAX_LINES} more; all of them: --json"


def _format_difference(difference: Difference) -> str:
    if not difference.cells:
        return f"{difference.name}: there is no such table then or now, or its columns are others"
    largest = "" if difference.largest is None else f", largest difference {difference.largest:.3g}"
    return f"{difference.name}: {difference.cells} values differ{largest}"
