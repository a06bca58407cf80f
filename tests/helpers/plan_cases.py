"""Small invented countries for the planner, and checks of the rules of a plan in plain loops."""

import itertools

import numpy as np
from scipy.optimize import linear_sum_assignment

from risk.access import Catchment, compute_reach
from risk.planning.problem import Aims, Kind, Posts, Solver

EXACT = Solver(gap=1e-7, pieces=200)
BOTH = (Kind("outreach", 8.0, True), Kind("centre", 12.0))


def country(seed, sites=4, kinds=BOTH, each=3, draws=60):
    """Return posts at sites in a square of 120 minutes, each in its own area, and draws of need, (draws, sites)."""
    rng = np.random.default_rng(seed)
    points = rng.random((sites, 2)) * 120
    minutes = np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1))
    people = rng.lognormal(7.0, 0.7, sites)
    names = [f"{letter}{site}" for letter in "as" for site in range(sites)]
    units = rng.multinomial(each, np.ones(sites) / sites, len(kinds)).T
    posts = Posts(
        tuple(names[:sites]),
        tuple(names[sites:]),
        tuple(kinds),
        units,
        np.stack([compute_reach(people, Catchment(80.0, "gaussian", 30.0).weight(minutes))] * len(kinds)),
        10.0 + minutes,
        np.full(sites, 2 * each),
        np.zeros_like(units),
    )
    level = 12.0 * people / people.mean() * np.exp(0.6 * rng.standard_normal(sites))
    return posts, level * np.exp(0.4 * rng.standard_normal((draws, sites)))


def layouts(posts):
    """Yield every layout of the units, an array (sites, kinds)."""
    totals = posts.units.sum(axis=0)
    columns_by_kind = [
        [c for c in itertools.product(range(t + 1), repeat=len(posts.sites)) if sum(c) == t] for t in totals
    ]
    return (np.array(columns).T for columns in itertools.product(*columns_by_kind))


def cheapest(posts, units):
    """Return the least cost of the moves from `posts` to the layout `units`, an array (sites, kinds)."""
    cost = 0.0
    for kind in range(len(posts.kinds)):
        change = units[:, kind] - posts.units[:, kind]
        gone = np.repeat(np.arange(len(change)), np.maximum(-change, 0))
        come = np.repeat(np.arange(len(change)), np.maximum(change, 0))
        pairs = linear_sum_assignment(posts.cost[np.ix_(gone, come)])
        cost += posts.cost[np.ix_(gone, come)][pairs].sum()
    return cost


def keeps(posts, rules, units):
    """Return whether a layout keeps the rules, and the cost of its moves, both computed in plain loops.

    The cost is infinite if there are too many moves.
    """
    if np.maximum(units - posts.units, 0).sum() > rules.moves:
        return False, np.inf
    cost = cheapest(posts, units)
    if cost > rules.budget + 1e-9:
        return False, cost
    if (units < posts.committed).any() or (units.sum(axis=1) > posts.room).any():
        return False, cost
    for area in range(len(posts.areas)):
        every = services = 0.0
        for site, kind in itertools.product(range(len(posts.sites)), range(len(posts.kinds))):
            here = posts.reach[kind, area, site] * units[site, kind] * posts.kinds[kind].children
            every += here
            services += 0.0 if posts.kinds[kind].search else here
        if every < rules.floor[area] - 1e-9:
            return False, cost
        if rules.communities[area] and services < rules.services_floor - 1e-9:
            return False, cost
    return True, cost


AIMS = [Aims(), Aims(equity=0.6), Aims(cost=0.5), Aims(robustness=0.7), Aims(0.3, 0.2, 0.5), Aims(1.0, 0.0, 1.0)]
