"""`tact init`: a workspace with an empty vault, its keys and its governance file."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from data.restricted import governance, keys
from data.restricted.vault import Vault
from data.workspace import Workspace, default_path


def init(
    context: typer.Context,
    practice: Annotated[
        bool, typer.Option("--practice", help="A workspace for invented records, to learn with.")
    ] = False,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Keep the keys in the system keyring, not in files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a workspace, an empty vault and its two keys; the governance file to fill in and a breach page."""
    workspace = Workspace.create(context.obj or default_path(), "invented" if practice else "real")
    governance.ensure(workspace)
    found = keys.load(workspace.id) if keys.exist(workspace.id) else None
    secrets = found or keys.create(workspace.id, "keyring" if keyring else "file")
    Vault.create(workspace.vault, secrets).close()
    where = keys.locations(workspace.id)
    emit(
        {"workspace": str(workspace.path), "kind": workspace.kind, "keys": where},
        as_json,
        f"Made the workspace {workspace.path} for {workspace.kind} records.",
        f"Vault key: {where['vault']}",
        f"Identifier key: {where['identifier']}",
        "Without the keys nobody can read the records, you included. Make a backup: tact backup FILE",
        f"What to do when records get into wrong hands: {workspace.path / governance.BREACH_FILE}. Print it.",
        *([] if practice else [f"A release needs {workspace.path / governance.FILE}, filled in."]),
        "Next: tact templates --to FOLDER, fill a form, tact import FILE",
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)
