"""Counts that agree with published tables: fitted by iterative proportional fitting, then turned into whole numbers.

Each row of a table is the sum of some cells, known exactly or within limits. The fit scales the cells of each row to
this sum, table by table, until nothing changes (Deming and Stephan 1940, Annals of Mathematical Statistics 11,
427-444).
Where all rows are known exactly, the result is the one nearest to the start (smallest relative entropy) of all counts
that agree with the tables. If a row is only known within limits and its sum lies outside them, the cells are scaled to
the nearer limit. Fitted counts are rounded down, and cells drawn by their fractions get the missing children (Lovelace
and Ballas 2013, Computers, Environment and Urban Systems 41, 1-11). Then single children are moved between cells as
long as this brings the counts nearer to the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from data.workspace.types import Bools, Floats, Ints

_ROUNDS, _TOLERANCE = 1000, 1e-7  # rounds over all tables; the largest change (children) at which the fit ends


@dataclass(frozen=True, eq=False)
class Margin:
    """A table as sums of cells: its row r is the sum of the cells in `members[r]`, between low[r] and high[r].

    members : shape (rows, cells); a cell is in at most one row. low, high : children, shape (rows,).
    """

    name: str
    members: Bools
    low: Floats
    high: Floats


def fit_cells(start: Floats, margins: Sequence[Margin]) -> Floats:
    """Return the count of each cell, shape (cells,), fitted to the margins from the counts `start`.

    In the result the sums of the last margin keep their limits, except rows whose cells are all 0.
    """
    cells = start.astype(float)
    for _ in range(_ROUNDS):
        before = cells
        for margin in margins:
            sums = margin.members @ cells
            factor = np.clip(sums, margin.low, margin.high) / np.where(sums > 0, sums, 1.0)
            cells = cells * np.where(margin.members.any(axis=0), factor @ margin.members, 1.0)
        if np.abs(cells - before).max(initial=0.0) < _TOLERANCE:
            break
    return cells


def draw_whole(cells: Floats, margins: Sequence[Margin], blocks: Ints, rng: np.random.Generator) -> Ints:
    """Return whole counts near fitted ones, shape (cells,); the sum of each block is rounded to the nearest number.

    blocks : the block of each cell, shape (cells,). Children move only between cells of the same block.
    """
    counts = np.floor(cells + _TOLERANCE).astype(np.int64)
    for block in np.unique(blocks):
        here = np.flatnonzero(blocks == block)
        rest = np.clip(cells[here] - counts[here], 0.0, None)
        missing = int(np.rint(cells[here].sum())) - int(counts[here].sum())
        if missing > 0 and rest.sum() > 0:
            picks = rng.choice(len(here), missing, replace=False, p=rest / rest.sum())
            counts[here[picks]] += 1
    pairs = [pair for block in np.unique(blocks) for pair in permutations(np.flatnonzero(blocks == block), 2)]
    return _move_children(counts, margins, np.array(pairs, np.int64).reshape(-1, 2))


def _move_children(counts: Ints, margins: Sequence[Margin], pairs: Ints) -> Ints:
    """Move one child at a time, from pairs[:, 0] to pairs[:, 1], as long as the sums come closer to the margins."""
    if not margins or not len(pairs):
        return counts
    members = np.concatenate([margin.members for margin in margins]).astype(np.int64)
    low, high = (np.concatenate([getattr(margin, end) for margin in margins]) for end in ("low", "high"))
    moves = members[:, pairs[:, 1]] - members[:, pairs[:, 0]]
    counts = counts.copy()
    while True:
        sums = members @ counts
        gain = _rate(sums[:, None] + moves, low[:, None], high[:, None]).sum(axis=0) - _rate(sums, low, high).sum()
        gain = np.where(counts[pairs[:, 0]] > 0, gain, 0.0)
        best = int(gain.argmin())
        if gain[best] > -_TOLERANCE:
            return counts
        counts[pairs[best, 0]] -= 1
        counts[pairs[best, 1]] += 1


def _rate(sums: Ints, low: Floats, high: Floats) -> Floats:
    """Return the squared distances of sums from the range between their limits; 0 for a sum inside it."""
    return np.asarray((sums - np.clip(sums, low, high)) ** 2)
