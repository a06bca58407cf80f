"""Decisions of people about a series, in small tables of the workspace beside the results: accepted breaks, gaps.

Each row is a frozen dataclass of texts, with `note`, `by` and `on`: the reason, the role of the person, the day.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from filelock import FileLock

from data.errors import InputError
from data.message import Message
from data.personal.free_text import check_free_text
from data.release.signed_list import check_listed
from data.tables.periods import Period
from data.workspace import files
from data.workspace.safe_text import escape_formula
from data.workspace.small_tables import read_rows


class Decision(Protocol):
    """A decision: why, by whom, and when."""

    @property
    def note(self) -> str:
        """The reason."""

    @property
    def by(self) -> str:
        """The role of the person who decided."""


T = TypeVar("T", bound=Decision)


@dataclass(frozen=True)
class DecisionTable(Generic[T]):
    """A table of decisions. file : its name in the folder of results. row : the dataclass of a row.

    key : the columns of which no two rows have the same texts. check : raises InputError for a row with a wrong text.
    """

    file: str
    row: type[T]
    key: tuple[str, ...]
    check: Callable[[T], None]

    def read(self, folder: Path | None) -> tuple[T, ...]:
        """Read the decisions, sorted; empty without a folder or table.

        Raises FileRefused if the table cannot be read, InputError for a row with a wrong text, and, in a process that
        has a publisher, ReleaseDamaged if none has signed the table.
        """
        if folder is None or not (path := folder / self.file).exists():
            return ()
        check_listed(path, hashlib.sha256(path.read_bytes()).hexdigest())
        columns, decisions = self._columns, list[T]()
        for row in read_rows(path, columns[:1], columns[1:]):
            decisions.append(self.row(*(row[name] for name in columns)))
            try:
                self.check(decisions[-1])
            except InputError as error:
                raise row.fault(str(error)) from None
        return tuple(sorted(decisions, key=astuple))  # type: ignore[arg-type]  # rows are dataclasses

    def put(self, folder: Path, new: T, before: Callable[[], None] = lambda: None) -> None:
        """Write a decision, in place of the one with the same key.

        `before` is called when all checks have passed; if it raises an error, nothing is written. Raises InputError for
        a wrong text, and for a note or role that may concern a person, has more than one line, or could run as a
        formula; and the errors of `read`.
        """
        check_free_text([new.note, new.by], Message("A note or role"))
        if any(escape_formula(text) != text for text in (new.note, new.by)):
            raise InputError(
                Message("A note or role begins with a sign that a spreadsheet runs. Begin it with a word.")
            )
        self.check(new)
        with self._lock(folder):
            others = [old for old in self.read(folder) if self._find_key(old) != self._find_key(new)]
            before()
            self._write(folder, [*others, new])

    def remove(self, folder: Path, key: tuple[str, ...], before: Callable[[], None] = lambda: None) -> bool:
        """Remove the decision with this key, and return whether there was one; `before` and errors as in `put`."""
        with self._lock(folder):
            decisions = self.read(folder)
            rest = [old for old in decisions if self._find_key(old) != key]
            if len(rest) == len(decisions):
                return False
            before()
            self._write(folder, rest)
        return True

    @property
    def _columns(self) -> tuple[str, ...]:
        shape: Any = self.row
        return tuple(field.name for field in fields(shape))

    def _find_key(self, row: T) -> tuple[str, ...]:
        return tuple(str(getattr(row, name)) for name in self.key)

    def _lock(self, folder: Path) -> FileLock:
        """Return the lock of the table, not yet acquired. A command and the web process may both change the table."""
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f".{self.file}.lock")

    def _write(self, folder: Path, rows: list[T]) -> None:
        text, shapes = io.StringIO(), list[Any](rows)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([self._columns, *sorted(map(astuple, shapes))])
        files.write_text(folder / self.file, text.getvalue())


def check_quarter(period: str) -> None:
    """Raise InputError for a period that is not a quarter."""
    if Period.parse(period).grain != "quarter":
        raise InputError(f"{period!r} is no quarter. Give its identifier, for example 2008-03-01/P3M.")
