"""Bands of ages that a spreadsheet turned into days: 10-12, typed into Excel, is stored as 10 December or 12 October.

A band has the lower age first, so the two numbers of such a day can only be one band. The program never guesses whether
the cell was a band: the cell gets the name "10-12 as a date", and the officer is asked about it. A day before the year
of the records may be a date of birth, and a day whose numbers fit no band was never a band: both are rejected.

A number alone is what its heading says: months (*Mosha (muaj)*), or a year of birth in two digits (*Viti i lindjes*).
A heading with two units (*Mosha në vite ose muaj*) says nothing: its numbers are years.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from data.restricted.intake.headings import Layout
from data.restricted.intake.made_ages import MadeAges
from data.restricted.intake.table import RawTable
from data.restricted.intake.values import Faulty, find_band, find_month, read_day, word_of_age

_DAY_MONTH = re.compile(r"(\d{1,2})[./ -]+([^\W\d_]{3,12})\.?")  # 10-Dec, as a CSV file has it
_MONTH_YEAR = re.compile(r"([^\W\d_]{3,12})\.?[./-]+(\d{2})")  # Oct-13; "nën 12" is under 12


def name_bands(table: RawTable, layout: Layout, year: float | None, today: dt.date) -> RawTable:
    """Return a table in our shape in which ages that became days have the name of their band.

    year : the median year of the records. Without it, only days that are written without a year get a name.
    """
    position = layout.columns.get("age_band")
    if position is None:
        return table
    columns = list(table.columns)
    raw = columns[position]
    texts = [_name_band(text, year, today) for text in raw.distinct]
    index = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([index[text] for text in texts], dtype=raw.codes.dtype)
    columns[position] = replace(raw, codes=codes[raw.codes] if texts else raw.codes, distinct=list(index))
    return replace(table, columns=columns)


def add_units(table: RawTable, layout: Layout, year: float) -> RawTable:
    """Return a table in which a number of a column of ages has the unit that its heading gives.

    A year of birth in two digits gets its century; `year` is that of the records, or this year.
    """
    columns = list(table.columns)
    for position in layout.positions_of("age_band"):
        raw = columns[position]
        units = {word_of_age(word) for word in re.findall(r"[^\W\d_]+", raw.heading)}
        columns[position] = replace(raw, distinct=[_add_unit(text, units, year) for text in raw.distinct])
    return replace(table, columns=columns)


def _add_unit(text: str, units: AbstractSet[str], year: float) -> str:
    number = text.strip()
    if "months" in units and not units & {"years", "birth"} and re.fullmatch(r"\d{1,3}", number):
        return f"{number} months"
    if "birth" in units and not units & {"age", "months"} and re.fullmatch(r"\d\d", number):
        return f"{20 if 2000 + int(number) <= year else 19}{number}"
    return text


def _name_band(text: str, year: float | None, today: dt.date) -> str:
    for young, old in _list_ages(" ".join(text.split()), year, today):
        try:
            find_band(young, old)
        except Faulty:
            continue
        if 0 < young < old:
            return str(MadeAges(young, old))
    return text


def _list_ages(text: str, year: float | None, today: dt.date) -> list[tuple[int, int]]:
    """Return the pairs of ages that may have been typed in a cell that has a day, the likeliest first."""
    if named := _DAY_MONTH.fullmatch(text):
        return [_sort(int(named[1]), find_month(named[2]))]
    if named := _MONTH_YEAR.fullmatch(text):
        return [_sort(int(named[2]), find_month(named[1]))]
    day = read_day(text, today)
    if day is None or year is None or day.year < year:
        return []
    # Where neither number can be the day, Excel takes the second one for the year: 10-13 is the first of October 2013.
    of_year = [(day.month, day.year % 100)] if day.day == 1 else []
    return [_sort(day.day, day.month), *of_year]


def _sort(first: int, second: int) -> tuple[int, int]:
    return min(first, second), max(first, second)
