"""Divide the moves of a plan among quarters.

A move counts from the quarter in which it is made, so the most useful moves come first. So does the work of teams in
other areas, which costs no move. But each quarter has a maximum number of moves, and no quarter may fall below a floor
that today's posts keep (nor further below a floor that they break). One whole-number programme decides for all
quarters, docs/planner.md eq. (48) and (49). Its benefit curves cover only the capacity that the moves can give an area,
docs/planner.md eq. (50).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from data.errors import InputError
from data.workspace.types import Bools, Floats, Ints
from risk.planning.benefit import Benefit, compute_met
from risk.planning.constraints import Region, Timer, solve_milp
from risk.planning.explain import Estimate
from risk.planning.problem import Solver
from risk.planning.result import Plan

# A part of the moves cannot break other rules.
_LASTING_RULES = ("floor", "services_floor", "exploration", "room", "keep", "at_most")
_CLOSE = 0.5  # of the gap: how far all pieces together may be below their curves
_PIECES = 8  # of a curve, at least
_TOLERANCE = 1e-6  # of rules, as for the plan


@dataclass(frozen=True)
class Step:
    """Units of a kind that go from one site to another in a quarter, or that are left for later."""

    start: str
    end: str
    kind: str
    units: int


@dataclass(frozen=True)
class Phase:
    """A quarter, counted from 1, and its moves.

    met : children whose need is met in that quarter, by draws that were not used for choosing. cost : of the moves, in
    the unit of `Posts.cost`.
    """

    quarter: int
    moves: tuple[Step, ...]
    met: Estimate
    cost: float


@dataclass(frozen=True)
class Schedule:
    """One phase per quarter, and the moves left for later."""

    phases: tuple[Phase, ...]
    left: tuple[Step, ...]


def schedule_moves(
    plan: Plan, per_quarter: int | None = None, quarters: int = 4, *, solver: Solver | None = None
) -> Schedule:
    """Decide in which quarter each unit of a plan moves; the same arguments give the same schedule.

    The number of children whose need is met, summed over the quarters, is maximised. If all moves fit into the
    quarters, all are made; otherwise those that gain most are made, and the others are left for later. Commitments
    and locks hold in every quarter because they hold at the end.

    plan : from `risk.planning.plan_moves`; every second of its draws of need chooses, the other draws judge.
    per_quarter : maximum number of moves in a quarter; None: no limit.
    quarters : number of quarters.
    solver : seconds and gap; 30 seconds and 1e-4 by default.

    Raises InputError if the limit is negative, or if no schedule was found in time.
    """
    if per_quarter is not None and not per_quarter >= 0:
        raise InputError(f"{per_quarter!r} is not valid for maximum number of moves per quarter. Give 0 or more.")
    solver = solver or Solver(seconds=30.0, gap=1e-4)
    moves = _MoveColumns.build(plan)
    cumulative = _solve_schedule(moves, plan.need[::2], quarters, per_quarter, solver)
    phases, before = [], np.zeros(len(moves.units))
    for quarter, now in enumerate(cumulative, 1):
        served = compute_met(plan.need[1::2], moves.compute_capacity(now)).sum(axis=(1, 2))
        fresh = now - before
        cost = float(moves.cost @ fresh)
        phases.append(Phase(quarter, _list_steps(plan, fresh), Estimate.from_draws(served), cost))
        before = now
    return Schedule(tuple(phases), _list_steps(plan, moves.units - before))


def _list_steps(plan: Plan, units: Floats) -> tuple[Step, ...]:
    moves = zip(plan.moves, units[: len(plan.moves)], strict=True)
    return tuple(Step(m.start, m.end, m.kind, round(count)) for m, count in moves if count > 0)


@dataclass(frozen=True, eq=False)
class _MoveColumns:
    """The M moves of a plan, and its outings (work of teams in other areas), as columns of a programme.

    units : of each column, (M,). cost : per unit, (M,); outings cost nothing. is_move : mask of the moves, (M,).
    change : of the layout (units, then outings) per unit of each column, (S K + D, M). rows, least : the rules after
    every quarter, rows @ units of the columns >= least.
    """

    plan: Plan
    units: Floats
    cost: Floats
    is_move: Bools
    change: sparse.csr_array
    rows: sparse.csr_array
    least: Floats

    @classmethod
    def build(cls, plan: Plan) -> _MoveColumns:
        posts = plan.posts
        kinds, count = [kind.name for kind in posts.kinds], len(plan.moves)
        ends = np.zeros((2, count), np.int64)
        for position, move in enumerate(plan.moves):
            kind = kinds.index(move.kind)
            ends[:, position] = [posts.sites.index(site) * len(kinds) + kind for site in (move.start, move.end)]
        away = np.flatnonzero(plan.outings)
        value = np.append(np.repeat([-1.0, 1.0], count), np.ones(len(away)))
        column = np.append(np.tile(np.arange(count), 2), count + np.arange(len(away)))
        row = np.append(ends.ravel(), posts.units.size + away)
        shape = (posts.capacity_matrix.shape[1], count + len(away))
        change = sparse.csr_array(sparse.coo_array((value, (row, column)), shape=shape))
        units = np.append([float(move.units) for move in plan.moves], plan.outings[away])
        cost = np.append([move.cost / move.units for move in plan.moves], np.zeros(len(away)))
        return cls(plan, units, cost, np.arange(len(units)) < count, change, *_keep_rules(plan, change))

    def compute_capacity(self, units: Floats) -> Floats:
        """Return the capacity, (A, K), after `units` of each column, (M,)."""
        posts = self.plan.posts
        changed = (posts.capacity_matrix @ (self.change @ units)).reshape(len(posts.areas), len(posts.kinds))
        return np.asarray(np.maximum(posts.compute_capacity(posts.units) + changed, 0.0))


def _keep_rules(plan: Plan, change: sparse.csr_array) -> tuple[sparse.csr_array, Floats]:
    """Return the rules as rows with lower bounds of the change; a row that today's posts break must not get worse."""
    posts = plan.posts
    region = Region.build(posts, plan.rules, plan.decisions, plan.explored)
    today = region.join_columns(np.zeros(len(region.cost)), posts.units)[len(region.cost) :]
    rows, least = [sparse.csr_array((0, change.shape[1]))], [np.zeros(0)]
    outings = region.build_outings()
    lasting = [(row.matrix, row.least) for row in region.rows if row.rule in _LASTING_RULES]
    for matrix, wanted in [*lasting, (outings, np.zeros(outings.shape[0]))]:
        on_layout = matrix[:, len(region.cost) :]
        there = on_layout @ today
        rows.append(sparse.csr_array(on_layout @ change))
        least.append(np.minimum(wanted, there) - there)
    return sparse.csr_array(sparse.vstack(rows)), np.concatenate(least)


