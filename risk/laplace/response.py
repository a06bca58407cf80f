"""How the likelihood of all that is published answers to the log means: cells, and totals of blocks.

A total of a block, published with noise of its own, is far more exact than the sum of its noisy cells. Given
the cells and their means the true counts are independent with known moments, so that

    P(total | cells, means) = Normal(total; sum of E, sum of V + variance of the total's noise)

to the accuracy of the normal distribution. E and V are the mean and variance of each true count given its
published cell. The curvature of a total is its expected one, of rank one in a block.
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
    """Value and slopes of the log likelihood in the log means, all (B, m) but `log`.

    Minus the second derivative is curvature on the diagonal plus pull pull' in each block; `third` is the
    derivative of the former, and of the latter d pull = own on the diagonal less pull (all / 2)'.
    """

    log: float
    gradient: Floats
    curvature: Floats
    third: Floats
    information: Floats
    pull: Floats
    own: Floats
    all: Floats

    def turned(self, spread: Floats, variance: Floats) -> Floats:
        """Give the gradient of log |H| in the log means, (B, m).

        spread : posterior covariance times pull, (B, m); variance: its diagonal, (B, m).
        """
        joint = (self.pull * spread).sum(axis=1, keepdims=True)
        turned: Floats = variance * self.third + 2.0 * spread * self.own - joint * self.all
        return turned


def total_response(totals: Totals, moments: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """Give a total's log density (B,), its gradient, and pull, own and all as in `Response`.

    moments : as of `moments_of`, each laid out over blocks, (B, m).
    """
    expected, variance, rise, bend, widening = moments
    spread = variance.sum(axis=1) + totals.noise
    # With exact cells the total says nothing new.
    known = ~np.isnan(totals.value) & (spread > 0)
    safe = np.where(known, spread, 1.0)
    off = np.where(known, np.nan_to_num(totals.value) - expected.sum(axis=1), 0.0)
    log = np.where(known, -0.5 * (np.log(2.0 * np.pi * safe) + off**2 / safe), 0.0)
    by_mean, by_spread = off / safe, np.where(known, 0.5 * ((off / safe) ** 2 - 1.0 / safe), 0.0)
    root = np.where(known, 1.0 / np.sqrt(safe), 0.0)[:, None]
    gradient = by_mean[:, None] * rise + by_spread[:, None] * widening
    return log, gradient, rise * root, bend * root, widening * root**2


def moments_of(slopes: Slopes) -> tuple[Floats, ...]:
    """Give E, V, dE, d2E and dV of each observed cell."""
    share, rest = slopes.share, 1.0 - slopes.share
    widening = share * slopes.skew
    return (
        slopes.expected,
        slopes.variance,
        share * slopes.variance,
        share * (widening - rest * slopes.variance),
        widening,
    )
