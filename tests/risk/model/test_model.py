"""The risk model: honest intervals, and the known truth of invented worlds."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.studies.observe import observe_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey
from data.errors import InputError
from data.release import Release
from geo import areas
from risk.laplace.likelihood import Slopes
from risk.laplace.mode import NoMode, compute_gradient, find_best_mode, find_mode
from risk.model import RiskModel
from risk.model.detection import DetectionRange, compute_exceedance, draw_yearly_need, judge_need
from risk.model.draws import subtract_national_rate
from risk.model.expected import compute_finding_factor
from risk.model.layout import build_layout
from risk.model.observations import HIDDEN, MISSING, PATHWAYS, Observations, read_share_found
from tests.helpers.fits import log_means, mean_risk
from tests.helpers.nonempty import nonempty
from tests.helpers.repetitions import vary

NOISE = CellKey()
SEEDS = range(3)


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
        low, high = np.quantile(fit.log_need(2000, 1), [0.025, 0.975], axis=0)
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
    for observations, fit in nonempty(zip(seen, fits, strict=True)):
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


def without_days(observations, areas):
    effort = observations.effort.copy()
    effort[areas] = 0.0
    return replace(observations, effort=effort)


def test_a_total_is_used_only_where_it_counts_nobody_else_than_the_cells(seen):
    """An area whose days are missing: its total counts children whom no used cell counts."""
    observations = without_days(seen[0], [3])
    effects = RiskModel()._build_effects(observations)
    used = [~np.isnan(build_layout(o, effects).model.totals.value.reshape(-1, 2)) for o in (seen[0], observations)]
    assert used[0][3].all()
    assert not used[1][3].any()
    others = np.arange(len(used[0])) != 3
    np.testing.assert_array_equal(used[0][others], used[1][others])
    # Where nobody searched, and nobody was discovered, the total is as good as ever.
    nobody = observations.published.copy()
    nobody[3, ..., observations.ways.index("discovered")] = 0
    empty = build_layout(replace(observations, published=nobody), effects).model.totals.value.reshape(-1, 2)
    assert not np.isnan(empty[3]).any()


def test_children_discovered_without_recorded_days_count_as_found(seen, fits):
    """docs/risk-model.md eq. (41): the need follows from all who were found."""
    observations = without_days(seen[0], slice(None))
    drawn = fits[0].draws(200, 0, 0.0)
    need = DetectionRange(0.2, 0.2).need(drawn, observations, 0).sum(axis=(1, 2, 3))
    reports = (np.exp(drawn.log_rate) * observations.expected[:, :, None]).sum(axis=3)
    reports = (reports * np.exp(drawn.gap)[:, observations.country_of, None]).sum(axis=(1, 2))
    discovered = observations.published[..., observations.ways.index("discovered")].clip(0).sum()
    np.testing.assert_allclose(0.2 * need, reports + discovered)


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


@pytest.mark.slow
def test_the_detection_range_widens_what_is_said(seen, fits):
    risk, need = fits[0].log_risk(2000, 0), fits[0].log_need(2000, 0)
    assert np.median(need.std(axis=0) / risk.std(axis=0)) > 1.1
    # What differs is said to differ less, since teams may differ.
    assert np.median(np.abs(need.mean(axis=0)) / np.abs(risk.mean(axis=0))) < 0.9
    # Without a spread, detection changes over time alone, which no comparison inside a country shows.
    known = fits[0].draws(2000, 0, 0.0)
    rates = (subtract_national_rate(rate, seen[0]) for rate in (known.log_need_rate, known.log_rate))
    np.testing.assert_allclose(*rates, atol=1e-9)


def test_a_spread_of_detection_changes_detection_and_nothing_else(fits):
    usual, known = fits[0].draws(300, 0), fits[0].draws(300, 0, 0.1)
    np.testing.assert_array_equal(usual.log_rate, known.log_rate)
    assert known.spread.max() <= 0.1 < usual.spread.max()
    assert known.log_detection.std() < usual.log_detection.std()


def test_a_common_share_moves_numbers_and_no_ranking(seen, fits):
    drawn = fits[0].draws(500, 0)
    low = DetectionRange(0.11, 0.11).need(drawn, seen[0], 0)
    high = DetectionRange(0.22, 0.22).need(drawn, seen[0], 0)
    np.testing.assert_allclose(low, 2.0 * high)


def test_of_the_need_in_all_the_common_share_is_found_with_the_effort_there_was(seen, fits):
    drawn, observations = fits[0].draws(200, 0, 0.0), seen[0]
    need = DetectionRange(0.2, 0.2).need(drawn, observations, 0)
    days = np.where(observations.has_outreach, observations.effort, np.nan) / np.exp(
        np.log(observations.effort[observations.has_outreach]).mean()
    )
    reach = (
        np.nan_to_num(days[None] ** drawn.gamma[:, None, None]) + np.exp(drawn.gap)[:, observations.country_of, None]
    )
    children = (np.exp(drawn.log_rate) * observations.expected[:, :, None]).sum(axis=3) * reach
    np.testing.assert_allclose(0.2 * need.sum(axis=(1, 2, 3)), children.sum(axis=(1, 2)))


def test_a_year_without_a_programme_at_work_does_not_lower_need(seen, fits):
    """The assumed share is that of quarters at work: where outreach collapses, need is that of the time before it."""
    drawn, locked = fits[0].draws(200, 0, 0.0), replace(seen[0], effort=seen[0].effort.copy())
    locked.effort[:, -4:] *= 0.1
    need = DetectionRange(0.2, 0.2).need(drawn, locked, 0)[:, :, :-4].sum(axis=(1, 2, 3))
    reach = compute_finding_factor(locked, drawn.gamma, drawn.gap)
    children = (np.exp(drawn.log_rate) * locked.expected[:, :, None]).sum(axis=3) * reach
    np.testing.assert_allclose(0.2 * need, children[:, :, :-4].sum(axis=(1, 2)))


def test_the_share_of_a_country_with_an_interval_follows_from_it(seen, fits):
    """docs/risk-model.md eq. (126)."""
    drawn, usual = fits[0].draws(300, 0, 0.0), DetectionRange()
    observations = replace(seen[0], share_found={"AL": (0.3, 0.6)})
    albania = np.array(observations.countries) == "AL"
    met = 0.2 * DetectionRange(0.2, 0.2).need(drawn, observations, 0)[:, ~albania].sum(axis=(1, 2, 3))
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
        statements = judge_need(fit.log_need(2000, 0), observations).statements
        true, columns = np.exp(true_log_risk(world, observations)), statements.as_columns()
        high = np.where(np.isnan(columns["high"]), np.inf, columns["high"])
        for word, verdicts in right.items():
            verdicts += list(((columns["low"] < true) & (true <= high))[columns["certainty"] == word])
    assert len(right["very_likely"]) > 10
    assert np.mean(right["very_likely"]) >= 0.9
    assert np.mean(right["likely"]) >= 0.66


@pytest.mark.slow
@vary("seed", (20, 21))
def test_a_world_without_signal_raises_no_alarm(pairs, seed):
    observations = observe_world(simulate_default_areas(WorldParameters(seed=seed, signal=False)), pairs, NOISE)
    statements = judge_need(RiskModel().fit(observations).fit_.log_need(2000, 0), observations).statements
    assert not statements.says("low", "high", "very_high").any()


def test_areas_without_any_outreach_say_so(seen, fits):
    effort = seen[0].effort.copy()
    effort[5] = 0.0
    judgement = judge_need(fits[0].log_need(100, 0), replace(seen[0], effort=effort))
    assert judgement.not_searched.tolist() == [i == 5 or not e.any() for i, e in enumerate(effort)]


@pytest.mark.parametrize("limits", [{"low": 0.0}, {"low": 0.3}, {"high": 1.2}])
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
