"""How many children of the last quarter are still to come: a nowcast from how late records came before.

The share of a quarter's children whose records have arrived by the same age is Beta distributed over quarters, so
counts that have arrived are beta-binomial: docs/risk-model.md eq. (161) to (163). This is the chain ladder of reporting
delays (Lawless 1994, Canadian Journal of Statistics 22, 15-31) for one age, with a share that varies between quarters
(Höhle and an der Heiden 2014, Biometrics 70, 993-1002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints

FEWEST = 4  # quarters from which a share is learnt
_SHARES = np.linspace(0.005, 0.995, 199)
_CONCENTRATIONS = np.geomspace(2.0, 2000.0, 40)
_MOST = 40.0  # times what has arrived, and as many children more: the largest number of children considered


@dataclass(frozen=True)
class Arrival:
    """The share of a quarter's children that has arrived by an age: Beta(alpha, beta), eq. (162)."""

    alpha: float
    beta: float


def learn_arrival(arrived: Ints, total: Ints) -> Arrival | None:
    """Return the share for a new quarter from earlier ones; None if there are too few with children.

    arrived, total : children who had arrived by the age, and all children, of each earlier quarter, (J,).
    """
    from scipy.special import betaln

    there = total > 0
    if there.sum() < FEWEST:
        return None
    came, missed = np.minimum(arrived, total)[there], np.maximum(total - arrived, 0)[there]
    share, size = np.meshgrid(_SHARES, _CONCENTRATIONS, indexing="ij")
    alpha, beta = (share * size)[..., None], ((1.0 - share) * size)[..., None]
    log_weight = (betaln(alpha + came, beta + missed) - betaln(alpha, beta)).sum(axis=-1)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean = float((weight * share).sum())
    # The variance of a new quarter's share: within the law and of the law, eq. (162).
    spread = float((weight * (share * (1.0 - share) / (size + 1.0) + (share - mean) ** 2)).sum())
    together = mean * (1.0 - mean) / spread - 1.0
    return Arrival(mean * together, (1.0 - mean) * together)


def nowcast(likelihood: Floats, arrival: Arrival, level: float = 0.95) -> tuple[int, int, int]:
    """Return the lower end, the middle and the upper end of the number of a quarter's children, eq. (163).

    likelihood : of each true number of arrived children, from 0, given the published one, (n,); a published number
    without noise has one 1. level : of the interval, 0 to 1.
    """
    from scipy.special import betaln, gammaln

    arrived = np.arange(len(likelihood))
    total = np.arange(int(_MOST * (len(likelihood) + 1)))
    n, size = arrived[:, None], total[None, :]
    missed = np.maximum(size - n, 0)
    choose = gammaln(size + 1.0) - gammaln(n + 1.0) - gammaln(missed + 1.0)
    log_chance = choose + betaln(arrival.alpha + n, arrival.beta + missed) - betaln(arrival.alpha, arrival.beta)
    chance = np.where(size >= n, np.exp(log_chance), 0.0)
    weight = (likelihood[:, None] * chance).sum(axis=0) / (total + 1.0)
    ends = np.searchsorted(np.cumsum(weight) / weight.sum(), [(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0])
    low, middle, high = (int(end) for end in ends)
    return low, middle, high
