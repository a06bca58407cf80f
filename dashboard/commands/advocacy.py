"""`tact advocacy`: the register of policies and advocacy, which names no person."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.workspace.files import write_text
from risk.handover.advocacy import TEMPLATE, add_policies, read_policies, remove_policy

app = typer.Typer(
    help="Policies and advocacy: what, where, status, date, source. Never a person.", no_args_is_help=True
)


@app.command("list")
def list_policies(context: typer.Context, as_json: Json = False) -> None:
    """List the register, the newest entry first."""
    entries = read_policies(open_workspace(context, or_demo=True).derived)
    rows = [("date", "where", "status", "what", "source")]
    rows += [(entry.date, entry.area, entry.status, entry.what, entry.source) for entry in entries]
    lines = format_table(rows) if entries else ["The register is empty. To begin: tact advocacy template --to FILE.csv"]
    emit([asdict(entry) for entry in entries], as_json, *lines)


@app.command()
def template(
    to: Annotated[Path, typer.Option("--to", help="The CSV file to write, with one row as an example.")],
    as_json: Json = False,
) -> None:
    """Write a template to fill in."""
    if to.exists():
        raise InputError(f"{to} exists. Give another name.")
    write_text(to, TEMPLATE)
    emit({"file": str(to)}, as_json, f"Fill in {to}, delete the example, then: tact advocacy import {to}")


@app.command("import")
def import_policies(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns of the template.")],
    as_json: Json = False,
) -> None:
    """Add the entries of a file. An entry with the same words and area takes the place of the earlier one."""
    entries = add_policies(open_workspace(context).derived, file)
    emit([asdict(entry) for entry in entries], as_json, f"In the register: {len(entries)} entries of {file.name}.")


@app.command()
def remove(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The words of the entry, as tact advocacy list gives them.")],
    area: Annotated[str, typer.Option("--area", help="Code of its area.")],
    as_json: Json = False,
) -> None:
    """Remove an entry."""
    workspace = open_workspace(context)
    chosen = [entry for entry in read_policies(workspace.derived) if (entry.what, entry.area) == (what, area)]
    if not chosen:
        raise InputError(f"No entry with these words in {area}. See: tact advocacy list")
    remove_policy(workspace.derived, chosen[0])
    emit(asdict(chosen[0]), as_json, "Removed.")
