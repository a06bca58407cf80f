"""`tact log`: the audit log of the people who sign in to the map."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.people import AccountsFile, find_file
from data.accounts.database import Accounts
from data.accounts.log import read_log, verify_log

app = typer.Typer(help="The audit log: who signed in, saw, exported, planned or changed rights.", no_args_is_help=True)
_BROKEN = 5


@app.command()
def show(
    context: typer.Context,
    person: Annotated[str | None, typer.Option(help="Name of a person, as in `tact people list`.")] = None,
    accounts: AccountsFile = None,
    as_json: Json = False,
) -> None:
    """Show the log, oldest row first. It holds no number of a release."""
    entries = read_log(Accounts.open(find_file(context, accounts)), person)
    rows = [
        (
            entry.registered,
            str(entry.content["person"]) or "-",
            str(entry.content["event"]),
            " ".join(f"{key}={value}" for key, value in entry.content.items() if key not in ("person", "event")),
        )
        for entry in entries
    ]
    emit(
        [{"number": entry.number, "moment": entry.registered, **entry.content} for entry in entries],
        as_json,
        *(format_table([("when (UTC)", "who", "what", ""), *rows]) if rows else ["There is no such row."]),
    )


@app.command()
def verify(context: typer.Context, accounts: AccountsFile = None, as_json: Json = False) -> None:
    """Check that no row was changed, removed, moved or cut off."""
    verdict = verify_log(Accounts.open(find_file(context, accounts)))
    number, sha256 = verdict.head
    emit(
        {"rows": verdict.rows, "sha256": sha256, "problem": verdict.problem},
        as_json,
        f"{verdict.problem} Compare with a copy of the file, and tell your data protection officer."
        if verdict.problem
        else f"All {verdict.rows} rows are as they were written. Write this down elsewhere: row {number}, {sha256}",
    )
    if verdict.problem:
        raise SystemExit(_BROKEN)
