"""The file of accounts: SQLite in WAL mode, readable only by its owner, written by several processes at once.

It also contains meetings. If nobody signs in, a file of the same form in the workspace contains only meetings.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.errors import WorkspaceError

_APPLICATION = 0x54414354  # "TACT"; SQLite keeps it in the file, so that no other program's file is taken for ours
_BUSY = 10.0  # seconds that one process waits for another
# Each brings the file one version further; its statements end where a line ends. PRAGMA user_version counts them.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, organisation TEXT NOT NULL,
        role TEXT NOT NULL, invitation TEXT UNIQUE, invited REAL NOT NULL, passphrase TEXT, factor BLOB,
        counter INTEGER NOT NULL DEFAULT 0, revoked REAL
    ) STRICT;
    CREATE TABLE sessions (
        secret TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES people (id), since REAL NOT NULL, seen REAL NOT NULL
    ) STRICT;
    CREATE TABLE attempts (
        key TEXT PRIMARY KEY, failures INTEGER NOT NULL, last REAL NOT NULL
    ) STRICT;
    CREATE TABLE log (
        number INTEGER PRIMARY KEY, moment TEXT NOT NULL, previous TEXT NOT NULL, content TEXT NOT NULL,
        sha256 TEXT NOT NULL
    ) STRICT;
    CREATE TABLE log_head (
        only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, sha256 TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER log_keeps_rows BEFORE DELETE ON log BEGIN SELECT RAISE (ABORT, 'the log only grows'); END;
    CREATE TRIGGER log_keeps_words BEFORE UPDATE ON log BEGIN SELECT RAISE (ABORT, 'the log only grows'); END;
    """,
    # A person who comes through a provider is recognised by its issuer and their id there.
    """
    ALTER TABLE people ADD COLUMN subject TEXT;
    CREATE UNIQUE INDEX people_of_providers ON people (subject);
    """,
    # Rows of the log up to the number in log_start may be removed.
    """
    CREATE TABLE log_start (
        only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, sha256 TEXT NOT NULL
    ) STRICT;
    DROP TRIGGER log_keeps_rows;
    CREATE TRIGGER log_keeps_rows BEFORE DELETE ON log
    WHEN OLD.number > (SELECT coalesce(max(number), 0) FROM log_start)
    BEGIN SELECT RAISE (ABORT, 'the log only grows'); END;
    """,
    """
    CREATE TABLE meetings (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, day TEXT NOT NULL
    ) STRICT;
    CREATE TABLE agenda_items (
        id INTEGER PRIMARY KEY, meeting INTEGER NOT NULL REFERENCES meetings (id), place INTEGER NOT NULL,
        view TEXT NOT NULL, release TEXT NOT NULL, sentence TEXT NOT NULL
    ) STRICT;
    CREATE TABLE decisions (
        id INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES agenda_items (id), what TEXT NOT NULL,
        who TEXT NOT NULL, due TEXT NOT NULL, area TEXT NOT NULL, plan TEXT NOT NULL
    ) STRICT;
    """,
    # The countries to which a person is limited, as codes separated by blanks; empty is no limit.
    """
    ALTER TABLE people ADD COLUMN countries TEXT NOT NULL DEFAULT '';
    """,
    # Public keys, and the secret with which all processes that use the file make their challenges.
    """
    CREATE TABLE passkeys (
        id TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES people (id), key BLOB NOT NULL,
        counter INTEGER NOT NULL, added REAL NOT NULL
    ) STRICT;
    CREATE TABLE challenge_secret (only INTEGER PRIMARY KEY CHECK (only = 1), value BLOB NOT NULL) STRICT;
    """,
    # AUTOINCREMENT: the log names tokens by their number, so no number is used twice.
    """
    CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT, secret TEXT NOT NULL UNIQUE,
        person INTEGER NOT NULL REFERENCES people (id), title TEXT NOT NULL, since REAL NOT NULL, seen REAL
    ) STRICT;
    """,
    # An index to the rows of the log about a person. A row that was changed may be no JSON; it is about nobody.
    """
    CREATE INDEX log_of_people ON log (CASE WHEN json_valid(content) THEN json_extract(content, '$.person') END);
    """,
    # The last day on which a person may sign in (ISO, UTC); empty is no end.
    """
    ALTER TABLE people ADD COLUMN last_day TEXT NOT NULL DEFAULT '';
    """,
)


@dataclass(frozen=True)
class Accounts:
    """An open file of accounts, and the clock that ends invitations and sessions (seconds since 1970)."""

    path: Path
    clock: Callable[[], float] = time.time

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """Open the file, and update it to this version.

        Raises WorkspaceError if it is missing, damaged, of another program or a newer version, or cannot be used now.
        """
        if not path.is_file():
            raise WorkspaceError(
                f"There is no file of accounts at {path}. Invite the first person: "
                f"tact people invite NAME --role ROLE --accounts {path}"
            )
        accounts = cls(path, clock)
        accounts._upgrade()
        return accounts

    @classmethod
    def open_or_create(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Self:
        """Open the file, or create it with its folder; only the owner can read what is created.

        Raises WorkspaceError as `open` does, and OSError if the file cannot be created.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files beside it the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return cls.open(path, clock=clock)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for reading. Raises WorkspaceError if the file cannot be used, as `write` does."""
        with self._explain(), closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a transaction. No other process can write meanwhile. An error undoes everything.

        Raises WorkspaceError if the file cannot be used, for example on a full disk, or if it is damaged.
        """
        with self._explain(), closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # a full disk has ended the transaction already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def copy(self) -> bytes:
        """Return a copy of this file without sessions, tokens and attempts, for a backup; as bytes."""
        with self.read() as connection, closing(sqlite3.connect(":memory:")) as other:
            connection.backup(other)
            other.executescript("DELETE FROM sessions; DELETE FROM tokens; DELETE FROM attempts; VACUUM;")
            return other.serialize()

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise WorkspaceError(
                f"{self.path} cannot be used now, and nothing was changed: {error}. Check that you may write there, "
                "that the disk has room, and that no other program holds the file; then try again."
            ) from error
        except sqlite3.DatabaseError as error:
            raise WorkspaceError(
                f"{self.path} is no file of accounts, or it is damaged: {error}. Put it back from a copy, or move it "
                "away: then everybody is invited again, and meetings begin anew."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA busy_timeout = {_BUSY * 1000:.0f}")
            connection.execute("PRAGMA foreign_keys = ON")
            # A row of the log must survive a power cut once its transaction has ended.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _upgrade(self) -> None:
        with self.read() as connection:
            if self._read_version(connection) == len(MIGRATIONS):
                return
            connection.execute("PRAGMA journal_mode = WAL")
        with self.write() as connection:
            for number in range(self._read_version(connection), len(MIGRATIONS)):
                for statement in _split_statements(MIGRATIONS[number]):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _read_version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the file; 0 for a new one. Raises WorkspaceError if it is newer or not ours."""
        application, version, tables = (
            int(connection.execute(question).fetchone()[0])
            for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
        )
        if application != _APPLICATION and (version or tables):
            raise WorkspaceError(f"{self.path} belongs to another program. Give the path of a file of accounts.")
        if version > len(MIGRATIONS):
            raise WorkspaceError(
                f"{self.path} was made by a newer version of TACT Map (format {version}; this one reads "
                f"{len(MIGRATIONS)}). Install that version."
            )
        return version


def _split_statements(text: str) -> Iterator[str]:
    """Yield the statements of a migration. They are run one by one, so that they stay inside its transaction."""
    statement = ""
    for line in text.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
