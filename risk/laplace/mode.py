"""Laplace's approximation of a latent Gaussian model at given hyperparameters, and its mean correction.

The mode by Newton's method, the log posterior of the hyperparameters with its gradient (Rue, Martino and
Chopin 2009; the gradient by implicit differentiation of the mode), and the variational correction of the
mean of van Niekerk and Rue (2024), here over all latent numbers: the same factor serves, so that nothing is
gained by choosing a few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import TactError
from data.workspace.types import Floats
from risk.laplace.factor import Factor
from risk.laplace.latent import Latent, Setting
from risk.laplace.response import Response

Start = tuple[Floats, Floats]

_STEPS = 200
_NEAR = 1.0  # from which gain on the true curvature serves as weights
_DONE, _SMALL = 1e-7, 1e-5  # of gain in log density
_NO_MOVE = 1e-4  # of the mean, squared and in units of the posterior
_SHIFT = 1e-4  # of the log of the overdispersion, for its derivative
_SQRT3 = np.sqrt(3.0)


class NoMode(TactError):
    """The posterior has no proper mode, so that nothing that follows from it would hold."""


@dataclass(frozen=True, eq=False)
class Mode:
    """The mode at given hyperparameters.

    core, local : the latent numbers, (n,) and (B, T).
    response : the likelihood there. factor : the true posterior precision there.
    log_density : Laplace's log p(theta, published).
    """

    theta: Floats
    setting: Setting
    core: Floats
    local: Floats
    response: Response
    factor: Factor
    log_density: float


@dataclass(frozen=True, eq=False)
class _Top:
    """Where Newton's method stopped; the factor of the true curvature there if it was at hand."""

    core: Floats
    local: Floats
    value: float
    response: Response
    factor: Factor | None


def evaluate(model: Latent, theta: Floats, start: Start | None = None) -> Mode:
    """Find the mode from a start near to it, else from zero; raise NoMode where it is none."""
    setting = model.setting(theta)
    top = _newton(model, setting, start or _flat(model), near=start is not None)
    return _mode(model, theta, setting, top)


def best_mode(model: Latent, theta: Floats, start: Start | None = None) -> Mode:
    """Find the mode from two starts, a flat one (or `start`) and the counts themselves; keep the better.

    Where cells are seen through a channel the posterior need not have one mode alone.
    """
    setting = model.setting(theta)
    starts = (start or _flat(model), _raw(model, setting))
    tops = [_newton(model, setting, one, near=False) for one in starts]
    return _mode(model, theta, setting, max(tops, key=lambda top: top.value))


def _mode(model: Latent, theta: Floats, setting: Setting, top: _Top) -> Mode:
    factor, response = top.factor, top.response
    try:
        if factor is None:
            factor = model.factorise(setting, response.curvature, response.pull)
    except np.linalg.LinAlgError:
        msg = "The posterior is not curved downwards at its mode. Fit fewer effects, or coarser periods."
        raise NoMode(msg) from None
    prior, _ = model.log_prior(theta)
    log_density = top.value + prior + 0.5 * (setting.log_det - factor.log_det)
    return Mode(theta, setting, top.core, top.local, response, factor, log_density)


def corrected(model: Latent, mode: Mode, steps: int = 4) -> tuple[Floats, Floats]:
    """Move the mode to the mean: maximise the expected log likelihood under the Laplace covariance.

    The expectation is by three Gauss-Hermite nodes for each cell; totals, normal already, stay at the middle.
    Where next to nothing is known the covariance is too wide for whole steps to close in: none moves a log
    mean by more than its standard deviation.
    """
    core, local, kappa = mode.core.copy(), mode.local.copy(), mode.setting.kappa
    away = _SQRT3 * np.sqrt(model.variances(mode.factor).ravel()[model.seen])
    for _ in range(steps):
        middle = model.log_mean(core, local).ravel()[model.seen]
        below, above = (model.counts.slopes(middle + side * away, kappa).gradient for side in (-1.0, 1.0))
        straight = model.counts.slopes(middle, kappa)
        bent = model.spread((below + above - 2.0 * straight.gradient) / 6.0)
        right = _right(model, mode.setting, core, local, model.answer(straight).gradient + bent)
        step = mode.factor.solve(*right)
        moved = model.log_mean(core + step[0], local + step[1]).ravel()[model.seen] - middle
        share = 1.0 / max(1.0, float((_SQRT3 * np.abs(moved) / away).max(initial=0.0)))
        core, local = core + share * step[0], local + share * step[1]
        if _inner(right, step) < _NO_MOVE:
            break
    return core, local


