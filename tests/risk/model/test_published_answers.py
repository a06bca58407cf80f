"""The risk model gives the published answers for lip cancer in Scotland."""

from dataclasses import replace

import numpy as np
import pytest

from risk.laplace import hyperparameters
from risk.laplace.fields import Hyper
from risk.laplace.hyperparameters import integrate
from risk.laplace.mode import find_mode
from risk.model import RiskModel
from risk.model.layout import build_layout
from risk.model.observations import Observations
from tests.helpers.fits import GammaPrecision, log_means
from tests.helpers.reference import read_scotland, read_scotland_edges


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
