"""Backup and restore: one file that holds the records and both keys, under a passphrase.

The file is a SQLCipher database of its own, keyed by the passphrase (PBKDF2 with SHA-512, 256,000
rounds, an HMAC on each page), so that it can lie anywhere and damage is found before anything is
replaced. With it go the partners' column mappings, the governance file with its logs, the policy, the plans
that were kept, and the releases: a published number is repeated until enough children have changed, and that
needs what was published. Imported boundaries stand in each release.

Before a restored vault gets its name, whoever stands in the workspace's forget log is forgotten in it
(data/restricted/vault/forget_log.py), and the log of the backup is joined to that of the workspace.
"""

import contextlib
import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.disclosure import policy_file
from data.errors import CorruptVault, InputError, VaultError, WorkspaceError, WrongKey
from data.restricted import governance, keys
from data.restricted.backup import folders
from data.restricted.governance import ledger
from data.restricted.keys import Keys, Secret
from data.restricted.vault import Vault, building, open_vault, removal, tables
from data.restricted.vault import forget_log as log
from data.restricted.vault import health as checking
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.lock import WriterLock
from data.workspace import Workspace, files

__all__ = [
    "PASSPHRASE_CHARACTERS",
    "Restored",
    "backup",
    "check_passphrase",
    "find",
    "refuse_target",
    "restore",
]

PASSPHRASE_CHARACTERS = 12
_APPLICATION = 0x54414342  # "TACB", in the file's header
_FORMAT = "1"
_DOCUMENTS = (governance.FILE, policy_file.FILE, ledger.APPROVALS, ledger.EXPORTS)


@dataclass(frozen=True)
class Restored:
    """What a restore did: the workspace, where an earlier vault is kept, which releases and plans came."""

    workspace: Workspace
    has_records: bool
    wrote_keys: bool
    kept: Path | None
    releases: tuple[str, ...]
    plans: int = 0

    @property
    def path(self) -> Path:
        """The workspace's folder."""
        return self.workspace.path


@dataclass(frozen=True)
class _Manifest:
    """What a backup says about the workspace it was made from."""

    workspace_id: str
    kind: str
    start_month: int
    keys: Keys


# -- backup --


def backup(workspace: Workspace, both: Keys, to: Path, passphrase: str) -> None:
    """Write the vault, both keys and the mappings into one new file (mode 600).

    Raises InputError when the file exists or the passphrase is short, VaultBusy during an import,
    CorruptVault rather than copy a damaged vault, DiskFull. The file gets its name only when it was
    read back whole.
    """
    to, passphrase = refuse_target(to), check_passphrase(passphrase)
    with open_vault(workspace, both) as vault, vault.writing():
        try:
            with files.replacing(to, mode=0o600) as part:
                _write(workspace, both, part, passphrase)
                with _opened(part, passphrase) as (_, manifest):
                    if manifest.keys != both:
                        raise _damaged(to)
        except OSError as error:
            msg = f"The backup {to} could not be written: {error.strerror}. Choose a folder that is yours."
            raise InputError(msg) from error


def refuse_target(to: Path) -> Path:
    """Give the whole path of a backup to be written; raise InputError where it cannot be."""
    to = Path(to).absolute()
    if to.exists():
        msg = f"{to} exists already, and a backup is never written over. Choose another name."
        raise InputError(msg)
    if not to.parent.is_dir():
        msg = f"There is no folder {to.parent} to write the backup to. Make it first."
        raise InputError(msg)
    return to


