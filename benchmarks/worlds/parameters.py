"""The parameters of a world that a study changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from risk import worlds

_MONTH = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])")
_SHARES = (
    "structured", "shared", "at_risk_share", "effort_follows_finds", "reported_share",
    "internal_before", "internal_after", "searched_share", "linked_share", "unknown_pathway",
)  # fmt: skip
_POSITIVE = ("dispersion", "effort_days", "effort_growth", "gamma")
_SCALES = ("log_sd", "local_log_sd", "time_log_sd", "effort_log_sd", "detection_log_sd", "hotspot")


@dataclass(frozen=True)
class WorldParameters(worlds.WorldParameters):
    """The parameters of a world, the height of a moving hotspot in the log rate, and the names of the world's laws.

    Raises InputError, which names the value, if one is out of range.
    """

    hotspot: float = 0.0
    laws: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _SHARES:
            self._check(name, 0.0 <= getattr(self, name) <= 1.0, "a share from 0 to 1")
        for name in _POSITIVE:
            self._check(name, getattr(self, name) > 0.0, "a number above 0")
        for name in _SCALES:
            self._check(name, 0.0 <= getattr(self, name) <= 3.0, "a number from 0 to 3")
        self._check("detection", 0.0 < self.detection <= 0.5, "a number above 0, 0.5 at most")
        self._check("reporting_gap", -3.0 <= self.reporting_gap <= 3.0, "a number from -3 to 3")
        self._check("effort_frozen", self.effort_frozen >= 0, "a number of quarters from 0")
        self._check("quarters", 1 <= self.quarters <= 80, "1 to 80")
        ordered = 1 <= self.shift_begins < self.shift_complete
        self._check("shift_begins", ordered, "a quarter from 1, before shift_complete")
        self._check("start", bool(_MONTH.fullmatch(self.start)), "a month such as 2006-06")
