"""The rivals of the risk model: known answers, calibrated draws, no data from the future."""

from dataclasses import replace

import numpy as np
import pytest

from data.errors import InputError
from risk.evaluation import baselines
from risk.evaluation.baselines import BASELINES, HISTORICAL_MEAN, HistoricalMean, KernelDensity, LastCount, shrink_rates
from risk.evaluation.panel import Panel
from risk.evaluation.scores import compute_log_score, compute_pit
from tests.helpers.reference import read_example


def chain(size):
    return np.stack([np.arange(size - 1), np.arange(1, size)], axis=1)


def invented(size=40, quarters=12, seed=0, sd=0.8, dispersion=5.0, level=3.0):
    """Return counts of two countries and two pathways; neighbours share a part of each area's risk."""
    rng = np.random.default_rng(seed)
    expected = rng.lognormal(0.0, 0.5, size)
    local = rng.normal(size=(size, 2))
    smooth = np.cumsum(rng.normal(size=(size, 2)), axis=0)
    risk = np.exp(sd * (0.6 * local + 0.3 * (smooth - smooth.mean(axis=0))))
    mean = np.broadcast_to((level * expected[:, None] * risk)[:, None], (size, quarters, 2))
    counts = rng.poisson(mean * rng.gamma(dispersion, 1 / dispersion, mean.shape)).astype(float)
    countries = ("AL",) * (size // 2) + ("GR",) * (size - size // 2)
    names = tuple(f"q{t}" for t in range(quarters))
    areas = tuple(f"a{i}" for i in range(size))
    effort = rng.integers(1, 20, (size, quarters)).astype(float)
    living = np.tile(expected[:, None], quarters)
    return Panel(areas, countries, living, names, ("internal", "cross_border"), counts, effort, chain(size))


def test_empirical_bayes_is_the_published_one():
    events, base = read_example("sids2", "sid79", "bir79")
    rates = shrink_rates(events, base)[:5]
    np.testing.assert_allclose(rates, [0.00162492, 0.00226271, 0.00186202, 0.00202962, 0.00195649], atol=1e-8)
    # Rates that differ by less than chance are all the common one.
    np.testing.assert_allclose(shrink_rates(np.array([2.0, 4.0]), np.array([20.0, 40.0])), 0.1)
    np.testing.assert_allclose(shrink_rates(np.zeros(3), np.ones(3)), 0.0)


@pytest.mark.long
@pytest.mark.parametrize("name", BASELINES)
def test_each_draws_counts_of_the_right_shape_the_same_for_the_same_seed(name):
    panel = invented(quarters=8)
    draws = BASELINES[name].forecast(panel, 4, 50, seed=3)
    assert draws.shape == (50, 40, 4, 2)
    assert (draws >= 0).all()
    np.testing.assert_array_equal(draws, np.rint(draws))
    np.testing.assert_array_equal(draws, BASELINES[name].forecast(panel, 4, 50, seed=3))
    assert (draws != BASELINES[name].forecast(panel, 4, 50, seed=4)).any()


@pytest.mark.parametrize("name", BASELINES)
def test_none_reads_beyond_its_history(name):
    panel = invented()
    changed = panel.counts.copy()
    changed[:, 8:] = 1000.0
    forecasts = [BASELINES[name].forecast(p.until(8), 2, 20, seed=0) for p in (panel, replace(panel, counts=changed))]
    np.testing.assert_array_equal(*forecasts)


@pytest.mark.long
@pytest.mark.parametrize("name", BASELINES)
def test_each_is_about_right_in_sum_and_calibrated(name):
    panel = invented(size=120, quarters=14, seed=5)
    draws = BASELINES[name].forecast(panel.until(12), 2, 400, seed=0)
    seen = panel.counts[:, 12:]
    assert draws.mean(axis=0).sum() == pytest.approx(seen.sum(), rel=0.15)
    placed = compute_pit(draws, seen)
    assert 0.42 < placed.mean() < 0.58
    assert 0.85 < np.mean((placed > 0.025) & (placed < 0.975)) <= 1.0


def test_the_historical_mean_is_the_mean_and_the_last_count_the_last():
    panel = invented()
    mean = HistoricalMean().means(panel, 2)
    np.testing.assert_allclose(mean[:, 0], panel.counts.mean(axis=1), atol=0.2, rtol=0.1)
    np.testing.assert_array_equal(mean[:, 0], mean[:, 1])
    last = LastCount().means(panel, 1)[:, 0]
    assert np.corrcoef(last.ravel(), panel.counts[:, -1].ravel())[0, 1] > 0.98


def test_the_population_share_follows_people_within_each_country():
    panel = invented()
    means = baselines.PopulationShare().means(panel, 1)[:, 0]
    for inside in (slice(0, 20), slice(20, 40)):
        ratio = means[inside] / panel.expected[inside, -1:]
        np.testing.assert_allclose(ratio, ratio[:1].repeat(20, axis=0))
        np.testing.assert_allclose(means[inside].sum(axis=0), panel.counts[inside, -4:].sum(axis=(0, 1)) / 4, rtol=0.02)


def test_the_kernel_is_wide_where_few_were_met_and_stays_in_its_country():
    counts = np.zeros((40, 4, 1))
    counts[:20, :, 0] = 10.0
    counts[25] = 1.0
    panel = replace(invented(quarters=4), counts=counts, pathways=("one",), expected=np.ones((40, 4)))
    means = KernelDensity().means(panel, 1)[:, 0, 0]
    np.testing.assert_allclose(means[:19], 10.0)
    # Nothing of Albania's level reaches Greece, and one area's children are spread around it.
    assert means[20:].max() < 0.5
    assert means[24] > 0.01
    assert means[25] < 1.0


@pytest.mark.long
def test_areas_of_different_risk_are_better_forecast_by_their_own_mean_than_by_population():
    panel = invented(size=80, seed=2)
    seen = panel.counts[:, 11:]
    score = {
        name: compute_log_score(each.forecast(panel.until(11), 1, 500, seed=0), seen).mean()
        for name, each in BASELINES.items()
    }
    assert score[HISTORICAL_MEAN] > score["population share"] + 0.1
    assert score[HISTORICAL_MEAN] > score["last count"]
    assert score["empirical Bayes"] > score["population share"] + 0.1
    assert score["Poisson ridge"] > score["population share"] + 0.1
    assert score["gradient boosting"] > score["population share"] + 0.1


@pytest.mark.parametrize("name", BASELINES)
def test_unknown_counts_hidden_areas_and_islands_are_no_obstacle(name):
    panel = invented(seed=4)
    counts = panel.counts.copy()
    counts[3, 5] = np.nan
    gaps = replace(panel, counts=counts, edges=panel.edges[1:]).hiding(np.arange(10, 14))
    draws = BASELINES[name].forecast(gaps, 2, 200, seed=0)
    assert np.isfinite(draws).all()
    assert draws[:, 10:14].mean() > 0.2


@pytest.mark.parametrize("name", BASELINES)
def test_one_quarter_and_a_pathway_without_children_are_enough(name):
    panel = invented(quarters=3)
    counts = panel.counts.copy()
    counts[:, :, 1] = 0.0
    empty = replace(panel, counts=counts)
    for quarters in (1, 3):
        draws = BASELINES[name].forecast(empty.until(quarters), 4, 50, seed=0)
        assert np.isfinite(draws).all()
        assert draws[..., 1].mean() < 0.2
    with pytest.raises(InputError, match="needs a quarter"):
        BASELINES[name].forecast(empty.until(0), 1, 10, seed=0)


def test_the_size_is_that_of_the_counts():
    narrow, wide = (
        HistoricalMean()._sizes(invented(size=200, dispersion=size, level=8.0, seed=1), 1).mean()
        for size in (50.0, 1.5)
    )
    assert 1.0 < wide < 2.0
    assert narrow > 10.0
