"""The audit log: who signed in or failed to, who saw, exported or planned something, and who changed a right.

Rows are only added. Each has the SHA-256 of the row before it (data/workspace/hash_chain.py), and the file stores the
number and the SHA-256 of the last row. So a check finds a row that is changed, removed, moved or inserted, and rows
that are cut off at the end. It does not find that somebody has written the whole log again, with the SHA-256 of the
last row, or has replaced the file by an older copy. Against this, keep number and SHA-256 of the last row elsewhere.

Rows that are older than governance allows are removed from the beginning. Then a new row names the number and SHA-256
of the last removed row, so that the first remaining row can still be checked.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from data.accounts.database import Accounts
from data.errors import InputError, WorkspaceError
from data.workspace.hash_chain import START, Entry, compute_hash, find_fault

_ROWS = "SELECT * FROM log ORDER BY number DESC LIMIT :most"
# The expression is that of the index in data/accounts/database.py, so that SQLite uses the index.
_ROWS_OF_PERSON = (
    "SELECT * FROM log WHERE CASE WHEN json_valid(content) THEN json_extract(content, '$.person') END = :person "
    "ORDER BY number DESC LIMIT :most"
)


class Event(StrEnum):
    """The kind of event that a row of the log reports."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    ADMITTED = "admitted"
    PASSKEY = "added a passkey"
    REVOKED = "revoked"
    SIGNED_IN = "signed in"
    FAILED = "failed to sign in"
    SIGNED_OUT = "signed out"
    SAW = "saw"
    EXPORTED = "exported"
    PLANNED = "planned"
    TOKEN_MADE = "made a token"  # noqa: S105
    TOKEN_USED = "read layers by a token"  # noqa: S105
    TOKEN_ENDED = "ended a token"  # noqa: S105
    SHORTENED = "removed old rows"


@dataclass(frozen=True)
class Verdict:
    """Whether the log is whole.

    rows : the number of rows before the first fault. head : number and SHA-256 of the last row, as the file names it.
    problem : the first fault; empty if there is none. start : the number of the last row that was removed because of
    its age, 0 if there is none.
    """

    rows: int
    head: tuple[int, str]
    problem: str
    start: int = 0


def add_row(connection: sqlite3.Connection, now: float, event: Event, person: str = "", **details: str) -> None:
    """Add a row to the log, in the same transaction as the change.

    now : the time in seconds since 1970. person : a name; empty if unknown. details : further content of the row.
    """
    number, previous = _read_head(connection)
    moment = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = {"event": str(event), "person": person, **details}
    sha256 = compute_hash(number + 1, moment, previous, content)
    connection.execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
        (number + 1, moment, previous, json.dumps(content, ensure_ascii=False), sha256),
    )
    connection.execute("INSERT OR REPLACE INTO log_head VALUES (1, ?, ?)", (number + 1, sha256))


def note(accounts: Accounts, event: Event, person: str, **details: str) -> None:
    """Add a row to the log, in a transaction of its own."""
    with accounts.write() as connection:
        add_row(connection, accounts.clock(), event, person, **details)


def read_log(accounts: Accounts, person: str | None = None, most: int = -1) -> list[Entry]:
    """Return the rows of the log, oldest first.

    person : return only rows with this name. most : return only so many of the last rows; -1 for all. Raises
    WorkspaceError if a row cannot be read.
    """
    question = _ROWS if person is None else _ROWS_OF_PERSON
    with accounts.read() as connection:
        rows = connection.execute(question, {"person": person, "most": most}).fetchall()
    try:
        return [_make_entry(row) for row in reversed(rows)]
    except ValueError:
        raise WorkspaceError(
            f"A row of the log in {accounts.path} cannot be read. Find it by: tact log verify"
        ) from None


def verify_log(accounts: Accounts) -> Verdict:
    """Check each row against the row before it, and the last one against its stored SHA-256; return the verdict."""
    with accounts.read() as connection:
        connection.execute("BEGIN")  # all queries see one state, while others write
        return _verify(connection)


