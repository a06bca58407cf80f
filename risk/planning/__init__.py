"""The plan: which units to move where, so that more children's need is met, and whether to move any at all.

Of need n in an area, capacity c that reaches it meets n (1 - exp(-c / n)). The need is known by draws of the
risk model over the detection range. A layout of whole units is chosen by half of the draws, within rules, by
HiGHS; the other half judges it, because what looks best among noisy numbers looks better than it is.

**Change nothing is always an answer.** A plan is recommended only where the probability that it gains more
than 3 % of the need met today is 0.9 or more; without that rule moves are proposed where today's posts are
right. A plan that is not recommended is still shown, with its moves, and says so.

**Exploration.** A share of what searches, a tenth by default, goes to areas where too little was looked,
drawn by chance (risk/planning/exploration.py). Communities play no part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from data.errors import InputError
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Progress
from risk.planning.benefit import compute_met, expand_kinds
from risk.planning.clashes import Clash, RulesClash, find_clashes
from risk.planning.constraints import Region
from risk.planning.explain import Effect, Estimate, Move, Outcome, compute_outcome, explain_moves
from risk.planning.exploration import Exploration, draw_exploration
from risk.planning.objective import Goal
from risk.planning.problem import Aims, Decision, Kind, Posts, Rules, Solver
from risk.planning.result import LEAST_CHANCE, LEAST_GAIN, Plan, Point
from risk.planning.schedule import Phase, Schedule, Step, schedule_moves
from risk.planning.solve import Solution, solve_moves

__all__ = [
    "LEAST_CHANCE",
    "LEAST_GAIN",
    "Aims",
    "Clash",
    "Decision",
    "Effect",
    "Estimate",
    "Exploration",
    "Kind",
    "Move",
    "Outcome",
    "Phase",
    "Plan",
    "Point",
    "Posts",
    "Rules",
    "RulesClash",
    "Schedule",
    "Solver",
    "Step",
    "compute_floor",
    "compute_frontier",
    "draw_exploration",
    "plan_moves",
    "schedule_moves",
]


@on_one_thread
def plan_moves(
    posts: Posts,
    need: Floats,
    rules: Rules | None = None,
    aims: Aims | None = None,
    *,
    decisions: Sequence[Decision] = (),
    solver: Solver | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan moves of units; the same for the same arguments, unless the time is up.

    Parameters
    ----------
    posts
        What stands where today.
    need
        Draws of the children in need in a quarter, (d, A) for all kinds alike or (d, A, K); every second
        draw chooses, the others judge. From `risk.model.detection.DetectionRange.need`.
    rules, aims
        What must hold, and what counts how much; nothing and the plain average by default.
    decisions
        Moves that were accepted or declined, and units that were locked in: the plan is made around them.
    solver, progress
        How hard to look; told what is being done.

    Raises
    ------
    RulesClash
        No layout keeps all rules: it says which clash and what would free them.
    InputError
        Draws are too few, negative or of another shape; or time ran out before any layout was found.

    """
    given, wanted, how = rules or Rules(), aims or Aims(), solver or Solver()
    given.check_for(posts)
    draws = expand_kinds(need, posts)
    choosing, judging = draws[::2], draws[1::2]
    tell = progress or (lambda *_: None)
    explored = draw_exploration(posts, given, choosing, how.seed)
    region = Region.build(posts, given, decisions, explored)
    found = _find_layout(region, Goal(posts, wanted, choosing), how, tell)
    return _judge_layout(region, found, judging, draws)


def _find_layout(region: Region, goal: Goal, how: Solver, tell: Progress) -> Solution:
    """Find the best layout; today's posts stand in for it where they are better or all there is."""
    posts, nothing = region.posts, np.zeros(region.flows.shape[1], np.int64)
    today_allowed = not region.find_broken(nothing, posts.units)
    best = solve_moves(region, goal, how, tell)
    if best is None:
        if found := find_clashes(region):
            raise RulesClash(found)
        if not today_allowed:
            msg = f"No plan was found in {how.seconds:g} seconds. Allow more time, or fewer moves."
            raise InputError(msg)
        return Solution(posts.units, nothing, np.inf, proven=False)
    spent = float(region.cost @ best.flows)
    if today_allowed and goal.compute_value(posts.units, 0.0) >= goal.compute_value(best.units, spent):
        return Solution(posts.units, nothing, best.gap, best.proven)
    return best


def _judge_layout(region: Region, found: Solution, need: Floats, all_draws: Floats) -> Plan:
    posts = region.posts
    before = compute_met(need, posts.compute_capacity(posts.units)).sum(axis=(1, 2))
    gain = compute_met(need, posts.compute_capacity(found.units)).sum(axis=(1, 2)) - before
    return Plan(
        posts,
        found.units,
        explain_moves(region, found.units, found.flows, need),
        compute_outcome(posts, posts.units, need),
        compute_outcome(posts, found.units, need),
        Estimate.from_draws(gain),
        float((gain > LEAST_GAIN * before).mean()),
        region.find_broken(np.zeros_like(found.flows), posts.units),
        region.explored,
        found.gap,
        found.proven,
        region.decisions,
        region.rules,
        all_draws,
    )


def compute_floor(posts: Posts, share: float) -> Floats:
    """Give a floor, (A,): a share of the capacity that reaches each area today; no area loses more."""
    return np.asarray(share * posts.compute_capacity(posts.units).sum(axis=1))


def compute_frontier(
    posts: Posts,
    need: Floats,
    limits: Iterable[int],
    rules: Rules | None = None,
    aims: Aims | None = None,
    *,
    decisions: Sequence[Decision] = (),
    solver: Solver | None = None,
    progress: Progress | None = None,
) -> tuple[Point, ...]:
    """Give what can be gained with ever more moves; limits with which the rules clash are left out.

    Each limit is a plan of its own, with the solver's seconds each. Arguments as for `plan`.
    """
    wanted = sorted(set(limits))
    points = []
    for done, limit in enumerate(wanted, 1):
        within = replace(rules or Rules(), moves=limit)
        try:
            made = plan_moves(posts, need, within, aims, decisions=decisions, solver=solver)
        except RulesClash:
            continue
        finally:
            if progress is not None:
                progress(done, len(wanted), "Comparing numbers of moves")
        points.append(Point(limit, made.moved, made.cost, made.gain, made.probability, made.recommended))
    return tuple(points)
