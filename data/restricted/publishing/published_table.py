"""Published tables: the state of each cell from noisy values, ranges, and withheld cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.capture import REASONS
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Knowledge
from data.disclosure.policy import Policy
from data.tables.grid import Grid
from data.tables.spec import CATEGORIES, TableSpec, Tier
from data.tables.states import STATES, State
from data.workspace.types import Bools, Floats, Ints

States = npt.NDArray[np.int8]

# Lower ends of the ranges; the last one is open. The lowest includes zero: "0 days" would show where nobody
# looks, "no service" where nobody works, and "no community" what nobody knows.
CLASSES: dict[str, tuple[int, ...]] = {
    "effort": (0, 50, 200, 500, 1000),
    "services": (0, 3, 6, 11, 21),
    "communities": (0, 100, 500, 2000, 10000),
}


def code(state: State) -> int:
    """Return the number that stands for a state in arrays: its index in STATES."""
    return STATES.index(state)


@dataclass(frozen=True, eq=False)
class ReleasedTable:
    """One table before it is written; all arrays have shape (areas, periods, *categories).

    Numbers are in the unit of the measure (data/tables/resource.py).

    value: NaN unless the state is "number". state: index in STATES. margin: how far a number may be from the truth;
    None if all numbers are exact. low, high: the ends of the range of a cell whose state is "class", NaN in other cells
    and for an upper end that is open; None for a table without ranges. reason: only in a table of dark figures, the
    index in REASONS of the reason why there is no interval, -1 if there is one.
    """

    spec: TableSpec
    grid: Grid
    value: Floats
    state: States
    margin: int | None = None
    low: Floats | None = None
    high: Floats | None = None
    reason: Ints | None = None

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """The areas, periods and categories along each axis of the arrays, by column, in the order of the axes."""
        spec, grid = self.spec, self.grid
        periods = tuple(p.id for p in grid.periods(spec.grain))
        named = {c: grid.codes[spec.level] if c == "origin" else CATEGORIES[c] for c in spec.columns}
        return {"area": grid.codes[spec.level], "period": periods, **named}

    def place(self, cell: Mapping[str, str]) -> tuple[int, ...]:
        """Return the index of a cell in the arrays. `cell` maps each column of `axes`, in their order, to a name."""
        return tuple(self.axes[column].index(name) for column, name in cell.items())

    def cells_of(self, areas: Collection[str]) -> Bools:
        """Return a mask of the cells of these areas, with the shape of the arrays."""
        inside = np.array([area in areas for area in self.axes["area"]], bool)
        return np.broadcast_to(inside.reshape(-1, *[1] * (self.value.ndim - 1)), self.value.shape)

    def without(self, cells: Bools) -> ReleasedTable:
        """Return a copy of the table with the cells of a mask withheld; `cells` has the shape of the arrays."""
        low, high = (None if ends is None else np.where(cells, np.nan, ends) for ends in (self.low, self.high))
        state = np.where(cells, np.int8(code("withheld")), self.state)
        return replace(self, value=np.where(cells, np.nan, self.value), state=state, low=low, high=high)

    def arrow(self) -> pa.Table:
        """Return the table as published, with one row for each cell.

        Its columns are those of `axes`, then value, state and margin, and, if the table has them, low, high and reason.
        """
        columns: dict[str, pa.Array] = {}
        for axis, (name, names) in enumerate(self.axes.items()):
            index = np.broadcast_to(
                np.arange(len(names), dtype=np.int32).reshape(-1, *[1] * (self.value.ndim - axis - 1)), self.value.shape
            )
            columns[name] = pa.array(names, pa.string()).take(pa.array(index.ravel()))
        number = pa.float64() if self.spec.measure == "effort" else pa.int64()
        columns["value"] = _numbers(self.value, number)
        columns["state"] = pa.array(STATES, pa.string()).take(pa.array(self.state.ravel()))
        is_number = self.state.ravel() == code("number")
        margin = np.where(is_number, np.nan if self.margin is None else float(self.margin), np.nan)
        columns["margin"] = _numbers(margin, number)
        if self.low is not None and self.high is not None:
            columns["low"], columns["high"] = _numbers(self.low, pa.int64()), _numbers(self.high, pa.int64())
        if self.reason is not None:
            why = np.array((*REASONS, ""), object)  # index -1 is the last one
            columns["reason"] = pa.array(why[self.reason.ravel()], pa.string())
        return pa.table(columns)

    def frame(self) -> pd.DataFrame:
        """Return the table as a reader of the release sees it: a DataFrame with the columns of `arrow`."""
        return pd.DataFrame(self.arrow().to_pandas(types_mapper=_TYPES.get))

    @property
    def withheld(self) -> int:
        """The number of cells withheld to protect others; 0 for a table that is not of counts."""
        return int((self.state == code("withheld")).sum()) if self.spec.counted else 0

    def shares(self) -> dict[str, float]:
        """Return the share of cells in each state that occurs, from 0 to 1, by state, for the manifest."""
        counts = np.bincount(self.state.ravel(), minlength=len(STATES))
        total = max(int(counts.sum()), 1)
        return {s: round(int(n) / total, 4) for s, n in zip(STATES, counts, strict=True) if n}


Tables = dict[TableSpec, ReleasedTable]
CellMasks = dict[TableSpec, Bools]  # cells of tables, each of the shape of its table's arrays
_TYPES: dict[pa.DataType, Any] = {pa.int64(): pd.Int64Dtype()}


def _numbers(values: Floats, kind: pa.DataType) -> pa.Array:
    return pa.array(values.ravel(), pa.float64(), from_pandas=True).cast(kind)


def tabulate_counts(
    spec: TableSpec,
    values: Ints,
    total: Ints,
    searched: Bools,
    grid: Grid,
    tier: Tier,
    policy: Policy,
    mechanism: CellKey,
) -> ReleasedTable:
    """Tabulate noisy counts with the state of each cell.

    values: noisy counts, (areas, periods, *categories). total: noisy numbers of children, and searched: whether effort
    is recorded, both (areas, periods).

    All states follow only from noisy values, effort and the policy. The partner tier shows "almost none" for a value
    below the threshold of its level, often 1; if no effort is recorded and the noisy total is below it too, "not
    searched", whether the true count is zero or not. Otherwise "almost none" would reveal a child. A cell of children
    who were reported is never "not searched". The public tier hides every value below k, including zero. Areas without
    a programme are structural zeros, except in flows: a child may have been taken to an area where nobody works.
    """
    draws = len(grid.periods("year")) if spec.grain == "whole" else 1
    noise = describe_noise(spec, tier, policy, mechanism, draws)
    state = np.full(values.shape, code("number"), np.int8)
    hidden = values < noise.threshold
    if tier == "partner":
        state[hidden] = code("almost_none")
        unsearched = (total < noise.threshold) & ~searched
        empty = hidden & unsearched.reshape(*unsearched.shape, *[1] * (values.ndim - 2))
        # Children are reported whether anybody searches or not.
        flags = np.ones(values.shape, bool)
        if "found" in spec.breakdown:
            reported = CATEGORIES["found"].index("reported")
            axis = 2 + spec.breakdown.index("found")
            flags[(slice(None),) * axis + (reported,)] = False
        state[empty & flags] = code("not_searched")
    else:
        state[hidden] = code("few")
    state[find_outside(spec, grid, policy.no_programme)] = code("structural_zero")
    value = np.where(state == code("number"), values.astype(np.float64), np.nan)
    return ReleasedTable(spec, grid, value, state, noise.largest)


def describe_noise(spec: TableSpec, tier: Tier, policy: Policy, mechanism: CellKey, years: int) -> Knowledge:
    """Return what a reader of a tier knows about a number of a table that is the sum of so many years.

    The whole programme of municipalities is the sum of what their years show; what a year hides is left out.
    """
    k = policy.threshold(tier, spec.level)
    below = k - 1 if tier == "partner" and spec.grain == "whole" else 0
    return mechanism.knowledge(policy.scale(spec.measure), k, years, below)


def find_outside(spec: TableSpec, grid: Grid, without: Collection[str]) -> Bools:
    """Return a mask, (areas,), of the areas that are, or lie in, one of the areas `without` a programme.

    Flows have none, because their areas are not those where a child was met.
    """
    codes = grid.codes[spec.level]
    parents = grid.areas["parent"]

    def is_outside(area: str) -> bool:
        while area and spec.measure != "flows":
            if area in without:
                return True
            area = str(parents.get(area, ""))
        return False

    return np.array([is_outside(c) for c in codes], bool)


def tabulate_exact(spec: TableSpec, values: Floats, grid: Grid, missing: State) -> ReleasedTable:
    """Tabulate exact numbers, (areas, periods, *categories); a zero gets the state `missing`, and NaN no_data."""
    state = np.full(values.shape, code("number"), np.int8)
    state[values == 0] = code(missing)
    state[np.isnan(values)] = code("no_data")
    return ReleasedTable(spec, grid, np.where(state == code("number"), values, np.nan), state)


def tabulate_intervals(spec: TableSpec, values: Ints, grid: Grid) -> ReleasedTable:
    """Tabulate the intervals of estimates; a cell without an interval has the state cannot_tell, and the reason.

    `values` has the form that estimate_dark_figures returns.
    """
    low, high, reason = np.moveaxis(values, -1, 0)
    known = reason < 0
    state = np.where(known, code("class"), code("cannot_tell")).astype(np.int8)
    nothing = np.full(low.shape, np.nan)
    low, high = (np.where(known, end.astype(np.float64), nothing) for end in (low, high))
    return ReleasedTable(spec, grid, nothing, state, None, low, high, reason)


def tabulate_sums(spec: TableSpec, values: Floats, grid: Grid, withheld: Bools, partial: Bools) -> ReleasedTable:
    """Tabulate exact sums of services; a partial sum has only its lower end, and NaN gets the state no_data.

    Cells of the mask `withheld` are withheld, and partial sums of 0. All arrays: (areas, periods, *categories).
    """
    state = np.full(values.shape, code("number"), np.int8)
    state[partial] = code("class")
    state[np.isnan(values)] = code("no_data")
    exact = np.where(state == code("number"), values, np.nan)
    low = np.where(state == code("class"), values, np.nan)
    table = ReleasedTable(spec, grid, exact, state, None, low, np.full(values.shape, np.nan))
    return _without_empty(table, withheld)


def tabulate_classes(
    spec: TableSpec, values: Floats, grid: Grid, withheld: Bools | None = None, partial: Bools | None = None
) -> ReleasedTable:
    """Tabulate only the range (CLASSES) of each number; a partial sum has only its lower end, and NaN gets no_data.

    Cells of the mask `withheld` are withheld, and those that would only show "at least 0". All arrays: (areas, periods,
    *categories).
    """
    table = tabulate_estimates(spec, values, values, grid)
    if partial is not None and table.high is not None:
        table = replace(table, high=np.where(partial, np.nan, table.high))
    return _without_empty(table, np.zeros(values.shape, bool) if withheld is None else withheld)


def _without_empty(table: ReleasedTable, withheld: Bools) -> ReleasedTable:
    """Return the table with the cells of a mask withheld, and those that would only show "at least 0"."""
    if table.low is None or table.high is None:
        return table
    empty = (table.state == code("class")) & (table.low == 0) & np.isnan(table.high)
    return table.without(withheld | empty)


def tabulate_estimates(spec: TableSpec, least: Floats, most: Floats, grid: Grid) -> ReleasedTable:
    """Tabulate ranges from the class (CLASSES) of the smallest to that of the largest of several estimates.

    `least` and `most` have shape (areas, periods, *categories); NaN means no data.
    """
    lower = np.array(CLASSES[spec.measure], np.float64)
    upper = np.append(lower[1:] - 1, np.nan)
    known = ~np.isnan(least)
    low, high = np.full(least.shape, np.nan), np.full(least.shape, np.nan)
    low[known] = lower[np.searchsorted(lower, least[known], side="right") - 1]
    high[known] = upper[np.searchsorted(lower, most[known], side="right") - 1]
    state = np.where(known, code("class"), code("no_data")).astype(np.int8)
    return ReleasedTable(spec, grid, np.full(least.shape, np.nan), state, None, low, high)
