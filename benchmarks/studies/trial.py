"""A programme that is tested in an invented world: what it knows, its posts and its rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.workspace.types import Floats, Ints
from geo import areas as geography
from geo.travel import Travel
from risk.model.detection import draw_yearly_need
from risk.model.fit import Fit
from risk.model.observations import Observations
from risk.numbers import apportion
from risk.planning import compute_floor, plan_moves
from risk.planning.benefit import compute_met
from risk.planning.clashes import RulesClash
from risk.planning.inputs import compute_unit_reach
from risk.planning.problem import SETTLING, Kind, Posts, Rules, Solver
from risk.planning.result import Plan

YEAR = 4  # quarters
_DRAWS = 400
_UNDER_SEARCHED = 0.5  # of the days that are fair for the number of its children


@dataclass(frozen=True)
class Programme:
    """The programme of a study: number of units, children that each can serve per quarter, maximum number of moves.

    floor : share of a region's fair part of the capacity (by children living there) that must reach the region;
    `planned` says what happens if the moves are too few for this.
    exploration : see risk.planning.Rules.
    """

    units: int = 60
    children: float = 8.0
    moves: int = 15
    floor: float = 0.25
    exploration: float = 0.1


def need_of(fit: Fit, seed: int) -> Floats:
    """Draw the need of the last year from a fit: children per quarter on all pathways, (d, A)."""
    return np.asarray(draw_yearly_need(fit.draws(_DRAWS, seed), fit.observations, seed).sum(axis=2))


def counts_of(observations: Observations) -> Floats:
    """Return the published counts of the last year, (A,); hidden and negative values count as 0."""
    counts: Floats = np.maximum(observations.published[:, -YEAR:], 0).sum(axis=(1, 2, 3)).astype(float)
    return counts


def posts_of(observations: Observations, programme: Programme) -> Posts:
    """Return posts whose units are distributed like the outreach of the first year; no team works next door."""
    codes = observations.areas
    level = "region" if observations.regions is None else "municipality"
    travel = Travel.between(geography.load_areas(), level).select(codes)
    reach = compute_unit_reach(observations.countries, observations.regions, travel, observations.expected[:, -1])[True]
    units = apportion(observations.effort[:, :YEAR].sum(axis=1), programme.units)[:, None]
    # The cost of a move is its minutes; no rule of a study limits the cost.
    return Posts(
        codes,
        codes,
        (Kind("team", programme.children, search=True),),
        units,
        reach[None],
        travel.minutes,
        np.full(len(codes), programme.units, np.int64),
        np.zeros_like(units),
        observations.regions,
    )


def rules_of(observations: Observations, programme: Programme) -> Rules:
    """Return the rules: a maximum of moves, a floor for every region, exploration of areas with too little outreach."""
    days = observations.effort[:, -YEAR:].sum(axis=1)
    fair = observations.living / observations.living.sum()
    return Rules(
        moves=programme.moves,
        floor=floors(observations, programme) * programme.units * programme.children,
        under_searched=days < _UNDER_SEARCHED * fair * days.sum(),
        exploration=programme.exploration,
        settling=SETTLING,
    )


def floors(observations: Observations, programme: Programme) -> Floats:
    """Return the floor of each region as a share of all capacity, (R,)."""
    living = observations.region_members @ observations.living
    return np.asarray(programme.floor * living / living.sum())


def planned(posts: Posts, need: Floats, rules: Rules, solver: Solver) -> tuple[Plan, Rules]:
    """Return a plan that keeps the rules, and the rules that were used.

    If the moves are too few to bring every region to its floor, a region below its floor only has to keep the capacity
    that it has today.
    """
    try:
        return plan_moves(posts, need, rules, solver=solver), rules
    except RulesClash:
        today = compute_floor(posts, 1.0)
        eased = replace(rules, floor=np.minimum(np.asarray(rules.floor), today))
        return plan_moves(posts, need, eased, solver=solver), eased


def towards(posts: Posts, share: Floats, moves: int) -> Ints:
    """Return the layout, (S, K), after at most `moves` moves of each kind, from largest surplus to largest shortage.

    share : wanted share of the units by site, (S,).
    """
    units = posts.units.copy()
    for kind, total in enumerate(units.sum(axis=0)):
        wanted = apportion(share, int(total))
        for _ in range(moves):
            over = units[:, kind] - wanted
            if over.max() <= 0:
                break
            units[int(np.argmax(over)), kind] -= 1
            units[int(np.argmin(over)), kind] += 1
    return units


def meets(posts: Posts, units: Ints, need: Floats) -> float:
    """Return how many of the children in need, (A,), a layout of units, (S, 1), can serve in a quarter."""
    return float(compute_met(need[None, :, None], posts.compute_capacity(units)).sum())
