"""Reconciled numbers: whole numbers that add up exactly, as near as possible to the published ones.

Each published count has its own noise, so parts do not add up to their total. This module computes whole numbers that
add up: areas to the area that contains them, quarters to years, years to the whole time, categories to their total.
Among all such numbers they have the smallest weighted squared distance from the published ones (docs/disclosure.md,
Numbers that add up): the optimal combination of Hyndman et al. (2011), over whole numbers from zero as in controlled
rounding (Cox 1987) and the Census TopDown algorithm (Abowd et al. 2022). Reconciled numbers depend only on published
tables, so they reveal nothing more.

- Each year is reconciled by itself, so that a later year changes nothing. The whole time is the sum of its years if all
  of them are shown; other numbers of the whole time are fitted to it.
- Totals come first. The sum of the categories of a breakdown is a second estimate of the total, with its own variance,
  because each breakdown has its own noise.
- The sums of areas and the sums of periods are two families of nested sets, so their matrix is totally unimodular: the
  linear program whose cost increases from one whole number to the next has a whole solution, the exact optimum.
  Categories within fixed totals are a third family. With them, the program may leave some cells between two whole
  numbers. These are rounded, and then single children change their category as long as this reduces the distance.

Encounters do not add up, because of the cap, and the risk model reads the table `model` with its noise; neither is
reconciled. A flow between countries is at least the sum of those between their regions, because some children have no
known region of origin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.disclosure.cell_key import CellKey
from data.errors import ReleaseError
from data.message import Message
from data.tables.periods import Period
from data.tables.shown import count_draws
from data.tables.spec import CATEGORIES, Level, TableSpec
from data.tables.states import ZEROS
from data.workspace.types import Bools, Floats, Ints

if TYPE_CHECKING:
    from scipy import sparse

RECONCILED = ("children", "flows")
# The states whose reconciled number is shown: a number, or a published zero.
SHOWN = ("number", *ZEROS)
_SETTLED, _LOWEST = 1e6, 1e4  # costs of each child: away from a settled number, below the least possible number
_REACH = 6  # farther from the published number, the cost of one more child no longer grows
_TIE_BREAK, _GOLDEN = 1e-4, (5**0.5 - 1) / 2  # so that one solution is the best, on every platform
_TOTAL, _REST = "", "/rest"

Threshold = Callable[[Level], int]


def _show_all(_level: Level) -> int:
    return 1


def reconcile(
    tables: Mapping[TableSpec, pa.Table], areas: pd.DataFrame, mechanism: CellKey, threshold: Threshold = _show_all
) -> dict[TableSpec, Ints]:
    """Return, for each table of children or flows, the reconciled number of each of its rows, (rows,).

    tables: the published tables of one tier. areas: code (index) and parent. threshold: returns the smallest number
    that the tier shows at a level. Rows that show no number get a number here too; `add_column` leaves it out. Raises
    ReleaseError if the numbers cannot be reconciled.
    """
    result: dict[TableSpec, Ints] = {}
    for measure in RECONCILED:
        specs = sorted((spec for spec in tables if spec.measure == measure), key=lambda spec: spec.name)
        if specs:
            rows = pd.concat(
                {s.name: _read_rows(s, tables[s], mechanism, threshold(s.level)) for s in specs}, names=["table"]
            )
            numbers = _System.from_rows(rows, areas).solve()
            table = numbers.index.get_level_values("table")
            result |= {spec: numbers[table == spec.name].to_numpy() for spec in specs}
    return result


def add_column(table: pa.Table, numbers: Ints, k: int | None = None) -> pa.Table:
    """Return a published table with the additional column `reconciled`.

    It is empty if a cell shows neither a number nor a zero, or if its reconciled number is below k.
    """
    shown = pc.is_in(table["state"], pa.array(SHOWN)).to_numpy() & (numbers >= (k or 0))
    return table.append_column("reconciled", pa.array(numbers, pa.int64(), mask=~shown))


def _read_rows(spec: TableSpec, table: pa.Table, mechanism: CellKey, k: int) -> pd.DataFrame:
    """Return a published table as a frame with a row for each of its rows.

    Columns: area (for flows "area/origin"), period, by (the breakdown, "" for none), category (its index), number,
    weight (1 / variance; 0 if nothing is known), low (the least possible number), shown (whether it shows a number).
    """
    area, by, category = table["area"], _TOTAL, np.zeros(len(table), np.int64)
    if spec.measure == "flows":
        area = pc.binary_join_element_wise(area, table["origin"], "/")
    elif spec.breakdown:
        by = spec.breakdown[0]
        category = pc.index_in(table[by], pa.array(CATEGORIES[by])).to_numpy()
    shown = pc.is_in(table["state"], pa.array(SHOWN)).to_numpy()
    number = pc.fill_null(table["value"].cast(pa.float64()), 0.0).to_numpy()
    noise = mechanism.table() @ np.arange(-mechanism.largest, mechanism.largest + 1) ** 2
    # A published zero has the noise of a one: there may be one child. A sum of several draws has the noise of each.
    draws = count_draws(table["margin"].to_numpy(), mechanism.largest)
    spread = draws * noise[np.clip(number, 1, len(noise) - 1).astype(np.int64)]
    # A number above zero is that of one child at least, because a true zero stays zero.
    low = np.where(number > 0, k, 0)
    # All numbers below k are equally likely. Of those of partners most are zero.
    few = pc.equal(table["state"], "few").to_numpy()
    hidden = (k * k - 1) / 12
    spread = np.where(few, hidden + draws * mechanism.variance, np.where(number > 0, spread, hidden + spread))
    number, weight = np.where(few, (k - 1) / 2, number), np.where(shown | few, 1 / spread, 0.0)
    columns = {"area": area.to_numpy(), "period": table["period"].to_numpy(), "by": by, "category": category}
    return pd.DataFrame({**columns, "number": number, "weight": weight, "low": low, "shown": shown})


@dataclass(frozen=True, eq=False)
class _Cells:
    """The published cells of a breakdown; arrays of shape (areas, periods, categories).

    number: as published. weight: 1 / variance, zero if nothing is known. low: the least possible number. hidden:
    whether the cell is published without a number. covered: whether the breakdown has the area, shape (areas,).
    """

    number: Floats
    weight: Floats
    low: Floats
    hidden: Bools
    covered: Bools

    def with_years(self, years: Sequence[tuple[Ints, _Cells]]) -> _Cells:
        """Return these cells of the whole time, combined with the reconciled numbers and the cells of all years.

        A cell is the sum of its years if all of them are shown. In any case it is at least the sum of those shown.
        """
        covered = np.all([cells.covered for _, cells in years], axis=0)
        hidden = [cells.hidden[:, -1:] for _, cells in years]
        settled = covered[:, None, None] & ~np.any(hidden, axis=0)
        total = np.sum([np.where(h, 0, numbers) for (numbers, _), h in zip(years, hidden, strict=True)], axis=0)
        return replace(
            self,
            number=np.where(settled, total, self.number),
            weight=np.where(settled, _SETTLED, self.weight),
            low=np.maximum(self.low, total),
            covered=self.covered | covered,
        )

    def with_breakdown(self, parts: _Cells) -> _Cells:
        """Return totals combined with the sums of the categories of a breakdown, weighted by inverse variance."""
        with np.errstate(divide="ignore"):
            weight = 1 / (1 / parts.weight).sum(axis=2, keepdims=True)
        number = parts.number.sum(axis=2, keepdims=True)
        both = self.weight + weight
        mean = (self.weight * self.number + weight * number) / np.where(both > 0, both, 1.0)
        low = np.maximum(self.low, parts.low.sum(axis=2, keepdims=True))
        return replace(self, number=mean, weight=both, low=low, covered=self.covered | parts.covered)


@dataclass(frozen=True, eq=False)
class _System:
    """All published cells of one measure; `areas` are its areas, or, for flows, pairs of areas.

    rows: see `_read_rows`. containers: the area around each area. numbers: the result, for each row. years: for each
    breakdown, numbers and cells of each reconciled year.
    """

    rows: pd.DataFrame
    areas: pd.Index
    containers: Mapping[str, str]
    numbers: pd.Series
    years: dict[str, list[tuple[Ints, _Cells]]] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, rows: pd.DataFrame, areas: pd.DataFrame) -> _System:
        """Return the system of all tables; a flow with parts gets an additional part for children of unknown origin."""
        present = sorted(rows["area"].unique())
        parents = {str(code): str(parent) for code, parent in areas["parent"].items()}
        pairs = {key: "/".join(parents[end] for end in key.split("/")) for key in present if "/" in key}
        rests = {outer + _REST: outer for outer in sorted(set(pairs.values()) & set(present))}
        numbers = pd.Series(0, rows.index, dtype="int64")
        return cls(rows, pd.Index([*present, *rests]), {**parents, **pairs, **rests}, numbers)

    def solve(self) -> pd.Series:
        """Reconcile one year after the other, then the whole time; return the number of each row."""
        periods = sorted(map(Period.parse, self.rows["period"].unique()))
        spans = [p for p in periods if p.grain != "whole"]
        for year in spans:
            if not any(p != year and p.contains(year) for p in spans):
                self._settle([*(p.id for p in spans if p != year and year.contains(p)), year.id])
        for whole in (p for p in periods if p.grain == "whole"):
            self._settle([whole.id], whole=True)
        return self.numbers

    def _settle(self, periods: Sequence[str], *, whole: bool = False) -> None:
        """Reconcile the given periods, of which the last is the sum of the others; totals first, then breakdowns.

        `whole`: the only period is the whole time, which is combined with the years that were reconciled before.
        """
        here = self.rows[self.rows["period"].isin(periods)]
        rows = {_TOTAL: here[:0], **{str(by): part for by, part in here.groupby("by")}}
        cells = {by: self._gather(by, part, periods) for by, part in rows.items()}
        if whole:
            cells |= {by: group.with_years(self.years[by]) for by, group in cells.items() if by in self.years}
        for by in sorted(set(cells) - {_TOTAL}):
            cells[_TOTAL] = cells[_TOTAL].with_breakdown(cells[by])
        total = None
        for by, group in cells.items():
            numbers = self._fit(group, total)
            total = numbers.sum(axis=2) if total is None else total
            self.numbers.loc[rows[by].index] = numbers[self._place(rows[by], periods)]
            if not whole:
                self.years.setdefault(by, []).append((numbers[:, -1:], group))

    def _place(self, rows: pd.DataFrame, periods: Sequence[str]) -> tuple[Ints, Ints, Ints]:
        area = self.areas.get_indexer(pd.Index(rows["area"]))
        period = pd.Index(periods).get_indexer(pd.Index(rows["period"]))
        return area, period, rows["category"].to_numpy()

    def _gather(self, by: str, rows: pd.DataFrame, periods: Sequence[str]) -> _Cells:
        """Return the published cells of a breakdown in the given periods."""
        shape = (len(self.areas), len(periods), len(CATEGORIES[by]) if by else 1)
        number, weight, low, hidden = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
        place = self._place(rows, periods)
        number[place], weight[place], low[place] = rows["number"], rows["weight"], rows["low"]
        hidden[place] = ~rows["shown"]
        covered = np.asarray(self.areas.isin(rows["area"].unique()) | self.areas.str.endswith(_REST))
        return _Cells(number, weight, low, hidden, covered)

    def _fit(self, cells: _Cells, total: Ints | None) -> Ints:
        """Return the nearest whole numbers that add up, (areas, periods, categories).

        With `total`, (areas, periods), the categories add up to it too.
        """
        areas = np.flatnonzero(cells.covered)
        _, periods, categories = cells.number.shape
        number, weight, low = (a[areas].reshape(-1, categories) for a in (cells.number, cells.weight, cells.low))
        sums, finest = _list_sums(self.areas[areas], self.containers, periods)
        lattice = _Lattice(number, weight, low, sums, finest)
        atoms = lattice.find_nearest(None if total is None else total[areas].ravel()[finest])
        result = np.zeros(cells.number.shape, np.int64)
        result[areas] = (sums @ atoms).reshape(len(areas), periods, categories)
        return result


def _list_sums(areas: pd.Index, containers: Mapping[str, str], periods: int) -> tuple[sparse.csr_array, Ints]:
    """Return the matrix of sums, (cells, finest cells), and the row of each finest cell, (finest cells,).

    The matrix has 1 where a finest cell is part of a cell. The last of the `periods` is the sum of the others.
    """
    from scipy import sparse

    place = {key: index for index, key in enumerate(areas)}
    chains = []  # each area with all areas around it
    for key in place:
        chain = [key]
        while around := containers.get(chain[-1], ""):
            chain.append(around)
        chains.append([place[c] for c in chain if c in place])
    outer = {index for chain in chains for index in chain[1:]}
    cells = [
        [area * periods + p for p in sorted({period, periods - 1}) for area in chain]
        for chain in chains
        if chain[0] not in outer
        for period in range(max(periods - 1, 1))
    ]
    row, column = np.concatenate(cells), np.repeat(np.arange(len(cells)), [len(around) for around in cells])
    shape = (len(place) * periods, len(cells))
    sums = sparse.csr_array((np.ones(len(row), np.int64), (row, column)), shape=shape)
    return sums, np.array([around[0] for around in cells])


@dataclass(frozen=True, eq=False)
class _Lattice:
    """Cells, arrays of shape (cells, categories), with the sums that tie them; see `_Cells` and `_list_sums`."""

    number: Floats
    weight: Floats
    low: Floats
    sums: sparse.csr_array
    finest: Ints

    def find_nearest(self, total: Ints | None) -> Ints:
        """Return the nearest whole numbers of the finest cells, (finest cells, categories).

        `total`: their sums over the categories, (finest cells,); None if these are not fixed.
        """
        if total is not None and not total.any():
            return np.zeros((len(total), self.number.shape[1]), np.int64)
        exact = np.round(self._solve_program(total), 6)
        if total is None:
            return np.rint(exact).astype(np.int64)
        atoms = np.floor(exact).astype(np.int64)
        rank = np.argsort(np.argsort(atoms - exact, axis=1, kind="stable"), axis=1, kind="stable")
        atoms += rank < (total - atoms.sum(axis=1))[:, None]
        while self._move_child(atoms):
            pass
        return atoms

    def _slopes(self, values: Ints, cell: Ints | slice = slice(None)) -> Floats:
        """Return the cost of one more child in each cell (a flat index) that has `values` children, (cells,)."""
        number, weight, low = (array.ravel()[cell] for array in (self.number, self.weight, self.low))
        return np.asarray(weight * (2 * values + 1 - 2 * number) - _LOWEST * (values < low))

    def _solve_program(self, total: Ints | None) -> Floats:
        """Solve the linear program: each cell is a sum of steps of one child, each of which costs more than the last.

        Returns numbers for the finest cells, (finest cells, categories). `total`: see `find_nearest`. Raises
        ReleaseError if there is no solution.
        """
        from scipy import sparse
        from scipy.optimize import linprog

        cells, categories = self.number.shape
        near = np.floor(self.number.ravel())
        limit = np.full(len(near), np.inf) if total is None else np.repeat(self.sums @ total, categories)
        start = np.clip(near - _REACH, 0, limit).astype(np.int64)
        end = np.maximum(near + 1 + _REACH, self.low.ravel()).astype(np.int64)
        # The first step of a cell leads to `start` at once; the last one begins at `end` and has no limit.
        count = end - start + 2
        cell = np.repeat(np.arange(self.number.size), count)
        step = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
        value = start[cell] + step - 1
        most = np.where(step == 0, start[cell], np.where(step == count[cell] - 1, np.inf, 1.0))
        itself = sparse.eye_array(cells, format="csr")
        finest, coarse = itself[self.finest], np.setdiff1d(np.arange(cells), self.finest)
        ties = sparse.kron((self.sums @ finest - itself)[coarse], sparse.eye_array(categories))
        right, useful = np.zeros(ties.shape[0]), (most > 0) & (value < limit[cell])
        if total is not None:
            ties = sparse.vstack([ties, sparse.kron(finest, np.ones((1, categories)))])
            right = np.concatenate([right, total])
        cell, value, most = cell[useful], value[useful], most[useful]
        cost = self._slopes(value, cell) + _TIE_BREAK * (cell * _GOLDEN % 1)
        steps = sparse.csr_array(
            (np.ones(len(cell)), (cell, np.arange(len(cell)))), shape=(self.number.size, len(cell))
        )
        bounds = np.column_stack([np.zeros(len(cell)), most])
        solved = linprog(cost, A_eq=ties.tocsr() @ steps, b_eq=right, bounds=bounds, method="highs-ds")
        if solved.status != 0:
            raise ReleaseError(
                Message("The published numbers could not be reconciled: {message}", message=solved.message)
            )
        return np.asarray(steps @ solved.x).reshape(cells, categories)[self.finest]

    def _move_child(self, atoms: Ints) -> bool:
        """Move one child to another category where this reduces the distance most; return False if nothing does."""
        shape, now = self.number.shape, (self.sums @ atoms).ravel()
        more = self.sums.T @ self._slopes(now).reshape(shape)
        less = np.where(atoms > 0, self.sums.T @ -self._slopes(now - 1).reshape(shape), np.inf)
        change = less[:, :, None] + more[:, None, :] + np.where(np.eye(shape[1], dtype=bool), np.inf, 0.0)
        atom, before, after = np.unravel_index(int(change.argmin()), change.shape)
        if change[atom, before, after] > -1e-6:
            return False
        atoms[atom, before] -= 1
        atoms[atom, after] += 1
        return True
