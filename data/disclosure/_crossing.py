"""What sums that cross give away of exact numbers, beyond what the bounds attack sees.

The bounds attack looks at one sum at a time. An attacker may add and subtract many: rows less columns may
leave a single hidden cell. A linear programme sees all of it. One for each end of each cell would take
hours; instead each solution is a possible world, and proves at once that all cells that are zero in it may
be zero, and all that reach k may do so. Few cells are left to be looked at one by one, and the dual values
of a cell that cannot be as it should name the sums that say so.

Worlds are of real numbers, not of whole ones. Cells that lie in hidden totals only, and in no shown sum,
are merged into one slack a total, which an attacker can do no better than. Both make the attack weaker than
it might be, never stronger: what it finds is so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.attacks.bounds.lattice import HIDDEN
from data.disclosure.attacks.bounds.system import Bounds, Ties
from data.disclosure.channel import UNKNOWN
from data.workspace.types import Bools, Floats, Ints

__all__ = ["Proof", "prove"]

_SMALL = 1e-6
_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Proof:
    """How far the search came. broken: unknowns that cannot be as they should, with the ties that say so.

    unproved: unknowns that were not settled, because time ran out.
    """

    seconds: float
    proved: int
    broken: dict[int, Ints]
    unproved: Ints


def prove(attack: BoundsAttack, bounds: Bounds, seconds: float = _SECONDS) -> Proof:
    """Look for worlds in which cells that are hidden by a pattern are as small, and as large, as they should.

    `bounds` are those of the attack's system as it stands.
    """
    return _Search(attack, bounds, seconds).run()


class _Search:
    """The programme over the hidden cells that stand in shown sums, and what is not proved yet."""

    def __init__(self, attack: BoundsAttack, bounds: Bounds, seconds: float) -> None:
        self.attack, self.bounds = attack, bounds
        self.began = time.monotonic()
        self.until = self.began + seconds
        hidden, self.least, self.most = self._wanted()
        self._build(attack.system.ties)
        self.asked = hidden[self.variables]
        self.to_least, self.to_most = self.asked.copy(), self.asked.copy()

    def _wanted(self) -> tuple[Bools, Ints, Ints]:
        """Say of each unknown whether it is hidden by a pattern, and the ends that must stay feasible."""
        size = self.attack.lattice.size
        hidden, least, most = np.zeros(size, bool), np.zeros(size, np.int64), np.zeros(size, np.int64)
        for table in self.attack.lattice.tables.values():
            known = self.attack.knowledge.get(table.shape.measure)
            if known is not None and known.by_pattern:
                here = slice(table.base, table.base + table.state.size)
                now = (table.listed == self.attack.last) & np.isin(table.state, HIDDEN)
                hidden[here] = now.ravel()
                least[here], most[here] = known.open_from, self.attack.must_reach(known)
        return hidden & (self.bounds.low < most), least, most

    def _build(self, ties: Ties) -> None:
        """Choose the variables, the unknown cells of shown sums and what holds them, and their ties."""
        free = self.bounds.low < self.bounds.high
        exact = ties.slack == 0
        shown = exact & (self.attack.system.high[ties.total] < UNKNOWN)
        inside = np.zeros(len(free), bool)
        inside[ties.part[shown[ties.tie]]] = True
        inside &= free
        kept = exact & (np.bincount(ties.tie, inside[ties.part], len(ties.total)) > 0)
        inside[ties.total[kept]] |= free[ties.total[kept]]
        self.variables, self.ties = np.flatnonzero(inside), np.flatnonzero(kept)
        self._matrix(ties)

    def _matrix(self, ties: Ties) -> None:
        bounds, count, rows = self.bounds, len(self.variables), len(self.ties)
        free = bounds.low < bounds.high
        fixed = np.where(free, 0, bounds.low)
        place, row_of = np.full(len(free), -1), np.full(len(ties.total), -1)
        place[self.variables], row_of[self.ties] = np.arange(count), np.arange(rows)
        used = row_of[ties.tie] >= 0
        row, part, total = row_of[ties.tie][used], ties.part[used], ties.total[self.ties]
        merged = np.flatnonzero(np.bincount(row, (place[part] < 0) & free[part], rows) > 0)
        at = np.concatenate([row, np.arange(rows), merged])
        column = np.concatenate([place[part], place[total], count + np.arange(len(merged))])
        sign = np.concatenate([np.ones(len(row)), -np.ones(rows), np.ones(len(merged))])
        here = column >= 0
        self.left = csr_array((sign[here], (at[here], column[here])), shape=(rows, count + len(merged)))
        self.right = fixed[total] - np.bincount(row, fixed[part], rows)
        far = 2 * int(fixed.max(initial=0)) + int(self.most.max(initial=0))  # stands for no end
        low, high = (ends[self.variables] for ends in (bounds.low, np.minimum(bounds.high, far)))
        self.ends = np.zeros((count + len(merged), 2))
        self.ends[:, 1] = np.inf
        self.ends[:count] = np.column_stack([low, np.maximum(high, low)])

    def run(self) -> Proof:
        """Prove what one solution after the other shows, then look at what is left one by one."""
        broken: dict[int, Ints] = {}
        for sign, left in ((1, self.to_least), (-1, self.to_most)):
            self._together(sign, left)
            for place in np.flatnonzero(left):
                if left[place] and time.monotonic() < self.until:
                    ties = self._alone(sign, int(place))
                    left[place] = ties is None
                    if ties is not None and len(ties):
                        broken[int(self.variables[place])] = ties
        unproved = self.variables[self.to_least | self.to_most]
        unproved = np.setdiff1d(unproved, list(broken))
        proved = int(self.asked.sum()) - len(broken) - len(unproved)
        return Proof(time.monotonic() - self.began, proved, broken, unproved)

    def _together(self, sign: int, left: Bools) -> None:
        """Bring all cells that are left to an end at once, as long as that proves some."""
        before = -1
        while left.any() and before != (before := int(left.sum())) and time.monotonic() < self.until:
            self._solve(np.where(left, float(sign), 0.0))

    def _alone(self, sign: int, place: int) -> Ints | None:
        """Bring one cell to an end; give the ties that keep it from where it should come, None: no answer."""
        goal = np.zeros(len(self.variables))
        goal[place] = sign
        world = self._solve(goal)
        if world is None:
            return None
        value, duals = world
        unknown = self.variables[place]
        least, most = self.least[unknown], self.most[unknown]
        reached = value[place] <= least + _SMALL if sign > 0 else value[place] >= most - _SMALL
        if reached or value[place] >= most - _SMALL:  # as it should, or sure to be large
            return np.zeros(0, np.int64)
        return self.ties[np.abs(duals) > _SMALL]

    def _solve(self, goal: Floats) -> tuple[Floats, Floats] | None:
        """Find a world; all that it shows is proved. Gives it, and the dual values of the ties."""
        count = len(self.variables)
        padded = np.zeros(len(self.ends))
        padded[:count] = goal
        found = linprog(padded, A_eq=self.left, b_eq=self.right, bounds=self.ends, method="highs-ds")
        if found.x is None:
            return None
        values = found.x[:count]
        self.to_least &= values > self.least[self.variables] + _SMALL
        self.to_most &= values < self.most[self.variables] - _SMALL
        return values, found.eqlin.marginals
