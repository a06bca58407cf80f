"""The plan: which units to move where, so that the need of more children is met, or whether to move none.

Capacity c that reaches an area with need n meets n (1 - exp(-c / n)) of it. The need is known as draws of the
risk model. HiGHS chooses a layout of whole units within rules, by half of the draws. The other half judges
it, because what looks best among noisy numbers looks better than it is. Equations: docs/planner.md.

**The result may be to keep things as they are.** A unit that moves meets nobody until it has settled in. What that
costs is the stated loss from which the three verdicts follow (risk/planning/verdict.py): do it, optional, or keep
things as they are. Without it, moves would be advised even where today's posts are right. A plan that is not advised is
still shown, with its moves, and says so.

**Exploration.** A share of the searching units, a tenth by default, goes to areas with too little outreach,
drawn at random (risk/planning/exploration.py). Communities play no part in it. It is the only rule that gives way:
if other rules allow less of it, such as a low number of moves, the plan has as much as they allow, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from data.errors import InputError
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Progress
from risk.planning.benefit import compute_met, expand_kinds
from risk.planning.clashes import RulesClash, find_clashes
from risk.planning.constraints import Region
from risk.planning.explain import Estimate, compute_outcome, explain_moves, explain_outings
from risk.planning.exploration import draw_exploration
from risk.planning.objective import Goal
from risk.planning.problem import Aims, Decision, Posts, Rules, Solver
from risk.planning.result import Plan, Point
from risk.planning.solve import Solution, solve_moves
from risk.planning.verdict import judge_year

_TOLERANCE = 1e-6  # of the solver, in children per quarter


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
    """Choose moves of units and judge them; the same arguments give the same plan, unless the time is up.

    posts : units of today and where they stand.
    need : draws of the children in need in a quarter, (d, A) for all kinds alike or (d, A, K); every second draw
        chooses, the others judge. From `risk.model.detection.DetectionRange.need`.
    rules, aims : the limits and the weights of the goal; by default no limits, and the average over the draws.
    decisions : moves that were accepted or declined, and units to keep in place.
    solver, progress : effort of the solver; receives the name of each step.

    Raises RulesClash if no layout keeps all rules except exploration; it holds the rules that clash and how far each
    must be relaxed.
    Raises InputError if draws are too few, negative or of another shape, if rules do not fit the posts, if a decision
    names an unknown site or kind, or if time ran out before any layout was found.
    """
    rules, aims, solver = rules or Rules(), aims or Aims(), solver or Solver()
    rules.check_for(posts)
    draws = expand_kinds(need, posts)
    choosing, judging = draws[::2], draws[1::2]
    tell = progress or (lambda *_: None)
    explored = draw_exploration(posts, rules, choosing, solver.seed)
    region, goal = Region.build(posts, rules, decisions, explored), Goal(posts, aims, choosing, rules.settling_quarters)
    try:
        solution = _find_layout(region, goal, solver, tell)
    except RulesClash as error:
        possible = {clash.rule: clash.possible or 0.0 for clash in error.clashes}
        if "exploration" not in possible:
            raise
        region = replace(region, explored=explored.ease(max(possible["exploration"] - _TOLERANCE, 0.0)))
        solution = _find_layout(region, goal, solver, tell)
    return _judge_layout(region, solution, judging, draws)


def _find_layout(region: Region, goal: Goal, solver: Solver, tell: Progress) -> Solution:
    """Find the best layout; today's posts where nothing better is found. Raises the same errors as `plan_moves`."""
    posts, nothing = region.posts, np.zeros(region.flows.shape[1], np.int64)
    no_outings = np.zeros(posts.outings.shape[1])
    today_allowed = not region.find_broken(nothing, posts.units)
    best = solve_moves(region, goal, solver, tell)
    if best is None:
        if rules := find_clashes(region):
            raise RulesClash(rules)
        if not today_allowed:
            raise InputError(f"No plan was found in {solver.seconds:g} seconds. Allow more time or fewer moves.")
        return Solution(posts.units, nothing, no_outings, np.inf, proven=False)
    spent = float(region.cost @ best.flows)
    if today_allowed and goal.compute_value(posts.units, 0.0) >= goal.compute_value(best.units, spent, best.outings):
        return Solution(posts.units, nothing, no_outings, best.gap, best.proven)
    return best


def _judge_layout(region: Region, solution: Solution, need: Floats, all_draws: Floats) -> Plan:
    """Compare a layout with today's posts by the judging draws of need, docs/planner.md eq. (43)."""
    posts, leaving = region.posts, np.zeros_like(region.posts.units)
    np.add.at(leaving, (region.flows[0], region.flows[2]), solution.flows)
    today, planned = posts.compute_capacity(posts.units), posts.compute_capacity(solution.units, solution.outings)
    meanwhile = posts.compute_capacity(posts.units - leaving)
    gain = (compute_met(need, planned) - compute_met(need, today)).sum(axis=(1, 2))
    return Plan(
        posts,
        solution.units,
        solution.outings,
        explain_moves(region, solution, need),
        explain_outings(region, solution, need),
        compute_outcome(today, need),
        compute_outcome(planned, need),
        Estimate.from_draws(gain),
        judge_year(need, today, meanwhile, planned, region.rules.settling_quarters),
        region.find_broken(np.zeros_like(solution.flows), posts.units),
        region.explored,
        solution.gap,
        solution.proven,
        region.decisions,
        region.rules,
        all_draws,
    )


def compute_floor(posts: Posts, share: float) -> Floats:
    """Return the floor of each area that has one: `share` (0 to 1) of the capacity of all kinds that reaches it today.

    Teams are whole, so their share is rounded down to whole teams, but to one at least: half of three teams would
    otherwise keep two. Floors are children per quarter, in the order of `posts.floor_areas`, (floor areas,);
    docs/planner.md eq. (30) and (64).
    """
    capacity = posts.floor_members @ posts.compute_capacity(posts.units)
    here = np.array([posts.contains(area) @ posts.units for area in posts.floor_areas])
    whole = np.maximum(np.floor(share * here + _TOLERANCE), np.minimum(here, 1.0)) / np.maximum(here, 1)
    part = np.where(posts.searching & (here > 0) & (share > 0), whole, share)
    return np.asarray((part * capacity).sum(axis=1))


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
    known: Plan | None = None,
) -> tuple[Point, ...]:
    """Compute the gains for other maximum numbers of moves; numbers with which the rules clash are left out.

    Each number of `limits` gives a plan, and each plan may take all seconds of the solver. known : the plan for one
    number, if it is made already. The others are those of `plan_moves`, and so are the errors, except RulesClash.
    """
    limits = sorted(set(limits))
    points = []
    for number, limit in enumerate(limits, 1):
        within = replace(rules or Rules(), moves=limit)
        try:
            if known is not None and limit == known.rules.moves:
                plan = known
            else:
                plan = plan_moves(posts, need, within, aims, decisions=decisions, solver=solver)
        except RulesClash:
            continue
        finally:
            if progress is not None:
                progress(number, len(limits), "Comparing numbers of moves")
        points.append(Point(limit, plan.moved, plan.cost, plan.gain, plan.year.probability, plan.recommended))
    return tuple(points)
