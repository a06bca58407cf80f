"""The forget log: which children were forgotten and which partners left, so that their records never return.

There are two copies: a table in the vault, written in the transaction that deletes the records, and a file beside the
vault (`vault.forgotten`, mode 600), so that a restore of an older backup finds it. For a child it contains only the day
and the keyed hash of data/restricted/keys.py; without the identifier key nobody can test whether a child is in it. For
a partner it contains, in the column of the day, the number of the last import before the partner left. So records that
the partner sends later are kept, and a wrong clock makes no difference. The file is written first. Its entries are
applied before a restored vault gets its name, and at the latest when the vault is next opened. Whenever a vault is
opened, the two copies are made equal, so each repairs the other.

The file is encrypted (AES-256-GCM) with a key that HMAC derives from the vault key, so a new vault key rewrites it
(rotation.py). Every vault has one, filled up to whole blocks: neither its size nor that it exists tells how many were
forgotten. The plain text of earlier versions is read, and replaced when the vault is opened.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from data.errors import VaultError
from data.message import Message
from data.restricted.keys import Secret
from data.workspace import files

Kind = Literal["child", "partner"]
_COLUMNS = ("kind", "name", "day")
_HEAD = b"tact-map forget log v2\n"
_NONCE = 12
_BLOCK = 2**16  # bytes; a child takes 82


class Entry(NamedTuple):
    """A child (64 hexadecimal digits) and the day, or a partner (its name) and the number of the last import.

    Earlier versions wrote the day for a partner too.
    """

    kind: Kind
    name: str
    until: str


def today() -> str:
    """Return today's date in UTC, as an ISO day; the times of imports are in UTC too."""
    return dt.datetime.now(dt.UTC).date().isoformat()


def log_path(folder: Path) -> Path:
    """Return the path of the log, a file beside the vault's folder."""
    return folder.with_name(f"{folder.name}.forgotten")


def keep_latest(entries: Iterable[Entry]) -> set[Entry]:
    """Return the latest entry of each child and partner."""
    return set({(entry.kind, entry.name): entry for entry in sorted(entries, key=_rank)}.values())


def _rank(entry: Entry) -> tuple[int, str]:
    """Return the sort key of entries with the same name: numbers of imports come after the days of earlier versions."""
    return (int(entry.until), "") if entry.until.isdecimal() else (0, entry.until)


def read(path: Path, *keys: Secret) -> set[Entry]:
    """Read a log with one of these vault keys; empty if there is none.

    Raises VaultError when it is damaged, cannot be read, or was written with another key.
    """
    try:
        content = path.read_bytes()
        text = _decrypt(content, keys) if content.startswith(_HEAD) else content
        rows = [row for row in csv.reader(text.decode().splitlines()) if row]
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError, csv.Error, InvalidTag):
        raise _damaged_log(path) from None
    if not rows or tuple(rows[0]) != _COLUMNS or not all(map(_is_complete, rows[1:])):
        raise _damaged_log(path)
    return {Entry(cast("Kind", kind), name, until) for kind, name, until in rows[1:]}


def is_encrypted(path: Path) -> bool:
    """Return whether there is an encrypted log."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        return file.read(len(_HEAD)) == _HEAD
    return False


def add(path: Path, entries: Iterable[Entry], key: Secret) -> None:
    """Write a log with further entries in one step. Raises VaultError as `read` does, and DiskFull."""
    _write(path, keep_latest({*read(path, key), *entries}), key)


def change_key(path: Path, old: Secret, new: Secret) -> set[Entry]:
    """Write a log for another vault key in one step, and return its entries. Raises VaultError as `read` does."""
    entries = read(path, new, old)
    _write(path, entries, new)
    return entries


def _write(path: Path, entries: Iterable[Entry], key: Secret) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *sorted(entries)])
    plain = text.getvalue().encode()
    plain += b"\n" * (-len(plain) % _BLOCK)
    nonce = secrets.token_bytes(_NONCE)
    files.write_bytes(path, _HEAD + nonce + _cipher(key).encrypt(nonce, plain, _HEAD), mode=0o600)


def _decrypt(content: bytes, keys: Iterable[Secret]) -> bytes:
    """Return the text of a log; raise InvalidTag if none of the keys opens it."""
    body = content.removeprefix(_HEAD)
    for key in keys:
        with contextlib.suppress(InvalidTag, ValueError):  # ValueError: too short
            return _cipher(key).decrypt(body[:_NONCE], body[_NONCE:], _HEAD)
    raise InvalidTag


def _cipher(key: Secret) -> AESGCM:
    return AESGCM(key.mac(_HEAD))


def _is_complete(row: list[str]) -> bool:
    return len(row) == len(_COLUMNS) and row[0] in get_args(Kind) and bool(row[1] and row[2])


def _damaged_log(path: Path) -> VaultError:
    return VaultError(
        Message(
            "The forget log {path} is damaged, cannot be read, or was written with another vault key. Restore it from "
            "a copy. If you have no copy, move it away: the vault writes again who it knows was forgotten.",
            path=path,
        )
    )
