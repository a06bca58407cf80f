"""Complementary suppression: withhold numbers until every cell keeps its protection interval.

Only published (noisy) values are read, as in the bounds attack, so that the choice of withheld numbers reveals nothing
new. If a cell is bounded too tightly, its own number is withheld if that helps; if not, a finer number that bounds it:
a category before its total, a municipality before its region, a quarter before its year. Numbers of earlier releases
cannot be taken back. As in the attack, an "unknown" is the true count of a cell, and a "tie" a sum of such counts.
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
from data.tables.spec import LEVELS, find_knowledge
from data.tables.states import STATES
from data.workspace.types import Ints

Withheld = list[tuple[Table, int]]  # table, and index in its flattened arrays
_ROUNDS = 200
_WITHHELD = STATES.index("withheld")
_LOW, _HIGH = 0, 1
_End = tuple[int, int]  # index of an unknown, and _LOW or _HIGH: an end of its interval


def withhold_until_safe(attack: BoundsAttack, release: int) -> tuple[Withheld, Ints]:
    """Remove numbers of a release from the system of the bounds attack until no cell fails.

    `release` is the index of this release among the attacked ones. Returns the cells to withhold, and the indices of
    the unknowns that still fail when nothing more can be withheld.
    """
    withheld: Withheld = []
    failed = attack.judge(bounds := attack.system.solve())
    for _ in range(_ROUNDS):
        unknowns = _Trace(attack, bounds, release).choose_numbers(failed)
        if not unknowns:
            break
        for unknown in sorted(unknowns):
            table, offset = attack.lattice.locate(unknown)
            attack.system.low[unknown], attack.system.high[unknown] = 0, UNKNOWN
            table.state.reshape(-1)[offset] = _WITHHELD
            withheld.append((table, offset))
        failed = attack.judge(bounds := attack.system.solve())
    return withheld, failed


@dataclass(eq=False)
class _Trace:
    """A search for the published numbers that make an interval narrow."""

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

    def choose_numbers(self, failed: Ints) -> set[int]:
        """Return the unknowns whose numbers to withhold, at most one for each group of failed cells that share a sum.

        One number often helps several neighbouring cells; the next round shows which cells still fail.
        """
        unknowns: set[int] = set()
        handled_ties: set[int] = set()
        for unknown in sorted(map(int, failed), key=self._sort_key):
            if handled_ties.isdisjoint(tie for tie, _, _ in self._list_ends(unknown)):
                number = self._choose_for(unknown)
                if number >= 0:
                    unknowns.add(number)
                    for touched in (unknown, number):
                        handled_ties.update(tie for tie, _, _ in self._list_ends(touched))
        return unknowns

    def _choose_for(self, unknown: int) -> int:
        """Return the unknown whose number to withhold for a cell that fails; -1 when there is none."""
        if self._is_removable(unknown) and self._is_safe_without_number(unknown):
            return unknown
        self._seen = set()
        front = [(unknown, end) for end in (_LOW, _HIGH) if self._is_narrowed(unknown, end)]
        while front:
            around = [e for end in front for e in self._list_causes(end)]
            able = {n for n, end in around if n != unknown and self._is_removable(n) and self._sets_end(n, end)}
            if able:
                return min(able, key=self._sort_key)
            front = around
        return unknown if self._is_removable(unknown) else -1

    def _list_ends(self, unknown: int) -> Iterator[tuple[int, int, int]]:
        """Yield each tie that contains an unknown, with the smallest and the largest value that it allows for it."""
        ties, bounds = self.attack.system.ties, self.bounds
        for keys, values in (self._by_part, self._by_total):
            first, last = np.searchsorted(keys, [unknown, unknown + 1])
            for tie in values[first:last]:
                parts = ties.part[ties.start[tie] : ties.start[tie + 1]]
                total = ties.total[tie]
                low, high = int(bounds.low[parts].sum()), int(bounds.high[parts].sum())
                if total == unknown:
                    yield int(tie), int(low), int(high)
                else:
                    least = bounds.low[total] - high + bounds.high[unknown]
                    most = bounds.high[total] - low + bounds.low[unknown]
                    yield int(tie), int(least), int(most)

    def _is_safe_without_number(self, unknown: int) -> bool:
        """Return whether enough values certainly stay possible when the cell's own number is withheld."""
        table, _ = self.attack.lattice.locate(unknown)
        ends = list(self._list_ends(unknown))
        low = max([0, *(least for _, least, _ in ends)])
        high = min([UNKNOWN, *(most for _, _, most in ends)])
        knowledge = find_knowledge(self.attack.knowledge, table.shape.measure, table.shape.level, table.shape.grain)
        return knowledge is None or high - low + 1 >= knowledge.open_values

    def _is_narrowed(self, unknown: int, end: int) -> bool:
        system = self.attack.system
        if end == _LOW:
            return bool(self.bounds.low[unknown] > system.low[unknown])
        return bool(self.bounds.high[unknown] < system.high[unknown])

    def _list_causes(self, end: _End) -> Iterator[_End]:
        """Yield the ends of other intervals that determine this end of an interval."""
        unknown, side = end
        if end in self._seen:
            return
        self._seen.add(end)
        ties, bounds = self.attack.system.ties, self.bounds
        for tie, least, most in self._list_ends(unknown):
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

    def _sets_end(self, unknown: int, end: int) -> bool:
        """Return whether an end of an interval follows from the cell's own number."""
        system = self.attack.system
        if end == _LOW:
            return bool(system.low[unknown] == self.bounds.low[unknown])
        return bool(system.high[unknown] == self.bounds.high[unknown])

    def _is_removable(self, unknown: int) -> bool:
        """Return whether a cell's content first appeared in this release, so that it can still be withheld."""
        located = self.attack.lattice.find(unknown)
        if located is None or self.attack.system.high[unknown] >= UNKNOWN:
            return False
        table, offset = located
        return int(table.since.reshape(-1)[offset]) == self.release

    def _sort_key(self, unknown: int) -> tuple[int, ...]:
        """Return the sort key of a candidate: the finest table first, then the largest lower bound."""
        shape = self.attack.lattice.locate(unknown)[0].shape
        return (
            -len(shape.breakdown),
            -LEVELS.index(shape.level),
            GRAINS.index(shape.grain),
            -int(self.bounds.low[unknown]),
            int(self.bounds.high[unknown]),
            unknown,
        )
