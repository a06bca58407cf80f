"""The averaging attack: many noisy readings of one count, put together, may leave one value.

A total is told by its own number, by the numbers of its categories, of the areas inside it and of the
periods inside it, each with noise of its own that the attacker knows the distribution of; and again by
earlier releases, where numbers are not frozen. The attacker multiplies what each leaves likely. The attack
succeeds where one value other than zero is all but certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from data.disclosure.attacks.bounds import BoundsAttack, Finding, Published
from data.disclosure.attacks.bounds.lattice import Shape, Table
from data.disclosure.cell_key import CellKey
from data.tables.spec import TableSpec, table_name
from data.tables.states import STATES
from data.workspace.types import Floats, Ints

__all__ = ["CERTAIN", "attack", "guesses"]

CERTAIN = 0.95
_READABLE = [STATES.index(s) for s in ("number", "almost_none", "not_searched")]
_SUMS = ("children", "flows")  # what adds up; the model table's totals are sums of sums
_SILENT = -1


def attack(
    releases: Sequence[Published], system: BoundsAttack, mechanism: CellKey
) -> tuple[list[Finding], dict[str, float]]:
    """Attack the totals of the last release; give findings, and how it went.

    `system` is the bounds attack on the same releases, which knows what adds up to what.
    """
    findings, surest = [], 0.0
    for table, offset, sure in guesses(releases, system, mechanism):
        surest = max(surest, sure)
        if sure >= CERTAIN:
            shape = table.shape
            name = table_name(shape.measure, shape.level, shape.grain, *shape.breakdown)
            reason = "its own number, those of its parts and of earlier releases leave one value"
            findings.append(Finding("averaging", name, table.name(offset), reason))
    return findings, {"surest": round(surest, 4)}


def guesses(
    releases: Sequence[Published], system: BoundsAttack, mechanism: CellKey
) -> Iterator[tuple[Table, int, float]]:
    """Guess each total of which a value other than zero is likeliest: table, place, and how sure it is."""
    readings = _Readings(system, mechanism)
    again = [] if releases[-1].frozen else list(releases[:-1])
    before: dict[Shape, list[dict[tuple[str, ...], int]]] = {}
    for unknown, parts in readings.totals(alone=bool(again)):
        table, offset = system.lattice.cell(unknown)
        if table.shape not in before:
            before[table.shape] = [_numbers(release, table) for release in again]
        cell = tuple(table.name(offset).values())
        earlier = [numbers[cell] for numbers in before[table.shape] if cell in numbers]
        value, sure = readings.guess(unknown, parts, earlier)
        if value > 0:
            yield table, offset, sure


def _numbers(release: Published, table: Table) -> dict[tuple[str, ...], int]:
    """Give the numbers of a table in an earlier release by the names of its cells."""
    shape = table.shape
    spec = TableSpec(shape.measure, shape.level, shape.grain, shape.breakdown)  # type: ignore[arg-type]
    rows = release.tables.get(spec)
    if rows is None:
        return {}
    columns = [rows[name].to_pylist() for name in ("area", "period", *shape.breakdown)]
    cells = zip(zip(*columns, strict=True), rows["value"].to_pylist(), strict=True)
    return {cell: int(value) for cell, value in cells if value is not None}


@dataclass(eq=False)
class _Readings:
    """The numbers of the last release by unknown, and what each says of the count behind it."""

    system: BoundsAttack
    mechanism: CellKey

    def __post_init__(self) -> None:
        self._known: dict[int, tuple[int, Floats]] = {}

    @cached_property
    def values(self) -> Ints:
        """The number of each unknown, 0 for "none or almost none"; -1 where there is none."""
        lattice = self.system.lattice
        values = np.full(lattice.size, _SILENT, np.int64)
        for table in lattice.tables.values():
            if table.shape.measure in _SUMS:
                largest = self.system.knowledge[table.shape.measure].largest
                read = np.isin(table.state, _READABLE) & (table.listed == self.system.last)
                here = slice(table.base, table.base + table.state.size)
                values[here] = np.where(read, table.high - largest, _SILENT).ravel()
        return values

    def totals(self, *, alone: bool) -> Iterator[tuple[int, list[Ints]]]:
        """List the unknowns with a number, each with the sets of parts that add up to it and have numbers.

        `alone`: also those that no set of parts adds up to.
        """
        ties = self.system.system.ties
        told: dict[int, list[Ints]] = {}
        for tie in np.flatnonzero((self.values[ties.total] > 0) & (ties.slack == 0)):
            parts = ties.part[ties.start[tie] : ties.start[tie + 1]]
            shown = self.values[parts]
            # A part that shows its total's number alone may hold the same children: no new reading.
            repeats = (shown == self.values[ties.total[tie]]).any() and (shown > 0).sum() == 1
            if (shown >= 0).all() and not repeats:
                told.setdefault(int(ties.total[tie]), []).append(parts)
        if alone:
            for unknown in np.flatnonzero(self.values > 0):
                told.setdefault(int(unknown), [])
        yield from sorted(told.items())

    def guess(self, unknown: int, sets: Sequence[Ints], earlier: Sequence[int]) -> tuple[int, float]:
        """Give the likeliest count and how sure it is, where none was likelier than another before."""
        low, chance = self._of(int(self.values[unknown]))
        chance = chance.copy()
        for value in earlier:
            chance *= _at(*self._of(value), low, len(chance))
        for parts in sets:
            start, total = 0, np.ones(1)
            for part in parts:
                first, of_part = self._of(int(self.values[part]))
                start, total = start + first, np.convolve(total, of_part)
            # By how many ways a count comes about as a sum of so many parts: they are no evidence for it.
            counts = np.arange(start, start + len(total))
            ways = gammaln(counts + len(parts)) - gammaln(counts + 1)
            chance *= _at(start, total * np.exp(ways.min() - ways), low, len(chance))
        if not chance.sum() > 0:  # the readings contradict one another: nothing is learnt
            return 0, 0.0
        best = int(chance.argmax())
        return low + best, float(chance[best] / chance.sum())

    def _of(self, value: int) -> tuple[int, Floats]:
        """Give how likely one number is for each count: the least count that it may stand for, and on."""
        if value not in self._known:
            largest = self.mechanism.knowledge().largest
            near = min(value, 3 * largest + 1)  # beyond, the noise is the same for all counts
            likely = self.mechanism.channel(near + largest).shown(near)
            counts = np.flatnonzero(likely)
            self._known[value] = (int(counts[0]) + value - near, likely[counts[0] : counts[-1] + 1])
        return self._known[value]


def _at(start: int, chance: Floats, low: int, width: int) -> Floats:
    """Give chances for the counts low .. low + width - 1, of chances that stand from `start` on."""
    result = np.zeros(width)
    first, last = max(start, low), min(start + len(chance), low + width)
    if first < last:
        result[first - low : last - low] = chance[first - start : last - start]
    return result
