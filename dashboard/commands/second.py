"""`tact second`, and what a release of real records needs: complete governance and two people."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
from contextlib import suppress
from typing import Annotated

import typer

from dashboard.commands.asking import choose, hidden
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import InputError, WorkspaceError
from data.release import MANIFEST
from data.restricted import governance
from data.restricted.governance import ledger
from data.restricted.governance import second_person as seconds
from data.restricted.vault import Vault, open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace

_COLUMNS = ("day", "release", "released_by", "confirmed_by", "replaced", *TIERS)


def ask_second(workspace: Workspace, vault: Vault, governed: governance.Governance) -> seconds.Second | None:
    """Have the second person confirm the release that is about to be made; None for invented records."""
    if workspace.invented:
        return None
    governed.require()
    second = seconds.appointed(vault)
    if second is None:
        msg = (
            "Two people release real records. The second one, one of those who approved, first chooses a "
            "passphrase that nobody else knows: tact second --name NAME"
        )
        raise WorkspaceError(msg)
    communities = "with" if governed.communities else "without"
    say(f"A release of {workspace.path} for partners and the public, {communities} layers of communities.")
    seconds.confirm(second, governed.approvers, hidden(f"{second.name} confirms with their passphrase"))
    return second


def note(workspace: Workspace, second: seconds.Second | None, release: str) -> None:
    """Write down who released what: a line in approvals.csv, with a checksum of each tier's manifest."""
    if second is None:
        return
    folder = workspace.releases / release
    sums = [hashlib.sha256((folder / tier / MANIFEST).read_bytes()).hexdigest() for tier in TIERS]
    line = [_today(), release, _user(), second.name, second.replaced, *sums]
    ledger.append(workspace.path / ledger.APPROVALS, _COLUMNS, line)


def second(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="One of those who approved, as in governance.toml.")],
    lost: Annotated[
        bool, typer.Option("--lost", help="Replace a second person whose passphrase is lost; it is noted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose the passphrase with which a second person confirms each release. That person types it."""
    workspace = open_workspace(context)
    approvers = {one.casefold(): one for one in governance.read(workspace).approvers}
    if name.casefold() not in approvers:
        listed = ", ".join(approvers.values()) or "nobody"
        msg = f"{name} is none of those who approved, in governance.toml: {listed}."
        raise InputError(msg)
    with open_vault(workspace) as vault:
        now = seconds.appointed(vault)
        before = hidden(f"Passphrase of {now.name}, who is it now") if now and not lost else None
        chosen = choose(f"A passphrase that only {name} knows", seconds.check)
        made = seconds.appoint(vault, approvers[name.casefold()], chosen, before)
    emit(
        {"second": made.name, "since": made.since, "replaced": made.replaced or None},
        as_json,
        f"{made.name} confirms each release from now on.",
    )


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _user() -> str:
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(second)
