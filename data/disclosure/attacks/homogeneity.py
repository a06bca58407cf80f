"""The homogeneity attack: where nearly all children of an area are of one kind, everybody knows of each.

A breakdown gives its area away where one category must hold at least nine in ten of the area's children,
whatever the noise: the least that is left for it beside the most that is left for the others, which is
what they say themselves and what the total leaves
(Machanavajjhala et al. 2007, on l-diversity).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.disclosure.attacks.bounds import BoundsAttack, Finding
from data.disclosure.attacks.bounds.lattice import Shape, Table
from data.disclosure.attacks.bounds.system import Bounds
from data.tables.spec import table_name
from data.tables.states import STATES
from data.workspace.types import Ints

__all__ = ["SHARE", "homogeneous", "judge"]

SHARE = 0.9
_NUMBER = STATES.index("number")
_MANY = 2**31  # children, more than there are


def homogeneous(attack: BoundsAttack, bounds: Bounds) -> Iterator[tuple[Table, Ints]]:
    """List the breakdowns of an area and period that give it away: table, and the places of its cells.

    Only those of the last release that still show a number; the places index the table's flat arrays.
    """
    for table in attack.lattice.tables.values():
        shape = table.shape
        if shape.measure != "children" or not shape.breakdown:
            continue
        cells = np.arange(table.state.size).reshape(len(table.areas) * len(table.periods), -1)
        low, high = bounds.low[table.base + cells], np.minimum(bounds.high[table.base + cells], _MANY)
        others = high.sum(axis=1, keepdims=True) - high
        total = attack.lattice.tables.get(Shape(shape.measure, shape.level, shape.grain))
        if total is not None and total.periods == table.periods:
            others = np.minimum(others, np.minimum(bounds.high[total.ids], _MANY).reshape(-1, 1) - low)
        certain = (low > 0) & (low * (1 - SHARE) >= others * SHARE)
        shown = (table.state.ravel()[cells] == _NUMBER) & (table.listed.ravel()[cells] == attack.last)
        for row in np.flatnonzero(certain.any(axis=1) & shown.any(axis=1)):
            yield table, cells[row]


def judge(attack: BoundsAttack, bounds: Bounds) -> list[Finding]:
    """Name the breakdowns; the reason holds no count."""
    found = []
    for table, cells in homogeneous(attack, bounds):
        shape = table.shape
        name = table_name(shape.measure, shape.level, shape.grain, *shape.breakdown)
        where = {c: v for c, v in table.name(int(cells[0])).items() if c in ("area", "period")}
        reason = "nearly all children of this area are of one category"
        found.append(Finding("homogeneity", name, where, reason))
    return found
