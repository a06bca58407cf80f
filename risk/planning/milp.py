"""The programme over pieces of capacity: its columns, its rows, and how it is solved, relaxed and whole.

Columns: flows and units (the region), pieces of capacity of each area and kind, one for the bad cases, one
for the level of the worst-off areas, and the shortfall of each area under it.

A large country has tens of thousands of flows, of which a plan uses dozens. The relaxation starts with the
cheapest few from and to each site and takes in those that its prices call for, until none is missing
(column generation); the whole-number programme then looks among those that lost least. What the others could
have brought is bounded by the relaxation, so that the gap holds for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog

from data.workspace.types import Bools, Floats, Ints
from risk.planning.benefit import WORST_AREAS, Benefit, weigh_worst_draws
from risk.planning.constraints import Region, Timer, solve_milp
from risk.planning.objective import Goal

MANY = 3000  # flows that are all looked at together
_NEAREST = 5  # to and from each site, to begin with
_SLACK = 1e-4  # of the need met, by which a weighing must be violated to be added
_ZERO = 1e-7
_FRESH = MANY // 2  # that are taken in at once, the most promising
_ROUNDS = 50  # of taking in
_OPEN = 1e-5  # of the goal, that flows which are not looked at may bring
_INFEASIBLE = 2  # scipy.optimize.linprog's word for it


@dataclass(eq=False)
class Programme:
    """The programme of a region, a goal and its benefit in pieces; it minimises the goal's negative.

    weighings : of the draws, (d,) each; rows of the bad cases. flows : which flows are looked at, (F,).
    bound : the least that anything could cost, by the last relaxation; others : the same with a flow that is
    not looked at.
    """

    region: Region
    goal: Goal
    benefit: Benefit
    weighings: list[Floats] = field(default_factory=list)
    bound: float = -np.inf
    others: float = np.inf

    def __post_init__(self) -> None:
        self.first = self.region.size
        self.bad = self.first + self.benefit.width.size
        self.level = self.bad + 1
        self.size = self.level + 1 + len(self.region.posts.areas)
        self.flows = self._choose_nearest()

    @property
    def large(self) -> bool:
        """Whether there are too many flows to look at all of them at once."""
        return bool(self.region.flows.shape[1] > MANY)

    def compute_value(self, units: Ints, flows: Ints) -> float:
        """Give the goal of a layout on the pieces, all weighings of draws considered."""
        return self.goal.value_served(self._compute_served(units), float(self.region.cost @ flows))

    def _compute_served(self, units: Ints) -> Floats:
        capacity = self.region.posts.compute_capacity(units)[..., None]
        before = np.cumsum(self.benefit.width, axis=-1) - self.benefit.width
        filled = np.clip(capacity - before, 0.0, self.benefit.width)
        return np.asarray((self.benefit.slope * filled).sum(axis=-1))

    def solve_whole(self, timer: Timer, gap: float, near: tuple[Floats, int] | None = None) -> OptimizeResult:
        """Solve with whole units, among the flows that are looked at.

        `near` is an answer of the relaxation and how far from it the units of each site may be, once that is
        rounded down and up.
        """
        kept = self._columns
        integral = np.zeros(self.size)
        integral[self.region.flows.shape[1] : self.first] = 1.0
        low, high = (one.copy() for one in self._bounds)
        if near is not None:
            units = slice(self.region.flows.shape[1], self.first)
            low[units] = np.maximum(np.floor(near[0][units] + _ZERO) - near[1], low[units])
            high[units] = np.minimum(np.ceil(near[0][units] - _ZERO) + near[1], high[units])
        rows = [
            LinearConstraint(c.A[:, kept], c.lb, c.ub)
            for c in [*self._fixed_rows, *self._build_worst_cases()]
        ]
        bounds = Bounds(low[kept], high[kept])
        return self._expand_columns(solve_milp(self._costs[kept], rows, bounds, integral[kept], timer, gap))

    def solve_relaxed(self, timer: Timer, rounds: int = _ROUNDS) -> Floats | None:
        """Solve without whole numbers; give the columns, or None where there is no answer in time.

        Flows are taken in until no other could bring more than the answer leaves open; afterwards those are
        looked at that lost least. Where the time or the rounds are up before, the last answer stands, and
        its bound.
        """
        flows, answer = self.region.flows.shape[1], None
        equal, least = self._split_rows()
        for _ in range(rounds):
            kept = self._columns
            found = self._solve_linear(equal, least, kept, timer)
            if found.status == _INFEASIBLE and not self.flows.all():
                self.flows[:] = True
                continue
            if found.status != 0:
                break
            lost = self._costs[:flows] - equal.A[:, :flows].T @ found.eqlin.marginals
            lost += least.A[:, :flows].T @ found.ineqlin.marginals
            missing = (lost < -_ZERO) & ~self.flows
            open_to = self._bound_missing(np.where(missing, lost, 0.0))
            self.bound = max(self.bound, float(found.fun) - open_to)
            answer = np.zeros(self.size)
            answer[kept] = found.x
            if open_to <= _OPEN * abs(float(found.fun)):
                self._keep_best_flows(lost, float(found.fun) - open_to)
                return answer
            self.flows[np.argsort(lost, kind="stable")[:_FRESH]] = True
        return answer

    def _solve_linear(
        self, equal: LinearConstraint, least: LinearConstraint, kept: Ints, timer: Timer
    ) -> OptimizeResult:
        low, high = self._bounds
        return linprog(
            self._costs[kept],
            A_ub=-least.A[:, kept],
            b_ub=-least.lb,
            A_eq=equal.A[:, kept],
            b_eq=equal.lb,
            bounds=np.column_stack([low[kept], high[kept]]),
            method="highs-ipm" if self.large else "highs",  # twice as fast there
            options={"time_limit": timer.left},
        )

    def _bound_missing(self, lost: Floats) -> float:
        """Give the most that flows with such reduced costs, (F,), none above 0, could bring, all together.

        No more units leave a site than stand there, and no more move than may: each at its best.
        """
        posts, (start, _, kind) = self.region.posts, self.region.flows
        best = np.zeros(posts.units.shape)
        np.minimum.at(best, (start, kind), lost)
        brings = float(-(best * posts.units).sum())
        moves = self.region.rules.moves
        return brings if moves is None else min(brings, -moves * float(lost.min(initial=0.0)))

    def add_weighing(self, found: Floats) -> bool:
        """Add the weighing that an answer violates most; say whether it violated any."""
        pieces = found[self.first : self.bad].reshape(self.benefit.width.shape)
        by_draw = np.tensordot(self.benefit.slope, pieces, axes=3)
        worst = weigh_worst_draws(by_draw)
        if found[self.bad] <= worst @ by_draw + _SLACK * abs(float(by_draw.mean())):
            return False
        self.weighings.append(worst)
        return True

    def add_worst_weighing(self, units: Ints) -> bool:
        """Add the weighing that is the worst for a layout; say whether it is a new one."""
        worst = weigh_worst_draws(self._compute_served(units).sum(axis=(1, 2)))
        known = any(np.allclose(worst, one) for one in self.weighings)
        if not known:
            self.weighings.append(worst)
        return not known

    def _keep_best_flows(self, lost: Floats, value: float) -> None:
        """Keep the flows that lose least; any other loses what the best of the rest does, or more."""
        order = np.argsort(lost, kind="stable")
        self.flows = np.zeros(len(lost), dtype=bool)
        self.flows[order[:MANY]] = True
        self.others = value + float(lost[order[MANY]]) if len(lost) > MANY else np.inf

    def _choose_nearest(self) -> Bools:
        start, end, kind = self.region.flows
        looked = np.ones(len(start), dtype=bool)
        if self.large:
            looked[:] = False
            for side in (start, end):
                order = np.lexsort((self.region.cost, kind, side))
                place = np.stack([side, kind])[:, order]
                fresh = np.append(True, (np.diff(place, axis=1) != 0).any(axis=0))
                begins = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
                looked[order[np.arange(len(order)) - begins < _NEAREST]] = True
        return looked

    @property
    def _columns(self) -> Ints:
        flows = self.region.flows.shape[1]
        return np.append(np.flatnonzero(self.flows), np.arange(flows, self.size))

    def _expand_columns(self, found: OptimizeResult, kept: Ints | None = None) -> OptimizeResult:
        """Give an answer all columns again."""
        if found.x is not None:
            full = np.zeros(self.size)
            full[self._columns if kept is None else kept] = found.x
            found.x = full
        return found

    def _split_rows(self) -> tuple[LinearConstraint, LinearConstraint]:
        """Give the rows as equalities, and as those that must be at least something."""
        rows = [*self._fixed_rows, *self._build_worst_cases()]
        equal = rows[0]
        upper, lower = rows[1], rows[2:]
        matrix = sparse.vstack([-upper.A, *(c.A for c in lower)]).tocsc()
        least = [-upper.ub, *(np.broadcast_to(c.lb, c.A.shape[0]) for c in lower)]
        return (
            LinearConstraint(equal.A.tocsc(), equal.lb, equal.ub),
            LinearConstraint(matrix, np.concatenate(least), np.inf),
        )

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        low, high = self.region.build_bounds()
        lower = np.concatenate([low, np.zeros(self.size - len(low))])
        free = np.full(self.size - self.bad, np.inf)
        return lower, np.concatenate([high, self.benefit.width.ravel(), free])

    @cached_property
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

    @cached_property
    def _fixed_rows(self) -> list[LinearConstraint]:
        rows = [self._widen(c) for c in self.region.build_constraints()]
        return [*rows, self._build_pieces(), *([self._build_worst_areas()] if self.goal.aims.equity else [])]

    def _widen(self, one: LinearConstraint) -> LinearConstraint:
        empty = sparse.csr_array((one.A.shape[0], self.size - self.first))
        return LinearConstraint(sparse.csr_array(sparse.hstack([one.A, empty])), one.lb, one.ub)

    def _build_pieces(self) -> LinearConstraint:
        """Fill the pieces of an area and kind with no more than the capacity that reaches it."""
        areas, kinds, pieces = self.benefit.width.shape
        offered = sparse.vstack([self.region.build_capacity(np.arange(kinds) == at) for at in range(kinds)])
        filled = sparse.kron(sparse.eye_array(areas * kinds), np.ones((1, pieces)))
        by_kind = np.arange(areas * kinds).reshape(areas, kinds).T.ravel()
        rest = sparse.csr_array((areas * kinds, self.size - self.bad))
        matrix = sparse.hstack([offered, -sparse.csr_array(filled)[by_kind], rest])
        return LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)

    def _build_worst_areas(self) -> LinearConstraint:
        """Give each area's shortfall under the level of the worst-off: level - shortfall <= share met."""
        areas, kinds, pieces = self.benefit.width.shape
        need = np.maximum(self.goal.share * self.goal.total, 1e-9)
        slope = self.benefit.average().reshape(areas, kinds * pieces) / need[:, None]
        row = np.repeat(np.arange(areas), kinds * pieces)
        share = sparse.coo_array((slope.ravel(), (row, np.arange(row.size))), shape=(areas, row.size))
        before = sparse.csr_array((areas, self.first))
        rest = [np.zeros((areas, 1)), -np.ones((areas, 1)), sparse.eye_array(areas)]
        return LinearConstraint(sparse.csr_array(sparse.hstack([before, share, *rest])), 0.0, np.inf)

    def _build_worst_cases(self) -> list[LinearConstraint]:
        """Hold the bad cases below the mean under each weighing of draws."""
        rows = [np.append(self.benefit.average(q).ravel(), -1.0) for q in self.weighings]
        if not rows:
            return []
        before = sparse.csr_array((len(rows), self.first))
        after = sparse.csr_array((len(rows), self.size - self.level))
        matrix = sparse.hstack([before, np.array(rows), after])
        return [LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)]
