"""Functions shared by commands: open the workspace or a release, delete overdue records, and warn about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import say
from data.errors import InputError, ReleaseError
from data.release import WITHDRAWN, Release, read_withdrawn
from data.release.completeness import read_questions
from data.restricted import backup, governance, imports
from data.restricted.governance.retention import Overdue, find_overdue
from data.restricted.vault import Vault
from data.tables.spec import TIERS, Tier
from data.workspace import Workspace, default_path, demo_path

DeleteOverdue = Annotated[
    int | None,
    typer.Option(
        "--delete-overdue",
        metavar="N",
        help="Confirm that exactly N records that are kept too long are deleted, where the command asks for it.",
    ),
]
OWN_WORKSPACE = "For a workspace of your own, give its folder: export TACT_WORKSPACE=DIR, or --workspace DIR"


def open_workspace(context: typer.Context, *, or_demo: bool = False) -> Workspace:
    """Open the workspace of option --workspace, by default the user's own.

    With `or_demo`, the demo is opened if no workspace is named and the user has none yet. Commands that change records
    do not use this. Raises WorkspaceError if there is no workspace.
    """
    if or_demo and context.obj is None and not default_path().exists() and demo_path().exists():
        say(
            f"You have no workspace yet (none is named, and there is none at {default_path()}), so this is the demo "
            f"with invented data. {OWN_WORKSPACE}"
        )
        return Workspace.open(demo_path())
    return Workspace.open(context.obj or default_path())


def open_release(
    workspace: Workspace, tier: Tier = "partner", name: str | None = None, *, silent: bool = False
) -> Release:
    """Open a release, by default the current one, and print first what is missing in it, unless `silent`.

    Layers that governance.toml does not approve now are left out. Raises ReleaseError if the release does not exist or
    was taken back.
    """
    if name in read_withdrawn(workspace.releases):
        raise ReleaseError(f"Release {name} was taken back (releases/{WITHDRAWN}). Choose another: tact releases")
    blocked = governance.read(workspace).blocked
    release = Release.open(workspace.releases, tier, name, blocked, workspace.derived)
    if not silent:
        warn_gaps(release)
    return release


def warn_gaps(release: Release) -> None:
    """Print what is missing in a release and what follows; nothing if nothing is missing."""
    questions = read_questions(release)
    if questions.waiting or questions.outdated:  # the words take half a second to load
        from dashboard.narrative.completeness import word_gaps
        from dashboard.narrative.speech import Speech
        from dashboard.site.current_release import load_areas

        say(" ".join(word_gaps(Speech("en", load_areas(release)), questions)))


def check_tier(tier: str) -> Tier:
    """Return a tier that the user named. Raises InputError if there is no such tier."""
    if tier not in TIERS:
        raise InputError(f"No tier {tier!r}. There are: {', '.join(TIERS)}.")
    return tier


def check_folder(to: Path) -> None:
    """Raise InputError if there is a file in place of the folder in which files will be written."""
    if to.exists() and not to.is_dir():
        raise InputError(f"{to} is a file. Give a folder: --to FOLDER")


def check_overdue(workspace: Workspace, vault: Vault, confirmed: int | None) -> Overdue:
    """Return the records that are kept too long.

    Raises InputError if `confirmed` is not their number, or is missing although somebody must confirm that number.
    """
    overdue = find_overdue(workspace, vault)
    overdue.require_consent(confirmed)
    return overdue


def delete_overdue(workspace: Workspace, vault: Vault, overdue: Overdue) -> None:
    """Delete the records that are kept too long, with the lists of rejected rows, and print the number of records."""
    deleted = imports.delete_overdue(workspace, vault, overdue)
    if deleted:
        say(
            f"{deleted} records of children without an encounter since {overdue.since} were deleted, as "
            "governance.toml says."
        )


def warn_backup(workspace: Workspace, vault: Vault) -> None:
    """Print a warning if real records have no recent backup."""
    if words := backup.word_overdue(workspace, vault):
        say(words)


def warn_overdue(overdue: Overdue) -> None:
    """Print how many records will be deleted, before they are deleted; nothing if there are none."""
    if overdue.count:
        say(
            f"{overdue.count} records of children without an encounter since {overdue.since} will be deleted first, as "
            "governance.toml says. If that is wrong, stop now and raise months in that file."
        )
