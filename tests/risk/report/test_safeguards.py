"""The safeguards: learning from all finds drifts far from the truth, and another rule does not."""

import numpy as np
import pytest

from data.errors import InputError
from risk.report.safeguards import draw_urn, learn_all, learn_by_share_of_others, measure_drift

RULES = (learn_all, learn_by_share_of_others)


@pytest.mark.long
@pytest.mark.parametrize(
    ("rates", "rule", "low", "high"),
    [
        ((0.5, 0.5), learn_all, 0.05, 0.95),
        ((0.5, 0.5), learn_by_share_of_others, 0.46, 0.54),
        ((0.55, 0.45), learn_all, 0.17, 0.98),
        ((0.55, 0.45), learn_by_share_of_others, 0.51, 0.59),
    ],
)
def test_the_urn_ends_where_it_is_known_to_end(rates, rule, low, high):
    first = draw_urn(rates, rule, runs=4000, seed=1)[:, 0]
    assert np.quantile(first, [0.05, 0.95]) == pytest.approx([low, high], abs=0.02)


@pytest.mark.long
def test_learning_from_all_finds_drifts_and_says_so():
    drift = measure_drift(learn_all)
    assert drift.drifts
    assert not measure_drift(learn_by_share_of_others).drifts
    assert drift.truth == 0.5
    assert drift.low < 0.4
    assert drift.high > 0.6


@pytest.mark.long
def test_belief_by_the_share_of_the_others_is_not_enough_for_more_than_two_areas():
    assert all(measure_drift(rule, (0.5, 0.4, 0.3, 0.2)).drifts for rule in RULES)


def test_shares_sum_to_one_and_repeat():
    first = draw_urn((0.3, 0.6, 0.1), learn_all, visits=200, runs=50, seed=4)
    np.testing.assert_allclose(first.sum(axis=1), 1.0)
    np.testing.assert_array_equal(first, draw_urn((0.3, 0.6, 0.1), learn_all, visits=200, runs=50, seed=4))


def test_an_area_without_finds_is_learnt_to_have_none():
    shares = draw_urn((0.5, 0.0), learn_all, visits=500, runs=200)
    assert shares[:, 1].max() < 0.1


def test_what_is_no_urn_is_refused():
    with pytest.raises(InputError, match="two areas"):
        draw_urn((0.5,), learn_all)
    with pytest.raises(InputError, match="0 to 1"):
        draw_urn((0.5, 1.5), learn_all)
    with pytest.raises(InputError, match="above 0"):
        measure_drift(learn_all, (0.0, 0.0))
