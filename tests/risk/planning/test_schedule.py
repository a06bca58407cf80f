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

EXACT = Solver(seconds=60.0, gap=1e-8)
BOTH = (Kind("outreach", 8.0, True), Kind("centre", 12.0))


def country(seed, sites=4, each=4, draws=60):
    """Draw sites in a square of two hours, each in its own area, and draws of need."""
    rng = np.random.default_rng(seed)
    points = rng.random((sites, 2)) * 120
    minutes = np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1))
    people = rng.lognormal(7.0, 0.7, sites)
    names = [f"{letter}{at}" for letter in "as" for at in range(sites)]
    units = rng.multinomial(each, np.ones(sites) / sites, 2).T
    share = compute_reach(people, Catchment(80.0, "gaussian", 30.0).weight(minutes))
    posts = Posts(
        tuple(names[:sites]), tuple(names[sites:]), BOTH, units, share, 10.0 + minutes,
        units.sum(axis=1) + 1, np.zeros_like(units),
    )  # fmt: skip
    level = 14.0 * people / people.mean() * np.exp(0.9 * rng.standard_normal(sites))
    return posts, level * np.exp(0.4 * rng.standard_normal((draws, sites)))


def kept(made, units):
    """Return whether a layout keeps every rule that today's posts keep, in plain loops."""
    posts, rules = made.posts, made.rules
    if (units.sum(axis=1) > posts.room).any():
        return False
    for area in range(len(posts.areas)):
        now, before = (posts.compute_capacity(u)[area] for u in (units, posts.units))
        if rules.floor is not None and now.sum() < min(rules.floor[area], before.sum()) - 1e-6:
            return False
        marked = rules.communities is not None and rules.communities[area]
        if marked and now[1] < min(rules.services_floor, before[1]) - 1e-6:
            return False
    search, before = (posts.compute_capacity(u)[made.explored.areas, 0].sum() for u in (units, posts.units))
    return search >= min(made.explored.least, before) - 1e-6


def layout(made, done):
    """Return the layout after a number of units of each move."""
    posts, units = made.posts, made.posts.units.copy()
    kinds = [kind.name for kind in posts.kinds]
    for move, count in zip(made.moves, done, strict=True):
        units[posts.sites.index(move.start), kinds.index(move.kind)] -= count
        units[posts.sites.index(move.end), kinds.index(move.kind)] += count
    return units


def every_schedule(made, need, per_quarter, budget, quarters):
    """Try every order of the moves; return for each allowed one its value, and the moves made at the end."""
    counts = [range(move.units + 1) for move in made.moves]
    states = [s for s in itertools.product(*counts) if kept(made, layout(made, s))]
    cost = np.array([move.cost / move.units for move in made.moves])
    worth = {
        s: [
            float(compute_met(n[::2], made.posts.compute_capacity(layout(made, s))).sum(axis=(1, 2)).mean())
            for n in need
        ]
        for s in states
    }

    def onward(before, quarter, value):
        if quarter == quarters:
            yield value, before
            return
        for now in states:
            step = np.array(now) - before
            if (step >= 0).all() and step.sum() <= per_quarter and cost @ step <= budget + 1e-9:
                yield from onward(np.array(now), quarter + 1, value + worth[now][quarter])

    return list(onward(np.zeros(len(counts), int), 0, 0.0))


def made_by(made, schedule):
    """Return the number of units of each move that the schedule makes."""
    steps = [step for phase in schedule.phases for step in phase.moves]
    return [sum(s.units for s in steps if (s.start, s.end, s.kind) == (m.start, m.end, m.kind)) for m in made.moves]


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
        made = plan_moves(posts, need, rules)
    except InputError:
        made = plan_moves(posts, need, replace(rules, floor=None))
    by_quarter = np.stack([need, 1.3 * need, 0.8 * need])[..., None].repeat(2, axis=-1)
    per_quarter, budget = (1, np.inf) if seed % 2 else (2, 90.0)
    every = every_schedule(made, by_quarter, per_quarter, budget, 3)
    totals = [int(sum(done)) for _, done in every]
    fits = max(totals) == made.moved
    best = max(value for (value, _), total in zip(every, totals, strict=True) if total == made.moved or not fits)
    found = schedule_moves(made, by_quarter, per_quarter, None if budget == np.inf else budget, 3, solver=EXACT)
    value = sum(
        float(compute_met(n[::2], posts.compute_capacity(p.units)).sum(axis=(1, 2)).mean())
        for n, p in zip(by_quarter, found.phases, strict=True)
    )
    assert value == pytest.approx(best, rel=2e-5)
    assert (not found.left) == fits
    assert sum(made_by(made, found)) + sum(step.units for step in found.left) == made.moved


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3), st.floats(0, 150), st.floats(0.3, 1.2))
def test_every_quarter_keeps_the_limits_and_what_today_keeps(seed, per_quarter, budget, share):
    posts, need = country(seed, sites=6, each=6)
    floor = share * posts.compute_capacity(posts.units).sum(axis=1)
    floor[np.arange(6) % 2 == 0] *= 0.5
    made = plan_moves(posts, need, Rules(moves=5))
    made = replace(made, rules=replace(made.rules, floor=floor, communities=floor > 0, services_floor=3.0))
    found = schedule_moves(made, need, per_quarter, budget)
    before = posts.units
    for phase in found.phases:
        assert sum(step.units for step in phase.moves) <= per_quarter
        assert phase.cost <= budget + 1e-6
        assert kept(made, phase.units)
        assert np.abs(phase.units - before).sum() <= 2 * sum(step.units for step in phase.moves)
        before = phase.units
    np.testing.assert_array_equal(before, layout(made, made_by(made, found)))


