"""The verdict on a plan: what a move costs while its unit settles in, and what follows from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.planning import plan_moves
from risk.planning.benefit import compute_met
from risk.planning.explain import Estimate
from risk.planning.problem import Kind, Posts, Rules, Solver
from risk.planning.verdict import YearAhead, choose_answer, judge_year

EXACT = Solver(gap=0.0)
# Two of four teams move: what reaches the two towns today, meanwhile, and afterwards.
CAPACITIES = tuple(10.0 * np.array([[low], [high]]) for low, high in ((4, 0), (2, 0), (2, 2)))
SETTLING = Rules(moves=2, settling=13)  # a whole quarter


def two_towns(units=(4, 0), level=(10.0, 100.0), spread=0.2):
    """Return two towns that are far apart, a team in which can meet ten children a quarter."""
    rng = np.random.default_rng(5)
    posts = Posts(
        ("low", "high"), ("one", "two"), (Kind("team", 10.0, True),), np.array(units)[:, None],
        np.eye(2)[None], np.array([[0.0, 7.0], [7.0, 0.0]]), np.array([9, 9]), np.zeros((2, 1), np.int64),
    )  # fmt: skip
    return posts, np.array(level) * np.exp(spread * rng.standard_normal((400, 2)))


def met(need, units):
    return compute_met(need, 10.0 * np.array(units, dtype=float)).sum(axis=1)


def test_the_net_gain_is_that_of_a_year_in_which_moved_teams_first_meet_nobody():
    posts, need = two_towns()
    plan = plan_moves(posts, need, SETTLING, solver=EXACT)
    assert plan.moved == 2
    judging = need[1::2]
    # By hand: one quarter with two teams fewer, then three with two teams in each town.
    net = met(judging, (2, 0)) + 3 * met(judging, (2, 2)) - 4 * met(judging, (4, 0))
    assert plan.year.net.mean == pytest.approx(net.mean())
    assert (plan.year.net.low, plan.year.net.high) == pytest.approx(tuple(np.quantile(net, [0.025, 0.975])))
    assert plan.year.settling == pytest.approx((met(judging, (4, 0)) - met(judging, (2, 0))).mean())
    assert plan.year.probability == (net > 0).mean() == 1.0
    assert plan.year.visible == pytest.approx(net.mean() - np.quantile(net, 0.1))
    assert plan.answer == "do"


def test_below_the_tipping_point_the_moves_no_longer_pay():
    posts, need = two_towns()
    plan = plan_moves(posts, need, SETTLING, solver=EXACT)
    assert 0 < plan.year.tipping < 1
    assert plan.year.need == pytest.approx(need[1::2, 1].mean())
    for factor, pays in ((1.02, True), (0.98, False)):
        less = need[1::2, :, None] * np.array([1.0, factor * plan.year.tipping])[:, None]
        assert (judge_year(less, *CAPACITIES, 1.0).net.mean > 0) == pays


def test_a_move_that_gains_less_than_is_lost_while_its_team_settles_in_is_not_proposed():
    # One of eleven teams moves: five are left where 100 children are in need, six are then where there are 110.
    posts, need = two_towns((6, 5), (100.0, 110.0), spread=0.0)
    gain, lost = (met(need, (5, 6)) - met(need, (6, 5))).mean(), (met(need, (6, 5)) - met(need, (5, 5))).mean()
    assert 0 < (4 - 6 / 13) * gain < 6 / 13 * lost
    assert plan_moves(posts, need, Rules(moves=1), solver=EXACT).moved == 1
    assert plan_moves(posts, need, Rules(moves=1, settling=6), solver=EXACT).moved == 0


def year(mean=10.0, probability=0.95):
    return YearAhead(Estimate(mean, 0.0, 2 * mean), 1.0, probability, 1.0, 50.0, 0.5)


@pytest.mark.parametrize(
    ("moved", "mean", "probability", "answer"),
    [
        (10, 10.0, 0.9, "do"),
        (10, 9.9, 0.9, "optional"),  # less than a child for each team
        (10, 10.0, 0.89, "optional"),
        (10, 10.0, 0.66, "optional"),
        (10, 10.0, 0.65, "keep"),
        (1, 0.99, 1.0, "keep"),  # less than one child a year
        (0, 10.0, 1.0, "keep"),
    ],
)
def test_the_verdict_follows_from_chance_and_net_gain(moved, mean, probability, answer):
    assert choose_answer(moved, year(mean, probability)) == answer


@given(st.integers(0, 40), st.floats(-5, 0.999), st.floats(0, 1))
def test_less_than_one_child_a_year_is_never_advised(moved, mean, probability):
    assert choose_answer(moved, year(mean, probability)) == "keep"


@pytest.mark.slow
@given(st.floats(0, 2), st.floats(0, 2))
def test_the_longer_a_team_needs_to_settle_in_the_less_a_move_brings(first, second):
    _, need = two_towns()
    years = [judge_year(need[1::2, :, None], *CAPACITIES, quarters) for quarters in sorted((first, second))]
    assert years[0].net.mean >= years[1].net.mean - 1e-9
    assert years[0].probability >= years[1].probability
    assert years[0].tipping <= years[1].tipping + 1e-6


def test_no_place_gets_less_and_none_more_where_nothing_moves():
    posts, need = two_towns()
    plan = plan_moves(posts, need, Rules(moves=0, settling=6))
    assert (plan.answer, plan.year.net.mean, plan.year.tipping) == ("keep", 0.0, None)