def _solve_schedule(moves: _MoveColumns, need: Floats, quarters: int, most: int | None, solver: Solver) -> Floats:
    """Return the units of each column made by the end of each quarter, (Q, M).

    need : draws, (d, A, K). most : maximum number of moves in a quarter. Raises InputError if no schedule is found in
    time.
    """
    count = len(moves.units)
    if not count:
        return np.zeros((quarters, 0))
    timer = Timer(solver.seconds)
    ordered = _order_rows(moves, quarters, most)
    every = _check_all_fit(moves, ordered, quarters, timer.split(0.2))
    rows, costs, upper = _add_pieces(moves, ordered, *_cut_curves(moves, need, solver.gap), quarters)
    lower = np.zeros(len(costs))
    if every:
        lower[count * (quarters - 1) : count * quarters] = np.where(moves.is_move, moves.units, 0.0)
    whole = np.append(np.tile(moves.is_move, quarters).astype(float), np.zeros(len(costs) - count * quarters))
    gap, presolve = (1.0 - _CLOSE) * solver.gap, bool(moves.is_move.all())
    # With outings HiGHS repairs its presolved answers, and says so on the standard output of the command.
    result = solve_milp(costs, rows, Bounds(lower, upper), whole, timer, gap, presolve=presolve)
    if result.x is None:
        raise InputError(
            f"The moves could not be divided among the quarters in {solver.seconds:g} seconds. Allow more "
            "time or fewer quarters."
        )
    by_quarter = result.x[: count * quarters].reshape(quarters, count)
    return np.asarray(np.where(moves.is_move, np.rint(by_quarter), by_quarter))


