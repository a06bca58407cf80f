"""Tokens with which programs of a person, such as QGIS or R, read layers without a browser.

A token can only read layers. It ends after 30 days, or together with the person's sessions: when the person is
revoked, invited or admitted again, or gets another role. Only the hash of a token is stored. The log names a token by
its number, because a person typed its title.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from data.accounts.database import Accounts
from data.accounts.log import Event, add_row
from data.accounts.people import Person, find_named, is_active, make_key, make_person
from data.accounts.proof import hash_secret, make_secret
from data.accounts.rights import Right
from data.errors import InputError
from data.message import Message

DAYS = 30  # that a token holds
MOST = 5  # that a person may have
_DAY = 86_400.0  # seconds
LONGEST = 60  # characters of a title
_SELECT = "SELECT tokens.id AS token, title, since, seen, people.* FROM tokens JOIN people ON people.id = person"
_MARK = "tact-"  # the beginning of each token, by which it is recognised where it should not be


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it. Times are seconds since 1970; `seen` is None if it was never used."""

    number: int
    title: str
    since: float
    seen: float | None

    @property
    def end(self) -> float:
        """The time when the token ends by itself, in seconds since 1970."""
        return self.since + DAYS * _DAY


def make_token(accounts: Accounts, name: str, title: str) -> str:
    """Return a new token of a person, which is not shown again. `title` says what it is for.

    Raises InputError if the title is not valid, or if the person cannot sign in now, may not export files, or has too
    many tokens.
    """
    title, now = " ".join(title.split()), accounts.clock()
    if not title.isprintable() or not 0 < len(title) <= LONGEST:
        raise InputError(Message("Name the token by 1 to {most} characters, for example QGIS.", most=LONGEST))
    with accounts.write() as connection:
        row = find_named(connection, name)
        if row is None or not is_active(row, now):
            raise InputError(Message("You are no longer signed in."))
        person = make_person(row, now)
        if Right.EXPORT not in person.rights:
            raise InputError(Message("Your role does not include this."))
        connection.execute("DELETE FROM tokens WHERE ? - since >= ?", (now, DAYS * _DAY))
        count = connection.execute("SELECT count(*) FROM tokens WHERE person = ?", (person.id,)).fetchone()[0]
        if count >= MOST:
            raise InputError(Message("Nobody has more than {most} tokens. End one of yours first.", most=MOST))
        secret = f"{_MARK}{make_secret()}"
        cursor = connection.execute(
            "INSERT INTO tokens (secret, person, title, since) VALUES (?, ?, ?, ?)",
            (hash_secret(secret), person.id, title, now),
        )
        add_row(connection, now, Event.TOKEN_MADE, person.name, token=f"{cursor.lastrowid}")
    return secret


def list_tokens(accounts: Accounts, name: str) -> list[Token]:
    """List the tokens of a person that have not ended, oldest first; empty if the person's access has ended."""
    now = accounts.clock()
    with accounts.read() as connection:
        rows = connection.execute(f"{_SELECT} WHERE key = ? ORDER BY tokens.id", (make_key(name),)).fetchall()
    return [Token(row["token"], row["title"], row["since"], row["seen"]) for row in rows if _is_alive(row, now)]


def end_token(accounts: Accounts, name: str, number: int) -> None:
    """End a token of a person; nothing happens if they have no token with this number."""
    with accounts.write() as connection:
        person = find_named(connection, name)
        if person is None:
            return
        cursor = connection.execute("DELETE FROM tokens WHERE (id, person) = (?, ?)", (number, person["id"]))
        if cursor.rowcount:
            add_row(connection, accounts.clock(), Event.TOKEN_ENDED, person["name"], token=f"{number}")


def find_holder(accounts: Accounts, secret: str) -> Person | None:
    """Return the owner of a token; None if there is no such token, or it has ended.

    The first use of each day (UTC) is written into the log.
    """
    now = accounts.clock()
    with accounts.read() as connection:
        row = _find(connection, secret, now)
    if row is None:
        return None
    if _is_first_of_day(row, now):
        with accounts.write() as connection:
            row = _find(connection, secret, now)
            if row is None:
                return None
            if _is_first_of_day(row, now):
                connection.execute("UPDATE tokens SET seen = ? WHERE id = ?", (now, row["token"]))
                add_row(connection, now, Event.TOKEN_USED, row["name"], token=f"{row['token']}")
    return make_person(row, now)


def _is_first_of_day(row: sqlite3.Row, now: float) -> bool:
    return row["seen"] is None or int(row["seen"] // _DAY) != int(now // _DAY)


def _is_alive(row: sqlite3.Row, now: float) -> bool:
    # A clock that was set back makes no token young again.
    return is_active(row, now) and bool(0 <= now - row["since"] < DAYS * _DAY)


def _find(connection: sqlite3.Connection, secret: str, now: float) -> sqlite3.Row | None:
    row = connection.execute(f"{_SELECT} WHERE secret = ?", (hash_secret(secret),)).fetchone()
    return row if row is not None and _is_alive(row, now) else None
