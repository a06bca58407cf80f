"""Finding the best layout: relaxed first where it helps, then with whole units, then freed of idle moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult

from risk._plan_benefit import Benefit, met, worst_mean
from risk._plan_goal import Goal
from risk._plan_pieces import Programme
from risk._plan_program import Region, Timer
from risk._plan_terms import Solver

__all__ = ["Progress", "Solved", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Layout = tuple[Ints, Ints]  # units (S, K) and flows (F,)
Progress = Callable[[int, int | None, str], None]

_RELAXED, _WHOLE = 30, 6  # the most rounds of weighings, before and with whole units
_NEAR, _PATIENCE = (1, 3), 0.6  # units from the relaxation, and the part of the time left for each


@dataclass(frozen=True, eq=False)
class Solved:
    """A layout, (S, K), and flows, (F,), and what is known of them.

    gap : how much better any other could be, relative, as far as the solver came; inf where it found none.
    """

    units: Ints
    flows: Ints
    gap: float
    proven: bool


def solve(region: Region, goal: Goal, how: Solver, tell: Progress) -> Solved | None:
    """Find the best layout within the time; None where the solver found none at all.

    Today's posts are an answer too, where the rules allow them.
    """
    timer = Timer(how.seconds)
    programme = _programme(region, goal, how)
    relaxed = None
    if goal.aims.robustness or programme.large:
        tell(0, None, "Looking for the bad cases")
        relaxed = _relaxed(programme, timer)
    best, bound = _rounded_down(programme, relaxed), programme.bound
    for _ in range(_WHOLE):
        if _gap(programme, best, bound) <= how.gap:
            break
        tell(1, None, "Choosing moves")
        found, bound = _whole(programme, relaxed, timer, how.gap)
        if found.x is None:
            break
        best = _better(region, goal, best, _units(region, found.x))
        if timer.over or not (goal.aims.robustness and programme.learn(found.x)):
            break
    if best is None:
        return None
    gap = _gap(programme, best, bound)
    return _settled(region, goal, best, gap, proven=bool(gap <= 1.01 * how.gap))


def _rounded_down(programme: Programme, relaxed: Floats | None) -> Layout | None:
    """Give the whole part of a large relaxation's flows, where that keeps the rules: better than nothing."""
    if not programme.large or relaxed is None:
        return None
    region = programme.region
    flows = np.floor(relaxed[: region.flows.shape[1]] + 1e-7).astype(np.int64)
    units = region.units(flows)
    return None if region.broken(flows, units) else (units, flows)


def _gap(programme: Programme, best: Layout | None, bound: float) -> float:
    """Give how much better than a layout any can be, relative, on the pieces."""
    if best is None:
        return np.inf
    value = programme.value(*best)
    return max(0.0, -bound - value) / max(abs(value), 1e-9)


def _relaxed(programme: Programme, timer: Timer) -> Floats | None:
    """Solve the relaxation until no weighing of draws is missing; None where it has no answer in time."""
    answer = None
    for _ in range(_RELAXED):
        found = programme.relaxed(timer)
        if found.x is None or timer.over:
            break
        answer = np.asarray(found.x)
        if not programme.goal.aims.robustness or not programme.learn(answer):
            break
    return answer


def _whole(
    programme: Programme, relaxed: Floats | None, timer: Timer, gap: float
) -> tuple[OptimizeResult, float]:
    """Solve with whole units; give the answer and what no other can fall below.

    A large programme looks near its relaxation first, where good answers are, for most of the time.
    """
    if programme.large and relaxed is not None:
        for near in _NEAR:
            found = programme.whole(timer.part(_PATIENCE), gap, (relaxed, near))
            if found.x is not None:
                return found, programme.bound
    found = programme.whole(timer, gap)
    proven = found.mip_dual_bound if found.x is not None else None
    if proven is None or not programme.large:
        return found, programme.bound if proven is None else float(proven)
    return found, max(programme.bound, min(float(proven), programme.others))


def _programme(region: Region, goal: Goal, how: Solver) -> Programme:
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
    programme = Programme(region, goal, Benefit.of(goal.need, most, how.pieces))
    if goal.aims.robustness:
        today = met(goal.need, posts.capacity(posts.units)).sum(axis=(1, 2))
        programme.weighings.append(worst_mean(today))
    return programme


def _units(region: Region, found: Floats) -> Ints:
    units = np.rint(found[region.flows.shape[1] : region.size])
    return units.astype(np.int64).reshape(region.posts.units.shape)


def _better(region: Region, goal: Goal, best: Layout | None, units: Ints) -> Layout | None:
    flows = region.cheapest(units)
    if flows is None:
        return best
    if best is None or _value(region, goal, best) < _value(region, goal, (units, flows)):
        return units, flows
    return best


def _value(region: Region, goal: Goal, layout: Layout) -> float:
    return goal.value(layout[0], float(region.cost @ layout[1]))


def _settled(region: Region, goal: Goal, best: Layout, gap: float, proven: bool) -> Solved:
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
