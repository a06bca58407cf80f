"""`tact second`, and what a release of real records needs: a complete governance file and two people."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
from contextlib import suppress
from typing import Annotated

import typer

from dashboard.commands.asking import ask_hidden, choose_passphrase
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from data.errors import InputError, WorkspaceError
from data.release import MANIFEST
from data.restricted import governance
from data.restricted.governance import ledger, second_person
from data.restricted.governance.second_person import SecondPerson
from data.restricted.passphrases import check_passphrase
from data.restricted.vault import Vault, open_vault
from data.tables.spec import TIERS
from data.workspace import Workspace

_COLUMNS = ("day", "release", "released_by", "confirmed_by", "replaced", *TIERS)


def confirm_release(workspace: Workspace, vault: Vault, governed: governance.Governance) -> SecondPerson | None:
    """Ask the second person to confirm the next release; return None for invented records."""
    if workspace.invented:
        return None
    governed.require()
    person = second_person.read(vault)
    if person is None:
        raise WorkspaceError(
            "A release of real records needs two people. The second person first chooses a passphrase that "
            "nobody else knows: tact second --name NAME"
        )
    communities = "with" if governed.communities else "without"
    say(f"A release of {workspace.path} for partners and the public, {communities} community layers.")
    passphrase = ask_hidden(f"{person.name} confirms with their passphrase")
    second_person.confirm(person, governed.approvers, passphrase)
    return person


def log_approval(workspace: Workspace, person: SecondPerson | None, release: str) -> None:
    """Add a line to approvals.csv: the people, the release, and a checksum of each tier's manifest."""
    if person is None:
        return
    folder = workspace.releases / release
    sums = [hashlib.sha256((folder / tier / MANIFEST).read_bytes()).hexdigest() for tier in TIERS]
    today = dt.datetime.now(dt.UTC).date().isoformat()
    line = [today, release, _user(), person.name, person.replaced, *sums]
    ledger.append_line(workspace.path / ledger.APPROVALS, _COLUMNS, line)


def second(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="Name of the second person, as in governance.toml.")],
    lost: Annotated[
        bool, typer.Option("--lost", help="Replace a lost passphrase; this is written to the log.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let the second person choose the passphrase that confirms each release. That person types it."""
    workspace = open_workspace(context)
    approvers = {approver.casefold(): approver for approver in governance.read(workspace).approvers}
    if name.casefold() not in approvers:
        names = ", ".join(approvers.values()) or "nobody"
        raise InputError(f"{name} is not one of the people who approve in governance.toml: {names}.")
    with open_vault(workspace) as vault:
        current = second_person.read(vault)
        before = None
        if current and not lost:
            before = ask_hidden(f"Passphrase of {current.name}, the current second person")
        passphrase = choose_passphrase(f"A passphrase that only {name} knows", check_passphrase)
        person = second_person.appoint(vault, approvers[name.casefold()], passphrase, before)
    emit(
        {"second": person.name, "since": person.since, "replaced": person.replaced or None},
        as_json,
        f"{person.name} confirms each release from now on.",
    )


def _user() -> str:
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return ""
