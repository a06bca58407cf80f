"""Laplace's approximation at given hyperparameters, and the correction of its mean.

The mode is found by Newton's method. The log posterior of the hyperparameters (Rue, Martino and Chopin 2009) comes
with its gradient, by implicit differentiation of the mode. The mean is corrected as by van Niekerk and Rue (2024), but
for all latent numbers: the factor is the same, so choosing a few would save nothing. docs/risk-model.md eq. (20) to
(22) and (26) to (28).

Shapes: core (n,), local (B, T), theta (free,) for the free hyperparameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import TactError
from data.workspace.types import Floats
from risk.laplace.factor import Factor
from risk.laplace.latent import Latent, PriorPrecision
from risk.laplace.response import Response

# Core and local effects, (n,) and (B, T).
Numbers = tuple[Floats, Floats]

_STEPS = 200
_NEAR = 1.0  # expected gain in log density below which the true curvature serves as weights
_DONE, _SMALL = 1e-7, 1e-5  # of gain in log density
_NO_MOVE = 1e-4  # of the mean, squared and in units of the posterior
_SHIFT = 1e-4  # of the log of the overdispersion, for its derivative
_SQRT3 = np.sqrt(3.0)


class NoMode(TactError):
    """The posterior has no proper mode, so no result can be computed."""


@dataclass(frozen=True, eq=False)
class Mode:
    """The mode at given hyperparameters.

    core, local : the latent numbers, (n,) and (B, T).
    response : the likelihood at the mode. factor : the true posterior precision at the mode.
    log_density : Laplace's log p(theta, published), eq. (22).
    """

    theta: Floats
    prior: PriorPrecision
    core: Floats
    local: Floats
    response: Response
    factor: Factor
    log_density: float


@dataclass(frozen=True, eq=False)
class _Summit:
    """The point where Newton's method stopped, with the factor of the true curvature if it was computed."""

    core: Floats
    local: Floats
    value: float
    response: Response
    factor: Factor | None


def find_mode(model: Latent, theta: Floats, start: Numbers | None = None) -> Mode:
    """Find the mode from a start close to it, or, without one, from zero; raise NoMode if it is not found."""
    prior = model.evaluate_prior(theta)
    summit = _climb(model, prior, start or _start_at_zero(model), near=start is not None)
    return _approximate(model, theta, prior, summit)


def find_best_mode(model: Latent, theta: Floats, start: Numbers | None = None) -> Mode:
    """Find the mode from two starts, zero (or `start`) and the counts themselves; keep the higher one.

    Where counts are published through a channel, the posterior may have more than one mode. Raises NoMode if no mode is
    found from one of the starts.
    """
    prior = model.evaluate_prior(theta)
    starts = (start or _start_at_zero(model), _start_at_counts(model, prior))
    summits = [_climb(model, prior, numbers, near=False) for numbers in starts]
    return _approximate(model, theta, prior, max(summits, key=lambda summit: summit.value))


def _approximate(model: Latent, theta: Floats, prior: PriorPrecision, summit: _Summit) -> Mode:
    """Return Laplace's approximation at the mode, eq. (22); raise NoMode if the posterior is not curved downwards."""
    factor, response = summit.factor, summit.response
    try:
        if factor is None:
            factor = model.factorise(prior, response.curvature, response.pull)
    except np.linalg.LinAlgError:
        msg = "The posterior is not curved downwards at its mode. Fit fewer effects, or coarser periods."
        raise NoMode(msg) from None
    log_prior, _ = model.log_prior(theta)
    log_density = summit.value + log_prior + 0.5 * (prior.log_det - factor.log_det)
    return Mode(theta, prior, summit.core, summit.local, response, factor, log_density)


