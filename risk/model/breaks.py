"""Series breaks: quarters from which counts have another meaning, such as a new recording system or a new law.

A break that a person accepted stops comparisons across it, and the risk model gives it a separate level,
docs/risk-model.md eq. (89). Accepted breaks are a small table in the workspace.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from filelock import FileLock

from data.errors import InputError
from data.message import Message
from data.personal.free_text import check_free_text
from data.release.signed_list import BREAKS, check_listed
from data.tables.periods import Period
from data.workspace import files
from data.workspace.safe_text import escape_formula
from data.workspace.small_tables import Row, read_rows


@dataclass(frozen=True)
class Break:
    """A quarter from which counts have another meaning.

    period : identifier of the quarter. place : code of the country or area; empty: everywhere. note : the reason.
    by, on : the role of the person who accepted the break, and the day.
    """

    period: str
    place: str = ""
    note: str = ""
    by: str = ""
    on: str = ""

    def concerns(self, area: str) -> bool:
        """Return whether the break affects the counts of this area; an area's code begins with its country's code."""
        return self.place in ("", area, area.partition("-")[0])


_COLUMNS = tuple(field.name for field in fields(Break))


def read_breaks(folder: Path | None) -> tuple[Break, ...]:
    """Read the accepted breaks from the folder of derived results, oldest first.

    Returns an empty tuple without a folder, or if the folder has no table. Raises FileRefused if the table cannot be
    read, InputError for a period that is not a quarter, and, in a process that has a publisher, ReleaseDamaged if none
    has signed the table.
    """
    if folder is None or not (folder / BREAKS).exists():
        return ()
    check_listed(folder / BREAKS, hashlib.sha256((folder / BREAKS).read_bytes()).hexdigest())
    return tuple(sorted(map(_read_row, read_rows(folder / BREAKS, _COLUMNS[:1], _COLUMNS[1:])), key=astuple))


def _read_row(row: Row) -> Break:
    try:
        _check_quarter(row["period"])
    except InputError as error:
        raise row.fault(str(error)) from None
    return Break(*(row[name] for name in _COLUMNS))


def accept_break(folder: Path, new: Break, places: Collection[str], before: Callable[[], None] = lambda: None) -> None:
    """Write a break into the table, in place of any break of the same quarter and place.

    `places` are the codes of countries and areas that a break may have. `before` is called when all checks have passed;
    if it raises an error, nothing is written. Raises InputError for a period that is not a quarter, an unknown place,
    or a text that may concern a person, has more than one line, or could run as a formula; and the errors of
    `read_breaks`.
    """
    check_free_text([new.note, new.by], Message("A note or role"))
    if any(escape_formula(text) != text for text in (new.note, new.by)):
        raise InputError(Message("A note or role begins with a sign that a spreadsheet runs. Begin it with a word."))
    if new.place and new.place not in places:
        raise InputError(f"No country, county or region {new.place!r}. Give its code, for example AL or AL-11.")
    _check_quarter(new.period)
    with _lock(folder):
        others = [old for old in read_breaks(folder) if (old.period, old.place) != (new.period, new.place)]
        before()
        _write_breaks(folder, (*others, new))


def _check_quarter(period: str) -> None:
    if Period.parse(period).grain != "quarter":
        raise InputError(f"{period!r} is no quarter. Give its identifier, for example 2008-03-01/P3M.")


def remove_break(folder: Path, period: str, place: str, before: Callable[[], None] = lambda: None) -> None:
    """Remove the break of a quarter and place from the table; `before` as in `accept_break`.

    Raises InputError if there is no such break, and the errors of `read_breaks`.
    """
    with _lock(folder):
        breaks = read_breaks(folder)
        rest = [old for old in breaks if (old.period, old.place) != (period, place)]
        if len(rest) == len(breaks):
            raise InputError(f"No accepted break in {period} of {place or 'all places'}. See: tact breaks list")
        before()
        _write_breaks(folder, rest)


def _lock(folder: Path) -> FileLock:
    """Return the lock of the table, not yet acquired, and create the folder if it is missing.

    A command and the web process may both change the table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f".{BREAKS}.lock")


def _write_breaks(folder: Path, breaks: Iterable[Break]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_COLUMNS, *sorted(map(astuple, breaks))])
    files.write_text(folder / BREAKS, text.getvalue())
