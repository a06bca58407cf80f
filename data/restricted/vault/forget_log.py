"""The forget log: which children were forgotten and which partners left, so that their records never return.

There are two copies: a table in the vault, written in the transaction that deletes the records, and a file beside the
vault (`vault.forgotten`, mode 600), so that a restore of an older backup finds it. For a child it contains only the day
and the keyed hash of data/restricted/keys.py; without the identifier key nobody can test whether a child is in it. For
a partner it contains, in the column of the day, the number of the last import before the partner left. So records that
the partner sends later are kept, and a wrong clock makes no difference. The file is written first. Its entries are
applied before a restored vault gets its name, and at the latest when the vault is next opened. Whenever a vault is
opened, the two copies are made equal, so each repairs the other.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from data.errors import VaultError
from data.message import Message
from data.workspace import files

Kind = Literal["child", "partner"]
_COLUMNS = ("kind", "name", "day")


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


def read(path: Path) -> set[Entry]:
    """Read a log; empty if there is none. Raises VaultError when it is damaged or cannot be read."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError, csv.Error):
        raise _damaged_log(path) from None
    if not rows or tuple(rows[0]) != _COLUMNS or not all(map(_is_complete, rows[1:])):
        raise _damaged_log(path)
    return {Entry(cast("Kind", kind), name, until) for kind, name, until in rows[1:]}


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write a log in one step."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *sorted(entries)])
    files.write_text(path, text.getvalue(), mode=0o600)


def _is_complete(row: list[str]) -> bool:
    return len(row) == len(_COLUMNS) and row[0] in get_args(Kind) and bool(row[1] and row[2])


def _damaged_log(path: Path) -> VaultError:
    return VaultError(
        Message(
            "The forget log {path} is damaged or cannot be read. Restore it from a copy. If you have "
            "no copy, move it away: the vault writes it again.",
            path=path,
        )
    )