def _order_rows(moves: _MoveColumns, quarters: int, most: int | None) -> list[LinearConstraint]:
    """Build the rows of the schedule, docs/planner.md eq. (49): no move is undone; limit and rules hold."""
    count = len(moves.units)
    step = sparse.eye_array(quarters) - sparse.eye_array(quarters, k=-1)
    rows = [LinearConstraint(sparse.csr_array(sparse.kron(step, sparse.eye_array(count))), 0.0, np.inf)]
    if most is not None:
        moved = sparse.csr_array(sparse.kron(step, moves.is_move[None].astype(float)))
        rows.append(LinearConstraint(moved, -np.inf, most))
    if moves.rows.shape[0]:
        rules = sparse.csr_array(sparse.kron(sparse.eye_array(quarters), moves.rows))
        rows.append(LinearConstraint(rules, np.tile(moves.least, quarters) - _TOLERANCE, np.inf))
    return rows


def _check_all_fit(moves: _MoveColumns, ordered: list[LinearConstraint], quarters: int, timer: Timer) -> bool:
    """Return whether a schedule with all moves by the last quarter is found; False if none is found in time."""
    upper = np.tile(moves.units, quarters).astype(float)
    lower = np.zeros(len(upper))
    lower[-len(moves.units) :] = np.where(moves.is_move, moves.units, 0.0)
    whole = np.tile(moves.is_move, quarters).astype(float)
    result = solve_milp(np.zeros(len(upper)), ordered, Bounds(lower, upper), whole, timer, 0.0)
    return result.x is not None


def _cut_curves(moves: _MoveColumns, need: Floats, gap: float) -> tuple[Ints, Benefit]:
    """Cut the benefit curves that the moves touch into pieces; return the positions of these curves, (C,), as well.

    need : draws, (d, A, K). The pieces cover the capacity that the moves can give, docs/planner.md eq. (50).
    """
    change, today = _compute_capacity_change(moves), moves.compute_capacity(np.zeros(len(moves.units))).ravel()
    touched = np.flatnonzero(change.any(axis=1))
    low = np.maximum(today + np.minimum(change, 0.0) @ moves.units, 0.0)[touched, None]
    high = (today + np.maximum(change, 0.0) @ moves.units)[touched, None]
    allowed = _CLOSE * gap * float(compute_met(need, today.reshape(need.shape[1:])).sum(axis=(1, 2)).mean())
    curves = need.reshape(len(need), -1)[:, touched, None]
    return touched, Benefit.cut_closely(curves, low, high, _PIECES, allowed, _sum_errors)


def _sum_errors(error: Floats) -> float:
    return float(error.mean(axis=0).max(axis=-1).sum())


def _compute_capacity_change(moves: _MoveColumns) -> Floats:
    """Return the capacity that one unit of each column adds or takes, (A K, M)."""
    return np.asarray((moves.plan.posts.capacity_matrix @ moves.change).toarray())


def _add_pieces(
    moves: _MoveColumns, ordered: list[LinearConstraint], touched: Ints, benefit: Benefit, quarters: int
) -> tuple[list[LinearConstraint], Floats, Floats]:
    """Return rows, costs and upper bounds of the programme with the pieces of capacity, docs/planner.md eq. (48).

    Columns: units moved by the end of each quarter, then pieces. The pieces of a quarter take no more than the capacity
    after the moves of this quarter.
    """
    width, slope = (np.tile(values.ravel(), quarters) for values in (benefit.width, benefit.average()))
    filled = sparse.kron(sparse.eye_array(quarters * len(touched)), np.ones((1, benefit.width.shape[-1])))
    offered = sparse.kron(sparse.eye_array(quarters), sparse.csr_array(_compute_capacity_change(moves)[touched]))
    today = moves.compute_capacity(np.zeros(len(moves.units))).ravel()[touched]
    rows = [
        LinearConstraint(sparse.csr_array(sparse.hstack([c.A, sparse.csr_array((c.A.shape[0], len(width)))])),
                         c.lb, c.ub)
        for c in ordered
    ]  # fmt: skip
    matrix = sparse.csr_array(sparse.hstack([offered, -filled]))
    rows.append(LinearConstraint(matrix, -np.tile(today, quarters) - _TOLERANCE, np.inf))
    costs = np.append(np.zeros(len(moves.units) * quarters), -slope)
    return rows, costs, np.append(np.tile(moves.units, quarters), width).astype(float)
