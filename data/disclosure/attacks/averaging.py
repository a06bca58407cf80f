"""The averaging attack: several noisy numbers about one count may together leave only one likely value.

A total can be estimated from its own number, and from the numbers of its categories, of the areas inside it and of the
periods inside it. The attacker knows the distribution of the noise. An earlier release gives one more estimate if the
total was provisional there. The attacker multiplies the likelihoods. The attack succeeds if one value other than zero
has a probability of at least CERTAIN. An "unknown" is the true count of a cell; a "tie" is a sum of such counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data.disclosure.attacks.bounds import BoundsAttack, Finding, Published
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.cell_key import CellKey, salt_of
from data.message import Message
from data.tables.spec import FAMILIES, TableSpec, find_knowledge
from data.tables.states import STATES
from data.workspace.types import Floats, Ints

CERTAIN = 0.95
_NUMBER = STATES.index("number")
_READABLE = [STATES.index(s) for s in ("number", "almost_none", "not_searched")]
_SUMS = ("children", "flows", "returns", *FAMILIES)  # measures that add up; totals of the model table are sums of sums
_NO_NUMBER = -(2**31)


def attack(
    releases: Sequence[Published], system: BoundsAttack, mechanism: CellKey
) -> tuple[list[Finding], dict[str, float]]:
    """Attack the totals of the last release; return findings and statistics.

    `releases`: oldest first. `system`: the bounds attack on the same releases, which has the sums. Statistics: of
    all totals whose most likely value is above zero, the highest probability of this value.
    """
    findings, surest = [], 0.0
    for table, offset, sure in guess_totals(releases, system, mechanism):
        surest = max(surest, sure)
        if sure >= CERTAIN:
            reason = Message("the true number can be calculated from its parts and earlier releases")
            findings.append(Finding("averaging", table.shape.name, table.name(offset), reason))
    return findings, {"surest": round(surest, 4)}


def guess_totals(
    releases: Sequence[Published], system: BoundsAttack, mechanism: CellKey
) -> Iterator[tuple[Table, int, float]]:
    """Yield the totals whose most likely value is not zero: table, flat index, probability of that value."""
    readings = _Readings(system, mechanism)
    *earlier_releases, last = releases
    redrawn = [release for release in earlier_releases if release.final or not last.frozen]
    by_shape: dict[TableSpec, list[dict[tuple[str, ...], int]]] = {}
    for unknown, parts in readings.list_totals(include_single=bool(redrawn)):
        table, offset = system.lattice.locate(unknown)
        if table.shape not in by_shape:
            numbers = [_read_numbers(release, table) for release in redrawn]
            by_shape[table.shape] = [_join_provisional(redrawn, numbers, last)] if last.frozen else numbers
        cell = tuple(table.name(offset).values())
        earlier = [numbers[cell] for numbers in by_shape[table.shape] if cell in numbers]
        value, sure = readings.guess(unknown, parts, earlier)
        if value > 0:
            yield table, offset, sure


def _join_provisional(
    releases: Sequence[Published], numbers: Sequence[dict[tuple[str, ...], int]], last: Published
) -> dict[tuple[str, ...], int]:
    """Return the provisional numbers, by area, period and categories, of cells that are final in the last release."""
    return {
        cell: value
        for release, of_release in zip(releases, numbers, strict=True)
        for cell, value in of_release.items()
        if release.is_provisional(cell[1]) and not last.is_provisional(cell[1])
    }


def _read_numbers(release: Published, table: Table) -> dict[tuple[str, ...], int]:
    """Return the numbers of a table in an earlier release, by area, period and categories; empty without the table."""
    rows = release.tables.get(table.shape)
    if rows is None:
        return {}
    columns = [rows[name].to_pylist() for name in ("area", "period", *table.shape.breakdown)]
    cells = zip(zip(*columns, strict=True), rows["value"].to_pylist(), strict=True)
    return {cell: int(value) for cell, value in cells if value is not None}


@dataclass(eq=False)
class _Readings:
    """The numbers that the last release shows for unknowns, and the likelihood of each true count.

    A number of the whole programme has the noise of each of its years. It is read as if it had that of one: this is
    exact where all children are of one year, and supposes too much elsewhere.
    """

    system: BoundsAttack
    mechanism: CellKey

    @cached_property
    def values(self) -> Ints:
        """The number that the last release shows for each unknown, (unknowns,).

        It is 0 or less where a number is hidden: minus the largest number that is. It is _NO_NUMBER for an unknown
        without a number, and for all of a measure that does not add up.
        """
        lattice = self.system.lattice
        values = np.full(lattice.size, _NO_NUMBER, np.int64)
        for table in lattice.tables.values():
            shape = table.shape
            known = find_knowledge(self.system.knowledge, shape.measure, shape.level, shape.grain)
            if shape.measure in _SUMS and known is not None:
                readable = np.isin(table.state, _READABLE) & (table.listed == self.system.last)
                here = slice(table.base, table.base + table.state.size)
                number = np.where(table.state == _NUMBER, table.high - known.largest, 1 - known.threshold)
                values[here] = np.where(readable, number, _NO_NUMBER).ravel()
        return values

    def list_totals(self, *, include_single: bool) -> Iterator[tuple[int, list[Ints]]]:
        """Yield the index of each total with a number above 0, and its sets of parts, each an array of indices.

        All parts of a set have numbers. A set that may have the same noise as the total is left out.
        `include_single`: also yield the other unknowns with a number above 0, with an empty list.
        """
        ties = self.system.system.ties
        sets: dict[int, list[Ints]] = {}
        for tie in np.flatnonzero(self.values[ties.total] > 0):
            parts = ties.part[ties.start[tie] : ties.start[tie + 1]]
            numbers = self.values[parts]
            if (numbers > _NO_NUMBER).all() and not self._is_same_draw(int(ties.total[tie]), parts):
                sets.setdefault(int(ties.total[tie]), []).append(parts)
        if include_single:
            for unknown in np.flatnonzero(self.values > 0):
                sets.setdefault(int(unknown), [])
        yield from sorted(sets.items())

    def _is_same_draw(self, total: int, parts: Ints) -> bool:
        """Return whether a total and its only part with a number may have the same noise: same children, same salt."""
        numbers = self.values[parts]
        if (numbers > 0).sum() != 1 or numbers.max() != self.values[total]:
            return False
        places = [self.system.lattice.find(int(unknown)) for unknown in (total, parts[numbers.argmax()])]
        shapes = [place[0].shape for place in places if place]
        return len({salt_of(shape) for shape in shapes}) < len(shapes)

    def guess(self, unknown: int, sets: Sequence[Ints], earlier: Sequence[int]) -> tuple[int, float]:
        """Return the most likely count and its posterior probability under a flat prior.

        `earlier`: numbers of the same unknown in earlier releases. Both results are 0 if the numbers contradict.
        """
        numbers = [tuple(self.values[parts].tolist()) for parts in sets]
        return _guess(self.mechanism, int(self.values[unknown]), tuple(numbers), tuple(earlier))


# A release is attacked several times while it is made, with nearly the same numbers.
@lru_cache(maxsize=2**16)
def _guess(
    mechanism: CellKey, value: int, sets: tuple[tuple[int, ...], ...], earlier: tuple[int, ...]
) -> tuple[int, float]:
    from scipy.special import gammaln

    low, chance = _compute_likelihood(mechanism, value)
    chance = chance.copy()
    for number in earlier:
        chance *= _align(*_compute_likelihood(mechanism, number), low, len(chance))
    for parts in sets:
        start, total = 0, np.ones(1)
        for part in parts:
            first, part_chance = _compute_likelihood(mechanism, part)
            start, total = start + first, np.convolve(total, part_chance)
        # Divide by the number of ways in which a count is a sum of so many parts: they are no evidence.
        counts = np.arange(start, start + len(total))
        ways = gammaln(counts + len(parts)) - gammaln(counts + 1)
        chance *= _align(start, total * np.exp(ways.min() - ways), low, len(chance))
    if not chance.sum() > 0:  # the numbers contradict each other
        return 0, 0.0
    best = int(chance.argmax())
    return low + best, float(chance[best] / chance.sum())


@lru_cache(maxsize=2**12)
def _compute_likelihood(mechanism: CellKey, value: int) -> tuple[int, Floats]:
    """Return the smallest count that can be published as this number, and P(number | count) from it on, (counts,).

    value : 0 or less for a hidden number, see `_Readings.values`.
    """
    largest = mechanism.knowledge().largest
    if value <= 0:
        return 0, mechanism.channel(largest - value, 1, 1 - value).hidden()
    near = min(value, 3 * largest + 1)  # from there on the noise is the same for all counts
    likely = mechanism.channel(near + largest).shown(near)
    counts = np.flatnonzero(likely)
    return int(counts[0]) + value - near, likely[counts[0] : counts[-1] + 1]


def _align(start: int, chance: Floats, low: int, width: int) -> Floats:
    """Return the probabilities of the counts low .. low + width - 1, (width,); `chance` begins with count `start`."""
    result = np.zeros(width)
    first, last = max(start, low), min(start + len(chance), low + width)
    if first < last:
        result[first - low : last - low] = chance[first - start : last - start]
    return result
