"""Local days of times in UTC: 2008-02-29T23:00:00.000Z is midnight in Tirana, so its day is the first of March.

Some systems write a day as the moment at which it begins, or ends, at the place of the system, and write this moment in
UTC. If nearly all times of a column are such moments of one time zone, their days are those of this zone. Any other
time is a time of day: its day is that of both countries. Around midnight the two differ, because their clocks differ by
an hour: such a time becomes both of its days (2008-02-29/2008-03-01), and its row is rejected. Times that do not say
that they are in UTC keep their day, with a note where nearly all of them would be such moments.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from data.message import Message
from data.restricted.intake.headings import Layout
from data.restricted.intake.table import RawColumn, RawTable
from data.schema.column import RecordKind
from data.workspace.types import Ints

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)? ?(Z|UTC|GMT|[+-]00(?::?00)?)?", re.IGNORECASE
)
_COUNTRIES = (ZoneInfo("Europe/Tirane"), ZoneInfo("Europe/Athens"))
_NEARLY_ALL = 0.9  # of the rows with a time in UTC
_LAST_SECOND = dt.time(23, 59, 59)


def read_local_days(kind: RecordKind, table: RawTable, layout: Layout) -> tuple[RawTable, list[Message]]:
    """Return a table in our shape in which times in UTC are days, and notes on days that changed or may be wrong."""
    columns, notes = list(table.columns), []
    for column in kind.file_columns:
        position = layout.columns.get(column.name)
        if position is not None and column.type in ("date", "day_or_week"):
            columns[position], moved, doubtful = _read_column(columns[position])
            if moved:
                text = Message(
                    "In {column}, times are in UTC (23:00Z is midnight in Tirana): {count:,} rows have the local day, "
                    "which is the next one, or are rejected where it differs between the countries.",
                    column=column.name,
                    count=moved,
                )
                notes.append(text)
            if doubtful:
                text = Message(
                    "In {column}, {count:,} rows have a time that is midnight in Tirana or Athens if it is in UTC "
                    "(22:00, 23:00). Then their days are one day early. Compare them with the partner's paper.",
                    column=column.name,
                    count=doubtful,
                )
                notes.append(text)
    return replace(table, columns=columns), notes


def _read_column(raw: RawColumn) -> tuple[RawColumn, int, int]:
    """Return a column with days for times in UTC, how many rows have another day by it, and how many may need it."""
    counts = np.bincount(raw.codes, minlength=len(raw.distinct))
    matches = {code: match for code, text in enumerate(raw.distinct) if (match := _MOMENT.fullmatch(text.strip()))}
    moments: dict[bool, dict[int, dt.datetime]] = {True: {}, False: {}}
    for code, match in matches.items():
        with suppress(ValueError):
            moments[bool(match[2])][code] = dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)
    texts, moved = list(raw.distinct), []
    zone = _find_zone(moments[True], counts)
    for code, moment in moments[True].items():
        zones = [zone] if zone and _is_edge(moment, zone) else _COUNTRIES
        texts[code] = "/".join(sorted({moment.astimezone(zone).date().isoformat() for zone in zones}))
        moved += [code] if texts[code] != moment.date().isoformat() else []
    doubtful = [*moments[False]] if _find_zone(moments[False], counts) in _COUNTRIES else []
    return replace(raw, distinct=texts), int(counts[moved].sum()), int(counts[doubtful].sum())


def _find_zone(moments: Mapping[int, dt.datetime], counts: Ints) -> dt.tzinfo | None:
    """Return the time zone in which nearly all rows have the first or the last second of a day; None if none has."""
    rows = sum(int(counts[code]) for code in moments)
    for zone in (dt.UTC, *_COUNTRIES) if rows else ():
        if sum(int(counts[code]) for code, moment in moments.items() if _is_edge(moment, zone)) >= _NEARLY_ALL * rows:
            return zone
    return None


def _is_edge(moment: dt.datetime, zone: dt.tzinfo) -> bool:
    return moment.astimezone(zone).time() in (dt.time(), _LAST_SECOND)
