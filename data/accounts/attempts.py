"""Attempts to sign in: after too many failures a person must wait, and a challenge is accepted only once.

The same holds for the answer of a provider. A key begins with a word for its kind, such as name, address or challenge.
"""

from __future__ import annotations

import sqlite3

_FIRST_WAIT, _LAST_WAIT = 30.0, 900.0  # seconds
_FORGET = 3600.0  # seconds after which failures are forgotten
_OVERTAKEN = 60.0  # seconds by which attempts at the same time may be counted in another order than they came
_MOST = 10_000  # keys of a kind; the oldest are forgotten


def find_wait(connection: sqlite3.Connection, key: str, free: int, now: float) -> float:
    """Return for how many seconds a name or an address must wait, zero or less for no wait.

    key : that of the name or address. free : the number of failures that cause no wait. now : the time in seconds
    since 1970.
    """
    # A failure from before the clock was set back would make everybody wait until the clock has caught up.
    query = "SELECT * FROM attempts WHERE key = ? AND ? - last BETWEEN ? AND ?"
    row = connection.execute(query, (key, now, -_OVERTAKEN, _FORGET)).fetchone()
    if row is None or row["failures"] < free:
        return 0.0
    wait = min(_LAST_WAIT, _FIRST_WAIT * 2.0 ** min(int(row["failures"]) - free, 10))
    return min(_LAST_WAIT, float(row["last"]) + wait - now)


def count_failure(connection: sqlite3.Connection, key: str, now: float) -> None:
    """Count an attempt under a key as a failure. The caller may count it before its result is known.

    now : the time in seconds since 1970.
    """
    connection.execute("DELETE FROM attempts WHERE ? - last > ?", (now, _FORGET))
    connection.execute(
        "INSERT INTO attempts VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET failures = failures + 1, "
        "last = excluded.last",
        (key, now),
    )
    # The limit holds for each kind of key, so made-up names cannot remove a used challenge, which could be used again.
    connection.execute(
        "DELETE FROM attempts WHERE key IN "
        "(SELECT key FROM attempts WHERE key GLOB ? ORDER BY last DESC LIMIT -1 OFFSET ?)",
        (f"{key.partition(' ')[0]} *", _MOST),
    )


def take_once(connection: sqlite3.Connection, key: str, now: float) -> bool:
    """Note the first use of a key; return False if it was already noted.

    A key is noted for at least an hour, or until there are 10,000 newer keys of its kind.

    now : the time in seconds since 1970.
    """
    if connection.execute("SELECT 1 FROM attempts WHERE key = ?", (key,)).fetchone():
        return False
    count_failure(connection, key, now)
    return True
