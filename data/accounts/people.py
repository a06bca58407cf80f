"""People who may sign in: invited, with their passphrase and second factor, revoked."""

from __future__ import annotations

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

HOURS = 72  # that an invitation holds
_LONGEST = 100  # characters of a name


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in, or could. `state`: invited, expired (the invitation), active or revoked.

    countries : codes of those that the person is limited to; empty is no limit.
    """

    id: int
    name: str
    organisation: str
    role: Role
    state: str
    countries: frozenset[str] = frozenset()

    @property
    def rights(self) -> frozenset[Right]:
        """What the person may do."""
        return ROLES[self.role]


@dataclass(frozen=True)
class Identity:
    """Who somebody is to the provider of their organisation. `subject` is what it calls them, once and for all."""

    issuer: str
    subject: str
    name: str
    organisation: str = ""

    @property
    def key(self) -> str:
        """What is stored of issuer and subject."""
        return hash_secret(json.dumps([self.issuer, self.subject]))


def invite(
    accounts: Accounts, name: str, role: str, organisation: str = "", countries: Collection[str] | None = None
) -> str:
    """Invite a person and return the secret of the link, which works once within 72 hours.

    Somebody who is known gets a new passphrase and a new second factor (a lost phone), and the role and limit that are
    given now (None leaves the limit, an empty list lifts it); what they had opens nothing from here on. Raises
    InputError for a name or role that is none, and for the name of somebody who comes through their provider.
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
        connection.execute(
            "INSERT INTO people (key, name, organisation, role, invitation, invited, countries) "
            "VALUES (?, ?, ?, ?, ?, ?, coalesce(?, '')) "
            "ON CONFLICT (key) DO UPDATE SET name = excluded.name, "
            "organisation = coalesce(nullif(excluded.organisation, ''), organisation), "
            "role = excluded.role, invitation = excluded.invitation, invited = excluded.invited, passphrase = NULL, "
            "factor = NULL, revoked = NULL, countries = coalesce(?, countries)",
            (make_key(name), name, organisation, role, hash_secret(secret), now, limit, limit),
        )
        end_sessions(connection, name)
        remove_passkeys(connection, make_key(name))
        add_row(connection, now, Event.INVITED, name, role=role, organisation=organisation, **_tell_limit(limit))
    return secret


def _tell_limit(limit: str | None) -> dict[str, str]:
    """Return what the log says of a limit that is given."""
    return {} if limit is None else {"countries": limit or "all"}


def renew_factor(accounts: Accounts, secret: str) -> tuple[Person, bytes] | None:
    """Return who is invited by a link, with a second factor that was made now; None for a link that opens nothing."""
    with accounts.write() as connection:
        row = _find_invited(connection, secret, accounts.clock())
        if row is None:
            return None
        factor = make_factor()
        connection.execute("UPDATE people SET factor = ? WHERE id = ?", (factor, row["id"]))
        return make_person(row, accounts.clock()), factor


def find_invited(accounts: Accounts, secret: str) -> tuple[Person, bytes] | None:
    """Return who is invited by a link, with the second factor that was shown last; None if there is neither."""
    with accounts.read() as connection:
        row = _find_invited(connection, secret, accounts.clock())
        return None if row is None or row["factor"] is None else (make_person(row, accounts.clock()), row["factor"])


def accept(accounts: Accounts, secret: str, passphrase: str, code: str, passkey: Use | None = None) -> Person | None:
    """Take a person in who was invited by a link; None if the link opens nothing or the code is not of the factor.

    passkey : in place of the code; then no code opens the account. Raises InputError for a passphrase that is too short
    or common. From here on the link opens nothing.
    """
    if find_invited(accounts, secret) is None:
        return None
    check_passphrase(passphrase, CHARACTERS)
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
    """Return whether a person signs in here, and not at the provider of their organisation."""
    with accounts.read() as connection:
        row = connection.execute("SELECT passphrase FROM people WHERE id = ?", (person.id,)).fetchone()
    return row is not None and row["passphrase"] is not None


def add_own_passkey(accounts: Accounts, person: Person, passkey: Use) -> bool:
    """Add a passkey of somebody who has signed in; return whether that was done, see `passkeys.add_passkey`."""
    with accounts.write() as connection:
        is_done = add_passkey(connection, person.id, passkey, accounts.clock())
        if is_done:
            add_row(connection, accounts.clock(), Event.PASSKEY, person.name)
        return is_done


def revoke(accounts: Accounts, name: str) -> int:
    """Take a person's right to sign in away, and end their sessions; return how many. Raises InputError if unknown."""
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


def admit(accounts: Accounts, name: str) -> None:
    """Let somebody who was revoked or is limited to countries come through their provider; a limit stays.

    An account with a passphrase becomes that of who comes next through the provider by its name. Raises InputError for
    somebody against whom nothing stands.
    """
    with accounts.write() as connection:
        row = _require_named(connection, name)
        if not _is_closed(row) or (row["subject"] is not None and row["revoked"] is None):
            raise InputError(f"{row['name']!r} was not revoked, so nothing was changed.")
        connection.execute(
            "UPDATE people SET revoked = NULL, subject = coalesce(subject, ?), passphrase = NULL, factor = NULL, "
            "invitation = NULL WHERE id = ?",
            (_await(row), row["id"]),
        )
        end_sessions(connection, row["name"])
        remove_passkeys(connection, row["key"])
        add_row(connection, accounts.clock(), Event.ADMITTED, row["name"])


