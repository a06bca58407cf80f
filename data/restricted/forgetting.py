"""Forget a child, or withdraw a partner: the steps that the command line and the desk share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from data.restricted import drafts, intake, keys
from data.restricted.intake.rejects import remove_lists
from data.restricted.vault import Vault
from data.workspace import Workspace
from data.workspace.folding import is_same_partner

Unknown = Literal["", "child", "number"]


def hash_child(secrets: keys.Keys, names: Sequence[str], vault: Vault | None = None) -> list[str]:
    """Return the hashes of a child from the texts of `intake.child_names`.

    With `vault`, the last ones are those under which it knows the child; the first, others that a later row may give.
    The partner may be written in another spelling than the vault has.
    """
    hasher = keys.IdentifierHasher(secrets.identifier)
    names = [*(intake.spell_names(names, vault.partners()) if vault else ()), *names]
    hashes = hasher.hash(names)
    if vault is None:
        return hashes
    known = intake.hash_codes([intake.split_name(name) for name in names], hasher.hash, vault.find_stored)
    return [*(hashed for hashed in hashes if hashed not in known), *known]


def find_unknown(vault: Vault, secrets: keys.Keys, names: Sequence[str], children: Sequence[str]) -> Unknown:
    """Return "child" if a child is unknown, "number" if only its programme number is; else empty.

    `names` come from `intake.child_names`, and `children` are their hashes. Identifiers in a draft are known too.
    """
    unknown = vault.find_unknown(children) - drafts.find_children(vault, secrets, children)
    if len(unknown) == len(children):
        return "child"
    return "number" if names[-1].startswith(intake.BY_NUMBER) and children[-1] in unknown else ""


def forget_child(workspace: Workspace, vault: Vault, secrets: keys.Keys, children: Sequence[str]) -> tuple[int, bool]:
    """Delete a child's records and reject later ones; return their number, and whether lists of rejects were removed.

    `children` are the hashes of the child. If a row of a draft links the child to another identifier, the records with
    that identifier are deleted too. The child's rows in drafts are also removed, but not counted.
    """
    with vault.writing():
        had_lists = remove_lists(workspace.rejects)
        deleted = vault.forget(children, drafts.find_links(vault, secrets))
        drafts.remove_children(vault, secrets, vault.forgotten_children())
        return deleted, had_lists


def find_partner(vault: Vault, name: str) -> str:
    """Return a partner's name as spelt in the vault, or else in a draft; raise InputError for an unknown partner."""
    drafted = next((partner for partner in drafts.list_partners(vault) if is_same_partner(partner, name)), None)
    return drafted if drafted and not _has_sent(vault, name) else vault.find_partner(name)


def withdraw_partner(workspace: Workspace, vault: Vault, name: str) -> tuple[int, bool]:
    """Delete all records that a partner sent; return their number, and whether lists of rejects were removed.

    The partner's drafts are removed too, but not counted. Raises InputError if there are neither records nor drafts.
    """
    with vault.writing():
        name = find_partner(vault, name)
        drafts.remove_partner(vault, name)
        had_lists = remove_lists(workspace.rejects, name)
        return vault.withdraw(name) if _has_sent(vault, name) else 0, had_lists


def list_replaced_vaults(workspace: Workspace) -> list[Path]:
    """List the vaults that were kept at a restore; they still contain records that were deleted later."""
    return sorted(workspace.vault.parent.glob(f"{workspace.vault.name}.before-*"))


def _has_sent(vault: Vault, name: str) -> bool:
    return any(is_same_partner(partner, name) for partner in vault.partners())
