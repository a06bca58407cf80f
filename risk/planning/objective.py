"""What a plan maximises, exactly: children whose need is met, as the sliders weigh them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.workspace.types import Floats, Ints
from risk.planning.benefit import (
    WORST_AREAS,
    compute_least_served,
    compute_met,
    compute_slopes,
    weigh_worst_areas,
    weigh_worst_draws,
)
from risk.planning.problem import Aims, Posts


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
        today = compute_met(self.need, self.posts.capacity(self.posts.units)).sum(axis=(1, 2)).mean()
        return float(self.aims.cost * today / max(self.posts.units.sum(), 1) / costs.mean())

    def value(self, units: Ints, spent: float) -> float:
        """Give the value of a layout, (S, K), for which `spent` was paid."""
        return self.worth(compute_met(self.need, self.posts.capacity(units)), spent)

    def worth(self, served: Floats, spent: float) -> float:
        """Give the value of children served, (d, A, K), for which `spent` was paid."""
        return self.weighed(served.sum(axis=(1, 2)), served.sum(axis=2).mean(axis=0), spent)

    def weighed(self, by_draw: Floats, by_area: Floats, spent: float) -> float:
        """Give the value of children served by draw, (d,), and on average by area, (A,)."""
        bad = self.aims.robustness
        many = by_draw.mean()
        if bad:
            many = (1.0 - bad) * many + bad * float(weigh_worst_draws(by_draw) @ by_draw)
        few = (
            self.total * compute_least_served(self._met_share(by_area), self.share)
            if self.aims.equity
            else 0.0
        )
        return float((1.0 - self.aims.equity) * many + self.aims.equity * few - self.price * spent)

    def slope(self, capacity: Floats) -> tuple[Floats, Floats]:
        """Give what one more of capacity would add in each area and kind, and how fast that falls, (A, K).

        The bad cases and the worst-off areas are those of this capacity. The goal is concave, so no change
        of capacity adds more than the first says (a supergradient).
        """
        served, aims = compute_met(self.need, capacity), self.aims
        of_draw = np.full(len(served), 1.0 / len(served))
        if aims.robustness:
            worst = weigh_worst_draws(served.sum(axis=(1, 2)))
            of_draw = (1.0 - aims.robustness) * of_draw + aims.robustness * worst
        of_area = np.zeros(len(self.share))
        if aims.equity:
            inside = weigh_worst_areas(self._met_share(served.sum(axis=2).mean(axis=0)), self.share)
            np.divide(inside, WORST_AREAS * self.share, out=of_area, where=self.share > 0)

        def weighed(more: Floats) -> Floats:
            many, few = np.tensordot(of_draw, more, axes=1), of_area[:, None] * more.mean(axis=0)
            return np.asarray((1.0 - aims.equity) * many + aims.equity * few)

        more, falls = compute_slopes(self.need, capacity)
        return weighed(more), weighed(falls)

    def _met_share(self, by_area: Floats) -> Floats:
        wanted = self.share * self.total
        return np.asarray(np.divide(by_area, wanted, out=np.ones_like(by_area), where=self.share > 0))
