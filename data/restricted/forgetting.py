"""Forgetting a child and taking a partner out, as the command line and the desk do it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from data.restricted import drafts, intake, keys
from data.restricted.intake.rejects import remove_lists
from data.restricted.vault import Vault
from data.workspace import Workspace

Unknown = Literal["", "child", "number"]


def hash_child(secrets: keys.Keys, names: Sequence[str]) -> list[str]:
    """Return the hashes of a child from the texts of `intake.child_names`."""
    return keys.IdentifierHasher(secrets.identifier).hash(names)


def find_unknown(vault: Vault, names: Sequence[str], children: Sequence[str]) -> Unknown:
    """Return whether no record has the child at all, or only its programme number is in none; empty if all is known."""
    unknown = vault.find_unknown(children)
    if len(unknown) == len(children):
        return "child"
    return "number" if names[-1].startswith(intake.BY_NUMBER) and children[-1] in unknown else ""


def forget_child(workspace: Workspace, vault: Vault, secrets: keys.Keys, children: Sequence[str]) -> tuple[int, bool]:
    """Delete a child's records and reject later ones; return their number, and whether lists of rows were removed."""
    with vault.writing():
        drafts.remove_child(vault, secrets, children)
        had_lists = remove_lists(workspace.rejects)
        return vault.forget(children), had_lists


def withdraw_partner(workspace: Workspace, vault: Vault, name: str) -> tuple[int, bool]:
    """Delete all records that a partner sent; return their number, and whether lists of rows were removed."""
    with vault.writing():
        drafts.remove_partner(vault, name)
        had_lists = remove_lists(workspace.rejects, name)
        return vault.withdraw(name), had_lists


def list_replaced_vaults(workspace: Workspace) -> list[Path]:
    """List the vaults that were kept from before a restore; they still contain what was deleted since."""
    return sorted(workspace.vault.parent.glob(f"{workspace.vault.name}.before-*"))
