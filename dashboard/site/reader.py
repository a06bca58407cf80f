"""Who reads: the person who has signed in and what they may do, handed on from the door to pages and routes.

The door (dashboard/web/door.py) writes a header into each request and conversation that it lets in, in place of any
that came from outside. A process without accounts has readers whom nobody knows; what they see is the process's tier.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from data.accounts.database import Accounts
from data.accounts.rights import ROLES, Right, Role

HEADER = "x-tact-reader"
PEOPLE = "TACT_PEOPLE"  # the file of accounts, in the environment of a process whose readers sign in


@dataclass(frozen=True)
class Reader:
    """Somebody who reads: their name, empty where nobody knows it, their rights, and their countries if limited."""

    name: str
    rights: frozenset[Right]
    countries: frozenset[str] = frozenset()


EVERYBODY = Reader("", frozenset(Right))  # where nobody signs in
NOBODY = Reader("", frozenset())
_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)
_finders: list[Callable[[], Mapping[str, str]]] = []


def expect_people(accounts: Accounts) -> None:
    """Say to all of this process that its readers sign in, and by which file."""
    os.environ[PEOPLE] = str(accounts.path)


def find_accounts() -> Accounts | None:
    """Return the accounts of the people who read; None where nobody signs in."""
    return Accounts(Path(os.environ[PEOPLE])) if PEOPLE in os.environ else None


def write_header(name: str, role: Role, countries: Iterable[str] = ()) -> str:
    """Return the header of a person; it has ASCII characters alone."""
    return json.dumps([name, role, sorted(countries)])


def read_header(headers: Mapping[str, str]) -> Reader:
    """Return who asks with these headers; in a process whose readers sign in, nobody without the door's header."""
    if PEOPLE not in os.environ:
        return EVERYBODY
    text = headers.get(HEADER)
    if not text:
        return NOBODY
    name, role, countries = json.loads(text)
    return Reader(name, ROLES[Role(role)], frozenset(countries))


def find_reader() -> Reader:
    """Return who reads the page that is drawn here."""
    return _reader.get() or read_header(next((find() for find in _finders), {}))


def follow_headers(find: Callable[[], Mapping[str, str]]) -> None:
    """Let the reader be known by the headers that a function finds, such as those of the session that is drawn."""
    _finders[:] = [find]


def keep_reader(function: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Return a function that makes a file for the reader of this page, when and in whatever thread it is made."""
    reader = find_reader()

    def make_file(text: str) -> bytes:
        with read_as(reader):
            return function(text)

    return make_file


@contextmanager
def read_as(reader: Reader) -> Iterator[None]:
    """Let the reader inside the block be this one."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)
