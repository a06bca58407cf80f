"""Functions shared by commands: open the workspace, and delete overdue records."""

from __future__ import annotations

import datetime as dt

import typer

from dashboard.commands.output import say
from data.release import Release
from data.restricted import governance
from data.restricted.vault import Vault
from data.tables.spec import Tier
from data.workspace import Workspace, default_path, demo_path


def open_workspace(context: typer.Context, *, or_demo: bool = False) -> Workspace:
    """Open the workspace of option --workspace, by default the user's own.

    With `or_demo`, which only commands that read use, the demo is opened if the user has no workspace yet.
    """
    if or_demo and context.obj is None and not default_path().exists() and demo_path().exists():
        say("You have no workspace yet, so this is the demo with invented data.")
        return Workspace.open(demo_path())
    return Workspace.open(context.obj or default_path())


def open_release(workspace: Workspace, tier: Tier = "partner", name: str | None = None) -> Release:
    """Open a release, by default the current one. A withdrawn approval of layers counts for earlier releases, too."""
    blocked = governance.read(workspace).blocked
    return Release.open(workspace.releases, tier, name, blocked, workspace.derived)


def delete_overdue(workspace: Workspace, vault: Vault) -> None:
    """Delete the records that are older than the governance file allows, and report their number."""
    since = _kept_since(workspace)
    deleted = vault.expire(since) if since else 0
    if deleted:
        say(f"{deleted} records of children without an encounter since {since} were deleted, as governance.toml says.")


def count_overdue(workspace: Workspace, vault: Vault) -> tuple[int, dt.date | None]:
    """Count the records that the next import or release deletes, and return the day that decides."""
    since = _kept_since(workspace)
    return (vault.count_overdue(since) if since else 0), since


def warn_overdue(workspace: Workspace, vault: Vault) -> None:
    """Write a warning with the number of records to be deleted, before they are deleted."""
    count, since = count_overdue(workspace, vault)
    if count:
        say(
            f"{count} records of children without an encounter since {since} will be deleted first, as "
            "governance.toml says. If that is wrong, stop now and raise months in that file."
        )


def _kept_since(workspace: Workspace) -> dt.date | None:
    return governance.read(workspace).kept_since(dt.datetime.now(dt.UTC).date())
