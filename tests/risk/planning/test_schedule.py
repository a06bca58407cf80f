"""The schedule: the best order of moves within the limits, and floors hold in every quarter."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from risk.access import Catchment, compute_reach
from risk.planning import plan_moves
from risk.planning.benefit import compute_met
from risk.planning.problem import Decision, Kind, Posts, Rules, Solver
from risk.planning.schedule import Step, schedule_moves
from tests.helpers.nonempty import nonempty

EXACT = Solver(seconds=60.0, gap=1e-8)
BOTH = (Kind("outreach", 8.0, True), Kind("centre", 12.0))


def country(seed, sites=4, each=4, draws=60):
    """Draw sites in a square of two hours, each in its own area, and draws of need."""
    rng = np.random.default_rng(seed)
    points = rng.random((sites, 2)) * 120
    minutes = np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1))
    people = rng.lognormal(7.0, 0.7, sites)
    names = [f"{letter}{number}" for letter in "as" for number in range(sites)]
    units = rng.multinomial(each, np.ones(sites) / sites, 2).T
    share = compute_reach(people, Catchment(80.0, "gaussian", 30.0).weight(minutes))
    posts = Posts(
        tuple(names[:sites]), tuple(names[sites:]), BOTH, units, np.stack([share] * 2), 10.0 + minutes,
        units.sum(axis=1) + 1, np.zeros_like(units),
    )  # fmt: skip
    level = 14.0 * people / people.mean() * np.exp(0.9 * rng.standard_normal(sites))
    return posts, level * np.exp(0.4 * rng.standard_normal((draws, sites)))


def keeps_rules(plan, units):
    """Return whether a layout keeps every rule that today's posts keep, in plain loops."""
    posts, rules = plan.posts, plan.rules
    if (units.sum(axis=1) > posts.room).any():
        return False
    for area in range(len(posts.areas)):
        now, before = (posts.compute_capacity(u)[area] for u in (units, posts.units))
        if rules.floor is not None and now.sum() < min(rules.floor[area], before.sum()) - 1e-6:
            return False
        marked = rules.communities is not None and rules.communities[area]
        if marked and now[1] < min(rules.services_floor, before[1]) - 1e-6:
            return False
    search, before = (posts.compute_capacity(u)[plan.explored.areas, 0].sum() for u in (units, posts.units))
    return search >= min(plan.explored.least, before) - 1e-6


def layout(plan, done):
    """Return the layout after a number of units of each move."""
    posts, units = plan.posts, plan.posts.units.copy()
    kinds = [kind.name for kind in posts.kinds]
    for move, count in zip(plan.moves, done, strict=True):
        units[posts.sites.index(move.start), kinds.index(move.kind)] -= count
        units[posts.sites.index(move.end), kinds.index(move.kind)] += count
    return units


def measure_met(plan, units):
    """Return the mean need met by a layout, by the draws that choose."""
    return float(compute_met(plan.need[::2], plan.posts.compute_capacity(units)).sum(axis=(1, 2)).mean())


def every_schedule(plan, per_quarter, quarters):
    """Try every order of the moves; return for each allowed one its value, and the moves made at the end."""
    counts = [range(move.units + 1) for move in plan.moves]
    states = [s for s in itertools.product(*counts) if keeps_rules(plan, layout(plan, s))]
    worth = {s: measure_met(plan, layout(plan, s)) for s in states}

    def onward(before, quarter, value):
        if quarter == quarters:
            yield value, before
            return
        for now in states:
            step = np.array(now) - before
            if (step >= 0).all() and step.sum() <= per_quarter:
                yield from onward(np.array(now), quarter + 1, value + worth[now])

    return list(onward(np.zeros(len(counts), int), 0, 0.0))


def made_in(plan, phases):
    """Return the number of units of each move that is made in these quarters."""
    steps = [step for phase in phases for step in phase.moves]
    return [sum(s.units for s in steps if (s.start, s.end, s.kind) == (m.start, m.end, m.kind)) for m in plan.moves]


def layouts(plan, schedule):
    """Return the layout after each quarter."""
    return [layout(plan, made_in(plan, schedule.phases[:quarter])) for quarter in range(1, len(schedule.phases) + 1)]


