"""Functions shared by commands: open the workspace, and delete overdue records."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.output import say
from data.release import Release
from data.restricted import backup, governance, imports
from data.restricted.governance.retention import Overdue, find_overdue
from data.restricted.vault import Vault
from data.tables.spec import Tier
from data.workspace import Workspace, default_path, demo_path

DeleteOverdue = Annotated[
    int | None,
    typer.Option(
        "--delete-overdue",
        metavar="N",
        help="Confirm that exactly N records that are kept too long are deleted, where the command asks for it.",
    ),
]


def open_workspace(context: typer.Context, *, or_demo: bool = False) -> Workspace:
    """Open the workspace of option --workspace, by default the user's own.

    With `or_demo`, the demo is opened if the user has no workspace yet. Only commands that do not write use it.
    """
    if or_demo and context.obj is None and not default_path().exists() and demo_path().exists():
        say(
            f"No workspace is named, and {default_path()} has none, so this is the demo with invented data. For your "
            "own, give its folder: --workspace DIR, or TACT_WORKSPACE."
        )
        return Workspace.open(demo_path())
    return Workspace.open(context.obj or default_path())


def open_release(workspace: Workspace, tier: Tier = "partner", name: str | None = None) -> Release:
    """Open a release, by default the current one. A withdrawn approval of layers holds for earlier releases too."""
    blocked = governance.read(workspace).blocked
    return Release.open(workspace.releases, tier, name, blocked, workspace.derived)


def check_overdue(workspace: Workspace, vault: Vault, confirmed: int | None) -> Overdue:
    """Find the records that are kept too long; raise InputError if a consent is needed and `confirmed` is wrong."""
    overdue = find_overdue(workspace, vault)
    overdue.require_consent(confirmed)
    return overdue


def delete_overdue(workspace: Workspace, vault: Vault, overdue: Overdue) -> None:
    """Delete the records that are kept too long, with the lists of rejected rows, and report their number."""
    deleted = imports.delete_overdue(workspace, vault, overdue)
    if deleted:
        say(
            f"{deleted} records of children without an encounter since {overdue.since} were deleted, as "
            "governance.toml says."
        )


def warn_backup(workspace: Workspace, vault: Vault) -> None:
    """Write a warning if real records have no recent backup."""
    if words := backup.word_overdue(workspace, vault):
        say(words)


def warn_overdue(overdue: Overdue) -> None:
    """Write a warning with the number of records to be deleted, before they are deleted."""
    if overdue.count:
        say(
            f"{overdue.count} records of children without an encounter since {overdue.since} will be deleted first, as "
            "governance.toml says. If that is wrong, stop now and raise months in that file."
        )
