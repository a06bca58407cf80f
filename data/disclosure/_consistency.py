"""Making independently drawn counts add up: weighted least squares, then whole numbers from the top down.

The least squares estimate under all sums (Hay and others, 2010, "Boosting the accuracy of differentially
private histograms through consistency") uses what a total says of its parts and they of it. Rounding goes
from large areas and long periods to small ones, each block a table whose margins stand already (after the
top-down algorithm of the 2020 census of the United States). It reads drawn values alone, so it spends no
privacy. Flows between areas do not add up over areas, since some children have no known origin, and
encounters do not, because of the cap: they are only kept from falling below zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsmr

from data.disclosure.attacks.bounds.lattice import Lattice, Shape, Table
from data.disclosure.attacks.bounds.system import Ties
from data.tables.grid import Grid
from data.tables.periods import GRAINS, Grain
from data.tables.spec import CATEGORIES, LEVELS, Level, TableSpec
from data.workspace.types import Floats, Ints

__all__ = ["consistent", "fit"]

Place = tuple[Level, Grain]
T = TypeVar("T")
Numbers = TypeVar("Numbers", Ints, Floats)
Tables = dict[Place, Floats]
_ROUNDS, _SMALL = 30, 1e-6
_UNMEASURED = 1e4  # variance of a total that was not drawn, beside 1 for one that was


def consistent(values: Mapping[TableSpec, Ints], grid: Grid) -> dict[TableSpec, Ints]:
    """Give whole numbers from zero on, near the drawn ones, of which parts add up to their totals.

    Tables of shape (areas, periods, *categories).
    """
    estimate = _least_squares(values, grid)
    result = {spec: np.maximum(drawn, 0) for spec, drawn in values.items() if spec.measure == "encounters"}
    down = _Down(grid)
    children = {s: v for s, v in estimate.items() if s.measure == "children"}
    result |= down.broken_down(children)
    for measure in ("model", "flows"):
        apart = {s: v for s, v in estimate.items() if s.measure == measure}
        result |= down.in_columns(apart, nested=measure == "model")
    return {spec: result[spec] for spec in values}


def _least_squares(values: Mapping[TableSpec, Ints], grid: Grid) -> dict[TableSpec, Floats]:
    """Move all values as little as possible, in the least squares sense, so that every sum holds."""
    lattice = Lattice(dict(grid.areas["parent"]), dict(grid.areas["level"]))
    placed: dict[TableSpec, Table] = {}
    for spec in values:
        names = [grid.codes[spec.level] if c == "origin" else CATEGORIES[c] for c in spec.breakdown]
        shape = Shape(spec.measure, spec.level, spec.grain, spec.breakdown)
        periods = tuple(p.id for p in grid.periods(spec.grain))
        placed[spec] = lattice.place(Table.empty(shape, grid.codes[spec.level], periods, tuple(names)))
    ties = _equalities(lattice)
    drawn, spread = np.zeros(lattice.size), np.full(lattice.size, np.sqrt(_UNMEASURED))
    for spec, table in placed.items():
        here = slice(table.base, table.base + table.state.size)
        drawn[here], spread[here] = values[spec].ravel(), 1.0
    found = drawn - spread * _normal(ties, spread, drawn)
    return {s: found[t.base : t.base + t.state.size].reshape(t.state.shape) for s, t in placed.items()}


def _normal(ties: Ties, spread: Floats, drawn: Floats) -> Floats:
    """Give the part of drawn values, in units of their spread, that contradicts the ties."""
    count, size = len(ties.total), len(drawn)
    rows = np.concatenate([ties.tie, np.arange(count)])
    columns = np.concatenate([ties.part, ties.total])
    signs = np.concatenate([np.ones(len(ties.part)), -np.ones(count)])
    scaled = csr_array((signs * spread[columns], (rows, columns)), shape=(count, size))
    if not count:
        return np.zeros(size)
    weights = lsmr(scaled.T, drawn / spread, atol=1e-10, btol=1e-10, maxiter=5000)[0]
    return np.asarray(scaled.T @ weights)


def _equalities(lattice: Lattice) -> Ties:
    """List the sums between cells of tables, without those that only bound one another."""
    blocks = lattice.ties()
    stands = np.zeros(lattice.size, bool)
    for table in lattice.tables.values():
        stands[table.base : table.base + table.state.size] = True
    kept = []
    for total, parts in blocks:
        parts = parts.reshape(total.size, -1)  # noqa: PLW2901
        exact = stands[total.ravel()] & stands[parts].all(axis=1)
        kept.append((total.ravel()[exact], parts[exact]))
    return Ties.join(kept)


@dataclass(eq=False)
class _Down:
    """Rounds estimates from large areas and long periods to small ones."""

    grid: Grid
    _inside: dict[tuple[str, str], Ints] = field(default_factory=dict)

    @cached_property
    def _parts(self) -> dict[str, int]:
        return {grain: len(self.grid.periods(grain)) for grain in GRAINS}

    def _area_in(self, level: Level, outer: Level) -> Ints:
        """Give each area of a level the one of a wider level that holds it, or -1."""
        names = [self.grid.names[code] for code in self.grid.codes[level]]
        return self.grid.up[outer][names].astype(np.int64)

    def _period_in(self, grain: Grain, outer: Grain) -> Ints:
        """Give each period of a grain the one of a longer grain that holds it."""
        if (grain, outer) not in self._inside:
            starts = [max(p.start, self.grid.whole.start) for p in self.grid.periods(grain)]
            found = self.grid.period_of(np.array(starts, "datetime64[D]"), outer).astype(np.int64)
            self._inside[grain, outer] = found
        return self._inside[grain, outer]

    def in_columns(self, tables: Mapping[TableSpec, Floats], *, nested: bool) -> dict[TableSpec, Ints]:
        """Round tables of which each combination of categories adds up by itself."""
        result = {spec: np.zeros(v.shape, np.int64) for spec, v in tables.items()}
        for group in [list(tables)] if nested else [[s for s in tables if s.level == lv] for lv in LEVELS]:
            width = max((int(np.prod(tables[s].shape[2:])) for s in group), default=0)
            flat = {s: tables[s].reshape(*tables[s].shape[:2], -1) for s in group}
            for column in range(width):
                whole = self.totals({(s.level, s.grain): v[..., column] for s, v in flat.items()})
                for spec in group:
                    result[spec].reshape(flat[spec].shape)[..., column] = whole[spec.level, spec.grain]
        return result

    def broken_down(self, tables: Mapping[TableSpec, Floats]) -> dict[TableSpec, Ints]:
        """Round totals, then each breakdown so that its categories add up to them."""
        by: dict[tuple[str, ...], Tables] = {}
        for spec, values in tables.items():
            by.setdefault(spec.breakdown, {})[spec.level, spec.grain] = values
        totals = dict(by.pop((), {}))
        for parts in by.values():
            for place, values in self._filled(parts).items():
                totals.setdefault(place, values.sum(axis=-1))
        whole: dict[tuple[str, ...], dict[Place, Ints]] = {(): self.totals(totals)}
        for breakdown, parts in by.items():
            whole[breakdown] = self._categories(parts, whole[()])
        return {spec: whole[spec.breakdown][spec.level, spec.grain] for spec in tables}

    def _filled(self, tables: Tables) -> Tables:
        """Add the sums that stand between tables: of longer periods, and of finer ones in wider levels."""
        full = dict(tables)
        levels, grains = _levels(full), _grains(full)
        for inner, level in zip([None, *reversed(levels)], reversed(levels), strict=False):
            for grain in grains:
                if inner and (inner, grain) in full and (level, grain) not in full:
                    full[level, grain] = self._sum_areas(full[inner, grain], inner, level)
            finer: Grain | None = None
            for grain in reversed(grains):
                if finer and (level, grain) not in full:
                    full[level, grain] = self._sum_periods(full[level, finer], finer, grain)
                finer = grain if (level, grain) in full else finer
        return full

    def _sum_areas(self, values: Numbers, level: Level, outer: Level) -> Numbers:
        holder = self._area_in(level, outer)
        result = np.zeros((len(self.grid.codes[outer]), *values.shape[1:]), values.dtype)
        np.add.at(result, holder[holder >= 0], values[holder >= 0])
        return result

    def _sum_periods(self, values: Numbers, grain: Grain, outer: Grain) -> Numbers:
        result = np.zeros((self._parts[outer], len(values), *values.shape[2:]), values.dtype)
        np.add.at(result, self._period_in(grain, outer), values.swapaxes(0, 1))
        return result.swapaxes(0, 1)

    def totals(self, tables: Tables) -> dict[Place, Ints]:
        """Round totals, shape (areas, periods): sums over areas and over periods hold."""
        full = self._filled(tables)
        whole: dict[Place, Ints] = {}
        for level, outer in _pairs(_levels(full)):
            for grain, longer in _pairs([g for g in _grains(full) if (level, g) in full]):
                drawn, made = full[level, grain], np.zeros(full[level, grain].shape, np.int64)
                over = whole.get((level, longer)) if longer else None
                above = whole.get((outer, grain)) if outer else None
                for holder, areas in self._blocks(level, None if above is None else outer):
                    for span, periods in self._spans(grain, longer):
                        block = np.ix_(areas, periods)
                        rows = None if over is None else over[areas, span]
                        columns = None if above is None or holder < 0 else above[holder, periods]
                        made[block] = fit(drawn[block], rows, columns)
                whole[level, grain] = made
        return whole

    def _categories(self, tables: Tables, totals: Mapping[Place, Ints]) -> dict[Place, Ints]:
        """Round a breakdown, shape (areas, periods, categories).

        In the widest areas from long periods to short ones. Below, in the shortest periods, each with what
        rounding the one before left over, so that longer ones come out near their estimates too.
        """
        full = self._filled(tables)
        whole: dict[Place, Ints] = {}
        for level, outer in _pairs(_levels(full)):
            grains = [g for g in _grains(full) if (level, g) in full]
            if outer is None:
                self._split_periods(level, grains, full, totals, whole)
                continue
            finest = grains[-1]
            drawn, made = full[level, finest], np.zeros(full[level, finest].shape, np.int64)
            for holder, areas in self._blocks(level, outer):
                left = np.zeros((len(areas), drawn.shape[2]))
                for period in range(drawn.shape[1]):
                    wanted = drawn[areas, period] + left
                    rows = totals[level, finest][areas, period]
                    columns = None if holder < 0 else whole[outer, finest][holder, period]
                    made[areas, period] = fit(wanted, rows, columns)
                    left = wanted - made[areas, period]
            whole[level, finest] = made
            for grain in grains[:-1]:
                whole[level, grain] = self._sum_periods(made, finest, grain)
        return whole

    def _split_periods(
        self,
        level: Level,
        grains: Sequence[Grain],
        full: Tables,
        totals: Mapping[Place, Ints],
        whole: dict[Place, Ints],
    ) -> None:
        for grain, longer in _pairs(grains):
            drawn, made = full[level, grain], np.zeros(full[level, grain].shape, np.int64)
            for area in range(len(drawn)):
                for span, periods in self._spans(grain, longer):
                    rows = totals[level, grain][area, periods]
                    columns = whole[level, longer][area, span] if longer else None
                    made[area, periods] = fit(drawn[area, periods], rows, columns)
            whole[level, grain] = made

    def _blocks(self, level: Level, outer: Level | None) -> Iterator[tuple[int, Ints]]:
        """List areas by the area that holds them; each by itself where none does."""
        count = len(self.grid.codes[level])
        holder = np.full(count, -1) if outer is None else self._area_in(level, outer)
        for alone in np.flatnonzero(holder < 0):
            yield -1, np.array([alone])
        for number in np.unique(holder[holder >= 0]):
            yield int(number), np.flatnonzero(holder == number)

    def _spans(self, grain: Grain, longer: Grain | None) -> Iterator[tuple[int, Ints]]:
        """List periods by the longer one that holds them; each by itself where none does."""
        holder = np.arange(self._parts[grain]) if longer is None else self._period_in(grain, longer)
        for number in np.unique(holder):
            yield int(number), np.flatnonzero(holder == number)


def _levels(tables: Mapping[Place, Floats]) -> list[Level]:
    return [level for level in LEVELS if any(at == level for at, _ in tables)]


def _grains(tables: Mapping[Place, Floats]) -> list[Grain]:
    """List grains from the longest on."""
    return [grain for grain in reversed(GRAINS) if any(at == grain for _, at in tables)]


def _pairs(ordered: Sequence[T]) -> Iterator[tuple[T, T | None]]:
    """Give each entry with the one before it."""
    return zip(ordered, [None, *ordered], strict=False)


def fit(wanted: Floats, rows: Ints | None, columns: Ints | None) -> Ints:
    """Give whole numbers from zero on near a table; the sums of its rows, its columns or both are given."""
    if rows is None and columns is None:
        return np.maximum(np.rint(wanted), 0).astype(np.int64)
    if columns is None:
        return fit(wanted.T, None, rows).T
    target = _projected(wanted, rows, columns)
    whole = np.floor(target + 1e-9).astype(np.int64)
    for column in range(wanted.shape[1]):
        _add(whole[:, column], target[:, column], int(columns[column] - whole[:, column].sum()))
    if rows is not None:
        _exchange(whole, target, rows)
    return whole


def _projected(wanted: Floats, rows: Ints | None, columns: Ints) -> Floats:
    """Find the nearest table with the sums and nothing below zero (Dykstra's projections)."""
    table, past = wanted.astype(np.float64), np.zeros(wanted.shape)
    for _ in range(_ROUNDS):
        if rows is not None:
            table = table + (rows - table.sum(axis=1))[:, None] / table.shape[1]
        table = table + (columns - table.sum(axis=0)) / len(table)
        kept = np.maximum(table + past, 0)
        past = table + past - kept
        settled = np.abs(kept - table).max(initial=0) < _SMALL
        table = kept
        if settled:
            break
    return np.asarray(table)


def _add(whole: Ints, target: Floats, missing: int) -> None:
    """Bring a line of numbers to its sum, where it hurts least."""
    step = 1 if missing > 0 else -1
    for _ in range(abs(missing)):
        gain = (target - whole) * step
        whole[np.argmax(np.where((whole > 0) | (step > 0), gain, -np.inf))] += step


def _exchange(whole: Ints, target: Floats, rows: Ints) -> None:
    """Bring rows to their sums by moving ones within columns.

    A row with too much holds something, and a row with too little can take it in the same column.
    """
    over = whole.sum(axis=1) - rows
    while (over > 0).any():
        giving, taking = np.flatnonzero(over > 0), np.flatnonzero(over < 0)
        loss = np.where(whole[giving] > 0, (whole - target)[giving], -np.inf)
        gain = (target - whole)[taking]
        best = loss[:, None, :] + gain[None, :, :]
        row, other, column = np.unravel_index(int(best.argmax()), best.shape)
        whole[giving[row], column] -= 1
        whole[taking[other], column] += 1
        over[giving[row]] -= 1
        over[taking[other]] += 1
