"""The file of a backup: a SQLCipher database encrypted with a passphrase, with a manifest that holds both keys.

The key is derived by PBKDF2 with SHA-512 and 256,000 rounds, and each page has an HMAC. So the file can be
stored anywhere, and damage is found before anything is replaced.
"""

import contextlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.disclosure import policy_file
from data.errors import CorruptVault, InputError, WrongKey
from data.message import Message
from data.restricted import governance
from data.restricted.governance import logs
from data.restricted.keys import Keys, Secret
from data.restricted.vault import health, tables
from data.restricted.vault import sqlcipher as sql
from data.workspace import name_keys

APPLICATION = 0x54414342  # "TACB", in the file's header
DOCUMENTS = (governance.FILE, policy_file.FILE, logs.APPROVALS, logs.EXPORTS)


@dataclass(frozen=True)
class Manifest:
    """The description of the workspace in a backup, with both keys."""

    workspace_id: str
    kind: str
    start_month: int
    keys: Keys
    day: str  # on which the backup was written (UTC, ISO)

    @property
    def key_id(self) -> str:
        """The name by which the workspace's keys are found."""
        return name_keys(self.workspace_id, self.kind)


@contextlib.contextmanager
def open_backup(file: Path, passphrase: str) -> Iterator[tuple[sql.Connection, Manifest]]:
    """Open a backup and check its whole content; yield the connection and the manifest.

    Raises WrongKey if the passphrase does not open the file, CorruptVault if the backup is damaged, and InputError if
    the file is not a backup or is one of an unknown version.
    """
    with sql.translating_errors(file):
        try:
            connection = sql.connect_with_passphrase(file, normalize_passphrase(passphrase))
        except sql.Error as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise damaged_backup(file) from error
            raise WrongKey(
                Message(
                    "The passphrase does not open {file}. If it is right, the file is not a backup or is "
                    "damaged: try another copy. Nothing was changed.",
                    file=file,
                )
            ) from error
        try:
            yield connection, _check(file, connection)
        finally:
            connection.close()


def _check(file: Path, connection: sql.Connection) -> Manifest:
    if not health.is_intact(connection):
        raise damaged_backup(file)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION or read_version(connection) not in tables.READABLE:
        raise InputError(Message("{file} is not a backup that this version of the program can read.", file=file))
    return _parse_manifest(file, dict(connection.execute("SELECT name, value FROM backup_manifest")))


def _parse_manifest(file: Path, entries: dict[str, Any]) -> Manifest:
    try:
        both = Keys(*(Secret(bytes.fromhex(entries[f"{name}_key"])) for name in ("vault", "identifier")))
        return Manifest(
            entries["workspace_id"], entries["kind"], int(entries["start_month"]), both, entries["created"][:10]
        )
    except (KeyError, ValueError):
        raise damaged_backup(file) from None


def attach_copy(connection: sql.Connection, file: Path, key: str) -> None:
    """Attach an empty file as `copy`, encrypted with `key`: a passphrase, or a raw key in the form x'...'.

    It is filled in one transaction; the caller flushes it to disk.
    """
    connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(file), key))
    connection.execute("PRAGMA copy.journal_mode = OFF")
    connection.execute("PRAGMA copy.synchronous = OFF")


def copy_tables(connection: sql.Connection, version: int) -> None:
    """Copy the tables of a vault into `copy`, without drafts, and nothing else from its database."""
    for statement in (*tables.create_sql("copy"), *tables.copy_sql("copy", version)):
        connection.execute(statement)


def read_version(connection: sql.Connection) -> int:
    """Return the version of the format of a vault or backup."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def normalize_passphrase(text: str) -> str:
    """Return a passphrase in NFC and without NUL; keyboards encode accented letters in different ways."""
    return unicodedata.normalize("NFC", text).replace("\0", "")


def damaged_backup(file: Path) -> CorruptVault:
    """Return the error for a backup that is damaged or incomplete."""
    return CorruptVault(
        Message(
            "The backup {file} is damaged or incomplete. Nothing was changed. Use another copy of it "
            "or an earlier backup.",
            file=file,
        )
    )
