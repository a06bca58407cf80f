"""Choose the duty bearers whose services of one axis are withheld: few operators provide them. Behind the wall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.workspace.types import Bools


def hide_few_operators(cells: Sequence[set[int]], operators: int) -> Bools:
    """Return a mask of the duty bearers of a restricted axis to withhold, (duty bearers,).

    cells: the operators of each duty bearer.

    A cell is withheld if fewer than `operators` operators work there, even if there are none. The published total of
    the axis reveals the sum of the withheld cells. So more cells are withheld, those with the fewest operators first,
    until the withheld cells have enough operators together. No other sum includes these cells: services by duty bearer,
    by carrier or by kind of help count only the open axes.
    """
    count = np.array([len(cell) for cell in cells])
    hidden = count < operators
    while hidden.any() and not hidden.all() and len(_join(cells, hidden)) < operators:
        hidden[np.argmin(np.where(hidden, np.inf, count))] = True
    return hidden


def _join(cells: Sequence[set[int]], chosen: Bools) -> set[int]:
    return set[int]().union(*(cell for cell, taken in zip(cells, chosen, strict=True) if taken))
