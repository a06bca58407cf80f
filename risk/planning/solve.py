"""The search for the best layout: relaxed first where it helps, then with whole units, then without idle moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult

from data.workspace.types import Floats, Ints, Progress
from risk.planning.benefit import Benefit, compute_met, weigh_worst_draws
from risk.planning.constraints import Region, Timer
from risk.planning.milp import Programme
from risk.planning.objective import Goal
from risk.planning.problem import AWAY, Solver
from risk.planning.search import Search, find_nearest_whole

Layout = tuple[Ints, Ints, Floats]  # units (S, K), flows (F,) and outings (D,)

_RELAXED, _WHOLE = 30, 6  # maximum rounds of weighings, relaxed and with whole units
_NEAR = (1, 3, None)  # how many units a site may differ from the relaxation; any number at last
_PATIENCE = 0.6  # of the time left, for each of the first two
_BOUND = 0.6  # of the time left, at most, for a relaxation
_LATE = 0.1  # of the time, once it is up, to find any layout at all
_FLOWS = 60.0  # seconds for the flows to the first layout, which must not be lost
_PART_OF_GAP = 0.5  # of the gap, at most, that the error of the pieces takes, if enough pieces are allowed
_REST_OF_GAP = 0.1  # of the gap, at least, that is left to the solver
_LEAST_OUTING = 1e-6  # units
_IDLE = 1e-4  # of the goal, that an outing must gain
_OUT_OF_TIME = 1  # status of scipy.optimize.milp


@dataclass(frozen=True, eq=False)
class Solution:
    """A layout of units, (S, K), the flows that lead to it, (F,), and the work of teams in other areas, (D,).

    gap : how much better any other layout could be, relative, docs/planner.md eq. (37); inf where no bound is known.
    proven : whether the gap is as small as was asked for, or nearly all of it is the error of the pieces.
    """

    units: Ints
    flows: Ints
    outings: Floats
    gap: float
    proven: bool


def solve_moves(region: Region, goal: Goal, solver: Solver, tell: Progress) -> Solution | None:
    """Find the best layout within the solver's seconds; None if none was found.

    Today's posts also count as a layout if the rules allow them.
    """
    timer = Timer(solver.seconds)
    programme = _build_programme(region, goal, solver)
    best, relaxed = None, None
    if programme.large:
        tell(0, None, "Searching for moves")
        best, relaxed = _search_by_turns(programme, timer, solver.gap)
    elif goal.aims.robustness:
        tell(0, None, "Searching for the worst cases")
        relaxed = _solve_relaxed(programme, timer)
    bound, late = programme.bound, False
    for near in _NEAR if programme.large and relaxed is not None else _NEAR[-1:]:
        for _ in range(_WHOLE):
            if _is_close(programme, best, bound, solver.gap) or (timer.over and best is not None):
                break
            tell(1, None, "Choosing moves")
            answer, proven = _solve_whole(programme, relaxed, near, timer, solver.gap)
            bound, late = max(bound, proven), answer.status == _OUT_OF_TIME
            if answer.x is None:
                break
            best = _price_layout(programme, best, *_read_layout(region, answer.x), timer)
            if timer.over or not (goal.aims.robustness and programme.add_weighing(answer.x)):
                break
    if best is None and late:
        late_timer = Timer(_LATE * solver.seconds)
        best = _improve_layout(programme, _find_near(programme, relaxed, late_timer), late_timer)
    if best is None:
        return None
    close = _is_close(programme, best, bound, solver.gap)
    final = Search(region, goal, *best)
    final.remove_idle_moves()
    outings = _drop_idle_outings(region, goal, final)
    gap = _compute_gap(programme, (final.units, final.flows, outings), bound)
    return Solution(final.units, final.flows, outings, gap, proven=bool(gap <= 1.01 * solver.gap or close))


def _drop_idle_outings(region: Region, goal: Goal, search: Search) -> Floats:
    """Return the outings without those that gain next to nothing and that no rule needs, (D,)."""
    outings, spent = search.outings, float(region.cost @ search.flows)
    for d in sorted(np.flatnonzero(outings), key=lambda place: outings[place]):
        rest = np.where(np.arange(len(outings)) == d, 0.0, outings)
        values = [goal.compute_value(search.units, spent, away) for away in (outings, rest)]
        if values[0] - values[1] < _IDLE * abs(values[0]) and not region.find_broken(search.flows, search.units, rest):
            outings = rest
    return np.asarray(outings)


def _search_by_turns(programme: Programme, timer: Timer, gap: float) -> tuple[Layout | None, Floats | None]:
    """Return the best layout and the last relaxation, None if not found; both improve in turn until the gap is small.

    The first layout is near a relaxation over few flows, so that there is one early. Each turn adds the
    weighings of draws that are worst for the relaxation and for the layout.
    """
    relaxed = programme.solve_relaxed(timer.split(_BOUND), rounds=1)
    best = _find_near(programme, relaxed, timer)
    for _ in range(_RELAXED):
        solution = programme.solve_relaxed(timer.split(_BOUND))
        relaxed = relaxed if solution is None else solution
        fresh_start = None if solution is None else _find_near(programme, solution, timer)
        best = _choose_better(programme, best, _improve_layout(programme, fresh_start or best, timer))
        if solution is None or not programme.goal.aims.robustness or timer.over:
            break
        if _is_close(programme, best, programme.bound, gap):
            break
        fresh = programme.add_weighing(solution)
        if not (best is not None and programme.add_worst_weighing(best[0], best[2])) and not fresh:
            break
    return best, relaxed


def _find_near(programme: Programme, relaxed: Floats | None, timer: Timer) -> Layout | None:
    """Find a layout that keeps the rules, near the relaxation or, without one, near today's posts; else return None."""
    region = programme.region
    start = region.join_columns(np.zeros(len(region.cost), np.int64), region.posts.units)
    near = start if relaxed is None else relaxed
    return find_nearest_whole(region, programme.goal, near, np.flatnonzero(programme.flows), timer)


