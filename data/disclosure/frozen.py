"""Frozen numbers: what was published is repeated until enough children behind it have changed.

A block is all numbers of one area and period. Its number is drawn once; a later release repeats it unless
the records behind the block changed by at least k different children since it was last published, and then
all that changed is drawn again together (unchanged cells have unchanged cell keys and stay by themselves).
Late, moved and forgotten records wait until then. "The whole" of an area is one block for ever, though its
last day moves: otherwise each release would draw it again, with whatever correction came in between.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.aggregate import Members
from data.disclosure.grid import Grid
from data.disclosure.plan import Level, TableSpec
from data.errors import ReleaseError
from data.periods import Grain

__all__ = ["Block", "changed_children", "family_of", "freeze"]

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Place = tuple[str, Level, Grain]  # family, level, grain
_FORMAT = 1
_HEAD = struct.Struct("<BI")
_CHILD = np.uint64(24)  # bits of a mark below the child's


def family_of(spec: TableSpec) -> str:
    """Name the family of a table: "flows" stand by destination, all others by where the child was met."""
    return "flows" if spec.measure == "flows" else "met"


@dataclass(frozen=True, eq=False)
class Block:
    """What was last published of one area and period: values by table, and who stood behind them."""

    values: Mapping[str, list[int]]
    marks: Words

    def encode(self) -> bytes:
        """Pack it: eight bytes a child, and the values."""
        head = json.dumps(self.values, separators=(",", ":")).encode()
        return _HEAD.pack(_FORMAT, len(head)) + head + self.marks.astype("<u8").tobytes()

    @classmethod
    def decode(cls, blob: bytes) -> Block:
        """Unpack it; raise ReleaseError when it was packed by another version."""
        version, length = _HEAD.unpack_from(blob)
        if version != _FORMAT:
            msg = f"The vault's record of published numbers has format {version}; this version reads {_FORMAT}."
            raise ReleaseError(msg)
        end = _HEAD.size + length
        marks = np.frombuffer(blob, "<u8", offset=end).astype(np.uint64)
        return cls(json.loads(blob[_HEAD.size : end]), marks)


def changed_children(before: Words, after: Words) -> int:
    """Count the different children that came, went or changed between two sorted lists of marks."""
    if len(before) == len(after) and (before == after).all():
        return 0
    return len(np.unique(np.setxor1d(before, after, assume_unique=True) >> _CHILD))


def freeze(
    noisy: Mapping[TableSpec, Ints],
    members: Mapping[Place, Members],
    published: Mapping[str, bytes],
    grid: Grid,
    k: int,
) -> tuple[dict[TableSpec, Ints], dict[str, bytes]]:
    """Apply the rule.

    `noisy` holds freshly looked-up values, shape (areas, periods, *categories); `published` the vault's
    blocks. Gives the values to publish and the blocks that are new or drawn again.
    """
    result = {spec: values.copy() for spec, values in noisy.items()}
    staged: dict[str, bytes] = {}
    for place, behind in members.items():
        tables = {_name(s): v for s, v in result.items() if (family_of(s), s.level, s.grain) == place}
        for number, block, area, period in _blocks(place, grid):
            now = behind.of(number)
            cells = {name: values[area, period, ...] for name, values in tables.items()}
            old = Block.decode(published[block]) if block in published else None
            if old is not None and changed_children(old.marks, now) < k:
                _repeat(cells, old.values)
                if set(old.values) != set(cells):
                    staged[block] = _pack({**old.values, **_plain(cells)}, old.marks)
            else:
                staged[block] = _pack(_plain(cells), now)
    return result, staged


def _name(spec: TableSpec) -> str:
    return "_".join((spec.measure, *spec.breakdown))


def _blocks(place: Place, grid: Grid) -> Iterator[tuple[int, str, int, int]]:
    """List the blocks of a level and grain: number, name, area, period."""
    family, level, grain = place
    names = ["whole"] if grain == "whole" else [p.id for p in grid.periods(grain)]
    for area, code in enumerate(grid.codes[level]):
        for period, name in enumerate(names):
            yield area * len(names) + period, f"{family}|{code}|{name}", area, period


def _repeat(cells: Mapping[str, Ints], values: Mapping[str, list[int]]) -> None:
    for name, array in cells.items():
        old = values.get(name)
        if old is not None and len(old) == array.size:
            array[...] = np.array(old, np.int64).reshape(array.shape)


def _plain(cells: Mapping[str, Ints]) -> dict[str, list[int]]:
    return {name: [int(v) for v in array.ravel()] for name, array in cells.items()}


def _pack(values: Mapping[str, list[int]], marks: Words) -> bytes:
    return Block(values, marks).encode()
