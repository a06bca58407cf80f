"""The reader: the person who has signed in, with their rights and countries.

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
    """A reader: their name (empty if unknown), their rights, and the countries they may see (empty: all)."""

    name: str
    rights: frozenset[Right]
    countries: frozenset[str] = frozenset()


EVERYBODY = Reader("", frozenset(Right))  # where nobody signs in
NOBODY = Reader("", frozenset())
_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)
_finders: list[Callable[[], Mapping[str, str]]] = []


def expect_people(accounts: Accounts) -> None:
    """Set for the whole process that its readers sign in, and the file of their accounts."""
    os.environ[PEOPLE] = str(accounts.path)


def find_accounts() -> Accounts | None:
    """Return the accounts of the readers; None if nobody signs in."""
    return Accounts(Path(os.environ[PEOPLE])) if PEOPLE in os.environ else None


def write_header(name: str, role: Role, countries: Iterable[str] = ()) -> str:
    """Return the value of the header that describes a reader; it has only ASCII characters."""
    return json.dumps([name, role, sorted(countries)])


def read_header(headers: Mapping[str, str]) -> Reader:
    """Return the reader whom these headers describe.

    This is EVERYBODY if no reader signs in, and NOBODY if readers sign in but the header of the door is missing.
    """
    if PEOPLE not in os.environ:
        return EVERYBODY
    text = headers.get(HEADER)
    if not text:
        return NOBODY
    name, role, countries = json.loads(text)
    return Reader(name, ROLES[Role(role)], frozenset(countries))


def find_reader() -> Reader:
    """Return the reader of the `read_as` block, else the reader of the page that is drawn."""
    return _reader.get() or read_header(next((find() for find in _finders), {}))


def follow_headers(find: Callable[[], Mapping[str, str]]) -> None:
    """Set the function that returns the headers of the reader, such as those of the session whose page is drawn."""
    _finders[:] = [find]


def keep_reader(function: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Return a function like `function` that runs with the reader of this page, even later and in another thread."""
    reader = find_reader()

    def make_file(text: str) -> bytes:
        with read_as(reader):
            return function(text)

    return make_file


@contextmanager
def read_as(reader: Reader) -> Iterator[None]:
    """Make `find_reader` return this reader inside the block."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)