def _improve_layout(programme: Programme, start: Layout | None, timer: Timer) -> Layout | None:
    """Return a layout that is improved move by move; None without a layout to start from."""
    if start is None:
        return None
    search = Search(programme.region, programme.goal, start[0].copy(), start[1].copy(), start[2])
    search.run(timer)
    return search.units, search.flows, search.outings


def _choose_better(programme: Programme, first: Layout | None, other: Layout | None) -> Layout | None:
    if first is None or other is None:
        return first if other is None else other
    goal, cost = programme.goal, programme.region.cost
    values = [goal.compute_value(units, float(cost @ flows), away) for units, flows, away in (first, other)]
    return first if values[0] >= values[1] else other


def _compute_gap(programme: Programme, best: Layout | None, bound: float) -> float:
    """Return the most by which another layout can be better than `best`; infinite if `best` is None."""
    return np.inf if best is None else programme.compute_gap(*best, bound)


def _is_close(programme: Programme, best: Layout | None, bound: float, gap: float) -> bool:
    """Return whether to stop: the gap is small enough, or nearly all of it is the error of the pieces."""
    value = max(abs(programme.goal.compute_value(programme.region.posts.units, 0.0)), 1e-9)
    return _compute_gap(programme, best, bound) <= max(gap, programme.error / value + _REST_OF_GAP * gap)


def _solve_relaxed(programme: Programme, timer: Timer) -> Floats | None:
    """Solve the relaxation until no weighing of the draws is missing; return its columns, or None if time is short."""
    answer = None
    for _ in range(_RELAXED):
        solution = programme.solve_relaxed(timer)
        if solution is None or timer.over:
            break
        answer = solution
        if not programme.add_weighing(answer):
            break
    return answer


