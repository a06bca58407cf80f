"""The reader: the person who has signed in, and their rights, as the door passes them on to pages and routes.

The door (dashboard/web/door.py) writes a header into each request and websocket that it lets in, and replaces any such
header from outside. Without accounts, a process does not know its readers, and they see the tier of the process.
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
    """A reader: their name (empty if unknown), their rights, and their countries if they are limited to some."""

    name: str
    rights: frozenset[Right]
    countries: frozenset[str] = frozenset()


EVERYBODY = Reader("", frozenset(Right))  # where nobody signs in
NOBODY = Reader("", frozenset())
_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)
_finders: list[Callable[[], Mapping[str, str]]] = []


def expect_people(accounts: Accounts) -> None:
    """Note for the whole process that its readers sign in, and which file of accounts they use."""
    os.environ[PEOPLE] = str(accounts.path)


def find_accounts() -> Accounts | None:
    """Return the accounts of the readers; None if nobody signs in."""
    return Accounts(Path(os.environ[PEOPLE])) if PEOPLE in os.environ else None


def write_header(name: str, role: Role, countries: Iterable[str] = ()) -> str:
    """Return the header of a person; it has only ASCII characters."""
    return json.dumps([name, role, sorted(countries)])


def read_header(headers: Mapping[str, str]) -> Reader:
    """Return the reader with these headers. If readers sign in and the door's header is missing, it is nobody."""
    if PEOPLE not in os.environ:
        return EVERYBODY
    text = headers.get(HEADER)
    if not text:
        return NOBODY
    name, role, countries = json.loads(text)
    return Reader(name, ROLES[Role(role)], frozenset(countries))


def find_reader() -> Reader:
    """Return the reader of the page that this thread draws."""
    return _reader.get() or read_header(next((find() for find in _finders), {}))


def follow_headers(find: Callable[[], Mapping[str, str]]) -> None:
    """Set the function that finds the headers of the reader, such as those of the session that is drawn."""
    _finders[:] = [find]


def keep_reader(function: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Return a function that makes a file for the reader of this page, even later and in another thread."""
    reader = find_reader()

    def make_file(text: str) -> bytes:
        with read_as(reader):
            return function(text)

    return make_file


@contextmanager
def read_as(reader: Reader) -> Iterator[None]:
    """Use this reader inside the block."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)
