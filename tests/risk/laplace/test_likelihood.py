"""The likelihood of published counts, compared with the distributions from which it is built."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from data.disclosure.cell_key import CellKey
from risk.laplace import likelihood
from risk.laplace.likelihood import HIDDEN, Counts
from risk.model.observations import build_channel
from tests.helpers.fits import true_counts
from tests.helpers.nonempty import nonempty

KAPPAS = st.sampled_from([0.0, 0.05, 0.4, 1.0])
CHANNEL = CellKey().channel(60)


def distribution(mean, kappa):
    return poisson(mean) if not kappa else nbinom(kappa**-2, 1 / (1 + mean * kappa**2))


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=6), st.floats(-3.0, 5.0), KAPPAS)
def test_an_exact_count_is_as_likely_as_its_distribution_says(values, log_mean, kappa):
    published = np.array(values)
    slopes = Counts.from_published(published, None).slopes(np.full(len(values), log_mean), kappa)
    np.testing.assert_allclose(
        slopes.log, distribution(np.exp(log_mean), kappa).logpmf(published), rtol=1e-8, atol=1e-8
    )
    np.testing.assert_array_equal(slopes.expected, published)
    np.testing.assert_array_equal(slopes.variance, 0.0)


@pytest.mark.parametrize("k", [None, 11])
def test_a_large_count_is_read_as_by_a_matrix_that_holds_it_and_takes_no_memory(k):
    published = np.array([0 if k is None else HIDDEN, 11, 40, 97, 300])
    whole = CellKey().channel(400, 1, k)
    short = build_channel(CellKey(), np.array([1_000_000]), k)
    assert short.n_max < 100
    log_mean = np.log([5.0, 12.0, 30.0, 99.0, 250.0])
    wanted, read = (Counts.from_published(published, channel).slopes(log_mean, 0.2) for channel in (whole, short))
    for name in ("log", "gradient", "curvature", "expected", "variance"):
        np.testing.assert_allclose(getattr(read, name), getattr(wanted, name), rtol=1e-9, atol=1e-9)


@given(st.integers(0, 40), st.floats(-3.0, 3.5), KAPPAS)
def test_moments_are_those_of_the_true_count_given_what_is_published(value, log_mean, kappa):
    true = np.arange(61)
    weight = CHANNEL.shown(value) * distribution(np.exp(log_mean), kappa).pmf(true)
    weight /= weight.sum()
    mean = weight @ true
    slopes = Counts.from_published(np.array([value]), CHANNEL).slopes(np.array([log_mean]), kappa)
    assert slopes.expected[0] == pytest.approx(mean, rel=1e-9, abs=1e-11)
    assert slopes.variance[0] == pytest.approx(weight @ (true - mean) ** 2, rel=1e-7, abs=1e-11)
    assert slopes.skew[0] == pytest.approx(weight @ (true - mean) ** 3, rel=1e-6, abs=1e-10)


@given(st.integers(0, 40), st.floats(-2.0, 3.5), KAPPAS)
def test_slopes_are_derivatives_of_each_other_in_the_log_mean(value, log_mean, kappa):
    step, cells = 1e-4, Counts.from_published(np.array([value] * 3), CHANNEL)
    slopes = cells.slopes(log_mean + step * np.array([-1, 0, 1]), kappa)
    for upper, lower, sign in (("log", "gradient", 1), ("gradient", "curvature", -1), ("curvature", "third", 1)):
        values = getattr(slopes, upper)
        by_difference = sign * (values[2] - values[0]) / (2 * step)
        assert getattr(slopes, lower)[1] == pytest.approx(by_difference, rel=1e-4, abs=1e-4), lower


def test_each_cell_holds_the_true_counts_that_can_show_so():
    channel = CellKey().channel(60, 1, 11)
    published = np.array([14, HIDDEN, 30, 14])
    counts = Counts.from_published(published, channel)
    for cell, value in nonempty(enumerate(published)):
        chance = channel.hidden() if value == HIDDEN else channel.shown(int(value))
        true, log_chance = (values[:, cell] for values in true_counts(counts))
        possible = np.isfinite(log_chance)
        np.testing.assert_array_equal(true[possible], np.flatnonzero(chance))
        np.testing.assert_allclose(np.exp(log_chance[possible]), chance[chance > 0])
        assert counts.likeliest[cell] == chance.argmax()


def test_working_in_portions_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    counts, log_mean = Counts.from_published(rng.integers(0, 20, 300), CHANNEL), rng.normal(1.0, 1.0, 300)
    whole = counts.slopes(log_mean, 0.3)
    monkeypatch.setattr(likelihood, "_AT_ONCE", 7 * len(counts.log_chances))
    for name, values in vars(counts.slopes(log_mean, 0.3)).items():
        np.testing.assert_allclose(values, getattr(whole, name), rtol=1e-9, atol=1e-10, err_msg=name)
