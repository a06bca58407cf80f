"""A new vault key in place of the one that a vault was encrypted with.

In this order, a stored key opens the vault at each moment, even after a kill or a power cut:

1. A mark of the new key is stored in the vault. Then the new key is stored beside the old one.
2. SQLCipher encrypts all pages again in one transaction with a rollback journal, while no other process has the vault
   open. The end of the transaction is on disk before step 3 (`synchronous = EXTRA`), so that no power cut brings the
   journal back.
3. All pages of the vault are checked with the new key, and the forget log is encrypted with it. Then the new key
   replaces the old one.

`load_keys` finishes what was interrupted: a vault that still has the old key and the mark begins with step 2, one that
has the new key with step 3. A copy that the keyring still has of the vault's present key is removed. A new key that
fits neither way belongs to another copy of the workspace and is left alone.

The identifier key stays. docs/operations.md says why.
"""

import contextlib
import hmac
import shutil
from collections.abc import Iterable
from pathlib import Path

from data.errors import InputError, TactError, VaultBusy, VaultError
from data.restricted import keys
from data.restricted.keys import Keys, Secret
from data.restricted.vault import forget_log, health
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.lock import WriterLock
from data.workspace import Workspace

SOURCE_KEY = "source_key"  # in table meta: the key that hashes the names of files, since the vault key was changed
_NEXT_KEY = "next_key"  # in table meta: the mark of the key that the vault is about to get
_END_IT = "End it (tact desk: Ctrl+C), and run this again."


def hash_source(key: Secret, name: str) -> bytes:
    """Return the keyed hash of a file's name, 32 bytes."""
    return key.mac(b"tact-map import source v1", name.encode("utf-8", "surrogatepass"))


def load_keys(workspace: Workspace) -> Keys:
    """Finish an interrupted change of the vault key if there is one, and return both keys.

    Raises the errors of `keys.load`, VaultBusy while another process writes to the vault, and CorruptVault if the vault
    is damaged.
    """
    if keys.load_next(workspace.key_id) is None or not (workspace.vault / health.DB).is_file():
        return keys.load(workspace.key_id)
    with WriterLock(workspace.vault).holding():
        both, new = keys.load(workspace.key_id), keys.load_next(workspace.key_id)
        db = workspace.vault / health.DB
        if new is None:
            return both
        if new == both.vault:  # the keyring has taken the new key, and still has its copy
            if not keys.is_from_environment("vault"):
                keys.discard_next(workspace.key_id)
                _forget_mark(db, both.vault)
            return both
        if not _opens(db, new):
            if not _awaits(db, both.vault, new):
                return both
            try:
                _encrypt_anew(db, both.vault, new)
            except TactError:
                return both  # the vault is as it was; the next command tries again
        _settle(workspace, both.vault, new)
        return Keys(new, both.identifier)


def rotate_vault_key(workspace: Workspace, sources: Iterable[str]) -> None:
    """Encrypt the vault with a new key and store the new key in place of the old one.

    `sources` are the names of files by which an import must still be found afterwards (`Vault.is_from`). A key from the
    environment cannot be replaced: there TACT_NEW_VAULT_KEY must have the new one. Raises InputError if it has no new
    key, VaultBusy while another process has the vault open, VaultError if the new key cannot be stored, WrongKey,
    CorruptVault, DiskFull. An error leaves the old key and the vault as they were, or `load_keys` does the rest.
    """
    both = load_keys(workspace)
    stored = keys.load_next(workspace.key_id)
    by_hand = keys.is_from_environment("vault")
    new = _check_new_key(both, stored) if by_hand else Secret.random()
    if stored is not None and not by_hand:
        raise VaultError(find_problems(workspace)[0])
    db = workspace.vault / health.DB
    with WriterLock(workspace.vault).holding():
        with contextlib.closing(health.open_checked(workspace.vault, both.vault)) as connection:
            forget_log.read(forget_log.log_path(workspace.vault), both.vault)  # if it is damaged, nothing is changed
            if not health.is_intact(connection):
                raise sql.corrupt_vault(db)
            with sql.translating_errors(db):
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                keep_sources(connection, both.vault, sources)
                connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_NEXT_KEY, _mark(new)))
                connection.execute("COMMIT")
        try:
            if not by_hand:
                keys.store_next(workspace.key_id, new)
            _encrypt_anew(db, both.vault, new)
        except BaseException:
            if _opens(db, both.vault):
                _forget_mark(db, both.vault)
                if not by_hand:
                    keys.discard_next(workspace.key_id)
            raise
        _settle(workspace, both.vault, new)


