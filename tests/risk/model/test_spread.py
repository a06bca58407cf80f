"""What part of a fitted area effect detection may be: against its joint distribution, written out in full."""

import numpy as np
import pytest
from scipy.stats import kstest, uniform

from risk.laplace.fields import Beta, Field, HalfNormal, Hyper
from risk.laplace.graph import build_structure
from risk.model.spread import ALONE, SPREAD, draw_log_detection, draw_spreads

AREAS, PATHWAYS = 6, 2
GRAPH = build_structure(AREAS, np.array([[0, 1], [1, 2], [2, 3], [3, 0], [4, 5]]), scaled=True)
HYPERS = (0.7, 0.4, 0.3)
LARGEST = np.sqrt(0.7**2 * 0.6 * 1.3 / 2)  # eq. (132)
SHARED = np.kron(np.ones((PATHWAYS, 1)), np.eye(AREAS))  # a pathway's effects one after the other


def covary():
    """Return the covariance of the area effects, (P A, P A), as the model's own field has it."""
    hypers = Hyper("sd", HalfNormal()), Hyper("smooth", Beta()), Hyper("common", Beta())
    theta = [np.log(HYPERS[0]), *(np.log(share / (1 - share)) for share in HYPERS[1:])]
    field = Field(GRAPH, PATHWAYS, *hypers)
    return np.linalg.inv(field.precision(theta).matrix)


def test_at_the_largest_spread_risk_has_no_part_left_that_is_an_areas_own():
    rest = covary() - LARGEST**2 * SHARED @ SHARED.T
    assert np.linalg.eigvalsh(rest).min() == pytest.approx(0.0, abs=1e-9)
    assert np.linalg.eigvalsh(rest - 0.01 * SHARED @ SHARED.T).min() < -0.001


@pytest.mark.parametrize("spread", [0.2, 0.4])
def test_detection_given_the_effects_is_that_of_their_joint_normal_distribution(spread):
    whole, effects = covary(), np.random.default_rng(1).standard_normal((AREAS, PATHWAYS))
    weights = spread**2 * SHARED.T @ np.linalg.inv(whole)
    draws, spreads = draw_log_detection(
        np.tile(effects, (100_000, 1, 1)), GRAPH, HYPERS, np.random.default_rng(0), spread
    )
    assert (spreads == spread).all()
    np.testing.assert_allclose(draws.mean(axis=0), weights @ effects.T.ravel(), atol=0.01)
    wanted = spread**2 * (np.eye(AREAS) - weights @ SHARED)
    np.testing.assert_allclose(np.cov(draws.T), wanted, atol=0.002)


@pytest.mark.slow
def test_in_worlds_of_the_prior_the_true_detection_has_any_rank_among_the_draws():
    """Simulation-based calibration (Talts et al. 2018): the effects are risk plus detection, the spread is unknown."""
    rng = np.random.default_rng(2)
    ranks = []
    for spread in draw_spreads(2000, rng, LARGEST):
        detection = spread * rng.standard_normal(AREAS)
        rest = covary() - spread**2 * SHARED @ SHARED.T
        values, vectors = np.linalg.eigh(rest)
        risk = vectors @ (np.sqrt(values.clip(0)) * rng.standard_normal(len(values)))
        effects = (risk + SHARED @ detection).reshape(PATHWAYS, AREAS).T
        draws, _ = draw_log_detection(np.tile(effects, (99, 1, 1)), GRAPH, HYPERS, rng)
        ranks.append((draws[:, 2] < detection[2]).mean())
    assert kstest(np.array(ranks) + rng.random(2000) / 100, uniform(0, 1.0).cdf).pvalue > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("largest", [0.15, 0.35, 0.7])
def test_the_spread_is_that_of_all_worlds_of_the_prior_with_such_differences(largest):
    """Draw detection and risk from their priors, and keep the worlds whose differences are of this size: eq. (131)."""
    rng = np.random.default_rng(3)
    detection = np.abs(SPREAD * rng.standard_normal(6_000_000))  # eq. (130)
    risk = np.abs(rng.standard_normal(len(detection))) * (rng.random(len(detection)) > ALONE)
    near = np.abs(np.hypot(detection, risk) - largest) < 0.01 * largest
    share = detection[near] / np.hypot(detection, risk)[near]
    drawn = draw_spreads(20_000, rng, largest) / largest
    assert (drawn > 0.9999).mean() == pytest.approx((share > 0.9999).mean(), abs=0.02)
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.25]), np.quantile(share, [0.1, 0.25]), atol=0.04)
