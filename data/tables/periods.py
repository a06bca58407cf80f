"""Periods: months, quarters, years and the whole programme, as ISO 8601 intervals.

The programme's year starts in June, so its twelve quarters run from June 2006 to May 2009. A period's
identifier is a start and a length ("2006-06-01/P3M"), or two days for the whole ("2006-06-01/2009-05-31"),
so that it sorts by start, is unambiguous in any file, and needs no table to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.errors import InputError

Grain = Literal["month", "quarter", "year", "whole"]
GRAINS: tuple[Grain, ...] = ("month", "quarter", "year", "whole")
_MONTHS: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
_LENGTHS: dict[str, Grain] = {"P1M": "month", "P3M": "quarter", "P1Y": "year"}
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def add_months(day: date, months: int) -> date:
    """Return the first day of the month that is a number of months after the month of a day."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True, order=True)
class Period:
    """A period of whole days, both ends included."""

    start: date
    end: date
    grain: Grain

    @classmethod
    def parse(cls, text: str) -> Period:
        """Return the period of an identifier; raise InputError if it is not valid."""
        head, _, tail = text.partition("/")
        try:
            start = date.fromisoformat(head)
            if tail in _LENGTHS:
                return cls.starting(start, _LENGTHS[tail])
            return cls(start, date.fromisoformat(tail), "whole")
        except ValueError:
            msg = f"No period {text!r}. Write a start and a length, as 2006-06-01/P3M, or two days."
            raise InputError(msg) from None

    @classmethod
    def starting(cls, start: date, grain: Grain) -> Period:
        """Return the month, quarter or year (`grain`) that starts on a day, the first of a month."""
        end = add_months(start, _MONTHS[grain]) - timedelta(days=1)
        return cls(start, end, grain)

    @property
    def id(self) -> str:
        """The identifier, an ISO 8601 interval."""
        for length, grain in _LENGTHS.items():
            if grain == self.grain:
                return f"{self.start.isoformat()}/{length}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    @property
    def label(self) -> str:
        """A short English label such as "Jan to Mar 2009" or "Jun 2006 to May 2007"."""
        first, last = _MONTH_NAMES[self.start.month - 1], _MONTH_NAMES[self.end.month - 1]
        if self.grain == "year" and self.start.month == 1:
            return str(self.start.year)
        if self.grain == "month":
            return f"{first} {self.start.year}"
        if self.start.year == self.end.year:
            return f"{first} to {last} {self.end.year}"
        return f"{first} {self.start.year} to {last} {self.end.year}"

    def next(self) -> Period:
        """Return the month, quarter or year after this one. Raises KeyError for a whole time, which has none."""
        return Period.starting(self.end + timedelta(days=1), self.grain)

    def contains(self, other: Period) -> bool:
        """Return whether another period lies wholly within this one."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class Calendar:
    """The division of time into periods; the programme's year starts in `first_month`."""

    first_month: int = 6

    def starts(self, days: npt.NDArray[np.datetime64], grain: Grain) -> npt.NDArray[np.datetime64]:
        """Return the first day of the month, quarter or year of each day; datetime64[D], in the shape of `days`."""
        months = days.astype("datetime64[M]").astype(np.int64)
        step = _MONTHS[grain]
        offset = (self.first_month - 1) % step
        first = (months - offset) // step * step + offset
        return first.astype("datetime64[M]").astype("datetime64[D]")

    def period(self, day: date, grain: Grain) -> Period:
        """Return the month, quarter or year that contains a day."""
        start = self.starts(np.array([day], dtype="datetime64[D]"), grain)[0]
        return Period.starting(start.astype(object), grain)

    def between(self, first: date, last: date, grain: Grain) -> list[Period]:
        """List the periods of a grain from the one that contains the day `first` to the one that contains `last`."""
        if grain == "whole":
            return [self.whole(first, last)]
        periods = [self.period(first, grain)]
        while periods[-1].end < last:
            periods.append(periods[-1].next())
        return periods

    def whole(self, first: date, last: date) -> Period:
        """Return the whole time: from the start of the first day's quarter to the end of the last day's."""
        return Period(self.period(first, "quarter").start, self.period(last, "quarter").end, "whole")