def correct_mean(model: Latent, mode: Mode, steps: int = 4) -> Numbers:
    """Return the corrected mean, eq. (28), which maximises the expected log posterior under Laplace's covariance.

    The expectation uses three Gauss-Hermite nodes for each cell. Totals need only the middle node, because they are
    normal. Where almost nothing is known, the covariance is too wide for full steps: no step moves a log mean by more
    than its standard deviation. `steps` is the maximum number of steps.
    """
    core, local, kappa = mode.core.copy(), mode.local.copy(), mode.prior.kappa
    away = _SQRT3 * np.sqrt(model.variances(mode.factor).ravel()[model.cells])
    for _ in range(steps):
        middle = model.log_mean(core, local).ravel()[model.cells]
        below, above = (model.counts.slopes(middle + side * away, kappa).gradient for side in (-1.0, 1.0))
        centre = model.counts.slopes(middle, kappa)
        # Weights 1/6, 2/3, 1/6: the gradient at the middle plus a sixth of the second difference.
        bent = model.scatter((below + above - 2.0 * centre.gradient) / 6.0)
        right = _log_posterior_gradient(model, mode.prior, core, local, model.combine(centre).gradient + bent)
        step = mode.factor.solve(*right)
        moved = model.log_mean(core + step[0], local + step[1]).ravel()[model.cells] - middle
        share = 1.0 / max(1.0, float((_SQRT3 * np.abs(moved) / away).max(initial=0.0)))
        core, local = core + share * step[0], local + share * step[1]
        if _inner_product(right, step) < _NO_MOVE:
            break
    return core, local


def compute_gradient(model: Latent, mode: Mode) -> Floats:
    """Return the gradient of Laplace's log density with respect to the hyperparameters, eq. (26), (free,).

    The log determinant changes with the curvature, and the curvature with the mode: d mode = H^-1 (-dQ mode +
    Z' dg). One solve for the direction Z' d log|H| serves all hyperparameters.
    """
    prior, core, local = mode.prior, mode.core, mode.local
    variance = model.variances(mode.factor)
    spread = model.multiply_covariance(mode.factor, mode.response.pull)
    toward = mode.factor.solve(*model.gather(mode.response.log_det_gradient(spread, variance)))
    local_covariance = mode.factor.local_covariance()
    out = []
    pairs = zip(prior.slopes, model.multiply_prior_slopes(prior, core, local), strict=True)
    for (place, matrix, log_det), moved in pairs:
        covariance = local_covariance if place is None else mode.factor.covariance[place, place]
        penalty = _inner_product((core, local), moved)
        trace = float((covariance * matrix).sum())
        out.append(0.5 * (log_det - penalty - trace + _inner_product(toward, moved)))
    if model.kappa.prior is not None:
        low, high = _respond_beside_kappa(model, mode)
        change = variance * (high.curvature - low.curvature) + 2.0 * spread * (high.pull - low.pull)
        slope = high.log - low.log - 0.5 * float(change.sum())
        slope -= 0.5 * _inner_product(toward, model.gather(high.gradient - low.gradient))
        out.append(slope / (2.0 * _SHIFT))
    return np.array(out) + model.log_prior(mode.theta)[1]


def compute_tangent(model: Latent, mode: Mode) -> Numbers:
    """Return the derivatives of the mode by the hyperparameters, eq. (27), shapes (free, n) and (free, B, T)."""
    moves = [(-c, -b) for c, b in model.multiply_prior_slopes(mode.prior, mode.core, mode.local)]
    if model.kappa.prior is not None:
        low, high = _respond_beside_kappa(model, mode)
        moves.append(model.gather((high.gradient - low.gradient) / (2.0 * _SHIFT)))
    solved = [mode.factor.solve(*move) for move in moves]
    return np.array([core for core, _ in solved]), np.array([local for _, local in solved])


def _respond_beside_kappa(model: Latent, mode: Mode) -> tuple[Response, Response]:
    """Return the likelihood at a slightly smaller and at a slightly larger overdispersion."""
    low, high = (mode.prior.kappa * float(np.exp(side * _SHIFT)) for side in (-1, 1))
    return model.respond(mode.core, mode.local, low), model.respond(mode.core, mode.local, high)


