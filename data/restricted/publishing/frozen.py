"""Frozen numbers: a published number is repeated until enough children behind it have changed.

A block is all numbers of one area and period that count the same children (`family_of`). Its noise is drawn
once. A later release repeats the numbers unless at least k different children behind the block have changed
since it was last published; then all changed cells are drawn again together (an unchanged cell has an unchanged
cell key, so that its number stays). If the changes would still look like those of one child, the block is
repeated once more. Until then late, moved and forgotten records do not change the numbers. The vault itself
forgets at once: in its blocks, the mark of a child that is no longer in the vault is replaced by a random one
(`Block.disown`), so that the rule still counts one child that left.

The whole time of an area is always the same block, although its last day changes: otherwise each release would draw it
again, with all corrections made in between. A cell that was withheld stays withheld as long as its block is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.restricted.counting.encounters import Members, Place, family_of
from data.restricted.publishing.published_table import CellMasks
from data.restricted.vault.blocks import CHILD_BITS, Block
from data.tables.grid import Grid
from data.tables.spec import TableSpec, Tier
from data.workspace.types import Bools, Ints, Words


def count_changed_children(before: Words, after: Words) -> int:
    """Count the different children that were added, removed or changed between two sorted lists of marks."""
    if len(before) == len(after) and (before == after).all():
        return 0
    return len(np.unique(np.setxor1d(before, after, assume_unique=True) >> CHILD_BITS))


@dataclass(frozen=True, eq=False)
class Frozen:
    """The noisy numbers of a release, with published numbers repeated, and the blocks behind them.

    numbers: by table, shape (areas, periods, *categories). changed: the blocks that the vault must store.
    """

    grid: Grid
    numbers: Mapping[TableSpec, Ints]
    blocks: Mapping[str, Block]
    changed: frozenset[str]

    def withheld(self, spec: TableSpec, tier: Tier) -> Bools:
        """Return a mask of the cells of a table that stay withheld since an earlier release."""
        shape = self.numbers[spec].shape
        flat = np.zeros((shape[0], shape[1], int(np.prod(shape[2:]))), bool)
        place = (family_of(spec), spec.level, spec.grain)
        for _, name, area, period in _list_blocks(place, self.grid):
            block = self.blocks.get(name)
            for entry in block.withheld.get(tier, ()) if block else ():
                table, _, cell = entry.partition("/")
                if table == _table_key(spec) and int(cell) < flat.shape[2]:
                    flat[area, period, int(cell)] = True
        return flat.reshape(shape)

    def note_withheld(self, cells: Mapping[Tier, CellMasks]) -> Frozen:
        """Return a copy whose blocks also list the cells that are now withheld, by tier and table."""
        blocks, changed = dict(self.blocks), set(self.changed)
        for tier, masks in cells.items():
            for spec, mask in masks.items():
                flat = mask.reshape(*mask.shape[:2], -1)
                for _, name, area, period in _list_blocks((family_of(spec), spec.level, spec.grain), self.grid):
                    entries = [f"{_table_key(spec)}/{cell}" for cell in np.flatnonzero(flat[area, period])]
                    listed = blocks[name].withheld.get(tier, []) if entries else []
                    if new := [entry for entry in entries if entry not in listed]:
                        withheld = {**blocks[name].withheld, tier: [*listed, *new]}
                        blocks[name] = replace(blocks[name], withheld=withheld)
                        changed.add(name)
        return replace(self, blocks=blocks, changed=frozenset(changed))

    def staged(self) -> dict[str, bytes]:
        """Return, as bytes, the blocks that are new, drawn again, or withhold more than before."""
        return {name: self.blocks[name].encode() for name in sorted(self.changed)}


def freeze(
    noisy: Mapping[TableSpec, Ints],
    members: Mapping[Place, Members],
    published: Mapping[str, bytes],
    grid: Grid,
    k: int,
    repeated: Collection[str] = (),
) -> Frozen:
    """Repeat published numbers behind which fewer than k children have changed, docs/disclosure.md eq. (17).

    `noisy` holds newly drawn values, shape (areas, periods, *categories); `published` the blocks of
    the vault; `repeated` names blocks that are repeated even if many children have changed.
    """
    numbers = {spec: values.copy() for spec, values in noisy.items()}
    blocks: dict[str, Block] = {}
    changed: set[str] = set()
    for place, behind in members.items():
        tables = {_table_key(s): v for s, v in numbers.items() if (family_of(s), s.level, s.grain) == place}
        for number, name, area, period in _list_blocks(place, grid):
            now = behind.marks_of(number)
            cells = {table: values[area, period, ...] for table, values in tables.items()}
            old = Block.decode(published[name]) if name in published else None
            if old is None or (name not in repeated and count_changed_children(old.marks, now) >= k):
                blocks[name] = Block(_to_lists(cells), now)
                changed.add(name)
                continue
            fresh = _repeat_values(cells, old.values)
            if fresh:  # tables that the plan did not hold before, or that have other categories
                old = replace(old, values={**old.values, **_to_lists({table: cells[table] for table in fresh})})
                changed.add(name)
            blocks[name] = old
    return Frozen(grid, numbers, blocks, frozenset(changed))


def _table_key(spec: TableSpec) -> str:
    """Return the name of a table within a block, without level and grain."""
    return "_".join((spec.measure, *spec.breakdown))


def block_name(family: str, area: str, period: str) -> str:
    """Return the name of the block of a family, an area and a period ("whole" for all of time)."""
    return f"{family}|{area}|{period}"


def _list_blocks(place: Place, grid: Grid) -> Iterator[tuple[int, str, int, int]]:
    """List the blocks of a level and grain: number, name, area, period."""
    family, level, grain = place
    names = ["whole"] if grain == "whole" else [p.id for p in grid.periods(grain)]
    for area, code in enumerate(grid.codes[level]):
        for period, name in enumerate(names):
            yield area * len(names) + period, block_name(family, code, name), area, period


def _repeat_values(cells: Mapping[str, Ints], values: Mapping[str, list[int]]) -> list[str]:
    """Copy the values of a block into `cells`; return the names of the tables that the block lacks."""
    fresh = []
    for name, array in cells.items():
        old = values.get(name)
        if old is not None and len(old) == array.size:
            array[...] = np.array(old, np.int64).reshape(array.shape)
        else:
            fresh.append(name)
    return fresh


def _to_lists(cells: Mapping[str, Ints]) -> dict[str, list[int]]:
    return {name: [int(v) for v in array.ravel()] for name, array in cells.items()}
