"""Withholding numbers until every cell keeps its protection interval.

Reads published (noisy) values only, as the bounds attack does, so what it takes away says nothing that the
numbers themselves did not. Where a cell is bounded too tightly, its own number goes if that helps; if not,
one finer number that bounds it: a category before its total, a municipality before its region, a quarter
before its year. Numbers of earlier releases cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from data.disclosure.attacks.bounds import BoundsAttack
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.attacks.bounds.system import Bounds
from data.disclosure.channel import UNKNOWN
from data.tables.periods import GRAINS
from data.tables.spec import LEVELS
from data.tables.states import STATES
from data.workspace.types import Ints

Withheld = list[tuple[Table, int]]
_ROUNDS = 200
_WITHHELD = STATES.index("withheld")
_LOW, _HIGH = 0, 1
_End = tuple[int, int]  # an unknown, and which end of its interval


def withhold_until_safe(attack: BoundsAttack, release: int) -> tuple[Withheld, Ints]:
    """Take numbers of a release (its place among those attacked) out of the system until none fails.

    Gives the cells that were taken away, and the unknowns that still fail when nothing more may go.
    """
    taken: Withheld = []
    failed = attack.judge(bounds := attack.system.solve())
    for _ in range(_ROUNDS):
        chosen = _Trace(attack, bounds, release).choose_some(failed)
        if not chosen:
            break
        taken += [_take(attack, unknown) for unknown in sorted(chosen)]
        failed = attack.judge(bounds := attack.system.solve())
    return taken, failed


def _take(attack: BoundsAttack, unknown: int) -> tuple[Table, int]:
    table, offset = attack.lattice.cell(unknown)
    attack.system.low[unknown], attack.system.high[unknown] = 0, UNKNOWN
    table.state.reshape(-1)[offset] = _WITHHELD
    return table, offset


@dataclass(eq=False)
class _Trace:
    """Follows a narrow interval back to the published numbers that make it narrow."""

    attack: BoundsAttack
    bounds: Bounds
    release: int
    _seen: set[_End] = field(default_factory=set)

    @cached_property
    def _by_part(self) -> tuple[Ints, Ints]:
        part = self.attack.system.ties.part
        order = np.argsort(part, kind="stable")
        return part[order], self.attack.system.ties.tie[order]

    @cached_property
    def _by_total(self) -> tuple[Ints, Ints]:
        total = self.attack.system.ties.total
        order = np.argsort(total, kind="stable")
        return total[order], order

    def choose_some(self, failed: Ints) -> set[int]:
        """Choose numbers to withhold, at most one for failures that are tied to one another.

        What one number brings to one cell it often brings to its neighbours; the next round sees.
        """
        chosen: set[int] = set()
        settled: set[int] = set()
        for unknown in sorted(map(int, failed), key=self._rank):
            if settled.isdisjoint(tie for tie, _, _ in self._ends(unknown)):
                number = self.choose(unknown)
                if number >= 0:
                    chosen.add(number)
                    for touched in (unknown, number):
                        settled.update(tie for tie, _, _ in self._ends(touched))
        return chosen

    def choose(self, unknown: int) -> int:
        """Find the number to withhold for a cell that fails; -1 when there is none."""
        if self._may_go(unknown) and self._enough_without_own(unknown):
            return unknown
        self._seen = set()
        front = [(unknown, end) for end in (_LOW, _HIGH) if self._narrowed(unknown, end)]
        while front:
            around = [e for end in front for e in self._causes(end)]
            able = {n for n, end in around if n != unknown and self._may_go(n) and self._speaks(n, end)}
            if able:
                return min(able, key=self._rank)
            front = around
        return unknown if self._may_go(unknown) else -1

    def _ends(self, unknown: int) -> Iterator[tuple[int, int, int]]:
        """List the ties of an unknown with the ends that each gives it: tie, least, most."""
        ties, bounds = self.attack.system.ties, self.bounds
        for keys, values in (self._by_part, self._by_total):
            first, last = np.searchsorted(keys, [unknown, unknown + 1])
            for tie in values[first:last]:
                parts = ties.part[ties.start[tie] : ties.start[tie + 1]]
                total, slack = ties.total[tie], ties.slack[tie]
                low, high = int(bounds.low[parts].sum()), int(bounds.high[parts].sum())
                if total == unknown:
                    yield int(tie), int(low - slack), int(high + slack)
                else:
                    least = bounds.low[total] - slack - high + bounds.high[unknown]
                    most = bounds.high[total] + slack - low + bounds.low[unknown]
                    yield int(tie), int(least), int(most)

    def _enough_without_own(self, unknown: int) -> bool:
        """Say whether enough values are sure to stay open once the number of the cell itself is gone."""
        table, _ = self.attack.lattice.cell(unknown)
        ends = list(self._ends(unknown))
        low = max([0, *(least for _, least, _ in ends)])
        high = min([UNKNOWN, *(most for _, _, most in ends)])
        known = self.attack.knowledge[table.shape.measure]
        return high - low + 1 >= known.open_values

    def _narrowed(self, unknown: int, end: int) -> bool:
        system = self.attack.system
        if end == _LOW:
            return bool(self.bounds.low[unknown] > system.low[unknown])
        return bool(self.bounds.high[unknown] < system.high[unknown])

    def _causes(self, end: _End) -> Iterator[_End]:
        """List the ends that hold an end where it is."""
        unknown, side = end
        if end in self._seen:
            return
        self._seen.add(end)
        ties, bounds = self.attack.system.ties, self.bounds
        for tie, least, most in self._ends(unknown):
            tight = least >= bounds.low[unknown] > 0 if side == _LOW else most <= bounds.high[unknown]
            if not tight:
                continue
            parts = ties.part[ties.start[tie] : ties.start[tie + 1]]
            total = int(ties.total[tie])
            if total == unknown:
                others = [(int(p), side) for p in parts]
            else:
                others = [(int(p), 1 - side) for p in parts if p != unknown] + [(total, side)]
            yield from (o for o in others if o[1] == _HIGH or bounds.low[o[0]] > 0)

    def _speaks(self, unknown: int, end: int) -> bool:
        """Say whether the cell's own number is what sets this end."""
        system = self.attack.system
        if end == _LOW:
            return bool(system.low[unknown] == self.bounds.low[unknown])
        return bool(system.high[unknown] == self.bounds.high[unknown])

    def _may_go(self, unknown: int) -> bool:
        """Say whether a cell shows something that first appeared in this release."""
        found = self.attack.lattice.find(unknown)
        if found is None or self.attack.system.high[unknown] >= UNKNOWN:
            return False
        table, offset = found
        return int(table.since.reshape(-1)[offset]) == self.release

    def _rank(self, unknown: int) -> tuple[int, ...]:
        """Order candidates: finest first; among equals the one that holds the others most tightly."""
        shape = self.attack.lattice.cell(unknown)[0].shape
        return (
            -len(shape.breakdown),
            -LEVELS.index(shape.level),
            GRAINS.index(shape.grain),
            -int(self.bounds.low[unknown]),
            int(self.bounds.high[unknown]),
            unknown,
        )