def find_problems(workspace: Workspace) -> list[str]:
    """List the problems that a change of the vault key has left, each with its remedy; empty if there are none."""
    try:
        new = keys.load_next(workspace.key_id)
        both = load_keys(workspace) if new else None
    except VaultError:
        return []  # the check of the keys names what is wrong with them
    if new is None or both is None or (entry := keys.find_next(workspace.key_id)) == "":
        return []
    if not keys.is_from_environment("vault"):
        if new == both.vault:
            return [
                f"A second copy of the vault key was left by a change of the key: {entry}. Unlock the keyring and run "
                "tact doctor again, or remove that one entry, and no other: the records need the others."
            ]
        if _awaits(workspace.vault / health.DB, both.vault, new):
            return ["The change of the vault key was interrupted, and another process has the vault open. " + _END_IT]
        return [
            f"A new vault key that is not for this vault was found: {entry}. A change of the key was interrupted in "
            "another copy of this workspace: run tact doctor there. If there is no such copy, remove that key."
        ]
    if new == both.vault:
        return [f"Give TACT_VAULT_KEY the value of {keys.NEW_VAULT_KEY}, and remove {keys.NEW_VAULT_KEY}."]
    return []


def keep_sources(connection: sql.Connection, old: Secret, sources: Iterable[str]) -> None:
    """Store a key in the vault that hashes the names of files from now on; do nothing if the vault has one.

    Runs inside a transaction of the caller. The names of earlier files are not stored, so only those in `sources` are
    still recognised.
    """
    if connection.execute("SELECT 1 FROM meta WHERE name = ?", (SOURCE_KEY,)).fetchone():
        return
    secret = Secret.random()
    for name in sources:
        hashes = hash_source(secret, name), hash_source(old, name)
        connection.execute("UPDATE batch SET source = ? WHERE source = ?", hashes)
    connection.execute("INSERT INTO meta VALUES (?, ?)", (SOURCE_KEY, secret.reveal().hex()))


def _check_new_key(both: Keys, key: Secret | None) -> Secret:
    if key is not None and key != both.vault:
        return key
    raise InputError(
        f"The vault key comes from TACT_VAULT_KEY, which no command can change. Set {keys.NEW_VAULT_KEY} to a new key, "
        "64 hexadecimal digits (openssl rand -hex 32), keep it where you keep the other one, and run this again. "
        "Nothing was changed."
    )


def _encrypt_anew(db: Path, old: Secret, new: Secret) -> None:
    """Encrypt all pages with the new key, all or none.

    Raises VaultBusy while another process has the vault open, DiskFull, and VaultError if the new key does not open it.
    """
    # The journal holds all pages as they were. SQLCipher gives no reason where it finds no room for it.
    if shutil.disk_usage(db.parent).free < db.stat().st_size:
        raise sql.disk_full(db)
    with sql.translating_errors(db), contextlib.closing(sql.connect(db, old)) as connection:
        # Another process that has the vault open prevents this. From here on nobody can open it, until it is closed.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        with sql.without_waiting(connection):
            try:
                mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("COMMIT")
            except sql.Error as error:
                if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY":
                    raise
                mode = ""
        if mode != "delete":
            raise VaultBusy(
                f"Another process has the vault {db.parent} open: the desk, or another command. Nothing was changed. "
                f"{_END_IT}"
            )
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute(f"PRAGMA rekey = \"x'{new.reveal().hex()}'\"")
        # Before others can open it, so that with the old key they learn that it is the wrong one.
        health.write(db.parent, new)
    if not _opens(db, new):
        raise VaultError(f"The vault {db.parent} did not take the new key. Run tact doctor.")


def _settle(workspace: Workspace, old: Secret, new: Secret) -> None:
    """Check the vault under its new key, which then replaces the old one.

    Raises CorruptVault if it is damaged, and VaultError if its forget log is.
    """
    db = workspace.vault / health.DB
    with sql.translating_errors(db), contextlib.closing(sql.connect(db, new)) as connection:
        if not health.is_intact(connection):
            raise sql.corrupt_vault(db)
        health.write(workspace.vault, new)
        connection.execute("PRAGMA journal_mode = WAL")
    forget_log.change_key(forget_log.log_path(workspace.vault), old, new)
    keys.adopt_next(workspace.key_id)
    _forget_mark(db, new)


def _forget_mark(db: Path, key: Secret) -> None:
    """Remove the mark of the next key, and go back to the write-ahead log."""
    # What cannot be written now does no harm: without a next key, or under another, the mark means nothing.
    with contextlib.suppress(sql.Error), contextlib.closing(sql.connect(db, key)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM meta WHERE name = ?", (_NEXT_KEY,))


def _opens(db: Path, key: Secret) -> bool:
    """Return whether a key opens a database, whatever its check value says."""
    with sql.translating_errors(db):
        try:
            sql.connect(db, key).close()
        except sql.Error as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise
            return False
    return True


def _awaits(db: Path, old: Secret, new: Secret) -> bool:
    """Return whether a vault opens with its old key and has the mark of this new one."""
    if not _opens(db, old):
        return False
    with sql.translating_errors(db), contextlib.closing(sql.connect(db, old)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = ?", (_NEXT_KEY,)).fetchone()
    return row is not None and hmac.compare_digest(row[0], _mark(new))


def _mark(key: Secret) -> str:
    return key.mac(b"tact-map next vault key v1").hex()
