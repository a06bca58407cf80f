"""The encrypted records. Only the command line opens this, run by a data officer.

A vault is a folder: `vault.db` (SQLCipher 4: AES-256 and an HMAC a page, under a raw key) and
`vault.check`, from which a wrong key is told from a damaged file. Beside the folder stand the
writer's lock and a note of who holds it.

The journal is a write-ahead log with `synchronous = FULL`: a process killed at any moment leaves the
last committed state, each commit is on disk before the command says so, and someone reading
(a release takes seconds) never stops an import nor sees half of one. The log is encrypted as the
database is. One transaction a file, and one for whatever is taken out (data/restricted/vault/removal.py);
nothing else writes.
"""

import contextlib
import datetime as dt
import hmac
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import pyarrow as pa

from data.errors import VaultError, WorkspaceError, WrongKey
from data.restricted import keys
from data.restricted.keys import Secret
from data.restricted.vault import forget_log as log
from data.restricted.vault import frames, removal, tables
from data.restricted.vault import health as checking
from data.restricted.vault import partners as partner_names
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault.importing import Counts, Import
from data.restricted.vault.lock import WriterLock
from data.workspace import Workspace, files

__all__ = ["Counts", "Import", "PublishedBlock", "Vault", "examine", "open_vault"]

# Both keys of a workspace, of which the vault takes its own, or that one alone.
AnyKey: TypeAlias = keys.Keys | Secret | bytes

_DB = checking.DB
_CACHE_KB = 200_000
_READ_CACHE_KB = 16_000
_SOURCE = b"tact-map import source v1"
_IDENTIFIER, _IDENTIFIER_DOMAIN = "identifier_key", b"tact-map identifier key check v1"
_REMARK = "remark "
_AREA_COLUMNS = ("municipality", "area", "origin", "destination")


class PublishedBlock(NamedTuple):
    """Who was behind a block's numbers when they were last published, and in which release."""

    members: bytes
    release: str


def open_vault(workspace: Workspace, both: keys.Keys | None = None) -> "Vault":
    """Open a workspace's vault with its keys, as found by data.keys when none are given.

    Raises WorkspaceError when the vault is of another kind (real or invented) than the workspace.
    """
    vault = Vault.open(workspace.vault, both or keys.load(workspace.id))
    if vault.kind == workspace.kind:
        return vault
    vault.close()
    msg = (
        f"The vault {workspace.vault} is {vault.kind} and its workspace {workspace.kind}. They never "
        "mix: put back the workspace.toml that belongs to it."
    )
    raise WorkspaceError(msg)


def examine(folder: Path, key: AnyKey) -> list[str]:
    """List what is wrong with a vault, also one that does not open; empty when all is well."""
    try:
        with Vault.open(folder, key) as vault:
            return vault.check()
    except VaultError as error:
        return [str(error)]


