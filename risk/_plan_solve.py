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
from risk._plan_search import Search, nearest_whole
from risk._plan_terms import Solver

__all__ = ["Progress", "Solved", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Layout = tuple[Ints, Ints]  # units (S, K) and flows (F,)
Progress = Callable[[int, int | None, str], None]

_RELAXED, _WHOLE = 30, 6  # the most rounds of weighings, before and with whole units
_NEAR, _PATIENCE = (1, 3), 0.6  # units from the relaxation, and the part of the time left for each
_BOUND = 0.6  # of the time, at most, for the first relaxation
_LATE = 0.1  # of the time, once it is up, to find any layout at all
_OUT_OF_TIME = 1  # scipy.optimize.milp's word for it


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
    best, relaxed = None, None
    if programme.large:
        tell(0, None, "Looking near what could be")
        best, relaxed = _searched(programme, timer, how.gap)
    elif goal.aims.robustness:
        tell(0, None, "Looking for the bad cases")
        relaxed = _relaxed(programme, timer)
    bound, late = programme.bound, False
    for _ in range(_WHOLE):
        if _gap(programme, best, bound) <= how.gap or (timer.over and best is not None):
            break
        tell(1, None, "Choosing moves")
        found, bound = _whole(programme, relaxed, timer, how.gap)
        late = found.status == _OUT_OF_TIME
        if found.x is None:
            break
        best = _better(programme, best, _units(region, found.x))
        if timer.over or not (goal.aims.robustness and programme.learn(found.x)):
            break
    if best is None and late:
        best = _improved(programme, relaxed, Timer(_LATE * how.seconds))
    if best is None:
        return None
    gap = _gap(programme, best, bound)
    settled = Search(region, goal, *best)
    settled.settle()
    return Solved(settled.units, settled.flows, gap, proven=bool(gap <= 1.01 * how.gap))


def _searched(programme: Programme, timer: Timer, gap: float) -> tuple[Layout | None, Floats | None]:
    """Relax and look for a layout near that, by turns, until the gap is small or nothing is to be learnt.

    Each turn adds the weighings of draws that are worst for both; gives the best layout and the last
    relaxation.
    """
    best, relaxed = None, None
    for _ in range(_RELAXED):
        found = programme.relaxed(timer.part(_BOUND) if relaxed is None else timer)
        if found is None and best is not None:
            break
        relaxed = found if relaxed is None else relaxed
        best = _best(programme, best, _improved(programme, found, timer))
        if found is None or not programme.goal.aims.robustness or timer.over:
            break
        relaxed = found
        if _gap(programme, best, programme.bound) <= gap:
            break
        fresh = programme.learn(found)
        fresh = (best is not None and programme.learn_from(best[0])) or fresh
        if not fresh:
            break
    return best, relaxed


def _improved(programme: Programme, relaxed: Floats | None, timer: Timer) -> Layout | None:
    """Give a layout that keeps the rules, near the relaxation or today's posts, made better move by move."""
    region, goal = programme.region, programme.goal
    start = region.vector(np.zeros(len(region.cost), np.int64), region.posts.units)
    near = start if relaxed is None else relaxed
    found = nearest_whole(region, goal, near, np.flatnonzero(programme.flows), timer)
    if found is None:
        return None
    search = Search(region, goal, *found)
    search.run(timer)
    return search.units, search.flows


def _best(programme: Programme, one: Layout | None, other: Layout | None) -> Layout | None:
    if one is None or other is None:
        return one if other is None else other
    values = [_value(programme.region, programme.goal, layout) for layout in (one, other)]
    return one if values[0] >= values[1] else other


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
        if found is None or timer.over:
            break
        answer = found
        if not programme.learn(answer):
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


def _better(programme: Programme, best: Layout | None, units: Ints) -> Layout | None:
    flows = programme.region.cheapest(units)
    return best if flows is None else _best(programme, best, (units, flows))


def _value(region: Region, goal: Goal, layout: Layout) -> float:
    return goal.value(layout[0], float(region.cost @ layout[1]))
