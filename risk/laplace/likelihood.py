"""The likelihood of published counts, exact, noisy or hidden, given the mean of the true count.

    P(published | mean) = sum over n of P(published | n) P(n | mean)

with the channel's P(published | n) and a Poisson or negative binomial P(n | mean). With size r = 1 / kappa^2
and mean mu the variance is mu (1 + mu kappa^2); kappa = 0 is Poisson. All derivatives follow from the
moments of the true count given what is published, since log P(n | mean) is linear in n (Louis 1982).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.special import gammaln

from data.disclosure.channel import Channel
from data.errors import InputError
from data.workspace.types import Floats, Ints

MISSING, HIDDEN = -1, -2
_POISSON = 1e-6  # a kappa below this is none: gammaln would lose all digits
_AT_ONCE = 40_000  # numbers worked on at once, that they stay near the processor


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

    Cells that show the same are of one kind. kind : of each cell, (cells,). least : the least true count,
    (kinds,); log_chances : of that and those that follow it, (most, kinds), -inf where one cannot show so.
    """

    kind: Ints
    least: Ints
    log_chances: Floats

    @classmethod
    def of(cls, published: Ints, channel: Channel | None) -> Counts:
        """Take published numbers or HIDDEN, shape (cells,); without a channel they are exact.

        Raises InputError for a value that the channel never publishes.
        """
        values, kind = np.unique(published, return_inverse=True)
        if channel is None:
            if (published < 0).any():
                msg = "A hidden count needs the channel that hid it."
                raise InputError(msg)
            return cls(kind, values, np.zeros((1, len(values))))
        tables = [_behind(int(value), channel) for value in values]
        most = max((len(chance) for _, chance in tables), default=1)
        log_chances = np.full((most, len(tables)), -np.inf)
        for i, (_, chance) in enumerate(tables):
            log_chances[: len(chance), i] = chance
        return cls(kind, np.array([least for least, _ in tables], np.int64), log_chances)

    @property
    def likeliest(self) -> Ints:
        """The true count that most likely shows as each cell does, (cells,)."""
        counts: Ints = (self.least + self.log_chances.argmax(axis=0))[self.kind]
        return counts

    def slopes(self, log_mean: Floats, kappa: float) -> Slopes:
        """Evaluate at the log of the mean of each cell, shape (cells,)."""
        mean = np.exp(log_mean)
        share = 1.0 / (1.0 + mean * kappa**2) if kappa > _POISSON else np.ones_like(mean)
        log, expected, variance, skew = self._moments(log_mean + np.log(share), kappa)
        none = np.log1p(mean * kappa**2) / kappa**2 if kappa > _POISSON else mean
        rest = 1.0 - share
        information = share * rest * expected + share**2 * mean
        return Slopes(
            log=log - none,
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

    def _moments(self, rate: Floats, kappa: float) -> Floats:
        """Sum over the true counts n: the log of the sum of exp(n rate), and three moments, (4, cells)."""
        base, most = self._base(kappa), len(self.log_chances)
        steps = np.arange(most) - (most - 1) // 2.0  # about a middle, that powers stay small
        powers, out = steps ** np.arange(4)[:, None], np.empty((4, len(rate)))
        size = max(_AT_ONCE // most, 1)
        for start in range(0, len(rate), size):
            part = slice(start, start + size)
            joint = base.take(self.kind[part], axis=1)
            joint += steps[:, None] * rate[part]
            # Row by row, which is four times as fast as `max` over an axis; a copy, where there is but one.
            top = reduce(np.maximum, joint[1:], joint[0].copy())
            joint -= top
            out[:, part] = powers @ np.exp(joint, out=joint)
            out[1:, part] /= out[0, part]
            out[0, part] = top + np.log(out[0, part])
        log, mean, square, cube = out
        middle = self.least[self.kind] - steps[0]
        out[3] = cube - mean * (3.0 * square - 2.0 * mean**2)
        out[2] = np.maximum(square - mean**2, 0.0)
        out[1] += middle
        out[0] = log + middle * rate
        return out

    def _base(self, kappa: float) -> Floats:
        """Give the part of log P(published | n) P(n | mean) that knows no mean, shape (most, kinds)."""
        n = np.arange(self.least.max(initial=0) + len(self.log_chances))
        table = -gammaln(n + 1.0)
        if kappa > _POISSON:
            # log of r (r + 1) ... (r + n - 1) / r^n, stable for a small kappa.
            table[1:] += np.cumsum(np.log1p(n[:-1] * kappa**2))
        base: Floats = table[self.least + np.arange(len(self.log_chances))[:, None]] + self.log_chances
        return base


def _behind(value: int, channel: Channel) -> tuple[int, Floats]:
    """Give the least true count that can show as a value, and the log of its chance and of those after."""
    chance = channel.hidden() if value == HIDDEN else channel.shown(value)
    true = np.flatnonzero(chance > 0)
    if not len(true):
        msg = f"{value} is published, which is impossible by the channel of its release."
        raise InputError(msg)
    with np.errstate(divide="ignore"):
        return int(true[0]), np.log(chance[true[0] : true[-1] + 1])
