"""The risk model: published answers, honest intervals, and the known truth of invented worlds."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import nbinom, norm, poisson, spearmanr
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.studies.observe import observe_world
from data.disclosure.cell_key import CellKey
from data.errors import InputError
from data.release import Release
from geo import areas
from risk.laplace import hyperparameters
from risk.laplace.fields import Beta, Field, HalfNormal, Hyper
from risk.laplace.graph import build_structure
from risk.laplace.hyperparameters import integrate
from risk.laplace.likelihood import Counts, Slopes
from risk.laplace.mode import NoMode, compute_gradient, find_best_mode, find_mode
from risk.laplace.response import Totals, compute_moments, compute_total_response
from risk.model import RiskModel
from risk.model.detection import DetectionRange, compute_exceedance, draw_yearly_need, judge_risk
from risk.model.layout import build_layout
from risk.model.observations import HIDDEN, MISSING, PATHWAYS, Observations, read_share_found
from risk.worlds import WorldParameters, simulate_default_areas
from tests.helpers.fits import GammaPrecision, log_means, mean_risk
from tests.helpers.reference import read_scotland, read_scotland_edges
from tests.helpers.repetitions import vary

NOISE = CellKey()
SEEDS = range(3)


def scotland(edges):
    table = read_scotland()
    size = len(table)
    return Observations(
        tuple(table["district"]),
        ("S",) * size,
        table[["expected"]].to_numpy(),
        ("1975-01-01/P1Y",),
        ("all",),
        ("reported",),
        table["cases"].to_numpy().reshape(size, 1, 1, 1),
        np.zeros((size, 1)),
        read_scotland_edges(edges),
        None,
        "public",
        covariates=10.0 * table[["aff"]].to_numpy(),
    )


@pytest.fixture(scope="module")
def pairs():
    return areas.load_areas().neighbours("region")


@pytest.fixture(scope="module")
def worlds():
    return [simulate_default_areas(WorldParameters(seed=seed)) for seed in SEEDS]


@pytest.fixture(scope="module")
def seen(worlds, pairs):
    return [observe_world(world, pairs, NOISE) for world in worlds]


@pytest.fixture(scope="module")
def fits(seen):
    return [RiskModel().fit(observations).fit_ for observations in seen]


def true_log_risk(world, seen):
    table = world.truth.relative_risk("region")
    table = table.pivot_table(index="area", columns="pathway", values="relative_risk")
    return np.log(table.loc[list(seen.areas), list(seen.pathways)].to_numpy())


# Published answers


@pytest.fixture(scope="module")
def lip_cancer():
    model = RiskModel("poisson", intercept_sd=1.0, covariate_sd=1.0, area_sd=1.0)
    return model.fit(scotland("carlin")).fit_


@pytest.mark.slow
def test_lip_cancer_with_bym2(lip_cancer):
    mean, sd = lip_cancer.posterior.moments()
    assert mean[0] == pytest.approx(-0.217, abs=0.02)
    assert sd[0] == pytest.approx(0.129, abs=0.02)
    (slope,) = lip_cancer.layout.covariates
    assert (mean[slope], sd[slope]) == (pytest.approx(0.365, abs=0.02), pytest.approx(0.134, abs=0.02))
    assert lip_cancer.hyper["area_sd"] == (pytest.approx(0.514, abs=0.02), pytest.approx(0.0885, abs=0.02))
    assert lip_cancer.hyper["structured"] == (pytest.approx(0.878, abs=0.03), pytest.approx(0.144, abs=0.03))
    log_mean, log_sd = (column[4, 0] for column in log_means(lip_cancer.posterior))
    assert np.exp(log_mean + log_sd**2 / 2) == pytest.approx(13.8, abs=0.2)


@pytest.mark.long
def test_the_mean_correction_moves_the_intercept(lip_cancer):
    """Without it the intercept is wrong by about 0.03, as in INLA with the plain Gaussian approximation."""
    uncorrected = sum(
        node.weight * find_mode(lip_cancer.layout.model, node.theta, (node.core, node.local)).core[0]
        for node in lip_cancer.posterior.nodes
    )
    assert 0.01 < uncorrected - lip_cancer.posterior.moments()[0][0] < 0.05


@pytest.mark.slow
def test_the_design_for_many_hyperparameters_agrees_with_the_full_grid(lip_cancer):
    model, grid = lip_cancer.layout.model, lip_cancer.posterior
    top = find_mode(model, max(grid.nodes, key=lambda node: node.log_density).theta)
    root, log_volume = hyperparameters._compute_root(model, top, hyperparameters._report_nothing)
    nodes, volumes, spread = hyperparameters._evaluate_design(model, top, root, hyperparameters._report_nothing)
    weights = volumes * np.exp([node.log_density - top.log_density for node in nodes])
    pairs = zip(nodes, weights / weights.sum(), strict=True)
    design = hyperparameters.Posterior(model, tuple(replace(n, weight=float(w)) for n, w in pairs), 0.0)
    np.testing.assert_allclose(log_means(design)[0], log_means(grid)[0], atol=0.03)
    np.testing.assert_allclose(log_means(design)[1], log_means(grid)[1], rtol=0.05)
    log_marginal = top.log_density + np.log(2.0 * np.pi) + log_volume + spread
    assert log_marginal == pytest.approx(grid.log_marginal, abs=0.3)


@pytest.mark.slow
def test_lip_cancer_with_an_intrinsic_field():
    data = scotland("poly2nb")
    effects = RiskModel("poisson", structured=1.0, scaled=False, intercept_sd=1e3, covariate_sd=1e3)
    effects = effects._build_effects(data)
    sd, *rest = effects.area
    gamma = Hyper("area_sd", GammaPrecision(), sd.start)
    layout = build_layout(data, replace(effects, area=(gamma, *rest)))
    fit = integrate(layout.model)
    mean, _ = fit.moments()
    intercept = mean[0] + layout.base
    assert intercept == pytest.approx(-0.3006, abs=0.03)
    assert mean[layout.covariates] == pytest.approx([0.4474], abs=0.03)
    assert fit.hyper()["area_sd"][0] == pytest.approx(0.6664, abs=0.03)
    assert mean[layout.area[[0, 48]]] == pytest.approx([1.131, -0.7056], abs=0.03)


# The parts


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


@pytest.mark.parametrize("totals", [False, True])
def test_the_gradient_of_the_hyperparameters_is_that_of_their_density(seen, totals):
    data = seen[0] if totals else replace(seen[0], totals=None)
    model = build_layout(data, RiskModel()._build_effects(data)).model
    theta = np.array([h.start for h in model.hypers]) + 0.1
    here = find_best_mode(model, theta)
    slopes = []
    for step in 1e-2 * np.eye(len(theta)):
        high, low = (find_mode(model, theta + side * step, (here.core, here.local)) for side in (1, -1))
        slopes.append((high.log_density - low.log_density) / 2e-2)
    # The curvature of totals is the expected one, so that their part is near, not exact.
    np.testing.assert_allclose(compute_gradient(model, here), slopes, atol=0.25 if totals else 0.02)


@pytest.mark.slow
def test_the_factor_is_that_of_the_whole_matrix(seen):
    """Compare with one dense matrix of core and local effects: eliminating blocks first changes nothing."""
    data = replace(seen[0].up_to(3), totals=seen[0].totals)
    model = build_layout(data, RiskModel()._build_effects(data)).model
    mode = find_best_mode(model, np.array([h.start for h in model.hypers]))
    blocks, cells = model.offset.shape
    size, periods = model.size, model.periods
    design = np.zeros((blocks * cells, size + blocks * periods))
    for b in range(blocks):
        for i in range(cells):
            row, t = design[b * cells + i], model.period[i]
            np.add.at(row, model.core_index[b], model.design[b, i])
            row[model.walk_index[b, t]] += 1.0
            row[size + b * periods + t] = 1.0
    whole = np.zeros((design.shape[1],) * 2)
    whole[:size, :size] = mode.prior.core
    for b in range(blocks):
        block = slice(size + b * periods, size + (b + 1) * periods)
        whole[block, block] = mode.prior.local
    weights = np.diag(mode.response.curvature.ravel())
    for b in range(blocks):
        block = slice(b * cells, (b + 1) * cells)
        weights[block, block] += np.outer(mode.response.pull[b], mode.response.pull[b])
    whole += design.T @ weights @ design
    assert mode.factor.log_det == pytest.approx(np.linalg.slogdet(whole)[1], rel=1e-6)
    covariance = design @ np.linalg.inv(whole) @ design.T
    np.testing.assert_allclose(model.variances(mode.factor).ravel(), np.diag(covariance), rtol=1e-4)
    values = np.random.default_rng(0).standard_normal((blocks, cells))
    for b in (0, 7):
        block = slice(b * cells, (b + 1) * cells)
        np.testing.assert_allclose(
            model.multiply_covariance(mode.factor, values)[b],
            covariance[block, block] @ values[b],
            rtol=1e-3,
            atol=1e-6,
        )
    core, local = mode.factor.draw(np.random.default_rng(0), 4000)
    some = np.array([model.log_mean(c, u) - model.offset for c, u in zip(core, local, strict=True)])
    ratio = some.reshape(4000, -1).var(axis=0) / np.diag(covariance)
    assert np.abs(ratio - 1.0).mean() < 0.05


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
    for i, step in enumerate(h * np.eye(4)):
        high, low = respond(here + step), respond(here - step)
        assert gradient[0, i] == pytest.approx((high[0][0] - low[0][0]) / (2 * h), abs=1e-5)
        change = (high[2] - low[2])[0] / (2 * h)
        np.testing.assert_allclose(change, pull_slope[0] * (step > 0) - pull[0] * pull_change[0, i] / 2, atol=1e-5)


# Invented worlds


@pytest.mark.slow
def test_the_ranking_of_true_risk_is_found_through_the_noise(worlds, seen, fits):
    ranks = [
        spearmanr(mean_risk(fit)[:, p], true_log_risk(world, observations)[:, p])[0]
        for world, observations, fit in zip(worlds, seen, fits, strict=True)
        for p in range(2)
    ]
    assert np.mean(ranks) > 0.75


@pytest.mark.long
def test_noise_costs_little(worlds, seen, fits, pairs):
    """Exact counts do not give a much better ranking, because published totals give the level of each area."""
    lost = []
    for world, observations, fit in zip(worlds, seen, fits, strict=True):
        exact = RiskModel().fit(observe_world(world, pairs)).fit_
        true = true_log_risk(world, observations)
        for p in range(2):
            ranks = [spearmanr(mean_risk(f)[:, p], true[:, p])[0] for f in (exact, fit)]
            lost.append(ranks[0] - ranks[1])
    assert np.mean(lost) < 0.06


@pytest.mark.long
def test_intervals_over_the_detection_range_hold_the_truth(worlds, seen, fits):
    inside = []
    for world, observations, fit in zip(worlds, seen, fits, strict=True):
        draws = DetectionRange().log_risk(fit.log_risk(2000, 1), observations, 1)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        true = true_log_risk(world, observations)
        inside.append((low <= true) & (true <= high))
    # 156 intervals that are not independent.
    assert 0.90 < np.mean(inside) <= 1.0


@pytest.mark.long
@pytest.mark.parametrize("gamma", [0.4, 1.0])
def test_the_exponent_of_effort_is_learnt(gamma, pairs):
    world = simulate_default_areas(WorldParameters(seed=1, gamma=gamma))
    mean, sd = RiskModel().fit(observe_world(world, pairs)).fit_.gamma
    assert mean == pytest.approx(gamma, abs=0.15)
    assert 0.02 < sd < 0.15


@pytest.mark.long
def test_a_fixed_exponent_stays(seen):
    fit = RiskModel(gamma=1.0).fit(seen[0]).fit_
    assert fit.gamma == (1.0, 0.0)
    assert (fit.draws(10, 0).gamma == 1.0).all()


@pytest.mark.slow
def test_the_planted_shift_to_internal_trafficking_is_seen(seen, fits):
    """It is found in Tirana and Durrës, and less elsewhere."""
    for observations, fit in zip(seen, fits, strict=True):
        rate = fit.draws(2000, 0).log_rate
        odds = rate[..., PATHWAYS.index("internal")] - rate[..., PATHWAYS.index("cross_border")]
        change = odds[:, :, 7:].mean(axis=2) - odds[:, :, :3].mean(axis=2)
        planted = np.isin(observations.areas, ("AL-02", "AL-11"))
        assert (change[:, planted] > 0).mean(axis=0).min() > 0.85
        assert change[:, planted].mean() > 1.0
        assert change[:, planted].mean() > np.max(change[:, ~planted].mean(axis=0))


def test_risk_is_relative_to_the_country(seen, fits):
    draws = fits[0].log_risk(50, 0)
    for country in range(2):
        inside = seen[0].country_of == country
        weights = seen[0].living[inside] / seen[0].living[inside].sum()
        np.testing.assert_allclose(np.einsum("a,dap->dp", weights, np.exp(draws[:, inside])), 1.0)


@pytest.mark.slow
def test_the_same_input_gives_the_same_output(seen, fits):
    again = RiskModel().fit(seen[0]).fit_
    assert again.posterior.log_marginal == fits[0].posterior.log_marginal
    np.testing.assert_array_equal(again.draws(30, 5).log_rate, fits[0].draws(30, 5).log_rate)


@pytest.mark.long
def test_the_order_of_areas_does_not_matter(seen, fits):
    """Results must not depend on eigenvectors, which change with the order."""
    observations, order = seen[0], np.random.default_rng(0).permutation(len(seen[0].areas))
    positions = np.argsort(order)
    turned = replace(
        observations,
        areas=tuple(observations.areas[i] for i in order),
        countries=tuple(observations.countries[i] for i in order),
        expected=observations.expected[order],
        published=observations.published[order],
        effort=observations.effort[order],
        totals=observations.totals[order],
        total_noise=observations.total_noise[order],
        edges=np.sort(positions[observations.edges], axis=1),
    )
    fit = RiskModel().fit(turned).fit_
    assert fit.posterior.log_marginal == pytest.approx(fits[0].posterior.log_marginal, abs=1e-3)
    mean, sd = (m.reshape(len(order), -1)[positions] for m in log_means(fit.posterior))
    ours = [m.reshape(len(order), -1) for m in log_means(fits[0].posterior)]
    np.testing.assert_allclose(mean, ours[0], atol=1e-3)
    np.testing.assert_allclose(sd, ours[1], atol=1e-3)


@pytest.mark.long
def test_draws_have_the_moments_of_the_mixture(fits):
    fit = fits[0]
    drawn = fit.draws(6000, 3)
    mean, sd = fit.gamma
    assert drawn.gamma.mean() == pytest.approx(mean, abs=4 * sd / 6000**0.5)
    assert drawn.gamma.std() == pytest.approx(sd, rel=0.06)
    rows, _ = log_means(fit.posterior)
    reported = rows.reshape(len(fit.observations.areas), 2, 12, 2)
    base = drawn.log_rate.mean(axis=0) + np.log(fit.observations.expected)[:, :, None]
    gap = drawn.gap.mean(axis=0)[fit.observations.country_of][:, None, None]
    np.testing.assert_allclose(np.moveaxis(base + gap, 2, 1), reported[..., 0], atol=0.06)


@pytest.mark.slow
def test_missing_cells_are_no_zeros(seen, fits):
    gone = seen[0].published.copy()
    gone[3, 6:] = MISSING
    fit = RiskModel().fit(replace(seen[0], published=gone)).fit_
    assert (fit.log_risk(2000, 0).std(axis=0)[3] > fits[0].log_risk(2000, 0).std(axis=0)[3]).all()
    filled = np.where(gone == MISSING, 0, gone)
    zeros = RiskModel().fit(replace(seen[0], published=filled, totals=None)).fit_
    assert (mean_risk(fit)[3] > mean_risk(zeros)[3]).all()


@pytest.mark.long
def test_a_partner_release_is_fitted(demo_world):
    data = Observations.from_release(Release.open(demo_world / "releases", "partner"))
    fit = RiskModel().fit(data).fit_
    assert mean_risk(fit).shape == (len(data.areas), 2)
    assert 0.2 < fit.gamma[0] < 1.3
    assert np.isfinite(fit.posterior.log_marginal)


@pytest.mark.long
def test_a_public_release_is_fitted_with_hidden_cells(demo_world):
    partner = Observations.from_release(Release.open(demo_world / "releases", "partner"))
    data = Observations.from_public_release(Release.open(demo_world / "releases", "public"))
    fit, finer = (RiskModel().fit(observations).fit_ for observations in (data, partner))
    assert (data.published == HIDDEN).any()
    assert mean_risk(fit).shape == (len(data.areas), 1)
    both = mean_risk(finer).mean(axis=1)
    assert spearmanr(mean_risk(fit)[:, 0], both)[0] > 0.5


# Forecasts


@pytest.mark.long
def test_forecasts_hold_what_comes_next(seen):
    scores = []
    for observations in seen:
        fit = RiskModel().fit(observations.up_to(10)).fit_
        ahead = fit.forecast(observations.effort[:, 10:], 800, 0, published=True)
        low, high = np.quantile(ahead, [0.05, 0.95], axis=0)
        later = observations.published[:, 10:]
        scores.append(((low <= later) & (later <= high)).mean())
    assert 0.88 < np.mean(scores) <= 1.0


def test_nothing_is_forecast_to_be_discovered_without_effort(fits, seen):
    effort = np.zeros((len(seen[0].areas), 3))
    ahead = fits[0].forecast(effort, 50, 0)
    assert ahead.shape == (50, len(seen[0].areas), 3, 2, 2)
    assert (ahead[..., 1] == 0).all()
    assert ahead[..., 0].sum() > 0
    more = fits[0].forecast(effort + 20.0, 400, 0)[..., 1].mean()
    assert fits[0].forecast(effort + 60.0, 400, 0)[..., 1].mean() > 1.5 * more


@pytest.mark.slow
def test_a_longer_forecast_is_less_certain(fits, seen):
    ahead = fits[0].forecast(np.full((len(seen[0].areas), 8), 30.0), 2000, 0)
    spread = np.log1p(ahead.sum(axis=(3, 4))).std(axis=0).mean(axis=0)
    assert spread[7] > spread[0]
    with pytest.raises(InputError, match="effort has shape"):
        fits[0].forecast(np.zeros((3, 2)), 5, 0)


# Detection


def test_the_detection_range_widens_what_is_said(seen, fits):
    draws = fits[0].log_risk(2000, 0)
    need = DetectionRange().log_risk(draws, seen[0], 0)
    widened = np.sqrt(need.var(axis=0) - draws.var(axis=0).clip(max=need.var(axis=0)))
    assert 0.1 < np.median(widened) < 0.25
    np.testing.assert_allclose(DetectionRange(between_sd=0.0).log_risk(draws, seen[0], 0), draws, atol=1e-9)


def test_a_common_share_moves_numbers_and_no_ranking(seen, fits):
    drawn = fits[0].draws(500, 0)
    low = DetectionRange(0.11, 0.11).need(drawn, seen[0], 0)
    high = DetectionRange(0.22, 0.22).need(drawn, seen[0], 0)
    np.testing.assert_allclose(low, 2.0 * high)


def test_of_the_need_in_all_the_common_share_is_found_with_the_effort_there_was(seen, fits):
    drawn, observations = fits[0].draws(200, 0), seen[0]
    need = DetectionRange(0.2, 0.2, between_sd=0.0).need(drawn, observations, 0)
    days = np.where(observations.has_outreach, observations.effort, np.nan) / np.exp(
        np.log(observations.effort[observations.has_outreach]).mean()
    )
    reach = (
        np.nan_to_num(days[None] ** drawn.gamma[:, None, None]) + np.exp(drawn.gap)[:, observations.country_of, None]
    )
    children = (np.exp(drawn.log_rate) * observations.expected[:, :, None]).sum(axis=3) * reach
    np.testing.assert_allclose(0.2 * need.sum(axis=(1, 2, 3)), children.sum(axis=(1, 2)))


def test_the_share_of_a_country_with_an_interval_follows_from_it(seen, fits):
    """docs/risk-model.md eq. (126)."""
    drawn, usual = fits[0].draws(300, 0), DetectionRange(between_sd=0.0)
    observations = replace(seen[0], share_found={"AL": (0.3, 0.6)})
    albania = np.array(observations.countries) == "AL"
    met = 0.2 * DetectionRange(0.2, 0.2, between_sd=0.0).need(drawn, observations, 0)[:, ~albania].sum(axis=(1, 2, 3))
    need = usual.need(drawn, observations, 0)
    np.testing.assert_allclose(met / need[:, ~albania].sum(axis=(1, 2, 3)), np.geomspace(0.11, 0.25, 300))
    alone = replace(observations, share_found={"AL": (0.4, 0.4)})
    met = 0.4 * usual.need(drawn, alone, 0)[:, albania].sum(axis=(1, 2, 3))
    shares = met / need[:, albania].sum(axis=(1, 2, 3))
    np.testing.assert_allclose(np.sort(shares), np.geomspace(0.3, 0.6, 300))
    assert abs(np.corrcoef(shares, np.arange(300))[0, 1]) < 0.2, "a low share here says nothing of the other country"
    # What the planner and the access tables read follows.
    ratio = (
        draw_yearly_need(drawn, alone, 0)[:, albania]
        / draw_yearly_need(drawn, replace(observations, share_found={"AL": (0.2, 0.2)}), 0)[:, albania]
    )
    np.testing.assert_allclose(ratio, 0.5)


STAGES = [("AL", "at_risk", 50, "number"), ("AL", "identified", 170, "number"), ("AL", "returning", 30, "number")]
INTERVALS = [("AL", "class", 400.0, 1000.0), ("GR", "cannot_tell", np.nan, np.nan)]


def open_release(stages, intervals):
    tables = {
        "children_country_whole_stage": pd.DataFrame(stages, columns=["area", "stage", "value", "state"]),
        "dark_figure_country_whole": pd.DataFrame(intervals, columns=["area", "state", "low", "high"]),
    }
    tables = {name: table for name, table in tables.items() if len(table)}
    return SimpleNamespace(tables=tuple(tables), table=tables.__getitem__)


@pytest.mark.parametrize(
    ("stages", "intervals", "shares"),
    [
        (STAGES, INTERVALS, {"AL": (0.2, 0.5)}),
        ([*STAGES, ("AL", "recruited", None, "almost_none")], INTERVALS, {"AL": (0.2, 0.5)}),
        # More were met than the lower end: all may have been.
        (STAGES, [("AL", "class", 125.0, 800.0)], {"AL": (0.25, 1.0)}),
        ([*STAGES, ("AL", "recruited", None, "withheld")], INTERVALS, {}),
        (STAGES, INTERVALS[1:], {}),
        (STAGES, [], {}),
        ([], INTERVALS, {}),
    ],
)
def test_the_share_found_is_read_from_a_release_that_has_all_it_needs(stages, intervals, shares):
    assert read_share_found(open_release(stages, intervals)) == shares


@pytest.mark.slow
def test_numbers_of_children_in_need_are_near_the_truth(worlds, seen, fits):
    inside, ratios = [], []
    for world, observations, fit in zip(worlds, seen, fits, strict=True):
        rows = world.truth.need.query("level == 'region' and pathway != 'none_known'")
        true = rows.groupby("area")["need"].sum().loc[list(observations.areas)].to_numpy()
        need = DetectionRange().need(fit.draws(1000, 0), observations, 0).sum(axis=(2, 3))
        low, high = np.quantile(need, [0.025, 0.975], axis=0)
        inside.append((low <= true) & (true <= high))
        by_country = [need[:, observations.country_of == c].sum(axis=1).mean() for c in (0, 1)]
        ratios.append(by_country / np.bincount(observations.country_of, true))
    assert np.mean(inside) >= 0.9
    # The middle of the range is not the true share; beyond that neither country is favoured.
    np.testing.assert_allclose(np.mean(ratios, axis=0), 1.07, atol=0.15)


def test_exceedance_is_a_share_of_draws():
    draws = np.random.default_rng(0).standard_normal((20_000, 1))
    assert compute_exceedance(draws) == pytest.approx(1.0 - norm.cdf(np.log(1.5)), abs=0.01)


@pytest.mark.slow
def test_what_is_said_of_rates_is_as_often_true_as_its_word_says(worlds, seen, fits):
    right = {"likely": [], "very_likely": []}
    for world, observations, fit in zip(worlds, seen, fits, strict=True):
        statements = judge_risk(fit.log_risk(2000, 0), observations).statements
        true, columns = np.exp(true_log_risk(world, observations)), statements.as_columns()
        high = np.where(np.isnan(columns["high"]), np.inf, columns["high"])
        for word, verdicts in right.items():
            verdicts += list(((columns["low"] < true) & (true <= high))[columns["certainty"] == word])
    assert len(right["very_likely"]) > 20
    assert np.mean(right["very_likely"]) >= 0.9
    assert np.mean(right["likely"]) >= 0.66


@pytest.mark.slow
@vary("seed", (20, 21))
def test_a_world_without_signal_raises_no_alarm(pairs, seed):
    observations = observe_world(simulate_default_areas(WorldParameters(seed=seed, signal=False)), pairs, NOISE)
    statements = judge_risk(RiskModel().fit(observations).fit_.log_risk(2000, 0), observations).statements
    assert not statements.says("low", "high", "very_high").any()


def test_areas_without_any_outreach_say_so(seen, fits):
    effort = seen[0].effort.copy()
    effort[5] = 0.0
    judgement = judge_risk(fits[0].log_risk(100, 0), replace(seen[0], effort=effort))
    assert judgement.not_searched.tolist() == [i == 5 or not e.any() for i, e in enumerate(effort)]


@pytest.mark.parametrize("limits", [{"low": 0.0}, {"low": 0.3}, {"high": 1.2}, {"between_sd": -0.1}])
def test_impossible_detection_is_refused(limits):
    with pytest.raises(InputError, match="detection range"):
        DetectionRange(**limits)


# The interface


@pytest.mark.long
def test_it_is_an_estimator(seen):
    model = RiskModel("poisson", time_sd=0.2)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    fit = copy.fit(seen[0]).fit_
    assert mean_risk(fit).shape == (len(seen[0].areas), 2)
    assert "kappa" not in fit.hyper


@pytest.mark.parametrize("wrong", [{"likelihood": "gaussian"}])
def test_words_that_are_not_known_are_refused(wrong, seen):
    with pytest.raises(InputError, match=next(iter(wrong.values()))):
        RiskModel(**wrong).fit(seen[0])


@pytest.mark.long
def test_progress_is_told(seen):
    steps = []
    RiskModel("poisson").fit(seen[0], progress=lambda *step: steps.append(step))
    assert {"mode", "curvature", "design"} <= {what for _, _, what in steps}


class Upwards:
    """A likelihood that is flat at zero and curved upwards, so that there is no proper posterior."""

    def slopes(self, log_mean, kappa):
        none = np.zeros_like(log_mean)
        curved = np.full_like(log_mean, -1e4)
        return Slopes(-0.5 * curved * log_mean**2, none, curved, none, -curved, none, none, none, none + 1.0)


def test_a_mode_that_is_none_is_an_error(seen):
    model = build_layout(seen[0], RiskModel()._build_effects(seen[0])).model
    wrong = replace(model, counts=Upwards(), totals=None)
    with pytest.raises(NoMode, match="not curved downwards"):
        find_mode(wrong, np.array([h.start for h in model.hypers]))


@pytest.mark.long
@settings(max_examples=10)
@given(st.integers(0, 10_000))
@example(8374)  # where whole steps towards the mean ran away
@example(8)
def test_any_small_data_set_is_fitted(seed):
    """Few areas, with or without edges, many zeros: there is always a result with finite intervals."""
    rng = np.random.default_rng(seed)
    size, quarters = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    edges = np.array([(i, i + 1) for i in range(size - 1) if rng.random() < 0.7], np.int64).reshape(-1, 2)
    counts = rng.poisson(rng.choice([0.0, 0.5, 4.0]), (size, quarters, 2, 2))
    data = Observations(
        tuple(f"A{i}" for i in range(size)),
        tuple(rng.choice(["AL", "GR"], size)),
        rng.lognormal(7, 1, (size, quarters)),
        tuple(f"Q{i}" for i in range(quarters)),
        PATHWAYS,
        ("reported", "discovered"),
        NOISE.publish(counts, rng.integers(0, 2**24, counts.shape)),
        rng.poisson(3.0, (size, quarters)).astype(float),
        edges,
        NOISE.channel(60),
        "partner",
    )
    fit = RiskModel().fit(data).fit_
    assert np.isfinite(fit.log_risk(100, 0)).all()
    assert max(np.abs(node.core).max() for node in fit.posterior.nodes) < 40.0


@pytest.mark.slow
def test_a_fit_runs_on_one_thread_whatever_the_process_was_told(seen):
    counted, data = [], seen[0].up_to(3)

    def count(*_):
        counted.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")

    with threadpool_limits(2, user_api="blas"):
        fit = RiskModel().fit(data, progress=count).fit_
        before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert set(counted) == {1}
    assert set(before) == {2}  # and the process keeps its own
    assert fit.posterior.log_marginal == RiskModel().fit(data).fit_.posterior.log_marginal
