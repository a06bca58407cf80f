"""The check value, which distinguishes a wrong key from a damaged file, and other checks of a vault."""

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

from data.errors import VaultError, WrongKey
from data.message import Message, join_messages
from data.restricted.keys import Secret
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.tables import APPLICATION, READABLE, TABLES, VERSION, term_name, unexplained_sql, upgrade_sql
from data.workspace import files

DB = "vault.db"
CHECK = "vault.check"
_DOMAIN = b"tact-map vault check v1"


@dataclass(frozen=True)
class _Check:
    """The salt of the database and the HMAC of this salt under the vault key, both in hexadecimal."""

    salt: str
    mac: str

    @property
    def sum(self) -> str:
        # Distinguishes a damaged check value from a wrong key; anybody can compute it.
        return hashlib.sha256(f"{self.salt}:{self.mac}".encode()).hexdigest()

    def fits(self, key: Secret) -> bool:
        return hmac.compare_digest(self.mac, _mac(key, bytes.fromhex(self.salt)))


def write(folder: Path, key: Secret) -> None:
    """Write the check value of the database in a folder; `key` is the key of the database."""
    salt = sql.read_salt(folder / DB)
    check = _Check(salt.hex(), _mac(key, salt))
    text = json.dumps({"format": 1, "salt": check.salt, "mac": check.mac, "sum": check.sum})
    files.write_text(folder / CHECK, text + "\n", mode=0o600)


def open_checked(folder: Path, key: Secret) -> sql.Connection:
    """Open the database of a vault and return the connection; write the check value if it is missing or damaged.

    A database of an earlier version is converted. Raises VaultError if there is no database or another version wrote
    it, WrongKey for another key, CorruptVault for a damaged database, VaultBusy or DiskFull if it cannot be converted.
    """
    db = folder / DB
    if not db.is_file():
        raise _missing_vault(folder)
    check = _read_check(folder)
    if check is not None and not check.fits(key):
        raise WrongKey(
            Message(
                "The key does not belong to the vault {folder}; the vault was not changed. Find the key "
                "that was made with it, or restore a backup with `tact restore`.",
                folder=folder,
            )
        )
    if check is not None and check.salt != sql.read_salt(db).hex():
        raise sql.corrupt_vault(db)
    connection = _open(db, key, known=check is not None)
    if check is None:
        write(folder, key)
    return connection


def find_problems(folder: Path, key: Secret, connection: sql.Connection) -> list[str]:
    """List what is wrong with the files, pages, structure and terms of an open vault, each with its remedy."""
    faults = _open_to_others(folder)
    check = _read_check(folder)
    if check is None or not check.fits(key) or check.salt != sql.read_salt(folder / DB).hex():
        faults.append(f"The file {folder / CHECK} is damaged. It is renewed when the vault is opened the next time.")
    if not is_intact(connection):
        faults.append(str(sql.corrupt_vault(folder / DB)))
        return faults
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        faults.append(str(_other_version(folder / DB)))
    elif any(
        connection.execute(unexplained_sql(kind, column), (term_name(kind, column),)).fetchone()[0]
        for kind, columns in TABLES.items()
        for column, storage in columns.items()
        if storage == "term"
    ):
        faults.append(f"Some records in {folder / DB} are damaged. Restore a backup.")
    return faults


def is_intact(connection: sql.Connection) -> bool:
    """Return whether every page is as it was written (HMAC) and the structure is sound."""
    try:
        if connection.execute("PRAGMA cipher_integrity_check").fetchall():
            return False
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
    except sql.Error:
        return False


def _open(db: Path, key: Secret, *, known: bool) -> sql.Connection:
    with sql.translating_errors(db):
        try:
            connection = sql.connect(db, key)
        except sql.Error as error:
            if known or getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise
            raise WrongKey(
                Message(
                    "The vault {db} did not open: either the key is not the one that was made with it, or the "
                    "file is damaged. {check}, which would tell, is missing or damaged as well. Try the right "
                    "key first, then `tact restore`.",
                    db=db,
                    check=CHECK,
                )
            ) from error
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION:
                raise sql.corrupt_vault(db)
            if version not in READABLE:
                raise _other_version(db)
            if version != VERSION:
                _upgrade(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _upgrade(connection: sql.Connection) -> None:
    """Convert a vault of an earlier version to this version, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:  # no other process has converted it meanwhile
            for statement in upgrade_sql(version):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _other_version(db: Path) -> VaultError:
    return VaultError(
        Message(
            "{db} was written by another version of this program, and this one reads format {version}. "
            "Use the version that wrote it, or a newer one.",
            db=db,
            version=VERSION,
        )
    )


def _read_check(folder: Path) -> _Check | None:
    """Read the check value; None when it is missing or damaged."""
    try:
        fields = json.loads((folder / CHECK).read_text(encoding="utf-8"))
        check = _Check(str(fields["salt"]), str(fields["mac"]))
        bytes.fromhex(check.salt)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return check if fields.get("sum") == check.sum else None


def _mac(key: Secret, salt: bytes) -> str:
    return key.mac(_DOMAIN, salt).hex()


def _missing_vault(folder: Path) -> VaultError:
    replaced = sorted(p.name for p in folder.parent.glob(f"{folder.name}.before-*")) if folder.parent else []
    if (folder / CHECK).exists():
        fault = Message("{file} was removed, though {check} is still there.", file=folder / DB, check=CHECK)
        remedy = Message("Put the file back, or the last backup with `tact restore`.")
    elif (folder.parent / "workspace.toml").exists():
        fault = Message("There is no vault at {folder}, so the records of this workspace are not here.", folder=folder)
        remedy = Message(
            "Put the folder back, or bring the records back from the last backup: tact --workspace "
            "'{folder}' restore FILE. A new vault would be empty.",
            folder=folder.parent,
        )
    else:
        fault = Message("There is no vault at {folder}.", folder=folder)
        remedy = Message("Make one with `tact init`.")
    parts = [fault, remedy]
    if replaced:
        hint = Message("Beside it stands {folder}, from before a restore: rename it back.", folder=replaced[-1])
        parts = [fault, hint, remedy]
    return VaultError(join_messages(parts))


def _open_to_others(folder: Path) -> list[str]:
    if os.name == "nt":
        return []
    return [
        f"Others on this machine can read {path}. Close it: chmod go-rwx '{path}'"
        for path in (folder, *sorted(folder.iterdir()))
        if path.stat().st_mode & 0o077
    ]
