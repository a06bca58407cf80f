"""What a plan maximises, exactly: children whose need is met, as the sliders weigh them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from risk._plan_benefit import least_served, met, worst_mean
from risk._plan_terms import Aims, Posts

__all__ = ["Goal"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Goal:
    """What is maximised, exactly: children whose need is met, as the sliders weigh them, less dear moves.

    need : draws for choosing, (d, A, K).
    """

    posts: Posts
    aims: Aims
    need: Floats

    @cached_property
    def share(self) -> Floats:
        """Each area's part of the need, (A,)."""
        mean = self.need.sum(axis=2).mean(axis=0)
        return np.asarray(mean / max(mean.sum(), 1e-12))

    @cached_property
    def total(self) -> float:
        """The mean need of all areas and kinds."""
        return float(self.need.sum(axis=(1, 2)).mean())

    @cached_property
    def price(self) -> float:
        """Children that one unit of cost must bring."""
        costs = self.posts.cost[np.isfinite(self.posts.cost) & (self.posts.cost > 0)]
        if not self.aims.cost or not len(costs):
            return 0.0
        today = met(self.need, self.posts.capacity(self.posts.units)).sum(axis=(1, 2)).mean()
        return float(self.aims.cost * today / max(self.posts.units.sum(), 1) / costs.mean())

    def value(self, units: Ints, spent: float) -> float:
        """Give the value of a layout, (S, K), for which `spent` was paid."""
        return self.worth(met(self.need, self.posts.capacity(units)), spent)

    def worth(self, served: Floats, spent: float) -> float:
        """Give the value of children served, (d, A, K), for which `spent` was paid."""
        by_draw = served.sum(axis=(1, 2))
        bad = self.aims.robustness
        many = (1.0 - bad) * by_draw.mean() + bad * float(worst_mean(by_draw) @ by_draw)
        mean = served.sum(axis=2).mean(axis=0)
        share = np.divide(mean, self.share * self.total, out=np.ones_like(mean), where=self.share > 0)
        few = self.total * least_served(share, self.share)
        return float((1.0 - self.aims.equity) * many + self.aims.equity * few - self.price * spent)
