"""The release plan: every table that a release may hold, and no other.

A table is a measure at one area level and one period grain, with at most one breakdown. Only the model
table, partner tier, has two. What is not in the plan cannot be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

from data.periods import Grain

__all__ = [
    "CATEGORIES",
    "COUNTED",
    "DEFAULT_PLAN",
    "LEVELS",
    "RESTRICTED_AXES",
    "TIERS",
    "Level",
    "Measure",
    "Plan",
    "TableSpec",
    "Tier",
    "table_name",
]

Tier = Literal["partner", "public"]
Level = Literal["country", "region", "municipality"]
Measure = Literal[
    "children", "encounters", "effort", "services", "staff", "capacity", "communities", "flows", "model"
]
TIERS: tuple[Tier, ...] = ("partner", "public")
LEVELS: tuple[Level, ...] = ("country", "region", "municipality")
# Counts of children or of encounters with them: what the mechanisms protect.
COUNTED: frozenset[str] = frozenset({"children", "encounters", "flows", "model"})
# Protection, shelter and return: by county or region only, and only where enough operators work.
RESTRICTED_AXES: frozenset[str] = frozenset({"protection", "assisted_voluntary_return", "reintegration"})

# The categories of each breakdown, in their order. `origin` has the areas of the table's level.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "pathway": ("internal", "al_to_gr", "other_cross_border", "none_known"),
    "stage": ("at_risk", "recruited", "in_exploitation", "identified", "returning", "reintegrating"),
    "form": ("begging", "street_work", "sexual_exploitation", "labour", "crime", "other"),
    "axis": ("prevention", "protection", "assisted_voluntary_return", "reintegration", "coordination"),
    "sex": ("female", "male", "unknown"),
    "age_band": ("0-5", "6-9", "10-13", "14-17", "unknown"),
    "found": ("reported", "discovered"),
    "crossing": ("internal", "cross_border"),
    "duty_bearer": ("state", "anti_trafficking_police", "municipality", "school", "ngo", "community"),
    "group": ("roma", "egyptian", "roma_and_egyptian"),
}


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

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell its rows apart beside area and period; communities always stand by group."""
        return ("group",) if self.measure == "communities" else self.breakdown

    @property
    def counted(self) -> bool:
        """Whether it counts children or encounters, and so passes through a mechanism."""
        return self.measure in COUNTED


def _tables(
    measure: Measure, levels: tuple[Level, ...], grains: tuple[Grain, ...], *breakdowns: str
) -> tuple[TableSpec, ...]:
    rows = product(levels, grains, ("", *breakdowns))
    return tuple(TableSpec(measure, level, grain, (by,) if by else ()) for level, grain, by in rows)


_ALL: tuple[Level, ...] = ("country", "region", "municipality")
_WIDE: tuple[Level, ...] = ("country", "region")
_LONG: tuple[Grain, ...] = ("year", "whole")
_NESTED: tuple[Grain, ...] = ("quarter", "year", "whole")

Plan = Mapping[Tier, tuple[TableSpec, ...]]

DEFAULT_PLAN: Plan = {
    "partner": (
        *_tables("children", _ALL, _NESTED, "pathway", "stage"),
        *(
            TableSpec("children", level, grain, (by,))
            for level, grain, by in product(_WIDE, _LONG, ("form", "axis", "sex", "age_band", "found"))
        ),
        *_tables("encounters", _ALL, _NESTED),
        *_tables("effort", _ALL, _NESTED),
        *_tables("services", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("staff", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("capacity", _ALL, ("quarter",), "axis", "duty_bearer"),
        *_tables("communities", _ALL, ("year",)),
        *(TableSpec("flows", level, grain, ("origin",)) for level in _WIDE for grain in _LONG),
        TableSpec("model", "region", "quarter", ("crossing", "found")),
        TableSpec("model", "municipality", "quarter", ("crossing", "found")),
    ),
    "public": (
        *_tables("children", _WIDE, ("year", "whole")),
        # More breakdowns of counties and regions would tell too much of a child that several of them show.
        TableSpec("children", "region", "whole", ("pathway",)),
        *(
            TableSpec("children", "country", "whole", (by,))
            for by in ("pathway", "stage", "form", "axis", "sex", "age_band")
        ),
        *(TableSpec("children", "country", "year", (by,)) for by in ("pathway", "stage")),
        *_tables("effort", _WIDE, ("year",)),
        *_tables("services", _WIDE, ("year",), "axis", "duty_bearer"),
        *_tables("communities", _WIDE, ("year",)),
    ),
}
