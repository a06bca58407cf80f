"""The encrypted records. Only the commands of a data officer open this.

A vault is a folder with two files: `vault.db` (SQLCipher 4: AES-256 and an HMAC on each page, under a raw key) and
`vault.check`, a check value that distinguishes a wrong key from a damaged file. Beside the folder are the writer's lock
and a note of who holds it.

The journal is a write-ahead log with `synchronous = FULL`: a process that is killed at any moment leaves the last
committed state, each commit is on disk before the command reports it, and a reader (a release takes seconds) neither
stops an import nor sees half of one. The log is encrypted like the database. Each imported file is one transaction, and
so is each removal of records (data/restricted/vault/removal.py), each note and each step of a publication.
"""

import contextlib
import datetime as dt
import hmac
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

import pyarrow as pa

from data.errors import InputError, VaultError, WorkspaceError, WrongKey
from data.message import Message
from data.restricted import keys
from data.restricted.keys import Secret
from data.restricted.vault import creation, earlier, forget_log, frames, health, published, removal, tables
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.importing import Counts, Import
from data.restricted.vault.lock import WriterLock
from data.restricted.vault.published import PublishedBlock
from data.restricted.vault.rotation import SOURCE_KEY, hash_source, load_keys
from data.restricted.vault.undoing import Undone, undo_import
from data.schema.words import index_codes
from data.workspace import Workspace, partner_names

__all__ = [
    "Counts", "Import", "PublishedBlock", "State", "Undone", "Vault", "examine", "load_keys", "open_vault",
]  # fmt: skip

# Both keys of a workspace, of which the vault uses its own, or the vault key alone.
AnyKey: TypeAlias = keys.Keys | Secret | bytes
# The result of `Vault.read_state`, to be compared with another one.
State: TypeAlias = tuple[object, ...]

_CACHE_KB = 200_000
_READ_CACHE_KB = 16_000
_AREA_COLUMNS = ("municipality", "area", "origin", "destination")


def open_vault(workspace: Workspace, both_keys: keys.Keys | None = None) -> "Vault":
    """Open a workspace's vault with the given keys, or with those that `load_keys` finds.

    Raises WorkspaceError when the vault is of another kind (real or invented) than the workspace, and the errors of
    `Vault.open` and `load_keys`.
    """
    vault = Vault.open(workspace.vault, both_keys or load_keys(workspace))
    if vault.kind == workspace.kind:
        return vault
    vault.close()
    raise WorkspaceError(
        Message(
            "The vault {vault} is {kind} and its workspace {other}. They never mix: put back the "
            "workspace.toml that belongs to it.",
            vault=workspace.vault,
            kind=vault.kind,
            other=workspace.kind,
        )
    )


def examine(folder: Path, key: AnyKey) -> list[str]:
    """List what is wrong with a vault, even if it cannot be opened; empty when all is well."""
    try:
        with Vault.open(folder, key) as vault:
            return vault.check()
    except VaultError as error:
        return [str(error)]


