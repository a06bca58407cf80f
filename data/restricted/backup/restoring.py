"""Restore a backup into a workspace.

Before a restored vault gets its name, the children and partners in the workspace's forget log are deleted from it
(data/restricted/vault/forget_log.py), and the backup's log is joined to the workspace's.
"""

import contextlib
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from data.accounts.meetings import find_local_file
from data.errors import CorruptVault, InputError, VaultError, WorkspaceError
from data.message import Message, list_messages
from data.restricted import drafts, keys
from data.restricted.backup import folders
from data.restricted.backup.encrypted_file import (
    DOCUMENTS,
    Manifest,
    attach_copy,
    copy_tables,
    open_backup,
    read_version,
)
from data.restricted.backup.writing import LAST, note_day
from data.restricted.keys import Keys, Secret
from data.restricted.vault import Vault, forget_log, health, load_keys, open_vault, removal, rotation, tables
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.creation import building_aside
from data.restricted.vault.lock import WriterLock
from data.workspace import Workspace, files


@dataclass(frozen=True)
class Restored:
    """The result of a restore.

    replaced: new path of the earlier vault, None if there was none. releases: names of the releases that came from the
    backup. plans: number of saved plans that came from it. accounts: whether the people who sign in came from it.
    only_key: a key that was lost came from it, and nothing else, because the key opens the workspace's records.
    """

    workspace: Workspace
    has_records: bool
    replaced: Path | None
    releases: tuple[str, ...]
    plans: int
    accounts: bool
    only_key: bool = False


def restore_backup(
    file: Path,
    path: Path,
    passphrase: str,
    *,
    replace: bool = False,
    place: keys.Place = "file",
    known_keys: Keys | None = None,
) -> Restored:
    """Restore a backup's records, keys and folders into a workspace, and return what came from it.

    The workspace is created if it is missing. The whole backup is checked, and the new vault is built and checked in
    another folder, before anything is replaced. The old vault is kept under another name.

    If a key of the workspace is lost and that of the backup opens its records, only this key comes back.
    A key is never overwritten: if the vault key was changed after the backup, the restored vault is encrypted with the
    present key of the workspace. `known_keys` are the keys of the workspace if the caller has them; then no key is
    searched for or stored. Otherwise, if the workspace has no keys, those of the backup are stored in `place`.

    Raises InputError if there is no such file or it is not a backup, WrongKey for a wrong passphrase, CorruptVault for
    a damaged backup, WorkspaceError if the backup belongs to another workspace, VaultBusy while another process writes
    to the vault. Raises VaultError if the identifier key differs, and, unless `replace` is true, if the existing vault
    has records or cannot be read.
    """
    file = find_backup(file)
    with open_backup(file, passphrase) as (connection, manifest):
        in_use = known_keys or _find_keys(Path(path), manifest) or manifest.keys
        _check_identifier_key(manifest, in_use)
        workspace = _open_workspace(Path(path), manifest)
        with WriterLock(workspace.vault).holding():
            if known_keys is None and not replace and _brings_key_alone(workspace, in_use):
                keys.store_missing(workspace.key_id, in_use, place)
                return Restored(
                    workspace, has_records=True, replaced=None, releases=(), plans=0, accounts=False, only_key=True
                )
            _check_vault(workspace, in_use, replace=replace)
            if known_keys is None:
                keys.store_missing(workspace.key_id, in_use, place)
            replaced = _restore_vault(connection, workspace, manifest.keys.vault, in_use.vault)
        _restore_mappings(connection, workspace)
        accounts = _restore_documents(connection, workspace)
        releases = folders.restore_releases(connection, workspace.releases)
        plans = folders.restore_plans(connection, workspace.derived)
        if not (workspace.path / LAST).exists():
            note_day(workspace, manifest.day)
    with open_vault(workspace, in_use) as vault:
        return Restored(workspace, vault.has_records(), replaced, tuple(releases), plans, accounts)


def find_backup(file: Path) -> Path:
    """Return the absolute path of a backup; raise InputError when there is no such file."""
    file = Path(file).absolute()
    if not file.is_file():
        raise InputError(Message("There is no backup {file}.", file=file))
    return file


def _open_workspace(path: Path, manifest: Manifest) -> Workspace:
    if not (path / "workspace.toml").exists():
        return Workspace.create(
            path, manifest.kind, start_month=manifest.start_month, workspace_id=manifest.workspace_id
        )
    workspace = Workspace.open(path)
    if (workspace.id, workspace.kind) == (manifest.workspace_id, manifest.kind):
        return workspace
    raise WorkspaceError(
        Message(
            "The backup belongs to another workspace than {path} ({kind}, {workspace_id}). Give a new "
            "folder: `tact --workspace FOLDER restore ...`.",
            path=path,
            kind=manifest.kind,
            workspace_id=manifest.workspace_id,
        )
    )


def _find_keys(path: Path, manifest: Manifest) -> Keys | None:
    """Return the keys of the backup's workspace that are stored here; None if there are none."""
    if not keys.has_keys(manifest.key_id):
        return None
    if not all(keys.find_locations(manifest.key_id).values()):
        return keys.complete(manifest.key_id, manifest.keys)
    here = Workspace.open(path) if (path / "workspace.toml").exists() else None
    if here is not None and here.id == manifest.workspace_id:
        # If the vault is too damaged to finish a change of its key, the restore replaces it.
        with contextlib.suppress(CorruptVault):
            return load_keys(here)
    return keys.load(manifest.key_id)


