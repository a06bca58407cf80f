"""The grid on which a release counts: nested areas, nested periods, and every cell of both.

Records name a municipality, a successor of a municipality (counted in its predecessor), or a region
that has no municipality. All cells of the grid are published, so that a missing row reveals nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import ReleaseError
from data.message import Message
from data.tables.periods import GRAINS, Calendar, Grain, Period, add_months
from data.tables.spec import LEVELS, Level

Index = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Grid:
    """Areas and periods of a release, and the cell of each record.

    areas: the reference table (data.reference.area_table) or one like it. first, last: the first and the last day that
    are covered.
    final: the last day of the years that are final; None when the whole programme is. Quarters after it are
    provisional; years after it, and the whole programme, are not periods yet.
    """

    areas: pd.DataFrame
    calendar: Calendar
    first: date
    last: date
    final: date | None = None

    @classmethod
    def for_day(
        cls, areas: pd.DataFrame, calendar: Calendar, programme: tuple[date, date], lag: int, day: date
    ) -> Grid | None:
        """Return the grid of a release made on a day; None while no quarter of the programme has ended.

        programme: its first and last day. lag: the months after the end of a year (or of the programme) until the
        year is final. Everything follows from these and the day, nothing from records.
        """
        first, last = programme
        ended = [q for q in calendar.between(first, last, "quarter") if q.end < day]
        final = first - timedelta(days=1)
        for year in calendar.between(first, last, "year"):
            end = min(year.end, last)
            if day < add_months(end, lag + 1):
                return cls(areas, calendar, first, ended[-1].end, final) if ended else None
            final = end
        return cls(areas, calendar, first, last)

    @cached_property
    def codes(self) -> dict[Level, tuple[str, ...]]:
        """The codes of the areas that are counted, by level, in the order of the table."""
        counted = self.areas[self.areas["counted"].astype(bool)]
        return {level: tuple(counted.index[counted["level"] == level]) for level in LEVELS}

    @cached_property
    def names(self) -> dict[str, int]:
        """The number of each code that a record may name, from 0; it is an index into the arrays of `area_index`."""
        return {code: number for number, code in enumerate(self.areas.index)}

    @cached_property
    def area_index(self) -> dict[Level, Index]:
        """For each level, the index in `codes` of the area that contains each name, or -1; shape (names,)."""
        position = {level: {c: i for i, c in enumerate(codes)} for level, codes in self.codes.items()}
        chains = [self._list_containers(code) for code in self.areas.index]
        return {
            level: np.array([next((position[level][c] for c in chain if c in position[level]), -1)
                             for chain in chains], np.int32)
            for level in LEVELS
        }  # fmt: skip

    def _list_containers(self, code: str) -> list[str]:
        """List an area and all areas that contain it; a successor is counted in its predecessor."""
        chain = [self._predecessors.get(code, code)]
        parents = self.areas["parent"]
        while parent := parents.get(chain[-1], ""):
            chain.append(parent)
        return chain

    @cached_property
    def _predecessors(self) -> dict[str, str]:
        succeeded = self.areas["succeeded_by"]
        return {new: str(old) for old, codes in succeeded.items() for new in codes.split(";") if new}

    @cached_property
    def places(self) -> npt.NDArray[np.bool_]:
        """Whether each name, (names,), may be the place of an encounter: municipalities, and regions without them."""
        parents = set(self.areas["parent"])
        leaf = ~self.areas.index.isin(parents)
        return np.asarray(leaf | (self.areas["level"] == "municipality"), bool)

    def periods(self, grain: Grain) -> list[Period]:
        """List the periods of a grain, oldest first; empty if there is none yet."""
        last = self.last if self.final is None or grain not in ("year", "whole") else self.final
        if last < self.first or (grain == "whole" and self.final is not None):
            return []
        return self.calendar.between(self.first, last, grain)

    def is_provisional(self, grain: Grain) -> npt.NDArray[np.bool_]:
        """Return which periods of a grain are provisional, shape (periods,)."""
        return np.array([self.final is not None and p.end > self.final for p in self.periods(grain)], bool)

    @cached_property
    def span(self) -> Period:
        """The time that the release covers, in whole quarters."""
        return self.calendar.whole(self.first, self.last)

    def period_of(self, days: npt.NDArray[np.datetime64], grain: Grain) -> Index:
        """Return the index of each day's period, or -1 if there is none; `days` is datetime64[D], shape (n,)."""
        offset = days.astype("datetime64[D]").astype(np.int64) - self._by_day["start"]
        table = self._by_day[grain]
        inside = (offset >= 0) & (offset < len(table))
        return np.where(inside, table[np.where(inside, offset, 0)], np.int32(-1))

    @cached_property
    def _by_day(self) -> dict[str, Index]:
        """By grain, the period index of each day of the span, (days,); "start" is the first day, in days since 1970."""
        first, last = np.datetime64(self.span.start, "D"), np.datetime64(self.span.end, "D")
        days = np.arange(first, last + 1)
        tables = {"start": np.asarray(first.astype(np.int64), np.int32)}
        for grain in GRAINS:
            periods = self.periods(grain)
            starts = np.array([p.start for p in periods], "datetime64[D]")
            number = (np.searchsorted(starts, days, side="right") - 1).astype(np.int32)
            end = np.datetime64(periods[-1].end, "D") if periods else first - 1
            tables[grain] = np.where(days <= end, number, np.int32(-1))
        return tables

    def check_places(self, names: npt.NDArray[np.integer]) -> None:
        """Raise ReleaseError if encounters name an area that cannot be their place.

        `names`: the number (`self.names`) of the area that each encounter names, (n,).
        """
        wrong = np.unique(names[~self.places[names]])
        if len(wrong):
            listed = ", ".join(str(self.areas.index[i]) for i in wrong[:5])
            raise ReleaseError(
                Message(
                    "Encounters name {listed}, which is not a municipality. Correct and import them again.",
                    listed=listed,
                )
            )
