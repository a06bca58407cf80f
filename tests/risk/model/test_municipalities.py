"""The fit of municipalities: equal to a direct computation, adds up to regions, and is right where truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import spearmanr

from data.errors import InputError, ReleaseError
from risk.laplace.fields import Hyper
from risk.laplace.mode import find_mode
from risk.model import RiskModel
from risk.model.detection import draw_yearly_need
from risk.model.layout import Effects, build_layout
from risk.model.municipalities import fit_municipalities
from risk.model.observations import Observations

REGIONS, EACH, QUARTERS = 6, 5, 4


def observations(counts, expected, effort, regions=None):
    """Return exact counts, (A, T, P, 2), of areas of one country."""
    places = len(expected)
    letters = "m" if regions else "r"
    return Observations(
        tuple(f"{letters}{i:02d}" for i in range(places)),
        ("AL",) * places,
        np.tile(np.asarray(expected, float)[:, None], counts.shape[1]),
        tuple(f"2007-{3 * i + 1:02d}-01/P3M" for i in range(counts.shape[1])),
        ("internal", "cross_border")[: counts.shape[2]],
        ("reported", "discovered"),
        counts,
        np.asarray(effort, float),
        np.zeros((0, 2), np.int64),  # islands: nothing is learnt from neighbours
        None,
        "partner",
        regions=regions,
    )


def test_two_regions_equal_the_posterior_written_down_directly():
    """Compare with the mode of eq. (75) that a general optimiser finds from the formulas alone."""
    counts = np.array([[3, 1], [0, 2], [5, 0], [1, 1], [0, 0]])[:, None, None, :]
    people, days = np.array([1000.0, 500.0, 800.0, 900.0, 300.0]), np.array([[4.0], [2.0], [0.0], [5.0], [1.0]])
    regions = ("r00", "r00", "r00", "r01", "r01")
    seen = observations(counts, people, days, regions)
    course, sd, gamma = np.array([-6.0, -6.5]), 0.7, 0.8
    effects = Effects(
        area=(Hyper("area_sd", fixed=sd), Hyper("structured", fixed=0.0), Hyper("common")),
        time=Hyper("none"),
        local=None,
        kappa=Hyper("kappa"),
        gamma=gamma,
        gamma_sd=0.0,
        intercept_sd=1.0,
        gap_sd=1.0,
        covariate_sd=1.0,
        scaled=True,
    )
    layout = build_layout(seen, effects, course[seen.region_of][:, None, None])
    mode = find_mode(layout.model, np.zeros(0))

    region_of, unit = seen.region_of, np.sqrt(6.0 * 6.0)
    together = np.bincount(region_of, days[:, 0])
    inside = np.bincount(region_of, people * days[:, 0] ** gamma) / np.bincount(region_of, people)
    outreach = (together / unit)[region_of] ** gamma * days[:, 0] ** gamma / inside[region_of]

    def loss(x):
        level, gap, effect = x[:2], x[2], x[3:]
        rate = people * np.exp(course[region_of] + level[region_of] + effect)
        means = np.column_stack([rate * np.exp(gap), rate * outreach])
        used = np.column_stack([np.ones(5, bool), days[:, 0] > 0])
        safe = np.where(used, means, 1.0)
        log = np.where(used, counts[:, 0, 0] * np.log(safe) - safe, 0.0).sum()
        return -log + (level**2).sum() / 2 + gap**2 / 2 + (effect**2).sum() / (2 * sd**2)

    best = minimize(loss, np.zeros(8), method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(mode.core, best, atol=1e-4)


@pytest.fixture(scope="module")
def small():
    """Return a small world with many children: regions, municipalities and the true log shares."""
    rng = np.random.default_rng(4)
    places = REGIONS * EACH
    region_of = np.repeat(np.arange(REGIONS), EACH)
    people = rng.lognormal(9.0, 0.6, places)
    people[::EACH] = 2.0  # nobody can be found there, so nothing can be learnt of it
    effect = 0.8 * rng.standard_normal(places)
    days = np.floor(rng.lognormal(2.0, 0.5, (places, QUARTERS)))
    regions = tuple(f"r{i:02d}" for i in region_of)
    rate = np.exp(-6.5 + 0.5 * rng.standard_normal(REGIONS)[region_of] + effect)
    reach = np.exp(
        observations(np.zeros((places, QUARTERS, 1, 2), int), people, days, regions).log_outreach(np.array([0.8]))[0]
    )
    mean = (people * rate)[:, None, None] * np.stack([np.ones_like(reach), np.where(days > 0, reach, 0.0)], axis=-1)
    counts = rng.poisson(mean)[:, :, None]
    counts[::EACH] = 0
    municipal = observations(counts, people, days, regions)
    whole = municipal.region_members
    regional = observations(np.tensordot(whole, counts, 1).astype(int), whole @ people, whole @ days)
    fit = fit_municipalities(RiskModel().fit(regional).fit_, municipal)
    weights = people / (whole @ people)[region_of]
    return fit, effect - np.log(whole @ (weights * np.exp(effect)))[region_of]


@pytest.mark.slow
def test_the_shares_of_a_small_world_are_found(small):
    fit, true = small
    share = fit.log_share(1000, 0)[:, :, 0]
    known = np.arange(len(true)) % EACH > 0
    assert spearmanr(share.mean(axis=0)[known], true[known]).statistic > 0.85
    low, high = np.quantile(share, [0.025, 0.975], axis=0)
    assert ((low <= true) & (true <= high)).mean() >= 0.9


def test_municipalities_add_up_to_their_region_in_every_draw(small):
    fit, _ = small
    need = fit.draw_yearly_need(500, 0)
    regions = draw_yearly_need(fit.regions.draws(500, 0), fit.regions.observations, 0)
    np.testing.assert_allclose(np.einsum("ra,dap->drp", fit.observations.region_members, need), regions)


def test_where_nobody_can_be_found_a_municipality_is_only_its_regions_average(small):
    fit, _ = small
    alone = fit.region_only[:, 0]
    assert alone[::EACH].all()
    assert not alone[np.arange(len(alone)) % EACH > 0].any()


def test_municipalities_are_not_fitted_without_their_regions(small):
    fit, _ = small
    with pytest.raises(InputError, match="regions"):
        RiskModel().fit(fit.observations)
    elsewhere = replace(fit.observations, regions=("r99",) * (REGIONS * EACH))
    with pytest.raises(ReleaseError, match="r99"):
        fit_municipalities(fit.regions, elsewhere)