def _solve_whole(
    programme: Programme, relaxed: Floats | None, near: int | None, timer: Timer, gap: float
) -> tuple[OptimizeResult, float]:
    """Solve with whole units; return the solver's result and a lower bound of the costs.

    With a distance `near`, only layouts near the relaxation are searched, for a part of the time: good ones are there.
    """
    if near is not None and relaxed is not None:
        return programme.solve_whole(timer.split(_PATIENCE), gap, (relaxed, near)), programme.bound
    # The error of the pieces is a part of the gap that is told, so that the solver gets the rest of it.
    today = programme.goal.compute_value(programme.region.posts.units, 0.0)
    result = programme.solve_whole(timer, max(gap - programme.error / max(abs(today), 1e-9), _REST_OF_GAP * gap))
    if result.x is None or result.mip_dual_bound is None:
        return result, programme.bound
    proven = float(result.mip_dual_bound)
    return result, min(proven, programme.others) if programme.large else proven


def _build_programme(region: Region, goal: Goal, solver: Solver) -> Programme:
    """Build the programme, with as many pieces as the gap needs, if there are not too many columns."""
    posts = region.posts
    least, most = _bound_capacity(region)
    allowed = _PART_OF_GAP * solver.gap * abs(goal.compute_value(posts.units, 0.0))
    benefit = Benefit.cut_closely(goal.need, least, most, solver.pieces, allowed, goal.bound_error)
    programme = Programme(region, goal, benefit)
    if goal.aims.robustness:
        today = compute_met(goal.need, posts.compute_capacity(posts.units)).sum(axis=(1, 2))
        programme.weighings.append(weigh_worst_draws(today))
    return programme


def _bound_capacity(region: Region) -> tuple[Floats, Floats]:
    """Return the smallest and the largest capacity of each area, (A, K) each, docs/planner.md eq. (21)."""
    posts = region.posts
    worth = 0.0 if posts.day_worth is None else posts.day_worth * posts.searching[:, None, None]
    reach = posts.reach + AWAY * np.maximum(worth - posts.reach, 0.0)
    room = np.minimum(posts.room[:, None], posts.units.sum(axis=0)[None, :])
    least, most = (np.empty((len(posts.areas), len(posts.kinds))) for _ in range(2))
    for kind, total in enumerate(posts.units.sum(axis=0)):
        moves = total if region.rules.moves is None else min(region.rules.moves, total)
        stays = 1.0 - AWAY * (posts.day_worth is not None and posts.kinds[kind].search)
        units, today = posts.units[:, kind], posts.reach[kind] @ posts.units[:, kind]
        least[:, kind] = stays * (today - _fill_sites(posts.reach[kind], units, moves))
        anywhere = _fill_sites(reach[kind], room[:, kind], total)
        most[:, kind] = np.minimum(anywhere, reach[kind] @ units + _fill_sites(reach[kind], room[:, kind], moves))
    return np.maximum(least * posts.children, 0.0), most * posts.children


def _fill_sites(reach: Floats, stock: Ints, total: int) -> Floats:
    """Return what `total` units bring to each area at its best sites, (A,). reach : (A, S). stock : units, (S,)."""
    order = np.argsort(-reach, axis=1, kind="stable")
    filled = np.minimum(np.cumsum(stock[order], axis=1), total)
    return np.asarray((np.take_along_axis(reach, order, axis=1) * np.diff(filled, axis=1, prepend=0)).sum(axis=1))


def _read_layout(region: Region, solution: Floats) -> tuple[Ints, Floats]:
    units = np.rint(solution[region.unit_columns]).astype(np.int64).reshape(region.posts.units.shape)
    outings = solution[region.unit_columns.stop : region.size]
    return units, np.where(outings > _LEAST_OUTING, outings, 0.0)


def _price_layout(
    programme: Programme, best: Layout | None, units: Ints, outings: Floats, timer: Timer
) -> Layout | None:
    """Return the better of `best` and another layout with its cheapest flows; `best` if none are found in time."""
    flows = programme.region.find_cheapest(units, outings, timer if best is not None else Timer(_FLOWS))
    return best if flows is None else _choose_better(programme, best, (units, flows, outings))
