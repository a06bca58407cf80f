"""People who may sign in: inviting them, their passphrase and second factor, and revoking them."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import count

from data.accounts.database import Accounts
from data.accounts.log import Event, add_row
from data.accounts.passkeys import Use, add_passkey, remove_passkeys
from data.accounts.proof import CHARACTERS, find_step, hash_passphrase, hash_secret, make_factor, make_secret
from data.accounts.rights import ROLES, Right, Role
from data.errors import InputError
from data.workspace.passphrases import check_passphrase

HOURS = 72  # for which an invitation is valid
GUEST_DAYS = 30  # from the invitation of a guest to the last day of the account
_LONGEST = 100  # characters of a name


@dataclass(frozen=True)
class Person:
    """A person who may sign in now, or could before.

    state : invited, expired (the invitation), active, ended (the last day is over) or revoked. countries : the codes of
    the countries to which the person is limited; empty is no limit. last_day : the ISO day (UTC) on which the person
    may sign in for the last time; empty is no end.
    """

    id: int
    name: str
    organisation: str
    role: Role
    state: str
    countries: frozenset[str] = frozenset()
    last_day: str = ""

    @property
    def rights(self) -> frozenset[Right]:
        """What the person may do."""
        return ROLES[self.role]


@dataclass(frozen=True)
class Identity:
    """The identity of a person at the provider of their organisation; `subject` is their permanent id there."""

    issuer: str
    subject: str
    name: str
    organisation: str = ""

    @property
    def key(self) -> str:
        """The hash of issuer and subject that is stored."""
        return hash_secret(json.dumps([self.issuer, self.subject]))


def invite(
    accounts: Accounts,
    name: str,
    role: str,
    organisation: str = "",
    countries: Collection[str] | None = None,
    last_day: str | None = None,
) -> str:
    """Invite a person and return the secret of the link, which works once within 72 hours.

    A known person is invited again, for example after losing a phone. They get the given role, and choose a new
    passphrase and second factor; the old ones, passkeys, sessions and tokens end. Their name keeps its first spelling,
    because the log identifies people by it.

    countries, last_day : codes and an ISO day, the limits of the account; None keeps a limit, an empty one removes it.
    A guest for whom last_day is None gets 30 days from now.

    Raises InputError for a name, organisation or role that is not valid, for a last day that is over, and for the name
    of a person who signs in through their provider.
    """
    name, organisation = _check_words(name, "name"), _check_words(organisation, "organisation", may_be_empty=True)
    if role not in list(Role):
        raise InputError(f"No role {role!r}. There are: {', '.join(Role)}.")
    secret, now = make_secret(), accounts.clock()
    limit = None if countries is None else " ".join(sorted(countries))
    with accounts.write() as connection:
        there = find_named(connection, name)
        if there is not None and there["subject"] is not None:
            raise InputError(
                f"{there['name']!r} signs in through their organisation, which says the role. Were they revoked? Then: "
                f"tact people admit {there['name']!r}. Somebody else needs another name."
            )
        if last_day is None:
            last_day = _find_day(now, GUEST_DAYS) if role == Role.GUEST else there["last_day"] if there else ""
        _check_last_day(name, last_day, now)
        name = there["name"] if there else name
        connection.execute(
            "INSERT INTO people (key, name, organisation, role, invitation, invited, last_day, countries) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, coalesce(?, '')) "
            "ON CONFLICT (key) DO UPDATE SET organisation = coalesce(nullif(excluded.organisation, ''), organisation), "
            "role = excluded.role, invitation = excluded.invitation, invited = excluded.invited, passphrase = NULL, "
            "factor = NULL, revoked = NULL, last_day = excluded.last_day, countries = coalesce(?, countries)",
            (make_key(name), name, organisation, role, hash_secret(secret), now, last_day, limit, limit),
        )
        end_sessions(connection, name)
        remove_passkeys(connection, make_key(name))
        limits = {} if limit is None else {"countries": limit or "all"}
        limits |= {"until": last_day} if last_day else {}
        add_row(connection, now, Event.INVITED, name, role=role, organisation=organisation, **limits)
    return secret


def _check_last_day(name: str, last_day: str, now: float) -> None:
    if last_day and last_day < _find_day(now):
        raise InputError(f"The last day of {name!r} is over: {last_day}. Give a later one: --until DAY, or never.")


def _find_day(now: float, days: int = 0) -> str:
    """Return the ISO day (UTC) that is `days` after a moment (seconds since 1970)."""
    return f"{dt.datetime.fromtimestamp(now, dt.UTC).date() + dt.timedelta(days=days)}"


def renew_factor(accounts: Accounts, secret: str) -> tuple[Person, bytes] | None:
    """Store a new second factor for the person who is invited with a link; return the person and the factor.

    Returns None if the link is not valid.
    """
    with accounts.write() as connection:
        row = _find_invited(connection, secret, accounts.clock())
        if row is None:
            return None
        factor = make_factor()
        connection.execute("UPDATE people SET factor = ? WHERE id = ?", (factor, row["id"]))
        return make_person(row, accounts.clock()), factor


def find_invited(accounts: Accounts, secret: str) -> tuple[Person, bytes] | None:
    """Return the person who is invited with a link, and the last second factor that was made for them.

    Returns None if the link is not valid or no factor was made.
    """
    with accounts.read() as connection:
        row = _find_invited(connection, secret, accounts.clock())
        return None if row is None or row["factor"] is None else (make_person(row, accounts.clock()), row["factor"])


def accept(accounts: Accounts, secret: str, passphrase: str, code: str, passkey: Use | None = None) -> Person | None:
    """Let a person who was invited with a link sign in from now on; return the person.

    Returns None if the link is not valid, the code is wrong or the passkey cannot be added. passkey : a passkey in
    place of the code, now and at each sign-in. Raises InputError for a passphrase that is too short or common.
    Afterwards the link is not valid any more.
    """
    invited = find_invited(accounts, secret)
    if invited is None:
        return None
    check_passphrase(passphrase, CHARACTERS, [invited[0].name])
    stored, now = hash_passphrase(passphrase), accounts.clock()
    with accounts.write() as connection:
        row = _find_invited(connection, secret, now)
        if row is None:
            return None
        step = find_step(row["factor"], code, now) if passkey is None else 0
        if step is None or (passkey is not None and not add_passkey(connection, row["id"], passkey, now)):
            return None
        connection.execute(
            "UPDATE people SET passphrase = ?, factor = ?, counter = ?, invitation = NULL WHERE id = ?",
            (stored, row["factor"] if passkey is None else None, step, row["id"]),
        )
        add_row(connection, now, Event.ACCEPTED, row["name"])
        return replace(make_person(row, now), state="active")


def has_passphrase(accounts: Accounts, person: Person) -> bool:
    """Return whether a person signs in here with a passphrase, not at the provider of their organisation."""
    with accounts.read() as connection:
        row = connection.execute("SELECT passphrase FROM people WHERE id = ?", (person.id,)).fetchone()
    return row is not None and row["passphrase"] is not None


def add_own_passkey(accounts: Accounts, person: Person, passkey: Use) -> bool:
    """Add a passkey of a person who has signed in; return whether it was added, see `passkeys.add_passkey`."""
    with accounts.write() as connection:
        is_done = add_passkey(connection, person.id, passkey, accounts.clock())
        if is_done:
            add_row(connection, accounts.clock(), Event.PASSKEY, person.name)
        return is_done


def revoke(accounts: Accounts, name: str) -> int:
    """Remove a person's right to sign in, and end their sessions and tokens; return the number of sessions.

    Their passphrase, second factor and passkeys are removed. Raises InputError for an unknown name.
    """
    now = accounts.clock()
    with accounts.write() as connection:
        row = _require_named(connection, name)
        connection.execute(
            "UPDATE people SET revoked = ?, passphrase = NULL, factor = NULL, invitation = NULL WHERE id = ?",
            (now, row["id"]),
        )
        ended = end_sessions(connection, name)
        remove_passkeys(connection, row["key"])
        add_row(connection, now, Event.REVOKED, row["name"])
        return ended


def admit(accounts: Accounts, name: str, last_day: str | None = None) -> None:
    """Let a person who was revoked or has a limit sign in through their provider. A limit to countries is kept.

    An account with a passphrase is given to the next person who comes through the provider with its name. last_day :
    the new last ISO day; None keeps it, an empty text removes it.

    Raises InputError for an unknown name, for a last day that is over, and if there is nothing to change: for an
    account without a provider that is neither revoked nor limited, and for one of a provider that is not revoked and
    has this last day already.
    """
    with accounts.write() as connection:
        row = _require_named(connection, name)
        is_open = not _is_closed(row) or (row["subject"] is not None and row["revoked"] is None)
        day = row["last_day"] if last_day is None else last_day
        _check_last_day(row["name"], day, accounts.clock())
        if is_open and (row["subject"] is None or day == row["last_day"]):
            raise InputError(f"{row['name']!r} was not revoked, so nothing was changed.")
        connection.execute(
            "UPDATE people SET revoked = NULL, subject = coalesce(subject, ?), passphrase = NULL, factor = NULL, "
            "invitation = NULL, last_day = ? WHERE id = ?",
            (_await(row), day, row["id"]),
        )
        end_sessions(connection, row["name"])
        remove_passkeys(connection, row["key"])
        add_row(connection, accounts.clock(), Event.ADMITTED, row["name"], **({"until": day} if day else {}))


def find_namesake(connection: sqlite3.Connection, identity: Identity) -> sqlite3.Row | None:
    """Return the row of a revoked or limited person who has the same name as a new person; None if there is none.

    Without this check, that person could come in as a new one, without the limit. Only the same name is found, not
    another spelling of it. Returns None, too, if the person of the provider is not new, or awaited (see `admit`).
    """
    if find_from_provider(connection, identity) is not None:
        return None
    for name in _list_names(identity.name):
        row = find_named(connection, name)
        if row is None:
            return None
        if _is_closed(row):
            return row if row["subject"] != _await(row) else None
    return None


def list_doubles(accounts: Accounts, name: str) -> list[str]:
    """List the numbered names of people from a provider who can still sign in, in the order of the numbers.

    A person gets a number after their name if the name is taken, see `take_from_provider`.
    """
    doubles: list[str] = []
    with accounts.read() as connection:
        for number, other in enumerate(_list_names(name)):
            row = find_named(connection, other)
            if row is None:
                return doubles
            if number and row["subject"] is not None and row["revoked"] is None:
                doubles.append(str(row["name"]))
    return doubles


def _is_closed(row: sqlite3.Row) -> bool:
    return row["revoked"] is not None or bool(row["countries"]) or bool(row["last_day"])


def _await(row: sqlite3.Row) -> str:
    """Return the placeholder for the subject of a person who is admitted but has not come yet; it equals no hash."""
    return f"awaited {row['id']}"


def take_from_provider(connection: sqlite3.Connection, now: float, identity: Identity, role: Role) -> sqlite3.Row:
    """Return the row of a person from a provider, with their present role; for a new person the row is created.

    The name stays as it was first, because the log identifies people by it. Nobody gets the name of another person: if
    the name is taken, a number is added. A change of the role ends the person's sessions and tokens. The role of a
    revoked person is not changed.
    """
    row = find_from_provider(connection, identity) or _bind_awaited(connection, identity)
    if row is None:
        name = next(name for name in _list_names(identity.name) if find_named(connection, name) is None)
        connection.execute(
            "INSERT INTO people (key, name, organisation, role, invited, subject) VALUES (?, ?, ?, ?, ?, ?)",
            (make_key(name), name, identity.organisation, role, now, identity.key),
        )
    elif row["revoked"] is None and row["role"] != role:
        name = row["name"]
        connection.execute("UPDATE people SET role = ? WHERE id = ?", (role, row["id"]))
        end_sessions(connection, name)
    else:
        return row
    add_row(connection, now, Event.ADMITTED, name, role=role, organisation=identity.organisation)
    return _require_named(connection, name)


def find_from_provider(connection: sqlite3.Connection, identity: Identity) -> sqlite3.Row | None:
    """Return the row of a person who has come through their provider before, or None."""
    query = "SELECT * FROM people WHERE subject = ?"
    row: sqlite3.Row | None = connection.execute(query, (identity.key,)).fetchone()
    return row


def _bind_awaited(connection: sqlite3.Connection, identity: Identity) -> sqlite3.Row | None:
    """Bind an account that was admitted by name to the identity of its person; return it, or None if there is none."""
    for name in _list_names(identity.name):
        row = find_named(connection, name)
        if row is None:
            return None
        if row["subject"] == _await(row):
            connection.execute("UPDATE people SET subject = ? WHERE id = ?", (identity.key, row["id"]))
            return find_from_provider(connection, identity)
    return None


def list_people(accounts: Accounts) -> list[Person]:
    """List all people, also those who were revoked, in the order of their names."""
    with accounts.read() as connection:
        return [make_person(row, accounts.clock()) for row in connection.execute("SELECT * FROM people ORDER BY key")]


def make_key(name: str) -> str:
    """Return the key of a name, which does not depend on case, extra spaces or the Unicode form of its letters."""
    typed = name.encode("utf-8", "replace").decode()
    return " ".join(unicodedata.normalize("NFKC", typed).casefold().split())


def make_person(row: sqlite3.Row, now: float) -> Person:
    """Make a Person from a row of the table of people; the state is the one at `now` (seconds since 1970)."""
    if row["revoked"] is not None:
        state = "revoked"
    elif _has_ended(row, now):
        state = "ended"
    elif is_active(row, now):
        state = "active"
    else:
        state = "invited" if _is_young(row, now) else "expired"
    countries = frozenset(row["countries"].split())
    return Person(row["id"], row["name"], row["organisation"], Role(row["role"]), state, countries, row["last_day"])


def is_active(row: sqlite3.Row, now: float) -> bool:
    """Return whether the person of a row may sign in at `now` (seconds since 1970)."""
    has_proof = row["passphrase"] is not None or row["subject"] is not None
    return row["revoked"] is None and has_proof and not _has_ended(row, now)


def _has_ended(row: sqlite3.Row, now: float) -> bool:
    return bool(row["last_day"]) and _find_day(now) > row["last_day"]


def _is_young(row: sqlite3.Row, now: float) -> bool:
    return 0 <= now - float(row["invited"]) < HOURS * 3600


def _find_invited(connection: sqlite3.Connection, secret: str, now: float) -> sqlite3.Row | None:
    row = connection.execute("SELECT * FROM people WHERE invitation = ?", (hash_secret(secret),)).fetchone()
    return row if row is not None and _is_young(row, now) and not _has_ended(row, now) else None


def find_named(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """Return the row of the person whose name has the same key (`make_key`); None if nobody has such a name."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM people WHERE key = ?", (make_key(name),)).fetchone()
    return row