class Vault:
    """The records of one workspace. It is a context manager, and only one thread may use it."""

    def __init__(self, folder: Path, key: Secret, connection: sql.Connection, file: tuple[int, int] | None) -> None:
        self.folder = folder
        self._file = file
        self._key = key
        self._db = folder / health.DB
        self._lock = WriterLock(folder)
        self._connection = connection
        self._meta = dict(connection.execute("SELECT name, value FROM meta"))

    @classmethod
    def create(cls, folder: Path, key: AnyKey, *, kind: str | None = None) -> Self:
        """Create an empty vault in a folder that does not exist yet, and open it.

        It is built under a temporary name and renamed, so that there is a complete vault or none. By default its
        kind is that of its workspace, or "real" if there is no workspace. Raises VaultError if the folder exists, and
        DiskFull.
        """
        folder, secret = Path(folder).absolute(), _vault_key(key)
        kind = kind or _find_kind(folder)
        if os.path.lexists(folder):
            raise VaultError(Message("There is already a vault at {folder}. It is not replaced.", folder=folder))
        with creation.building_aside(folder) as aside, sql.translating_errors(folder / health.DB):
            creation.write_empty_database(aside / health.DB, secret, kind, _identifier_mark(key))
            health.write(aside, secret)
        return cls.open(folder, secret)

    @classmethod
    def open(cls, folder: Path, key: AnyKey) -> Self:
        """Open a vault for reading and writing.

        With both keys, it also checks that the identifier key is the one that hashed the children in the vault: with
        another key every child who comes back would count as new. Children and partners in the forget log beside the
        vault are deleted before it opens, even if somebody copied an old vault back. Raises WrongKey, CorruptVault, and
        VaultError when there is no vault or its forget log is damaged.
        """
        folder, secret = Path(folder).absolute(), _vault_key(key)
        file = _identify_file(folder / health.DB)
        connection = health.open_checked(folder, secret)
        try:
            with sql.translating_errors(folder / health.DB):
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
                connection.execute("PRAGMA synchronous = FULL")
                vault = cls(folder, secret, connection, file)
            vault._check_identifier_key(_identifier_mark(key))
            vault._join_forget_logs()
            return vault
        except BaseException:
            connection.close()
            raise

    def _join_forget_logs(self) -> None:
        """Make the forget log in the vault and the one beside it equal, and delete the records of entries new to it.

        Nearly always the two are equal already.
        """
        path = forget_log.log_path(self.folder)
        beside = forget_log.read(path, self._key)
        with sql.translating_errors(self._db):
            inside = removal.read_log(self._connection)
        joined = forget_log.keep_latest(beside | inside)
        if joined != inside:
            with self._transaction(wait_for_readers=True) as connection:
                removal.apply(connection, joined - inside)
        if joined != beside or not forget_log.is_encrypted(path):
            with self.writing():
                forget_log.add(path, joined, self._key)

    def _check_identifier_key(self, mark: str | None) -> None:
        stored = self._meta.get(creation.IDENTIFIER)
        if mark is not None and stored is not None and not hmac.compare_digest(mark, stored):
            raise WrongKey(
                Message(
                    "The identifier key does not belong to the vault {folder}: with it, every known child "
                    "would be counted again as a new one. Nothing was changed. Find the key that was made with "
                    "the vault, or restore it with `tact restore`.",
                    folder=self.folder,
                )
            )

    def close(self) -> None:
        """Close the vault. The last connection merges the write-ahead log into the database."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Vault({str(self.folder)!r})"

    @property
    def kind(self) -> str:
        """Whether the records are "real" or "invented", fixed when the vault was made."""
        return str(self._meta["kind"])

    # -- writing --

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writer's lock in the block; may be nested.

        Raises VaultBusy if another process holds it, VaultError if its file cannot be written, or if the vault was
        replaced since it was opened, as a restore does: what is written now would be only in the old one.

        A release holds it from counting to confirming, so that no import happens in between.
        """
        with self._lock.holding():
            if _identify_file(self._db) != self._file:
                raise VaultError(
                    Message(
                        "The vault {folder} was replaced since it was opened here, perhaps by a restore. Nothing was "
                        "changed. Do the same again.",
                        folder=self.folder,
                    )
                )
            yield

    @contextlib.contextmanager
    def importing(
        self, kind: str, source: str | Path, partner: str = "", rejected: int | None = None
    ) -> Iterator[Import]:
        """Yield an Import that accepts chunks; when the block ends, all of them are stored, or none.

        `source` is the file's name, which is stored as a keyed hash only, and `rejected` the number of its rows that
        are not stored, if it is known. A file without records leaves no trace. Raises VaultError for an unknown kind,
        VaultBusy and DiskFull.
        """
        tables.columns_of(kind)
        with self._transaction() as connection:
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            name = self._hash_source(source)
            batch = removal.read_last_import(connection) + 1
            connection.execute(
                "INSERT INTO batch (id, kind, source, partner, at, accepted, changed, already_known) "
                "VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
                (batch, kind, name, partner, now),
            )
            records = Import(connection, kind, batch)
            yield records
            records.flush()
            counts = records.counts
            if counts == Counts():
                connection.execute("ROLLBACK")
                return
            connection.execute(
                "UPDATE batch SET accepted = ?, changed = ?, already_known = ? WHERE id = ?",
                (counts.accepted, counts.changed, counts.already_known, batch),
            )
            connection.execute("INSERT INTO undoable VALUES (?)", (batch,))
            if rejected is not None:
                note = f"{tables.NOTE}{tables.REJECTED}{batch}"
                connection.execute("INSERT INTO meta VALUES (?, ?)", (note, str(rejected)))

    def list_imports(self) -> list[dict[str, Any]]:
        """Return the imports, oldest first: `number`, `at` (UTC), `kind`, `partner`, and numbers of records.

        The numbers are `accepted`, `changed`, `already_known` and `rejected`, which is None if it was not stored, as in
        earlier versions of the program.
        """
        names = ("number", "at", "kind", "partner", "accepted", "changed", "already_known", "rejected")
        query = (
            "SELECT id, at, kind, partner, accepted, changed, already_known, CAST(value AS INTEGER) "
            "FROM batch LEFT JOIN meta ON name = ? || id ORDER BY id"
        )
        with sql.translating_errors(self._db):
            rows = self._connection.execute(query, (f"{tables.NOTE}{tables.REJECTED}",))
            return [dict(zip(names, row, strict=True)) for row in rows]

    def count_file(self, number: int) -> tuple[str, earlier.FileCounts, earlier.FileCounts]:
        """Return the kind of an import, what its file has, and what the file before of the same partner had.

        These are true counts, by column and value (see `earlier.count_file`): for the officer's eyes only. Raises
        InputError for an import that is not there.
        """
        with sql.translating_errors(self._db):
            row = self._connection.execute("SELECT kind FROM batch WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise InputError(Message("There is no import {number}. List them: tact imports", number=number))
            last = earlier.find_last(self._connection, row[0], number)
            before = earlier.count_file(self._connection, row[0], last) if last else {}
            return row[0], earlier.count_file(self._connection, row[0], number), before

    def is_from(self, number: int, source: str | Path) -> bool:
        """Return whether an import came from a file of this name; False for an unknown number."""
        with sql.translating_errors(self._db):
            row = self._connection.execute("SELECT source FROM batch WHERE id = ?", (number,)).fetchone()
        return row is not None and row[0] == self._hash_source(source)

    def _hash_source(self, source: str | Path) -> bytes:
        stored = self._meta.get(SOURCE_KEY)
        return hash_source(Secret(bytes.fromhex(stored)) if stored else self._key, Path(source).name)

    def undo(self, number: int, *, rehearse: bool = False) -> Undone:
        """Take back an import by its number, as if it had never happened, and return the numbers of records.

        With `rehearse`, nothing is changed. Published numbers stay as they are. Raises InputError for an import that
        is not there, or for one of an earlier version of the program, which did not keep what it replaced. See
        undoing.py.
        """
        with self._transaction(wait_for_readers=True) as connection:
            row = connection.execute("SELECT kind FROM batch WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise InputError(
                    Message("There is no import {number}. Nothing was changed. List them: tact imports", number=number)
                )
            if not connection.execute("SELECT 1 FROM undoable WHERE batch = ?", (number,)).fetchone():
                raise InputError(
                    Message(
                        "Import {number} was made by an earlier version of this program, which did not keep what "
                        "it replaced. It cannot be undone. Nothing was changed.",
                        number=number,
                    )
                )
            undone = undo_import(connection, row[0], number)
            if rehearse:
                connection.execute("ROLLBACK")
                return undone
            removal.sweep(connection)
            return undone

    def add(self, kind: str, frame: frames.Frame, source: str | Path, partner: str = "") -> Counts:
        """Import one frame as one file and return its counts; see Import.add for its columns."""
        with self.importing(kind, source, partner) as records:
            records.add(frame)
        return records.counts

    # -- removing --

    def forget(self, children: Iterable[str], links: Iterable[tuple[str, str]] = ()) -> int:
        """Forget children by their hashes, with all hashes linked to them; return the number of records deleted.

        Hashes are linked by records, and by `links`: pairs of hashes of the same child.

        The hashes stay in the forget log, even if no record had them, so that no record with them is imported later.
        Published numbers of final years stay as they are.
        """
        with self.writing():
            with sql.translating_errors(self._db):
                pairs = [(bytes.fromhex(first), bytes.fromhex(second)) for first, second in links]
                hashes = removal.find_linked(self._connection, {bytes.fromhex(child) for child in children}, pairs)
            day = forget_log.today()
            return self._forget([forget_log.Entry("child", child.hex(), day) for child in hashes])

    def withdraw(self, partner: str) -> int:
        """Delete all records that a partner delivered and return their number.

        Later files of the partner are imported again. Raises InputError for an unknown partner, VaultError if anything
        of the partner is left.
        """
        with self.writing():
            name = self.find_partner(partner)
            with sql.translating_errors(self._db):
                last = removal.read_last_import(self._connection)
            deleted = self._forget([forget_log.Entry("partner", name, str(last))])
            if rest := self.count_brought(name):
                raise VaultError(
                    Message(
                        "{left} records of {name} are still in the vault, after {deleted} were deleted. Make a "
                        "backup, run `tact doctor`, and tell the people who maintain the program.",
                        left=rest,
                        name=name,
                        deleted=deleted,
                    )
                )
            return deleted

    def count_brought(self, partner: str) -> int:
        """Count the records that `withdraw` would delete."""
        with sql.translating_errors(self._db):
            return removal.count_brought(self._connection, partner)

    def find_partner(self, name: str) -> str:
        """Return a partner's name as spelt in the vault; raise InputError for an unknown partner."""
        return partner_names.find(name, self.partners(), self.partners("encounter"))

    def _forget(self, entries: Sequence[forget_log.Entry]) -> int:
        # The file is written first: see data/restricted/vault/forget_log.py.
        forget_log.add(forget_log.log_path(self.folder), entries, self._key)
        with self._transaction(wait_for_readers=True) as connection:
            return removal.apply(connection, entries)

    def expire(self, day: dt.date) -> int:
        """Delete all records of children who were last met before a day and return their number.

        Children who are linked count as one child. Unlike records of forgotten children, later records of these
        children are imported.
        """
        with self.writing():
            with sql.translating_errors(self._db):
                children = removal.find_unmet_since(self._connection, day.isoformat())
            if not children:
                return 0
            with self._transaction(wait_for_readers=True) as connection:
                return removal.remove(connection, children)

    def count_overdue(self, day: dt.date) -> int:
        """Count the records that `expire` would delete."""
        with sql.translating_errors(self._db):
            children = removal.find_unmet_since(self._connection, day.isoformat())
            return removal.count(self._connection, children)

    def count(self, kind: str) -> int:
        """Return the number of records of a kind; raise VaultError for an unknown kind."""
        with sql.translating_errors(self._db):
            return int(self._connection.execute(tables.count_records_sql(kind)).fetchone()[0])

    def partners(self, kind: str | None = None) -> list[str]:
        """List the partners that records name or that have sent files; the operator of a service is a partner too.

        With `kind`, list only those that records of that kind name; a figure names none. Raises VaultError for an
        unknown kind.
        """
        with sql.translating_errors(self._db):
            if kind is not None:
                columns = [name for name in tables.columns_of(kind) if name in tables.PARTNERS]
                return sorted(set().union(*(self._texts_in_use(kind, name) for name in columns)) - {""})
            return sorted(set(removal.list_partners(self._connection)))

    def find_unknown(self, children: Collection[str]) -> frozenset[str]:
        """Return those of these hashes that are in no record and not in the forget log."""
        return frozenset(children) - self.find_stored(children)

    @property
    def has_written_codes(self) -> bool:
        """Whether an earlier version made this vault and hashed children's codes as they were written."""
        return creation.NORMAL_CODES not in self._meta

    def find_stored(self, children: Collection[str]) -> frozenset[str]:
        """Return those of these hashes that are in a record or in the forget log."""
        with sql.translating_errors(self._db):
            recorded = removal.find_recorded(self._connection, {bytes.fromhex(child) for child in children})
        return frozenset({child.hex() for child in recorded} | (self.forgotten_children() & set(children)))

    def forgotten_children(self) -> frozenset[str]:
        """Return the hashes of all forgotten children; an import rejects their records."""
        with sql.translating_errors(self._db):
            return frozenset(e.name for e in removal.read_log(self._connection) if e.kind == "child")

    @contextlib.contextmanager
    def _transaction(self, *, wait_for_readers: bool = False) -> Iterator[sql.Connection]:
        connection = self._connection
        with self.writing(), sql.translating_errors(self._db):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                if connection.in_transaction:
                    connection.execute("COMMIT")
            except BaseException:
                # If the disk was full, SQLite has rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            # What was committed is safe in the write-ahead log. If there is no room to merge it into the database
            # now, or somebody is reading, it is merged later. Deleted records may still be in earlier pages of the
            # log (encrypted, like all of it), so after a removal this waits for readers.
            waiting = contextlib.nullcontext() if wait_for_readers else sql.without_waiting(self._connection)
            with contextlib.suppress(sql.Error), waiting:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                self._connection.execute("PRAGMA shrink_memory")

    def read_note(self, name: str) -> str | None:
        """Return an internal note by its name, such as the note on the second person; None if there is no such note."""
        with sql.translating_errors(self._db):
            query = "SELECT value FROM meta WHERE name = ?"
            row = self._connection.execute(query, (f"{tables.NOTE}{name}",)).fetchone()
        return None if row is None else str(row[0])

    def write_note(self, name: str, text: str) -> None:
        """Store an internal note under a name, or remove it if the text is empty. Backups have all notes but drafts."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM meta WHERE name = ?", (f"{tables.NOTE}{name}",))
            if text:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (f"{tables.NOTE}{name}", text))

    # -- reading --

    def read(
        self, kind: str, columns: Sequence[str] | None = None, chunk_rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """Yield the records of one snapshot in batches, in the order of their identity.

        By default all canonical columns of the kind are read; `identity` (bytes) and `batch` (int) only
        when they are asked for by name. Text with few values is dictionary<int32, string>, with one
        dictionary for all batches (it may hold values that no record has any more); hashes are 64
        hexadecimal digits; a missing text is empty; whole numbers are int64 and others float64, null
        where missing. A million encounters take about 3 s, at constant memory. Raises VaultError for an unknown kind or
        column.
        """
        names = list(tables.columns_of(kind) if columns is None else columns)
        return self._read(kind, names, tables.select_sql(kind, names), chunk_rows)

    def _read(self, kind: str, names: list[str], select: str, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        with self._reading() as connection:
            book = frames.TermBook(connection)
            decoders = [frames.column_decoder(kind, name, book) for name in names]
            cursor = connection.execute(select)
            while rows := cursor.fetchmany(chunk_rows):
                values = zip(*rows, strict=True)
                arrays = [decode(value) for decode, value in zip(decoders, values, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sql.Connection]:
        """Yield a separate read-only connection that sees one snapshot."""
        with sql.translating_errors(self._db):
            connection = sql.connect(self._db, self._key)
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KB}")
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def read_state(self) -> State:
        """Return a value that changes whenever records do: imports, and numbers of records and forgotten children."""
        imports = tuple(tuple(entry.values()) for entry in self.list_imports())
        with sql.translating_errors(self._db):
            query = "SELECT count(*) FROM forgotten WHERE kind = 'child'"
            forgotten = int(self._connection.execute(query).fetchone()[0])
        return imports, tuple(map(self.count, tables.TABLES)), forgotten

    def has_records(self) -> bool:
        """Return whether there is any record of any kind."""
        return bool(self.kinds())

    def kinds(self) -> list[str]:
        """List the kinds that have records."""
        with sql.translating_errors(self._db):
            return [k for k in tables.TABLES if self._connection.execute(tables.any_sql(k)).fetchone()[0]]

    def area_codes_in_use(self) -> set[str]:
        """Return the codes of all areas, of any level, that a record names."""
        codes: set[str] = set()
        with sql.translating_errors(self._db):
            for kind, columns in tables.TABLES.items():
                for column in set(columns).intersection(_AREA_COLUMNS):
                    codes |= self._texts_in_use(kind, column)
        return codes - {"", *index_codes("abroad.country").values()}

    def _texts_in_use(self, kind: str, column: str) -> set[str]:
        select, name = tables.terms_in_use_sql(kind, column), tables.term_name(kind, column)
        return {text for (text,) in self._connection.execute(select, (name,))}

    # -- what was published --

    def published_blocks(self) -> dict[str, PublishedBlock]:
        """Return the published blocks by name, each packed and with the release that published it last."""
        with sql.translating_errors(self._db):
            rows = self._connection.execute("SELECT block, members, release FROM published")
            return {block: PublishedBlock(members, release) for block, members, release in rows}

    def staged_publication(self) -> str | None:
        """Return the release whose publication has started and is neither confirmed nor discarded, or None."""
        with sql.translating_errors(self._db):
            return published.read_staged_release(self._connection)

    def stage_publication(self, release: str, blocks: Mapping[str, bytes]) -> None:
        """Store what a release is about to publish, before its folder gets its name.

        After a crash, the next release (or `tact doctor`) asks for `staged_publication`, confirms it if that release's
        folder exists and discards it otherwise. Raises VaultError while another publication is unfinished.
        """
        with self._transaction() as connection:
            published.stage(connection, release, blocks)

    def confirm_publication(self, release: str) -> None:
        """Turn the staged blocks of a release into published blocks. Raises VaultError if it is not staged."""
        with self._transaction() as connection:
            published.confirm(connection, release)

    def discard_publication(self, release: str) -> None:
        """Delete the staged blocks of an unpublished release. Raises VaultError if it is not staged."""
        with self._transaction() as connection:
            published.discard(connection, release)

    # -- health --

    def check(self) -> list[str]:
        """List what is wrong with the vault, each with its remedy; empty when all is well.

        Reads every page; the messages contain no counts.
        """
        problems = health.find_problems(self.folder, self._key, self._connection)
        if not problems and (staged := self.staged_publication()):
            problems.append(f"Publishing {staged} was interrupted. The next `tact release` finishes or undoes it.")
        return problems


def _identify_file(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from another one of the same name; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _find_kind(folder: Path) -> str:
    try:
        return Workspace.open(folder.parent).kind
    except WorkspaceError:
        return "real"


def _identifier_mark(key: AnyKey) -> str | None:
    """Compute an HMAC of a fixed text, which differs between identifier keys; None if there is no such key."""
    return key.identifier.mac(b"tact-map identifier key check v1").hex() if isinstance(key, keys.Keys) else None


def _vault_key(key: AnyKey) -> Secret:
    if isinstance(key, keys.Keys):
        return key.vault
    return key if isinstance(key, Secret) else Secret(key)
