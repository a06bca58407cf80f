"""Remove records from a vault for good; each function runs inside a transaction of the caller.

Deleted rows are overwritten (`secure_delete`). Texts that no other record uses are deleted too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from data.restricted.vault import tables
from data.restricted.vault.blocks import LEDGER, Block
from data.restricted.vault.forget_log import Entry
from data.restricted.vault.sqlcipher import Connection
from data.workspace.folding import normalize_partner

# ruff: noqa: S608 - statements are put together from constants of this module
_PAIRS = (  # also of removed records, which an undo brings back
    "SELECT child, programme_child FROM encounter UNION SELECT child, programme_child FROM encounter_history "
    f"WHERE content = {tables.REMOVED}"
)
# Days in the history count only for a child that no record names.
_MET = (
    "SELECT child, programme_child, date FROM encounter UNION ALL SELECT child, programme_child, date "
    "FROM encounter_history WHERE child NOT IN (SELECT child FROM encounter)"
)
_LAST_MET = (
    f"SELECT child, programme_child, max(text) FROM ({_MET}) JOIN term "
    "ON \"column\" = 'encounter.date' AND code = date GROUP BY child, programme_child"
)
_GOING = "child IN (SELECT child FROM temp.going)"
_OF_CHILDREN = f"FROM encounter WHERE {_GOING}"


def read_log(connection: Connection) -> set[Entry]:
    """Return the entries of the forget log inside the vault."""
    return {Entry(*row) for row in connection.execute("SELECT kind, name, day FROM forgotten")}


def apply(connection: Connection, entries: Iterable[Entry]) -> int:
    """Delete the records of the children and partners in `entries`, and add the entries to the forget log.

    Records of children linked to these are deleted too. Returns the number of deleted records.
    """
    entries = list(entries)
    children = find_linked(connection, {bytes.fromhex(e.name) for e in entries if e.kind == "child"})
    deleted = _delete(connection, children)
    for entry in entries:
        if entry.kind == "partner":
            deleted += _delete_partner_records(connection, entry)
    connection.executemany("INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?)", sorted(entries))
    sweep(connection)
    return deleted


def list_partners(connection: Connection) -> list[str]:
    """List the names of partners that appear in records or have sent files."""
    return [name for (name,) in connection.execute(tables.NAMED) if name]


def count_brought(connection: Connection, partner: str) -> int:
    """Count the records that a partner has delivered and that are still in the vault."""
    parameters = (_spellings(connection, partner), read_last_import(connection))
    queries = (f"SELECT count(*) FROM {kind} WHERE {tables.select_brought(kind)}" for kind in tables.TABLES)
    return sum(int(connection.execute(query, parameters).fetchone()[0]) for query in queries)


def read_last_import(connection: Connection) -> int:
    """Return the highest number that an import ever had, even if it was undone; 0 if there was none.

    Numbers in the forget log count too, because they may be higher after an older backup was restored. The next import
    gets the next number, so that the records of a partner who returns are distinguished from the earlier ones.
    """
    return int(connection.execute(tables.LAST_IMPORT).fetchone()[0])


def remove(connection: Connection, children: set[bytes]) -> int:
    """Delete the records of these children, but do not add them to the forget log; return the number of records."""
    deleted = _delete(connection, children)
    sweep(connection)
    return deleted


def find_linked(connection: Connection, children: set[bytes], links: Iterable[tuple[bytes, bytes]] = ()) -> set[bytes]:
    """Return the hashes of these children and of all children linked to them, directly or through others.

    Two hashes are linked by a record that has both, or by `links`, further pairs of hashes of one child.
    """
    return _closure([*connection.execute(_PAIRS).fetchall(), *links], children)


def find_recorded(connection: Connection, children: set[bytes]) -> set[bytes]:
    """Return those of these hashes that a record or its history has."""
    pairs = connection.execute(f"{_PAIRS} UNION SELECT child, programme_child FROM encounter_history")
    return children & {h for pair in pairs for h in pair}


def find_unmet_since(connection: Connection, day: str) -> set[bytes]:
    """Return the hashes of children whose last encounter, and that of all linked to them, was before a day (ISO)."""
    rows = connection.execute(_LAST_MET).fetchall()
    pairs = [row[:2] for row in rows]
    recent = _closure(pairs, {h for *pair, last in rows if last >= day for h in pair if h})
    return {child for child, _ in pairs} - recent


def count(connection: Connection, children: set[bytes]) -> int:
    """Count the records of these children."""
    _write_going(connection, children)
    number = int(connection.execute(f"SELECT count(*) {_OF_CHILDREN}").fetchone()[0])
    connection.execute("DROP TABLE temp.going")
    return number


def _closure(pairs: list[tuple[bytes, bytes]], children: set[bytes]) -> set[bytes]:
    closed, new = set(children), set(children)
    while new:
        new = {h for pair in pairs if not new.isdisjoint(pair) for h in pair if h} - closed
        closed |= new
    return closed


def _write_going(connection: Connection, children: set[bytes]) -> None:
    # In memory (`temp_store`), and one pass over the records however many children there are.
    connection.execute("CREATE TABLE temp.going (child BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO temp.going VALUES (?)", [(child,) for child in children])


def _delete(connection: Connection, children: set[bytes]) -> int:
    _write_going(connection, children)
    connection.execute(f"DELETE FROM encounter_history WHERE {_GOING} OR identity IN (SELECT identity {_OF_CHILDREN})")
    deleted = int(connection.execute(f"DELETE {_OF_CHILDREN}").rowcount)
    connection.execute("DROP TABLE temp.going")
    return deleted


def _delete_partner_records(connection: Connection, entry: Entry) -> int:
    """Delete a partner's records up to the last import before it left, and return their number.

    Later records stay, because the partner may have returned.
    """
    if entry.until.isdecimal():
        until = int(entry.until)
    else:  # the day in an entry of an earlier version
        query = "SELECT coalesce(max(id), 0) FROM batch WHERE substr(at, 1, 10) <= ?"
        until = int(connection.execute(query, (entry.until,)).fetchone()[0])
    parameters = (_spellings(connection, entry.name), until)
    outline, names = f"{tables.NOTE}{tables.OUTLINE}", "json_each(meta.value, '$.partners')"
    connection.execute(
        f"DELETE FROM meta WHERE name LIKE '{outline}%' AND CAST(substr(name, {len(outline) + 1}) AS INTEGER) <= ?2 "
        f"AND EXISTS (SELECT 1 FROM {names} AS sender WHERE sender.value IN (SELECT value FROM json_each(?1)))",
        parameters,
    )
    deleted = 0
    for kind in tables.TABLES:
        history, brought = tables.history_of(kind), tables.select_brought(kind)
        within = f"identity IN (SELECT identity FROM {kind} WHERE {brought})"
        connection.execute(f"DELETE FROM {history} WHERE {within} OR {brought}", parameters)
        deleted += int(connection.execute(f"DELETE FROM {kind} WHERE {brought}", parameters).rowcount)
    return deleted


def _spellings(connection: Connection, partner: str) -> str:
    """Return all spellings of a partner's name in this vault, as a JSON list."""
    wanted = normalize_partner(partner)
    return json.dumps([name for name in list_partners(connection) if normalize_partner(name) == wanted])


def sweep(connection: Connection) -> None:
    """Delete texts that only deleted records used, and marks of children that earlier versions put into blocks."""
    for kind, columns in tables.TABLES.items():
        for column, storage in columns.items():
            if storage == "term":
                connection.execute(tables.clear_terms_sql(kind, column), (tables.term_name(kind, column),))
    for table in ("published", "staged"):
        blocks = connection.execute(f"SELECT block, members FROM {table} WHERE block <> ?", (LEDGER,))
        for name, stored in blocks.fetchall():
            if (clean := Block.decode(stored).encode()) != stored:
                connection.execute(f"UPDATE {table} SET members = ? WHERE block = ?", (clean, name))