def _require_named(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    row = find_named(connection, name)
    if row is None:
        raise InputError(f"Nobody is called {name!r} here. See who is: tact people list")
    return row


def _list_names(wanted_name: str) -> Iterator[str]:
    """Return an endless iterator: the wanted name, shortened and printable, then the same with a number from 2 on."""
    plain = "".join(c for c in unicodedata.normalize("NFC", wanted_name) if c.isprintable())
    start = " ".join(plain.split())[: _LONGEST - 5] or "?"
    return (start if number == 1 else f"{start} {number}" for number in count(1))


def end_sessions(connection: sqlite3.Connection, name: str) -> int:
    """End all sessions of a person, and the tokens of their programs; return the number of sessions."""
    person = "WHERE person = (SELECT id FROM people WHERE key = ?)"
    connection.execute(f"DELETE FROM tokens {person}", (make_key(name),))  # noqa: S608 (only text of this function)
    cursor = connection.execute(f"DELETE FROM sessions {person}", (make_key(name),))  # noqa: S608
    return cursor.rowcount


def _check_words(text: str, what: str, *, may_be_empty: bool = False) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain.isprintable() or len(plain) > _LONGEST or not (plain or may_be_empty):
        raise InputError(f"This is no {what}: {text!r}. Give one of 1 to {_LONGEST} characters.")
    return plain