def _start_at_zero(model: Latent) -> Numbers:
    return np.zeros(model.size), np.zeros((len(model.core_index), model.periods))


def _start_at_counts(model: Latent, prior: PriorPrecision) -> Numbers:
    """Return the least-squares fit of the latent numbers to the logs of the likeliest counts."""
    count = model.counts.likeliest.astype(np.float64) + 0.5
    weights = model.scatter(count)
    target = model.scatter(np.log(count) - model.offset.ravel()[model.cells])
    factor = model.factorise(prior, weights, np.zeros_like(weights))
    return factor.solve(*model.gather(weights * target))


def _log_posterior(model: Latent, prior: PriorPrecision, core: Floats, local: Floats) -> tuple[float, Response]:
    """Return the log posterior of the latent numbers, eq. (20), -inf if it is not finite, and the likelihood."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        response = model.respond(core, local, prior.kappa)
        value = response.log - 0.5 * float(core @ prior.core @ core + ((local @ prior.local) * local).sum())
    return (float(value) if np.isfinite(value) else -np.inf), response


def _log_posterior_gradient(
    model: Latent, prior: PriorPrecision, core: Floats, local: Floats, gradient: Floats
) -> Numbers:
    """Return the gradient of eq. (20) with respect to the latent numbers, from that for the log means, (B, m)."""
    likelihood = model.gather(gradient)
    return likelihood[0] - prior.core @ core, likelihood[1] - local @ prior.local


def _inner_product(first: Numbers, second: Numbers) -> float:
    return float(first[0] @ second[0] + (first[1] * second[1]).sum())


def _climb(model: Latent, prior: PriorPrecision, start: Numbers, *, near: bool) -> _Summit:
    """Return the mode that Newton's method finds from a start, eq. (21); raise NoMode if it finds none.

    Far from the mode, the weights are the expected information, which is always positive. near : whether the start is
    close to the mode.
    """
    core, local = start
    value, response = _log_posterior(model, prior, core, local)
    for _ in range(_STEPS):
        right = _log_posterior_gradient(model, prior, core, local, response.gradient)
        factor, is_true = _factorise_curvature(model, prior, response, near=near)
        step = factor.solve(*right)
        gain = _inner_product(right, step)
        if gain < _DONE:
            return _Summit(core, local, value, response, factor if is_true else None)
        scale, higher, answer = _search_line(model, prior, (core, local), step, value)
        if answer is None:
            if gain < _SMALL:  # below what a difference of log densities can show
                return _Summit(core, local, value, response, factor if is_true else None)
            break
        core, local, value, near = core + scale * step[0], local + scale * step[1], higher, gain < _NEAR
        response = answer
    raise NoMode(f"The mode was not found in {_STEPS} steps. Check the counts for a number that cannot be.")


def _factorise_curvature(
    model: Latent, prior: PriorPrecision, response: Response, *, near: bool
) -> tuple[Factor, bool]:
    """Return the factor of the true curvature and True, or the factor of the expected curvature and False.

    The true curvature is taken if `near`, and if it is positive definite.
    """
    if near:
        try:
            return model.factorise(prior, response.curvature, response.pull), True
        except np.linalg.LinAlgError:
            pass
    return model.factorise(prior, response.information, response.pull), False


def _search_line(
    model: Latent, prior: PriorPrecision, start: Numbers, step: Numbers, value: float
) -> tuple[float, float, Response | None]:
    """Halve the step until it increases the log posterior; return its scale, the new value, and the response.

    If no step increases it, return 0, the old value and None.
    """
    scale = 1.0
    while scale > 1e-3:
        core, local = start[0] + scale * step[0], start[1] + scale * step[1]
        higher, response = _log_posterior(model, prior, core, local)
        if higher > value:
            return scale, higher, response
        scale /= 2.0
    return 0.0, value, None
