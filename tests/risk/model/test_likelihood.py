"""Parts of the risk model agree with their exact definitions: likelihood, priors, the field and totals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import nbinom, poisson

from data.disclosure.cell_key import CellKey
from data.errors import InputError
from risk.laplace.fields import Beta, Field, HalfNormal, Hyper
from risk.laplace.graph import build_structure
from risk.laplace.likelihood import Counts
from risk.laplace.response import Totals, compute_moments, compute_total_response
from risk.model.observations import HIDDEN
from tests.helpers.fits import GammaPrecision
from tests.helpers.nonempty import nonempty

NOISE = CellKey()


def direct(published, channel, mean, kappa, most=60):
    true = np.arange(most + 1)
    chance = poisson.pmf(true, mean) if not kappa else nbinom.pmf(true, kappa**-2, 1 / (1 + mean * kappa**2))
    if channel is None:
        return chance[published]
    seen = channel.hidden() if published == HIDDEN else channel.shown(published)
    return chance @ seen


@given(
    st.sampled_from([0, 1, 3, 8, 14, HIDDEN]),
    st.floats(-3.0, 3.0),
    st.sampled_from([0.0, 0.05, 0.4, 1.0]),
    st.booleans(),
)
def test_a_published_count_is_as_likely_as_the_channel_says(value, log_mean, kappa, public):
    channel = NOISE.channel(60, 1, 11 if public else None)
    if (value == HIDDEN) != (public and value < 11):
        return
    slopes = Counts.from_published(np.array([value]), channel).slopes(np.array([log_mean]), kappa)
    assert np.exp(slopes.log[0]) == pytest.approx(direct(value, channel, np.exp(log_mean), kappa), rel=1e-6)


@given(st.integers(0, 30), st.floats(-3.0, 4.0), st.sampled_from([0.0, 0.05, 0.4, 1.0]), st.booleans())
def test_slopes_of_the_likelihood_are_its_derivatives(value, log_mean, kappa, exact):
    counts = Counts.from_published(np.array([value]), None if exact else NOISE.channel(60))
    h = 1e-4
    low, here, high = (counts.slopes(np.array([log_mean + d]), kappa) for d in (-h, 0.0, h))
    assert here.gradient == pytest.approx((high.log - low.log) / (2 * h), rel=1e-5, abs=1e-6)
    assert here.curvature == pytest.approx((low.gradient - high.gradient) / (2 * h), rel=1e-5, abs=1e-6)
    assert here.third == pytest.approx((high.curvature - low.curvature) / (2 * h), rel=1e-5, abs=1e-6)
    assert here.information > 0


def test_a_noisy_count_may_be_curved_upwards():
    """Newton's method must cope with this: published values 2 to 13 at some means below 1.7."""
    means = np.log(np.linspace(0.05, 1.7, 60))
    channel = NOISE.channel(40)
    counts = [Counts.from_published(np.full(60, value), channel) for value in range(20)]
    upwards = [value for value in range(20) if (counts[value].slopes(means, 0.0).curvature < 0).any()]
    assert set(range(2, 14)) <= set(upwards)


def test_a_count_that_the_channel_never_publishes_is_refused():
    channel = NOISE.channel(30, 1, 11)
    with pytest.raises(InputError, match="7 is published"):
        Counts.from_published(np.array([7]), channel)
    with pytest.raises(InputError, match="channel"):
        Counts.from_published(np.array([HIDDEN]), None)


@pytest.mark.parametrize("prior", [HalfNormal(0.7), GammaPrecision(shape=2.0, rate=0.5), Beta(0.5, 0.5)])
def test_priors_are_densities_of_theta(prior):
    assert quad(lambda t: np.exp(prior.log_density(t)[0]), -40, 40, limit=400)[0] == pytest.approx(1.0, rel=1e-4)
    for theta in (-2.0, 0.3):
        slope = (prior.log_density(theta + 1e-5)[0] - prior.log_density(theta - 1e-5)[0]) / 2e-5
        assert prior.log_density(theta)[1] == pytest.approx(slope, rel=1e-5)
        moved = (prior.natural(theta + 1e-5)[0] - prior.natural(theta - 1e-5)[0]) / 2e-5
        assert prior.natural(theta)[1] == pytest.approx(moved, rel=1e-5)


