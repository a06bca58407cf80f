"""The release plan: every table that a release may hold, and no other.

A table is a measure at one area level and one period grain, with at most one breakdown. Only the model
table, partner tier, has two. What is not in the plan cannot be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

from data.periods import Grain

__all__ = ["DEFAULT_PLAN", "Level", "Measure", "TableSpec", "Tier", "table_name"]

Tier = Literal["partner", "public"]
Level = Literal["country", "region", "municipality"]
Measure = Literal[
    "children", "encounters", "effort", "services", "staff", "capacity", "communities", "flows", "model"
]


def table_name(measure: str, level: str, grain: str, *breakdown: str) -> str:
    """Name a table: measure, level, grain, breakdown, joined by underscores."""
    return "_".join((measure, level, grain, *breakdown))


@dataclass(frozen=True)
class TableSpec:
    """One table of a release."""

    measure: Measure
    level: Level
    grain: Grain
    breakdown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name in the release."""
        return table_name(self.measure, self.level, self.grain, *self.breakdown)


def _tables(
    measure: Measure, levels: tuple[Level, ...], grains: tuple[Grain, ...], *breakdowns: str
) -> tuple[TableSpec, ...]:
    rows = product(levels, grains, ("", *breakdowns))
    return tuple(TableSpec(measure, level, grain, (by,) if by else ()) for level, grain, by in rows)


_ALL: tuple[Level, ...] = ("country", "region", "municipality")
_WIDE: tuple[Level, ...] = ("country", "region")
_NESTED: tuple[Grain, ...] = ("quarter", "year", "whole")

DEFAULT_PLAN: dict[Tier, tuple[TableSpec, ...]] = {
    "partner": (
        *_tables("children", _ALL, _NESTED, "pathway", "stage"),
        *(
            TableSpec("children", level, grain, (by,))
            for level, grain, by in product(
                _WIDE, ("year", "whole"), ("form", "axis", "sex", "age_band", "found")
            )
        ),
        *_tables("encounters", _ALL, _NESTED),
        *_tables("effort", _ALL, _NESTED),
        *_tables("services", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("staff", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("capacity", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("communities", _ALL, ("year",)),
        *(TableSpec("flows", level, grain, ("origin",)) for level in _WIDE for grain in ("year", "whole")),
        TableSpec("model", "region", "quarter", ("crossing", "found")),
        TableSpec("model", "municipality", "quarter", ("crossing", "found")),
    ),
    "public": (
        *_tables("children", _WIDE, ("year", "whole")),
        *(
            TableSpec("children", level, "whole", (by,))
            for level in _WIDE
            for by in ("pathway", "stage", "form", "axis", "sex", "age_band")
        ),
        *(TableSpec("children", "country", "year", (by,)) for by in ("pathway", "stage")),
        *_tables("effort", _WIDE, ("year",)),
        *_tables("services", _WIDE, ("year",), "axis", "duty_bearer"),
        *_tables("communities", _WIDE, ("year",)),
    ),
}
