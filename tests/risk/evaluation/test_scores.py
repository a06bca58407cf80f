"""Scores: known values, proper ranking, separate measures of calibration, and fair budgets."""

import numpy as np
import pytest
import scoringrules
from scipy.stats import binom, kstest, nbinom, poisson

from data.errors import InputError
from risk.evaluation import scores

RNG = np.random.default_rng(0)


def test_the_log_score_is_near_the_true_log_probability():
    observed = np.arange(0.0, 13.0)
    draws = RNG.negative_binomial(3.0, 3.0 / 8.0, (40_000, 13)).astype(float)
    truth = nbinom.logpmf(observed, 3.0, 3.0 / 8.0)
    np.testing.assert_allclose(scores.compute_log_score(draws, observed), truth, atol=0.06)


def two_peaks(shape):
    return np.where(RNG.random(shape) < 0.3, 12.0, 2.0)


def log_normal(shape):
    return 5.0 * np.exp(0.8 * RNG.normal(size=shape) - 0.32)


@pytest.mark.parametrize(("means", "most"), [(log_normal, 0.04), (two_peaks, 0.07)])
def test_the_mean_log_score_is_hardly_too_low_for_laws_that_are_not_negative_binomial(means, most):
    observed = RNG.poisson(means(3000)).astype(float)
    law = means(20_000)
    exact = np.array([np.log(poisson.pmf(n, law).mean()) for n in range(int(observed.max()) + 1)])
    draws = RNG.poisson(means((500, 3000))).astype(float)
    missing = exact[observed.astype(int)] - scores.compute_log_score(draws, observed)
    assert -0.01 < missing.mean() < most


def test_a_count_far_from_all_draws_has_a_log_score_with_an_end():
    far = scores.compute_log_score(np.full((100, 2), 3.0), np.array([2000.0, 3.0]))
    assert np.isfinite(far).all()
    assert far[0] < -5000 < -1 < far[1]


def test_the_log_score_is_finite_where_no_draw_fell_and_unknown_where_nothing_is_known():
    draws = np.zeros((500, 3))
    log_scores = scores.compute_log_score(draws, np.array([0.0, 7.0, np.nan]))
    assert log_scores[0] > -0.05
    assert -90 < log_scores[1] < -10
    assert np.isnan(log_scores[2])


def test_the_log_probability_is_scipys():
    counts, mean, size = np.arange(30.0), 4.0, 2.5
    wanted = nbinom.logpmf(counts, size, size / (size + mean))
    np.testing.assert_allclose(scores.log_negative_binomial(counts, mean, size), wanted, atol=1e-10)
    wanted = poisson.logpmf(counts, mean)
    np.testing.assert_allclose(scores.log_negative_binomial(counts, mean, np.inf), wanted, atol=1e-4)


def test_crps_is_that_of_the_law_the_draws_come_from():
    observed = np.array([0.0, 3.0, 11.0])
    draws = RNG.negative_binomial(4.0, 0.5, (20_000, 3)).astype(float)
    exact = scoringrules.crps_negbinom(observed, 4.0, 0.5)
    np.testing.assert_allclose(scores.compute_crps(draws, observed), exact, atol=0.05)
    assert np.isnan(scores.compute_crps(draws, np.array([np.nan, 1.0, 1.0]))[0])


@pytest.mark.long
def test_crps_of_few_draws_is_fair():
    few = RNG.poisson(4.0, (20_000, 5, 1)).astype(float)
    observed = RNG.poisson(4.0, (20_000, 1)).astype(float)
    fair = np.mean([scores.compute_crps(d, o)[0] for d, o in zip(few[:4000], observed[:4000], strict=True)])
    many = RNG.poisson(4.0, (2000, 4000)).astype(float)
    assert fair == pytest.approx(scores.compute_crps(many, observed[:4000, 0]).mean(), abs=0.04)


def test_dawid_and_sebastianis_score_is_its_formula():
    draws = np.array([[1.0], [3.0], [5.0], [7.0]])
    assert scores.compute_dawid_sebastiani(draws, np.array([6.0]))[0] == pytest.approx(4.0 / 5.0 + np.log(5.0))


@pytest.mark.slow
def test_every_score_prefers_the_truth():
    truth = RNG.negative_binomial(5.0, 5.0 / 13.0, 1500).astype(float)

    def law(mean, size):
        return RNG.negative_binomial(size, size / (size + mean), (400, 1500)).astype(float)

    right, biased, narrow, wide = law(8.0, 5.0), law(12.0, 5.0), law(8.0, 500.0), law(8.0, 0.8)
    for name, sign in (("log_score", -1), ("crps", 1), ("dawid_sebastiani", 1)):
        score = getattr(scores, f"compute_{name}")
        best = sign * score(right, truth).mean()
        assert all(best < sign * score(other, truth).mean() for other in (biased, narrow, wide)), name


def test_the_transform_is_uniform_when_calibrated_and_not_otherwise():
    truth = RNG.poisson(2.0, 3000).astype(float)
    right = RNG.poisson(2.0, (1000, 3000)).astype(float)
    narrow = np.repeat(RNG.poisson(2.0, (1000, 1)), 3000, axis=1) * 0.0 + 2.0
    assert kstest(scores.compute_pit(right, truth), "uniform").pvalue > 0.001
    assert kstest(scores.compute_pit(narrow, truth), "uniform").pvalue < 1e-6


