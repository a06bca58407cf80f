"""Services by axis and duty bearer: which cells to withhold, because few operators are behind them. Behind the wall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.workspace.types import Bools, Floats, Ints

Cells = Sequence[Sequence[set[int]]]  # the operators of each axis and duty bearer


def hide_few_operators(cells: Cells, unrestricted: Bools, shown: Bools, operators: int) -> Bools:
    """Return which cells of one area to withhold, shape (axes, duty bearers); unrestricted axes show all of theirs.

    unrestricted, shown: axes that anybody may see; axes whose total is published, (axes,). A cell of a restricted axis
    is withheld where fewer than `operators` operators work, even if there are none. The totals by axis and by duty
    bearer are published beside it. So more cells are withheld until the withheld rest of each axis has enough
    operators, and no withheld cell with few of them follows from all totals together. What the restricted axes of a
    duty bearer have together is no secret: other tables of the release tell it.
    """
    count = np.array([[len(cell) for cell in row] for row in cells])
    open_to_choice = np.broadcast_to((shown & ~unrestricted)[:, None], count.shape)
    hidden = ((count < operators) & ~unrestricted[:, None]) | ~shown[:, None]
    while True:
        withheld, possible = hidden & open_to_choice, open_to_choice & ~hidden
        rests = _mark_few_rests(cells, withheld, operators) & possible
        left = np.flatnonzero(rests if rests.any() else _reach(_find_telling(count, withheld, operators)) & possible)
        if not len(left):
            return hidden
        hidden.flat[left[np.argmin(count.flat[left])]] = True


def _mark_few_rests(cells: Cells, withheld: Bools, operators: int) -> Bools:
    """Return the axes whose withheld cells have few operators together, (axes, 1)."""
    rests = [set[int]().union(*(cells[axis][int(b)] for b in np.flatnonzero(row))) for axis, row in enumerate(withheld)]
    return np.array([[row.any() and len(rest) < operators] for row, rest in zip(withheld, rests, strict=True)], bool)


def _reach(cells: Bools) -> Bools:
    """Return all cells in a row or a column of one of these cells."""
    rows, columns = cells.any(axis=1, keepdims=True), cells.any(axis=0, keepdims=True)
    return np.asarray(rows | columns)


def _find_telling(count: Ints, withheld: Bools, operators: int) -> Bools:
    """Return the withheld cells with few operators whose number follows from all totals."""
    telling, unknown = np.zeros(withheld.shape, bool), np.argwhere(withheld)
    if len(unknown):
        telling[withheld] = _find_determined(unknown, withheld.shape) & (count[withheld] < operators)
    return telling


def _find_determined(unknown: Ints, shape: tuple[int, ...]) -> Bools:
    """Return which unknown cells are a combination of the totals, (cells,): their unit vector is in the row space."""
    rows = unknown[:, 0] == np.arange(shape[0])[:, None]
    columns = unknown[:, 1] == np.arange(shape[1])[:, None]
    sums: Floats = np.concatenate([rows, columns]).astype(float)
    return np.asarray(np.isclose(np.diag(np.linalg.pinv(sums) @ sums), 1.0), bool)
