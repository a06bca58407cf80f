"""The register of policies and advocacy: what, where, its status, the day and the source. Never a person.

Like accepted breaks, it is a small table in the workspace, beside the results (risk/model/decisions.py).
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from data.errors import FileRefused, InputError
from data.message import Message, mark
from data.personal.free_text import check_free_text
from data.personal.headings import find_personal_heading, plain_heading
from data.reference import area_countries
from data.release.signed_list import ADVOCACY
from data.schema.vocabulary import ALL_PERSONAL, DUTY_BEARERS
from data.workspace.safe_text import escape_formula
from data.workspace.small_tables import read_rows, read_text
from risk.model.decisions import DecisionTable

STATUSES = {
    "proposed": mark("proposed"),
    "discussed": mark("under discussion"),
    "adopted": mark("adopted"),
    "applied": mark("applied"),
    "rejected": mark("rejected"),
    "ended": mark("no longer in force"),
}
COLUMNS, OPTIONAL = ("what", "area", "status", "date", "source"), ("duty_bearer", "note")
TEMPLATE = (
    ",".join((*COLUMNS, *OPTIONAL))
    + "\nProtocol for referring children who beg,AL-11,adopted,2008-03-12,Decision of the county council no. 14,"
    + "municipality,\n"
)


@dataclass(frozen=True)
class AdvocacyEntry:
    """A policy or a step of advocacy.

    area : code of a country, county, region or municipality. status : a key of STATUSES. date : ISO day of this status.
    source : where it can be read. duty_bearer : who must act, a code, or empty. by : the role of the writer.
    """

    what: str
    area: str
    status: str
    date: str
    source: str
    duty_bearer: str = ""
    note: str = ""
    by: str = "data officer"


def _check(entry: AdvocacyEntry) -> None:
    texts = (entry.what, entry.source)
    check_free_text(texts, Message("What, source or note"))
    if not all(texts) or any(escape_formula(text) != text for text in texts):
        raise InputError(Message("What and source begin with a word: write what it is, and where it can be read."))
    if entry.area not in area_countries():
        raise InputError(Message("{code!r} is no area. Write a code, such as AL or AL-11.", code=entry.area))
    for name, value, allowed in (
        ("status", entry.status, STATUSES),
        ("duty_bearer", entry.duty_bearer, ("", *DUTY_BEARERS)),
    ):
        if value not in allowed:
            listed = ", ".join(filter(None, allowed))
            raise InputError(
                Message("{name} is {value!r}. Write one of: {listed}.", name=name, value=value, listed=listed)
            )
    try:
        dt.date.fromisoformat(entry.date)
    except ValueError:
        raise InputError(Message("{value!r} is no day. Write it as 2008-03-12.", value=entry.date)) from None


_TABLE = DecisionTable(ADVOCACY, AdvocacyEntry, ("what", "area"), _check)


def read_policies(folder: Path | None) -> tuple[AdvocacyEntry, ...]:
    """Read the register from the folder of results, the newest entry first; errors as in `DecisionTable.read`."""
    return tuple(sorted(_TABLE.read(folder), key=lambda entry: entry.date, reverse=True))


def add_policies(folder: Path, path: Path) -> tuple[AdvocacyEntry, ...]:
    """Write the entries of a file into the register, each in place of one with the same words and area; return them.

    Nothing is written unless every row is right. Raises FileRefused if the file cannot be read, lacks a column, or has
    a column that the register does not know, such as one for a person; InputError, with its row, for a wrong text.
    """
    headings = next(csv.reader(read_text(path, COLUMNS).splitlines()[:1]), [])
    for number, heading in enumerate(headings):
        if heading.strip().casefold() in (*COLUMNS, *OPTIONAL):
            continue
        plain = plain_heading(heading.strip(), number)
        if sort := find_personal_heading(heading, ALL_PERSONAL):
            raise FileRefused(f"{path.name}: column {plain!r} is for {sort}. The register names no person: delete it.")
        listed = ", ".join((*COLUMNS, *OPTIONAL))
        raise FileRefused(f"{path.name}: the register has no column {plain!r}. Delete it. There are: {listed}.")
    rows = read_rows(path, COLUMNS, OPTIONAL)
    entries = []
    for row in rows:
        entries.append(AdvocacyEntry(*(row[name] for name in (*COLUMNS, *OPTIONAL))))
        try:
            check_free_text([entries[-1].note], Message("What, source or note"))
            _check(entries[-1])
        except InputError as error:
            raise row.fault(str(error)) from None
    for entry in entries:
        _TABLE.put(folder, entry)
    return tuple(entries)


def remove_policy(folder: Path, entry: AdvocacyEntry) -> None:
    """Remove an entry, if it is still there."""
    _TABLE.remove(folder, (entry.what, entry.area))