def test_a_field_has_the_covariance_of_bym2_with_a_part_in_common():
    graph = build_structure(4, np.array([(0, 1), (1, 2)]))
    field = Field(graph, 2, Hyper("sd", HalfNormal()), Hyper("structured", Beta()), Hyper("common", Beta()))
    theta = np.array([-0.4, 0.6, -0.3])
    sd, structured, common = np.exp(-0.4), 1 / (1 + np.exp(-0.6)), 1 / (1 + np.exp(0.3))
    across = sd**2 * (structured * graph.product(graph.variances) + (1 - structured) * np.eye(4))
    covariance = np.kron((1 - common) * np.eye(2) + common, across)
    precision = field.precision(theta)
    np.testing.assert_allclose(precision.matrix @ covariance, np.eye(8), atol=1e-8)
    assert precision.log_det == pytest.approx(-np.linalg.slogdet(covariance)[1])
    for i in range(3):
        h = 1e-5 * np.eye(3)[i]
        high, low = field.precision(theta + h), field.precision(theta - h)
        np.testing.assert_allclose(precision.slopes[i], (high.matrix - low.matrix) / 2e-5, rtol=1e-4, atol=1e-6)
        assert precision.log_det_slopes[i] == pytest.approx((high.log_det - low.log_det) / 2e-5, rel=1e-5)


def test_a_total_is_as_likely_as_adding_up_says():
    """Compare with the exact distribution of the sum of counts that are known only with noise."""
    rng = np.random.default_rng(2)
    channel, means = NOISE.channel(80), rng.gamma(1.5, 1.2, 24)
    true = rng.poisson(means)
    published = NOISE.publish(true, rng.integers(0, 2**24, 24))
    counts = Counts.from_published(published, channel)
    slopes = counts.slopes(np.log(means), 0.3)
    exact = np.ones(1)
    for value, mean in zip(published, means, strict=True):
        n = np.arange(channel.n_max + 1)
        weights = channel.shown(int(value)) * nbinom.pmf(n, 0.3**-2, 1 / (1 + mean * 0.3**2))
        exact = np.convolve(exact, weights / weights.sum())
    noise = channel.matrix[-1][-2 * channel.largest - 1 :]
    for away in (-6, -2, 0, 3, 6):
        value = int(true.sum()) + away
        lows = exact[value - channel.largest : value + channel.largest + 1]
        totals = Totals(np.array([float(value)]), np.array([2.0]))
        log, *_ = compute_total_response(totals, tuple(m[None] for m in compute_moments(slopes)))
        assert log[0] == pytest.approx(np.log(lows @ noise[::-1]), abs=0.12)


@pytest.mark.parametrize("value", [4.0, 40.0, np.nan])
def test_slopes_of_a_total_are_its_derivatives(value):
    counts = Counts.from_published(np.array([0, 1, 4, 9]), NOISE.channel(60))
    totals, h = Totals(np.array([value]), np.array([2.0])), 1e-5

    def respond(log_means):
        return compute_total_response(totals, tuple(m[None] for m in compute_moments(counts.slopes(log_means, 0.4))))

    here = np.array([-1.0, 0.3, 0.9, 2.0])
    _, gradient, pull, pull_slope, pull_change = respond(here)
    for i, step in nonempty(enumerate(h * np.eye(4))):
        high, low = respond(here + step), respond(here - step)
        assert gradient[0, i] == pytest.approx((high[0][0] - low[0][0]) / (2 * h), abs=1e-5)
        change = (high[2] - low[2])[0] / (2 * h)
        np.testing.assert_allclose(change, pull_slope[0] * (step > 0) - pull[0] * pull_change[0, i] / 2, atol=1e-5)