def _write(workspace: Workspace, both: Keys, part: Path, passphrase: str) -> None:
    db = workspace.vault / checking.DB
    with sql.translated(part), contextlib.closing(sql.connect(db, both.vault)) as connection:
        if not checking.whole(connection):
            raise sql.corrupt(db)
        _attach(connection, part, passphrase)
        connection.execute("BEGIN")
        _copy_tables(connection, tables.VERSION)
        connection.execute("CREATE TABLE copy.backup_manifest (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        connection.execute("CREATE TABLE copy.backup_mapping (name TEXT PRIMARY KEY, content BLOB NOT NULL)")
        connection.executemany("INSERT INTO copy.backup_manifest VALUES (?, ?)", _entries(workspace, both))
        connection.executemany("INSERT INTO copy.backup_mapping VALUES (?, ?)", _mappings(workspace))
        connection.execute("CREATE TABLE copy.backup_document (name TEXT PRIMARY KEY, content BLOB NOT NULL)")
        connection.executemany("INSERT INTO copy.backup_document VALUES (?, ?)", _documents(workspace))
        connection.execute(folders.CREATE_RELEASES)
        connection.executemany(
            "INSERT INTO copy.backup_release VALUES (?, ?)", folders.iter_releases(workspace.releases)
        )
        connection.execute(folders.CREATE_PLANS)
        connection.executemany(
            "INSERT INTO copy.backup_plan VALUES (?, ?)", folders.iter_plans(workspace.derived)
        )
        connection.execute("COMMIT")
        connection.execute(f"PRAGMA copy.application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA copy.user_version = {tables.VERSION}")
        connection.execute("DETACH DATABASE copy")


def _entries(workspace: Workspace, both: Keys) -> list[tuple[str, str]]:
    return [
        ("format", _FORMAT),
        ("created", dt.datetime.now(dt.UTC).isoformat(timespec="seconds")),
        ("workspace_id", workspace.id),
        ("kind", workspace.kind),
        ("start_month", str(workspace.start_month)),
        ("vault_key", both.vault.reveal().hex()),
        ("identifier_key", both.identifier.reveal().hex()),
    ]


def _mappings(workspace: Workspace) -> list[tuple[str, bytes]]:
    found = sorted(workspace.mappings.glob("*.toml")) if workspace.mappings.is_dir() else []
    return [(path.name, path.read_bytes()) for path in found]


def _documents(workspace: Workspace) -> list[tuple[str, bytes]]:
    found = [workspace.path / name for name in _DOCUMENTS]
    return [(path.name, path.read_bytes()) for path in found if path.is_file()]


# -- restore --


def restore(
    file: Path, path: Path, passphrase: str, *, replace: bool = False, place: keys.Place = "file"
) -> Restored:
    """Bring a backup's records and keys back into a workspace, which is made when it is missing.

    The whole backup is verified, and the new vault built and verified aside, before anything is
    replaced. Raises WrongKey for a wrong passphrase, CorruptVault for a damaged backup,
    WorkspaceError for the workspace of another programme, VaultError when the vault there has
    records (or cannot be read, so that it may have some) and `replace` is false. A vault that is
    replaced is kept under the name that is returned, and a key is never overwritten.
    """
    file = find(file)
    with _opened(file, _normal(passphrase)) as (connection, manifest):
        _refuse_other_keys(manifest)
        workspace = _workspace(Path(path), manifest)
        with WriterLock(workspace.vault).held():
            _refuse_records(workspace, manifest.keys, replace=replace)
            wrote = not keys.exist(workspace.id)
            if wrote:
                keys.store(workspace.id, manifest.keys, place)
            kept = _put_vault(connection, workspace, manifest.keys.vault)
        _put_mappings(connection, workspace)
        _put_documents(connection, workspace)
        releases = folders.restore_releases(connection, workspace.releases)
        brought = folders.restore_plans(connection, workspace.derived)
    with open_vault(workspace, manifest.keys) as vault:
        return Restored(workspace, vault.has_records(), wrote, kept, tuple(releases), brought)


def find(file: Path) -> Path:
    """Give the whole path of a backup; raise InputError where there is none."""
    file = Path(file).absolute()
    if not file.is_file():
        msg = f"There is no backup {file}."
        raise InputError(msg)
    return file


def _workspace(path: Path, manifest: _Manifest) -> Workspace:
    if not (path / "workspace.toml").exists():
        return Workspace.create(
            path, manifest.kind, start_month=manifest.start_month, workspace_id=manifest.workspace_id
        )
    workspace = Workspace.open(path)
    if (workspace.id, workspace.kind) == (manifest.workspace_id, manifest.kind):
        return workspace
    msg = (
        f"The backup was made from another workspace than {path} ({manifest.kind}, "
        f"{manifest.workspace_id}). Give a new folder: `tact --workspace FOLDER restore ...`."
    )
    raise WorkspaceError(msg)


def _refuse_other_keys(manifest: _Manifest) -> None:
    name = manifest.workspace_id
    if not keys.exist(name) or keys.load(name) == manifest.keys:
        return
    found = " and ".join(where for where in keys.locations(name).values() if where)
    msg = (
        f"Other keys than those in the backup are kept for this workspace ({found}), and a key is never "
        "overwritten. Move them away if they open nothing, then restore again."
    )
    raise VaultError(msg)


def _refuse_records(workspace: Workspace, both: Keys, *, replace: bool) -> None:
    if replace or not workspace.vault.exists():
        return
    try:
        with Vault.open(workspace.vault, both.vault) as vault:
            why = "has records" if vault.has_records() else ""
    except VaultError:
        why = "cannot be read"
    if why:
        msg = (
            f"The vault {workspace.vault} {why}, so the backup was not put in its place; nothing was "
            "changed. To do so all the same, and keep the old one beside it: `tact restore --replace`."
        )
        raise VaultError(msg)


def _put_vault(backup_db: sql.Connection, workspace: Workspace, key: Secret) -> Path | None:
    folder, kept = workspace.vault, None
    try:
        with building(folder) as aside, sql.translated(folder / checking.DB):
            _build(backup_db, aside, key)
            _forget_again(aside, key, log.read(log.path_of(folder)))
            # Nothing that stood there was touched until here, and what stands aside is whole.
            kept = _move_away(folder)
    except BaseException:
        if kept is not None and not folder.exists():
            kept.rename(folder)
        raise
    return kept


def _build(backup_db: sql.Connection, aside: Path, key: Secret) -> None:
    db = aside / checking.DB
    db.touch(mode=0o600)
    # A raw key, in the form in which SQLCipher tells it from a passphrase.
    _attach(backup_db, db, f"x'{key.reveal().hex()}'")
    version = _version(backup_db)
    backup_db.execute("BEGIN")
    _copy_tables(backup_db, version)
    backup_db.execute("COMMIT")
    backup_db.execute(f"PRAGMA copy.application_id = {tables.APPLICATION}")
    backup_db.execute(f"PRAGMA copy.user_version = {tables.VERSION}")
    backup_db.execute("PRAGMA copy.journal_mode = WAL")
    backup_db.execute("DETACH DATABASE copy")
    checking.write(aside, key)
    with contextlib.closing(sql.connect(db, key)) as copy:
        if not checking.whole(copy) or _sizes(copy, version) != _sizes(backup_db, version):
            raise sql.corrupt(db)


def _forget_again(aside: Path, key: Secret, known: set[log.Entry]) -> None:
    """Forget who was forgotten since the backup was made; the vault that is opened next joins the logs."""
    with contextlib.closing(sql.connect(aside / checking.DB, key)) as copy:
        missing = log.latest(known | removal.entries(copy)) - removal.entries(copy)
        if missing:
            copy.execute("BEGIN IMMEDIATE")
            removal.apply(copy, missing)
            copy.execute("COMMIT")


def _move_away(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = folder.with_name(f"{folder.name}.before-{stamp}")
    folder.rename(kept)
    files.fsync_folder(folder.parent)
    return kept


def _put_mappings(connection: sql.Connection, workspace: Workspace) -> None:
    for name, content in connection.execute("SELECT name, content FROM backup_mapping").fetchall():
        # A newer mapping stays; a name that leads elsewhere is nothing that a backup wrote.
        target = workspace.mappings / Path(name).name
        if Path(name).name == name and not target.exists():
            files.write_bytes(target, content, mode=0o600)


def _put_documents(connection: sql.Connection, workspace: Workspace) -> None:
    held = "SELECT 1 FROM sqlite_master WHERE name = 'backup_document'"  # not in backups of earlier versions
    if connection.execute(held).fetchone() is None:
        return
    for name, content in connection.execute("SELECT name, content FROM backup_document").fetchall():
        target = workspace.path / name
        if name in _DOCUMENTS and not target.exists():
            files.write_bytes(target, content, mode=0o600)


# -- both --


@contextlib.contextmanager
def _opened(file: Path, passphrase: str) -> Iterator[tuple[sql.Connection, _Manifest]]:
    """Open a backup, verified whole. Raises WrongKey, CorruptVault, InputError."""
    with sql.translated(file):
        try:
            connection = sql.connect_with_passphrase(file, passphrase)
        except sql.SqlError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
                raise _damaged(file) from error
            msg = (
                f"The passphrase does not open {file}. If it is the right one, the file is no backup or "
                "its beginning is damaged: try another copy. Nothing was changed."
            )
            raise WrongKey(msg) from error
        try:
            yield connection, _verified(file, connection)
        finally:
            connection.close()


def _verified(file: Path, connection: sql.Connection) -> _Manifest:
    if not checking.whole(connection):
        raise _damaged(file)
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != _APPLICATION or _version(connection) not in tables.READABLE:
        msg = f"{file} is no backup that this version of the program can read."
        raise InputError(msg)
    return _manifest(file, dict(connection.execute("SELECT name, value FROM backup_manifest")))


def _manifest(file: Path, entries: dict[str, Any]) -> _Manifest:
    try:
        both = Keys(*(Secret(bytes.fromhex(entries[f"{name}_key"])) for name in ("vault", "identifier")))
        return _Manifest(entries["workspace_id"], entries["kind"], int(entries["start_month"]), both)
    except (KeyError, ValueError):
        raise _damaged(file) from None


def _attach(connection: sql.Connection, file: Path, key: str) -> None:
    """Attach an empty file as `copy`, to be filled in one go and flushed by whoever renames it."""
    connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(file), key))
    connection.execute("PRAGMA copy.journal_mode = OFF")
    connection.execute("PRAGMA copy.synchronous = OFF")


