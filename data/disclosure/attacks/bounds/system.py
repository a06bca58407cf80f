"""Narrow the intervals of unknown counts that occur in common sums, until they no longer change, at most _SWEEPS times.

A tie says that one count is the sum of other counts. A narrower interval of one count allows narrower intervals of the
other counts in its ties (bounds consistency; Apt, "Principles of Constraint Programming", 2003, chapter 6). No step
excludes a possible world, so the bounds are never too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from data.workspace.types import Ints

_SWEEPS = 60


@dataclass(frozen=True, eq=False)
class Ties:
    """Sums: the count total[t] is the sum of the counts part[start[t] : start[t + 1]]; counts are given by index."""

    total: Ints
    start: Ints
    part: Ints

    @classmethod
    def join(cls, many: Sequence[tuple[Ints, Ints]]) -> Ties:
        """Join blocks of ties, each with totals of shape (t,) and parts of shape (t, p)."""
        blocks = [(t.ravel(), p.reshape(t.size, -1)) for t, p in many if p.size]
        total = np.concatenate([t for t, _ in blocks]) if blocks else np.zeros(0, np.int64)
        width = np.concatenate([np.full(len(t), p.shape[1]) for t, p in blocks] or [np.zeros(0, np.int64)])
        part = np.concatenate([p.ravel() for _, p in blocks]) if blocks else np.zeros(0, np.int64)
        start = np.concatenate([[0], np.cumsum(width)]).astype(np.int64)
        return cls(total, start, part)

    @property
    def tie(self) -> Ints:
        """For each entry of `part`, the index of its tie; shape (parts,)."""
        return np.repeat(np.arange(len(self.total)), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class Bounds:
    """The remaining interval of each count, (unknowns,), both ends included.

    sweeps: the number of passes over all ties. contradictions: the number of ties dropped.
    """

    low: Ints
    high: Ints
    sweeps: int
    contradictions: int


@dataclass(eq=False)
class System:
    """Unknown counts with their first intervals, low and high of shape (unknowns,), and the ties between them."""

    low: Ints
    high: Ints
    ties: Ties
    _tie: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._tie = self.ties.tie

    def solve(self) -> Bounds:
        """Narrow all intervals as far as the ties allow in at most _SWEEPS passes, and return them.

        A tie that no world satisfies is dropped and counted, and solving starts again without it. The numbers of such
        a tie come from records of different days: for example, a year that became final earlier than the whole time.
        """
        use = np.ones(len(self.ties.total), bool)
        for _ in range(len(use) + 1):
            low, high, sweeps, wrong = self._narrow(use)
            if not len(wrong):
                break
            use[wrong] = False
        return Bounds(low, high, sweeps, int((~use).sum()))

    def _narrow(self, use: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, int, Ints]:
        low, high, sweeps = self.low.copy(), self.high.copy(), 0
        none = np.zeros(0, np.int64)
        for sweeps in range(1, _SWEEPS + 1):
            before = (low.copy(), high.copy())
            self._sweep(low, high, use)
            if (low > high).any():
                return low, high, sweeps, self._find_contradictions(*before, use)
            if (low == before[0]).all() and (high == before[1]).all():
                break
        return low, high, sweeps, none

    def _sweep(self, low: Ints, high: Ints, use: npt.NDArray[np.bool_]) -> None:
        ties = self.ties
        for bound, other, narrow in ((low, high, np.maximum), (high, low, np.minimum)):
            sums, rest = self._sums(bound), self._sums(other)
            active = use[self._tie]
            least = bound[ties.total] - rest  # what each part must hold, given the far ends of the others
            narrow.at(bound, ties.part[active], (least[self._tie] + other[ties.part])[active])
            narrow.at(bound, ties.total[use], sums[use])

    def _sums(self, bound: Ints) -> Ints:
        if not len(self.ties.total):
            return np.zeros(0, np.int64)
        return np.add.reduceat(bound[self.ties.part], self.ties.start[:-1])

    def _find_contradictions(self, low: Ints, high: Ints, use: npt.NDArray[np.bool_]) -> Ints:
        """Return the indices of the ties that no counts within their intervals satisfy.

        If there are none, return those of all ties of the counts whose interval is empty after one more pass.
        """
        ties = self.ties
        gap = (self._sums(low) > high[ties.total]) | (self._sums(high) < low[ties.total])
        if (gap & use).any():
            return np.flatnonzero(gap & use)
        self._sweep(low, high, use)
        empty = low > high
        touched = empty[ties.total] | np.bincount(
            self._tie, weights=empty[ties.part], minlength=len(ties.total)
        ).astype(bool)
        return np.flatnonzero(touched & use)
