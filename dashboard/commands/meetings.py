"""`tact meetings`: remove agendas and decisions that are older than governance allows."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.log import find_first_day
from dashboard.commands.output import Json, emit
from dashboard.commands.people import AccountsFile, find_file
from dashboard.commands.workspace import open_workspace
from data.accounts.database import Accounts
from data.accounts.meetings import count_old_meetings, find_local_file, remove_old_meetings
from data.errors import InputError
from data.workspace.user import find_user

app = typer.Typer(help="Agendas of meetings and what was decided in them.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `shorten` a subcommand although it is the only one."""


@app.command()
def shorten(
    context: typer.Context,
    months: Annotated[
        int | None,
        typer.Option(min=1, help="For how many months they stay. Default: meeting_months of governance.toml."),
    ] = None,
    delete: Annotated[int | None, typer.Option(help="Remove them; the number has to be that of the meetings.")] = None,
    accounts: AccountsFile = None,
    as_json: Json = False,
) -> None:
    """Count the meetings that are older than governance allows; with --delete NUMBER remove them."""
    file = find_file(context, accounts)
    before = find_first_day(file, months, "meeting_months")
    standard_files = [] if accounts else [file, find_local_file(open_workspace(context).derived)]
    files = [path for path in standard_files if path.is_file()] if standard_files else [file]
    counts = {opened: count_old_meetings(opened, before) for opened in map(Accounts.open, files)}
    count = sum(counts.values())
    if delete not in (None, count):
        raise InputError(f"{count} meetings are older than {before}, not {delete}. Nothing was removed.")
    for opened, number in counts.items() if delete is not None else ():
        remove_old_meetings(opened, before, number, find_user())
    remedy = f" To remove them: tact meetings shorten --delete {count}" if count else ""
    emit(
        {"before": f"{before}", "meetings": count, "removed": delete is not None},
        as_json,
        f"Meetings of before {before}: {count}.{remedy if delete is None else ' They were removed.'}",
    )
