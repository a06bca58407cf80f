"""A layout of any size: whole units near the relaxation, improved move by move.

The first solution of the whole-number programme over pieces may take longer than the time allows. So whole units near
the relaxation are found by a programme that has the rules but no pieces, and is quick. In it, the value of a unit is
what one more unit adds at the relaxation, docs/planner.md eq. (40). Then moves are added, taken back and swapped as
long as the exact goal grows. The gain of every change is estimated to second order, eq. (39), for all changes at once,
and those with the best estimates are tried first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from data.workspace.types import Floats, Ints
from risk.planning.benefit import compute_met
from risk.planning.constraints import Region, Timer, solve_milp
from risk.planning.objective import Goal

Layout = tuple[Ints, Ints, Floats]  # units (S, K), flows (F,) and outings (D,)

_NEAR = (0, 1, 3)  # how many units a site may differ from the relaxation, rounded down and up
_FIRST = 0.3  # of the time left, for each of these
_GAP = 1e-2  # of that first programme: the search does the rest
_OTHERS = 40  # moves that are tried instead of each
_TRIED = 4000  # changes in one pass
_STALE = 200  # failures in a row after which the estimates are out of date
_LEAST = 1e-9  # smallest gain of a change, relative to the goal
_TOLERANCE = 1e-7
_NONE = -1


def find_nearest_whole(region: Region, goal: Goal, relaxed: Floats, usable: Ints, timer: Timer) -> Layout | None:
    """Find whole units near a relaxation that keep all rules, docs/planner.md eq. (40); None if none are found in time.

    relaxed : flows and units of the relaxation, (columns,). usable : indices of the flows to use.
    """
    flows = len(region.cost)
    posts, units = region.posts, relaxed[region.unit_columns]
    outings = relaxed[region.unit_columns.stop : region.size]
    slope, _ = goal.compute_slopes(posts.compute_capacity(units, outings))
    costs = np.append(goal.price_flows(region.flows, region.cost), -(posts.capacity_matrix.T @ slope.ravel()))
    columns = np.append(usable, np.arange(flows, region.size))
    rows = [LinearConstraint(c.A[:, columns], c.lb, c.ub) for c in region.build_constraints()]
    whole = np.append(np.ones(len(columns) - len(outings)), np.zeros(len(outings)))
    for near in _NEAR:
        low, high = region.build_bounds()
        whole_units = region.unit_columns
        low[whole_units] = np.maximum(np.floor(units + _TOLERANCE) - near, low[whole_units])
        high[whole_units] = np.minimum(np.ceil(units - _TOLERANCE) + near, high[whole_units])
        bounds = Bounds(low[columns], high[columns])
        result = solve_milp(costs[columns], rows, bounds, whole, timer.split(_FIRST), _GAP)
        if result.x is not None:
            whole_flows = np.zeros(flows, np.int64)
            whole_flows[usable] = np.rint(result.x[: len(usable)]).astype(np.int64)
            layout, away = region.lay_out(whole_flows), result.x[len(result.x) - len(outings) :]
            return None if region.find_broken(whole_flows, layout, away) else (layout, whole_flows, away)
    return None


def _find_highest(values: Floats, least: float) -> Ints:
    """Return the indices of the highest values, at most 40, that are larger than `least`."""
    few = np.argpartition(-values, _OTHERS)[:_OTHERS] if len(values) > _OTHERS else np.arange(len(values))
    return np.asarray(few[values[few] > least])


@dataclass(eq=False)
class Search:
    """A layout that is improved: `units`, (S, K), and `flows`, (F,), in place; `outings`, (D,), stay as they are."""

    region: Region
    goal: Goal
    units: Ints
    flows: Ints
    outings: Floats

    def __post_init__(self) -> None:
        rows, posts, away = self.region.rows, self.region.posts, self.region.build_outings()
        self._matrix = sparse.csc_array(sparse.vstack([*(row.matrix for row in rows), away]))
        least = np.concatenate([*(row.least for row in rows), np.zeros(away.shape[0])])
        self._spare = self._matrix @ self.region.join_columns(self.flows, self.units, self.outings) - least
        self._capacity = posts.compute_capacity(self.units, self.outings)
        self._served = compute_met(self.goal.need, self._capacity)
        self._by_draw = self._served.sum(axis=(1, 2))
        self._by_area = self._served.sum(axis=2).mean(axis=0)
        self._spent = float(self.region.cost @ self.flows)
        self.value = self.goal.weigh(self._by_draw, self._by_area, self._spent) - self.goal.compute_loss(self.units)

    def run(self, timer: Timer) -> None:
        """Improve the layout until no change that is tried helps, or the time is up."""
        while self._run_pass(timer) and not timer.over:
            pass

    def _run_pass(self, timer: Timer) -> bool:
        """Try the candidates, best estimated gain first; return whether any of them improved the layout.

        The estimates belong to the earlier layout. After many failures in a row, new estimates are needed.
        """
        helped, failed = False, 0
        for donor, receiver in self._list_candidates():
            if timer.over or (helped and failed > _STALE):
                break
            if donor == _NONE or self.flows[donor]:
                success = self._try_change(donor, receiver)
                helped, failed = helped or success, 0 if success else failed + 1
        return helped

    def _list_candidates(self) -> list[tuple[int, int]]:
        """List candidate changes (flow that loses a unit, flow that gains one), best estimated gain first.

        Either flow may be _NONE.
        """
        alone, joint = self._estimate_changes()
        budget = self.region.rules.budget
        money = np.inf if budget is None else budget - self._spent
        least = _LEAST * max(abs(self.value), 1.0)
        # The goal has kinks, so that a single move may gain although its estimate does not.
        changes = [
            (float(alone[receiver]), _NONE, int(receiver)) for receiver in np.argsort(-alone, kind="stable")[:_STALE]
        ]
        for donor in np.flatnonzero(self.flows):
            less, both = joint(int(donor))
            changes.append((less, int(donor), _NONE))
            both[self.region.cost > money + self.region.cost[donor] + _TOLERANCE] = -np.inf
            both[donor] = -np.inf
            changes += [(float(both[receiver]), int(donor), int(receiver)) for receiver in _find_highest(both, least)]
        changes.sort(key=lambda change: -change[0])
        return [(donor, receiver) for _, donor, receiver in changes[:_TRIED]]

    def _estimate_changes(self) -> tuple[Floats, Callable[[int], tuple[float, Floats]]]:
        """Estimate the gain of one more unit on each flow, (F,), docs/planner.md eq. (39).

        The second value is a function of a flow `donor`. It returns the gain of one unit less on it, and of a swap with
        one more unit on each flow, (F,).
        """
        posts, (start, end, kind) = self.region.posts, self.region.flows
        slope, falls = self.goal.compute_slopes(self._capacity)
        paid = self.goal.price_flows(self.region.flows, self.region.cost)
        first = (posts.capacity_matrix.T @ slope.ravel())[: posts.units.size].reshape(posts.units.shape)
        bend = np.stack([reach.T @ (f[:, None] * reach) for f, reach in zip(falls.T, posts.reach, strict=True)])
        bend *= (posts.children**2)[:, None, None]
        gains = first[end, kind] - first[start, kind] - paid
        curved = bend[kind, end, end] - 2.0 * bend[kind, start, end] + bend[kind, start, start]

        def joint(donor: int) -> tuple[float, Floats]:
            row = bend[kind[donor], end[donor]] - bend[kind[donor], start[donor]]
            cross = np.where(kind == kind[donor], row[end] - row[start], 0.0)
            less = -gains[donor] + 0.5 * curved[donor]
            return float(less), less + gains + 0.5 * curved - cross

        return gains + 0.5 * curved, joint

    def remove_idle_moves(self) -> None:
        """Remove, one by one, moves that add nothing to the goal, unless a rule needs them."""
        while any(self._try_change(int(flow), _NONE, -_LEAST) for flow in np.flatnonzero(self.flows)):
            pass

    def _try_change(self, donor: int, receiver: int, least: float = _LEAST) -> bool:
        """Make a change if the rules allow it and the exact goal grows by more than `least`, as a share of the goal.

        donor, receiver : flows that lose and gain a unit, or _NONE. Return whether the change was made.
        """
        steps = [(flow, by) for flow, by in ((donor, -1), (receiver, 1)) if flow != _NONE]
        column = self._compute_row_change(steps)
        spare = self._spare + column
        if (spare < np.minimum(self._spare, -_TOLERANCE)).any():
            return False
        capacity = self._capacity.copy()
        posts, spent, units = self.region.posts, self._spent, self.units.copy()
        for flow, by in steps:
            start, end, kind = self.region.flows[:, flow]
            change = posts.reach[kind, :, end] - posts.reach[kind, :, start]
            capacity[:, kind] += by * posts.kinds[kind].children * change
            spent += by * float(self.region.cost[flow])
            units[start, kind] -= by
            units[end, kind] += by
        touched = np.flatnonzero((capacity != self._capacity).any(axis=1))
        served = compute_met(self.goal.need[:, touched], np.maximum(capacity[touched], 0.0))
        more = served - self._served[:, touched]
        by_draw, by_area = self._by_draw + more.sum(axis=(1, 2)), self._by_area.copy()
        by_area[touched] += more.sum(axis=2).mean(axis=0)
        value = self.goal.weigh(by_draw, by_area, spent) - self.goal.compute_loss(units)
        if value <= self.value + least * max(abs(self.value), 1.0):
            return False
        for flow, by in steps:
            self.flows[flow] += by
        self.units[:] = units
        self._served[:, touched] = served
        self._spare, self._capacity, self._spent, self.value = spare, capacity, spent, value
        self._by_draw, self._by_area = by_draw, by_area
        return True

    def _compute_row_change(self, steps: list[tuple[int, int]]) -> Floats:
        """Return the change in every row of the rules, (rows,), that the steps (flow, units) cause."""
        flows, kinds = len(self.flows), len(self.region.posts.kinds)
        places, by = list[int](), list[float]()
        for flow, step in steps:
            start, end, kind = map(int, self.region.flows[:, flow])
            places += [flow, flows + end * kinds + kind, flows + start * kinds + kind]
            by += [step, step, -step]
        return np.asarray(self._matrix[:, places] @ np.array(by, dtype=float))
