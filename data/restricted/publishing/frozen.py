"""Frozen numbers: what was published is repeated until enough children behind it have changed.

A block is all numbers of one area and period that count the same children (`family_of`). Its numbers are
drawn once; a later release repeats them unless the records behind the block changed by at least k different
children since it was last published, and then all that changed is drawn again together (unchanged cells have
unchanged cell keys and stay by themselves). Where what changed would still look like one child's, the block
is held: it is repeated once more. Late, moved and forgotten records wait until then. The vault itself forgets
at once, the marks in its blocks included: a mark of somebody who is in the vault no more is replaced by a
random one (`Block.disown`), so that the rule counts one child that went, as it would have counted the mark
itself.

"The whole" of an area is one block for ever, though its last day moves: otherwise each release would draw it
again, with whatever correction came in between. What was withheld in a block stays withheld as long as its
numbers are repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from data.restricted.counting.encounters import Members
from data.restricted.vault.blocks import CHILD_BITS, Block
from data.tables.grid import Grid
from data.tables.periods import Grain
from data.tables.spec import CATEGORIES, Level, TableSpec, Tier
from data.workspace.types import Ints, Words

__all__ = ["Frozen", "Place", "block_name", "changed_children", "family_of", "freeze"]

Place = tuple[str, Level, Grain]  # family, level, grain
Cell = dict[str, str]


def family_of(spec: TableSpec) -> str:
    """Name the family of a table: tables in which the same children count in the same cells.

    Each has its own count of changed children: many who were met again must not let the number of children
    follow the one who was met first.
    """
    return spec.measure if spec.measure in ("flows", "encounters") else "met"


def changed_children(before: Words, after: Words) -> int:
    """Count the different children that came, went or changed between two sorted lists of marks."""
    if len(before) == len(after) and (before == after).all():
        return 0
    return len(np.unique(np.setxor1d(before, after, assume_unique=True) >> CHILD_BITS))


@dataclass(eq=False)
class Frozen:
    """The numbers of a release as drawn, and the blocks behind them.

    changed: blocks that the vault must learn.
    """

    grid: Grid
    numbers: dict[TableSpec, Ints]
    blocks: dict[str, Block] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    def withheld(self, spec: TableSpec, tier: Tier) -> Iterator[tuple[int, ...]]:
        """List the cells of a table that stay withheld, as places in its array."""
        shape = self.numbers[spec].shape[2:]
        place = (family_of(spec), spec.level, spec.grain)
        for _, name, area, period in _blocks(place, self.grid):
            block = self.blocks.get(name)
            for entry in block.withheld.get(tier, ()) if block else ():
                table, _, cell = entry.partition("/")
                if table == _name(spec) and int(cell) < max(int(np.prod(shape)), 1):
                    inner = np.unravel_index(int(cell), shape) if shape else ()
                    yield (area, period, *(int(i) for i in inner))

    def withhold(self, spec: TableSpec, tier: Tier, cell: Mapping[str, str]) -> None:
        """Remember that a cell was withheld."""
        sizes, index = [], []
        for column in spec.breakdown:
            names = self.grid.codes[spec.level] if column == "origin" else CATEGORIES[column]
            sizes.append(len(names))
            index.append(names.index(cell[column]))
        flat = int(np.ravel_multi_index(tuple(index), tuple(sizes))) if sizes else 0
        period = "whole" if spec.grain == "whole" else cell["period"]
        block = block_name(family_of(spec), cell["area"], period)
        listed = self.blocks[block].withheld.setdefault(tier, [])
        entry = f"{_name(spec)}/{flat}"
        if entry not in listed:
            listed.append(entry)
            self.changed.add(block)

    def staged(self) -> dict[str, bytes]:
        """Pack the blocks that are new, drawn again, or hide more than before."""
        return {name: self.blocks[name].encode() for name in sorted(self.changed)}


def freeze(
    noisy: Mapping[TableSpec, Ints],
    members: Mapping[Place, Members],
    published: Mapping[str, bytes],
    grid: Grid,
    k: int,
    held: Collection[str] = (),
) -> Frozen:
    """Apply the rule.

    `noisy` holds freshly looked-up values, shape (areas, periods, *categories); `published` the blocks of
    the vault; `held` names those to repeat however many children have changed.
    """
    result = Frozen(grid, {spec: values.copy() for spec, values in noisy.items()})
    for place, behind in members.items():
        specs = {_name(s): s for s in result.numbers if (family_of(s), s.level, s.grain) == place}
        tables = {name: result.numbers[spec] for name, spec in specs.items()}
        for number, name, area, period in _blocks(place, grid):
            now = behind.of(number)
            cells = {table: values[area, period, ...] for table, values in tables.items()}
            old = Block.decode(published[name]) if name in published else None
            if old is None or (name not in held and changed_children(old.marks, now) >= k):
                result.blocks[name] = Block(_plain(cells), now)
                result.changed.add(name)
                continue
            fresh = _repeat(cells, old.values)
            result.blocks[name] = old
            if fresh:  # tables that the plan holds since, or that have other categories
                old.values = {**old.values, **_plain({table: cells[table] for table in fresh})}
                result.changed.add(name)
    return result


def _name(spec: TableSpec) -> str:
    return "_".join((spec.measure, *spec.breakdown))


def block_name(family: str, area: str, period: str) -> str:
    """Name the block of a family, an area and a period, "whole" for all of time."""
    return f"{family}|{area}|{period}"


def _blocks(place: Place, grid: Grid) -> Iterator[tuple[int, str, int, int]]:
    """List the blocks of a level and grain: number, name, area, period."""
    family, level, grain = place
    names = ["whole"] if grain == "whole" else [p.id for p in grid.periods(grain)]
    for area, code in enumerate(grid.codes[level]):
        for period, name in enumerate(names):
            yield area * len(names) + period, block_name(family, code, name), area, period


def _repeat(cells: Mapping[str, Ints], values: Mapping[str, list[int]]) -> list[str]:
    """Put the values of a block in place; list the tables of which it has none."""
    fresh = []
    for name, array in cells.items():
        old = values.get(name)
        if old is not None and len(old) == array.size:
            array[...] = np.array(old, np.int64).reshape(array.shape)
        else:
            fresh.append(name)
    return fresh


def _plain(cells: Mapping[str, Ints]) -> dict[str, list[int]]:
    return {name: [int(v) for v in array.ravel()] for name, array in cells.items()}