@pytest.mark.always("0", "1")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_schedule_is_the_best_of_all(seed):
    posts, need = country(seed)
    today = posts.compute_capacity(posts.units)
    rules = Rules(
        moves=4,
        floor=today.sum(axis=1) * np.random.default_rng(seed).uniform(0.5, 1.1, len(posts.areas)),
        communities=np.arange(4) % 2 == 0,
        services_floor=float(today[::2, 1].min() * 0.8),
        under_searched=np.arange(4) == 1,
    )
    try:
        plan = plan_moves(posts, need, rules)
    except InputError:
        plan = plan_moves(posts, need, replace(rules, floor=None))
    per_quarter = 1 if seed % 2 else 2
    every = every_schedule(plan, per_quarter, 3)
    totals = [int(sum(done)) for _, done in every]
    fits = max(totals) == plan.moved
    best = max(value for (value, _), total in zip(every, totals, strict=True) if total == plan.moved or not fits)
    schedule = schedule_moves(plan, per_quarter, 3, solver=EXACT)
    value = sum(measure_met(plan, units) for units in layouts(plan, schedule))
    assert value == pytest.approx(best, rel=2e-5)
    assert (not schedule.left) == fits
    assert sum(made_in(plan, schedule.phases)) + sum(step.units for step in schedule.left) == plan.moved


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3), st.floats(0.3, 1.2))
def test_every_quarter_keeps_the_limits_and_what_today_keeps(seed, per_quarter, share):
    posts, need = country(seed, sites=6, each=6)
    floor = share * posts.compute_capacity(posts.units).sum(axis=1)
    floor[np.arange(6) % 2 == 0] *= 0.5
    plan = plan_moves(posts, need, Rules(moves=5))
    plan = replace(plan, rules=replace(plan.rules, floor=floor, communities=floor > 0, services_floor=3.0))
    schedule = schedule_moves(plan, per_quarter)
    for phase, units in nonempty(zip(schedule.phases, layouts(plan, schedule), strict=True)):
        assert sum(step.units for step in phase.moves) <= per_quarter
        assert keeps_rules(plan, units)
        served = compute_met(plan.need[1::2], posts.compute_capacity(units)).sum(axis=(1, 2))
        assert phase.met.mean == pytest.approx(served.mean())


def lopsided(units, level=(10.0, 25.0, 120.0)):
    """Return three towns with little, some and most need."""
    rng = np.random.default_rng(5)
    posts = Posts(
        ("low", "some", "most"), ("one", "two", "three"), (Kind("team", 10.0, True),),
        np.array(units)[:, None], np.eye(3)[None], np.array([[0.0, 2, 5], [2, 0, 5], [5, 5, 0]]),
        np.array([9, 9, 9]), np.zeros((3, 1), np.int64),
    )  # fmt: skip
    return posts, np.array(level) * np.exp(0.2 * rng.standard_normal((100, 3)))


def test_what_helps_most_comes_first_and_the_rest_is_left():
    posts, need = lopsided([6, 0, 0])
    plan = plan_moves(posts, need, Rules(moves=5))
    assert {m.end for m in plan.moves} == {"two", "three"}
    schedule = schedule_moves(plan, per_quarter=1, quarters=2)
    assert [phase.moves for phase in schedule.phases] == [(Step("one", "three", "team", 1),)] * 2
    assert [phase.quarter for phase in schedule.phases] == [1, 2]
    assert [phase.cost for phase in schedule.phases] == [5.0, 5.0]
    assert sum(step.units for step in schedule.left) == plan.moved - 2
    # By hand: 50 and then 40 of capacity in the first town, 10 and then 20 in the last.
    low, _, most = need[1::2].T
    served = low * -np.expm1(-50 / low) + most * -np.expm1(-10 / most)
    assert schedule.phases[0].met.mean == pytest.approx(served.mean())
    assert schedule.phases[1].met.mean > schedule.phases[0].met.mean


def test_all_moves_are_made_where_they_fit_and_at_once_where_nothing_limits_them():
    posts, need = lopsided([6, 0, 0])
    accepted = Decision("one", "two", "team", "accept", units=5)  # brings less than it could
    plan = plan_moves(posts, need, decisions=[accepted])
    at_once = schedule_moves(plan)
    assert not at_once.left
    np.testing.assert_array_equal(layouts(plan, at_once)[-1], plan.units)
    spread = schedule_moves(plan, per_quarter=2)
    assert not spread.left
    assert sum(phase.cost for phase in spread.phases) == pytest.approx(plan.cost)


def test_a_floor_that_would_break_on_the_way_orders_the_moves():
    # Town two must keep its capacity: what comes from one has to be there before its own unit leaves.
    posts, need = lopsided([3, 1, 0], (10.0, 1.0, 120.0))
    both = [Decision("one", "two", "team", "accept"), Decision("two", "three", "team", "accept")]
    plan = plan_moves(posts, need, Rules(moves=2, floor=np.array([0.0, 10.0, 0.0])), decisions=both)
    schedule = schedule_moves(plan, per_quarter=1, quarters=2)
    assert [step.start for phase in schedule.phases for step in phase.moves] == ["one", "two"]
    free = schedule_moves(replace(plan, rules=Rules()), per_quarter=1, quarters=2)
    assert [step.start for phase in free.phases for step in phase.moves] == ["two", "one"]


def test_a_limit_that_cannot_be_is_refused():
    posts, need = lopsided([6, 0, 0])
    plan = plan_moves(posts, need, Rules(moves=2))
    with pytest.raises(InputError, match="-1 is not valid for maximum number of moves per quarter"):
        schedule_moves(plan, per_quarter=-1)


def test_a_plan_without_moves_has_quarters_without_moves():
    posts, need = lopsided([0, 0, 6])
    schedule = schedule_moves(plan_moves(posts, need, Rules(moves=0)))
    assert [phase.moves for phase in schedule.phases] == [()] * 4
    assert schedule.left == ()