@pytest.mark.always("0.95")
@pytest.mark.slow
@pytest.mark.parametrize("level", scores.LEVELS)
def test_intervals_cover_their_level_or_more(level):
    truth = RNG.poisson(30.0, 2000).astype(float)
    right = RNG.poisson(30.0, (600, 2000)).astype(float)
    share = scores.is_covered(right, truth, level).mean()
    assert binom.ppf(0.0005, 2000, level - 0.01) / 2000 <= share <= level + 0.08
    narrow = RNG.poisson(300.0, (600, 2000)) / 10.0
    assert scores.is_covered(narrow, truth, level).mean() < level - 0.15


def test_a_budget_of_areas_takes_the_best_and_the_last_in_part():
    worth = np.array([1.0, 5.0, 3.0, 2.0])
    np.testing.assert_allclose(scores.allocate_budget(worth, np.ones(4), 0.5), [0, 1, 1, 0])
    np.testing.assert_allclose(scores.allocate_budget(worth, np.ones(4), 0.4), [0, 1, 0.6, 0])
    # By hours: the first gives one child an hour, the second half a child.
    np.testing.assert_allclose(scores.allocate_budget(worth, np.array([1.0, 10.0, 5.0, 0.0]), 0.25), [1, 0, 0.6, 0])


def test_hit_rate_pai_and_pei_are_their_definitions():
    forecast = np.array([[9.0, 1.0, 2.0, 3.0, 0.0]])
    observed = np.array([[4.0, 6.0, 0.0, 0.0, 2.0]])
    result = scores.measure_budget(forecast, observed, np.ones((1, 5)), 0.2)
    assert result.hit_rate == pytest.approx(4 / 12)
    assert result.pai == pytest.approx((4 / 12) / 0.2)
    assert result.pei == pytest.approx(4 / 6)
    perfect = scores.measure_budget(observed, observed, np.ones((1, 5)), 0.2)
    assert (perfect.hit_rate, perfect.pei) == pytest.approx((0.5, 1.0))
    with pytest.raises(InputError, match="budget"):
        scores.measure_budget(forecast, observed, np.ones((1, 5)), 1.5)


def test_intervals_of_hit_rates_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(6)
    size = 150
    rates = []
    for seed in range(150):
        mean = rng.gamma(2.0, 2.0, size)
        guess = (mean * rng.lognormal(0, 0.3, size))[None, :]
        seen = rng.poisson(mean)[None, :].astype(float)
        rates.append(scores.measure_budget(guess, seen, np.ones((1, size)), 0.2, resamples=200, seed=seed))
    truth = np.mean([rate.hit_rate for rate in rates])
    coverage = np.mean([low <= truth <= high for low, high in (rate.hit_interval for rate in rates)])
    assert 0.88 <= coverage <= 1.0


def test_children_where_nobody_searches_count_as_not_reached():
    """Two children, one of them reported from an area without a day of outreach: all days find half of them at most."""
    forecast, observed = np.array([[3.0, 5.0]]), np.ones((1, 2))
    result = scores.measure_budget(forecast, observed, np.array([[10.0, 0.0]]), 0.5)
    assert result.hit_rate == pytest.approx(0.25)
    assert result.pei == pytest.approx(1.0)


def test_nothing_found_anywhere_is_unknown():
    result = scores.measure_budget(np.ones((1, 4)), np.zeros((1, 4)), np.ones((1, 4)), 0.5)
    assert np.isnan(result.hit_rate)
    assert np.isnan(result.pei)


def test_rank_stability_is_one_for_the_same_order_and_minus_one_for_the_opposite():
    order = np.array([3.0, 1.0, 2.0, 9.0])
    assert scores.correlate_ranks(order, 10 * order) == pytest.approx((1.0, 1.0))
    assert scores.correlate_ranks(order, -order) == pytest.approx((-1.0, -1.0))
    assert np.isnan(scores.correlate_ranks(order, np.ones(4))).all()


def test_the_weighted_interval_score_is_that_of_its_definition():
    """Bracher et al. (2021), eq. (1) and (2): the median and eleven central intervals."""
    np.testing.assert_allclose(
        scores.compute_wis(np.full((5, 3), 4.0), np.array([4.0, 7.0, np.nan])), [0.0, 3.0, np.nan]
    )
    draws = np.random.default_rng(0).poisson(5.0, (500, 4)).astype(float)
    seen = np.array([5.0, 0.0, 9.0, 14.0])
    ends = np.quantile(draws, scores.QUANTILES, axis=0, method="inverted_cdf")
    total = 0.5 * np.abs(seen - ends[11])
    for level in range(11):
        outside, low, high = 2 * scores.QUANTILES[level], ends[level], ends[22 - level]
        penalty = np.maximum(low - seen, 0) + np.maximum(seen - high, 0)
        total += outside / 2 * (high - low + 2 / outside * penalty)
    np.testing.assert_allclose(scores.compute_wis(draws, seen), total / 11.5)
