"""The membership attack: was a certain child counted?

The attacker knows the rates (how many children to expect in each cell), the method of protection and all
that is published, but not who the other children are. The advantage is the rate of true alarms minus the
rate of false alarms: 0 is guessing, 1 is knowing.

From one number the advantage is exact (one_number.py). From all numbers together it is estimated with a
trained classifier (attacker.py; Homer et al. 2008, Shokri et al. 2017). Where a rate is known from the
release alone, categories are assumed independent of each other within an area (rates.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.membership.attacker import LIMITS, Advantage, Attacker
from data.disclosure.attacks.membership.one_number import compute_advantage
from data.disclosure.attacks.membership.rates import read_rates
from data.disclosure.cell_key import CellKey
from data.tables.spec import TableSpec

__all__ = ["ALL_NUMBERS", "LIMITS", "ONE_NUMBER", "WORLDS", "Advantage", "attack", "survey"]

WORLDS = (3000, 16_000)  # at first; then, while the limit lies within the interval
ONE_NUMBER = "the number of one year tells more of a child than it may"
ALL_NUMBERS = "all numbers together tell more of a child than they may"
<<<<<<< HEAD
_TAIL = 1e-9  # of the Poisson distribution of the others, left out
_MOST = 1600.0  # others, from which on a number is not looked at more closely
_SHORT = 1000  # worlds that tell the worst-placed child from others
_DRAWS = 2**23  # children that are drawn at most; where a region has more, fewer worlds are
_FEWEST = 500  # worlds
_NORMAL = 1.96  # for 95 of 100


@on_one_thread
def of_one_number(rates: npt.ArrayLike, mechanism: CellKey, k: int | None) -> Floats:
    """Give the advantage from one number of children, for expected numbers of others; same shape.

    It falls with them, so that beyond _MOST others it is at most what it is there.
    """
    wanted = np.minimum(np.atleast_1d(np.asarray(rates, np.float64)), _MOST)
    most = int(poisson.isf(_TAIL, max(float(wanted.max(initial=0.0)), 1.0))) + 2
    seen = mechanism.channel(most, 1, k).outcomes()
    moved = np.diff(seen, axis=0)  # what one child more does to what is seen
    others = poisson.pmf(np.arange(most)[None, :], wanted.ravel()[:, None])
    return np.asarray(np.abs(others @ moved).sum(axis=1) / 2).reshape(wanted.shape)


def worst_of_one_number(mechanism: CellKey, k: int | None, most: float = 60.0) -> float:
    """Give the largest advantage from one number, whatever the expected number of others (up to most)."""
    return float(of_one_number(np.arange(0.0, most, 0.1), mechanism, k).max())


@lru_cache(maxsize=16)
def _advantage_by_root(mechanism: CellKey, k: int | None) -> tuple[Floats, Floats]:
    """Tabulate the advantage from one number by the square root of the rate."""
    roots = np.linspace(0.0, 40.0, 400)
    return roots, of_one_number(roots**2, mechanism, k)


@lru_cache(maxsize=64)
def _channel(mechanism: CellKey, most: int, k: int | None) -> tuple[Channel, Floats]:
    """Give the channel of one number, and the distribution over what is seen, shape (most + 1, outcomes)."""
    channel = mechanism.channel(most, 1, k)
    return channel, channel.outcomes()


@dataclass(frozen=True)
class Child:
    """A child that is looked for: the number of its region, of its period, and of each category."""

    region: int
    period: int
    categories: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Advantage:
    """An estimate with its interval of 95 %, and for which child."""

    value: float
    low: float
    high: float
    child: Child


@dataclass(frozen=True, eq=False)
class Attacker:
    """Attacks the tables of children of one tier; `tables` are those that it reads.

    These are of regions, and of countries by year or whole. What a tier publishes beyond them is left out:
    there the advantage is a lower bound. `withheld` names tables and regions of which nothing is shown.
    """

    rates: Rates
    mechanism: CellKey
    k: int | None
    tables: Sequence[TableSpec]
    key_range: int = 2**24
    withheld: frozenset[tuple[TableSpec, str]] = frozenset()

    def read(self, child: Child) -> list[TableSpec]:
        """List the tables that show anything of a child's area."""
        region = self.rates.regions[child.region]
        return [spec for spec in self.tables if (spec, region) not in self.withheld]

    @cached_property
    def breakdowns(self) -> tuple[str, ...]:
        """The breakdowns of the tables."""
        return tuple(dict.fromkeys(name for spec in self.tables for name in spec.breakdown))

    def expected(self, child: Child, spec: TableSpec) -> float:
        """Give the expected number of others in the cell of a table in which a child would stand."""
        rates = self.rates
        times = rates.coarser[spec.grain]
        there = rates.children[:, times == times[child.period]].sum(axis=1)
        for name in spec.breakdown:
            there = there * rates.shares[name][:, child.categories[name]]
        if spec.level == "region":
            return float(there[child.region])
        here = rates.country[child.region]
        return float(sum(n for n, c in zip(there, rates.country, strict=True) if c == here))

    def worst_children(self, how_many: int | None = None) -> list[Child]:
        """List the children whose own cells tell most, one of each region, the worst first."""
        found = []
        for region in range(len(self.rates.regions)):
            for period in range(self.rates.children.shape[1]):
                child = Child(region, period, {n: self._telling(region, period, n) for n in self.breakdowns})
                found.append((self._told(child), child))
        found.sort(key=lambda pair: (-pair[0], pair[1].region, pair[1].period))
        first = {child.region: child for _, child in reversed(found)}  # of each region the worst
        return [child for _, child in found if first[child.region] is child][:how_many]

    def _telling(self, region: int, period: int, name: str) -> int:
        """Choose the category in which a child is easiest to see."""
        specs = [s for s in self.tables if s.breakdown == (name,)]
        children = [Child(region, period, {name: c}) for c in range(len(CATEGORIES[name]))]
        rates = np.array([[self.expected(child, s) for s in specs] for child in children])
        return int((self._alone(rates) ** 2).sum(axis=1).argmax())

    def _told(self, child: Child) -> float:
        rates = np.array([self.expected(child, s) for s in self.read(child)])
        return float((self._alone(rates) ** 2).sum())

    def _alone(self, rates: Floats) -> Floats:
        """Look the advantage from one number up, by the square root of the rate."""
        return np.interp(np.sqrt(rates), *_advantage_by_root(self.mechanism, self.k))

    @on_one_thread
    def attack(self, child: Child, worlds: int, seed: int) -> Advantage:
        """Estimate the advantage for one child over `worlds` worlds, half of them to learn from."""
        if not self.read(child):  # nothing is shown of its area
            return Advantage(0.0, 0.0, 0.0, child)
        draw = np.random.default_rng(seed)
        worlds = int(min(worlds, max(_DRAWS // max(self.rates.children[child.region].sum(), 1), _FEWEST)))
        without, with_it = self._publish(child, worlds, draw)
        half = worlds // 2
        learnt = Classifier.fit(without[:half], with_it[:half])
        quiet, alarmed = learnt.score(without[half:]), learnt.score(with_it[half:])
        false, true = float((quiet > 0).mean()), float((alarmed > 0).mean())
        spread = _NORMAL * np.sqrt((false * (1 - false) + true * (1 - true)) / max(worlds - half, 1))
        value = true - false
        ends = [round(float(v), 4) for v in (value, value - spread, value + spread)]
        return Advantage(ends[0], ends[1], ends[2], child)

    def kind(self, child: Child) -> tuple[object, ...]:
        """Give all that an attack on a child depends on; hidden regions of a country are often alike."""
        rates, region = self.rates, child.region
        shares = (share[region].tobytes() for share in rates.shares.values())
        return (rates.country[region], rates.children[region].tobytes(), *shares, *self.read(child))

    def survey(self, child: Child, worlds: Sequence[int], seed: int) -> Advantage:
        """Attack the worst-placed child like one, where there is a threshold; where little is told, none.

        Numbers that were independent of one another would tell the square root of the sum of their squares.
        Where twice that is within the limit, nobody is tried: cells of hundreds of children. Nor where a
        region has more children than can be drawn: there twice that is the upper end.
        """
        told = float(np.sqrt(self._told(child)))
        if 2 * told < LIMITS[1] or self.rates.children[child.region].sum() > _DRAWS // _FEWEST:
            return Advantage(round(told, 4), 0.0, round(2 * told, 4), child)
        tried = child if self.k is None else self.worst_like(child, seed)
        return self.judge(tried, worlds, LIMITS[1], seed)

    def worst_like(self, child: Child, seed: int) -> Child:
        """Choose, by a short attack on each, among children that differ in what is shown by region."""
        shown = {s.breakdown[0] for s in self.tables if s.level == "region" and len(s.breakdown) == 1}
        tried = [
            replace(child, categories={**child.categories, name: category})
            for name in sorted(shown)
            for category in range(len(CATEGORIES[name]))
            if category != child.categories[name]
        ]
        return max([child, *tried], key=lambda one: self.attack(one, _SHORT, seed).value) if tried else child

    def judge(self, child: Child, worlds: Sequence[int], limit: float, seed: int) -> Advantage:
        """Estimate the advantage for one child, over more worlds as long as its interval holds the limit."""
        for size in worlds:
            found = self.attack(child, size, seed)
            if not found.low <= limit <= found.high:
                break
        return found

    def _publish(self, child: Child, worlds: int, draw: np.random.Generator) -> tuple[Floats, Floats]:
        """Publish worlds without and with the child; features of shape (worlds, features)."""
        others = _Others.draw(self, child, worlds, draw)
        key = draw.integers(0, self.key_range, worlds)
        features: tuple[list[Floats], list[Floats]] = ([], [])
        for spec in self.read(child):
            counts, keys, own = others.count(spec)
            rate = self.expected(child, spec)
            for there in (0, 1):
                counts[:, own] += there
                keys[:, own] = (keys[:, own] + there * key) % self.key_range
                features[there].extend(self._features(counts, keys, own, rate))
        return np.column_stack(features[0]), np.column_stack(features[1])

    def _features(self, counts: Counts, keys: Ints, own: int, rate: float) -> list[Floats]:
        """Give what is seen of a table: its numbers, which are hidden, and how much the own cell tells."""
        shown = self.mechanism.publish(counts, keys)
        hidden = shown < (self.k or 0)
        seen = np.where(hidden, 0, shown).astype(np.float64)
        if rate > _MOST:  # among so many, one child more cannot be seen
            return [*seen.T, *hidden.astype(np.float64).T]
        most = int(max(counts[:, own].max(initial=0), poisson.isf(_TAIL, max(rate, 1.0)))) + 2
        channel, table = _channel(self.mechanism, 2 ** most.bit_length(), self.k)
        outcomes = table[: most + 1]
        others = poisson.pmf(np.arange(most), rate)
        chance = np.stack([others @ outcomes[:-1], others @ outcomes[1:]])
        told = np.log(np.maximum(chance[1], 1e-12) / np.maximum(chance[0], 1e-12)).clip(-10, 10)
        return [told[channel.outcome_of(shown[:, own])], *seen.T, *hidden.astype(np.float64).T]


@dataclass(frozen=True, eq=False)
class _Others:
    """Other children: those of the same region one by one, the rest of the country by what they share.

    world, period, categories, key: one entry a child of the region. far: children of the rest of the
    country, and the sums of their keys, of shape (worlds, 2, 2, ...): whether they are of the child's year,
    and of its category in each breakdown. In a country's tables only the child's own cells are attacked;
    the others are large and say nothing of it.
    """

    attacker: Attacker
    child: Child
    worlds: int
    world: Ints
    period: Ints
    categories: Mapping[str, Ints]
    key: Ints
    far: tuple[Counts, Ints]

    @classmethod
    def draw(cls, attacker: Attacker, child: Child, worlds: int, draw: np.random.Generator) -> _Others:
        """Draw worlds from the rates."""
        rates, keys = attacker.rates, attacker.key_range
        children = rates.children[child.region]
        size = draw.poisson(children.sum(), worlds)
        period = cls._pick(children, int(size.sum()), draw)
        told = {name for spec in attacker.tables if spec.level == "region" for name in spec.breakdown}
        found = {}
        for name in attacker.breakdowns:
            chance, own = rates.shares[name][child.region], child.categories[name]
            if name in told:
                found[name] = cls._pick(chance, int(size.sum()), draw)
            else:  # by country alone, where no cell but the child's own is read
                other = (own + 1) % len(chance)
                found[name] = np.where(draw.random(int(size.sum())) < chance[own], own, other)
        world, key = np.repeat(np.arange(worlds), size), draw.integers(0, keys, int(size.sum()))
        counts = draw.poisson(cls._far_rates(attacker, child), (worlds, *[2] * (1 + len(found))))
        # The sum of uniform keys is uniform, and that of none is zero.
        sums = np.where(counts > 0, draw.integers(0, keys, counts.shape), 0)
        return cls(attacker, child, worlds, world, period, found, key, (counts, sums))

    @staticmethod
    def _pick(chance: Floats, size: int, draw: np.random.Generator) -> Ints:
        edges = np.cumsum(chance)[:-1] / chance.sum()
        return np.searchsorted(edges, draw.random(size), side="right")

    @staticmethod
    def _far_rates(attacker: Attacker, child: Child) -> Floats:
        """Give the expected children of the rest of the country, by what they share with the child."""
        rates = attacker.rates
        home, years = rates.country[child.region], rates.coarser["year"]
        total: Floats = np.zeros([2] * (1 + len(attacker.breakdowns)))
        for region, country in enumerate(rates.country):
            if country == home and region != child.region:
                same = rates.children[region][years == years[child.period]].sum()
                part = np.array([rates.children[region].sum() - same, same])
                for name in attacker.breakdowns:
                    share = rates.shares[name][region, child.categories[name]]
                    part = np.multiply.outer(part, [1 - share, share])
                total = total + part
        return total

    def count(self, spec: TableSpec) -> tuple[Counts, Ints, int]:
        """Count a table around the child: counts and cell keys (worlds, cells), and the child's cell."""
        cell, own, width = self._cells(spec)
        keys = self.attacker.key_range
        if spec.level == "country":
            mine = cell == own
            counts = np.bincount(self.world[mine], minlength=self.worlds)
            sums = cell_keys(self.world[mine], self.key[mine], self.worlds, keys)
            far = [self._far(values, spec) for values in self.far]
            return (counts + far[0])[:, None], ((sums + far[1]) % keys)[:, None], 0
        flat, size = self.world * width + cell, self.worlds * width
        counts = np.bincount(flat, minlength=size).reshape(self.worlds, width)
        return counts, cell_keys(flat, self.key, size, keys).reshape(self.worlds, width), own

    def _cells(self, spec: TableSpec) -> tuple[Ints, int, int]:
        """Give the cells of a table in the child's area: of each other child, of this one, how many."""
        times = self.attacker.rates.coarser[spec.grain]
        cell, own, width = times[self.period], int(times[self.child.period]), int(times.max()) + 1
        for name in spec.breakdown:
            size = len(CATEGORIES[name])
            cell, own = cell * size + self.categories[name], own * size + self.child.categories[name]
            width *= size
        return cell, own, width

    def _far(self, values: Ints, spec: TableSpec) -> Ints:
        """Add up what of the rest of the country stands in the child's cell."""
        year = slice(None) if spec.grain == "whole" else slice(1, 2)
        by = [slice(1, 2) if n in spec.breakdown else slice(None) for n in self.attacker.breakdowns]
        return np.asarray(values[(slice(None), year, *by)].reshape(self.worlds, -1).sum(axis=1))
=======
>>>>>>> d5dd9ed (Plain names and docstrings for the attacks; the membership attack in two files, on one number and on all)


def survey(
    release: Published,
    areas: pd.DataFrame,
    mechanism: CellKey,
    k: int | None,
    *,
    children: int | None = None,
    regions: Collection[str] | None = None,
    worlds: Sequence[int] = WORLDS,
    seed: int = 0,
) -> dict[str, Advantage]:
    """Return the advantage for the worst-placed child of each region, by region code.

    `k`: the threshold below which numbers are hidden, None where the tier has none. `children`: the largest
    number of regions to attack, the worst first. `regions`: attack these alone. The seed makes the result
    repeatable; it is no secret.
    """
    rates = read_rates(release, areas)
    tables = [s for s in release.tables if s.measure == "children" and _is_attacked(s)]
    if rates is None or not tables:
        return {}
    attacker = Attacker(rates, mechanism, k, tables, withheld=_withheld(release, tables))
    advantages: dict[str, Advantage] = {}
    by_key: dict[tuple[object, ...], Advantage] = {}
    for number, child in enumerate(attacker.list_worst_children(children), seed):
        region = rates.regions[child.region]
        if regions is None or region in regions:
            key = attacker.attack_key(child)
            if key not in by_key:
                by_key[key] = attacker.survey(child, worlds, number)
            advantages[region] = by_key[key]
    return advantages


def attack(
    release: Published,
    areas: pd.DataFrame,
    mechanism: CellKey,
    k: int | None,
    *,
    children: int | None = None,
    worlds: Sequence[int] = WORLDS,
) -> tuple[list[Finding], dict[str, float]]:
    """Attack a release; return findings (public tier only) and statistics of the attack.

    Arguments as for `survey`. An estimate is above the limit when its whole interval is.
    """
    advantages = survey(release, areas, mechanism, k, children=children, worlds=worlds)
    rates = read_rates(release, areas)
    if not advantages or rates is None:
        return [], {}
    totals = compute_advantage(rates.children, mechanism, k)
    worst = max(advantages.values(), key=lambda a: a.value)
    reasons: list[tuple[str, str]] = []
    if k is not None:
        above = np.flatnonzero((totals > LIMITS[0]).any(axis=1))
        reasons += [(rates.regions[r], ONE_NUMBER) for r in above]
        reasons += [(region, ALL_NUMBERS) for region, a in advantages.items() if a.low > LIMITS[1]]
    table = next(s for s in release.tables if s.measure == "children" and s.level == "region")
    findings = [Finding("membership", table.name, {"area": area}, reason) for area, reason in reasons]
    return findings, {
        "one_number": round(float(totals.max()), 4),
        "all_numbers": worst.value,
        "all_numbers_low": worst.low,
        "all_numbers_high": worst.high,
        "children": len(advantages),
    }


def _withheld(release: Published, tables: Sequence[TableSpec]) -> frozenset[tuple[TableSpec, str]]:
    """Find the pairs of table and region of which every cell is withheld."""
    pairs: set[tuple[TableSpec, str]] = set()
    for spec in tables:
        if spec.level == "region":
            frame = release.tables[spec].select(["area", "state"]).to_pandas()
            silent = (frame["state"] == "withheld").groupby(frame["area"]).all()
            pairs.update((spec, str(area)) for area in silent.index[silent])
    return frozenset(pairs)


def _is_attacked(spec: TableSpec) -> bool:
    return spec.level == "region" or (spec.level == "country" and spec.grain in ("year", "whole"))
