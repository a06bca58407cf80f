"""Files to which entries are only added: one line of JSON each, with the SHA-256 of the entry before it.

`read_chain` finds an entry that is changed, removed, moved or inserted. `Chain.find_missing` finds that entries were
cut off at the end, if the number and SHA-256 of one of them are stored elsewhere. A person who can rewrite this file
and every place where such a pair is stored can forge it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from data.errors import WorkspaceError
from data.workspace import files

START = "0" * 64  # stands before the first entry
_FIELDS = {"number": int, "registered": str, "previous": str, "content": dict, "sha256": str}


@dataclass(frozen=True)
class Entry:
    """One entry: its number from 1 on, when it was added (UTC), the previous SHA-256, its content and its SHA-256."""

    number: int
    registered: str
    previous: str
    content: Mapping[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """Number and day, for messages."""
        return f"entry {self.number} of {self.registered[:10]}"


@dataclass(frozen=True)
class Chain:
    """The entries of a file before the first fault, and all faults in words, each with its remedy."""

    path: Path
    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def head(self) -> tuple[int, str]:
        """Number and SHA-256 of the last entry, which identify all entries up to it; 0 and START without entries."""
        return (self.entries[-1].number, self.entries[-1].sha256) if self.entries else (0, START)

    def find_missing(self, number: int, sha256: str, place: str) -> str:
        """Return, in words, that an entry which `place` names by number and SHA-256 is not here; empty if it is.

        Number 0 names no entry.
        """
        if number == 0:
            return ""
        if number > len(self.entries):
            names = _name_entries(len(self.entries) + 1, number)
            return f"{names} missing at the end: {place} names entry {number}. {_word_remedy(self.path)}"
        entry = self.entries[number - 1]
        if entry.sha256 != sha256:
            return f"{entry.name.capitalize()} is not the one that {place} names. {_word_remedy(self.path)}"
        return ""


def read_chain(path: Path) -> Chain:
    """Read a file and check every entry. If there is no file, the chain is empty."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return Chain(path)
    entries: list[Entry] = []
    problems: list[str] = []
    number, previous = 0, START
    for position, line in enumerate(lines, start=1):
        entry = _parse(line)
        problem = f"Line {position} cannot be read" if entry is None else find_fault(entry, number, previous)
        if problem:
            problems.append(f"{problem}. {_word_remedy(path)}")
        elif entry is not None and not problems:
            entries.append(entry)
        number, previous = (position, "") if entry is None else (entry.number, entry.sha256)
    return Chain(path, tuple(entries), tuple(problems))


def append_entries(path: Path, contents: Sequence[Mapping[str, Any]]) -> Chain:
    """Add entries in one step, and return the new chain; after a crash all of them are there or none.

    Raises WorkspaceError if the file is damaged, because nothing may be added to a broken chain.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        chain = read_chain(path)
        if chain.problems:
            raise WorkspaceError(" ".join(chain.problems))
        number, previous = chain.head
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        added: list[Entry] = []
        for content in contents:
            number += 1
            plain = json.loads(json.dumps(content))
            entry = Entry(number, moment, previous, plain, compute_hash(number, moment, previous, plain))
            added.append(entry)
            previous = entry.sha256
        if added:
            files.write_bytes(path, b"".join(map(_write_line, [*chain.entries, *added])))
        return Chain(path, (*chain.entries, *added))


def compute_hash(number: int, moment: str, previous: str, content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an entry (64 hexadecimal digits), which covers the SHA-256 of the entry before it."""
    values = {"number": number, "registered": moment, "previous": previous, "content": content}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _write_line(entry: Entry) -> bytes:
    values = {name: getattr(entry, name) for name in _FIELDS}
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> Entry | None:
    """Read a line; None if it is not an entry."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or set(values) != set(_FIELDS):
        return None
    return Entry(**values) if all(type(values[name]) is kind for name, kind in _FIELDS.items()) else None


def find_fault(entry: Entry, number: int, previous: str) -> str:
    """Return, in words, what is wrong with an entry that follows entry `number`; empty if nothing is.

    previous : the SHA-256 of entry `number`; empty if it is not known.
    """
    name = entry.name.capitalize()
    if compute_hash(entry.number, entry.registered, entry.previous, entry.content) != entry.sha256:
        return f"{name} was changed"
    if entry.number > number + 1:
        return f"{_name_entries(number + 1, entry.number - 1)} missing before {entry.name}"
    if entry.number != number + 1:
        return f"{name} stands in the wrong place, after entry {number}"
    if previous and entry.previous != previous:
        return f"{name} does not follow the entry before it: one of the two was put in later"
    return ""


def _name_entries(first: int, last: int) -> str:
    return f"Entry {first} is" if first == last else f"Entries {first} to {last} are"


def _word_remedy(path: Path) -> str:
    return f"Put back {path} from a backup (tact restore into an empty folder, then copy the file)."
