"""What several commands need of the workspace: to open it, and to delete records that are overdue."""

from __future__ import annotations

import datetime as dt

import typer

from dashboard.commands.output import say
from data.restricted import governance
from data.restricted.vault import Vault
from data.workspace import Workspace, default_path, demo_path


def open_workspace(context: typer.Context, *, or_demo: bool = False) -> Workspace:
    """Open the workspace that was asked for, by default the user's own.

    With `or_demo`, for commands that only read: the demo world where there is no own workspace yet.
    """
    if or_demo and context.obj is None and not default_path().exists() and demo_path().exists():
        say("You have no workspace of your own yet, so this is the invented demo world.")
        return Workspace.open(demo_path())
    return Workspace.open(context.obj or default_path())


def delete_overdue(workspace: Workspace, vault: Vault) -> None:
    """Delete the records that have been kept as long as the governance file says, and tell how many."""
    since = _kept_since(workspace)
    gone = vault.expire(since) if since else 0
    if gone:
        say(f"{gone} records of children last met before {since} were deleted, as governance.toml says.")


def overdue(workspace: Workspace, vault: Vault) -> tuple[int, dt.date | None]:
    """Count the records that the next import or release deletes, and give the day they were not met since."""
    since = _kept_since(workspace)
    return (vault.count_overdue(since) if since else 0), since


def tell_overdue(workspace: Workspace, vault: Vault) -> None:
    """Say how many records are about to be deleted, while that can still be stopped."""
    count, since = overdue(workspace, vault)
    if count:
        say(
            f"{count} records of children last met before {since} are deleted first, as governance.toml "
            "says. If that is wrong, stop here and raise months in it."
        )


def _kept_since(workspace: Workspace) -> dt.date | None:
    return governance.read(workspace).kept_since(dt.datetime.now(dt.UTC).date())
