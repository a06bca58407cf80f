"""Checks of the fit: they pass where data follow the model, and fail where neighbours share what it does not know."""

from dataclasses import replace

import libpysal
import numpy as np
import pytest
from esda import Moran

from risk.evaluation.model_checks import check_fit, list_failures, measure_moran
from risk.model import RiskModel
from risk.model.draws import Draws
from risk.model.forecast import replicate_counts
from tests.helpers.grids import QUARTERS, draw_grid

SIDE = 5


def publish(seed, shock=0.0):
    """Return the grid with counts drawn from the model's law; in each quarter a wave of size `shock` runs over it."""
    grid, rng = draw_grid(SIDE), np.random.default_rng(seed)
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    direction = rng.uniform(0, 2 * np.pi, (2, QUARTERS))
    wave = np.sin(row[:, None] * np.cos(direction[0]) + column[:, None] * np.sin(direction[0]) + direction[1])
    level = np.log(2.5 / 20_000) + 0.3 * rng.standard_normal((SIDE**2, 1, 2)) + shock * wave[:, :, None]
    nothing = dict.fromkeys(("spread", "time_sd", "local_sd"), np.zeros(1))
    nothing |= {"gap": np.zeros((1, 1)), "breaks": np.zeros((1, 0, 2)), "log_detection": np.zeros((1, SIDE**2))}
    truth = Draws(log_rate=level[None], gamma=np.array([0.8]), kappa=np.array([0.2]), **nothing)
    return replace(grid, published=replicate_counts(truth, grid, rng)[0])


def check(observations):
    return check_fit(RiskModel().fit(observations).fit_.draws(1000, 0), observations, 0)


@pytest.mark.parametrize("periods", [1, 3])
def test_morans_i_is_that_of_pysal(periods):
    grid, rng = draw_grid(SIDE), np.random.default_rng(1)
    values = rng.standard_normal((SIDE**2, periods)) + np.linspace(0, 2, SIDE**2)[:, None]
    moran, p = measure_moran(values, grid.edges, np.random.default_rng(0), 9999)
    neighbours = {i: [] for i in range(SIDE**2 * periods)}
    for t in range(periods):  # without a tie between periods, which are measured together
        for i, j in grid.edges + t * SIDE**2:
            neighbours[int(i)].append(int(j))
            neighbours[int(j)].append(int(i))
    weights = libpysal.weights.W(neighbours, silence_warnings=True)
    np.random.seed(0)  # noqa: NPY002 (the judge draws from it)
    judge = Moran((values - values.mean(axis=0)).T.ravel(), weights, transformation="b", permutations=9999)
    assert moran == pytest.approx(judge.I)
    if periods == 1:
        assert p == pytest.approx(judge.p_sim, abs=0.02)  # over three standard errors of 9,999 permutations each


@pytest.mark.slow
def test_data_of_the_models_own_law_pass_and_the_same_seed_gives_the_same_result():
    observations = publish(3)
    checks = check(observations)
    assert list_failures(checks) == []
    assert checks == check(observations)
    assert {c.kind for c in checks} == {"neighbours", "zeros", "largest", "totals"}


@pytest.mark.slow
def test_what_neighbours_share_and_the_model_does_not_know_is_found():
    assert "neighbours" in {c.kind for c in list_failures(check(publish(3, shock=0.9)))}


@pytest.mark.slow
def test_more_zeros_than_the_model_expects_are_found():
    """Half of the cells of many children are empty, as if half of the files had not come."""
    observations = publish(4)
    shown = np.random.default_rng(0).random(observations.published.shape) < 0.5
    observations = replace(observations, published=np.where(shown, 6 + observations.published, 0))
    fit = RiskModel("poisson").fit(observations).fit_
    failed = {c.kind for c in list_failures(check_fit(fit.draws(1000, 0), observations, 0))}
    assert "zeros" in failed
