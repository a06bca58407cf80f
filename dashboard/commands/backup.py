"""`tact backup` writes records, keys, people, plans and releases to one encrypted file; `tact restore` reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.asking import ask_hidden, can_ask, choose_passphrase
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import InputError, WorkspaceError
from data.release import names
from data.restricted import backup as backups
from data.restricted.forms.key import is_escrow, restore_escrow
from data.restricted.vault import load_keys, open_vault
from data.workspace import Workspace, default_path

_RETURNED = (
    "If you forgot a child after this backup was written, or a partner left, their records are back. Then, before you "
    "import or release, copy vault.forgotten of the lost workspace into the new folder, or run tact forget again."
)
_PEOPLE = (
    "The people who sign in came from the backup. Who was revoked or invited after it was written is to be revoked or "
    "invited again. See who is there: tact people list"
)
_PASSPHRASE = "TACT_BACKUP_PASSPHRASE"  # noqa: S105


def _get_passphrase(*, new: bool) -> str:
    """Return the passphrase from the environment, or ask for it; twice for a new backup."""
    if passphrase := os.environ.get(_PASSPHRASE):
        return passphrase
    if not can_ask():
        raise InputError(
            "Cannot ask for the passphrase of the backup: this is not a terminal. Nothing was changed. Run "
            f"it on a terminal, or set the environment variable {_PASSPHRASE}."
        )
    question = "Passphrase of the backup"
    return choose_passphrase(question, backups.check_passphrase) if new else ask_hidden(question)


def backup(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="The file to write.")], as_json: Json = False
) -> None:
    """Write records, keys, people who sign in, plans and releases to one encrypted file with a passphrase."""
    workspace = open_workspace(context)
    secrets = load_keys(workspace)
    problem = backups.write_backup(workspace, secrets, backups.check_target(file), _get_passphrase(new=True))
    emit(
        {"file": str(file), "problem": problem},
        as_json,
        f"Wrote {file}. Store the passphrase in another place: without it nobody can open the file.",
    )
    if problem:
        say(problem)
        raise SystemExit(WorkspaceError.exit_code)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `tact backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Restore even if the workspace has records; they are moved aside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a workspace from a backup, or the key of encrypted forms from form-key.escrow.

    Everything is checked before anything is replaced.
    """
    if is_escrow(backups.find_backup(file)):
        _restore_form_key(open_workspace(context), file, as_json=as_json)
        return
    path = context.obj or default_path()
    is_new = not (path / "workspace.toml").exists()
    result = backups.restore_backup(backups.find_backup(file), path, _get_passphrase(new=False), replace=replace)
    emit(
        {
            "workspace": str(result.workspace.path),
            "records": result.has_records,
            "releases": list(result.releases),
            "plans": result.plans,
            "accounts": result.accounts,
            "replaced": str(result.replaced) if result.replaced else None,
        },
        as_json,
        *(
            ["The key that was lost came back. It opens the records, which are as they were."]
            if result.only_key
            else []
        ),
        f"Restored {result.workspace.path}. "
        + _word_releases(len(names(result.workspace.releases)), len(result.releases)),
        *([f"Plans that came from the backup: {result.plans}."] if result.plans else []),
        *(["To calculate the risk model again: tact risk"] if result.releases else []),
        *([f"What was there before is kept in {result.replaced}."] if result.replaced else []),
        *([_PEOPLE] if result.accounts else []),
        *([_RETURNED] if is_new and result.has_records else []),
    )


def _restore_form_key(workspace: Workspace, file: Path, *, as_json: bool) -> None:
    passphrase = ask_hidden("Passphrase that the second person had when the forms were written")
    with open_vault(workspace) as vault:
        is_new = restore_escrow(vault, file.read_bytes(), passphrase)
    text = "The key of the forms came back: tact pull" if is_new else "The workspace has this key already."
    emit({"workspace": str(workspace.path), "form_key": is_new}, as_json, text)


def _word_releases(total: int, restored: int) -> str:
    """Return a sentence on the number of releases, and on how many of them came from the backup."""
    if not total:
        return "It has no release."
    others = f", {total - restored} were already there and were not changed" if total > restored else ""
    return f"Releases: {total}, of which {restored} came from the backup{others}."
