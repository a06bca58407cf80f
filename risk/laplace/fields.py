"""Gaussian fields of the risk model, their hyperparameters and priors.

Hyperparameters are transformed to all real numbers: the log of a standard deviation, the logit of a share. Densities
are those of the transformed number, constants included, so that marginal likelihoods can be compared:
docs/risk-model.md eq. (18) and (19). The fields are eq. (15) to (17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import betaln, expit, logit

from data.workspace.types import Floats
from risk.laplace.graph import Structure

# Variance of the level of an intrinsic field, which its precision does not determine: so small that the field sums to
# zero.
_LEVEL = 1e-6


class Prior(Protocol):
    """A prior of one hyperparameter."""

    def natural(self, theta: float) -> tuple[float, float]:
        """Return the parameter itself and its derivative with respect to theta."""
        ...

    def log_density(self, theta: float) -> tuple[float, float]:
        """Return the log density of theta, and its derivative with respect to theta."""
        ...

    def draw(self, rng: np.random.Generator) -> float:
        """Draw theta from the prior."""
        ...


class _Scale:
    """A standard deviation, transformed by the log."""

    def natural(self, theta: float) -> tuple[float, float]:
        """Return the standard deviation and its derivative with respect to theta."""
        sd = float(np.exp(theta))
        return sd, sd


@dataclass(frozen=True)
class HalfNormal(_Scale):
    """A half-normal standard deviation, eq. (18)."""

    scale: float = 1.0

    def log_density(self, theta: float) -> tuple[float, float]:
        """Return the log density of theta, and its derivative with respect to theta."""
        square = (np.exp(theta) / self.scale) ** 2
        constant = 0.5 * np.log(2.0 / np.pi) - np.log(self.scale)
        return float(theta - 0.5 * square + constant), float(1.0 - square)

    def draw(self, rng: np.random.Generator) -> float:
        """Draw theta from the prior."""
        return float(np.log(self.scale * abs(rng.standard_normal())))


@dataclass(frozen=True)
class Beta:
    """A share from 0 to 1 with a beta prior, transformed by the logit, eq. (19)."""

    first: float = 0.5
    second: float = 0.5

    def natural(self, theta: float) -> tuple[float, float]:
        """Return the share and its derivative with respect to theta."""
        share = float(expit(theta))
        return share, share * float(expit(-theta))

    def log_density(self, theta: float) -> tuple[float, float]:
        """Return the log density of theta, and its derivative with respect to theta."""
        share = float(expit(theta))
        density = -self.first * np.logaddexp(0.0, -theta) - self.second * np.logaddexp(0.0, theta)
        slope = self.first * (1.0 - share) - self.second * share
        return float(density - betaln(self.first, self.second)), float(slope)

    def draw(self, rng: np.random.Generator) -> float:
        """Draw theta from the prior."""
        return float(logit(rng.beta(self.first, self.second)))


@dataclass(frozen=True)
class Hyper:
    """A hyperparameter: a prior with a start value of theta, or, without a prior, the number `fixed`."""

    name: str
    prior: Prior | None = None
    start: float = 0.0
    fixed: float = 0.0

    def natural(self, theta: float) -> tuple[float, float]:
        """Return the parameter and its derivative with respect to theta."""
        return (self.fixed, 0.0) if self.prior is None else self.prior.natural(theta)


@dataclass(frozen=True, eq=False)
class Precision:
    """A precision matrix, (n, n), its log determinant, and the derivatives of both with respect to each free theta.

    slopes : (free, n, n). log_det_slopes : (free,).
    """

    matrix: Floats
    log_det: float
    slopes: Floats
    log_det_slopes: Floats


@dataclass(frozen=True, eq=False)
class Field:
    """Copies of a field over the same graph with a common part, eq. (15).

    The covariance is sd^2 [(1 - common) I + common 11'] (x) [structured S + (1 - structured) I], the first
    factor over the copies, the second over the areas. It is BYM2 (Riebler et al. 2016, equation 7) where S is
    scaled, and an intrinsic field where `structured` is 1. A share `common` of the variance is the same in
    all copies; the rest is independent between copies.
    """

    structure: Structure
    copies: int
    sd: Hyper
    structured: Hyper
    common: Hyper

    @property
    def size(self) -> int:
        """Number of values of the field, all copies together."""
        return self.copies * self.structure.size

    @property
    def free(self) -> tuple[Hyper, ...]:
        """The hyperparameters that are not fixed."""
        return tuple(h for h in (self.sd, self.structured, self.common) if h.prior is not None)

    def precision(self, theta: Sequence[float]) -> Precision:
        """Return the precision, eq. (16), at the values `theta` of the free hyperparameters, in the order of `free`."""
        values = iter(theta)
        hypers = [h.natural(next(values) if h.prior is not None else 0.0) for h in self._hypers]
        (sd, sd_slope), (structured, structured_slope), (common, common_slope) = hypers
        spectrum = np.maximum(structured * self.structure.variances + 1.0 - structured, _LEVEL)
        inverse = 1.0 / (sd**2 * spectrum)
        over_copies, over_areas = (self._precision_over_copies(common), self._precision_over_areas(inverse, spectrum))
        matrix: Floats = np.kron(over_copies, over_areas).astype(np.float64)
        spectrum_slope = (self.structure.variances - 1.0) / spectrum  # d log spectrum / d structured
        slopes: list[tuple[Floats, float]] = []
        if self.sd.prior is not None:
            slopes.append((-2.0 * sd_slope / sd * matrix, -2.0 * self.size * sd_slope / sd))
        if self.structured.prior is not None:
            matrix_slope: Floats = self.structure.product(-structured_slope * spectrum_slope * inverse)
            slopes.append(
                (
                    np.kron(over_copies, matrix_slope).astype(np.float64),
                    -self.copies * structured_slope * float(spectrum_slope.sum()),
                )
            )
        if self.common.prior is not None:
            product = over_copies @ self._common_slope @ over_copies
            change = -self.structure.size * common_slope * float((over_copies * self._common_slope).sum())
            slopes.append((np.kron(-common_slope * product, over_areas).astype(np.float64), change))
        log_det = self.copies * float(np.log(inverse).sum()) + self.structure.size * self._log_det_over_copies(common)
        return Precision(
            matrix,
            log_det,
            np.array([slope for slope, _ in slopes], dtype=float).reshape(-1, self.size, self.size),
            np.array([slope for _, slope in slopes], dtype=float),
        )

    @property
    def _hypers(self) -> tuple[Hyper, Hyper, Hyper]:
        return self.sd, self.structured, self.common

    @property
    def _common_slope(self) -> Floats:
        """The derivative of the covariance over copies with respect to `common`, (copies, copies)."""
        return np.ones((self.copies, self.copies)) - np.eye(self.copies)

    def _precision_over_areas(self, inverse: Floats, spectrum: Floats) -> Floats:
        """Return the precision over areas, (areas, areas); `inverse` and `spectrum` are (areas,).

        Where the variance is at its lower limit, `_LEVEL`, the precision is so large that smaller numbers added to it
        would lose their digits. These parts are added last, and without eigenvectors.
        """
        level = spectrum <= _LEVEL
        if not level.any():
            return self.structure.product(inverse)
        labels, sizes = self.structure.labels, np.bincount(self.structure.labels)
        shared = (labels[:, None] == labels) & (sizes[labels] > 1)
        share = inverse[level].max() / sizes[labels]
        return self.structure.product(np.where(level, 0.0, inverse)) + np.where(shared, share, 0.0)

    def _precision_over_copies(self, common: float) -> Floats:
        """Return the precision over copies, (copies, copies)."""
        together = common / (1.0 + (self.copies - 1) * common)
        inverse: Floats = (np.eye(self.copies) - together) / (1.0 - common)
        return inverse

    def _log_det_over_copies(self, common: float) -> float:
        """Return the log determinant of the precision over copies."""
        alone = (self.copies - 1) * np.log1p(-common)
        return -float(alone + np.log1p((self.copies - 1) * common))
