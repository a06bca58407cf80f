"""The published tables of one tier as one system of unknown counts and their sums.

Areas nest in areas, periods in periods, categories in their total. Tables of children, flows and the model
add up. Encounters do not, because of the cap: a total is at least each part and at most the sum of all.
Unpublished totals are unknowns of the system too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.disclosure.channel import UNKNOWN, Knowledge
from data.tables.periods import GRAINS, Calendar, Grain, Period
from data.tables.spec import CATEGORIES, FAMILIES, Level, Measure, TableSpec
from data.tables.states import BELOW, STATES
from data.workspace.types import Ints

_NEXT_LEVEL: dict[Level, tuple[Level, ...]] = {
    "municipality": ("region", "country"),
    "region": ("country",),
    "country": (),
}
NOT_PUBLISHED = -1
_HIDDEN = [STATES.index(state) for state in BELOW]


@dataclass(frozen=True)
class Learned:
    """An interval of one count, both ends included, that an attacker knows from another source than a release."""

    shape: TableSpec
    area: str
    period: str
    categories: tuple[str, ...]
    low: int
    high: int


@dataclass(eq=False)
class Table:
    """Unknown counts of one table, numbered from `base`; arrays of shape (areas, periods, *categories).

    state: index into STATES as last published, -1 if never published. low, high: the interval from the cell's own
    number. since: the first release (0, 1, ...) with that interval, -1 for none. listed: the last release that
    contains the cell in any state. open_to: the value up to which all must stay possible if the cell is hidden.
    """

    shape: TableSpec
    areas: tuple[str, ...]
    periods: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    state: npt.NDArray[np.int8]
    low: Ints
    high: Ints
    since: Ints
    listed: Ints
    open_to: Ints
    base: int = 0

    @classmethod
    def empty(
        cls,
        shape: TableSpec,
        areas: tuple[str, ...],
        periods: tuple[str, ...],
        categories: tuple[tuple[str, ...], ...] = (),
    ) -> Table:
        """Return a table without any knowledge of its cells."""
        sizes = (len(areas), len(periods), *map(len, categories))
        return cls(
            shape,
            areas,
            periods,
            categories,
            np.full(sizes, NOT_PUBLISHED, np.int8),
            np.zeros(sizes, np.int64),
            np.full(sizes, UNKNOWN, np.int64),
            np.full(sizes, -1, np.int64),
            np.full(sizes, -1, np.int64),
            np.zeros(sizes, np.int64),
        )

    @property
    def ids(self) -> Ints:
        """The indices of the unknowns in the system, shape (areas, periods, *categories)."""
        return self.base + np.arange(self.state.size).reshape(self.state.shape)

    def name(self, offset: int) -> dict[str, str]:
        """Return area, period and categories of the cell at a flat index."""
        place = np.unravel_index(offset, self.state.shape)
        cell = {"area": self.areas[place[0]], "period": self.periods[place[1]]}
        for column, names, index in zip(self.shape.breakdown, self.categories, place[2:], strict=True):
            cell[column] = names[index]
        return cell


@dataclass(eq=False)
class Lattice:
    """All tables of one tier, and the sums that tie them.

    parents, levels: the parent and the level of each area. periods: those published, by grain. places: the areas that
    any release has, by level. tables: by shape. size: the number of unknowns.
    """

    parents: Mapping[str, str]
    levels: Mapping[str, str]
    periods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tables: dict[TableSpec, Table] = field(default_factory=dict)
    size: int = 0

    def observe(self, release: int, shape: TableSpec, rows: pa.Table, knowledge: Knowledge, frozen: bool) -> None:
        """Record a published table with the columns area, period, the columns of the breakdown, value and state.

        release: its number from 0. Call this in the order of the releases. If numbers are frozen, a changed number is
        final and may describe other records: the provisional interval no longer holds. If not, both numbers are draws
        for the same count, and the attacker intersects their intervals.

        A raised threshold hides numbers that everybody knows from an earlier release. Such a cell stays as it was.
        """
        table = self.tables.get(shape) or self.add_table(Table.empty(shape, *self._axes(shape, rows)))
        names = (table.areas, table.periods, *table.categories)
        columns = ("area", "period", *shape.breakdown)
        cells = tuple(_positions(rows[c], n) for c, n in zip(columns, names, strict=True))
        known_place = np.logical_and.reduce([place >= 0 for place in cells])
        if not known_place.all():  # an area that only an earlier release had
            rows, cells = rows.filter(pa.array(known_place)), tuple(place[known_place] for place in cells)
        state = _positions(rows["state"], STATES).astype(np.int8)
        value = pc.fill_null(rows["value"].cast(pa.int64()), -1).to_numpy()
        low, high = compute_first_interval(state, value, knowledge)
        speaks = high < UNKNOWN
        since, old_low, old_high = table.since[cells], table.low[cells], table.high[cells]
        if not frozen:
            both = np.maximum(low, old_low), np.minimum(high, old_high)
            agree = both[0] <= both[1]
            low, high = np.where(agree, both[0], low), np.where(agree, both[1], high)
        same = (since >= 0) & (low == old_low) & (high == old_high)
        hidden = np.isin(state, _HIDDEN)
        counted = np.isin(table.state[cells], [*_HIDDEN, STATES.index("number")]) & (since >= 0)
        known = frozen & hidden & counted & (low <= old_low) & (old_high <= high)
        speaks &= ~known
        table.state[cells], table.listed[cells] = np.where(known, table.state[cells], state), release
        table.open_to[cells] = np.where(known, table.open_to[cells], knowledge.open_to)
        table.since[cells] = np.where(speaks, np.where(same, since, release), since)
        table.low[cells] = np.where(speaks, low, old_low)
        table.high[cells] = np.where(speaks, high, old_high)

    def _axes(
        self, shape: TableSpec, rows: pa.Table
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, ...], ...]]:
        areas = self._in_order(rows["area"], shape.level)
        periods = self.periods.get(shape.grain) or tuple(sorted(rows["period"].unique().to_pylist()))
        origins = self._in_order(rows["origin"], shape.level) if "origin" in shape.breakdown else ()
        return areas, periods, tuple(origins if c == "origin" else CATEGORIES[c] for c in shape.breakdown)

    def _in_order(self, codes: pa.ChunkedArray, level: Level) -> tuple[str, ...]:
        present = self.places.get(level, frozenset()).union(codes.unique().to_pylist())
        return tuple(code for code in self.levels if code in present)

    def learn(self, fact: Learned) -> None:
        """Narrow the interval of a count, even of one that no release has.

        A fact is ignored if it contradicts a release, or if its area, period or category is not known.
        """
        shape = fact.shape
        table = self.tables.get(shape)
        if table is None:
            areas = tuple(code for code, level in self.levels.items() if level == shape.level)
            categories = tuple(CATEGORIES[column] for column in shape.breakdown)
            table = self.add_table(Table.empty(shape, areas, self._list_periods(shape.grain), categories))
        axes = (table.areas, table.periods, *table.categories)
        names = (fact.area, fact.period, *fact.categories)
        if any(name not in axis for axis, name in zip(axes, names, strict=True)):
            return
        cell = tuple(axis.index(name) for axis, name in zip(axes, names, strict=True))
        low, high = max(fact.low, int(table.low[cell])), min(fact.high, int(table.high[cell]))
        if low <= high:
            table.low[cell], table.high[cell] = low, high

    def _list_periods(self, grain: Grain) -> tuple[str, ...]:
        """Return all periods of a grain: those published, or else all in the time that the releases cover."""
        if grain in self.periods:
            return self.periods[grain]
        spans = [Period.parse(name) for names in self.periods.values() for name in names]
        first, last = min(span.start for span in spans), max(span.end for span in spans)
        return tuple(period.id for period in Calendar(first.month).between(first, last, grain))

    def add_table(self, table: Table) -> Table:
        """Add a table to the system, number its unknowns, and return it."""
        table.base = self.size
        self.size += table.state.size
        self.tables[table.shape] = table
        return table

    def _add_total(self, shape: TableSpec, like: Table) -> Table:
        """Return a table of totals; unknowns are added if it was not published."""
        if shape in self.tables:
            return self.tables[shape]
        return self.add_table(Table.empty(shape, like.areas, like.periods))

    def _add_unknowns(self, shape: tuple[int, ...]) -> Ints:
        """Add unknowns that can have any value from 0 upwards; return their indices, which have the given shape."""
        ids = self.size + np.arange(int(np.prod(shape))).reshape(shape)
        self.size += ids.size
        return ids

    def list_ties(self) -> list[tuple[Ints, Ints]]:
        """Return all sums in blocks of (totals, parts): the indices of t totals, and of their parts, (t, p).

        Adds unknowns as needed.
        """
        return [
            *self._tie_categories(),
            *self._tie_areas(),
            *self._tie_periods(),
            *self._tie_model(),
            *self._tie_encounters(),
            *self._tie_returns(),
            *self._tie_families(),
        ]

    def _tie_categories(self) -> Iterable[tuple[Ints, Ints]]:
        for shape, table in list(self.tables.items()):
            if shape.breakdown and shape.measure == "children":
                total = self._add_total(TableSpec(shape.measure, shape.level, shape.grain), table)
                if total.periods == table.periods:
                    yield total.ids, table.ids.reshape(total.ids.size, -1)

    def _find_coarser(self, table: Table, way: str) -> Table | None:
        """Find the next coarser table, with larger areas (`way` is "area") or longer periods; None if there is none."""
        shape = table.shape
        if way == "area":
            around = [TableSpec(shape.measure, w, shape.grain, shape.breakdown) for w in _NEXT_LEVEL[shape.level]]
        else:
            wider = GRAINS[GRAINS.index(shape.grain) + 1 :]
            around = [TableSpec(shape.measure, shape.level, g, shape.breakdown) for g in wider]
        return next((self.tables[s] for s in around if s in self.tables), None)

    def _tie_areas(self) -> Iterable[tuple[Ints, Ints]]:
        for table in list(self.tables.values()):
            outer = self._find_coarser(table, "area")
            if outer is None or outer.periods != table.periods:
                continue
            inside = self._list_inner_rows(table, outer)
            for row, area in enumerate(outer.areas):
                if area in inside:
                    yield from self._sum_areas(outer, row, table, inside[area])

    def _list_inner_rows(self, table: Table, outer: Table) -> dict[str, list[int]]:
        """List the rows of a table that lie in each area of a coarser table."""
        inside: dict[str, list[int]] = {}
        for row, code in enumerate(table.areas):
            holder = self.parents.get(code, "")
            while holder and self.levels.get(holder) != outer.shape.level:
                holder = self.parents.get(holder, "")
            inside.setdefault(holder, []).append(row)
        return inside

    def _sum_areas(self, outer: Table, row: int, inner: Table, rows: list[int]) -> Iterable[tuple[Ints, Ints]]:
        if inner.shape.measure == "flows":  # origins and destinations nest, and some children have no region of origin
            for column, code in enumerate(outer.areas):
                columns = self._list_inner_rows(inner, outer).get(code, [])
                parts = np.moveaxis(inner.ids[np.ix_(rows, range(inner.ids.shape[1]), columns)], 1, 0)
                total = outer.ids[row, :, column]
                rest = self._add_unknowns((len(total), 1))
                yield total, np.concatenate([parts.reshape(len(total), -1), rest], axis=1)
            return
        total = outer.ids[row]
        parts = np.moveaxis(inner.ids[rows], 0, -1).reshape(total.size, -1)
        yield from self._tie_sum(total.ravel(), parts, inner.shape.measure)

    def _tie_periods(self) -> Iterable[tuple[Ints, Ints]]:
        for table in list(self.tables.values()):
            outer = self._find_coarser(table, "period")
            if outer is None:
                continue
            spans = [Period.parse(p) for p in table.periods]
            for column, name in enumerate(outer.periods):
                whole = Period.parse(name)
                # A year may reach beyond the whole period, but holds no count there.
                columns = [i for i, p in enumerate(spans) if p.start <= whole.end and whole.start <= p.end]
                if columns:
                    total = outer.ids[:, column].ravel()
                    parts = np.moveaxis(table.ids[:, columns], 1, -1).reshape(total.size, -1)
                    since = np.moveaxis(table.since[:, columns], 1, -1).reshape(total.size, -1)
                    since = np.column_stack([since, outer.since[:, column].ravel()])
                    # Numbers that were drawn in different releases may describe different records. Those of the whole
                    # programme are of the records of its years, whenever they are published.
                    newest = since.max(axis=1)
                    together = (np.where(since < 0, newest[:, None], since) == newest[:, None]).all(axis=1)
                    together |= outer.shape.grain == "whole"
                    yield from self._tie_sum(total[together], parts[together], table.shape.measure)

    def _tie_sum(self, total: Ints, parts: Ints, measure: str) -> Iterable[tuple[Ints, Ints]]:
        if measure != "encounters":
            yield total, parts
            return
        # Capped counts: a total is at most the sum of its parts, and at least each of them.
        over, every = self._add_unknowns((len(total), 1)), self._add_unknowns((len(total),))
        yield every, parts
        yield every, np.concatenate([total[:, None], over], axis=1)
        for column in parts.T:
            yield total, np.stack([column, self._add_unknowns(column.shape)], axis=1)

    def _tie_model(self) -> Iterable[tuple[Ints, Ints]]:
        """Yield the ties of the model table, which counts children of a known pathway beyond the stage "at risk"."""
        for shape, model in list(self.tables.items()):
            if shape.measure != "model":
                continue
            pathway = self.tables.get(TableSpec("children", shape.level, shape.grain, ("pathway",)))
            if pathway is not None and pathway.periods == model.periods:
                known_pathways = np.split(pathway.ids[..., :3], [1], axis=-1)
                for crossing, those in enumerate(known_pathways):
                    yield from self._tie_at_most(those, model.ids[..., crossing, :])
            stage = self.tables.get(TableSpec("children", shape.level, shape.grain, ("stage",)))
            if stage is not None and stage.periods == model.periods:
                yield from self._tie_at_most(stage.ids[..., 1:], model.ids.reshape(*model.ids.shape[:2], -1))

    def _tie_returns(self) -> Iterable[tuple[Ints, Ints]]:
        """Yield the ties of returns: they are the children of a stage, and no more than the flow that they undo."""
        ways, returning = CATEGORIES["return_way"], CATEGORIES["stage"].index("returning")
        for shape, returns in list(self.tables.items()):
            if shape.measure != "returns":
                continue
            stage = self.tables.get(TableSpec("children", shape.level, shape.grain, ("stage",)))
            if stage is not None and stage.periods == returns.periods:
                yield stage.ids[..., returning].ravel(), returns.ids.reshape(-1, len(ways))
            flows = self.tables.get(TableSpec("flows", shape.level, shape.grain, ("origin",)))
            if flows is not None and flows.periods == returns.periods and {"AL", "GR"} <= set(flows.areas):
                albania, greece = map(flows.areas.index, ("AL", "GR"))
                for way, (area, origin) in (("gr_to_al", (greece, albania)), ("al_to_gr", (albania, greece))):
                    there_and_back = returns.ids[:, :, ways.index(way)].T
                    yield from self._tie_at_most(flows.ids[area, :, origin, None], there_and_back)

    def _tie_families(self) -> Iterable[tuple[Ints, Ints]]:
        """Yield the ties of families: no more than children with a household, who are no more than all children."""
        order: tuple[Measure, ...] = (*FAMILIES, "children")
        for shape, table in list(self.tables.items()):
            for inner, outer in pairwise(order):
                around = self.tables.get(TableSpec(outer, shape.level, shape.grain))
                if shape.measure == inner and around is not None and around.periods == table.periods:
                    yield from self._tie_at_most(around.ids[..., None], table.ids[..., None])

    def _tie_at_most(self, outer: Ints, inner: Ints) -> Iterable[tuple[Ints, Ints]]:
        """Yield ties by which the sum of `inner` over its last axis is at most that of `outer`."""
        width = outer.shape[-1]
        outer, inner = outer.reshape(-1, width), inner.reshape(-1, inner.shape[-1])
        both, rest = self._add_unknowns((len(outer),)), self._add_unknowns((len(outer), 1))
        yield both, outer
        yield both, np.concatenate([inner, rest], axis=1)

    def _tie_encounters(self) -> Iterable[tuple[Ints, Ints]]:
        """Yield ties of encounters to children: each child of a cell had at least one encounter there."""
        for shape, table in list(self.tables.items()):
            children = self.tables.get(TableSpec("children", shape.level, shape.grain))
            if shape.measure == "encounters" and children is not None and children.periods == table.periods:
                rest = self._add_unknowns(table.ids.shape)
                yield table.ids.ravel(), np.stack([children.ids.ravel(), rest.ravel()], axis=1)

    def first_intervals(self) -> tuple[Ints, Ints]:
        """Return low and high of each unknown from its own published number alone; shape (unknowns,) each."""
        return self._gather("low", 0), self._gather("high", UNKNOWN)

    def _gather(self, name: str, otherwise: int) -> Ints:
        values = np.full(self.size, otherwise, np.int64)
        for table in self.tables.values():
            values[table.base : table.base + table.state.size] = getattr(table, name).ravel()
        return values

    @cached_property
    def _bases(self) -> tuple[Ints, list[Table]]:
        ordered = sorted(self.tables.values(), key=lambda t: t.base)
        return np.array([t.base for t in ordered], np.int64), ordered

    def find(self, unknown: int) -> tuple[Table, int] | None:
        """Return the table of an unknown and its flat index there; None if it is in no table."""
        starts, ordered = self._bases
        table = ordered[int(np.searchsorted(starts, unknown, side="right")) - 1]
        offset = int(unknown - table.base)
        return (table, offset) if offset < table.state.size else None

    def locate(self, unknown: int) -> tuple[Table, int]:
        """Return the table of an unknown and its flat index there; raise KeyError if it is in no table."""
        place = self.find(unknown)
        if place is None:
            raise KeyError(unknown)
        return place


def _positions(column: pa.ChunkedArray, names: Sequence[str]) -> Ints:
    positions = pc.index_in(column, value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(positions, -1).to_numpy(), np.int64)


def compute_first_interval(
    state: npt.NDArray[np.int8], value: npt.NDArray[np.integer], knowledge: Knowledge
) -> tuple[Ints, Ints]:
    """Compute the interval of each cell from its own number or state: low and high, with the shape of `state`.

    high is UNKNOWN if there is no bound.

    A published number above zero shows that the true count is not zero. This is ignored on purpose: true zeros stay
    zero by design, and the protection interval does not need the zero.
    """
    low, high = np.zeros(len(state), np.int64), np.full(len(state), UNKNOWN, np.int64)
    near, hidden = value >= 0, np.isin(state, _HIDDEN)
    low[near] = np.maximum(value - knowledge.largest, 0)[near]
    high[near] = (value + knowledge.largest)[near]
    low[hidden], high[hidden] = knowledge.hidden_from, knowledge.hidden_to
    high[state == STATES.index("structural_zero")] = 0
    return low, high
