"""Integration over the hyperparameters: their mode is found, then points around it are weighted.

With up to two hyperparameters the points are a full grid, docs/risk-model.md eq. (30); with more they are a central
composite design (Rue, Martino and Chopin 2009, section 6.5), eq. (31), with a separate width on each side of each axis
(Martins et al. 2013), eq. (32). Coordinates are those of the symmetric root of the covariance at the mode, eq. (29),
which is unique where eigenvectors are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import minimize

from data.workspace.types import Floats, Progress
from risk.laplace.factor import Factor
from risk.laplace.latent import Latent
from risk.laplace.mode import Mode, NoMode, compute_gradient, compute_tangent, correct_mean, find_best_mode, find_mode

_STEP = 0.02  # of the differences that give the curvature
_GRID = 0.6  # distance of neighbouring points of the grid
_DROP = 6.0  # of the log density below the mode, from which on the grid ends
_MOST = 400  # points of the grid
_LEAST_CURVED = 0.05  # smallest curvature of a direction, which bounds its width
_SPHERE = 1.1  # radius of the design over the square root of the dimension
_LIGHT = 1e-4  # weight, over that of the heaviest node, below which a node is left out


@dataclass(frozen=True, eq=False)
class Node:
    """The Gaussian posterior of the latent numbers at one value of the hyperparameters.

    core, local : corrected means, (n,) and (B, T).
    log_density : Laplace's log p(theta, published), eq. (22). weight : weight in the mixture.
    curvature, pull : slopes of the likelihood at the mode, (B, m). The factor is computed from them again when it is
        needed, since the factors of all nodes would fill the memory.
    """

    theta: Floats
    core: Floats
    local: Floats
    log_density: float
    curvature: Floats
    pull: Floats
    weight: float = 1.0

    @classmethod
    def from_mode(cls, model: Latent, mode: Mode) -> Node:
        """Return the node of a mode, with the corrected mean."""
        means, response = correct_mean(model, mode), mode.response
        return cls(mode.theta, *means, mode.log_density, response.curvature, response.pull)

    def factor(self, model: Latent) -> Factor:
        """Factorise the posterior precision at this node."""
        return model.factorise(model.evaluate_prior(self.theta), self.curvature, self.pull)


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior as a mixture over hyperparameters, with Laplace's log marginal likelihood."""

    model: Latent
    nodes: tuple[Node, ...]
    log_marginal: float

    @property
    def weights(self) -> Floats:
        """Weights of the nodes, with sum 1, (nodes,)."""
        return np.array([node.weight for node in self.nodes])

    def moments(self) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the core, eq. (33), (n,) each."""
        means = np.array([node.core for node in self.nodes])
        squares = np.array([np.diag(node.factor(self.model).covariance) for node in self.nodes]) + means**2
        mean = self.weights @ means
        return mean, np.sqrt(self.weights @ squares - mean**2)

    def hyper(self) -> dict[str, tuple[float, float]]:
        """Return mean and standard deviation of each free hyperparameter, by name."""
        out = {}
        for i, hyper in enumerate(self.model.hypers):
            values = np.array([hyper.natural(node.theta[i])[0] for node in self.nodes])
            mean = float(self.weights @ values)
            out[hyper.name] = (mean, float(np.sqrt(self.weights @ (values - mean) ** 2)))
        return out


def integrate(model: Latent, progress: Progress | None = None) -> Posterior:
    """Fit a latent model; the same model gives the same result.

    Raises NoMode if the posterior has no proper mode.
    """
    progress = progress or _report_nothing
    top = _maximise(model, progress)
    size = len(model.hypers)
    if not size:
        return Posterior(model, (Node.from_mode(model, top),), top.log_density)
    root, log_volume = _compute_root(model, top, progress)
    if size <= 2:
        nodes = _evaluate_grid(model, top, root, progress)
        volumes, log_marginal = np.ones(len(nodes)), top.log_density + log_volume + size * np.log(_GRID)
        log_marginal += np.log(sum(np.exp(node.log_density - top.log_density) for node in nodes))
    else:
        nodes, volumes, spread = _evaluate_design(model, top, root, progress)
        log_marginal = top.log_density + 0.5 * size * np.log(2.0 * np.pi) + log_volume + spread
    weights = volumes * np.exp([node.log_density - top.log_density for node in nodes])
    heavy = np.flatnonzero(weights > _LIGHT * weights.max())
    total = weights[heavy].sum()
    mixture = tuple(replace(nodes[i], weight=float(weights[i] / total)) for i in heavy)
    return Posterior(model, mixture, float(log_marginal))


def _report_nothing(_step: int, _total: int | None, _what: str) -> None:
    """Do nothing; this is the default progress callback."""


def _maximise(model: Latent, progress: Progress) -> Mode:
    """Return the mode at the hyperparameters with the highest log density, found by BFGS.

    At these hyperparameters the mode of the latent numbers is searched from two starts, and the higher one is returned.
    Raises NoMode if it does not exist.
    """
    start = np.array([h.start for h in model.hypers])
    last = [find_best_mode(model, start)]
    if not len(start):
        return last[0]

    def loss(theta: Floats) -> tuple[float, Floats]:
        progress(0, None, "mode")
        mode = _ModesAround(model, last[0])(theta)
        if mode is None:
            return 1e10, np.zeros_like(theta)
        last[0] = mode
        return -last[0].log_density, -compute_gradient(model, last[0])

    optimum = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 0.02, "maxiter": 100})
    return find_best_mode(model, optimum.x, (last[0].core, last[0].local))


class _ModesAround:
    """A search for modes near a known mode; each starts where the tangent at that mode predicts it."""

    def __init__(self, model: Latent, top: Mode) -> None:
        self.model, self.top = model, top
        self._slopes = compute_tangent(model, top)

    def __call__(self, theta: Floats) -> Mode | None:
        """Return the mode at the hyperparameters `theta`, eq. (27); None if it is not found."""
        away, top = theta - self.top.theta, self.top
        moved = [np.tensordot(away, slope, 1) for slope in self._slopes]
        try:
            return find_mode(self.model, theta, (top.core + moved[0], top.local + moved[1]))
        except (NoMode, np.linalg.LinAlgError):
            return None


def _compute_root(model: Latent, top: Mode, progress: Progress) -> tuple[Floats, float]:
    """Return the symmetric root of the inverse curvature at the mode, eq. (29), (free, free), and its log determinant.

    A small curvature, in a direction on which the data have no information, is replaced by a minimum.
    """
    size, around = len(top.theta), _ModesAround(model, top)
    curvature, here = np.zeros((size, size)), compute_gradient(model, top)
    for i in range(size):
        progress(i, size, "curvature")
        moved = _STEP * np.eye(size)[i]
        sides = [around(top.theta + side * moved) for side in (1.0, -1.0)]
        high, low = (here if mode is None else compute_gradient(model, mode) for mode in sides)
        curvature[i] = (low - high) / (_STEP * max(sum(mode is not None for mode in sides), 1))
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    # Where the data have no information on a direction, its curvature may be close to 0: a minimum bounds the width.
    values = np.maximum(values, _LEAST_CURVED)
    return (vectors / np.sqrt(values)) @ vectors.T, -0.5 * float(np.log(values).sum())


def _evaluate_grid(model: Latent, top: Mode, root: Floats, progress: Progress) -> list[Node]:
    """Return the nodes of a grid, from the mode outwards while the density is not negligible, eq. (30).

    No further points are tried once there are 400 nodes.
    """
    size = len(top.theta)
    nodes = {(0,) * size: Node.from_mode(model, top)}
    visited, edge = set(nodes), list(nodes)
    steps = [tuple(side * int(i == j) for j in range(size)) for i in range(size) for side in (1, -1)]
    while edge and len(nodes) < _MOST:
        here = edge.pop(0)
        for step in steps:
            there = tuple(a + b for a, b in zip(here, step, strict=True))
            if there in visited:
                continue
            visited.add(there)
            progress(len(nodes), None, "grid")
            mode = _find_mode_near(model, top.theta + _GRID * root @ np.array(there), nodes[here])
            if mode is not None and mode.log_density > top.log_density - _DROP:
                nodes[there] = Node.from_mode(model, mode)
                edge.append(there)
    return [nodes[key] for key in sorted(nodes)]


def _find_mode_near(model: Latent, theta: Floats, near: Node) -> Mode | None:
    try:
        return find_mode(model, theta, (near.core, near.local))
    except (NoMode, np.linalg.LinAlgError):
        return None


def _evaluate_design(model: Latent, top: Mode, root: Floats, progress: Progress) -> tuple[list[Node], Floats, float]:
    """Return the nodes of the central composite design, eq. (31), their volumes, and the log of the product of widths.

    Points without a mode are left out.
    """
    size, around = len(top.theta), _ModesAround(model, top)
    widths = _measure_widths(around, root, progress)
    points, usual = _composite_points(size), widths.mean(axis=1)
    scaled = points * np.where(points > 0, widths[:, 1], widths[:, 0])
    sides = np.where(points > 0, widths[:, 1], np.where(points < 0, widths[:, 0], usual))
    share = np.exp(size * _SPHERE**2 / 2.0) / (len(points) * (_SPHERE**2 - 1.0))
    nodes, volumes = [Node.from_mode(model, top)], [float(usual.prod())]
    for i, (point, volume) in enumerate(zip(scaled, sides.prod(axis=1), strict=True)):
        progress(i, len(points), "design")
        mode = around(top.theta + root @ point)
        if mode is not None:
            nodes.append(Node.from_mode(model, mode))
            volumes.append(float(share * volume))
    return nodes, np.array(volumes), float(np.log(usual).sum())


def _measure_widths(around: _ModesAround, root: Floats, progress: Progress) -> Floats:
    """Return the width of the density on the lower and upper side of each axis, eq. (32), (axes, 2); 1 if Gaussian."""
    reach, top = np.sqrt(2.0), around.top
    widths = np.ones((len(top.theta), 2))
    for i, side in product(range(len(widths)), (0, 1)):
        progress(2 * i + side, 2 * len(widths), "widths")
        mode = around(top.theta + (2 * side - 1) * reach * root[:, i])
        drop = 4.0 if mode is None else top.log_density - mode.log_density
        widths[i, side] = 1.0 / np.sqrt(np.clip(drop, 0.2, 4.0))
    return widths


def _composite_points(size: int) -> Floats:
    """Return axial and corner points on one sphere, (points, size); half of the corners if size > 4."""
    corners = np.array(list(product((-1.0, 1.0), repeat=size if size < 5 else size - 1)))
    if size >= 5:
        corners = np.column_stack([corners, corners.prod(axis=1)])
    axial = np.sqrt(size) * np.vstack([np.eye(size), -np.eye(size)])
    points: Floats = _SPHERE * np.vstack([axial, corners])
    return points
