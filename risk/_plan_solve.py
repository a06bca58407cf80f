"""Finding the best layout: the programme over pieces of capacity, and the weighings of draws it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult

from risk._plan_benefit import WORST_AREAS, Benefit, least_served, met, worst_mean
from risk._plan_program import Region, Timer, run
from risk._plan_terms import Aims, Posts, Solver

__all__ = ["Goal", "Progress", "Solved", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[int, int | None, str], None]

_RELAXED, _WHOLE = 30, 6  # the most rounds of weighings, before and with whole units
_SLACK = 1e-4  # of the need met, by which a weighing must be violated to be added


@dataclass(frozen=True, eq=False)
class Goal:
    """What is maximised, exactly: children whose need is met, as the sliders weigh them, less dear moves.

    need : draws for choosing, (d, A, K).
    """

    posts: Posts
    aims: Aims
    need: Floats

    @cached_property
    def share(self) -> Floats:
        """Each area's part of the need, (A,)."""
        mean = self.need.sum(axis=2).mean(axis=0)
        return np.asarray(mean / max(mean.sum(), 1e-12))

    @cached_property
    def total(self) -> float:
        """The mean need of all areas and kinds."""
        return float(self.need.sum(axis=(1, 2)).mean())

    @cached_property
    def price(self) -> float:
        """Children that one unit of cost must bring."""
        costs = self.posts.cost[np.isfinite(self.posts.cost) & (self.posts.cost > 0)]
        if not self.aims.cost or not len(costs):
            return 0.0
        today = met(self.need, self.posts.capacity(self.posts.units)).sum(axis=(1, 2)).mean()
        return float(self.aims.cost * today / max(self.posts.units.sum(), 1) / costs.mean())

    def value(self, units: Ints, spent: float) -> float:
        """Give the value of a layout, (S, K), for which `spent` was paid."""
        served = met(self.need, self.posts.capacity(units))
        by_draw = served.sum(axis=(1, 2))
        bad = self.aims.robustness
        many = (1.0 - bad) * by_draw.mean() + bad * float(worst_mean(by_draw) @ by_draw)
        mean = served.sum(axis=2).mean(axis=0)
        share = np.divide(mean, self.share * self.total, out=np.ones_like(mean), where=self.share > 0)
        few = self.total * least_served(share, self.share)
        return float((1.0 - self.aims.equity) * many + self.aims.equity * few - self.price * spent)


@dataclass(frozen=True, eq=False)
class Solved:
    """A layout, (S, K), and flows, (F,), and what is known of them.

    gap : how much better any other could be, relative, as far as the solver came; inf where it found none.
    """

    units: Ints
    flows: Ints
    gap: float
    proven: bool


@dataclass(eq=False)
class _Programme:
    """Columns: flows and units (the region), pieces (A K P), bad cases, worst-off level, shortfalls (A)."""

    region: Region
    goal: Goal
    benefit: Benefit
    weighings: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        areas = len(self.region.posts.areas)
        self.first = self.region.size
        self.bad = self.first + self.benefit.width.size
        self.level = self.bad + 1
        self.size = self.level + 1 + areas
        self._fixed = [self._widened(c) for c in self.region.constraints()]
        self._fixed += [self._pieces(), self._worst_off()]

    def solve(self, whole: bool, timer: Timer, gap: float) -> OptimizeResult:
        low, high = self.region.bounds()
        lower = np.concatenate([low, np.zeros(self.size - len(low))])
        rest = [np.inf, np.inf], np.full(self.size - self.level - 1, np.inf)
        upper = np.concatenate([high, self.benefit.width.ravel(), *rest])
        integral = np.zeros(self.size)
        integral[self.region.flows.shape[1] : self.first] = float(whole)
        rows = [*self._fixed, *self._bad_cases()]
        return run(self._costs(), rows, Bounds(lower, upper), integral, timer, gap)

    def _costs(self) -> Floats:
        aims, costs = self.goal.aims, np.zeros(self.size)
        many = 1.0 - aims.equity
        costs[: len(self.region.cost)] = self.goal.price * self.region.cost
        costs[self.first : self.bad] = -many * (1.0 - aims.robustness) * self.benefit.average().ravel()
        costs[self.bad] = -many * aims.robustness
        if aims.equity:
            costs[self.level] = -aims.equity * self.goal.total
            costs[self.level + 1 :] = aims.equity * self.goal.total * self.goal.share / WORST_AREAS
        return costs

    def _widened(self, one: LinearConstraint) -> LinearConstraint:
        empty = sparse.csr_array((one.A.shape[0], self.size - self.first))
        return LinearConstraint(sparse.csr_array(sparse.hstack([one.A, empty])), one.lb, one.ub)

    def _pieces(self) -> LinearConstraint:
        """Fill the pieces of an area and kind with no more than the capacity that reaches it."""
        areas, kinds, pieces = self.benefit.width.shape
        rows = []
        for at in range(kinds):
            one = np.arange(kinds) == at
            rows.append(self.region.capacity(one))
        offered = sparse.vstack(rows)
        filled = sparse.kron(sparse.eye_array(areas * kinds), np.ones((1, pieces)))
        by_kind = np.arange(areas * kinds).reshape(areas, kinds).T.ravel()
        filled = sparse.csr_array(filled)[by_kind]
        rest = sparse.csr_array((areas * kinds, self.size - self.bad))
        matrix = sparse.csr_array(sparse.hstack([offered, -filled, rest]))
        return LinearConstraint(matrix, 0.0, np.inf)

    def _worst_off(self) -> LinearConstraint:
        """Give each area's shortfall under the level of the worst-off: level - shortfall <= share met."""
        areas, kinds, pieces = self.benefit.width.shape
        need = np.maximum(self.goal.share * self.goal.total, 1e-9)
        slope = self.benefit.average().reshape(areas, kinds * pieces) / need[:, None]
        row = np.repeat(np.arange(areas), kinds * pieces)
        share = sparse.coo_array((slope.ravel(), (row, np.arange(row.size))), shape=(areas, row.size))
        before = sparse.csr_array((areas, self.first))
        own = sparse.eye_array(areas)
        level = -np.ones((areas, 1)) if self.goal.aims.equity else np.zeros((areas, 1))
        matrix = sparse.hstack([before, share, np.zeros((areas, 1)), level, own])
        return LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)

    def _bad_cases(self) -> list[LinearConstraint]:
        """Hold the bad cases below the mean under each weighing of draws."""
        rows = [np.append(self.benefit.average(q).ravel(), -1.0) for q in self.weighings]
        if not rows:
            return []
        before = sparse.csr_array((len(rows), self.first))
        after = sparse.csr_array((len(rows), self.size - self.level))
        matrix = sparse.hstack([before, np.array(rows), after])
        return [LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)]

    def learn(self, found: Floats) -> bool:
        """Add the weighing that an answer violates most; say whether it violated any."""
        pieces = found[self.first : self.bad].reshape(self.benefit.width.shape)
        by_draw = np.tensordot(self.benefit.slope, pieces, axes=3)
        worst = worst_mean(by_draw)
        if found[self.bad] <= worst @ by_draw + _SLACK * abs(float(by_draw.mean())):
            return False
        self.weighings.append(worst)
        return True


