"""Gaussian fields of the risk model, their hyperparameters and priors.

Hyperparameters live on the whole line: the log of a standard deviation, the logit of a share. Densities
are those of the transformed number, constants included, so that marginal likelihoods can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import betaln, expit

from data.workspace.types import Floats
from risk.laplace.graph import Structure

# Variance of what an intrinsic field says nothing of, its level; in effect the constraint to a sum of zero.
_LEVEL = 1e-6


class Prior(Protocol):
    """A prior of one hyperparameter."""

    def natural(self, theta: float) -> tuple[float, float]:
        """Give the parameter itself and its derivative in theta."""
        ...

    def log_density(self, theta: float) -> tuple[float, float]:
        """Give the log density of theta and its derivative."""
        ...


class _Scale:
    """A standard deviation by its log."""

    def natural(self, theta: float) -> tuple[float, float]:
        """Give the standard deviation and its derivative in theta."""
        sd = float(np.exp(theta))
        return sd, sd


@dataclass(frozen=True)
class HalfNormal(_Scale):
    """A standard deviation, half-normal."""

    scale: float = 1.0

    def log_density(self, theta: float) -> tuple[float, float]:
        """Give the log density of theta and its derivative."""
        square = (np.exp(theta) / self.scale) ** 2
        constant = 0.5 * np.log(2.0 / np.pi) - np.log(self.scale)
        return float(theta - 0.5 * square + constant), float(1.0 - square)


@dataclass(frozen=True)
class Beta:
    """A share from 0 to 1, beta, by its logit."""

    first: float = 0.5
    second: float = 0.5

    def natural(self, theta: float) -> tuple[float, float]:
        """Give the share and its derivative in theta."""
        share = float(expit(theta))
        return share, share * float(expit(-theta))

    def log_density(self, theta: float) -> tuple[float, float]:
        """Give the log density of theta and its derivative."""
        share = float(expit(theta))
        density = -self.first * np.logaddexp(0.0, -theta) - self.second * np.logaddexp(0.0, theta)
        slope = self.first * (1.0 - share) - self.second * share
        return float(density - betaln(self.first, self.second)), float(slope)


@dataclass(frozen=True)
class Hyper:
    """A hyperparameter: a number that is fixed, or one with a prior and a theta to start from."""

    name: str
    prior: Prior | None = None
    start: float = 0.0
    fixed: float = 0.0

    def natural(self, theta: float) -> tuple[float, float]:
        """Give the parameter and its derivative in theta."""
        return (self.fixed, 0.0) if self.prior is None else self.prior.natural(theta)


@dataclass(frozen=True, eq=False)
class Precision:
    """A precision matrix, the log of its determinant, and the slopes of both in each free theta.

    Shapes: matrix (n, n), slopes (free, n, n), log_det_slopes (free,).
    """

    matrix: Floats
    log_det: float
    slopes: Floats
    log_det_slopes: Floats


@dataclass(frozen=True, eq=False)
class Field:
    """Copies of a field over one graph that agree in part.

    The covariance is sd^2 [(1 - common) I + common 11'] (x) [structured S + (1 - structured) I], the first
    factor over the copies, the second over the areas: BYM2 (Riebler et al. 2016, equation 7) where S is
    scaled, an intrinsic field where `structured` is 1. A share `common` of the variance belongs to all
    copies alike, the rest to each alone.
    """

    structure: Structure
    copies: int
    sd: Hyper
    structured: Hyper
    common: Hyper

    @property
    def size(self) -> int:
        """Length of the field, copy by copy."""
        return self.copies * self.structure.size

    @property
    def free(self) -> tuple[Hyper, ...]:
        """The hyperparameters that are not fixed."""
        return tuple(h for h in (self.sd, self.structured, self.common) if h.prior is not None)

    def precision(self, theta: Sequence[float]) -> Precision:
        """Evaluate at the free hyperparameters, in their order."""
        given = iter(theta)
        own = [h.natural(next(given) if h.prior is not None else 0.0) for h in self._all]
        (sd, sd_slope), (mixed, mixed_slope), (common, common_slope) = own
        spectrum = np.maximum(mixed * self.structure.variances + 1.0 - mixed, _LEVEL)
        inverse = 1.0 / (sd**2 * spectrum)
        over, across = self._across(common), self._over_areas(inverse, spectrum)
        matrix: Floats = np.kron(over, across).astype(np.float64)
        toward = (self.structure.variances - 1.0) / spectrum  # d log spectrum / d mixed
        slopes: list[tuple[Floats, float]] = []
        if self.sd.prior is not None:
            slopes.append((-2.0 * sd_slope / sd * matrix, -2.0 * self.size * sd_slope / sd))
        if self.structured.prior is not None:
            turned: Floats = self.structure.product(-mixed_slope * toward * inverse)
            slopes.append(
                (np.kron(over, turned).astype(np.float64), -self.copies * mixed_slope * float(toward.sum()))
            )
        if self.common.prior is not None:
            inner = over @ self._apart @ over
            change = -self.structure.size * common_slope * float((over * self._apart).sum())
            slopes.append((np.kron(-common_slope * inner, across).astype(np.float64), change))
        log_det = self.copies * float(np.log(inverse).sum()) + self.structure.size * self._log_det(common)
        return Precision(
            matrix,
            log_det,
            np.array([slope for slope, _ in slopes], dtype=float).reshape(-1, self.size, self.size),
            np.array([slope for _, slope in slopes], dtype=float),
        )

    @property
    def _all(self) -> tuple[Hyper, Hyper, Hyper]:
        return self.sd, self.structured, self.common

    @property
    def _apart(self) -> Floats:
        """The derivative of the factor over copies in `common`."""
        return np.ones((self.copies, self.copies)) - np.eye(self.copies)

    def _over_areas(self, inverse: Floats, spectrum: Floats) -> Floats:
        """Give the precision over areas; see `_LEVEL`.

        Levels are added last and without eigenvectors: so large, they cost all others their digits.
        """
        level = spectrum <= _LEVEL
        if not level.any():
            return self.structure.product(inverse)
        labels, sizes = self.structure.labels, np.bincount(self.structure.labels)
        shared = (labels[:, None] == labels) & (sizes[labels] > 1)
        share = inverse[level].max() / sizes[labels]
        return self.structure.product(np.where(level, 0.0, inverse)) + np.where(shared, share, 0.0)

    def _across(self, common: float) -> Floats:
        """Invert the factor over copies."""
        together = common / (1.0 + (self.copies - 1) * common)
        inverse: Floats = (np.eye(self.copies) - together) / (1.0 - common)
        return inverse

    def _log_det(self, common: float) -> float:
        """Give the log determinant of the inverse over copies."""
        alone = (self.copies - 1) * np.log1p(-common)
        return -float(alone + np.log1p((self.copies - 1) * common))
