"""The published tables of one tier as one system of unknown counts: what nests in what, and what adds up.

Areas nest in areas, periods in periods, categories in their total. Tables of children, flows and the model
add up; encounters do not, because of the cap, but a whole is at least each part and at most their sum.
Totals that are not published stand in the system all the same, as unknowns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.disclosure.attacks.bounds.staleness import Times
from data.disclosure.channel import UNKNOWN, Knowledge
from data.tables.periods import GRAINS, Grain, Period
from data.tables.spec import CATEGORIES, Level
from data.tables.states import STATES
from data.workspace.types import Ints

__all__ = ["Lattice", "Shape", "Table"]

_NEXT_LEVEL: dict[Level, tuple[Level, ...]] = {
    "municipality": ("region", "country"),
    "region": ("country",),
    "country": (),
}
NOT_PUBLISHED = -1


@dataclass(frozen=True)
class Shape:
    """What a table is about."""

    measure: str
    level: Level
    grain: Grain
    breakdown: tuple[str, ...] = ()


@dataclass(eq=False)
class Table:
    """Unknowns of one table, numbered from `base`; arrays of shape (areas, periods, *categories).

    state: index into STATES as last published, -1 where nothing was. low, high: what the cell's own
    numbers say. since: the release (0, 1, ...) from which on they say it, -1 for never; spoken: the last
    release that said it; listed: the last release that held the cell in any state.
    """

    shape: Shape
    areas: tuple[str, ...]
    periods: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    state: npt.NDArray[np.int8]
    low: Ints
    high: Ints
    since: Ints
    spoken: Ints
    listed: Ints
    base: int = 0

    @classmethod
    def empty(
        cls,
        shape: Shape,
        areas: tuple[str, ...],
        periods: tuple[str, ...],
        categories: tuple[tuple[str, ...], ...] = (),
    ) -> Table:
        """Make a table of which nothing is known."""
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
            np.full(sizes, -1, np.int64),
        )

    @property
    def ids(self) -> Ints:
        """The numbers of the unknowns."""
        return self.base + np.arange(self.state.size).reshape(self.state.shape)

    def name(self, offset: int) -> dict[str, str]:
        """Say which cell an unknown is."""
        place = np.unravel_index(offset, self.state.shape)
        cell = {"area": self.areas[place[0]], "period": self.periods[place[1]]}
        for column, names, index in zip(self.shape.breakdown, self.categories, place[2:], strict=True):
            cell[column] = names[index]
        return cell


@dataclass(eq=False)
class Lattice:
    """All tables of one measure family and how they are tied."""

    parents: Mapping[str, str]
    levels: Mapping[str, str]
    periods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[Shape, Table] = field(default_factory=dict)
    size: int = 0
    _wholes: dict[Shape, int] = field(default_factory=dict)  # where the last release's whole stands

    def observe(self, release: int, shape: Shape, rows: pa.Table, known: Knowledge, frozen: bool) -> None:
        """Take a published table in: columns area, period, the breakdown's, value, state.

        Releases come in their order. With frozen numbers a number that changed says that the children
        behind it did, and the earlier one says nothing any more; without, the attacker takes both for
        draws of the same count and keeps what they have in common.
        """
        table = self.tables.get(shape) or self.place(Table.empty(shape, *self._axes(shape, rows)))
        names = (table.areas, table.periods, *table.categories)
        columns = ("area", "period", *shape.breakdown)
        at = tuple(_positions(rows[c], n) for c, n in zip(columns, names, strict=True))
        state = _positions(rows["state"], STATES).astype(np.int8)
        value = pc.fill_null(rows["value"].cast(pa.int64()), -1).to_numpy()
        low, high = first_interval(state, value, known)
        speaks = high < UNKNOWN
        then = self._as_before(table, at)
        was, said = table.since[then], (table.low[then], table.high[then])
        if not frozen:
            both = np.maximum(low, said[0]), np.minimum(high, said[1])
            agree = both[0] <= both[1]
            low, high = np.where(agree, both[0], low), np.where(agree, both[1], high)
        same = (was >= 0) & (low == said[0]) & (high == said[1])
        table.state[at], table.listed[at] = state, release
        table.since[at] = np.where(speaks, np.where(same, was, release), table.since[at])
        table.spoken[at] = np.where(speaks, release, table.spoken[at])
        table.low[at], table.high[at] = (
            np.where(speaks, new, old[at]) for new, old in ((low, table.low), (high, table.high))
        )

    def _as_before(self, table: Table, at: tuple[Ints, ...]) -> tuple[Ints, ...]:
        """Give the cells that spoke for these before: their own, but of the whole the last one's."""
        if table.shape.grain != "whole":
            return at
        now = int(at[1][0])
        column = self._wholes.get(table.shape, now)
        self._wholes[table.shape] = now
        return (at[0], np.full(len(at[0]), column), *at[2:])

    def _axes(
        self, shape: Shape, rows: pa.Table
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, ...], ...]]:
        areas = self._in_order(rows["area"])
        periods = self.periods.get(shape.grain) or tuple(sorted(rows["period"].unique().to_pylist()))
        origins = self._in_order(rows["origin"]) if "origin" in shape.breakdown else ()
        return areas, periods, tuple(origins if c == "origin" else CATEGORIES[c] for c in shape.breakdown)

    def _in_order(self, codes: pa.ChunkedArray) -> tuple[str, ...]:
        present = set(codes.unique().to_pylist())
        return tuple(code for code in self.levels if code in present)

    def place(self, table: Table) -> Table:
        """Give the unknowns of a table their numbers."""
        table.base = self.size
        self.size += table.state.size
        self.tables[table.shape] = table
        return table

    def _latent(self, shape: Shape, like: Table) -> Table:
        """Make a table that nobody published."""
        if shape in self.tables:
            return self.tables[shape]
        return self.place(Table.empty(shape, like.areas, like.periods))

    def _unknowns(self, shape: tuple[int, ...]) -> Ints:
        """Make new unknowns that may be anything from 0, and give their numbers."""
        ids = self.size + np.arange(int(np.prod(shape))).reshape(shape)
        self.size += ids.size
        return ids

    def ties(self) -> list[tuple[Ints, Ints]]:
        """List all sums as (totals, parts); makes the unknowns that are needed on the way."""
        return [
            *self._over_categories(),
            *self._over_areas(),
            *self._over_periods(),
            *self._of_model(),
            *self._of_encounters(),
        ]

    def _over_categories(self) -> Iterable[tuple[Ints, Ints]]:
        for shape, table in list(self.tables.items()):
            if shape.breakdown and shape.measure == "children":
                total = self._latent(Shape(shape.measure, shape.level, shape.grain), table)
                if total.periods == table.periods:
                    yield total.ids, table.ids.reshape(total.ids.size, -1)

    def _coarser(self, table: Table, way: str) -> Table | None:
        """Find the next published table that holds this one, over areas or over periods."""
        shape = table.shape
        if way == "area":
            around = [Shape(shape.measure, w, shape.grain, shape.breakdown) for w in _NEXT_LEVEL[shape.level]]
        else:
            wider = GRAINS[GRAINS.index(shape.grain) + 1 :]
            around = [Shape(shape.measure, shape.level, g, shape.breakdown) for g in wider]
        return next((self.tables[s] for s in around if s in self.tables), None)

    def _over_areas(self) -> Iterable[tuple[Ints, Ints]]:
        for table in list(self.tables.values()):
            outer = self._coarser(table, "area")
            if outer is None or outer.periods != table.periods:
                continue
            inside = self._children(table, outer)
            for row, area in enumerate(outer.areas):
                if area in inside:
                    yield from self._sum_areas(outer, row, table, inside[area])

    def _children(self, table: Table, outer: Table) -> dict[str, list[int]]:
        """List the rows of a table that lie in each area of a coarser one."""
        inside: dict[str, list[int]] = {}
        for row, code in enumerate(table.areas):
            holder = self.parents.get(code, "")
            while holder and self.levels.get(holder) != outer.shape.level:
                holder = self.parents.get(holder, "")
            inside.setdefault(holder, []).append(row)
        return inside

    def _sum_areas(
        self, outer: Table, row: int, inner: Table, rows: list[int]
    ) -> Iterable[tuple[Ints, Ints]]:
        if inner.shape.measure == "flows":  # both ends nest, and some children have no region of origin
            for column, code in enumerate(outer.areas):
                columns = self._children(inner, outer).get(code, [])
                parts = np.moveaxis(inner.ids[np.ix_(rows, range(inner.ids.shape[1]), columns)], 1, 0)
                total = outer.ids[row, :, column]
                rest = self._unknowns((len(total), 1))
                yield total, np.concatenate([parts.reshape(len(total), -1), rest], axis=1)
            return
        total = outer.ids[row]
        parts = np.moveaxis(inner.ids[rows], 0, -1).reshape(total.size, -1)
        yield from self._sum(total.ravel(), parts, inner.shape.measure)

    def _over_periods(self) -> Iterable[tuple[Ints, Ints]]:
        for table in list(self.tables.values()):
            outer = self._coarser(table, "period")
            if outer is None:
                continue
            spans = [Period.parse(p) for p in table.periods]
            for column, name in enumerate(outer.periods):
                whole = Period.parse(name)
                # A year may reach beyond the whole, but counts nothing there.
                columns = [i for i, p in enumerate(spans) if p.start <= whole.end and whole.start <= p.end]
                if columns:
                    total = outer.ids[:, column].ravel()
                    parts = np.moveaxis(table.ids[:, columns], 1, -1).reshape(total.size, -1)
                    yield from self._sum(total, parts, table.shape.measure)

    def _sum(self, total: Ints, parts: Ints, measure: str) -> Iterable[tuple[Ints, Ints]]:
        if measure != "encounters":
            yield total, parts
            return
        # Capped counts: the whole is at most the sum of its parts, and at least each of them.
        over, every = self._unknowns((len(total), 1)), self._unknowns((len(total),))
        yield every, parts
        yield every, np.concatenate([total[:, None], over], axis=1)
        for column in parts.T:
            yield total, np.stack([column, self._unknowns(column.shape)], axis=1)

    def _of_model(self) -> Iterable[tuple[Ints, Ints]]:
        """Tie the model table: children of a known pathway that are beyond being at risk."""
        for shape, model in list(self.tables.items()):
            if shape.measure != "model":
                continue
            pathway = self.tables.get(Shape("children", shape.level, shape.grain, ("pathway",)))
            if pathway is not None and pathway.periods == model.periods:
                known = np.split(pathway.ids[..., :3], [1], axis=-1)
                for crossing, those in enumerate(known):
                    yield from self._within(those, model.ids[..., crossing, :])
            stage = self.tables.get(Shape("children", shape.level, shape.grain, ("stage",)))
            if stage is not None and stage.periods == model.periods:
                yield from self._within(stage.ids[..., 1:], model.ids.reshape(*model.ids.shape[:2], -1))

    def _within(self, outer: Ints, inner: Ints) -> Iterable[tuple[Ints, Ints]]:
        """Tie two sums of which the second is at most the first; the last axis is added up."""
        width = outer.shape[-1]
        outer, inner = outer.reshape(-1, width), inner.reshape(-1, inner.shape[-1])
        both, rest = self._unknowns((len(outer),)), self._unknowns((len(outer), 1))
        yield both, outer
        yield both, np.concatenate([inner, rest], axis=1)

    def _of_encounters(self) -> Iterable[tuple[Ints, Ints]]:
        """Tie encounters to children: each child in a cell was met there at least once."""
        for shape, table in list(self.tables.items()):
            children = self.tables.get(Shape("children", shape.level, shape.grain))
            if shape.measure == "encounters" and children is not None and children.periods == table.periods:
                rest = self._unknowns(table.ids.shape)
                yield table.ids.ravel(), np.stack([children.ids.ravel(), rest.ravel()], axis=1)

    def intervals(self) -> tuple[Ints, Ints]:
        """Give the first interval of each unknown, from what was published of it alone."""
        return self._gather("low", 0), self._gather("high", UNKNOWN)

    def times(self, apart: Mapping[str, int]) -> Times:
        """Give when each unknown's number is from; `apart` by measure, see Times.unit."""
        unit = np.zeros(self.size, np.int64)
        for table in self.tables.values():
            of_table = np.where(table.high >= UNKNOWN, UNKNOWN, apart.get(table.shape.measure, 0))
            unit[table.base : table.base + table.state.size] = of_table.ravel()
        return Times(self._gather("since", -1), self._gather("spoken", -1), unit)

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
        """Find the table of an unknown and its place there; None for one that stands in no table."""
        starts, ordered = self._bases
        table = ordered[int(np.searchsorted(starts, unknown, side="right")) - 1]
        offset = int(unknown - table.base)
        return (table, offset) if offset < table.state.size else None

    def cell(self, unknown: int) -> tuple[Table, int]:
        """Find the table of an unknown that stands in one."""
        found = self.find(unknown)
        if found is None:
            raise KeyError(unknown)
        return found


def _positions(column: pa.ChunkedArray, names: Sequence[str]) -> Ints:
    found = pc.index_in(column, value_set=pa.array(names, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)


def first_interval(
    state: npt.NDArray[np.int8], value: npt.NDArray[np.integer], known: Knowledge
) -> tuple[Ints, Ints]:
    """Give what a cell's own number or state says; high is UNKNOWN where it says nothing.

    That a shown number above zero is no true zero is left out on purpose: the mechanism gives that away by
    design (true zeros stay zero), and the protection interval of disclosure control does not count it.
    """
    low, high = np.zeros(len(state), np.int64), np.full(len(state), UNKNOWN, np.int64)
    near = (value >= 0) | np.isin(state, [STATES.index("almost_none"), STATES.index("not_searched")])
    number = np.maximum(value, 0)
    low[near] = np.maximum(number - known.largest, 0)[near]
    high[near] = (number + known.largest)[near]
    few = state == STATES.index("few")
    low[few], high[few] = known.hidden_from, known.hidden_to
    high[state == STATES.index("structural_zero")] = 0
    return low, high
