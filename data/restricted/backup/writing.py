"""Write a backup."""

import contextlib
import datetime as dt
from pathlib import Path

from data.accounts.database import Accounts
from data.accounts.meetings import find_local_file
from data.errors import InputError, WorkspaceError
from data.message import Message, join_messages
from data.restricted.backup import folders
from data.restricted.backup.encrypted_file import (
    APPLICATION,
    DOCUMENTS,
    attach_copy,
    copy_tables,
    damaged_backup,
    normalize_passphrase,
    open_backup,
)
from data.restricted.keys import Keys
from data.restricted.vault import Vault, health, open_vault, tables
from data.restricted.vault import sqlcipher as sql
from data.workspace import Workspace, files
from data.workspace.passphrases import check_passphrase

_Documents = list[tuple[str, bytes]]  # name and content
_FORMAT = "1"
_DAYS = 3  # the handbook asks for one each night; a machine may be off for a weekend
LAST = "last-backup"  # a file of the workspace: the day of its last backup


def write_backup(workspace: Workspace, both_keys: Keys, target: Path, passphrase: str) -> str:
    """Write the vault, both keys, documents, accounts, meetings, releases and plans into one new file (mode 600).

    If the accounts or the meetings cannot be read, the file is written without them, and the reason is returned;
    otherwise the returned text is empty.

    The file gets its name only after it was read back and checked. Raises InputError when the file exists or cannot be
    written, or the passphrase is short or common, VaultBusy during an import, CorruptVault for a damaged vault,
    DiskFull. The day is noted in the workspace.
    """
    target = check_target(target)
    check_passphrase(passphrase)
    accounts, problem = _copy_tables(workspace)
    with open_vault(workspace, both_keys) as vault, vault.writing():
        # Always the same name, so that the next backup in this folder removes the unfinished file of a killed one.
        unfinished = target.with_name(f".tact-backup.{workspace.id}.part")
        try:
            unfinished.unlink(missing_ok=True)
            with files.replacing(target, mode=0o600, part=unfinished) as part:
                _write(workspace, both_keys, part, passphrase, accounts)
                with open_backup(part, passphrase) as (_, manifest):
                    if manifest.keys != both_keys:
                        raise damaged_backup(target)
        except OSError as error:
            msg = Message(
                "The backup {target} could not be written: {reason}. Choose a folder that is yours.",
                target=target,
                reason=error.strerror,
            )
            raise InputError(msg) from error
    note_day(workspace, dt.datetime.now(dt.UTC).date().isoformat())
    return problem


def note_day(workspace: Workspace, day: str) -> None:
    """Note the day (UTC) of the last backup in the workspace."""
    files.write_text(workspace.path / LAST, f"{day}\n", mode=0o600)


def _read_last_day(workspace: Workspace) -> dt.date | None:
    """Return the day (UTC) of the last backup; None if there was none, or if it is unknown."""
    try:
        return dt.date.fromisoformat((workspace.path / LAST).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def word_overdue(workspace: Workspace, vault: Vault) -> str:
    """Return a warning if real records have no backup of the last three days, and what to do; otherwise empty.

    A backup with a day in the future was noted with a wrong clock, so its real day is unknown.
    """
    last, today = _read_last_day(workspace), dt.datetime.now(dt.UTC).date()
    if workspace.invented or not vault.has_records() or (last is not None and -1 <= (today - last).days <= _DAYS):
        return ""
    when = Message("No backup was made yet.") if last is None else Message("The last backup is of {day}.", day=last)
    return join_messages([when, Message("If this machine is lost, the records are: tact backup FILE")])


def check_target(target: Path) -> Path:
    """Return the absolute path of a backup to be written; raise InputError if it cannot be written there."""
    target = Path(target).absolute()
    if target.exists():
        raise InputError(
            Message("{target} already exists, and a backup is never overwritten. Choose another name.", target=target)
        )
    if not target.parent.is_dir():
        raise InputError(
            Message("There is no folder {parent} to write the backup to. Make it first.", parent=target.parent)
        )
    return target


def _write(workspace: Workspace, both_keys: Keys, part: Path, passphrase: str, accounts: _Documents) -> None:
    db = workspace.vault / health.DB
    paths = sorted(workspace.mappings.glob("*.toml")) if workspace.mappings.is_dir() else []
    documents = [path for name in DOCUMENTS if (path := workspace.path / name).is_file()]
    contents = {
        "backup_manifest": _manifest(workspace, both_keys),
        "backup_mapping": [(path.name, path.read_bytes()) for path in paths],
        "backup_document": [*((path.name, path.read_bytes()) for path in documents), *accounts],
        "backup_release": folders.iter_releases(workspace.releases),
        "backup_plan": folders.iter_plans(workspace.derived),
    }
    with sql.translating_errors(part), contextlib.closing(sql.connect(db, both_keys.vault)) as connection:
        if not health.is_intact(connection):
            raise sql.corrupt_vault(db)
        attach_copy(connection, part, normalize_passphrase(passphrase))
        connection.execute("BEGIN")
        copy_tables(connection, tables.VERSION)
        for table, rows in contents.items():
            value = "value TEXT" if table == "backup_manifest" else "content BLOB"
            connection.execute(f"CREATE TABLE copy.{table} (name TEXT PRIMARY KEY, {value} NOT NULL)")
            connection.executemany(f"INSERT INTO copy.{table} VALUES (?, ?)", rows)  # noqa: S608
        connection.execute("COMMIT")
        connection.execute(f"PRAGMA copy.application_id = {APPLICATION}")
        connection.execute(f"PRAGMA copy.user_version = {tables.VERSION}")
        connection.execute("DETACH DATABASE copy")


def _manifest(workspace: Workspace, both_keys: Keys) -> list[tuple[str, str]]:
    return [
        ("format", _FORMAT),
        ("created", dt.datetime.now(dt.UTC).isoformat(timespec="seconds")),
        ("workspace_id", workspace.id),
        ("kind", workspace.kind),
        ("start_month", str(workspace.start_month)),
        ("vault_key", both_keys.vault.reveal().hex()),
        ("identifier_key", both_keys.identifier.reveal().hex()),
    ]


def _copy_tables(workspace: Workspace) -> tuple[_Documents, str]:
    """Return copies of the files of accounts and meetings, and why one cannot be in the backup; empty if all can."""
    leads = {
        workspace.accounts: Message("The people who sign in and the audit log are NOT in the backup; all else is."),
        find_local_file(workspace.derived): Message("The agendas and decisions are NOT in the backup; all else is."),
    }
    copies, problems = [], []
    for file, lead in leads.items():
        try:
            copies += [(file.name, Accounts.open(file).copy())] if file.is_file() else []
        except WorkspaceError as error:
            problems += [lead, error.message]
    return copies, join_messages(problems) if problems else ""
