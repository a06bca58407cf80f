"""Integrating over the hyperparameters: find their mode, then weigh points around it.

Two or fewer: a full grid. More: a central composite design (Rue, Martino and Chopin 2009, section 6.5) with
a width of its own on each side of each axis (Martins et al. 2013). Coordinates are those of the symmetric
root of the covariance at the mode, which is unique where eigenvectors are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from risk._laplace import Mode, NoMode, best_mode, corrected, evaluate
from risk._latent import Latent

__all__ = ["Node", "Posterior", "Progress", "integrate"]

Floats = NDArray[np.float64]
Progress = Callable[[int, int | None, str], None]

_STEP = 0.02  # of the differences that give the curvature
_GRID, _DROP, _MOST = 0.6, 6.0, 400
_LEAST_CURVED = 0.05
_SPHERE = 1.1  # radius of the design over the square root of the dimension
_LIGHT = 1e-4  # of the heaviest node


@dataclass(frozen=True, eq=False)
class Node:
    """The posterior of the latent numbers at one value of the hyperparameters, Gaussian, and its weight.

    core, local : corrected means, (n,) and (B, T).
    """

    weight: float
    mode: Mode
    core: Floats
    local: Floats


@dataclass(frozen=True, eq=False)
class Posterior:
    """A mixture over hyperparameters. log_marginal is the log marginal likelihood, Laplace's."""

    model: Latent
    nodes: tuple[Node, ...]
    log_marginal: float

    @property
    def weights(self) -> Floats:
        """Weights of the nodes, adding to 1."""
        return np.array([node.weight for node in self.nodes])

    def moments(self) -> tuple[Floats, Floats]:
        """Give mean and standard deviation of the core, each (n,)."""
        means = np.array([node.core for node in self.nodes])
        squares = np.array([np.diag(node.mode.factor.covariance) for node in self.nodes]) + means**2
        mean = self.weights @ means
        return mean, np.sqrt(self.weights @ squares - mean**2)

    def log_means(self) -> tuple[Floats, Floats]:
        """Give mean and standard deviation of the log mean of every observation, each (B, m)."""
        first, second = np.zeros(self.model.offset.shape), np.zeros(self.model.offset.shape)
        for node in self.nodes:
            mean = self.model.log_mean(node.core, node.local)
            first += node.weight * mean
            second += node.weight * (self.model.variances(node.mode.factor) + mean**2)
        return first, np.sqrt(second - first**2)

    def hyper(self) -> dict[str, tuple[float, float]]:
        """Give mean and standard deviation of each free hyperparameter, by name."""
        out = {}
        for i, one in enumerate(self.model.hypers):
            values = np.array([one.natural(node.mode.theta[i])[0] for node in self.nodes])
            mean = float(self.weights @ values)
            out[one.name] = (mean, float(np.sqrt(self.weights @ (values - mean) ** 2)))
        return out


def integrate(model: Latent, progress: Progress | None = None) -> Posterior:
    """Fit a latent model; the same for the same model. Raises NoMode where there is no proper posterior."""
    tell = progress or _silent
    top = _optimum(model, tell)
    size = len(model.hypers)
    if not size:
        return _mixture(model, [top], np.ones(1), top.log_density)
    root, log_volume = _root(model, top, tell)
    if size <= 2:
        modes = _grid(model, top, root, tell)
        densities = np.array([m.log_density for m in modes])
        largest = densities.max()
        total = np.exp(densities - largest).sum()
        log_marginal = largest + np.log(total) + log_volume + size * np.log(_GRID)
        return _mixture(model, modes, np.exp(densities - largest) / total, log_marginal)
    modes, weights, spread = _design(model, top, root, tell)
    log_marginal = top.log_density + 0.5 * size * np.log(2.0 * np.pi) + log_volume + spread
    return _mixture(model, modes, weights, log_marginal)


def _silent(_done: int, _total: int | None, _what: str) -> None:
    """Tell nobody."""


def _mixture(model: Latent, modes: list[Mode], weights: Floats, log_marginal: float) -> Posterior:
    heavy = np.flatnonzero(weights > _LIGHT * weights.max())
    kept = weights[heavy] / weights[heavy].sum()
    nodes = [Node(float(w), modes[i], *corrected(model, modes[i])) for i, w in zip(heavy, kept, strict=True)]
    return Posterior(model, tuple(nodes), float(log_marginal))


