"""Records that are entered by hand and not imported yet. They are stored in the vault, encrypted like all of it.

Until it is imported, a draft has the identifiers of children as they were typed. So the rows of a child who is
forgotten, and of a partner who withdraws, are removed from the drafts too, and a backup contains no drafts.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from data.errors import InputError
from data.message import Message
from data.restricted import intake, keys
from data.restricted.intake.memory_file import MemoryFile
from data.restricted.vault import Vault, tables
from data.schema import get_kind
from data.schema.kinds import KINDS
from data.workspace.folding import is_same_partner

_OF_CHILDREN = tuple(kind.name for kind in KINDS.values() if kind.of_children)
Row = Mapping[str, str]


@dataclass(frozen=True)
class Draft:
    """The rows of one kind that were entered for a partner; a row maps columns of the kind's file to texts."""

    kind: str
    partner: str = ""
    rows: tuple[Row, ...] = ()


def read_draft(vault: Vault, kind: str) -> Draft:
    """Return the draft of a kind; an empty one if there is none."""
    text = vault.read_note(tables.DRAFT + kind)
    if not text:
        return Draft(kind)
    fields = json.loads(text)
    return Draft(kind, fields["partner"], tuple(fields["rows"]))


def write_draft(vault: Vault, draft: Draft) -> None:
    """Store a draft in place of the earlier one of its kind; a draft without rows removes it."""
    text = json.dumps({"partner": draft.partner, "rows": [dict(row) for row in draft.rows]}) if draft.rows else ""
    if text != (vault.read_note(tables.DRAFT + draft.kind) or ""):
        vault.write_note(tables.DRAFT + draft.kind, text)


def add_row(vault: Vault, kind: str, partner: str, row: Row) -> None:
    """Add a row to the draft of a kind; raise InputError if the draft is for another partner."""
    with vault.writing():
        draft = read_draft(vault, kind)
        if draft.rows and not is_same_partner(draft.partner, partner):
            raise InputError(
                Message(
                    "There is a draft for {partner} now, so nothing was added. Import it before you enter "
                    "records of another partner.",
                    partner=draft.partner,
                )
            )
        write_draft(vault, Draft(kind, draft.partner or partner, (*draft.rows, row)))


def take_out(vault: Vault, part: Draft) -> None:
    """Remove the rows of `part` from the draft of its kind; raise InputError as `find_rest` does."""
    with vault.writing():
        write_draft(vault, find_rest(vault, part))


def find_rest(vault: Vault, part: Draft) -> Draft:
    """Return the draft of a kind without the rows of `part`.

    Raises InputError if one of these rows is not in the draft, or if the draft is for another partner.
    """
    draft = read_draft(vault, part.kind)
    rest = list(draft.rows)
    for row in part.rows:
        if row not in rest or not is_same_partner(draft.partner, part.partner):
            raise InputError(Message("The draft has changed meanwhile. Nothing was done. Look at it again."))
        rest.remove(row)
    return Draft(draft.kind, draft.partner, tuple(rest))


def make_file(kind: str, rows: Sequence[Row]) -> MemoryFile:
    """Return rows as a file with our own headings, in memory, to be checked and imported like any other."""
    names = [column.name for column in get_kind(kind).file_columns]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return MemoryFile(_name_file(kind), text.getvalue().encode())


def list_files() -> list[str]:
    """Return the names of files under which drafts are imported."""
    return [_name_file(kind) for kind in KINDS]


def is_by_hand(vault: Vault, number: int, kind: str) -> bool:
    """Return whether an import of a kind was a draft, so that there is no file to import again."""
    return vault.is_from(number, _name_file(kind))


def _name_file(kind: str) -> str:
    return f"{kind}-by-hand.csv"


def find_children(vault: Vault, secrets: keys.Keys, children: Collection[str]) -> frozenset[str]:
    """Return those of the hashes `children` that belong to a row of a draft."""
    return frozenset(children).intersection(itertools.chain.from_iterable(_hash_drafts(vault, secrets)))


def find_links(vault: Vault, secrets: keys.Keys) -> list[tuple[str, str]]:
    """Return both hashes of a child for each row of a draft that has both identifiers: an import keeps only one."""
    return [(hashes[0], hashes[1]) for hashes in _hash_drafts(vault, secrets) if len(hashes) > 1]


def remove_children(vault: Vault, secrets: keys.Keys, children: Collection[str]) -> None:
    """Remove from the drafts the rows of children with these hashes."""
    hasher = keys.IdentifierHasher(secrets.identifier)
    for kind in _OF_CHILDREN:
        draft = read_draft(vault, kind)
        rows = [row for row in draft.rows if not set(_hash_row(hasher, draft.partner, row)).intersection(children)]
        write_draft(vault, Draft(kind, draft.partner, tuple(rows)))


def list_partners(vault: Vault) -> list[str]:
    """List the partners that have a draft."""
    return sorted({read_draft(vault, kind).partner for kind in KINDS} - {""})


def remove_partner(vault: Vault, partner: str) -> None:
    """Remove the drafts of a partner."""
    for kind in KINDS:
        if is_same_partner(read_draft(vault, kind).partner, partner):
            write_draft(vault, Draft(kind))


def _hash_drafts(vault: Vault, secrets: keys.Keys) -> Iterator[list[str]]:
    hasher = keys.IdentifierHasher(secrets.identifier)
    for draft in (read_draft(vault, kind) for kind in _OF_CHILDREN):
        for row in draft.rows:
            yield _hash_row(hasher, draft.partner, row)


def _hash_row(hasher: keys.IdentifierHasher, partner: str, row: Row) -> list[str]:
    return hasher.hash(intake.child_names(partner, row.get("child_id", ""), row.get("programme_number", "")))
