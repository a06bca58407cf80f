"""The membership attack on all numbers together: worlds of other children, published with and without the child.

A classifier is trained on half of the worlds to detect the child, and tested on the other half. A number of the whole
programme is the sum of its years, each with noise of its own.
Withholding is left out of these worlds: the attacker sees all numbers before withholding, which reveals more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import prod

import numpy as np

from data.disclosure.attacks.membership.classifier import Classifier
from data.disclosure.attacks.membership.one_number import MOST_OTHERS, TAIL, tabulate_advantage, tabulate_channel
from data.disclosure.attacks.membership.rates import Rates
from data.disclosure.cell_key import CellKey, compute_cell_keys, salt_of
from data.disclosure.channel import Counts
from data.tables.spec import CATEGORIES, OF_COUNTRIES, TableSpec
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints

# Largest advantage on the public tier: from one number of a county or region and year; from all tables.
LIMITS = (0.10, 0.25)
_SHORT = 1000  # worlds of a first attack, which chooses the most exposed child
_DRAWS = 2**23  # largest number of children drawn; a region with more gets fewer worlds
_FEWEST = 500  # smallest number of worlds
_Z95 = 1.96  # 95 % of a normal distribution lies within so many standard deviations


@dataclass(frozen=True)
class Child:
    """The child that the attacker looks for: index of its region, of its period, and of its category by breakdown."""

    region: int
    period: int
    categories: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Advantage:
    """An estimated advantage (0 is guessing, 1 is knowing) with its 95 % interval, and the child that was attacked."""

    value: float
    low: float
    high: float
    child: Child


@dataclass(frozen=True, eq=False)
class Attacker:
    """An attacker who reads the tables of children of one tier.

    `k`: the threshold below which numbers are hidden, None if the tier has none. `tables`: tables of regions, and
    tables of countries by year or over the whole time. If a tier publishes more, the advantage is a lower bound.
    `withheld`: pairs of table and region, or table and country, without any published number. `estimated`: the
    countries with an interval of the dark figure. The interval reveals at most as much as the noisy number of the
    child's capture history. So the attacker gets this number, for a child whose history no other child has, which is
    the worst case. `thresholds`: for each table, the lowest threshold under which each of its periods was published, if
    an earlier release had a lower one than `k`. `known`: the share (0 to 1) of the other children whom the attacker
    knows, with their places, years and categories, but not their keys. `siblings`: how many children like the child
    come and go with it.
    """

    rates: Rates
    mechanism: CellKey
    k: int | None
    tables: Sequence[TableSpec]
    withheld: frozenset[tuple[TableSpec, str]] = frozenset()
    estimated: frozenset[str] = frozenset()
    thresholds: Mapping[TableSpec, Sequence[int]] = field(default_factory=dict)
    key_range: int = 2**24
    known: float = 0.0
    siblings: int = 1

    def list_tables(self, child: Child) -> list[TableSpec]:
        """List the tables that publish anything about the child's region."""
        places = self.rates.regions[child.region], self.rates.country[child.region]
        return [spec for spec in self.tables if self.withheld.isdisjoint((spec, place) for place in places)]

    def find_threshold(self, spec: TableSpec, time: int) -> int | None:
        """Return the threshold of a period of a table; the period may not be published yet."""
        known = self.thresholds.get(spec, ())
        return known[time] if time < len(known) else self.k

    @cached_property
    def breakdowns(self) -> tuple[str, ...]:
        """The breakdowns of the tables."""
        return tuple(dict.fromkeys(name for spec in self.tables for name in spec.breakdown))

    @cached_property
    def joint(self) -> tuple[str, ...]:
        """The breakdowns whose combinations are drawn. The others have the same mix in all regions of a country."""
        return tuple(name for name in self.breakdowns if name not in OF_COUNTRIES)

    @cached_property
    def shared_salts(self) -> frozenset[str]:
        """The salts that more than one table uses. Tables of countries have their own salts, see `salt_of`."""
        salts = [salt_of(spec) for spec in self.tables]
        return frozenset(salt for salt in salts if salts.count(salt) > 1)

    def expect_others(self, child: Child, spec: TableSpec) -> float:
        """Return the expected number of other children in the child's cell of a table."""
        return self._expect_at(child, spec, int(self.rates.coarser[spec.grain][child.period]))

    def expect_in_draws(self, child: Child, spec: TableSpec) -> list[float]:
        """Return the expected number of other children in each draw of noise of the child's cell, its own draw first.

        A cell of the whole programme has one draw for each year.
        """
        years = self.rates.coarser["year"]
        child_year = int(years[child.period])
        if spec.grain != "whole":
            return [self.expect_others(child, spec)]
        times = [child_year, *(year for year in range(int(years.max()) + 1) if year != child_year)]
        return [self._expect_at(child, replace(spec, grain="year"), time) for time in times]

    def _expect_at(self, child: Child, spec: TableSpec, time: int) -> float:
        cell = (spec, time, tuple(child.categories[name] for name in spec.breakdown))
        if cell not in self._expected:
            self._expected[cell] = self._expect_children(*cell)
        return self._expected[cell][child.region]

    @cached_property
    def _expected(self) -> dict[tuple[TableSpec, int, tuple[int, ...]], list[float]]:
        """The cache of `_expect_children`."""
        return {}

    def _expect_children(self, spec: TableSpec, time: int, categories: Sequence[int]) -> list[float]:
        """Return for each region the expected children in a cell of a table, of the region or of its country."""
        rates = self.rates
        there = rates.children[:, rates.coarser[spec.grain] == time].sum(axis=1)
        for name, category in zip(spec.breakdown, categories, strict=True):
            there = there * rates.shares[name][:, category]
        if spec.level == "region":
            return [float(number) for number in there]
        countries = {
            here: float(sum(n for n, c in zip(there, rates.country, strict=True) if c == here))
            for here in set(rates.country)
        }
        return [countries[here] for here in rates.country]

    def list_worst_children(self, how_many: int | None = None) -> list[Child]:
        """List, for each region, the child whose own cells reveal most; the most exposed first, at most `how_many`."""
        candidates = []
        for region in range(len(self.rates.regions)):
            for period in range(self.rates.children.shape[1]):
                child = Child(
                    region, period, {n: self._pick_visible_category(region, period, n) for n in self.breakdowns}
                )
                candidates.append((self._sum_of_squares(child), child))
        candidates.sort(key=lambda pair: (-pair[0], pair[1].region, pair[1].period))
        first = {child.region: child for _, child in reversed(candidates)}  # the worst of each region
        return [child for _, child in candidates if first[child.region] is child][:how_many]

    def _pick_visible_category(self, region: int, period: int, name: str) -> int:
        """Return the category in which a child is easiest to see."""
        specs = [s for s in self.tables if s.breakdown == (name,)]
        children = [Child(region, period, {name: c}) for c in range(len(CATEGORIES[name]))]
        sums = [sum(self._look_up(child, spec) ** 2 for spec in specs) for child in children]
        return int(np.argmax(sums))

    def _sum_of_squares(self, child: Child) -> float:
        """Return the sum of the squared advantages from each single number about the child."""
        of_tables = sum(self._look_up(child, spec) ** 2 for spec in self.list_tables(child))
        alone = tabulate_advantage(self.mechanism, self.k)[1][0]  # nobody else has the child's capture history
        return of_tables + float(alone) ** 2 * (self.rates.country[child.region] in self.estimated)

    def _look_up(self, child: Child, spec: TableSpec) -> float:
        """Return the advantage from the number of the child's cell alone, interpolated in a table.

        A number of the whole programme is read as if it had the noise of one year, which gives an upper bound.
        """
        k = self.find_threshold(spec, int(self.rates.coarser[spec.grain][child.period]))
        return float(np.interp(np.sqrt(self.expect_others(child, spec)), *tabulate_advantage(self.mechanism, k)))

    @on_one_thread
    def attack(self, child: Child, worlds: int, seed: int) -> Advantage:
        """Estimate the advantage for one child; the classifier is trained on half of the worlds.

        Fewer than `worlds` worlds are drawn for a region with many children. The advantage is 0 if nothing is published
        about the child's region.
        """
        if not self.list_tables(child):  # nothing is published about its region
            return Advantage(0.0, 0.0, 0.0, child)
        rng = np.random.default_rng(seed)
        worlds = int(min(worlds, max(_DRAWS // max(self.rates.children[child.region].sum(), 1), _FEWEST)))
        without_child, with_child = self._publish(child, worlds, rng)
        half = worlds // 2
        classifier = Classifier.fit(without_child[:half], with_child[:half])
        scores = classifier.score(without_child[half:]), classifier.score(with_child[half:])
        false, true = (float((score > 0).mean()) for score in scores)
        spread = _Z95 * np.sqrt((false * (1 - false) + true * (1 - true)) / max(worlds - half, 1))
        value = true - false
        ends = [round(float(v), 4) for v in (value, value - spread, value + spread)]
        return Advantage(ends[0], ends[1], ends[2], child)

    def attack_key(self, child: Child) -> tuple[object, ...]:
        """Return everything that an attack on a child depends on: children with equal keys need only one attack."""
        rates, region = self.rates, child.region
        shares = (share[region].tobytes() for share in rates.shares.values())
        return (rates.country[region], rates.children[region].tobytes(), *shares, *self.list_tables(child))

    def survey(self, child: Child, worlds: Sequence[int], seed: int) -> Advantage:
        """Estimate the advantage for the child or, on a tier with a threshold, for the most exposed similar child.

        The joint advantage from independent numbers is the root of the sum of their squared advantages. If twice this
        root is within the limit (cells of hundreds of children), or if a region has too many children to draw, no
        world is drawn and twice the root is the upper end.
        """
        rough = float(np.sqrt(self._sum_of_squares(child)))
        if 2 * rough < LIMITS[1] or self.rates.children[child.region].sum() > _DRAWS // _FEWEST:
            return Advantage(round(rough, 4), 0.0, round(2 * rough, 4), child)
        target = child if self.k is None else self.pick_worst_like(child, seed)
        return self.estimate(target, worlds, LIMITS[1], seed)

    def pick_worst_like(self, child: Child, seed: int) -> Child:
        """Return the most exposed among this child and all children that differ from it in one published category."""
        published = {s.breakdown[0] for s in self.tables if s.level == "region" and len(s.breakdown) == 1}
        others = [
            replace(child, categories={**child.categories, name: category})
            for name in sorted(published)
            for category in range(len(CATEGORIES[name]))
            if category != child.categories[name]
        ]
        return max([child, *others], key=lambda c: self.attack(c, _SHORT, seed).value) if others else child

    def estimate(self, child: Child, worlds: Sequence[int], limit: float, seed: int) -> Advantage:
        """Estimate the advantage for one child; draw more worlds while its interval contains the limit."""
        for size in worlds:
            advantage = self.attack(child, size, seed)
            if not advantage.low <= limit <= advantage.high:
                break
        return advantage

    def _publish(self, child: Child, worlds: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return the features of worlds without and with the child, both of shape (worlds, features)."""
        others = OtherChildren.draw(self, child, worlds, rng)
        features: tuple[list[Floats], list[Floats]] = ([], [])
        for spec in self.list_tables(child):
            counts, keys, child_draw = others.count(spec)
            key = others.draw_child_key(spec)
            thresholds = others.list_thresholds(spec)
            numbers, count = self.mechanism.publish(counts, keys), counts[:, child_draw]
            # The draws of a year are side by side, and the child's cell is in each year at the same place.
            cells = len(thresholds)
            in_draws = [
                count,
                *(counts[:, d] for d in range(child_draw % cells, counts.shape[1], cells) if d != child_draw),
            ]
            rates = self.expect_in_draws(child, spec)
            for there in (0, 1):
                if there:  # the child changes its own cell alone
                    count = count + self.siblings
                    numbers[:, child_draw] = self.mechanism.publish(count, (keys[:, child_draw] + key) % self.key_range)
                shown = numbers.reshape(worlds, -1, cells).sum(axis=1)
                features[there].extend(self._features(shown, in_draws, child_draw % cells, rates, thresholds))
        if self.rates.country[child.region] in self.estimated:
            key = rng.integers(0, self.key_range, (worlds, 1))
            for there in (0, 1):
                histories = np.full((worlds, 1), there * self.siblings)
                numbers = self.mechanism.publish(histories, key * there)
                features[there].extend(self._features(numbers, [np.zeros(1, np.int64)], 0, [0.0], [self.k]))
        return np.column_stack(features[0]), np.column_stack(features[1])

    def _features(
        self,
        numbers: Counts,
        others: Sequence[Counts],
        child_cell: int,
        rates: Sequence[float],
        thresholds: Sequence[int | None],
    ) -> list[Floats]:
        """Return the features of a table, each of shape (worlds,).

        They are the log ratio of the child's cell (if few enough others are expected there), the number of each cell (0
        if it is hidden), and whether each number is hidden (1 or 0). `numbers` has shape (worlds, cells), and
        `thresholds` are those of the cells, (cells,). `others` and `rates`: for each draw of noise of the child's cell,
        its own first, the numbers of other children, (worlds,), and how many the attacker expects.
        """
        hidden, k = numbers < np.array([t or 0 for t in thresholds]), thresholds[child_cell] or 0
        visible = np.where(hidden, 0, numbers).astype(np.float64)
        plain = [*visible.T, *hidden.astype(np.float64).T]
        if sum(rates) > MOST_OTHERS:  # among so many others one child cannot be seen
            return plain
        if self.known:  # whoever knows some of the others expects what the worlds have
            chances = tuple(tuple((np.bincount(of_draw) / len(of_draw)).tolist()) for of_draw in others)
            log_ratio = _compute_log_ratio(self.mechanism, k, self.siblings, chances)
        else:
            log_ratio = _tabulate_log_ratio(self.mechanism, k, self.siblings, tuple(rates))
        outcome = np.maximum(numbers[:, child_cell] - k + 1, 0)
        return [log_ratio[np.minimum(outcome, len(log_ratio) - 1)], *plain]


@lru_cache(maxsize=4096)
def _tabulate_log_ratio(mechanism: CellKey, k: int, siblings: int, rates: tuple[float, ...]) -> Floats:
    """Return the log ratio for other children whose number in each draw is Poisson with a mean of `rates`."""
    from scipy.stats import poisson

    tails = [int(poisson.isf(TAIL, max(rate, 1.0))) + 2 for rate in rates]
    chances = (poisson.pmf(np.arange(most), rate) for rate, most in zip(rates, tails, strict=True))
    return _compute_log_ratio(mechanism, k, siblings, tuple(tuple(chance.tolist()) for chance in chances))


def _compute_log_ratio(mechanism: CellKey, k: int, siblings: int, others: tuple[tuple[float, ...], ...]) -> Floats:
    """Return log(P(outcome | with the children) / P(outcome | without)), from -10 to 10, (outcomes,).

    Outcome 0 is a number below `k`, and outcome n the number k + n - 1. others: for each draw of noise, the one of the
    children first, the chance of each number of other children.
    """
    most = max(map(len, others)) + siblings
    matrix = tabulate_channel(mechanism, 2 ** most.bit_length())
    chance = np.stack([np.array(others[0]) @ matrix[there : there + len(others[0])] for there in (0, siblings)])
    for of_draw in others[1:]:
        number = np.array(of_draw) @ matrix[: len(of_draw)]
        chance = np.stack([np.convolve(row, number) for row in chance])
    chance = np.column_stack([chance[:, :k].sum(axis=1), chance[:, k:]])
    return np.asarray(np.log(np.maximum(chance[1], 1e-12) / np.maximum(chance[0], 1e-12)).clip(-10, 10))


@dataclass(frozen=True, eq=False)
class OtherChildren:
    """The other children of many worlds: single children in the same region, sums for the rest of the country.

    world, period, categories: one entry for each child of the region. far: numbers of children in the rest of the
    country, shape (worlds, years, 2, ...); the axes after the years say whether they have the child's category in each
    joint breakdown. far_alone: numbers of children with the child's category in each other breakdown, shape (worlds,
    years), because the number of combinations would double with each breakdown. In tables of the country only the
    child's own cells are attacked; the others are large and reveal nothing about it.
    """

    attacker: Attacker
    child: Child
    worlds: int
    world: Ints
    period: Ints
    categories: Mapping[str, Ints]
    far: Counts
    far_alone: Mapping[str, Counts]
    rng: np.random.Generator
    keys: dict[str, Ints] = field(default_factory=dict)

    def draw_child_key(self, spec: TableSpec) -> Ints:
        """Return the child's key under the salt of a table in each world, (worlds,)."""
        return self._draw_once(f"child {salt_of(spec)}", self.worlds)

    def _draw_once(self, name: str, size: int) -> Ints:
        """Return `size` keys, uniform on 0 .. key_range - 1; later calls with this name return the same keys."""
        if name not in self.keys:
            self.keys[name] = self.rng.integers(0, self.attacker.key_range, size)
        return self.keys[name]

    @classmethod
    def draw(cls, attacker: Attacker, child: Child, worlds: int, rng: np.random.Generator) -> OtherChildren:
        """Draw the other children of `worlds` worlds from the rates."""
        rates = attacker.rates
        children = rates.children[child.region]
        size = rng.poisson((1 - attacker.known) * children.sum(), worlds)
        known = np.rint(attacker.known * children).astype(np.int64)  # in each period, the same in all worlds
        sizes = int(size.sum()), int(known.sum())

        def join(unknown: Ints, known: Ints) -> Ints:
            return np.concatenate([unknown, np.tile(known, worlds)])

        period = join(cls._pick(children, sizes[0], rng), np.repeat(np.arange(len(children)), known))
        world = np.concatenate([np.repeat(np.arange(worlds), size), np.repeat(np.arange(worlds), sizes[1])])
        by_region = {name for spec in attacker.tables if spec.level == "region" for name in spec.breakdown}
        categories = {}
        for name in attacker.breakdowns:
            chance, category = rates.shares[name][child.region], child.categories[name]
            if name in by_region:
                drawn = [cls._pick(chance, number, rng) for number in sizes]
            else:  # published by country alone, where only the child's own cell is read
                other = (category + 1) % len(chance)
                drawn = [np.where(rng.random(number) < chance[category], category, other) for number in sizes]
            categories[name] = join(*drawn)
        far_rates = cls._far_rates(attacker, child)
        parts = [
            rng.poisson(share * far_rates, (number, *far_rates.shape))
            for share, number in ((1 - attacker.known, worlds), (attacker.known, 1))
        ]
        far_alone = {}
        for name in attacker.breakdowns:
            if name not in attacker.joint:
                share = rates.shares[name][child.region, child.categories[name]]
                each, same = (rng.binomial(part.reshape(*part.shape[:2], -1).sum(axis=2), share) for part in parts)
                far_alone[name] = each + same
        far = parts[0] + parts[1]
        return cls(attacker, child, worlds, world, period, categories, far, far_alone, rng)

    @staticmethod
    def _pick(chance: Floats, size: int, rng: np.random.Generator) -> Ints:
        edges = np.cumsum(chance)[:-1] / chance.sum()
        return np.searchsorted(edges, rng.random(size), side="right")

    @staticmethod
    def _far_rates(attacker: Attacker, child: Child) -> Floats:
        """Return the expected numbers of children in the rest of the country; shape (years, 2, ...), as in `far`."""
        rates = attacker.rates
        home, years = rates.country[child.region], rates.coarser["year"]
        total: Floats = np.zeros([int(years.max()) + 1, *[2] * len(attacker.joint)])
        for region, country in enumerate(rates.country):
            if country == home and region != child.region:
                part = np.bincount(years, rates.children[region])
                for name in attacker.joint:
                    share = rates.shares[name][region, child.categories[name]]
                    part = np.multiply.outer(part, [1 - share, share])
                total = total + part
        return total

    def count(self, spec: TableSpec) -> tuple[Counts, Ints, int]:
        """Return counts and cell keys of the draws of a table, shape (worlds, draws), and the draw of the child.

        Each cell is one draw, but a cell of the whole programme is one of each year: the draws of a year are together.
        A cell's key is the sum of the keys of its children. In a table with its own salt these sums are independent:
        uniform in a cell with a child, and zero in an empty cell. Only tables that share a salt need the keys of the
        single children.
        """
        if spec.level == "country":
            counts, child_draw = self._count_country(spec)
            return counts, self._draw_sums(counts), child_draw
        cell, child_cell, width = self._cells(spec)
        flat, size = self.world * width + cell, self.worlds * width
        counts = np.bincount(flat, minlength=size).reshape(self.worlds, width)
        if salt_of(spec) not in self.attacker.shared_salts:
            return counts, self._draw_sums(counts), child_cell
        near = self._draw_once(f"near {salt_of(spec)}", len(self.world))
        keys = compute_cell_keys(flat, near, size, self.attacker.key_range)
        return counts, keys.reshape(self.worlds, width), child_cell

    def list_thresholds(self, spec: TableSpec) -> list[int | None]:
        """List the threshold of each cell of a table; of a table of the country, of the child's cell alone."""
        times = self.attacker.rates.coarser[spec.grain]
        if spec.level == "country":
            return [self.attacker.find_threshold(spec, int(times[self.child.period]))]
        categories = prod(len(CATEGORIES[name]) for name in spec.breakdown)
        return [
            self.attacker.find_threshold(spec, time) for time in range(int(times.max()) + 1) for _ in range(categories)
        ]

    def _draw_sums(self, counts: Counts) -> Ints:
        return np.where(counts > 0, self.rng.integers(0, self.attacker.key_range, counts.shape), 0)

    def _list_draw_times(self, spec: TableSpec) -> Ints:
        """Return in which draw each period counts: those of the whole programme are its years, (periods,)."""
        return self.attacker.rates.coarser["year" if spec.grain == "whole" else spec.grain]

    def _cells(self, spec: TableSpec) -> tuple[Ints, int, int]:
        """Return each other child's draw in the region, (children,), the child's draw, and the number of draws."""
        times = self._list_draw_times(spec)
        cell, child_cell, width = times[self.period], int(times[self.child.period]), int(times.max()) + 1
        for name in spec.breakdown:
            size = len(CATEGORIES[name])
            cell, child_cell = cell * size + self.categories[name], child_cell * size + self.child.categories[name]
            width *= size
        return cell, child_cell, width

    def _count_country(self, spec: TableSpec) -> tuple[Counts, int]:
        """Count the other children of the country in the draws of the child's cell, (worlds, draws), and name its own.

        There is one draw for each year in a table of the whole programme, and one draw in a table of years.
        """
        years = self.attacker.rates.coarser["year"]
        child_year, width = int(years[self.child.period]), int(years.max()) + 1
        same = np.ones(len(self.world), bool)
        for name in spec.breakdown:
            same &= self.categories[name] == self.child.categories[name]
        near = np.bincount((self.world * width + years[self.period])[same], minlength=self.worlds * width)
        counts = near.reshape(self.worlds, width) + self._count_far(spec)
        return (counts, child_year) if spec.grain == "whole" else (counts[:, [child_year]], 0)

    def _count_far(self, spec: TableSpec) -> Counts:
        """Count the children of the rest of the country in the child's categories, (worlds, years)."""
        if alone := [self.far_alone[name] for name in spec.breakdown if name in self.far_alone]:
            return alone[0]
        by = [slice(1, 2) if n in spec.breakdown else slice(None) for n in self.attacker.joint]
        far = self.far[(slice(None), slice(None), *by)]
        return np.asarray(far.reshape(*far.shape[:2], -1).sum(axis=2))
