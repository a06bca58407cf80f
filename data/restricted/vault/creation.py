"""Creation of an empty vault under a temporary name, so that there is a complete vault or none."""

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

from data.restricted.keys import Secret
from data.restricted.vault import sqlcipher as sql
from data.restricted.vault import tables
from data.workspace import files

IDENTIFIER = "identifier_key"  # in table meta: the mark of the key that hashed the children
NORMAL_CODES = "normal_codes"  # in table meta: all codes of children were hashed in their normal form


@contextlib.contextmanager
def building_aside(folder: Path) -> Iterator[Path]:
    """Yield a new private folder, which is renamed to `folder` when the block ends, or removed if it fails.

    Raises DiskFull when there is no room.
    """
    aside = files.aside(folder)
    with files.no_room_means_disk_full(folder):
        try:
            aside.mkdir(mode=0o700)
            yield aside
            files.publish_folder(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def write_empty_database(db: Path, key: Secret, kind: str, identifier_mark: str | None) -> None:
    """Write an empty database of this version; `identifier_mark` identifies the key that hashes the children."""
    db.touch(mode=0o600)
    with contextlib.closing(sql.connect(db, key, create=True)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {tables.APPLICATION}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in tables.create_sql():
            connection.execute(statement)
        created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        meta = [("kind", kind), ("created", created), (NORMAL_CODES, "")]
        meta += [(IDENTIFIER, identifier_mark)] if identifier_mark else []
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        connection.execute(f"PRAGMA user_version = {tables.VERSION}")
        connection.execute("COMMIT")
