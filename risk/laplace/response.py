"""The likelihood of all published numbers (cells, and totals of blocks), and its slopes in the log means.

A total of a block, published with noise of its own, is far more exact than the sum of its noisy cells. Given the cells
and their means the true counts are independent with known moments, so that docs/risk-model.md eq. (10)

    P(total | cells, means) = Normal(total; sum of E, sum of V + variance of the total's noise)

holds if the sum of the true counts is close to normal. E and V are the mean and the variance of each true count given
its published cell. The curvature of a total is its expected one, of rank one in a block: eq. (11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.laplace.likelihood import Slopes


@dataclass(frozen=True, eq=False)
class Totals:
    """Published totals of blocks, NaN where there is none, and the variance of their noise; both (B,)."""

    value: Floats
    noise: Floats


@dataclass(frozen=True, eq=False)
class Response:
    """The log likelihood and its slopes with respect to the log means, all (B, m) except `log`.

    The negative second derivative is diag(curvature) + pull pull' in each block. `third` is the derivative of
    `curvature`; the derivative of `pull` is diag(pull_slope) - pull pull_change' / 2. `information` is the expected
    curvature of the cells if the true counts were known, which is always positive.
    """

    log: float
    gradient: Floats
    curvature: Floats
    third: Floats
    information: Floats
    pull: Floats
    pull_slope: Floats
    pull_change: Floats

    def log_det_gradient(self, spread: Floats, variance: Floats) -> Floats:
        """Return the gradient of log |H| with respect to the log means, a part of eq. (26), (B, m).

        spread : posterior covariance times pull, (B, m). variance : diagonal of that covariance, (B, m).
        """
        joint = (self.pull * spread).sum(axis=1, keepdims=True)
        gradient: Floats = variance * self.third + 2.0 * spread * self.pull_slope - joint * self.pull_change
        return gradient


def compute_total_response(totals: Totals, moments: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """Return log density, (B,), gradient, pull, pull_slope and pull_change of totals, eq. (10) and (11).

    moments : those of `compute_moments`, each placed in blocks, (B, m). The last four results have that shape, too; see
    `Response`. All results are 0 for blocks without a total, or whose cells and total are exact.
    """
    expected, variance, expected_slope, expected_bend, variance_slope = moments
    spread = variance.sum(axis=1) + totals.noise
    # With exact cells the total adds no information.
    known = ~np.isnan(totals.value) & (spread > 0)
    safe = np.where(known, spread, 1.0)
    off = np.where(known, np.nan_to_num(totals.value) - expected.sum(axis=1), 0.0)
    log = np.where(known, -0.5 * (np.log(2.0 * np.pi * safe) + off**2 / safe), 0.0)
    by_mean, by_spread = off / safe, np.where(known, 0.5 * ((off / safe) ** 2 - 1.0 / safe), 0.0)
    root = np.where(known, 1.0 / np.sqrt(safe), 0.0)[:, None]
    gradient = by_mean[:, None] * expected_slope + by_spread[:, None] * variance_slope
    return log, gradient, expected_slope * root, expected_bend * root, variance_slope * root**2


def compute_moments(slopes: Slopes) -> tuple[Floats, ...]:
    """Return E, V, dE, d2E and dV (derivatives with respect to the log mean) of each observed cell, (cells,) each."""
    share, rest = slopes.share, 1.0 - slopes.share
    variance_slope = share * slopes.skew
    return (
        slopes.expected,
        slopes.variance,
        share * slopes.variance,
        share * (variance_slope - rest * slopes.variance),
        variance_slope,
    )
