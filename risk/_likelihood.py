"""The likelihood of published counts, exact, noisy or hidden, given the mean of the true count.

    P(published | mean) = sum over n of P(published | n) P(n | mean)

with the channel's P(published | n) and a Poisson or negative binomial P(n | mean). With size r = 1 / kappa^2
and mean mu the variance is mu (1 + mu kappa^2); kappa = 0 is Poisson. All derivatives follow from the
moments of the true count given what is published, since log P(n | mean) is linear in n (Louis 1982).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from data.disclosure.mechanism import Channel
from data.errors import InputError

__all__ = ["HIDDEN", "MISSING", "Counts", "Slopes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MISSING, HIDDEN = -1, -2
_POISSON = 1e-6  # a kappa below this is none: gammaln would lose all digits


@dataclass(frozen=True, eq=False)
class Slopes:
    """log P(published | mean) of each cell and what follows from it; all of shape (cells,).

    gradient, curvature : first and minus second derivative in the log mean; `curvature` may be negative.
    third : derivative of `curvature`.
    information : expected information of the complete data, the true count known; always positive.
    expected, variance, skew : first three central moments of the true count given what is published.
    share : size / (size + mean), 1 for Poisson.
    """

    log: Floats
    gradient: Floats
    curvature: Floats
    third: Floats
    information: Floats
    expected: Floats
    variance: Floats
    skew: Floats
    share: Floats


@dataclass(frozen=True, eq=False)
class Counts:
    """Published cells as the true counts that may stand behind each, and how likely each shows so.

    true, log_chance : shape (most, cells), the latter -inf where a cell has fewer.
    """

    true: Ints
    log_chance: Floats

    @classmethod
    def of(cls, published: Ints, channel: Channel | None) -> Counts:
        """Take published numbers or HIDDEN, shape (cells,); without a channel they are exact.

        Raises InputError for a value that the channel never publishes.
        """
        if channel is None:
            if (published < 0).any():
                msg = "A hidden count needs the channel that hid it."
                raise InputError(msg)
            return cls(published[None, :], np.zeros((1, len(published))))
        values, row = np.unique(published, return_inverse=True)
        tables = [_behind(int(value), channel) for value in values]
        most = max((len(true) for true, _ in tables), default=1)
        true, chance = np.zeros((len(tables), most), np.int64), np.full((len(tables), most), -np.inf)
        for i, (counts, log_chance) in enumerate(tables):
            true[i, : len(counts)], chance[i, : len(counts)] = counts, log_chance
        return cls(np.ascontiguousarray(true[row].T), np.ascontiguousarray(chance[row].T))

    def slopes(self, log_mean: Floats, kappa: float) -> Slopes:
        """Evaluate at the log of the mean of each cell, shape (cells,)."""
        mean = np.exp(log_mean)
        share = 1.0 / (1.0 + mean * kappa**2) if kappa > _POISSON else np.ones_like(mean)
        joint = self._base(kappa) + self.true * (log_mean + np.log(share))
        top = joint.max(axis=0)
        weight = np.exp(joint - top)
        total = weight.sum(axis=0)
        weight /= total
        expected = (weight * self.true).sum(axis=0)
        around = self.true - expected
        square = weight * around**2
        variance, skew = square.sum(axis=0), (square * around).sum(axis=0)
        none = np.log1p(mean * kappa**2) / kappa**2 if kappa > _POISSON else mean
        rest = 1.0 - share
        information = share * rest * expected + share**2 * mean
        return Slopes(
            log=top + np.log(total) - none,
            gradient=share * (expected - mean),
            curvature=information - share**2 * variance,
            third=(
                share * rest * (share - rest) * expected
                + share**2 * mean * (1.0 - 2.0 * rest)
                + 3.0 * share**2 * rest * variance
                - share**3 * skew
            ),
            information=information,
            expected=expected,
            variance=variance,
            skew=skew,
            share=share,
        )

    def _base(self, kappa: float) -> Floats:
        """Give the part of log P(published | n) P(n | mean) that knows no mean, shape (most, cells)."""
        n = np.arange(self.true.max(initial=0) + 1)
        table = -gammaln(n + 1.0)
        if kappa > _POISSON:
            # log of r (r + 1) ... (r + n - 1) / r^n, stable for a small kappa.
            table[1:] += np.cumsum(np.log1p(n[:-1] * kappa**2))
        base: Floats = table[self.true] + self.log_chance
        return base


def _behind(value: int, channel: Channel) -> tuple[Ints, Floats]:
    """List the true counts that can show as a value, and the log of their chance to."""
    chance = channel.hidden() if value == HIDDEN else channel.shown(value)
    true = np.flatnonzero(chance > 0).astype(np.int64)
    if not len(true):
        msg = f"{value} is published, which is impossible by the channel of its release."
        raise InputError(msg)
    return true, np.log(chance[true])
