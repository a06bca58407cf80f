"""Taking records out of a vault for good; each function runs inside one transaction of its caller.

Deleted rows are overwritten (`secure_delete`). After them go the texts that no other record holds, and the
marks of children who are in the vault no more (data/restricted/publishing/frozen.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from data.restricted.vault import tables
from data.restricted.vault.blocks import LEDGER, Block
from data.restricted.vault.forget_log import Entry, today
from data.restricted.vault.sqlcipher import Connection
from data.workspace.folding import normal_identifier

__all__ = ["apply", "brought", "count", "entries", "held", "linked", "named", "remove", "silent_since"]

_PAIRS = "SELECT DISTINCT child, programme_child FROM encounter"
# The first 40 bits of a hash are what a mark in a published block holds.
_PRESENT = (
    "SELECT substr(child, 1, 5) FROM encounter UNION SELECT substr(programme_child, 1, 5) FROM encounter"
)
_SEEN = (
    "SELECT child, programme_child, max(text) FROM encounter JOIN term "
    "ON \"column\" = 'encounter.date' AND code = encounter.date GROUP BY child, programme_child"
)
_OF_CHILDREN = "FROM encounter WHERE child IN (SELECT child FROM temp.going)"


def entries(connection: Connection) -> set[Entry]:
    """Give the vault's own forget log."""
    return {Entry(*row) for row in connection.execute("SELECT kind, name, day FROM forgotten")}


def apply(connection: Connection, new: Iterable[Entry]) -> int:
    """Forget children and part from partners, and write both down; gives the number of records."""
    new = list(new)
    children = linked(connection, {bytes.fromhex(e.name) for e in new if e.kind == "child"})
    gone = _delete(connection, children)
    for entry in new:
        if entry.kind == "partner":
            gone += _leave(connection, entry)
    connection.executemany("INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?)", sorted(new))
    _sweep(connection)
    return gone


def named(connection: Connection) -> list[str]:
    """List the names under which partners stand in the records or have sent files."""
    return [name for (name,) in connection.execute(tables.NAMED) if name]


def brought(connection: Connection, partner: str) -> int:
    """Count the records that a partner brought until today."""
    given = (_spellings(connection, partner), today())
    counts = (connection.execute(tables.brought_sql(kind), given).fetchone()[0] for kind in tables.TABLES)
    return sum(map(int, counts))


def remove(connection: Connection, children: set[bytes]) -> int:
    """Delete the records of some children, who may come back; gives the number of records."""
    gone = _delete(connection, children)
    if gone:
        _sweep(connection)
    return gone


def linked(connection: Connection, children: set[bytes]) -> set[bytes]:
    """Give the hashes of these children and of all that are linked to them, directly or through others."""
    return _closure(connection.execute(_PAIRS).fetchall(), children)


def held(connection: Connection, children: set[bytes]) -> set[bytes]:
    """Give those of some hashes that stand in a record."""
    return children & {h for pair in connection.execute(_PAIRS) for h in pair}


def silent_since(connection: Connection, day: str) -> set[bytes]:
    """List the children, by the hashes of all their records, who were last met before a day."""
    seen = connection.execute(_SEEN).fetchall()
    pairs = [pair[:2] for pair in seen]
    met = _closure(pairs, {h for *pair, last in seen if last >= day for h in pair if h})
    return {child for child, _ in pairs} - met


def count(connection: Connection, children: set[bytes]) -> int:
    """Count the records of some children."""
    _choose(connection, children)
    found = int(connection.execute(f"SELECT count(*) {_OF_CHILDREN}").fetchone()[0])
    connection.execute("DROP TABLE temp.going")
    return found


def _closure(pairs: list[tuple[bytes, bytes]], children: set[bytes]) -> set[bytes]:
    known, new = set(children), set(children)
    while new:
        new = {h for pair in pairs if not new.isdisjoint(pair) for h in pair if h} - known
        known |= new
    return known


def _choose(connection: Connection, children: set[bytes]) -> None:
    # In memory (`temp_store`), and one pass over the records however many children there are.
    connection.execute("CREATE TABLE temp.going (child BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO temp.going VALUES (?)", [(child,) for child in children])


def _delete(connection: Connection, children: set[bytes]) -> int:
    _choose(connection, children)
    gone = int(connection.execute(f"DELETE {_OF_CHILDREN}").rowcount)
    connection.execute("DROP TABLE temp.going")
    return gone


def _leave(connection: Connection, entry: Entry) -> int:
    """Delete what a partner brought until the day on which it left; it may have come back since."""
    spellings = _spellings(connection, entry.name)
    return sum(
        int(connection.execute(tables.leave_sql(kind), (spellings, entry.day)).rowcount)
        for kind in tables.TABLES
    )


def _spellings(connection: Connection, partner: str) -> str:
    """List, as JSON, how a partner's name is spelt here."""
    same = normal_identifier(partner)
    return json.dumps([text for text in named(connection) if normal_identifier(text) == same])


def _sweep(connection: Connection) -> None:
    """Clear what only the deleted records have left behind."""
    for kind, columns in tables.TABLES.items():
        for column, storage in columns.items():
            if storage == "term":
                connection.execute(tables.clear_terms_sql(kind, column), (tables.term_name(kind, column),))
    words = b"".join(start.rjust(8, b"\0") for (start,) in connection.execute(_PRESENT) if start)
    present = np.frombuffer(words, ">u8").astype(np.uint64)
    for table in ("published", "staged"):
        blocks = connection.execute(f"SELECT block, members FROM {table} WHERE block <> ?", (LEDGER,))  # noqa: S608
        for name, members in blocks.fetchall():
            block = Block.decode(members)
            if block.disown(present):
                connection.execute(f"UPDATE {table} SET members = ? WHERE block = ?", (block.encode(), name))  # noqa: S608
