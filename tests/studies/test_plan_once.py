"""The value of a plan: the rivals act as their names say, and the moves help if the truth is known."""

import numpy as np
import pytest

from benchmarks.studies.plan_once import RIVALS, Programme, Regret, Study, describe, greedy, study, towards
from risk.planning.explain import Estimate
from risk.planning.problem import Kind, Posts


def posts(units):
    size = len(units)
    column = np.array(units)[:, None]
    return Posts(
        tuple("abc"[:size]), tuple("xyz"[:size]), (Kind("team", 10.0, True),), column, np.eye(size)[None],
        np.ones((size, size)), np.full(size, 99), np.zeros_like(column),
    )  # fmt: skip


def test_moving_towards_shares_takes_from_the_most_too_many():
    start = posts([6, 2, 2])
    np.testing.assert_array_equal(towards(start, np.array([1.0, 4.0, 5.0]), 2)[:, 0], [4, 3, 3])
    np.testing.assert_array_equal(towards(start, np.array([1.0, 4.0, 5.0]), 99)[:, 0], [1, 4, 5])
    np.testing.assert_array_equal(towards(start, np.array([6.0, 2.0, 2.0]), 9), start.units)


def test_greedy_makes_the_best_move_first_and_stops_where_none_helps():
    start = posts([4, 0, 0])
    need = np.array([10.0, 100.0, 12.0])
    np.testing.assert_array_equal(greedy(start, need, 1)[:, 0], [3, 1, 0])
    np.testing.assert_array_equal(greedy(start, need, 50)[:, 0], [0, 4, 0])
    np.testing.assert_array_equal(greedy(posts([0, 1, 0]), need, 9)[:, 0], [0, 1, 0])


def world(seed, met, shown, gain=(5.0, 1.0, 30.0), recommended=True, quiet=True, floor_kept=True):
    return Regret(seed, met, shown, Estimate(*gain), recommended, 9, floor_kept, quiet, 4, False, "small", 0.01)


def test_what_is_recovered_and_the_summary_of_all_worlds():
    first = world(0, (100.0, 90.0, 105.0, 110.0, 118.0, 120.0), 118.0)
    other = world(1, (100.0, 90.0, 112.0, 110.0, 110.0, 120.0), 110.0, gain=(15.0, 11.0, 30.0), quiet=False)
    assert [first.recovered(name) for name in RIVALS] == pytest.approx([0, -0.5, 0.25, 0.5, 0.9, 1])
    summary = Study((first, other)).summary()
    assert summary["recovered"]["plan"] == pytest.approx(0.7)
    assert summary["beats_counts"] == 0.5
    assert summary["floor_kept"] == 1.0
    assert summary["no_move_at_optimum"] == 0.5
    assert (summary["gain_predicted"], summary["gain_true"], summary["gain_in_interval"]) == (10.0, 14.0, 0.5)
    nothing = world(2, (100.0,) * 6, 100.0, recommended=False)
    assert nothing.recovered("plan") == 1.0


def test_a_plan_that_is_not_recommended_recovers_nothing_though_its_moves_would():
    unadvised = world(0, (100.0, 90.0, 105.0, 110.0, 100.0, 120.0), 116.0, recommended=False, floor_kept=False)
    assert (unadvised.recovered("plan"), unadvised.recovered_if_followed) == (0.0, pytest.approx(0.8))
    summary = Study((unadvised,)).summary()
    assert (summary["recovered"]["plan"], summary["recovered_if_followed"]) == (0.0, 0.8)
    assert (summary["recommended"], summary["floor_kept"]) == (0.0, 0.0)


def test_the_words_hold_the_numbers():
    words = " ".join(describe(Study((world(0, (100.0, 90.0, 105.0, 110.0, 118.0, 120.0), 118.0),)).summary()))
    assert "the plan makes 90%" in words
    assert "last year's counts makes 25%" in words
    assert "small in 1 worlds (100% truly gain, 1.0% on average)" in words


@pytest.mark.long
def test_one_world_keeps_its_floors_and_only_the_rule_holds_the_solver_back():
    steps = []
    first = study(1, first_seed=200, progress=lambda *step: steps.append(step))
    assert steps == [(1, 1, "Planning in invented worlds")]
    assert first.summary()["recovered"]["plan"] >= 0.7
    result = first.worlds[0]
    assert result.floor_kept
    assert result.moved <= Programme().moves
    assert result.moves_found_at_optimum > 0
    assert result.no_move_at_optimum


@pytest.mark.long
def test_the_plan_is_worth_its_moves_and_leaves_good_posts_alone():
    result = study(4, first_seed=200)
    summary = result.summary()
    assert summary["recovered"]["plan"] >= 0.7
    assert summary["beats_counts"] >= 0.85
    assert summary["floor_kept"] == 1.0
    assert summary["no_move_at_optimum"] >= 0.85
    assert summary["gain_in_interval"] >= 0.75
    assert summary["gain_predicted"] == pytest.approx(summary["gain_true"], rel=0.25)
    assert all(w.moved <= Programme().moves for w in result.worlds)
    assert study(1, first_seed=200).worlds == result.worlds[:1]
