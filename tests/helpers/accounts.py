"""Accounts of invented people, with cheap hashes and a clock that tests set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from data.accounts import people, proof, sessions, tokens
from data.accounts.database import Accounts

PASSPHRASE = "green tractor on a hill"


def hash_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Make the hash of a passphrase take only a millisecond; the real cost has its own test."""
    patch.setattr(proof, "_KIBIBYTES", 32)
    patch.setattr(proof, "_PASSES", 1)
    proof._hash_nothing.cache_clear()


@dataclass
class Member:
    """A person who has accepted an invitation: their name, and the secret for codes that their phone has."""

    name: str
    factor: bytes

    def make_code(self, moment: float) -> str:
        return proof.make_code(self.factor, moment)


def take_in(
    accounts: Accounts,
    name: str = "Elira Hoxha",
    role: str = "partner",
    organisation: str = "",
    last_day: str | None = None,
) -> Member:
    """Invite a person, accept the invitation for them, and return them. This uses up the code of the moment."""
    secret = people.invite(accounts, name, role, organisation, last_day=last_day)
    invited = people.renew_factor(accounts, secret)
    assert invited is not None
    member = Member(name, invited[1])
    assert people.accept(accounts, secret, PASSPHRASE, member.make_code(accounts.clock())) is not None
    return member


def sign_in_cookie(accounts: Accounts, role: str, port: int, name: str = "") -> str:
    """Return the cookie of a new session at a port, for a person with this role, who gets an account if needed."""
    name = name or f"Person {role}"
    known = {person.name: person for person in people.list_people(accounts)}
    if name not in known or known[name].state != "active":
        take_in(accounts, name, role)
        known = {person.name: person for person in people.list_people(accounts)}
    return f"tact-session-{port}={sessions.start_session(accounts, known[name])}"


def make_token_as(accounts: Accounts, name: str, role: str) -> str:
    """Make an account and return a token for it, also for a role that may have no token."""
    take_in(accounts, name, "researcher")
    secret = tokens.make_token(accounts, name, "QGIS")
    with accounts.write() as connection:
        connection.execute("UPDATE people SET role = ? WHERE key = ?", (role, people.make_key(name)))
    return secret


def make_accounts(folder: Path, now: list[float]) -> Accounts:
    return Accounts.open_or_create(folder / "server" / "accounts.sqlite", clock=lambda: now[0])
