"""Rules that no layout can keep together: which they are, and how far each must be relaxed.

A smallest set of rules that clash is found by leaving out one rule after the other (the deletion filter of
Chinneck and Dravnieks 1991). Then each rule of the set is relaxed alone, as little as possible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from data.errors import InputError
from data.workspace.types import Floats
from risk.planning.constraints import RULE_BY_DECISION, Region, Row, Timer, solve_milp
from risk.planning.problem import Decision

LIMITS = ("moves", "budget", "country", "at_most", "declined")  # rules that say how much there is at most
_SECONDS = 30.0
_INFEASIBLE = 2  # status of scipy.optimize.milp


@dataclass(frozen=True)
class Clash:
    """A rule that clashes with others.

    rule : one of LIMITS (country: moves elsewhere; declined: moves that were declined), or keep (units that an area
    keeps), floor, services_floor, exploration, commitments, room, accepted (moves that were accepted) or locked (units
    to keep in place). required, possible : for LIMITS, the limit, and the smallest limit with which a plan exists. For
    other rules, the total required (children per quarter, or units), and the part of it that is possible. possible is
    None if relaxing only this rule is not enough, or time ran out. places : areas or sites in which the rule falls
    short, the worst first. decisions : those that cannot be kept.
    """

    rule: str
    required: float
    possible: float | None
    places: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()


class RulesClash(InputError):
    """No layout keeps all rules; `clashes` holds those that cannot be kept together."""

    def __init__(self, clashes: tuple[Clash, ...]) -> None:
        super().__init__(f"No plan keeps all rules. These clash: {', '.join(clash.rule for clash in clashes)}.")
        self.clashes = clashes


def find_clashes(region: Region) -> tuple[Clash, ...]:
    """Find a smallest set of rules that clash; empty if all rules can be kept, or if no clash is proven in time."""
    timer = Timer(_SECONDS)
    if not _is_impossible(region, frozenset(), timer):
        return ()
    out: frozenset[str] = frozenset()
    needed = []
    for row in region.rows:
        if _is_impossible(region, out | {row.rule}, timer):
            out |= {row.rule}
        else:
            needed.append(row)
    return tuple(_ease_rule(region, row, timer) for row in needed)


def _is_impossible(region: Region, without: frozenset[str], timer: Timer) -> bool:
    low, high = region.build_bounds()
    rows = list(region.build_constraints(without))
    answer = solve_milp(np.zeros(region.size), rows, Bounds(low, high), _mark_whole(region), timer, 0.0)
    return bool(answer.status == _INFEASIBLE)


def _ease_rule(region: Region, row: Row, timer: Timer) -> Clash:
    """Relax one rule as little as possible, with all others kept, docs/planner.md eq. (47)."""
    count = len(row.least)
    low, high = region.build_bounds()
    relaxed = LinearConstraint(sparse.hstack([row.matrix, sparse.eye_array(count)]), row.least, np.inf)
    others = [_add_slack(other, count) for other in region.build_constraints(frozenset({row.rule}))]
    bounds = Bounds(np.append(low, np.zeros(count)), np.append(high, np.full(count, np.inf)))
    costs = np.append(np.zeros(region.size), np.ones(count))
    whole = np.append(_mark_whole(region), np.zeros(count))
    answer = solve_milp(costs, [*others, relaxed], bounds, whole, timer, 0.0)
    if answer.x is None:
        return Clash(row.rule, row.required, None)
    short = np.where(answer.x[region.size :] > 1e-6, answer.x[region.size :], 0.0)
    change = short.sum() if row.rule in LIMITS else -short.sum()
    eased = round(row.required + float(change), 6)
    return Clash(
        row.rule, round(row.required, 6), eased, _find_places(region, row, short), _find_decisions(region, row, short)
    )


def _mark_whole(region: Region) -> Floats:
    whole = np.zeros(region.size)
    whole[region.unit_columns] = 1.0
    return whole


def _add_slack(constraint: LinearConstraint, count: int) -> LinearConstraint:
    wider = sparse.hstack([constraint.A, sparse.csr_array((constraint.A.shape[0], count))])
    return LinearConstraint(sparse.csr_array(wider), constraint.lb, constraint.ub)


def _find_places(region: Region, row: Row, short: Floats) -> tuple[str, ...]:
    posts = region.posts
    names: tuple[str, ...] = {
        "floor": posts.floor_areas,
        "services_floor": posts.areas,
        "commitments": tuple(site for site in posts.sites for _ in posts.kinds),
        "room": posts.sites,
        "keep": tuple(area for area, _ in region.rules.keep),
        "at_most": tuple(area for area, _ in region.rules.at_most),
    }.get(row.rule, ())
    if row.rule == "exploration":
        return tuple(np.array(posts.areas)[region.explored.areas]) if (short > 0).any() else ()
    return tuple(names[position] for position in _order_shortfalls(short)) if names else ()


def _find_decisions(region: Region, row: Row, short: Floats) -> tuple[Decision, ...]:
    decisions = [decision for decision in region.decisions if RULE_BY_DECISION[decision.decided] == row.rule]
    return tuple(decisions[position] for position in _order_shortfalls(short)) if decisions else ()


def _order_shortfalls(short: Floats) -> list[int]:
    """Return the positions of the rows whose shortfall, (rows,), is above 0, the largest first."""
    return [int(position) for position in np.argsort(-short, kind="stable") if short[position] > 0]
