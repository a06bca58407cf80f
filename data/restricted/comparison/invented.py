"""An invented world counted in memory, as a release counts records. Behind the wall, as data.aggregate.

Nothing is stored and no vault is opened: identifiers are hashed with the world's own key as intake does it,
so that a world gives the same numbers here as when it is imported and released.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.policy import Policy
from data.restricted.comparison.trial import Counted
from data.restricted.counting import encounters as aggregate
from data.restricted.intake.identity import child_names
from data.restricted.keys import IdentifierHasher
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import Plan, TableSpec

__all__ = ["count_world"]

_ANY_DAY = date(2000, 1, 1)


def count_world(
    encounters: pd.DataFrame,
    hasher: IdentifierHasher,
    areas: pd.DataFrame,
    plan: Plan,
    policy: Policy,
    first_month: int = 6,
) -> Counted:
    """Count every table of children and encounters of a plan.

    `encounters` has a partner file's columns with identifiers in plain (risk.simulate.World.records),
    `areas` is data.reference.area_table. Of the policy, cap and key range alone matter.
    """
    calendar = Calendar(first_month)
    nowhere = Grid(areas, calendar, _ANY_DAY, _ANY_DAY)
    records = aggregate.load_encounters([_batch(encounters, hasher)], nowhere.names)
    days = records["day"].astype("datetime64[D]")
    grid = Grid(areas, calendar, days.min().astype(object), days.max().astype(object))
    placed = aggregate.read_encounters(records, grid, hasher.record_keys)
    cells = {s: aggregate.count(placed, s, policy.cap, policy.key_range) for s in _specs(plan)}
    return Counted(grid, plan, {s: c.counts for s, c in cells.items()}, {s: c.keys for s, c in cells.items()})


def _specs(plan: Plan) -> list[TableSpec]:
    """List the counted tables of all tiers once, those of one level and grain together."""
    specs = {spec for tier in plan for spec in plan[tier] if spec.counted}
    return sorted(specs, key=lambda s: (s.level, s.grain, s.measure, s.breakdown))


def _batch(encounters: pd.DataFrame, hasher: IdentifierHasher) -> pa.RecordBatch:
    """Give the columns that are counted, with hashes for identifiers."""
    text = {str(name): column.astype("str").to_numpy() for name, column in encounters.items()}
    parts = zip(text["partner"], text["child_id"], text["programme_number"], strict=True)
    child = np.array(hasher.hash(child_names(*names)[-1] for names in parts), dtype=object)
    text["child"] = child
    text["programme_child"] = np.where(text["programme_number"] != "", child, "")
    return pa.RecordBatch.from_pydict(
        {name: pa.array(text[name].tolist(), pa.string()) for name in aggregate.COLUMNS}
    )