def solve(region: Region, goal: Goal, how: Solver, tell: Progress) -> Solved | None:
    """Find the best layout within the time; None where the solver found none at all.

    Today's posts are an answer too, where the rules allow them.
    """
    timer = Timer(how.seconds)
    programme = _programme(region, goal, how)
    if goal.aims.robustness:
        for at in range(_RELAXED):
            tell(at, None, "Looking for the bad cases")
            relaxed = programme.solve(False, timer, how.gap)
            if relaxed.x is None or timer.over or not programme.learn(relaxed.x):
                break
    best, gap, proven = None, np.inf, False
    for at in range(_WHOLE):
        tell(at, None, "Choosing moves")
        found = programme.solve(True, timer, how.gap)
        if found.x is None:
            break
        best, proven = _better(region, goal, best, _units(region, found.x)), found.status == 0
        gap = float(found.mip_gap)
        if timer.over or not (goal.aims.robustness and programme.learn(found.x)):
            break
    else:
        proven = False
    return None if best is None else _settled(region, goal, best, gap, proven)


def _programme(region: Region, goal: Goal, how: Solver) -> _Programme:
    posts = region.posts
    children = np.array([kind.children for kind in posts.kinds])
    room = np.minimum(posts.room[:, None], posts.units.sum(axis=0)[None, :])
    # No layout brings an area more than its best-placed sites, filled, could.
    best = -np.sort(-posts.reach, axis=1)
    most = np.empty((len(posts.areas), len(posts.kinds)))
    for kind, total in enumerate(posts.units.sum(axis=0)):
        order = np.argsort(-posts.reach, axis=1, kind="stable")
        stock = np.minimum(np.cumsum(room[order, kind], axis=1), total)
        most[:, kind] = children[kind] * (best * np.diff(stock, axis=1, prepend=0)).sum(axis=1)
    programme = _Programme(region, goal, Benefit.of(goal.need, most, how.pieces))
    if goal.aims.robustness:
        today = met(goal.need, posts.capacity(posts.units)).sum(axis=(1, 2))
        programme.weighings.append(worst_mean(today))
    return programme


def _units(region: Region, found: Floats) -> Ints:
    units = np.rint(found[region.flows.shape[1] : region.size])
    return units.astype(np.int64).reshape(region.posts.units.shape)


def _better(
    region: Region, goal: Goal, best: tuple[Ints, Ints] | None, units: Ints
) -> tuple[Ints, Ints] | None:
    flows = region.cheapest(units)
    if flows is None:
        return best
    if best is None or _value(region, goal, best) < _value(region, goal, (units, flows)):
        return units, flows
    return best


def _value(region: Region, goal: Goal, layout: tuple[Ints, Ints]) -> float:
    return goal.value(layout[0], float(region.cost @ layout[1]))


def _settled(region: Region, goal: Goal, best: tuple[Ints, Ints], gap: float, proven: bool) -> Solved:
    """Take back, one after the other, moves that bring nothing and that no rule asks for."""
    units, flows = best[0].copy(), best[1].copy()
    improving = True
    while improving:
        improving = False
        for at in np.flatnonzero(flows):
            start, end, kind = region.flows[:, at]
            fewer, back = flows.copy(), units.copy()
            fewer[at] -= 1
            back[start, kind] += 1
            back[end, kind] -= 1
            kept = _value(region, goal, (back, fewer)) >= _value(region, goal, (units, flows)) - 1e-9
            if kept and not region.broken(fewer, back):
                units, flows, improving = back, fewer, True
    return Solved(units, flows, gap, proven)
