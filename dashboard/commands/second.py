"""`tact second`, and what a release of real records needs: a complete governance file and two people."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from dashboard.commands.asking import ask_hidden, choose_passphrase
from dashboard.commands.output import Json, emit, say
from dashboard.commands.workspace import open_workspace
from dashboard.narrative.coverage import describe_coverage
from data.restricted import governance, publication
from data.restricted.governance import second_person
from data.restricted.governance.second_person import SecondPerson
from data.restricted.vault import Vault, open_vault
from data.workspace import Workspace
from data.workspace.passphrases import check_passphrase


def confirm_release(workspace: Workspace, vault: Vault) -> SecondPerson | None:
    """Ask the second person to confirm the next release, and return that person; None for invented records.

    Raises WorkspaceError if governance.toml is not complete, nobody is appointed or the person is no approver any more;
    InputError for a wrong passphrase.
    """

    def ask(person: SecondPerson) -> str:
        communities = "with" if governance.read(workspace).communities else "without"
        say(f"A release of {workspace.path} for partners and the public, {communities} community layers.")
        covered = publication.find_coverage(workspace, vault)
        for sentence in describe_coverage(covered.span, covered.years, covered.later):
            say(sentence)
        if covered.years:
            say("Go on only if the files of all partners for these years are imported. Ctrl+C stops.")
        return ask_hidden(f"{person.name} confirms with their passphrase")

    return publication.confirm(workspace, vault, ask)


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
    publication.require_approver(workspace, name)
    with open_vault(workspace) as vault:
        current = second_person.read(vault)
        before = None
        if current and not lost:
            before = ask_hidden(f"Passphrase of {current.name}, the current second person")
        passphrase = choose_passphrase(f"A passphrase that only {name} knows", partial(check_passphrase, known=[name]))
        person = publication.appoint_second(workspace, vault, name, passphrase, before)
    emit(
        {"second": person.name, "since": person.since, "replaced": person.replaced or None},
        as_json,
        f"{person.name} confirms each release from now on.",
    )