def gradient(model: Latent, mode: Mode) -> Floats:
    """Differentiate Laplace's log density in the hyperparameters, (free,).

    The determinant moves with the curvature, and that with the mode: dmode = H^-1 (-dQ mode + Z' dg). One
    solve for the direction Z' d log|H| serves all hyperparameters.
    """
    setting, core, local = mode.setting, mode.core, mode.local
    variance, spread = model.variances(mode.factor), model.spreads(mode.factor, mode.response.pull)
    toward = mode.factor.solve(*model.gather(mode.response.turned(spread, variance)))
    local_covariance = mode.factor.local_covariance()
    out = []
    pairs = zip(setting.slopes, model.slopes(setting, core, local), strict=True)
    for (where, matrix, log_det), moved in pairs:
        covariance = local_covariance if where is None else mode.factor.covariance[where, where]
        penalty = _inner((core, local), moved)
        trace = float((covariance * matrix).sum())
        out.append(0.5 * (log_det - penalty - trace + _inner(toward, moved)))
    if model.kappa.prior is not None:
        low, high = _beside(model, mode)
        curved = variance * (high.curvature - low.curvature) + 2.0 * spread * (high.pull - low.pull)
        change = high.log - low.log - 0.5 * float(curved.sum())
        change -= 0.5 * _inner(toward, model.gather(high.gradient - low.gradient))
        out.append(change / (2.0 * _SHIFT))
    return np.array(out) + model.log_prior(mode.theta)[1]


def tangent(model: Latent, mode: Mode) -> tuple[Floats, Floats]:
    """Differentiate the mode in the hyperparameters, shapes (free, n) and (free, B, T)."""
    moves = [(-c, -own) for c, own in model.slopes(mode.setting, mode.core, mode.local)]
    if model.kappa.prior is not None:
        low, high = _beside(model, mode)
        moves.append(model.gather((high.gradient - low.gradient) / (2.0 * _SHIFT)))
    solved = [mode.factor.solve(*move) for move in moves]
    return np.array([c for c, _ in solved]), np.array([own for _, own in solved])


def _beside(model: Latent, mode: Mode) -> tuple[Response, Response]:
    """Evaluate the likelihood at a little less and a little more overdispersion."""
    low, high = (mode.setting.kappa * float(np.exp(side * _SHIFT)) for side in (-1, 1))
    return model.respond(mode.core, mode.local, low), model.respond(mode.core, mode.local, high)


def _flat(model: Latent) -> tuple[Floats, Floats]:
    return np.zeros(model.size), np.zeros((len(model.index), model.periods))


def _raw(model: Latent, setting: Setting) -> tuple[Floats, Floats]:
    """Start from the counts: least squares on their logs."""
    count = model.counts.likeliest.astype(np.float64) + 0.5
    weights = model.spread(count)
    target = model.spread(np.log(count) - model.offset.ravel()[model.seen])
    factor = model.factorise(setting, weights, np.zeros_like(weights))
    return factor.solve(*model.gather(weights * target))


def _penalty(setting: Setting, core: Floats, local: Floats) -> float:
    return 0.5 * float(core @ setting.core @ core + ((local @ setting.local) * local).sum())


def _objective(model: Latent, setting: Setting, core: Floats, local: Floats) -> tuple[float, Response]:
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        response = model.respond(core, local, setting.kappa)
        value = response.log - _penalty(setting, core, local)
    return (float(value) if np.isfinite(value) else -np.inf), response


def _right(
    model: Latent, setting: Setting, core: Floats, local: Floats, gradient: Floats
) -> tuple[Floats, Floats]:
    """Give the gradient of the log posterior in the latent numbers."""
    pulled = model.gather(gradient)
    return pulled[0] - setting.core @ core, pulled[1] - local @ setting.local


def _inner(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    return float(one[0] @ other[0] + (one[1] * other[1]).sum())


def _newton(model: Latent, setting: Setting, start: Start, *, near: bool) -> _Top:
    """Climb to the mode. Far away the expected information is the weight, which is always positive."""
    core, local = start
    value, response = _objective(model, setting, core, local)
    for _ in range(_STEPS):
        right = _right(model, setting, core, local, response.gradient)
        factor, true = _weigh(model, setting, response, near=near)
        step = factor.solve(*right)
        gain = _inner(right, step)
        if gain < _DONE:
            return _Top(core, local, value, response, factor if true else None)
        scale, better, answer = _search(model, setting, (core, local), step, value)
        if answer is None:
            if gain < _SMALL:  # below what a difference of log densities can show
                return _Top(core, local, value, response, factor if true else None)
            break
        core, local, value, near = core + scale * step[0], local + scale * step[1], better, gain < _NEAR
        response = answer
    msg = f"The mode was not found in {_STEPS} steps. Check the counts for a number that cannot be."
    raise NoMode(msg)


def _weigh(model: Latent, setting: Setting, response: Response, *, near: bool) -> tuple[Factor, bool]:
    """Factorise with the true curvature where near to the mode and possible; say whether it was."""
    if near:
        try:
            return model.factorise(setting, response.curvature, response.pull), True
        except np.linalg.LinAlgError:
            pass
    return model.factorise(setting, response.information, response.pull), False


def _search(
    model: Latent, setting: Setting, at: tuple[Floats, Floats], step: tuple[Floats, Floats], value: float
) -> tuple[float, float, Response | None]:
    """Halve the step until it climbs; no response where it never does."""
    scale = 1.0
    while scale > 1e-3:
        new, response = _objective(model, setting, at[0] + scale * step[0], at[1] + scale * step[1])
        if new > value:
            return scale, new, response
        scale /= 2.0
    return 0.0, value, None
