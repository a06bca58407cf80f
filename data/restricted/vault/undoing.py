"""Take back one import, as if it had never happened, inside a transaction of the caller.

A record of the vault has the content from its latest import. The table `KIND_history` has the content from other
imports: what a correction replaced, what a later file repeats, and that a file removed the record. After an import is
taken back, each record has the content, and the import number, that the other imports give it:

- a record that no other import has is deleted;
- a record that the import corrected or removed gets its earlier content again;
- a record that was corrected or sent again later is not changed.
"""

from dataclasses import dataclass

from data.restricted.vault import tables
from data.restricted.vault.sqlcipher import Connection

# ruff: noqa: S608 - names of tables and columns come from tables.py alone


@dataclass(frozen=True)
class Undone:
    """The numbers of records that were deleted, got their earlier content, or stay because other imports have them."""

    removed: int
    restored: int
    remaining: int


def undo_import(connection: Connection, kind: str, batch: int) -> Undone:
    """Take back an import of a kind and delete its entry; return the numbers of records."""
    history, columns = tables.history_of(kind), tables.all_columns(kind)
    removed = connection.execute(
        f"DELETE FROM {kind} WHERE batch = ?1 AND identity NOT IN (SELECT identity FROM {history})", (batch,)
    ).rowcount
    connection.execute("CREATE TABLE temp.touched (identity BLOB PRIMARY KEY, ours INTEGER NOT NULL) WITHOUT ROWID")
    connection.execute(f"INSERT INTO temp.touched SELECT identity, 1 FROM {kind} WHERE batch = ?1", (batch,))
    connection.execute(
        f"INSERT INTO temp.touched SELECT identity, content = {tables.REMOVED} FROM {history} WHERE batch = ?1 "
        f"AND (content = {tables.REMOVED} OR identity IN (SELECT identity FROM {kind})) ON CONFLICT DO NOTHING",
        (batch,),
    )
    touched = "identity IN (SELECT identity FROM temp.touched)"
    connection.execute(f"INSERT INTO {history} ({columns}) SELECT {columns} FROM {kind} WHERE {touched}")
    connection.execute(f"DELETE FROM {kind} WHERE {touched}")
    connection.execute(f"DELETE FROM {history} WHERE batch = ?1", (batch,))
    before = f"SELECT 1 FROM {history} WHERE identity = h.identity AND batch < h.batch"
    connection.execute(f"DELETE FROM {history} AS h WHERE content = {tables.REMOVED} AND NOT EXISTS ({before})")
    # The first of the last imports with the same content.
    latest = f"SELECT content FROM {history} WHERE identity = h.identity ORDER BY batch DESC LIMIT 1"
    other = f"SELECT max(batch) FROM {history} WHERE identity = h.identity AND content <> ({latest})"
    first = f"SELECT min(batch) FROM {history} WHERE identity = h.identity AND batch > coalesce(({other}), -1)"
    connection.execute(
        f"INSERT INTO {kind} ({columns}) SELECT {columns} FROM {history} AS h "
        f"WHERE h.{touched} AND h.batch = ({first}) AND content <> {tables.REMOVED}"
    )
    connection.execute(
        f"DELETE FROM {history} WHERE {touched} "
        f"AND (identity, batch) IN (SELECT identity, batch FROM {kind} WHERE {touched})"
    )
    counted = dict(
        connection.execute(f"SELECT ours, count(*) FROM temp.touched JOIN {kind} USING (identity) GROUP BY 1")
    )
    (gone,) = connection.execute(
        f"SELECT count(*) FROM temp.touched WHERE identity NOT IN (SELECT identity FROM {kind})"
    ).fetchone()
    connection.execute("DROP TABLE temp.touched")
    # Its number is never given again: the forget log and an officer's list know imports by their numbers.
    connection.execute(f"INSERT OR REPLACE INTO meta VALUES ('last_import', ({tables.LAST_IMPORT}))")
    connection.execute("DELETE FROM batch WHERE id = ?1", (batch,))
    connection.execute("DELETE FROM undoable WHERE batch = ?1", (batch,))
    names = [(f"{tables.NOTE}{note}{batch}",) for note in (tables.REJECTED, tables.OUTLINE)]
    connection.executemany("DELETE FROM meta WHERE name = ?", names)
    return Undone(removed + gone, counted.get(1, 0), counted.get(0, 0))
