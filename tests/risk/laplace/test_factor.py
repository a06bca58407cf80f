"""Eliminating the local effects first gives the same results as one dense matrix of all latent numbers."""

from dataclasses import replace

import numpy as np
import pytest

from risk.laplace.mode import find_best_mode
from risk.model import RiskModel
from risk.model.layout import build_layout
from risk.model.observations import Observations

AREAS, QUARTERS = 5, 6


def observations(countries, pathways):
    rng = np.random.default_rng(3)
    shape = (AREAS, QUARTERS, len(pathways), 2)
    counts = rng.poisson(3.0, shape)
    counts[0] = 0
    return Observations(
        tuple(f"A{i}" for i in range(AREAS)),
        countries,
        rng.lognormal(7, 1, (AREAS, QUARTERS)),
        tuple(f"Q{i}" for i in range(QUARTERS)),
        pathways,
        ("reported", "discovered"),
        counts,
        rng.poisson(3.0, (AREAS, QUARTERS)).astype(float),
        np.array([(0, 1), (1, 2), (2, 3)]),
        None,
        "partner",
    )


def dense(model, setting, weights, pull):
    """Return the whole precision matrix, and the design from all latent numbers to log means, (B m, n)."""
    blocks, cells = model.offset.shape
    local_size = blocks * model.periods
    design = np.zeros((blocks * cells, model.size + local_size))
    outer = np.zeros((blocks * cells,) * 2)
    for b in range(blocks):
        block = slice(b * cells, (b + 1) * cells)
        outer[block, block] = np.diag(weights[b]) + np.outer(pull[b], pull[b])
        for row, i in zip(design[block], range(cells), strict=True):
            np.add.at(row, model.core_index[b], model.design[b, i])
            row[model.walk_index[b, model.period[i]]] += 1.0
            if model.local is not None:
                row[model.size + b * model.periods + model.period[i]] = 1.0
    whole = np.zeros((model.size + local_size,) * 2)
    whole[: model.size, : model.size] = setting.core
    local = setting.local if model.local is not None else np.eye(model.periods)
    whole[model.size :, model.size :] = np.kron(np.eye(blocks), local)
    return whole + design.T @ outer @ design, design


@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("pulled", [True, False])
def test_the_factor_is_that_of_one_dense_matrix(walks, alone, pulled):
    """With one walk for all areas and with several; with and without the product of vectors of a total."""
    countries = ("AL",) * AREAS if alone else ("AL", "AL", "GR", "GR", "GR")
    seen = observations(countries, ("internal",) if alone else ("internal", "cross_border"))
    effects = RiskModel()._build_effects(seen)
    model = build_layout(seen, effects if walks else replace(effects, local=None)).model
    setting = model.evaluate_prior(np.array([h.start for h in model.hypers]) + 0.2)
    rng = np.random.default_rng(5)
    blocks, cells = model.offset.shape
    weights, pull = rng.gamma(2.0, size=(blocks, cells)), pulled * rng.normal(size=(blocks, cells))
    weights[0] = 0.0
    factor = model.factorise(setting, weights, pull)
    whole, design = dense(model, setting, weights, pull)
    covariance = np.linalg.inv(whole)
    near = {"rtol": 1e-6, "atol": 1e-8}
    assert factor.log_det == pytest.approx(np.linalg.slogdet(whole)[1], rel=1e-9)
    np.testing.assert_allclose(factor.covariance, covariance[: model.size, : model.size], **near)
    core = rng.normal(size=model.size)
    local = rng.normal(size=(blocks, model.periods)) * (model.local is not None)
    solved = np.concatenate([part.ravel() for part in factor.solve(core, local)])
    np.testing.assert_allclose(solved, covariance @ np.concatenate([core, local.ravel()]), **near)
    moved = design @ covariance @ design.T
    np.testing.assert_allclose(model.variances(factor).ravel(), np.diag(moved), **near)
    values = rng.normal(size=(blocks, cells))
    within = np.kron(np.eye(blocks), np.ones((cells, cells)))
    np.testing.assert_allclose(
        model.multiply_covariance(factor, values).ravel(), (moved * within) @ values.ravel(), **near
    )
    if model.local is not None:
        local_covariance = covariance[model.size :, model.size :].reshape(blocks, model.periods, blocks, model.periods)
        np.testing.assert_allclose(factor.local_covariance(), np.einsum("btbu->tu", local_covariance), **near)


def test_draws_have_the_covariance_of_the_factor():
    seen = observations(("AL",) * AREAS, ("internal",))
    model = build_layout(seen, RiskModel()._build_effects(seen)).model
    mode = find_best_mode(model, np.array([h.start for h in model.hypers]))
    core, local = mode.factor.draw(np.random.default_rng(0), 6000)
    some = np.array([model.log_mean(c, u) - model.offset for c, u in zip(core, local, strict=True)])
    np.testing.assert_allclose(some.var(axis=0), model.variances(mode.factor), rtol=0.12)
    np.testing.assert_allclose(core.var(axis=0), np.diag(mode.factor.covariance), rtol=0.12)


def test_a_block_that_is_not_curved_downwards_is_refused():
    seen = observations(("AL",) * AREAS, ("internal",))
    model = build_layout(seen, RiskModel()._build_effects(seen)).model
    setting = model.evaluate_prior(np.array([h.start for h in model.hypers]))
    weights = np.ones(model.offset.shape)
    weights[2] = -1e4
    with pytest.raises(np.linalg.LinAlgError):
        model.factorise(setting, weights, np.zeros_like(weights))
