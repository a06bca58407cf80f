"""`tact init`: a workspace with an empty vault, its keys and its governance file."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from data.disclosure import policy_file
from data.restricted import governance, keys
from data.restricted.vault import Vault
from data.workspace import Workspace, default_path


def init(
    context: typer.Context,
    practice: Annotated[
        bool, typer.Option("--practice", help="Make a practice workspace for invented records.")
    ] = False,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Store the keys in the system keyring, not in files.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a workspace with an empty vault, two keys, a governance file and a page on data breaches."""
    workspace = Workspace.create(context.obj or default_path(), "invented" if practice else "real")
    governance.write_missing(workspace)
    existing = keys.load(workspace.key_id) if keys.has_keys(workspace.key_id) else None
    secrets = existing or keys.create(workspace.key_id, "keyring" if keyring else "file")
    Vault.create(workspace.vault, secrets).close()
    places = keys.find_locations(workspace.key_id)
    emit(
        {"workspace": str(workspace.path), "kind": workspace.kind, "keys": places},
        as_json,
        f"Made the workspace {workspace.path} for {workspace.kind} records.",
        f"Vault key: {places['vault']}",
        f"Identifier key: {places['identifier']}",
        "Without the keys nobody can read the records, not even you. Make a backup: tact backup FILE",
        f"What to do after a data breach: {workspace.path / governance.BREACH_FILE}. Print it.",
        *([] if practice else _list_first_steps(workspace)),
        "Next, in a browser: tact desk",
        "Or here: tact templates --to FOLDER, fill in a form, tact import FILE",
    )


def _list_first_steps(workspace: Workspace) -> list[str]:
    """List what must be written before real records are released."""
    policy = policy_file.read(workspace.path).policy
    return [
        f"Before the first release, fill in {workspace.path / governance.FILE}.",
        f"Set first and last in {workspace.path / policy_file.FILE} to the days of your programme: records of other "
        f"days are not counted. They are {policy.first} and {policy.last} now.",
    ]
