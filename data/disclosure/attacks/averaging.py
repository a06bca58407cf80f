"""The averaging attack: several noisy numbers about one count may together leave only one likely value.

A total can be estimated from its own number, and from the numbers of its categories, of the areas inside it and of the
periods inside it. The attacker knows the distribution of the noise; that of the whole programme is the noise of each of
its years together. An earlier release gives one more estimate if the
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
from data.disclosure.channel import Knowledge
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
    """The numbers that the last release shows for unknowns, and the likelihood of each true count."""

    system: BoundsAttack
    mechanism: CellKey

    @cached_property
    def draws(self) -> Ints:
        """Of how many draws of noise the number of each unknown is the sum, (unknowns,)."""
        draws = np.ones(self.system.lattice.size, np.int64)
        for table, known in self._list_tables():
            draws[table.base : table.base + table.state.size] = known.draws
        return draws

    def _list_tables(self) -> Iterator[tuple[Table, Knowledge]]:
        """Yield the tables of measures that add up, and what is known of their numbers."""
        for table in self.system.lattice.tables.values():
            shape = table.shape
            known = find_knowledge(self.system.knowledge, shape.measure, shape.level, shape.grain)
            if shape.measure in _SUMS and known is not None:
                yield table, known

    @cached_property
    def values(self) -> Ints:
        """The number that the last release shows for each unknown, (unknowns,).

        It is 0 or less where a number is hidden: minus the largest number that is. It is _NO_NUMBER for an unknown
        without a number, and for all of a measure that does not add up.
        """
        values = np.full(self.system.lattice.size, _NO_NUMBER, np.int64)
        for table, known in self._list_tables():
            readable = np.isin(table.state, _READABLE) & (table.listed == self.system.last)
            number = np.where(table.state == _NUMBER, table.high - known.largest, 1 - known.threshold)
            values[table.base : table.base + table.state.size] = np.where(readable, number, _NO_NUMBER).ravel()
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
        draws = int(self.draws[unknown])
        numbers: list[tuple[_Number, ...]] = [((value, draws),) for value in (int(self.values[unknown]), *earlier)]
        numbers += [tuple(zip(self.values[p].tolist(), self.draws[p].tolist(), strict=True)) for p in sets]
        return _guess(self.mechanism, tuple(numbers))


_Number = tuple[int, int]  # a number, and of how many draws it is the sum


# A release is attacked several times while it is made, with nearly the same numbers.
@lru_cache(maxsize=2**16)
def _guess(mechanism: CellKey, sums: tuple[tuple[_Number, ...], ...]) -> tuple[int, float]:
    """Return the most likely count and its probability, from sets of numbers; those of a set add up to the count."""
    known = [_compute_sum_likelihood(mechanism, numbers) for numbers in sums]
    low, high = max(start for start, _ in known), min(start + len(chance) for start, chance in known)
    if low >= high:  # the numbers contradict each other
        return 0, 0.0
    chance = np.prod([of_set[low - start : high - start] for start, of_set in known], axis=0)
    if not chance.sum() > 0:
        return 0, 0.0
    best = int(chance.argmax())
    return low + best, float(chance[best] / chance.sum())


def _compute_sum_likelihood(mechanism: CellKey, numbers: tuple[_Number, ...]) -> tuple[int, Floats]:
    """Return the smallest count that may be behind numbers of its parts, and P(numbers | count) from it on, (counts,).

    All ways in which a count can be a sum of so many parts are equally likely.
    """
    start, total = 0, np.ones(1)
    for value, draws in numbers:
        first, chance = _compute_likelihood(mechanism, value, draws)
        start, total = start + first, np.convolve(total, chance)
    return start, _divide_by_ways(start, total, len(numbers))


def _divide_by_ways(start: int, chance: Floats, parts: int) -> Floats:
    """Divide by the number of ways in which each count, from `start` on, is a sum of parts; up to a factor."""
    from scipy.special import gammaln

    counts = np.arange(start, start + len(chance)).reshape(-1, *[1] * (chance.ndim - 1))
    ways = gammaln(counts + parts) - gammaln(counts + 1)
    return np.asarray(chance * np.exp(ways.min() - ways))


@lru_cache(maxsize=2**12)
def _compute_likelihood(mechanism: CellKey, value: int, draws: int) -> tuple[int, Floats]:
    """Return the smallest count that can be published as this number, and P(number | count) from it on, (counts,).

    value : 0 or less for a hidden number, see `_Readings.values`.
    """
    reach = draws * mechanism.largest
    if value <= 0:
        noise = _compute_noise(mechanism, draws, reach - value)
        return 0, np.array([noise[count, : max(reach - value - count + 1, 0)].sum() for count in range(len(noise))])
    near = min(value, 3 * reach + 1)  # from there on the noise is the same for all counts
    counts = np.arange(max(near - reach, 0), near + reach + 1)
    likely = _compute_noise(mechanism, draws, 4 * reach + 1)[counts, near - counts + reach]
    possible = np.flatnonzero(likely)
    return int(counts[possible[0]]) + value - near, likely[possible[0] : possible[-1] + 1]


@lru_cache(maxsize=64)
def _compute_noise(mechanism: CellKey, draws: int, n_max: int) -> Floats:
    """Compute P(noise | count) of a sum of draws up to a factor, (n_max + 1, 2 * draws * largest + 1).

    All ways in which the count is a sum of so many counts are equally likely.
    """
    from scipy.linalg import toeplitz

    table = mechanism.table()
    single = total = table[np.minimum(np.arange(n_max + 1), len(table) - 1)]
    for _ in range(draws - 1):
        sums, width = np.zeros((n_max + 1, total.shape[1] + single.shape[1] - 1)), total.shape[1]
        for move, chance in enumerate(single.T):
            sums[:, move : move + width] += np.tril(toeplitz(chance)) @ total
        total = sums
    return _divide_by_ways(0, total, draws)