def _version(connection: sql.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _copy_tables(connection: sql.Connection, version: int) -> None:
    """Copy the tables of a vault, and nothing else that a database may hold, into `copy`."""
    for statement in tables.create_sql("copy"):
        connection.execute(statement)
    for statement in tables.copy_sql("copy", version):
        connection.execute(statement)


def _sizes(connection: sql.Connection, version: int) -> list[int]:
    return [connection.execute(statement).fetchone()[0] for statement in tables.count_sql(version)]


def _normal(text: str) -> str:
    # Typed on another keyboard, an accent may be composed in another way.
    return unicodedata.normalize("NFC", text).replace("\0", "")


def check_passphrase(text: str) -> str:
    """Give a passphrase as it is used; raise InputError for one that is too short for a new backup."""
    passphrase = _normal(text)
    if len(passphrase) >= PASSPHRASE_CHARACTERS and "\0" not in text:
        return passphrase
    msg = (
        f"The passphrase of a backup has at least {PASSPHRASE_CHARACTERS} characters. "
        "Four or more random words are good; write them down where the backup is not."
    )
    raise InputError(msg)


def _damaged(file: Path) -> CorruptVault:
    return CorruptVault(
        f"The backup {file} is damaged or was cut short. Nothing was changed. Use another copy of it or "
        "an earlier backup."
    )
