"""The parameters from which an invented world is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from data.errors import InputError
from data.workspace.types import Ints

# Chosen by hand: in this world most children are in the counties and regions where the programme has its offices.
DEFAULT_SEED = 13715


@dataclass(frozen=True)
class WorldParameters:
    """The parameters of a world; docs/risk-model.md section 17 explains each.

    Raises InputError, which names the value, if one is out of range.
    """

    seed: int = DEFAULT_SEED
    children: int = 1400
    start: str = "2006-06"
    quarters: int = 12
    signal: bool = True
    log_sd: float = 0.75
    local_log_sd: float = 0.5
    structured: float = 0.7
    shared: float = 0.4
    time_log_sd: float = 0.05
    shift_regions: tuple[str, ...] = ("AL-02", "AL-11")
    shift_cities: tuple[str, ...] = ("10944377", "10944420")
    internal_before: float = 0.2
    internal_after: float = 0.8
    shift_begins: int = 3
    shift_complete: int = 7
    gamma: float = 0.8
    effort_days: float = 1000.0
    effort_growth: float = 4.0
    effort_log_sd: float = 0.45
    effort_follows_finds: float = 0.5
    effort_frozen: int = 0
    searched_share: float = 0.5
    detection: float = 0.18
    detection_log_sd: float = 0.2
    reported_share: float = 0.5
    reporting_gap: float = 0.3
    dispersion: float = 20.0
    at_risk_share: float = 0.2
    unknown_pathway: float = 0.03
    linked_share: float = 0.85

    def __post_init__(self) -> None:
        self._check("seed", self.seed >= 0, "a whole number from 0")
        self._check("children", 1 <= self.children <= 10_000_000, "1 to 10,000,000")

    def _check(self, name: str, passed: bool, allowed: str) -> None:
        if not passed:
            raise InputError(f"{name} = {getattr(self, name)!r} is not possible in a world; give {allowed}.")

    @cached_property
    def quarter_starts(self) -> tuple[pd.Timestamp, ...]:
        """First day of each quarter."""
        first = pd.Period(self.start, freq="M")
        return tuple((first + 3 * i).start_time for i in range(self.quarters))

    @cached_property
    def edges(self) -> Ints:
        """First day of each quarter, and the day after the last one, in days since 1970, (quarters + 1,)."""
        months = np.datetime64(self.start, "M") + 3 * np.arange(self.quarters + 1)
        return months.astype("datetime64[D]").astype(np.int64)

    @property
    def periods(self) -> tuple[str, ...]:
        """ISO 8601 intervals of the quarters, such as 2006-06-01/P3M."""
        return tuple(f"{day:%Y-%m-%d}/P3M" for day in self.quarter_starts)