def find_namesake(connection: sqlite3.Connection, identity: Identity) -> sqlite3.Row | None:
    """Return who is revoked or limited to countries and has the name of somebody who is new; None if nobody does.

    Else they would come in anew, without the limit. It finds the same name alone, not another spelling of it.
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
    """List who came through a provider under a name with a number added, and can still sign in, in order of number."""
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
    return row["revoked"] is not None or bool(row["countries"])


def _await(row: sqlite3.Row) -> str:
    """Return what stands in place of the subject of who was admitted and has not yet come; it is the hash of none."""
    return f"awaited {row['id']}"


def take_from_provider(connection: sqlite3.Connection, now: float, identity: Identity, role: Role) -> sqlite3.Row:
    """Return the row of who comes through their provider, made for who is new, with the role that they have now.

    The name stays as it was first, because the log knows people by it. Nobody gets the name of another person: where it
    is taken, a number is added. Another role ends what the person has open.
    """
    row = find_from_provider(connection, identity) or _bind_awaited(connection, identity)
    if row is None:
        name = _choose_name(connection, identity.name)
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
    """Return the row of who has come through their provider before, or None."""
    query = "SELECT * FROM people WHERE subject = ?"
    row: sqlite3.Row | None = connection.execute(query, (identity.key,)).fetchone()
    return row


def _bind_awaited(connection: sqlite3.Connection, identity: Identity) -> sqlite3.Row | None:
    """Make the row of who was admitted by this name that of who comes; return it, or None where nobody is awaited."""
    for name in _list_names(identity.name):
        row = find_named(connection, name)
        if row is None:
            return None
        if row["subject"] == _await(row):
            connection.execute("UPDATE people SET subject = ? WHERE id = ?", (identity.key, row["id"]))
            return find_from_provider(connection, identity)
    return None


def list_people(accounts: Accounts) -> list[Person]:
    """List all people, also those who were revoked, by name."""
    with accounts.read() as connection:
        return [make_person(row, accounts.clock()) for row in connection.execute("SELECT * FROM people ORDER BY key")]


def make_key(name: str) -> str:
    """Return what a name is known by, however its letters are typed."""
    typed = name.encode("utf-8", "replace").decode()
    return " ".join(unicodedata.normalize("NFKC", typed).casefold().split())


def make_person(row: sqlite3.Row, now: float) -> Person:
    """Return the person of a row of the table."""
    if row["revoked"] is not None:
        state = "revoked"
    elif is_active(row):
        state = "active"
    else:
        state = "invited" if _is_young(row, now) else "expired"
    countries = frozenset(row["countries"].split())
    return Person(row["id"], row["name"], row["organisation"], Role(row["role"]), state, countries)


def is_active(row: sqlite3.Row) -> bool:
    """Return whether the person of a row may sign in now."""
    return row["revoked"] is None and (row["passphrase"] is not None or row["subject"] is not None)


def _is_young(row: sqlite3.Row, now: float) -> bool:
    return 0 <= now - float(row["invited"]) < HOURS * 3600


def _find_invited(connection: sqlite3.Connection, secret: str, now: float) -> sqlite3.Row | None:
    row = connection.execute("SELECT * FROM people WHERE invitation = ?", (hash_secret(secret),)).fetchone()
    return row if row is not None and _is_young(row, now) else None


def find_named(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """Return the row of who has a name, however its letters are typed; None if nobody has it."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM people WHERE key = ?", (make_key(name),)).fetchone()
    return row


def _require_named(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    row = find_named(connection, name)
    if row is None:
        raise InputError(f"Nobody is called {name!r} here. See who is: tact people list")
    return row


def _choose_name(connection: sqlite3.Connection, asked: str) -> str:
    """Return a name that nobody has."""
    return next(name for name in _list_names(asked) if find_named(connection, name) is None)


def _list_names(asked: str) -> Iterator[str]:
    """Yield the name that is asked for, cut and without what does not print, then the same with numbers, for ever."""
    plain = "".join(c for c in unicodedata.normalize("NFC", asked) if c.isprintable())
    start = " ".join(plain.split())[: _LONGEST - 5] or "?"
    return (start if number == 1 else f"{start} {number}" for number in count(1))


def end_sessions(connection: sqlite3.Connection, name: str) -> int:
    """End all that a person has open, and the tokens of their programs; return how many sessions."""
    person = "WHERE person = (SELECT id FROM people WHERE key = ?)"
    connection.execute(f"DELETE FROM tokens {person}", (make_key(name),))  # noqa: S608 (text of this function alone)
    done = connection.execute(f"DELETE FROM sessions {person}", (make_key(name),))  # noqa: S608
    return done.rowcount


def _check_words(text: str, what: str, *, may_be_empty: bool = False) -> str:
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain.isprintable() or len(plain) > _LONGEST or not (plain or may_be_empty):
        raise InputError(f"This is no {what}: {text!r}. Give one of 1 to {_LONGEST} characters.")
    return plain
