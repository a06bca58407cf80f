"""`tact breaks`: possible breaks of the series, and breaks that a person accepted."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import open_release, open_workspace
from geo import areas as geography
from risk.model.breaks import Break, accept_break, read_breaks, remove_break
from risk.report.manifest import read_manifest

app = typer.Typer(help="Breaks of the series: quarters from which counts have another meaning.", no_args_is_help=True)

_Quarter = Annotated[str, typer.Argument(help="The first quarter with the new meaning, as 2008-03-01/P3M.")]
_Place = Annotated[
    str, typer.Option("--place", help="Code of a country, county or region, as AL or AL-11. Default: everywhere.")
]
_AGAIN = "To use it in the risk model: tact risk"


@app.command("list")
def list_breaks(context: typer.Context, as_json: Json = False) -> None:
    """List accepted breaks, and possible ones that the risk model found in the current release."""
    workspace = open_workspace(context, or_demo=True)
    accepted = read_breaks(workspace.derived)
    manifest = read_manifest(open_release(workspace))
    known = {(entry.period, entry.place) for entry in accepted}
    offered = {(jump.period, jump.place): jump for _, jump in manifest.trends.jumps} if manifest else {}
    possible = [jump for key, jump in offered.items() if key not in known]
    rows = [("quarter", "place", "", "")]
    rows += [(entry.period, entry.place or "everywhere", "accepted", entry.note) for entry in accepted]
    rows += [
        (
            jump.period,
            jump.place,
            "possible",
            f"about {jump.before:.1f} children a quarter before, {jump.after:.1f} since",
        )
        for jump in possible
    ]
    lines = list(format_table(rows)) if len(rows) > 1 else ["There is no accepted and no possible break."]
    hint = [] if manifest else ["Possible breaks are found by the risk model: tact risk"]
    emit(
        {"accepted": [asdict(entry) for entry in accepted], "possible": [asdict(jump) for jump in possible]},
        as_json,
        *lines,
        *hint,
    )


@app.command()
def accept(
    context: typer.Context,
    quarter: _Quarter,
    place: _Place = "",
    note: Annotated[str, typer.Option(help="The reason, such as a new law; nothing about a person.")] = "",
    as_json: Json = False,
) -> None:
    """Accept a break: years on both sides are no longer compared, and the risk model gives each side a level."""
    workspace = open_workspace(context)
    table = geography.read_areas(open_release(workspace).areas_file).table
    places = [str(code) for code in table.index[table["level"].isin(["country", "region"])]]
    new = Break(quarter, place, note, "data officer", dt.datetime.now(dt.UTC).date().isoformat())
    accept_break(workspace.derived, new, places)
    emit(asdict(new), as_json, f"Accepted: a break from {quarter} on, {place or 'everywhere'}.", _AGAIN)


@app.command()
def remove(context: typer.Context, quarter: _Quarter, place: _Place = "", as_json: Json = False) -> None:
    """Remove an accepted break."""
    workspace = open_workspace(context)
    remove_break(workspace.derived, quarter, place)
    emit({"period": quarter, "place": place}, as_json, f"Removed: the break from {quarter} on.", _AGAIN)
