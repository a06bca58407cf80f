"""The mixed-integer programme over pieces of capacity: columns, rows, and its relaxed and whole solutions.

Columns: flows and units (the region), pieces of capacity of each area and kind, one column for the worst
cases, one for the level of the worst-served areas, and the shortfall of each area below that level. The mean of the
worst cases (CVaR) is the smallest mean over all weighings of the d draws, which give each draw at most the weight
1 / (0.1 d). A weighing is one row over the same pieces. The programme starts with few weighings and adds the most
violated one until none is violated, so that its size does not depend on the number of draws. Equations:
docs/planner.md (33) to (36).

A large country has tens of thousands of flows, of which a plan uses dozens. The relaxation starts with the
cheapest flows from and to each site and adds those with a negative reduced cost until none is missing (column
generation). The whole-number programme then uses the flows with the lowest reduced costs. The relaxation
bounds what the others could gain, eq. (38), so the gap holds for all flows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog

from data.workspace.types import Bools, Floats, Ints
from risk.planning.benefit import WORST_AREAS, Benefit, weigh_worst_draws
from risk.planning.constraints import MANY, Region, Timer, solve_milp
from risk.planning.objective import Goal

_NEAREST = 5  # to and from each site, to begin with
_SLACK = 1e-4  # of the need met, by which a weighing must be violated to be added
_ZERO = 1e-7
_FRESH = MANY // 2  # flows added at once, those with the lowest reduced costs
_ROUNDS = 50  # of adding flows
_OPEN = 1e-5  # of the goal, that flows left out may gain
_INFEASIBLE = 2  # status of scipy.optimize.linprog


@dataclass(eq=False)
class Programme:
    """The programme of a region, a goal and its benefit in pieces; it minimises the negative of the goal.

    weighings : weights of the draws, (d,) each; each adds one row that limits the worst cases. flows : whether each
    flow is a column of the programme, (F,). bound : lower bound of the costs from the relaxations. others : lower
    bound of the costs of a layout that uses any flow outside the programme.
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
        self.error = self.goal.bound_error(self.benefit.error)
        self.flows = self._choose_nearest()

    @property
    def large(self) -> bool:
        """Whether there are too many flows for one programme."""
        return bool(self.region.flows.shape[1] > MANY)

    def compute_gap(self, units: Ints, flows: Ints, outings: Floats, bound: float) -> float:
        """Return the most by which any layout can be better than this one, relative, docs/planner.md eq. (37).

        The value is that on the exact curves; to `bound`, the lower bound of the costs on the pieces, their error is
        added. units : (S, K). flows : (F,). outings : (D,).
        """
        value = self.goal.compute_value(units, float(self.region.cost @ flows), outings)
        return max(0.0, self.error - bound - value) / max(abs(value), 1e-9)

    def _compute_served(self, units: Ints, outings: Floats) -> Floats:
        capacity = self.region.posts.compute_capacity(units, outings)[..., None]
        before = np.cumsum(self.benefit.width, axis=-1) - self.benefit.width
        filled = np.clip(capacity - before, 0.0, self.benefit.width)
        return np.asarray((self.benefit.slope * filled).sum(axis=-1))

    def solve_whole(self, timer: Timer, gap: float, near: tuple[Floats, int] | None = None) -> OptimizeResult:
        """Minimise the costs with whole units, over the flows of the programme; return the solver's result.

        Its `x` has all columns; it is None if no solution was found in time. near : the columns of a relaxed solution
        and a number n; then the units of a kind at a site are at least the solution rounded down, minus n, and at most
        the solution rounded up, plus n.
        """
        columns = self._columns
        integral = np.zeros(self.size)
        integral[self.region.unit_columns] = 1.0
        low, high = (bound.copy() for bound in self._bounds)
        if near is not None:
            units = self.region.unit_columns
            low[units] = np.maximum(np.floor(near[0][units] + _ZERO) - near[1], low[units])
            high[units] = np.minimum(np.ceil(near[0][units] - _ZERO) + near[1], high[units])
        rows = [LinearConstraint(c.A[:, columns], c.lb, c.ub) for c in [*self._fixed_rows, *self._build_worst_cases()]]
        bounds = Bounds(low[columns], high[columns])
        result = solve_milp(self._costs[columns], rows, bounds, integral[columns], timer, gap)
        if result.x is not None:
            full = np.zeros(self.size)
            full[columns] = result.x
            result.x = full
        return result

    def solve_relaxed(self, timer: Timer, rounds: int = _ROUNDS) -> Floats | None:
        """Minimise the costs without whole numbers; return the solution, (columns,), or None.

        None means that there is no solution, or that none was found in time. Flows are added to the programme until all
        missing flows together could gain almost nothing. Then the flows with the lowest reduced costs are kept. If the
        time or the rounds end before this, the last solution is returned. `bound` is updated.
        """
        flows, answer = self.region.flows.shape[1], None
        equal, least = self._split_rows()
        for _ in range(rounds):
            columns = self._columns
            result = self._solve_linear(equal, least, columns, timer)
            if result.status == _INFEASIBLE and not self.flows.all():
                self.flows[:] = True
                continue
            if result.status != 0:
                break
            reduced = self._costs[:flows] - equal.A[:, :flows].T @ result.eqlin.marginals
            reduced += least.A[:, :flows].T @ result.ineqlin.marginals
            missing = (reduced < -_ZERO) & ~self.flows
            open_to = self._bound_missing(np.where(missing, reduced, 0.0))
            self.bound = max(self.bound, float(result.fun) - open_to)
            answer = np.zeros(self.size)
            answer[columns] = result.x
            if open_to <= _OPEN * abs(float(result.fun)):
                self._keep_best_flows(reduced, float(result.fun) - open_to)
                return answer
            self.flows[np.argsort(reduced, kind="stable")[:_FRESH]] = True
        return answer

    def _solve_linear(
        self, equal: LinearConstraint, least: LinearConstraint, columns: Ints, timer: Timer
    ) -> OptimizeResult:
        low, high = self._bounds
        return linprog(
            self._costs[columns],
            A_ub=-least.A[:, columns],
            b_ub=-least.lb,
            A_eq=equal.A[:, columns],
            b_eq=equal.lb,
            bounds=np.column_stack([low[columns], high[columns]]),
            method="highs-ipm" if self.large else "highs",  # twice as fast there
            options={"time_limit": timer.remaining},
        )

    def _bound_missing(self, reduced: Floats) -> float:
        """Return the most that missing flows could gain together, docs/planner.md eq. (38).

        reduced : reduced costs, (F,), none above 0. No more units leave a site than stand there, and no more
        move than the rules allow.
        """
        posts, (start, _, kind) = self.region.posts, self.region.flows
        best = np.zeros(posts.units.shape)
        np.minimum.at(best, (start, kind), reduced)
        brings = float(-(best * posts.units).sum())
        moves = self.region.rules.moves
        return brings if moves is None else min(brings, -moves * float(reduced.min(initial=0.0)))

    def add_weighing(self, answer: Floats) -> bool:
        """Add the weighing that a solution, (columns,), violates most, docs/planner.md eq. (34).

        Return whether there is one.
        """
        pieces = answer[self.first : self.bad].reshape(self.benefit.width.shape)
        by_draw = np.tensordot(self.benefit.slope, pieces, axes=3)
        worst = weigh_worst_draws(by_draw)
        if answer[self.bad] <= worst @ by_draw + _SLACK * abs(float(by_draw.mean())):
            return False
        self.weighings.append(worst)
        return True

    def add_worst_weighing(self, units: Ints, outings: Floats) -> bool:
        """Add the worst weighing for units, (S, K), and outings, (D,), if it is new; return whether it is."""
        worst = weigh_worst_draws(self._compute_served(units, outings).sum(axis=(1, 2)))
        known = any(np.allclose(worst, weighing) for weighing in self.weighings)
        if not known:
            self.weighings.append(worst)
        return not known

    def _keep_best_flows(self, reduced: Floats, value: float) -> None:
        """Keep the flows with the lowest reduced costs, (F,), and set `others` from `value`, the bound of the costs."""
        order = np.argsort(reduced, kind="stable")
        self.flows = np.zeros(len(reduced), dtype=bool)
        self.flows[order[:MANY]] = True
        self.others = value + float(reduced[order[MANY]]) if len(reduced) > MANY else np.inf

    def _choose_nearest(self) -> Bools:
        start, end, kind = self.region.flows
        chosen = np.ones(len(start), dtype=bool)
        if self.large:
            chosen[:] = False
            for side in (start, end):
                order = np.lexsort((self.region.cost, kind, side))
                place = np.stack([side, kind])[:, order]
                fresh = np.append(True, (np.diff(place, axis=1) != 0).any(axis=0))
                begins = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
                chosen[order[np.arange(len(order)) - begins < _NEAREST]] = True
        return chosen

    @property
    def _columns(self) -> Ints:
        flows = self.region.flows.shape[1]
        return np.append(np.flatnonzero(self.flows), np.arange(flows, self.size))

    def _split_rows(self) -> tuple[LinearConstraint, LinearConstraint]:
        """Return the rows that are equalities, and all other rows, each with a lower bound."""
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
        """Costs of the columns, docs/planner.md eq. (36)."""
        aims, costs = self.goal.aims, np.zeros(self.size)
        many = 1.0 - aims.equity
        costs[: len(self.region.cost)] = self.goal.price_flows(self.region.flows, self.region.cost)
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

    def _widen(self, constraint: LinearConstraint) -> LinearConstraint:
        empty = sparse.csr_array((constraint.A.shape[0], self.size - self.first))
        wider = sparse.csr_array(sparse.hstack([constraint.A, empty]))
        return LinearConstraint(wider, constraint.lb, constraint.ub)

    def _build_pieces(self) -> LinearConstraint:
        """Build the rows: the pieces of an area and kind take no more than its capacity, docs/planner.md eq. (33)."""
        areas, kinds, pieces = self.benefit.width.shape
        before = sparse.csr_array((areas * kinds, self.region.flows.shape[1]))
        filled = sparse.kron(sparse.eye_array(areas * kinds), np.ones((1, pieces)))
        rest = sparse.csr_array((areas * kinds, self.size - self.bad))
        matrix = sparse.hstack([before, self.region.posts.capacity_matrix, -filled, rest])
        return LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)

    def _build_worst_areas(self) -> LinearConstraint:
        """Build the rows level - shortfall <= share of need met by area, docs/planner.md eq. (35)."""
        areas, kinds, pieces = self.benefit.width.shape
        need = np.maximum(self.goal.share * self.goal.total, 1e-9)
        slope = self.benefit.average().reshape(areas, kinds * pieces) / need[:, None]
        row = np.repeat(np.arange(areas), kinds * pieces)
        share = sparse.coo_array((slope.ravel(), (row, np.arange(row.size))), shape=(areas, row.size))
        before = sparse.csr_array((areas, self.first))
        rest = [np.zeros((areas, 1)), -np.ones((areas, 1)), sparse.eye_array(areas)]
        return LinearConstraint(sparse.csr_array(sparse.hstack([before, share, *rest])), 0.0, np.inf)

    def _build_worst_cases(self) -> list[LinearConstraint]:
        """Build the rows: worst cases <= mean under each weighing of the draws, docs/planner.md eq. (34)."""
        rows = [np.append(self.benefit.average(q).ravel(), -1.0) for q in self.weighings]
        if not rows:
            return []
        before = sparse.csr_array((len(rows), self.first))
        after = sparse.csr_array((len(rows), self.size - self.level))
        matrix = sparse.hstack([before, np.array(rows), after])
        return [LinearConstraint(sparse.csr_array(matrix), 0.0, np.inf)]
