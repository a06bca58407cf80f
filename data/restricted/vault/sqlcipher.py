"""Connections to encrypted databases, and messages for their errors."""

import contextlib
import sqlite3 as codes  # of errors, which SQLCipher shares
from collections.abc import Iterator
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher
from sqlcipher3.dbapi2 import Connection as Connection
from sqlcipher3.dbapi2 import Error as Error

from data.errors import CorruptVault, DiskFull, TactError, VaultBusy, VaultError
from data.message import Message
from data.restricted.keys import Secret
from data.workspace.files import has_no_room

SALT_BYTES = 16
_BUSY_SECONDS = 5.0


def connect(path: Path, key: Secret, *, create: bool = False) -> Connection:
    """Open a database with a raw key; with `create`, make it if it is missing. The caller begins and ends transactions.

    Errors of the database are not translated, because only the caller has the check value that
    distinguishes a wrong key from a damaged file.
    """
    return _open(path, f"\"x'{key.reveal().hex()}'\"", create=create)


def connect_with_passphrase(path: Path, passphrase: str, *, create: bool = False) -> Connection:
    """Open a database as `connect` does, with a key that SQLCipher derives (PBKDF2, SHA-512, 256,000 rounds)."""
    quoted = passphrase.replace("'", "''")
    return _open(path, f"'{quoted}'", create=create)


def _open(path: Path, key: str, *, create: bool) -> Connection:
    uri = f"{Path(path).absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection: Connection = sqlcipher.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
    try:
        # SQLCipher writes page numbers and key errors to stderr otherwise. Before the key is set.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = {key}")
        # Always the format of version 4, whatever the default of a later library is.
        connection.execute("PRAGMA cipher_compatibility = 4")
        # Sorting and temporary tables never touch the disk unencrypted.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def without_waiting(connection: Connection) -> Iterator[None]:
    """Make statements in the block fail at once when another connection has a lock."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_SECONDS * 1000)}")


def read_salt(path: Path) -> bytes:
    """Read the first sixteen bytes of a database, the salt, which are not encrypted."""
    with path.open("rb") as file:
        return file.read(SALT_BYTES)


@contextlib.contextmanager
def translating_errors(path: Path) -> Iterator[None]:
    """Raise errors of the database in the block as VaultError, CorruptVault, VaultBusy or DiskFull.

    Their messages name the file and never a value.
    """
    try:
        yield
    except Error as error:
        raise _translate(error, path) from error


def _translate(error: Error, path: Path) -> TactError:
    code = getattr(error, "sqlite_errorcode", codes.SQLITE_ERROR) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code == codes.SQLITE_FULL or (code == codes.SQLITE_IOERR and has_no_room(path)):
        return disk_full(path)
    if code in (codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB):
        return corrupt_vault(path)
    if code in (codes.SQLITE_BUSY, codes.SQLITE_LOCKED):
        return VaultBusy(Message("{path} is being written by another process. Try again in a minute.", path=path))
    if code in (codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM):
        return VaultError(
            Message(
                "{path} cannot be written ({name}). Check that the file and its folder are yours: ls -ld '{parent}'",
                path=path,
                name=name,
                parent=path.parent,
            )
        )
    if code == codes.SQLITE_IOERR:
        return VaultError(
            Message(
                "The disk failed while {path} was read or written ({name}); nothing was changed. Check the "
                "disk and run `tact doctor`.",
                path=path,
                name=name,
            )
        )
    return VaultError(
        Message("The database refused the operation ({name}) on {path}. Run `tact doctor`.", name=name, path=path)
    )


def disk_full(path: Path) -> DiskFull:
    """Return the error for a full disk."""
    return DiskFull(
        Message(
            "The disk with {path} is full; nothing was changed. Free some space and run the command again.", path=path
        )
    )


def corrupt_vault(path: Path) -> CorruptVault:
    """Return the error for a damaged file."""
    return CorruptVault(
        Message(
            "{path} is damaged, although the key is right. Nothing was changed. Keep a copy of the "
            "file and restore the last backup with `tact restore`.",
            path=path,
        )
    )
