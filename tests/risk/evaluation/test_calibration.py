"""Simulation-based calibration: it passes where the model is that of the data, and finds a wrong likelihood."""

import numpy as np
import pytest

from risk.evaluation.calibration import calibrate, measure_uniformity
from risk.model import RiskModel
from tests.helpers.grids import draw_grid

DRAWS = 99


def draw_ranks(rng, posterior_sd, worlds=100):
    """Return ranks of a standard normal truth among draws whose deviation is `posterior_sd` instead of 1."""
    draws = posterior_sd * rng.standard_normal((worlds, DRAWS))
    return (draws < rng.standard_normal((worlds, 1))).sum(axis=1)


@pytest.mark.slow
def test_uniform_ranks_rarely_raise_an_alarm_and_too_narrow_draws_do():
    rng = np.random.default_rng(0)
    uniform = [measure_uniformity(draw_ranks(rng, 1.0), DRAWS, rng) for _ in range(60)]
    assert np.mean(np.array(uniform) < 0.05) <= 0.15  # 5 in 100; 10 of 60 or more happen in 1 of 1,000 runs
    assert 0.3 < np.mean(uniform) < 0.7
    assert measure_uniformity(draw_ranks(rng, 0.6), DRAWS, rng) < 0.01
    assert measure_uniformity(draw_ranks(rng, 2.0), DRAWS, rng) < 0.01


def test_uniformity_of_few_ranks_is_that_of_all_their_samples():
    """With one rank of two values the statistic is the same in both samples; with two ranks, equal ones are rarer."""
    rng = np.random.default_rng(0)
    assert measure_uniformity(np.array([0]), 1, rng) == 1.0
    assert measure_uniformity(np.array([0, 1]), 1, rng) == 1.0
    assert measure_uniformity(np.array([1, 1]), 1, rng) == pytest.approx(0.5, abs=0.04)


@pytest.mark.slow(seconds=8)
@pytest.mark.parametrize("worlds", [8, pytest.param(30, marks=pytest.mark.long)])
def test_the_model_is_calibrated_in_its_own_worlds(worlds):
    calibration = calibrate(draw_grid(3), worlds, 0, lambda *_: None)
    assert calibration.failed == []
    assert calibration.without_fit <= 1
    assert set(calibration.p) == {"rate", "level", "change", "gamma", "gap"}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_ranks():
    first, second = (calibrate(draw_grid(3), 1, 0, lambda *_: None) for _ in range(2))
    assert first == second


@pytest.mark.long
def test_a_wrong_likelihood_is_found():
    """Counts vary more than by chance, and the model that is fitted does not know it: its draws are too narrow.

    Rates hardly move, in truth and in the model: walks could take up what the likelihood does not explain.
    """
    still = {"time_sd": 0.03, "local_sd": 0.03}
    truth, model = RiskModel(kappa_sd=2.0, **still), RiskModel("poisson", **still)
    wrong = calibrate(draw_grid(3), 30, 0, lambda *_: None, truth=truth, model=model)
    assert wrong.failed