def count_old(accounts: Accounts, before: dt.date) -> int:
    """Count the rows that `shorten_log` would remove: those at the beginning from before a day (UTC)."""
    with accounts.read() as connection:
        return _find_last_old(connection, before) - _read_start(connection)[0]


def shorten_log(accounts: Accounts, before: dt.date, confirmed: int, user: str = "") -> None:
    """Remove the rows at the beginning that are from before a day (UTC), and add a row about it.

    The last row always stays. If there is nothing to remove, nothing is added. confirmed : the number of these rows,
    which a person has seen. user : the user of the operating system, whom the new row names. Raises InputError if the
    number is different now, and WorkspaceError for a log that is not whole, because the evidence of a change would be
    removed.
    """
    # This takes seconds for a long log, and nobody may write meanwhile if it is inside the transaction.
    if problem := verify_log(accounts).problem:
        raise WorkspaceError(f"The log in {accounts.path} was changed, so nothing was removed: {problem}")
    with accounts.write() as connection:
        start, last = _read_start(connection)[0], _find_last_old(connection, before)
        if last - start != confirmed:
            raise InputError(f"{last - start} rows are older than {before}, not {confirmed}. Nothing was removed.")
        if last == start:
            return
        sha256 = connection.execute("SELECT sha256 FROM log WHERE number = ?", (last,)).fetchone()[0]
        connection.execute("INSERT OR REPLACE INTO log_start VALUES (1, ?, ?)", (last, sha256))
        connection.execute("DELETE FROM log WHERE number <= ?", (last,))
        details = {"before": f"{before}", "number": f"{last}", "sha256": sha256, **({"user": user} if user else {})}
        add_row(connection, accounts.clock(), Event.SHORTENED, **details)


def _verify(connection: sqlite3.Connection) -> Verdict:
    head, start = _read_head(connection), _read_start(connection)
    number, previous = start
    named = (0, START)  # the start that the last row about a removal names

    def conclude(problem: str) -> Verdict:
        return Verdict(number - start[0], head, problem, start[0])

    for row in connection.execute("SELECT * FROM log ORDER BY number"):
        try:
            entry = _make_entry(row)
            fault = find_fault(entry, number, previous)
            if entry.content.get("event") == Event.SHORTENED:
                named = (int(entry.content["number"]), str(entry.content["sha256"]))
        except (ValueError, KeyError):
            fault = f"Row {row['number']} cannot be read"
        if fault:
            return conclude(f"{fault}.")
        number, previous = entry.number, entry.sha256
    if (number, previous) != head:
        cut = f"Rows {number + 1} to {head[0]} are missing at the end" if number < head[0] else "The last row is new"
        return conclude(f"{cut}: the file names row {head[0]} as the last one.")
    if start != named:
        return conclude(f"The log begins after row {start[0]}, but its rows say that {named[0]} were removed.")
    return conclude("")


def _find_last_old(connection: sqlite3.Connection, before: dt.date) -> int:
    """Return the number of the last row to remove, before the first row that stays. The last row always stays."""
    start, head = _read_start(connection)[0], _read_head(connection)[0]
    row = connection.execute("SELECT min(number) AS first FROM log WHERE moment >= ?", (f"{before}",)).fetchone()
    return max(start, head - 1 if row["first"] is None else int(row["first"]) - 1)


def _read_start(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return the number and the SHA-256 of the last row that was removed because of its age; 0 and START for none."""
    row = connection.execute("SELECT number, sha256 FROM log_start").fetchone()
    return (0, START) if row is None else (int(row["number"]), str(row["sha256"]))


def _read_head(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT number, sha256 FROM log_head").fetchone()
    return (0, START) if row is None else (int(row["number"]), str(row["sha256"]))


def _make_entry(row: sqlite3.Row) -> Entry:
    """Return a row as an entry of a hash chain. Raises ValueError if its content is not that of a row of the log."""
    try:
        content = json.loads(row["content"])
    except RecursionError:  # brackets inside each other, thousands deep
        content = None
    if not isinstance(content, dict) or not {"event", "person"} <= set(content):
        raise ValueError("not a row of the log")
    return Entry(int(row["number"]), str(row["moment"]), str(row["previous"]), content, str(row["sha256"]))
