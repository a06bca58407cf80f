"""Integrating over the hyperparameters: find their mode, then weigh points around it.

Two or fewer: a full grid. More: a central composite design (Rue, Martino and Chopin 2009, section 6.5) with
a width of its own on each side of each axis (Martins et al. 2013). Coordinates are those of the symmetric
root of the covariance at the mode, which is unique where eigenvectors are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import minimize

from data.workspace.types import Floats, Progress
from risk.laplace.factor import Factor
from risk.laplace.latent import Latent
from risk.laplace.mode import Mode, NoMode, best_mode, corrected, evaluate, gradient, tangent

_STEP = 0.02  # of the differences that give the curvature
_GRID, _DROP, _MOST = 0.6, 6.0, 400
_LEAST_CURVED = 0.05
_SPHERE = 1.1  # radius of the design over the square root of the dimension
_LIGHT = 1e-4  # of the heaviest node


@dataclass(frozen=True, eq=False)
class Node:
    """The posterior of the latent numbers at one value of the hyperparameters, Gaussian.

    core, local : corrected means, (n,) and (B, T).
    log_density : Laplace's log p(theta, published). weight : in the mixture.
    curvature, pull : of the likelihood at the mode, (B, m); the factor is made from them again when it is
        needed, since all of them together would fill the memory.
    """

    theta: Floats
    core: Floats
    local: Floats
    log_density: float
    curvature: Floats
    pull: Floats
    weight: float = 1.0

    @classmethod
    def of(cls, model: Latent, mode: Mode) -> Node:
        """Correct the mean at a mode, and keep what is needed."""
        means, response = corrected(model, mode), mode.response
        return cls(mode.theta, *means, mode.log_density, response.curvature, response.pull)

    def factor(self, model: Latent) -> Factor:
        """Factorise the posterior precision."""
        return model.factorise(model.setting(self.theta), self.curvature, self.pull)


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
        squares = np.array([np.diag(node.factor(self.model).covariance) for node in self.nodes]) + means**2
        mean = self.weights @ means
        return mean, np.sqrt(self.weights @ squares - mean**2)

    def hyper(self) -> dict[str, tuple[float, float]]:
        """Give mean and standard deviation of each free hyperparameter, by name."""
        out = {}
        for i, one in enumerate(self.model.hypers):
            values = np.array([one.natural(node.theta[i])[0] for node in self.nodes])
            mean = float(self.weights @ values)
            out[one.name] = (mean, float(np.sqrt(self.weights @ (values - mean) ** 2)))
        return out


def integrate(model: Latent, progress: Progress | None = None) -> Posterior:
    """Fit a latent model; the same for the same model. Raises NoMode where there is no proper posterior."""
    tell = progress or _silent
    top = _optimum(model, tell)
    size = len(model.hypers)
    if not size:
        return Posterior(model, (Node.of(model, top),), top.log_density)
    root, log_volume = _root(model, top, tell)
    if size <= 2:
        nodes = _grid(model, top, root, tell)
        volumes, log_marginal = np.ones(len(nodes)), top.log_density + log_volume + size * np.log(_GRID)
        log_marginal += np.log(sum(np.exp(node.log_density - top.log_density) for node in nodes))
    else:
        nodes, volumes, spread = _design(model, top, root, tell)
        log_marginal = top.log_density + 0.5 * size * np.log(2.0 * np.pi) + log_volume + spread
    weights = volumes * np.exp([node.log_density - top.log_density for node in nodes])
    heavy = np.flatnonzero(weights > _LIGHT * weights.max())
    total = weights[heavy].sum()
    kept = tuple(replace(nodes[i], weight=float(weights[i] / total)) for i in heavy)
    return Posterior(model, kept, float(log_marginal))


def _silent(_done: int, _total: int | None, _what: str) -> None:
    """Tell nobody."""


def _optimum(model: Latent, tell: Progress) -> Mode:
    """Maximise the log density of the hyperparameters, by BFGS; look for a second mode at the end."""
    start = np.array([h.start for h in model.hypers])
    last = [best_mode(model, start)]
    if not len(start):
        return last[0]

    def loss(theta: Floats) -> tuple[float, Floats]:
        tell(0, None, "mode")
        mode = _Around(model, last[0])(theta)
        if mode is None:
            return 1e10, np.zeros_like(theta)
        last[0] = mode
        return -last[0].log_density, -gradient(model, last[0])

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 0.02, "maxiter": 100})
    return best_mode(model, found.x, (last[0].core, last[0].local))


class _Around:
    """Modes around one that is known, each looked for from where the tangent there points."""

    def __init__(self, model: Latent, top: Mode) -> None:
        self.model, self.top = model, top
        self._slopes = tangent(model, top)

    def __call__(self, theta: Floats) -> Mode | None:
        """Find the mode at other hyperparameters; None where there is none."""
        away, top = theta - self.top.theta, self.top
        moved = [np.tensordot(away, slope, 1) for slope in self._slopes]
        try:
            return evaluate(self.model, theta, (top.core + moved[0], top.local + moved[1]))
        except (NoMode, np.linalg.LinAlgError):
            return None


def _root(model: Latent, top: Mode, tell: Progress) -> tuple[Floats, float]:
    """Give the symmetric root of the inverse curvature at the mode, and the log of its determinant."""
    size, around = len(top.theta), _Around(model, top)
    curvature, here = np.zeros((size, size)), gradient(model, top)
    for i in range(size):
        tell(i, size, "curvature")
        moved = _STEP * np.eye(size)[i]
        sides = [around(top.theta + side * moved) for side in (1.0, -1.0)]
        high, low = (here if mode is None else gradient(model, mode) for mode in sides)
        curvature[i] = (low - high) / (_STEP * max(sum(mode is not None for mode in sides), 1))
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    # A direction that the data say nothing of is as wide as its prior lets it be.
    values = np.maximum(values, _LEAST_CURVED)
    return (vectors / np.sqrt(values)) @ vectors.T, -0.5 * float(np.log(values).sum())


def _grid(model: Latent, top: Mode, root: Floats, tell: Progress) -> list[Node]:
    """Walk over the grid from the mode outwards, as far as the density counts."""
    size = len(top.theta)
    found = {(0,) * size: Node.of(model, top)}
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
            mode = _from(model, top.theta + _GRID * root @ np.array(there), found[here])
            if mode is not None and mode.log_density > top.log_density - _DROP:
                found[there] = Node.of(model, mode)
                edge.append(there)
    return [found[key] for key in sorted(found)]


def _from(model: Latent, theta: Floats, near: Node) -> Mode | None:
    try:
        return evaluate(model, theta, (near.core, near.local))
    except (NoMode, np.linalg.LinAlgError):
        return None


def _design(model: Latent, top: Mode, root: Floats, tell: Progress) -> tuple[list[Node], Floats, float]:
    """Evaluate the central composite design; give nodes, the volume of each, the log of the widening."""
    size, around = len(top.theta), _Around(model, top)
    widths = _widths(around, root, tell)
    points, usual = _composite(size), widths.mean(axis=1)
    scaled = points * np.where(points > 0, widths[:, 1], widths[:, 0])
    sides = np.where(points > 0, widths[:, 1], np.where(points < 0, widths[:, 0], usual))
    share = np.exp(size * _SPHERE**2 / 2.0) / (len(points) * (_SPHERE**2 - 1.0))
    nodes, volumes = [Node.of(model, top)], [float(usual.prod())]
    for i, (point, volume) in enumerate(zip(scaled, sides.prod(axis=1), strict=True)):
        tell(i, len(points), "design")
        mode = around(top.theta + root @ point)
        if mode is not None:
            nodes.append(Node.of(model, mode))
            volumes.append(float(share * volume))
    return nodes, np.array(volumes), float(np.log(usual).sum())


def _widths(around: _Around, root: Floats, tell: Progress) -> Floats:
    """Measure how far the density reaches to both sides of each axis, (axes, 2), 1 where it is Gaussian."""
    reach, top = np.sqrt(2.0), around.top
    widths = np.ones((len(top.theta), 2))
    for i, side in product(range(len(widths)), (0, 1)):
        tell(2 * i + side, 2 * len(widths), "widths")
        mode = around(top.theta + (2 * side - 1) * reach * root[:, i])
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
