"""`tact keys`: where the keys lie and what they protect, and a new vault key."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.asking import require_person, require_yes
from dashboard.commands.output import Json, emit, format_table, say
from dashboard.commands.workspace import open_workspace
from data.restricted import drafts, forgetting, keys
from data.restricted.vault.rotation import rotate_vault_key
from data.workspace import Workspace

app = typer.Typer(
    help="The keys of a workspace: where they lie, what they protect, a new vault key.", no_args_is_help=True
)

_PROTECTS = {
    "vault": "opens the records; without it they are lost",
    "identifier": "hides which child a record and a published number is about; it cannot be changed",
}
_BACKUPS = (
    "Older backups hold the old key and open with their own passphrase as before; they can be restored here. Destroy "
    "those that may be in the wrong hands, and make a new one now: tact backup FILE"
)


@app.command()
def show(context: typer.Context, as_json: Json = False) -> None:
    """Say where each key lies and what it protects. No key is shown."""
    workspace = open_workspace(context)
    places = keys.find_locations(workspace.key_id)
    rows = [(name, places[name] or "not found", protects) for name, protects in _PROTECTS.items()]
    emit(
        [{"key": name, "place": places[name], "protects": protects} for name, _, protects in rows],
        as_json,
        *format_table([("key", "where", "what it does"), *rows]),
    )


@app.command()
def rotate(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Change the key without asking, for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Encrypt the vault with a new vault key, and remove the old one.

    Records, published numbers and the identifier key stay as they are. End tact desk first, and make a backup after it.
    """
    workspace = open_workspace(context)
    if not yes:
        _require_yes(workspace, as_json=as_json)
    rotate_vault_key(workspace, drafts.list_files())
    place = keys.find_locations(workspace.key_id)["vault"]
    emit(
        {"rotated": "vault", "place": place},
        as_json,
        f"The vault has a new key: {place}.",
        *(
            [f"Now give TACT_VAULT_KEY the value of {keys.NEW_VAULT_KEY}, and remove {keys.NEW_VAULT_KEY}."]
            if keys.is_from_environment("vault")
            else []
        ),
        _BACKUPS,
        *_list_old_vaults(workspace),
    )


def _require_yes(workspace: Workspace, *, as_json: bool) -> None:
    """Ask for a yes; raise InputError if nobody can answer, or for another answer."""
    what = (
        f"The vault {workspace.vault} will be encrypted with a new key, and the old key is removed. Copies of the "
        "vault that were made before cannot be opened here any more; who has such a copy and the old key still can. "
        "Backups stay as they are."
    )
    require_person(what, "To change the key without asking", as_json=as_json)
    for line in (what, *_list_old_vaults(workspace)):
        say(line)
    require_yes("Type yes to change the vault key")


def _list_old_vaults(workspace: Workspace) -> list[str]:
    """Return sentences on vaults from before a restore, which have the old key."""
    return [
        f"{path}, kept from before a restore, opens with the old key alone. Remove it: rm -r '{path}'"
        for path in forgetting.list_replaced_vaults(workspace)
    ]
