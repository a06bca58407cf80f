"""Checks of the distinct values of one column: allowed values become canonical, others are faults.

Days such as 2007-05-31 (a time after it is dropped), days such as 31.05.2007 (always day first) and the dates of a
spreadsheet are read. Days such as 31/05/2007 or 31-05-2007 are read day first only if the column proves it (some first
number is above 12 and no second number is) or if the mapping states the order. All other such days are rejected, and
so are years with two digits. Nothing is guessed.

The decimal sign of a number is a point; a comma is a decimal sign only before the last one or two digits (2,5).
Thousands separators are rejected.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from data.errors import InputError
from data.schema.column import Column
from data.schema.earlier_words import read_earlier_words
from data.tables.periods import Period
from data.workspace.folding import fold, make_key

Value = str | int | float | None


class Faulty(InputError):
    """The error for one wrong value; `reason` does not repeat the value."""

    def __init__(self, reason: str, allowed: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass
class Checked:
    """Canonical values, one for each distinct value, and the faults by index of the value."""

    values: list[Value]
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def check_values(
    column: Column, values: list[str], *, today: dt.date, names: Mapping[str, str] | None = None, slashes: str = ""
) -> Checked:
    """Check each distinct value of a column; areas stay text, because the country is needed to find them.

    `names` maps a partner's values to codes; `slashes` is the order of days such as 31/05/2007.
    """
    theirs = {fold(text): ours for text, ours in (names or {}).items()}
    read = _reader(column, today, slashes)
    checked = Checked([])
    for number, raw in enumerate(values):
        text = " ".join(raw.split())
        text = theirs.get(fold(text), text) if theirs else text
        try:
            checked.values.append(read(text) if text else _empty(column))
        except Faulty as fault:
            checked.faults[number] = (fault.reason, fault.allowed or column.limits)
            checked.values.append(None if column.numeric else "")
    return checked


def slash_order(values: list[str], given_order: str) -> str:
    """Return the order of days like 31/05/2007: the given one, else "day first" if the column proves it."""
    if given_order:
        return given_order
    pairs = [(int(m[1]), int(m[2])) for m in map(_SLASHED.fullmatch, map(str.strip, values)) if m]
    day_first = any(first > 12 for first, _ in pairs)
    month_first = any(second > 12 for _, second in pairs)
    return "day first" if day_first and not month_first else ""


def _empty(column: Column) -> Value:
    # An identifier may be replaced by the programme number: the row is judged later.
    if column.required and column.type != "identifier":
        raise Faulty("missing")
    return None if column.numeric else column.default


def _reader(column: Column, today: dt.date, slashes: str) -> Callable[[str], Value]:
    if column.type == "category":
        return _category(column)
    if column.type == "date":
        return lambda text: _parse_date(text, column, today, slashes)
    if column.type == "day_or_week":
        return lambda text: _day_or_week(text, column, today, slashes)
    if column.type == "period":
        return lambda text: _parse_period(text, today)
    if column.type == "whole":
        return lambda text: _parse_whole(text, column)
    if column.type == "year":
        return lambda text: _parse_year(text, column, today)
    if column.type == "decimal":
        return lambda text: _parse_decimal(text, column)
    if column.type == "code":
        return lambda text: _check_code(text, column)
    return lambda text: _check_text(text, column)


@lru_cache(maxsize=64)
def _list_spellings(name: str, allowed: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the code of each accepted spelling: the code itself, its words, and words of earlier versions."""
    codes = dict(allowed)
    known = {make_key(code): code for code in codes}
    for code, words in allowed:
        known.setdefault(make_key(words), code)
    for words, code in read_earlier_words().get(name, {}).items():
        if code in codes:
            known.setdefault(make_key(words), code)
    return known


def _category(column: Column) -> Callable[[str], Value]:
    known = _list_spellings(column.name, tuple(column.allowed.items()))

    def read(text: str) -> Value:
        code = known.get(make_key(text[:200]))
        if code is None:
            raise Faulty("not one of the categories")
        return code

    return read


_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}.*)?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_SHORT = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})")


def _parse_date(text: str, column: Column, today: dt.date, slashes: str) -> str:
    day = _parse_day(text, slashes)
    return _within(day, column, today).isoformat()


def _within(day: dt.date, column: Column, today: dt.date) -> dt.date:
    if day.isoformat() < column.earliest:
        raise Faulty(f"before {column.earliest}")
    if day > today and not column.future:
        raise Faulty("in the future")
    return day


def _parse_day(text: str, slashes: str) -> dt.date:
    if iso := _ISO.fullmatch(text):
        return _date(*map(int, iso[1].split("-")))
    if dotted := _DOTTED.fullmatch(text):
        return _date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    if slashed := _SLASHED.fullmatch(text):
        first, second, year = map(int, slashed.groups())
        if not slashes and first != second:
            raise Faulty("it is not clear which part is the day and which is the month", _TELL)
        return _date(year, first, second) if slashes == "month first" else _date(year, second, first)
    if _SHORT.fullmatch(text):
        raise Faulty("a year with only two digits")
    raise Faulty("not a date")


_TELL = "2007-05-31, or the order of day and month in the partner's mapping"


def _date(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise Faulty("a day that does not exist") from None


def _day_or_week(text: str, column: Column, today: dt.date, slashes: str) -> str:
    """Return an ISO day; for a week its Monday with a W in front."""
    week = _WEEK.fullmatch(text.upper())
    if not week:
        return _parse_date(text, column, today, slashes)
    try:
        monday = dt.date.fromisocalendar(int(week[1]), int(week[2]), 1)
    except ValueError:
        raise Faulty("a week that does not exist") from None
    return f"W{_within(monday, column, today).isoformat()}"


def _parse_period(text: str, today: dt.date) -> str:
    interval = f"{text}-01-01/P1Y" if re.fullmatch(r"\d{4}", text) else text.upper()
    try:
        period = Period.parse(interval)
    except (InputError, ValueError, OverflowError):
        raise Faulty("not a period") from None
    aligned = period.grain == "whole" or period.start.day == 1
    if period.end < period.start or not aligned:
        raise Faulty("not a period")
    if period.start > today:
        raise Faulty("in the future")
    return period.id


_WHOLE = re.compile(r"[+-]?\d{1,15}(?:\.0{1,2})?")
_DECIMAL = re.compile(r"[+-]?\d{1,15}(?:\.\d+|,\d{1,2})?(?:[eE][+-]?\d{1,2})?")


def _parse_whole(text: str, column: Column) -> int:
    if not _WHOLE.fullmatch(text):
        raise Faulty("not a whole number")
    return int(_check_range(int(text.partition(".")[0]), column))


def _parse_year(text: str, column: Column, today: dt.date) -> int:
    year = _parse_whole(text, column)
    if year > today.year:
        raise Faulty("in the future")
    return year


def _parse_decimal(text: str, column: Column) -> float:
    if not _DECIMAL.fullmatch(text):
        raise Faulty("not a number")
    return _check_range(float(text.replace(",", ".")), column)


def _check_range(number: float, column: Column) -> float:
    if column.minimum is not None and number < column.minimum:
        raise Faulty("negative" if number < 0 else "too small")
    if column.maximum is not None and number > column.maximum:
        raise Faulty("too large")
    return number


def _check_code(text: str, column: Column) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", text) or len(text) > column.longest:
        raise Faulty("not a code")
    return text


def _check_text(text: str, column: Column) -> str:
    if len(text) > column.longest:
        raise Faulty(f"longer than {column.longest} characters")
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    if not text.isprintable():
        raise Faulty("contains an invisible character")
    return text
