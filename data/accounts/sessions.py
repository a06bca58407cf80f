"""Sign people in, and keep the sessions of those who have signed in.

A session ends twelve hours after it began, or an hour after its last use. After too many failures there is a wait,
each time twice as long, at most fifteen minutes. Failures are counted by name, even if nobody has the name, and by
network address, which a whole office may share. After an hour without a failure, all failures are forgotten.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from data.accounts.attempts import count_failure, find_wait, take_once
from data.accounts.database import Accounts
from data.accounts.log import Event, add_row, note
from data.accounts.passkeys import Challenge, read_use, take_use
from data.accounts.people import (
    Identity,
    Person,
    end_sessions,
    find_from_provider,
    find_named,
    find_namesake,
    is_active,
    make_key,
    make_person,
    take_from_provider,
)
from data.accounts.proof import find_step, hash_secret, is_passphrase, make_secret
from data.accounts.rights import Role

LONGEST, IDLE = 12 * 3600.0, 3600.0  # seconds of a session
_TOUCH = 60.0  # seconds after which the use of a session is written down again
_FREE_OF_NAME, _FREE_OF_ADDRESS = 5, 20  # failures without a wait
_QUIET = 60.0  # seconds between two rows of the log about names that nobody has


class Reason(StrEnum):
    """Why a person was not let in, if they need not wait."""

    WRONG = "wrong"  # name, passphrase or code
    PASSKEY = "passkey"  # name, passphrase or passkey
    UNCONFIRMED = "unconfirmed"  # the passphrase, for which a person who has signed in is asked again
    SPENT = "spent"  # an answer of the provider that was used before
    ROLE = "role"  # the provider names no group that has a role
    REVOKED = "revoked"  # or the last day is over
    NAMESAKE = "namesake"  # new from the provider, with the name of somebody who is revoked or has a limit


@dataclass(frozen=True)
class Refusal:
    """Why a person was not let in: they must wait `wait` seconds, or, if `wait` is 0, for the `reason`."""

    wait: float = 0
    reason: Reason = Reason.WRONG


def sign_in(
    accounts: Accounts,
    name: str,
    passphrase: str,
    code: str,
    address: str = "",
    passkey: tuple[Challenge, str] | None = None,
) -> str | Refusal:
    """Return the secret of a new session, or the reason why there is none.

    address : the address that the request comes from; empty if it is unknown, for example behind a proxy. passkey : a
    challenge and the browser's answer to it, in place of the code. The same work is done for an unknown name as for a
    wrong passphrase. A code can be used only once.
    """
    refusal = Refusal(reason=Reason.PASSKEY if passkey else Reason.WRONG)
    now = accounts.clock()
    keys = {_make_attempt_key(name): _FREE_OF_NAME}
    keys |= {f"address {address}": _FREE_OF_ADDRESS} if address else {}
    with accounts.write() as connection:
        wait = max(find_wait(connection, key, free, now) for key, free in keys.items())
        if wait > 0:
            return Refusal(wait)
        # Counted before the work: many attempts at once are not more attempts.
        for key in keys:
            count_failure(connection, key, now)
        row = _find_active(connection, name, now)
    is_right = is_passphrase(passphrase, row["passphrase"] if row else None)
    step = None if passkey else find_step(row["factor"] if row else None, code, now)
    use = read_use(accounts, row["id"] if row else None, *passkey) if passkey else None
    with accounts.write() as connection:
        again = _find_active(connection, name, now)
        if not is_right or again is None or row is None or again["passphrase"] != row["passphrase"]:
            _note_failure(connection, now, row["name"] if row else "")
            return refusal
        is_taken = take_use(connection, again["id"], use, now) if use else _take_step(connection, again, step)
        if not is_taken:
            _note_failure(connection, now, again["name"])
            return refusal
        by_name, *by_address = keys
        connection.execute("DELETE FROM attempts WHERE key = ?", (by_name,))
        # An account of one's own must not give more attempts at other accounts.
        for key in by_address:
            connection.execute("UPDATE attempts SET failures = failures - 1 WHERE key = ?", (key,))
        add_row(connection, now, Event.SIGNED_IN, again["name"], role=again["role"])
        return _start(connection, again["id"], now)


def _take_step(connection: sqlite3.Connection, row: sqlite3.Row, step: int | None) -> bool:
    """Note the step of a code; return whether it is later than the last one."""
    if step is None or step <= row["counter"]:
        return False
    connection.execute("UPDATE people SET counter = ? WHERE id = ?", (step, row["id"]))
    return True


def confirm_passphrase(accounts: Accounts, person: Person, passphrase: str) -> Refusal | None:
    """Check the passphrase again for a person who has signed in; return why it is refused, or None if it is right."""
    now, key = accounts.clock(), _make_attempt_key(person.name)
    with accounts.write() as connection:
        if (wait := find_wait(connection, key, _FREE_OF_NAME, now)) > 0:
            return Refusal(wait)
        count_failure(connection, key, now)
        row = _find_active(connection, person.name, now)
    if not is_passphrase(passphrase, row["passphrase"] if row else None):
        note(accounts, Event.FAILED, person.name)
        return Refusal(reason=Reason.UNCONFIRMED)
    with accounts.write() as connection:
        connection.execute("DELETE FROM attempts WHERE key = ?", (key,))
    return None


def start_session(accounts: Accounts, person: Person) -> str:
    """Return the secret of a new session for a person who has just proved their identity."""
    with accounts.write() as connection:
        add_row(connection, accounts.clock(), Event.SIGNED_IN, person.name, role=person.role)
        return _start(connection, person.id, accounts.clock())


def begin_answer(accounts: Accounts, state: str, address: str = "") -> Refusal | None:
    """Note that an answer of a provider has arrived; return why it is refused, or None if it may be used.

    state : the text that the answer shares with its request. address : where the answer comes from; empty if unknown.
    An answer can be used only once. Until a person has signed in with it, it counts as a failure of the address.
    """
    now, key = accounts.clock(), f"answer {hash_secret(state)}"
    with accounts.write() as connection:
        if address and (wait := find_wait(connection, f"address {address}", _FREE_OF_ADDRESS, now)) > 0:
            return Refusal(wait)
        if not take_once(connection, key, now):
            return Refusal(reason=Reason.SPENT)
        if address:
            count_failure(connection, f"address {address}", now)
    return None


def sign_in_from_provider(
    accounts: Accounts, identity: Identity, role: Role | None, address: str = ""
) -> str | Refusal:
    """Return the secret of a new session for a person whom their provider named, or the reason why there is none.

    A person without a role is not let in, and their open sessions end. Not let in are also a revoked person, a person
    whose last day is over, and a new person with the name of somebody who was revoked or has a limit.
    """
    now = accounts.clock()
    with accounts.write() as connection:
        if role is None:
            person = find_from_provider(connection, identity)
            if person is not None:
                end_sessions(connection, person["name"])
            _note_failure(connection, now, person["name"] if person else "")
            return Refusal(reason=Reason.ROLE)
        namesake = find_namesake(connection, identity)
        if namesake is not None:
            _note_failure(connection, now, namesake["name"])
            return Refusal(reason=Reason.NAMESAKE)
        row = take_from_provider(connection, now, identity, role)
        if not is_active(row, now):
            _note_failure(connection, now, row["name"])
            return Refusal(reason=Reason.REVOKED)
        if address:
            connection.execute("UPDATE attempts SET failures = failures - 1 WHERE key = ?", (f"address {address}",))
        add_row(connection, now, Event.SIGNED_IN, row["name"], role=row["role"])
        return _start(connection, row["id"], now)


def find_person(accounts: Accounts, secret: str, *, is_use: bool = True) -> Person | None:
    """Return the person whose session has this secret; None if there is none, or it has ended.

    is_use : whether this counts as a use of the session, so that it goes on for another hour.
    """
    with accounts.read() as connection:
        row = _find_session(connection, secret)
    # Only now: another request of the same page may have noted a use while this one waited.
    now = accounts.clock()
    if row is None or not _is_alive(row, now):
        return None
    if is_use and now - row["seen"] >= _TOUCH:
        with accounts.write() as connection:
            connection.execute("UPDATE sessions SET seen = ? WHERE secret = ?", (now, row["secret"]))
    return make_person(row, now)


def find_open(accounts: Accounts, secrets: Collection[str]) -> set[str]:
    """Return the secrets whose sessions are still open, in one query. This is not a use of the sessions."""
    with accounts.read() as connection:
        rows = _find_sessions(connection, secrets)
    now = accounts.clock()  # after the rows, as above
    alive = {row["secret"] for row in rows if _is_alive(row, now)}
    return {secret for secret in secrets if hash_secret(secret) in alive}


def sign_out(accounts: Accounts, secret: str) -> None:
    """End the session that has this secret; nothing happens if there is none."""
    with accounts.write() as connection:
        row = _find_session(connection, secret)
        if row is not None:
            connection.execute("DELETE FROM sessions WHERE secret = ?", (row["secret"],))
            add_row(connection, accounts.clock(), Event.SIGNED_OUT, row["name"])


def _make_attempt_key(name: str) -> str:
    """Return the key under which the failures of a name are counted, whether anybody has the name or not."""
    return f"name {hash_secret(make_key(name))}"


def _is_alive(row: sqlite3.Row, now: float) -> bool:
    # A clock that was set back makes no session young again.
    return is_active(row, now) and bool(0 <= now - row["since"] < LONGEST and 0 <= now - row["seen"] < IDLE)


def _find_session(connection: sqlite3.Connection, secret: str) -> sqlite3.Row | None:
    return next(iter(_find_sessions(connection, [secret])), None)


def _find_sessions(connection: sqlite3.Connection, secrets: Collection[str]) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT sessions.secret, since, seen, people.* FROM sessions JOIN people ON people.id = person "
        "WHERE secret IN (SELECT value FROM json_each(?))",
        (json.dumps([*map(hash_secret, secrets)]),),
    ).fetchall()


def _start(connection: sqlite3.Connection, person: int, now: float) -> str:
    secret = make_secret()
    connection.execute("DELETE FROM sessions WHERE ? - since >= ? OR ? - seen >= ?", (now, LONGEST, now, IDLE))
    connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (hash_secret(secret), person, now, now))
    return secret


def _find_active(connection: sqlite3.Connection, name: str, now: float) -> sqlite3.Row | None:
    """Return the row of an active person who signs in here with a passphrase; None if there is none of this name."""
    row = find_named(connection, name)
    return row if row is not None and is_active(row, now) and row["passphrase"] is not None else None


def _note_failure(connection: sqlite3.Connection, now: float, name: str) -> None:
    """Write a failure into the log. Unknown names are not written, because they may be a passphrase in the wrong field.

    Failures with unknown names have at most one row a minute, so that nobody can fill the disk with them.
    """
    if not name:
        key = "unknown names in the log"
        row = connection.execute("SELECT last FROM attempts WHERE key = ?", (key,)).fetchone()
        if row is not None and 0 <= now - row["last"] < _QUIET:
            # Written too, because a commit waits for the disk: a faster answer would show that nobody has the name.
            connection.execute("UPDATE attempts SET failures = failures + 1 WHERE key = ?", (key,))
            return
        count_failure(connection, key, now)
    add_row(connection, now, Event.FAILED, name)