def _brings_key_alone(workspace: Workspace, in_use: Keys) -> bool:
    """Return whether a key of the workspace is lost, and `in_use` opens the records that are there."""
    if all(keys.find_locations(workspace.key_id).values()) or not workspace.vault.exists():
        return False
    with contextlib.suppress(VaultError), Vault.open(workspace.vault, in_use.vault) as vault:
        return vault.has_records()
    return False


def _check_identifier_key(manifest: Manifest, in_use: Keys) -> None:
    """Raise VaultError when the identifier key of the workspace differs from that of the backup."""
    if in_use.identifier == manifest.keys.identifier:
        return
    name = manifest.workspace_id
    places = [place for place in keys.find_locations(name).values() if place]
    raise VaultError(
        Message(
            "This workspace has other keys than the backup ({places}), and keys are never overwritten. "
            "If they open nothing, move them away and restore again.",
            places=list_messages(places) if places else Message("those in use"),
        )
    )


def _check_vault(workspace: Workspace, both_keys: Keys, *, replace: bool) -> None:
    """Raise VaultError when the workspace's vault has records or cannot be read, unless `replace` is true."""
    if replace or not workspace.vault.exists():
        return
    try:
        with Vault.open(workspace.vault, both_keys.vault) as vault:
            if not vault.has_records():
                return
            why = Message("has records")
    except VaultError:
        why = Message("cannot be read")
    raise VaultError(
        Message(
            "The vault {vault} {why}, so the backup was not put in its place; nothing was changed. To "
            "replace it and keep the old one beside it: `tact restore --replace`.",
            vault=workspace.vault,
            why=why,
        )
    )


def _restore_vault(backup: sql.Connection, workspace: Workspace, old: Secret, key: Secret) -> Path | None:
    """Build the vault of a backup with the key `key`, and move it into place.

    Returns the new path of the earlier vault; None if there was none. `old` is the key that the vault had when the
    backup was written.
    """
    folder, replaced = workspace.vault, None
    try:
        with building_aside(folder) as aside, sql.translating_errors(folder / health.DB):
            _build_vault(backup, aside, key)
            if old != key:
                with contextlib.closing(sql.connect(aside / health.DB, key)) as copy:
                    copy.execute("BEGIN IMMEDIATE")
                    rotation.keep_sources(copy, old, drafts.list_files())
                    copy.execute("COMMIT")
            _forget_again(aside, key, forget_log.change_key(forget_log.log_path(folder), old, key))
            # The old vault was not touched until here, and the new one is complete.
            replaced = _move_away(folder)
    except BaseException:
        if replaced is not None and not folder.exists():
            replaced.rename(folder)
        raise
    return replaced


def _build_vault(backup: sql.Connection, aside: Path, key: Secret) -> None:
    db = aside / health.DB
    db.touch(mode=0o600)
    # A raw key, in the form that SQLCipher distinguishes from a passphrase.
    attach_copy(backup, db, f"x'{key.reveal().hex()}'")
    version = read_version(backup)
    backup.execute("BEGIN")
    copy_tables(backup, version)
    backup.execute("COMMIT")
    backup.execute(f"PRAGMA copy.application_id = {tables.APPLICATION}")
    backup.execute(f"PRAGMA copy.user_version = {tables.VERSION}")
    backup.execute("PRAGMA copy.journal_mode = WAL")
    backup.execute("DETACH DATABASE copy")
    health.write(aside, key)
    with contextlib.closing(sql.connect(db, key)) as copy:
        if not health.is_intact(copy) or _count_rows(copy, version) != _count_rows(backup, version):
            raise sql.corrupt_vault(db)


def _count_rows(connection: sql.Connection, version: int) -> list[int]:
    return [connection.execute(statement).fetchone()[0] for statement in tables.count_sql(version)]


def _forget_again(aside: Path, key: Secret, log: set[forget_log.Entry]) -> None:
    """Delete the records of children and partners forgotten since the backup was written."""
    with contextlib.closing(sql.connect(aside / health.DB, key)) as copy:
        inside = removal.read_log(copy)
        missing = forget_log.keep_latest(log | inside) - inside
        if missing:
            copy.execute("BEGIN IMMEDIATE")
            removal.apply(copy, missing)
            copy.execute("COMMIT")


def _move_away(folder: Path) -> Path | None:
    if not folder.exists():
        return None
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    target = folder.with_name(f"{folder.name}.before-{stamp}")
    folder.rename(target)
    files.fsync_folder(folder.parent)
    return target


def _restore_mappings(connection: sql.Connection, workspace: Workspace) -> None:
    for name, content in connection.execute("SELECT name, content FROM backup_mapping").fetchall():
        # A newer mapping stays, and a name that leads into another folder is ignored.
        target = workspace.mappings / Path(name).name
        if Path(name).name == name and not target.exists():
            files.write_bytes(target, content, mode=0o600)


def _restore_documents(connection: sql.Connection, workspace: Workspace) -> bool:
    """Write the documents, accounts and meetings of a backup that are missing; return whether accounts were written."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'backup_document'"  # not in backups of early versions
    if connection.execute(query).fetchone() is None:
        return False
    tables = (workspace.accounts, find_local_file(workspace.derived))
    places = {name: workspace.path / name for name in DOCUMENTS} | {path.name: path for path in tables}
    new_names = set()
    for name, content in connection.execute("SELECT name, content FROM backup_document").fetchall():
        if name in places and not places[name].exists():
            places[name].parent.mkdir(mode=0o700, exist_ok=True)
            # SQLite would read files that a lost file of accounts left beside it into the restored one.
            for ending in ("-wal", "-shm", "-journal"):
                Path(f"{places[name]}{ending}").unlink(missing_ok=True)
            files.write_bytes(places[name], content, mode=0o600)
            new_names.add(name)
    return workspace.accounts.name in new_names
