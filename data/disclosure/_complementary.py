"""Complementary suppression of exact numbers: what to hide beside hidden cells, before the attack looks.

A heuristic that goes from the coarsest sums to the finest, with margins fixed from above: where a shown
total leaves its hidden parts too little to share, the smallest shown part goes too; whatever lies inside a
hidden cell is hidden with it, so that the area shows a coarser grain. Sums that cross are looked at again
until nothing changes. It reads shown numbers only. It proves nothing; data/restricted/publishing/withhold.py repairs
what is left, with the attack itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.attacks.bounds.lattice import HIDDEN
from data.disclosure.channel import UNKNOWN
from data.tables.periods import GRAINS
from data.tables.spec import LEVELS
from data.workspace.types import Bools, Ints

__all__ = ["complements"]

_LAST = 2**20  # beyond any rank


def complements(attack: BoundsAttack, release: int) -> Ints:
    """List the unknowns to hide beside those of a release that are hidden by a pattern; changes nothing."""
    search = _Search(attack, release)
    before = search.shown.copy()
    while search.hide(search.inside()) or search.hide(search.beside()):
        pass
    return np.flatnonzero(before & ~search.shown)


class _Search:
    """What is shown and what is hidden, one entry an unknown, while cells are chosen.

    open: hidden, and each value from least to most must stay feasible; free: may be hidden.
    """

    def __init__(self, attack: BoundsAttack, release: int) -> None:
        system, size = attack.system, attack.lattice.size
        self.ties, self.low = system.ties, system.low
        self.tie = self.ties.tie
        self.shown: Bools = system.low == system.high
        self.open, self.free = np.zeros(size, bool), np.zeros(size, bool)
        self.least, self.most, self.rank = (np.zeros(size, np.int64) for _ in range(3))
        for table in attack.lattice.tables.values():
            known = attack.knowledge.get(table.shape.measure)
            if known is None or not known.by_pattern:
                continue
            here = slice(table.base, table.base + table.state.size)
            hidden = (table.listed == attack.last) & np.isin(table.state, HIDDEN)
            self.open[here] = hidden.ravel() & ~self.shown[here]
            fresh = (table.since == release).ravel()
            self.free[here] = fresh & self.shown[here] & (self.low[here] > 0)
            self.least[here], self.most[here] = known.open_from, attack.must_reach(known)
            level, grain = LEVELS.index(table.shape.level), GRAINS.index(table.shape.grain)
            self.rank[here] = level * len(GRAINS) + len(GRAINS) - grain

    def hide(self, chosen: Ints) -> bool:
        """Hide cells; say whether there were any."""
        self.shown[chosen] = self.free[chosen] = False
        self.open[chosen] = True
        return len(chosen) > 0

    def inside(self) -> Ints:
        """List the shown parts of hidden totals."""
        of_hidden = self.open[self.ties.total][self.tie]
        return np.unique(self.ties.part[of_hidden & self.free[self.ties.part]])

    def beside(self) -> Ints:
        """Choose one number for each of the coarsest sums that leave a hidden part too little room."""
        ties, hidden = self.ties, ~self.shown[self.ties.part]
        least = np.where(self.open, self.least, 0)[ties.part]
        taken = self._sum(np.where(hidden, least, self.low[ties.part]))
        room = self.low[ties.total] + ties.slack - taken
        need = np.where(self.open, self.most - self.least, -1)[ties.part]
        need = np.maximum.reduceat(need, ties.start[:-1]) if len(need) else need
        alone = (self._sum(hidden) == 1) & (ties.slack == 0)
        known = self.shown[ties.total] & (ties.slack < UNKNOWN) & (need >= 0)
        able = (self._sum(self.free[ties.part]) > 0) | self.free[ties.total]
        tight = np.flatnonzero(known & (alone | (room < need)) & able)
        rank = self.rank[ties.total[tight]]
        return self._cheapest(tight[rank == rank.min(initial=_LAST)])

    def _cheapest(self, tight: Ints) -> Ints:
        """Choose for each tie a shown part, one that serves most, the smallest of those; else the total."""
        inside = np.flatnonzero(np.isin(self.tie, tight) & self.free[self.ties.part])
        part, tie = self.ties.part[inside], self.tie[inside]
        serves = np.bincount(part, minlength=len(self.shown))[part]
        order = np.lexsort((part, self.low[part], -serves, tie))
        first = order[np.flatnonzero(np.diff(tie[order], prepend=-1))]
        totals = self.ties.total[np.setdiff1d(tight, tie)]
        return np.unique(np.concatenate([part[first], totals]))

    def _sum(self, values: npt.NDArray[np.generic]) -> Ints:
        if not len(self.ties.total):
            return np.zeros(0, np.int64)
        return np.add.reduceat(values.astype(np.int64), self.ties.start[:-1])
