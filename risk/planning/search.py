"""A layout at any size: a whole one near the relaxation, made better move by move.

The whole-number programme over pieces may take longer than there is for its first answer. So the whole units
nearest to the relaxation are found by the rules alone, with a value for each unit that is what it adds at
the relaxation; that programme has no pieces and is quick. Then moves are added, taken back and put in place
of one another as long as that helps by the true goal. What every change would add is estimated to second
order, for all of them at once; those that should help are tried, the most promising first.
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

Layout = tuple[Ints, Ints]  # units (S, K) and flows (F,)

_NEAR = (0, 1, 3)  # units from the relaxation, rounded down and up
_FIRST = 0.3  # of the time left, for each of those
_GAP = 1e-2  # of that first programme: the search does the rest
_OTHERS = 40  # moves that are tried in the place of each
_TRIED = 4000  # changes in a pass
_STALE = 200  # that fail in a row, after some that helped
_LEAST = 1e-9  # of the goal, that a change must add
_TOLERANCE = 1e-7
_NONE = -1


def find_nearest_whole(
    region: Region, goal: Goal, relaxed: Floats, looked: Ints, timer: Timer
) -> Layout | None:
    """Find whole units that keep all rules near an answer of the relaxation; None where there are none.

    `relaxed` are columns of the region, flows and units; `looked` are the flows to look at.
    """
    flows = len(region.cost)
    units = relaxed[flows : region.size]
    slope, _ = goal.compute_slopes(
        region.posts.compute_capacity(np.asarray(units.reshape(region.posts.units.shape)))
    )
    worth = region.posts.reach.T @ slope * _list_children(region)
    costs = np.append(goal.price * region.cost, -worth.ravel())
    kept = np.append(looked, np.arange(flows, region.size))
    rows = [LinearConstraint(c.A[:, kept], c.lb, c.ub) for c in region.build_constraints()]
    whole = np.ones(len(kept))
    for near in _NEAR:
        low, high = region.build_bounds()
        low[flows:] = np.maximum(np.floor(units + _TOLERANCE) - near, low[flows:])
        high[flows:] = np.minimum(np.ceil(units - _TOLERANCE) + near, high[flows:])
        bounds = Bounds(low[kept], high[kept])
        found = solve_milp(costs[kept], rows, bounds, whole, timer.split(_FIRST), _GAP)
        if found.x is not None:
            made = np.zeros(flows, np.int64)
            made[looked] = np.rint(found.x[: len(looked)]).astype(np.int64)
            reached = region.lay_out(made)
            return None if region.find_broken(made, reached) else (reached, made)
    return None


def _list_children(region: Region) -> Floats:
    return np.array([kind.children for kind in region.posts.kinds])


def _find_highest(values: Floats, least: float) -> Ints:
    """Give the places of the highest values above `least`, a few at most."""
    few = np.argpartition(-values, _OTHERS)[:_OTHERS] if len(values) > _OTHERS else np.arange(len(values))
    return np.asarray(few[values[few] > least])


@dataclass(eq=False)
class Search:
    """A layout that is made better; `units` (S, K) and `flows` (F,) are changed in place."""

    region: Region
    goal: Goal
    units: Ints
    flows: Ints

    def __post_init__(self) -> None:
        rows, posts = self.region.rows, self.region.posts
        self._matrix = sparse.csc_array(sparse.vstack([row.matrix for row in rows]))
        least = np.concatenate([row.least for row in rows])
        self._spare = self._matrix @ self.region.join_columns(self.flows, self.units) - least
        self._capacity = posts.compute_capacity(self.units)
        self._served = compute_met(self.goal.need, self._capacity)
        self._by_draw = self._served.sum(axis=(1, 2))
        self._by_area = self._served.sum(axis=2).mean(axis=0)
        self._spent = float(self.region.cost @ self.flows)
        self.value = self.goal.weigh(self._by_draw, self._by_area, self._spent)

    def run(self, timer: Timer) -> None:
        """Make it better until nothing that is tried helps, or the time is up."""
        while self._run_pass(timer) and not timer.over:
            pass

    def _run_pass(self, timer: Timer) -> bool:
        """Try what could help, the most promising first; say whether anything did.

        What was estimated is of the layout before: once changes fail in a row, it is time for new estimates.
        """
        helped, failed = False, 0
        for back, put in self._list_candidates():
            if timer.over or (helped and failed > _STALE):
                break
            if back == _NONE or self.flows[back]:
                done = self._try_change(back, put)
                helped, failed = helped or done, 0 if done else failed + 1
        return helped

    def _list_candidates(self) -> list[tuple[int, int]]:
        """List changes that should help: the flow of which one unit is taken back, that which gets one."""
        alone, joint = self._estimate_changes()
        money = self._compute_remaining()
        least = _LEAST * max(abs(self.value), 1.0)
        changes = [(float(alone[put]), _NONE, int(put)) for put in _find_highest(alone, least)]
        for back in np.flatnonzero(self.flows):
            less, both = joint(int(back))
            changes += [(less, int(back), _NONE)] if less > least else []
            both[self.region.cost > money + self.region.cost[back] + _TOLERANCE] = -np.inf
            both[back] = -np.inf
            changes += [(float(both[put]), int(back), int(put)) for put in _find_highest(both, least)]
        changes.sort(key=lambda one: -one[0])
        return [(back, put) for _, back, put in changes[:_TRIED]]

    def _estimate_changes(self) -> tuple[Floats, Callable[[int], tuple[float, Floats]]]:
        """Estimate to second order what changes add: one more of each flow, (F,), and with one taken back."""
        posts, (start, end, kind) = self.region.posts, self.region.flows
        slope, falls = self.goal.compute_slopes(self._capacity)
        children, paid = _list_children(self.region), self.goal.price * self.region.cost
        first = (posts.reach.T @ slope * children)[:, kind]
        bend = (
            np.stack([posts.reach.T @ (f[:, None] * posts.reach) for f in falls.T])
            * (children**2)[:, None, None]
        )
        at = np.arange(len(kind))
        gains = first[end, at] - first[start, at] - paid
        own = bend[kind, end, end] - 2.0 * bend[kind, start, end] + bend[kind, start, start]

        def joint(back: int) -> tuple[float, Floats]:
            row = bend[kind[back], end[back]] - bend[kind[back], start[back]]
            cross = np.where(kind == kind[back], row[end] - row[start], 0.0)
            less = -gains[back] + 0.5 * own[back]
            return float(less), less + gains + 0.5 * own - cross

        return gains + 0.5 * own, joint

    def _compute_remaining(self) -> float:
        budget = self.region.rules.budget
        return np.inf if budget is None else budget - self._spent

    def remove_idle_moves(self) -> None:
        """Take back, one after the other, moves that bring nothing and that no rule asks for."""
        taken = True
        while taken:
            tried = [self._try_change(int(at), _NONE, -_LEAST) for at in np.flatnonzero(self.flows)]
            taken = any(tried)

    def _try_change(self, back: int, put: int, least: float = _LEAST) -> bool:
        """Make a change if the rules allow it and it adds so much of the goal."""
        steps = [(at, by) for at, by in ((back, -1), (put, 1)) if at != _NONE]
        column = self._compute_row_change(steps)
        spare = self._spare + column
        if (spare < np.minimum(self._spare, -_TOLERANCE)).any():
            return False
        capacity = self._capacity.copy()
        posts, spent = self.region.posts, self._spent
        for at, by in steps:
            start, end, kind = self.region.flows[:, at]
            change = posts.reach[:, end] - posts.reach[:, start]
            capacity[:, kind] += by * posts.kinds[kind].children * change
            spent += by * float(self.region.cost[at])
        touched = np.flatnonzero((capacity != self._capacity).any(axis=1))
        served = compute_met(self.goal.need[:, touched], np.maximum(capacity[touched], 0.0))
        more = served - self._served[:, touched]
        by_draw, by_area = self._by_draw + more.sum(axis=(1, 2)), self._by_area.copy()
        by_area[touched] += more.sum(axis=2).mean(axis=0)
        value = self.goal.weigh(by_draw, by_area, spent)
        if value <= self.value + least * max(abs(self.value), 1.0):
            return False
        for at, by in steps:
            start, end, kind = self.region.flows[:, at]
            self.flows[at] += by
            self.units[start, kind] -= by
            self.units[end, kind] += by
        self._served[:, touched] = served
        self._spare, self._capacity, self._spent, self.value = spare, capacity, spent, value
        self._by_draw, self._by_area = by_draw, by_area
        return True

    def _compute_row_change(self, steps: list[tuple[int, int]]) -> Floats:
        """Give what steps change in every row of the rules."""
        flows, kinds = len(self.flows), len(self.region.posts.kinds)
        places, by = list[int](), list[float]()
        for at, step in steps:
            start, end, kind = (int(one) for one in self.region.flows[:, at])
            places += [at, flows + end * kinds + kind, flows + start * kinds + kind]
            by += [step, step, -step]
        return np.asarray(self._matrix[:, places] @ np.array(by, dtype=float))
