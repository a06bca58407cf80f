"""The second person: real records are not released by one pair of hands.

The first person is whoever can open the vault: the keys lie in an account of the system or in a keyring
that is theirs. The second is one of those who approved the processing (data/restricted/governance/__init__.py), and confirms each
single release with a passphrase that the first does not know. Only a salted scrypt hash of it is kept, in the
vault, so that no text editor puts another one in its place and a backup carries it along. Two names in a
file could be typed by one person, and an approval written beforehand would have to name the content of a
release that is only known once it is made; a passphrase at the moment of the release needs neither, and is
used up by that one release, which a log names with its checksums.

Whoever runs the program can also change it, so this stops habit and haste and not a determined officer. That
one leaves a trace: a second person may be replaced without their passphrase, since people leave and forget,
and the day on which that happened stands in the vault and in every later line of the log.
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

if TYPE_CHECKING:
    from data.restricted.vault import Vault

CHARACTERS = 12
_REMARK = "second person"
_COST = 2**15  # 32 MiB and a tenth of a second


@dataclass(frozen=True)
class Second:
    """Who confirms releases. replaced: when somebody took the place of another without their passphrase."""

    name: str
    since: str
    salt: str
    hash: str
    replaced: str = ""


def appointed(vault: Vault) -> Second | None:
    """Give the second person; None before there is one."""
    text = vault.read_remark(_REMARK)
    return Second(**json.loads(text)) if text else None


def appoint(vault: Vault, name: str, passphrase: str, before: str | None) -> Second:
    """Make somebody the second person; `before` is the passphrase of the one there is, None if it is lost.

    Raises InputError for a short passphrase or a wrong one before it.
    """
    check(passphrase)
    now, today = appointed(vault), dt.datetime.now(dt.UTC).date().isoformat()
    if now is not None and before is not None:
        _require(now, before)
    lost = now is not None and before is None
    salt = secrets.token_hex(16)
    replaced = today if lost else (now.replaced if now else "")
    made = Second(name, today, salt, _hash(passphrase, salt), replaced)
    vault.write_remark(_REMARK, json.dumps(asdict(made)))
    return made


def check(passphrase: str) -> None:
    """Raise InputError for a passphrase that is too short to be chosen."""
    if len(passphrase) < CHARACTERS:
        msg = f"The passphrase needs at least {CHARACTERS} characters, for example four random words."
        raise InputError(msg)


def confirm(second: Second, approvers: tuple[str, ...], passphrase: str) -> None:
    """Check a confirmation. Raises WorkspaceError when the person approves no more, InputError when wrong."""
    if second.name.casefold() not in {name.casefold() for name in approvers}:
        msg = f"{second.name} does not approve any more, says governance.toml. Run: tact second --name NAME"
        raise WorkspaceError(msg)
    _require(second, passphrase)


def _require(second: Second, passphrase: str) -> None:
    if not hmac.compare_digest(_hash(passphrase, second.salt), second.hash):
        msg = f"That is not the passphrase of {second.name}. Nothing was changed and nothing released."
        raise InputError(msg)


def _hash(passphrase: str, salt: str) -> str:
    text = unicodedata.normalize("NFC", passphrase).encode()
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), n=_COST, r=8, p=1, maxmem=2**26).hex()
