"""`tact backup` and `tact restore`: records and keys in one encrypted file, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import can_ask, choose, hidden
from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.release import names
from data.restricted import backup as backups
from data.restricted import keys
from data.workspace import default_path

_PASSPHRASE = "TACT_BACKUP_PASSPHRASE"  # noqa: S105


def _passphrase(*, new: bool) -> str:
    """Take the passphrase of a backup from the environment, else ask for it; twice for a new backup."""
    given = os.environ.get(_PASSPHRASE)
    if given:
        return given
    if not can_ask():
        msg = (
            "There is no terminal to ask for the passphrase of the backup. Nothing was changed. Run it on a "
            f"terminal, or put the passphrase into the environment as {_PASSPHRASE}."
        )
        raise InputError(msg)
    question = "Passphrase of the backup"
    return choose(question, backups.check_passphrase) if new else hidden(question)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    as_json: Json = False,
) -> None:
    """Write records and both keys into one file, sealed with a passphrase."""
    workspace = open_workspace(context)
    secrets = keys.load(workspace.id)
    backups.write_backup(workspace, secrets, backups.check_target(file), _passphrase(new=True))
    emit(
        {"file": str(file)},
        as_json,
        f"Wrote {file}. Keep the passphrase elsewhere: without it the file is worthless.",
    )


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `tact backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Even where the workspace has records; they are kept aside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a workspace back from a backup; checks all of it before anything is replaced."""
    path = context.obj or default_path()
    done = backups.restore_backup(backups.find_backup(file), path, _passphrase(new=False), replace=replace)
    held = names(done.workspace.releases)
    emit(
        {
            "workspace": str(done.workspace.path),
            "records": done.has_records,
            "releases": list(done.releases),
            "plans": done.plans,
            "replaced": str(done.replaced) if done.replaced else None,
        },
        as_json,
        f"Restored {done.workspace.path}. {_releases_held(len(held), len(done.releases))}",
        *([f"Plans that came from the backup: {done.plans}."] if done.plans else []),
        *(["What the risk model says is worked out again with: tact risk"] if done.releases else []),
        *([f"What was there before is kept in {done.replaced}."] if done.replaced else []),
    )


def _releases_held(held: int, brought: int) -> str:
    """Say how many releases stand there, and which of them the backup brought."""
    if not held:
        return "It has no release."
    stood = f", {held - brought} stood there and are left as they were" if held > brought else ""
    return f"Releases in it: {held}; {brought} came from the backup{stood}."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
