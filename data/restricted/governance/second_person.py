"""The second person: a release of real records needs two people.

The first person is the data officer, who can open the vault with the keys. The second is one of the people
who approved the processing (data/restricted/governance/__init__.py), and confirms each release with a
passphrase that the first does not know. Only a salted scrypt hash of it is stored, in the vault, so that it
cannot be changed with a text editor and a backup includes it. Two names in a file could be typed by one
person, and an approval written beforehand could not name the content of the release; a passphrase at the
moment of the release avoids both, and confirms that one release, which a log names with its checksums.

A person who runs the program can also change it, so this prevents habit and haste, not fraud. Fraud leaves a trace: a
second person may be replaced without their passphrase, because people leave and forget, and the day of this is stored
in the vault and in every later line of the log.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from data.errors import InputError, WorkspaceError
from data.message import Message
from data.workspace.passphrases import check_passphrase

if TYPE_CHECKING:
    from data.restricted.vault import Vault

_NOTE = "second person"
_COST = 2**15  # 32 MiB and a tenth of a second


@dataclass(frozen=True)
class SecondPerson:
    """The person who confirms releases.

    replaced: the last day on which a second person was replaced without their passphrase, or empty.
    """

    name: str
    since: str
    salt: str
    hash: str
    replaced: str = ""


def read(vault: Vault) -> SecondPerson | None:
    """Return the second person; None if none is appointed."""
    text = vault.read_note(_NOTE)
    return SecondPerson(**json.loads(text)) if text else None


def appoint(vault: Vault, name: str, passphrase: str, old_passphrase: str | None) -> SecondPerson:
    """Store and return the second person; `old_passphrase` is that of the present one, or None if it is lost.

    If a present person is replaced without it, the day of this is stored too. Raises InputError when the new passphrase
    is short or common, or `old_passphrase` is wrong.
    """
    check_passphrase(passphrase, known=[name])
    current, today = read(vault), dt.datetime.now(dt.UTC).date().isoformat()
    replaced = current.replaced if current else ""
    if current is not None and old_passphrase is not None:
        check_passphrase_of(current, old_passphrase)
    elif current is not None:
        replaced = today
    salt = secrets.token_hex(16)
    person = SecondPerson(name, today, salt, _hash(passphrase, salt), replaced)
    vault.write_note(_NOTE, json.dumps(asdict(person)))
    return person


def find_approver(approvers: tuple[str, ...], name: str) -> str:
    """Return a name as the list of approvers spells it, in any case of letters; empty if it is not in the list."""
    return next((approver for approver in approvers if approver.casefold() == name.casefold()), "")


def confirm(person: SecondPerson, approvers: tuple[str, ...], passphrase: str) -> None:
    """Check that a person may confirm a release and that the passphrase is right.

    Raises WorkspaceError when the person is no longer an approver, InputError for a wrong passphrase.
    """
    if not find_approver(approvers, person.name):
        msg = Message(
            "{name} does not approve any more, says governance.toml. Run: tact second --name NAME", name=person.name
        )
        raise WorkspaceError(msg)
    check_passphrase_of(person, passphrase)


def check_passphrase_of(person: SecondPerson, passphrase: str) -> None:
    """Check the passphrase of a person; raise InputError if it is wrong."""
    if not hmac.compare_digest(_hash(passphrase, person.salt), person.hash):
        raise InputError(
            Message("That is not the passphrase of {name}. Nothing was changed and nothing released.", name=person.name)
        )


def _hash(passphrase: str, salt: str) -> str:
    text = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), n=_COST, r=8, p=1, maxmem=2**26).hex()
