"""The audit log: who signed in or failed, saw, exported, planned, or changed who may do what.

Rows are only ever added, each with the SHA-256 of the row before it (data/workspace/hash_chain.py), and the file keeps
number and SHA-256 of the last one. So a row that is changed, removed, moved or put in is found, and so are rows that
are cut off at the end. Not found is what somebody does who writes all of it anew, the last one's SHA-256 included, or
puts an older copy of the whole file in its place: against that, keep the number and SHA-256 of the last row elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from data.accounts.database import Accounts
from data.errors import WorkspaceError
from data.workspace.hash_chain import START, Entry, compute_hash, find_fault


class Event(StrEnum):
    """What happened."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    ADMITTED = "admitted"
    REVOKED = "revoked"
    SIGNED_IN = "signed in"
    FAILED = "failed to sign in"
    SIGNED_OUT = "signed out"
    SAW = "saw"
    EXPORTED = "exported"
    PLANNED = "planned"


@dataclass(frozen=True)
class Verdict:
    """Whether the log is whole: how many rows hold, number and SHA-256 of the last row, and the first fault in words.

    `problem` is empty where there is none.
    """

    rows: int
    head: tuple[int, str]
    problem: str


def add_row(connection: sqlite3.Connection, now: float, event: Event, person: str = "", **details: str) -> None:
    """Add a row in the transaction of what it tells of. `person` is a name; empty where nobody is known."""
    number, previous = _read_head(connection)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = {"event": str(event), "person": person, **details}
    sha256 = compute_hash(number + 1, moment, previous, content)
    connection.execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
        (number + 1, moment, previous, json.dumps(content, ensure_ascii=False), sha256),
    )
    connection.execute("INSERT OR REPLACE INTO log_head VALUES (1, ?, ?)", (number + 1, sha256))


def note(accounts: Accounts, event: Event, person: str, **details: str) -> None:
    """Add a row by itself."""
    with accounts.write() as connection:
        add_row(connection, accounts.clock(), event, person, **details)


def read_log(accounts: Accounts, person: str | None = None, most: int = -1) -> list[Entry]:
    """Return the rows, oldest first: those about one person by their name if one is given, the last `most` if any.

    Raises WorkspaceError where one of them cannot be read.
    """
    with accounts.read() as connection:
        rows = connection.execute(
            "SELECT * FROM log WHERE ?1 IS NULL OR json_extract(content, '$.person') = ?1 "
            "ORDER BY number DESC LIMIT ?2",
            (person, most),
        ).fetchall()
    try:
        return [_make_entry(row) for row in reversed(rows)]
    except ValueError:
        raise WorkspaceError(
            f"A row of the log in {accounts.path} cannot be read. Find it by: tact log verify"
        ) from None


def verify_log(accounts: Accounts) -> Verdict:
    """Check each row against the one before it, and the last one against what the file keeps of it."""
    with accounts.read() as connection:
        connection.execute("BEGIN")  # all of one moment, while others write
        head = _read_head(connection)
        number, previous = 0, START
        for row in connection.execute("SELECT * FROM log ORDER BY number"):
            try:
                entry = _make_entry(row)
                fault = find_fault(entry, number, previous)
            except ValueError:
                fault = f"Row {row['number']} cannot be read"
            if fault:
                return Verdict(number, head, f"{fault}.")
            number, previous = entry.number, entry.sha256
    if (number, previous) != head:
        cut = f"Rows {number + 1} to {head[0]} are missing at the end" if number < head[0] else "The last row is new"
        return Verdict(number, head, f"{cut}: the file names row {head[0]} as the last one.")
    return Verdict(number, head, "")


def _read_head(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT number, sha256 FROM log_head").fetchone()
    return (0, START) if row is None else (int(row["number"]), str(row["sha256"]))


def _make_entry(row: sqlite3.Row) -> Entry:
    """Return a row as an entry of a chain. Raises ValueError where its content is none."""
    content = json.loads(row["content"])
    if not isinstance(content, dict):
        raise ValueError("not a row of the log")
    return Entry(int(row["number"]), str(row["moment"]), str(row["previous"]), content, str(row["sha256"]))
