"""What a release covers: its quarters, the years that become final with it, and the encounters of other days.

Late records are encounters of a final year that were imported or changed after its numbers were drawn. They stay in the
vault and are in no number. The vault remembers for each final year the last import before its numbers were drawn.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.disclosure.policy import Policy
from data.restricted.counting.encounters import read_days
from data.restricted.publishing.book import Book
from data.restricted.publishing.records import Records
from data.restricted.vault import Vault
from data.restricted.vault.published import name_year
from data.tables.grid import Grid
from data.tables.periods import Calendar, Period

_LAST_IMPORT = "last_import"


@dataclass(frozen=True)
class Coverage:
    """What a release covers.

    span: the time of its quarters; None while no quarter has ended. years: the years that become final with it. later:
    the number of encounters in the programme after these quarters. outside: the number of encounters before or after
    the programme.
    """

    span: Period | None
    years: tuple[Period, ...]
    later: int
    outside: int


def find_coverage(vault: Vault, areas: pd.DataFrame, calendar: Calendar, policy: Policy, day: date) -> Coverage:
    """Return what a release made on `day` would cover; `areas` comes from data.reference.area_table."""
    grid = Grid.for_day(areas, calendar, (policy.first, policy.last), policy.lag, day)
    parts = [read_days(batch, "date") for batch in vault.read("encounter", ("date",))]
    days = np.concatenate(parts) if parts else np.array([], "datetime64[D]")
    programme = calendar.whole(policy.first, policy.last)
    outside = int(np.count_nonzero((days < np.datetime64(programme.start)) | (days > np.datetime64(programme.end))))
    inside = len(days) - outside
    if grid is None:
        return Coverage(None, (), inside, outside)
    counted = int(np.count_nonzero(grid.period_of(days, "quarter") >= 0))
    return Coverage(grid.span, list_new_years(grid, vault.published_blocks()), inside - counted, outside)


def list_new_years(grid: Grid, published: Container[str]) -> tuple[Period, ...]:
    """List the years that are final for the first time; `published` has the names of the blocks published so far."""
    return tuple(year for year in grid.periods("year") if name_year(year) not in published)


def mark_final_years(records: Records, book: Book) -> None:
    """Write the number of the last import into the book, for each year that is final for the first time."""
    last = int(records.encounters["batch"].max(initial=0))
    for year in list_new_years(records.grid, book.published):
        book.repeat(name_year(year), _LAST_IMPORT, [last])


def count_waiting(records: Records, book: Book) -> int:
    """Count the encounters of final years that were imported or changed after the year's numbers were drawn."""
    batch = records.encounters["batch"].astype(np.int64)
    year_of = records.grid.period_of(records.encounters["day"].astype("datetime64[D]"), "year")
    waiting = 0
    for number, year in enumerate(records.grid.periods("year")):
        if book.has(name_year(year), _LAST_IMPORT):
            last = book.repeat(name_year(year), _LAST_IMPORT, [0])[0]
            waiting += int(np.count_nonzero((year_of == number) & (batch > last)))
    return waiting
