"""`tact log`: the audit log of the people who sign in to the map."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.people import AccountsFile, find_file
from data.accounts.database import Accounts
from data.accounts.log import count_old, read_log, shorten_log, verify_log
from data.errors import InputError
from data.restricted import governance
from data.workspace import Workspace
from data.workspace.user import find_user

app = typer.Typer(help="The audit log: who signed in, saw, exported, planned or changed rights.", no_args_is_help=True)
_BROKEN = 5
_LEAST = 12  # months that stay at least, if governance.toml gives no number


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


@app.command()
def shorten(
    context: typer.Context,
    months: Annotated[
        int | None, typer.Option(min=1, help="How many months of rows stay. Default: log_months of governance.toml.")
    ] = None,
    delete: Annotated[int | None, typer.Option(help="Remove the rows; the number has to be that of the rows.")] = None,
    accounts: AccountsFile = None,
    as_json: Json = False,
) -> None:
    """Count the rows that are older than governance allows; with --delete NUMBER remove them."""
    file = find_file(context, accounts)
    opened = Accounts.open(file)
    before = find_first_day(file, months, "log_months")
    if delete is None:
        count = count_old(opened, before)
        remedy = f" To remove them: tact log shorten --delete {count}" if count else ""
    else:
        shorten_log(opened, before, delete, find_user())
        count, remedy = delete, " They were removed, and the log says so."
    emit(
        {"before": f"{before}", "rows": count, "removed": delete is not None},
        as_json,
        f"Rows of before {before}: {count}.{remedy}",
    )


def find_first_day(file: Path, months: int | None, name: str) -> dt.date:
    """Return the first day (UTC) of the rows or meetings that stay in a file of accounts.

    months : how many months stay; None for the number of governance.toml. name : the name of that number there. Raises
    InputError if `months` is below the minimum, or if neither `months` nor governance.toml gives a number.
    """
    least = _find_least(file, name)
    months = months or least
    if months is None:
        raise InputError(f"Nothing says how long. Write {name} under [retention] of {governance.FILE}, or --months N.")
    if months < (least or _LEAST):
        source = f" ({name} of {governance.FILE})" if least else ""
        raise InputError(f"They are kept for {least or _LEAST} months at least{source}. Nothing was removed.")
    return governance.count_back(dt.datetime.now(dt.UTC).date(), months)


def _find_least(file: Path, name: str) -> int | None:
    """Return for how many months governance.toml keeps the content of a file of accounts.

    None if it does not say so, or if the file does not belong to a workspace.
    """
    folder = file.absolute().parent.parent
    is_own = (folder / "workspace.toml").is_file() and Workspace.open(folder).accounts == file.absolute()
    months: int | None = getattr(governance.read(Workspace.open(folder)), name) if is_own else None
    return months