def _optimum(model: Latent, tell: Progress) -> Mode:
    """Maximise the log density of the hyperparameters, by BFGS; look for a second mode at the end."""
    start = np.array([h.start for h in model.hypers])
    last = [best_mode(model, start)]
    if not len(start):
        return last[0]

    def loss(theta: Floats) -> tuple[float, Floats]:
        try:
            last[0] = evaluate(model, theta, (last[0].core, last[0].local))
        except (NoMode, np.linalg.LinAlgError):
            return 1e10, np.zeros_like(theta)
        tell(0, None, "mode")
        return -last[0].log_density, -last[0].gradient

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 0.02, "maxiter": 100})
    return best_mode(model, found.x, (last[0].core, last[0].local))


def _root(model: Latent, top: Mode, tell: Progress) -> tuple[Floats, float]:
    """Give the symmetric root of the inverse curvature at the mode, and the log of its determinant."""
    size = len(top.theta)
    curvature = np.zeros((size, size))
    for i in range(size):
        tell(i, size, "curvature")
        moved = _STEP * np.eye(size)[i]
        high, low = (evaluate(model, top.theta + side * moved, (top.core, top.local)) for side in (1, -1))
        curvature[i] = (low.gradient - high.gradient) / (2.0 * _STEP)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    # A direction that the data say nothing of is as wide as its prior lets it be.
    values = np.maximum(values, _LEAST_CURVED)
    return (vectors / np.sqrt(values)) @ vectors.T, -0.5 * float(np.log(values).sum())


def _try(model: Latent, theta: Floats, near: Mode) -> Mode | None:
    try:
        return evaluate(model, theta, (near.core, near.local))
    except (NoMode, np.linalg.LinAlgError):
        return None


def _grid(model: Latent, top: Mode, root: Floats, tell: Progress) -> list[Mode]:
    """Walk over the grid from the mode outwards, as far as the density counts."""
    size = len(top.theta)
    found: dict[tuple[int, ...], Mode] = {(0,) * size: top}
    known, edge = set(found), list(found)
    steps = [tuple(side * int(i == j) for j in range(size)) for i in range(size) for side in (1, -1)]
    while edge and len(found) < _MOST:
        here = edge.pop(0)
        for step in steps:
            there = tuple(a + b for a, b in zip(here, step, strict=True))
            if there in known:
                continue
            known.add(there)
            tell(len(found), None, "grid")
            mode = _try(model, top.theta + _GRID * root @ np.array(there), found[here])
            if mode is not None and mode.log_density > top.log_density - _DROP:
                found[there] = mode
                edge.append(there)
    return [found[key] for key in sorted(found)]


def _design(model: Latent, top: Mode, root: Floats, tell: Progress) -> tuple[list[Mode], Floats, float]:
    """Evaluate the central composite design; give modes, their weights and the log of the widening."""
    size = len(top.theta)
    widths = _widths(model, top, root, tell)
    points = _composite(size)
    scaled = points * np.where(points > 0, widths[:, 1], widths[:, 0])
    sides = np.where(points > 0, widths[:, 1], np.where(points < 0, widths[:, 0], widths.mean(axis=1)))
    modes, weights = [top], [float(widths.mean(axis=1).prod())]
    share = np.exp(size * _SPHERE**2 / 2.0) / (len(points) * (_SPHERE**2 - 1.0))
    for i, (point, volume) in enumerate(zip(scaled, sides.prod(axis=1), strict=True)):
        tell(i, len(points), "design")
        mode = _try(model, top.theta + root @ point, top)
        if mode is not None:
            modes.append(mode)
            weights.append(float(share * volume * np.exp(mode.log_density - top.log_density)))
    total = np.array(weights)
    return modes, total / total.sum(), float(np.log(widths.mean(axis=1)).sum())


def _widths(model: Latent, top: Mode, root: Floats, tell: Progress) -> Floats:
    """Measure how far the density reaches to both sides of each axis, (axes, 2), 1 where it is Gaussian."""
    reach = np.sqrt(2.0)
    widths = np.ones((len(top.theta), 2))
    for i, side in product(range(len(widths)), (0, 1)):
        tell(2 * i + side, 2 * len(widths), "widths")
        mode = _try(model, top.theta + (2 * side - 1) * reach * root[:, i], top)
        drop = 4.0 if mode is None else top.log_density - mode.log_density
        widths[i, side] = 1.0 / np.sqrt(np.clip(drop, 0.2, 4.0))
    return widths


def _composite(size: int) -> Floats:
    """Give axial and corner points on one sphere; half of the corners from five dimensions on."""
    corners = np.array(list(product((-1.0, 1.0), repeat=size if size < 5 else size - 1)))
    if size >= 5:
        corners = np.column_stack([corners, corners.prod(axis=1)])
    axial = np.sqrt(size) * np.vstack([np.eye(size), -np.eye(size)])
    points: Floats = _SPHERE * np.vstack([axial, corners])
    return points
