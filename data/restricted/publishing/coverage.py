"""What a release covers: its quarters, the years that become final with it, and the encounters of other days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.disclosure.policy import Policy
from data.restricted.counting.encounters import read_days
from data.restricted.publishing.waiting import list_new_years
from data.restricted.vault import Vault
from data.tables.grid import Grid
from data.tables.periods import Calendar, Period


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