def lopsided(units, level=(10.0, 25.0, 120.0)):
    """Return three towns with little, some and most need."""
    rng = np.random.default_rng(5)
    posts = Posts(
        ("low", "some", "most"), ("one", "two", "three"), (Kind("team", 10.0, True),),
        np.array(units)[:, None], np.eye(3), np.array([[0.0, 2, 5], [2, 0, 5], [5, 5, 0]]),
        np.array([9, 9, 9]), np.zeros((3, 1), np.int64),
    )  # fmt: skip
    return posts, np.array(level) * np.exp(0.2 * rng.standard_normal((100, 3)))


def test_what_helps_most_comes_first_and_the_rest_is_left():
    posts, need = lopsided([6, 0, 0])
    made = plan_moves(posts, need, Rules(moves=5))
    assert {m.end for m in made.moves} == {"two", "three"}
    found = schedule_moves(made, need, per_quarter=1, quarters=2)
    assert [phase.moves for phase in found.phases] == [(Step("one", "three", "team", 1),)] * 2
    assert [phase.quarter for phase in found.phases] == [1, 2]
    assert [phase.cost for phase in found.phases] == [5.0, 5.0]
    assert sum(step.units for step in found.left) == made.moved - 2
    # By hand: 50 and then 40 of capacity in the first town, 10 and then 20 in the last.
    low, _, most = need[1::2].T
    served = low * -np.expm1(-50 / low) + most * -np.expm1(-10 / most)
    assert found.phases[0].met.mean == pytest.approx(served.mean())
    assert found.phases[1].met.mean > found.phases[0].met.mean


def test_all_moves_are_made_where_they_fit_and_at_once_where_nothing_limits_them():
    posts, need = lopsided([6, 0, 0])
    accepted = Decision("one", "two", "team", "accept", units=5)  # brings less than it could
    made = plan_moves(posts, need, decisions=[accepted])
    at_once = schedule_moves(made)
    assert not at_once.left
    np.testing.assert_array_equal(at_once.phases[-1].units, made.units)
    spread = schedule_moves(made, per_quarter=2)
    assert not spread.left
    assert sum(phase.cost for phase in spread.phases) == pytest.approx(made.cost)


def test_a_floor_that_would_break_on_the_way_orders_the_moves():
    # Town two must keep its capacity: what comes from one has to be there before its own unit leaves.
    posts, need = lopsided([3, 1, 0], (10.0, 1.0, 120.0))
    both = [Decision("one", "two", "team", "accept"), Decision("two", "three", "team", "accept")]
    made = plan_moves(posts, need, Rules(moves=2, floor=np.array([0.0, 10.0, 0.0])), decisions=both)
    found = schedule_moves(made, per_quarter=1, quarters=2)
    assert [step.start for phase in found.phases for step in phase.moves] == ["one", "two"]
    free = schedule_moves(replace(made, rules=Rules()), per_quarter=1, quarters=2)
    assert [step.start for phase in free.phases for step in phase.moves] == ["two", "one"]


def test_need_that_comes_later_is_met_later():
    posts, need = lopsided([6, 0, 0])
    made = plan_moves(posts, need, Rules(moves=4))
    by_quarter = np.stack([need, need])[..., None]
    by_quarter[0, :, 2] = 0.0
    found = schedule_moves(made, by_quarter, per_quarter=4, quarters=2)
    assert {step.end for step in found.phases[0].moves} <= {"two"}
    assert {step.end for step in found.phases[1].moves} == {"three"}


def test_limits_and_need_that_cannot_be_are_refused():
    posts, need = lopsided([6, 0, 0])
    made = plan_moves(posts, need, Rules(moves=2))
    for wrong, said in (
        ({"per_quarter": -1}, "-1 is not valid for maximum number of moves per quarter"),
        ({"budget_per_quarter": float("nan")}, "nan is not valid for maximum hours of travel per quarter"),
        ({"quarters": 0}, "0 is not valid for quarters"),
        ({"need": np.ones((3, 30, 3, 1))}, "need for 3 quarters and a schedule of 4"),
        ({"need": need[:, :2]}, "no 20 draws"),
    ):
        with pytest.raises(InputError, match=said):
            schedule_moves(made, **wrong)
    with pytest.raises(InputError, match="saved without its simulations"):
        schedule_moves(replace(made, need=None))


def test_a_plan_without_moves_has_quarters_without_moves():
    posts, need = lopsided([0, 0, 6])
    found = schedule_moves(plan_moves(posts, need, Rules(moves=0)))
    assert [phase.moves for phase in found.phases] == [()] * 4
    assert found.left == ()
    assert found.gap == 0.0