class Vault:
    """The records of one workspace. A context manager; not shared between threads."""

    def __init__(self, folder: Path, key: Secret, connection: sql.Connection) -> None:
        self.folder = folder
        self._key = key
        self._db = folder / _DB
        self._lock = WriterLock(folder)
        self._connection = connection
        self._meta = dict(connection.execute("SELECT name, value FROM meta"))

    @classmethod
    def create(cls, folder: Path, key: AnyKey, *, kind: str | None = None) -> Self:
        """Make an empty vault in a folder that does not exist yet, and open it.

        Made aside and renamed, so that there is a whole vault or none. The kind is that of the
        workspace around it unless given, "real" where there is none.
        """
        folder, secret = Path(folder).absolute(), _secret(key)
        kind = kind or _kind_around(folder)
        if os.path.lexists(folder):
            msg = f"There is a vault at {folder} already. It is never replaced by an empty one."
            raise VaultError(msg)
        with building(folder) as aside, sql.translated(folder / _DB):
            _make_empty(aside / _DB, secret, kind, _identifier_mark(key))
            checking.write(aside, secret)
        return cls.open(folder, secret)

    @classmethod
    def open_or_create(cls, folder: Path, key: AnyKey) -> Self:
        """Open the vault, made first when nothing stands at its name."""
        return cls.open(folder, key) if os.path.lexists(folder) else cls.create(folder, key)

    @classmethod
    def open(cls, folder: Path, key: AnyKey) -> Self:
        """Open a vault to read and write.

        Given both keys, it also checks that the identifier key is the one that hashed the children
        in it: with another one every child who comes back would count as new. Raises VaultError when
        there is none, WrongKey, CorruptVault. Whoever stands in the forget log beside the vault is
        forgotten before it opens, so that a vault put back by hand brings nobody back.
        """
        folder, secret = Path(folder).absolute(), _secret(key)
        connection = checking.open_checked(folder, secret)
        try:
            with sql.translated(folder / _DB):
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
                connection.execute("PRAGMA synchronous = FULL")
                vault = cls(folder, secret, connection)
            vault._check_identifier_key(_identifier_mark(key))
            vault._catch_up()
            return vault
        except BaseException:
            connection.close()
            raise

    def _catch_up(self) -> None:
        """Make the forget log and the vault equal; nearly always they are."""
        beside = log.read(log.path_of(self.folder))
        with sql.translated(self._db):
            inside = removal.entries(self._connection)
        both = log.latest(beside | inside)
        if both != inside:
            with self._transaction(thoroughly=True) as connection:
                removal.apply(connection, both - inside)
        if both != beside:
            with self.writing():
                log.write(log.path_of(self.folder), both)

    def _check_identifier_key(self, mark: str | None) -> None:
        known = self._meta.get(_IDENTIFIER)
        if mark is not None and known is not None and not hmac.compare_digest(mark, known):
            msg = (
                f"The identifier key does not belong to the vault {self.folder}: with it, every child who "
                "comes back would count as a new one. Nothing was touched. Look for the key that was made "
                "with the vault, or bring it back with `tact restore`."
            )
            raise WrongKey(msg)

    def close(self) -> None:
        """Close; the last one to do so folds the write-ahead log into the database."""
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
        """Be the only writer in the block; may be nested. Raises VaultBusy at once otherwise.

        A release holds this from counting to confirming, so that no import comes in between.
        """
        with self._lock.held():
            yield

    @contextlib.contextmanager
    def importing(self, kind: str, source: str | Path, partner: str = "") -> Iterator[Import]:
        """Yield an Import that takes chunks; all of them go in when the block ends, or none.

        `source` is the file's name; it is stored as a keyed hash only. A file that brings nothing
        new leaves no trace at all.
        """
        tables.columns_of(kind)
        with self._transaction() as connection:
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            name = self._key.mac(_SOURCE, Path(source).name.encode("utf-8", "surrogatepass"))
            batch = connection.execute(
                "INSERT INTO batch (kind, source, partner, at, accepted, changed, already_known) "
                "VALUES (?, ?, ?, ?, 0, 0, 0)",
                (kind, name, partner, now),
            ).lastrowid
            records = Import(connection, kind, batch)
            yield records
            records.flush()
            counts = records.counts
            if not counts.accepted and not counts.changed:
                connection.execute("ROLLBACK")
                return
            connection.execute(
                "UPDATE batch SET accepted = ?, changed = ?, already_known = ? WHERE id = ?",
                (counts.accepted, counts.changed, counts.already_known, batch),
            )

    def add(self, kind: str, frame: frames.Frame, source: str | Path, partner: str = "") -> Counts:
        """Import one frame as one file; see Import.add for its columns."""
        with self.importing(kind, source, partner) as records:
            records.add(frame)
        return records.counts

    # -- taking out --

    def forget(self, children: Iterable[str]) -> int:
        """Forget children by their hashes: all records of them and of those linked to them, at once.

        They stay in the forget log, also when there was no record, so that none comes in later. Gives
        the number of records. What was published stays as it is until the frozen rule draws it again.
        """
        with self.writing():
            with sql.translated(self._db):
                hashes = removal.linked(self._connection, {bytes.fromhex(child) for child in children})
            return self._forget([log.Entry("child", h.hex(), log.today()) for h in hashes])

    def withdraw(self, partner: str) -> int:
        """Delete all that a partner brought, at once; gives the number of records.

        What it sends later goes in again. Raises InputError for a name that no partner has.
        """
        with self.writing():
            return self._forget([log.Entry("partner", self.find_partner(partner), log.today())])

    def brought(self, partner: str) -> int:
        """Count the records that `withdraw` would delete."""
        with sql.translated(self._db):
            return removal.brought(self._connection, partner)

    def find_partner(self, name: str) -> str:
        """Give a partner's name as it is known here; raise InputError for a name that no partner has."""
        return partner_names.find(name, self.partners(), self.partners("encounter"))

    def _forget(self, entries: Sequence[log.Entry]) -> int:
        # The file first: see data/restricted/vault/forget_log.py.
        path = log.path_of(self.folder)
        log.write(path, log.latest({*log.read(path), *entries}))
        with self._transaction(thoroughly=True) as connection:
            return removal.apply(connection, entries)

    def expire(self, day: dt.date) -> int:
        """Delete all records of the children who were last met before a day; gives their number.

        Unlike forgotten ones these children may come back.
        """
        with self.writing():
            with sql.translated(self._db):
                silent = removal.silent_since(self._connection, day.isoformat())
            if not silent:
                return 0
            with self._transaction(thoroughly=True) as connection:
                return removal.remove(connection, silent)

    def overdue(self, day: dt.date) -> int:
        """Count the records that `expire` would delete."""
        with sql.translated(self._db):
            return removal.count(self._connection, removal.silent_since(self._connection, day.isoformat()))

    def partners(self, kind: str | None = None) -> list[str]:
        """List the partners that are named in records or have sent files; of one kind, those in its records.

        The operator of a service is a partner too.
        """
        with sql.translated(self._db):
            if kind is not None:
                return sorted(self._texts_in_use(kind, "partner") - {""})
            return sorted(set(removal.named(self._connection)))

    def unknown(self, children: Collection[str]) -> frozenset[str]:
        """Give those of some hashes of children that no record has and that were not forgotten before."""
        with sql.translated(self._db):
            held = removal.held(self._connection, {bytes.fromhex(child) for child in children})
        return frozenset(children) - {child.hex() for child in held} - self.forgotten()

    def forgotten(self) -> frozenset[str]:
        """Give the hashes of all forgotten children, of which an import takes no record."""
        with sql.translated(self._db):
            return frozenset(e.name for e in removal.entries(self._connection) if e.kind == "child")

    @contextlib.contextmanager
    def _transaction(self, *, thoroughly: bool = False) -> Iterator[sql.Connection]:
        connection = self._connection
        with self.writing(), sql.translated(self._db):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                if connection.in_transaction:
                    connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk was full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            self._fold_log(thoroughly)

    def _fold_log(self, thoroughly: bool) -> None:
        # What was committed is safe in the log: if there is no room to fold it now, or somebody is
        # reading, later will do. What was taken out may stand in earlier pages of the log (encrypted, as
        # all of it): wait for readers then; whoever closes last folds it in any case.
        waiting = contextlib.nullcontext() if thoroughly else sql.without_waiting(self._connection)
        with contextlib.suppress(sql.SqlError), waiting:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.execute("PRAGMA shrink_memory")

    def remark(self, name: str) -> str | None:
        """Give what was written down under a name; None where nothing was."""
        with sql.translated(self._db):
            found = self._connection.execute("SELECT value FROM meta WHERE name = ?", (f"{_REMARK}{name}",))
            row = found.fetchone()
        return None if row is None else str(row[0])

    def write_remark(self, name: str, text: str) -> None:
        """Write something down that belongs to the records and goes with them into backups."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"{_REMARK}{name}", text))

    # -- reading --

    def read(
        self, kind: str, columns: Sequence[str] | None = None, chunk_rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """Yield the records of one moment, in the order of their identity, some rows at a time.

        Columns are the kind's canonical ones (all, when None) and, asked for by name, `identity`
        (bytes) and `batch` (int). Text with few values comes as dictionary<int32, string>, with one
        dictionary for the whole reading (it may hold values that no record has any more); hashes as
        64 hexadecimal digits; empty text where something is missing; whole numbers as int64 and
        others as float64, null where missing. A million encounters take some 3 s, at flat memory.
        """
        names = list(tables.columns_of(kind) if columns is None else columns)
        return self._read(kind, names, tables.select_sql(kind, names), chunk_rows)

    def _read(self, kind: str, names: list[str], select: str, chunk_rows: int) -> Iterator[pa.RecordBatch]:
        with self._reading() as connection:
            book = frames.TermBook(connection)
            decoders = [_decoder(kind, name, book) for name in names]
            cursor = connection.execute(select)
            while rows := cursor.fetchmany(chunk_rows):
                values = zip(*rows, strict=True)
                arrays = [decode(value) for decode, value in zip(decoders, values, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sql.Connection]:
        """Yield a connection of its own that sees one moment and cannot write."""
        with sql.translated(self._db):
            connection = sql.connect(self._db, self._key)
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KB}")
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def has_records(self) -> bool:
        """Tell whether there is any record of any kind."""
        return bool(self.kinds())

    def kinds(self) -> list[str]:
        """List the kinds of which there are records."""
        with sql.translated(self._db):
            return [k for k in tables.TABLES if self._connection.execute(tables.any_sql(k)).fetchone()[0]]

    def area_codes_in_use(self) -> set[str]:
        """List the codes of all areas that a record names, of any level."""
        codes: set[str] = set()
        with sql.translated(self._db):
            for kind, columns in tables.TABLES.items():
                for column in set(columns).intersection(_AREA_COLUMNS):
                    codes |= self._texts_in_use(kind, column)
        return codes - {""}

    def _texts_in_use(self, kind: str, column: str) -> set[str]:
        select, name = tables.terms_in_use_sql(kind, column), tables.term_name(kind, column)
        return {text for (text,) in self._connection.execute(select, (name,))}

    # -- what was published --

    def published_blocks(self) -> dict[str, PublishedBlock]:
        """Give the members behind each published block, and the release that published it last."""
        with sql.translated(self._db):
            found = self._connection.execute("SELECT block, members, release FROM published")
            return {block: PublishedBlock(members, release) for block, members, release in found}

    def staged_publication(self) -> str | None:
        """Name the release whose publication was begun and neither confirmed nor discarded."""
        with sql.translated(self._db):
            found = self._connection.execute("SELECT value FROM meta WHERE name = 'staged'").fetchone()
        return None if found is None else str(found[0])

    def stage_publication(self, release: str, blocks: Mapping[str, bytes]) -> None:
        """Write down what a release is about to publish, before its folder gets its name.

        After a crash, whoever opens the vault next asks `staged_publication`, confirms when that
        release's folder is there and discards when it is not. Raises VaultError while another
        publication is unfinished; staging the same release again replaces what was staged.
        """
        with self.writing():
            staged = self.staged_publication()
            if staged not in (None, release):
                msg = (
                    f"The publication of {staged} was begun and not finished, so {release} cannot "
                    "begin. Run `tact release`, which finishes or undoes it."
                )
                raise VaultError(msg)
            with self._transaction() as connection:
                connection.execute("DELETE FROM staged")
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('staged', ?)", (release,))
                connection.executemany("INSERT INTO staged VALUES (?, ?)", sorted(blocks.items()))

    def confirm_publication(self, release: str) -> None:
        """Make what was staged for a release the state last published. Raises VaultError if none."""
        with self._settling(release) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO published SELECT block, members, ? FROM staged", (release,)
            )

    def discard_publication(self, release: str) -> None:
        """Forget what was staged for a release that was not published. Raises VaultError if none."""
        with self._settling(release):
            pass

    @contextlib.contextmanager
    def _settling(self, release: str) -> Iterator[sql.Connection]:
        with self.writing():
            staged = self.staged_publication()
            if staged != release:
                msg = f"Nothing is staged for {release!r}; staged is {staged or 'nothing'}."
                raise VaultError(msg)
            with self._transaction() as connection:
                yield connection
                connection.execute("DELETE FROM staged")
                connection.execute("DELETE FROM meta WHERE name = 'staged'")

    # -- health --

    def check(self) -> list[str]:
        """List what is wrong with the vault, each with its remedy; empty when all is well.

        Reads every page; shows no counts.
        """
        problems = checking.problems(self.folder, self._key, self._connection)
        if not problems and (staged := self.staged_publication()):
            problems.append(
                f"The publication of {staged} was interrupted. The next `tact release` settles it."
            )
        return problems


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Yield a private folder aside; when the block ends well it becomes `folder`, a new name."""
    aside = files.aside(folder)
    with files.no_room_means_disk_full(folder):
        try:
            aside.mkdir(mode=0o700)
            yield aside
            files.publish_folder(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def _make_empty(db: Path, key: Secret, kind: str, identifier: str | None) -> None:
    db.touch(mode=0o600)
    connection = sql.connect(db, key, create=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {tables.APPLICATION}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in tables.create_sql():
            connection.execute(statement)
        made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        meta = [("kind", kind), ("created", made)]
        meta += [(_IDENTIFIER, identifier)] if identifier else []
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        connection.execute(f"PRAGMA user_version = {tables.VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _decoder(kind: str, name: str, book: frames.TermBook) -> Callable[[Sequence[Any]], pa.Array]:
    if name == "identity":
        return lambda values: pa.array(values, pa.binary(frames.DIGEST_BYTES))
    if name == "batch":
        return lambda values: pa.array(values, pa.int64())
    return frames.decoder(tables.TABLES[kind][name], book.texts(tables.term_name(kind, name)))


def _kind_around(folder: Path) -> str:
    try:
        return Workspace.open(folder.parent).kind
    except WorkspaceError:
        return "real"


def _identifier_mark(key: AnyKey) -> str | None:
    """Give what tells one identifier key from another, where it was given: an HMAC of a fixed text."""
    return key.identifier.mac(_IDENTIFIER_DOMAIN).hex() if isinstance(key, keys.Keys) else None


def _secret(key: AnyKey) -> Secret:
    if isinstance(key, keys.Keys):
        return key.vault
    return key if isinstance(key, Secret) else Secret(key)
