"""The likelihood of published counts, exact, noisy or hidden, given the mean of the true count.

    P(published | mean) = sum over n of P(published | n) P(n | mean)

with the channel's P(published | n) and a Poisson or negative binomial P(n | mean): docs/risk-model.md eq.
(5) and (6). With size r = 1 / kappa^2 and mean mu the variance is mu (1 + mu kappa^2); kappa = 0 is
Poisson. All derivatives follow from the moments of the true count given the published number, because
log P(n | mean) is, up to terms in n alone and in the mean alone, linear in n (Louis 1982): eq. (7) to (9).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from scipy.special import gammaln

from data.disclosure.channel import Channel
from data.errors import InputError
from data.workspace.types import Floats, Ints

MISSING, HIDDEN = -1, -2
_POISSON = 1e-6  # below this kappa counts as 0: gammaln would lose all digits
_AT_ONCE = 40_000  # numbers worked on at once, so that they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Slopes:
    """log P(published | mean) of each cell and its slopes with respect to the log mean; all of shape (cells,).

    gradient, curvature : first and minus second derivative; curvature may be negative. Eq. (7) and (8).
    third : derivative of the curvature, eq. (9).
    information : expected information if the true count were known, eq. (8); always positive.
    expected, variance, skew : mean, and second and third central moment, of the true count given the published number.
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
    """Published cells, with the possible true counts n of each and log P(published | n).

    Cells with the same published value have the same kind.

    kind : kind of each cell, (cells,). least : smallest true count of each kind, (kinds,).
    log_chances : log P(published | n) for n from the smallest, (most, kinds); -inf where impossible.
    """

    kind: Ints
    least: Ints
    log_chances: Floats

    @classmethod
    def from_published(cls, published: Ints, channel: Channel | None) -> Counts:
        """Build the cells from published numbers or HIDDEN, (cells,); without a channel the counts are exact.

        Raises InputError for a value that the channel never publishes, and for HIDDEN without a channel.
        """
        values, kind = np.unique(published, return_inverse=True)
        if channel is None:
            if (published < 0).any():
                raise InputError("A hidden count needs the channel that hid it.")
            return cls(kind, values, np.zeros((1, len(values))))
        tables = [_list_true_counts(int(value), channel) for value in values]
        most = max((len(chance) for _, chance in tables), default=1)
        log_chances = np.full((most, len(tables)), -np.inf)
        for i, (_, chance) in enumerate(tables):
            log_chances[: len(chance), i] = chance
        return cls(kind, np.array([least for least, _ in tables], np.int64), log_chances)

    @property
    def likeliest(self) -> Ints:
        """The true count most likely to be published as the value of each cell, (cells,)."""
        counts: Ints = (self.least + self.log_chances.argmax(axis=0))[self.kind]
        return counts

    def slopes(self, log_mean: Floats, kappa: float) -> Slopes:
        """Return eq. (6) to (9) at the log mean of each cell, (cells,), and the overdispersion `kappa`."""
        mean = np.exp(log_mean)
        share = 1.0 / (1.0 + mean * kappa**2) if kappa > _POISSON else np.ones_like(mean)
        log, expected, variance, skew = self._moments(log_mean + np.log(share), kappa)
        zero_count = np.log1p(mean * kappa**2) / kappa**2 if kappa > _POISSON else mean  # -log P(n = 0)
        rest = 1.0 - share
        information = share * rest * expected + share**2 * mean
        return Slopes(
            log=log - zero_count,
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
        """Return the log of the sum over true counts n of their weights times exp(n rate), and three moments of n.

        The shape is (4, cells). rate : (cells,).
        """
        base, most = self._base(kappa), len(self.log_chances)
        steps = np.arange(most) - (most - 1) // 2.0  # around a middle, so that powers stay small
        powers, out = steps ** np.arange(4)[:, None], np.empty((4, len(rate)))
        size = max(_AT_ONCE // most, 1)
        for start in range(0, len(rate), size):
            part = slice(start, start + size)
            joint = base.take(self.kind[part], axis=1)
            joint += steps[:, None] * rate[part]
            # Row by row, four times as fast as `max` over an axis; copied, since `joint` changes in place.
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

    @lru_cache(maxsize=4)  # noqa: B019 (each step of a search for a mode asks for the same again)
    def _base(self, kappa: float) -> Floats:
        """Return the part of log P(published | n) P(n | mean) without the mean, eq. (5), (most, kinds)."""
        n = np.arange(self.least.max(initial=0) + len(self.log_chances))
        table = -gammaln(n + 1.0)
        if kappa > _POISSON:
            # log of r (r + 1) ... (r + n - 1) / r^n, stable for a small kappa.
            table[1:] += np.cumsum(np.log1p(n[:-1] * kappa**2))
        base: Floats = table[self.least + np.arange(len(self.log_chances))[:, None]] + self.log_chances
        return base


def _list_true_counts(value: int, channel: Channel) -> tuple[int, Floats]:
    """Return the smallest true count n that can be published as `value`, and log P(value | n) from that n on.

    All counts from `steady` on have the same noise. So a value beyond the matrix has the chances of the last column
    whose true counts all lie in the matrix. Raises InputError for a value that the channel never publishes.
    """
    last = channel.n_max - channel.largest
    beyond = max(value - last, 0) if 0 < channel.steady <= last - channel.largest else 0
    chance = channel.hidden() if value == HIDDEN else channel.shown(value - beyond)
    true = np.flatnonzero(chance > 0)
    if not len(true):
        raise InputError(f"{value} is published, which is impossible by the channel of its release.")
    with np.errstate(divide="ignore"):
        return int(true[0]) + beyond, np.log(chance[true[0] : true[-1] + 1])
