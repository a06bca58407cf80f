"""The goal of a plan: the number of children whose need is met, with the weights of the setting."""

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
from risk.planning.problem import YEAR, Aims, Posts


@dataclass(frozen=True, eq=False)
class Goal:
    """What is maximised, docs/planner.md eq. (22): children whose need is met, minus the price of moves, eq. (77).

    need : draws for choosing, (d, A, K). settling : quarters for which a moved unit meets nobody.
    """

    posts: Posts
    aims: Aims
    need: Floats
    settling: float = 0.0

    @cached_property
    def share(self) -> Floats:
        """Each area's share of the mean need of all areas, (A,), from 0 to 1."""
        mean = self.need.sum(axis=2).mean(axis=0)
        return np.asarray(mean / max(mean.sum(), 1e-12))

    @cached_property
    def total(self) -> float:
        """Mean need of all areas and kinds, children per quarter."""
        return float(self.need.sum(axis=(1, 2)).mean())

    @cached_property
    def price(self) -> float:
        """Children per quarter that one unit of cost must gain, docs/planner.md eq. (25).

        It is 0 if the cost has no weight, or if no possible move has a cost.
        """
        costs = self.posts.cost[np.isfinite(self.posts.cost) & (self.posts.cost > 0)]
        if not self.aims.cost or not len(costs):
            return 0.0
        today = compute_met(self.need, self.posts.compute_capacity(self.posts.units)).sum(axis=(1, 2)).mean()
        return float(self.aims.cost * today / max(self.posts.units.sum(), 1) / costs.mean())

    @cached_property
    def loss(self) -> Floats:
        """Children per quarter that a unit which leaves a site must gain, since it settles in, (S, K); eq. (77)."""
        slope, _ = self.compute_slopes(self.posts.compute_capacity(self.posts.units))
        worth = (self.posts.capacity_matrix.T @ slope.ravel())[: self.posts.units.size]  # eq. (40)
        return np.asarray(self.settling / (YEAR - self.settling) * worth.reshape(self.posts.units.shape))

    def compute_loss(self, units: Ints) -> float:
        """Return what the units that leave must gain together, children per quarter, for a layout, (S, K)."""
        return float((self.loss * np.maximum(self.posts.units - units, 0)).sum()) if self.settling else 0.0

    def compute_value(self, units: Ints, spent: float, outings: Floats | None = None) -> float:
        """Return the goal, children per quarter, for units, (S, K), and outings, (D,), whose moves cost `spent`."""
        served = compute_met(self.need, self.posts.compute_capacity(units, outings))
        return self.value_served(served, spent) - self.compute_loss(units)

    def price_flows(self, flows: Ints, cost: Floats) -> Floats:
        """Return what one unit on each flow must gain, children per quarter, (F,). flows : (3, F). cost : (F,)."""
        return np.asarray(self.price * cost + self.loss[flows[0], flows[2]])

    def value_served(self, served: Floats, spent: float) -> float:
        """Return the goal from draws of the children whose need is met, (d, A, K), with moves that cost `spent`."""
        return self.weigh(served.sum(axis=(1, 2)), served.sum(axis=2).mean(axis=0), spent)

    def weigh(self, by_draw: Floats, by_area: Floats, spent: float) -> float:
        """Return the value of the goal, in children per quarter, for moves whose costs add up to `spent`.

        by_draw : number of children whose need is met in each draw, (d,). by_area : mean number in each area, (A,).
        """
        bad = self.aims.robustness
        many = by_draw.mean()
        if bad:
            many = (1.0 - bad) * many + bad * float(weigh_worst_draws(by_draw) @ by_draw)
        few = (
            self.total * compute_least_served(self._compute_met_share(by_area), self.share) if self.aims.equity else 0.0
        )
        return float((1.0 - self.aims.equity) * many + self.aims.equity * few - self.price * spent)

    def bound_error(self, error: Floats) -> float:
        """Return the most by which the goal is larger than on pieces with such errors, docs/planner.md eq. (68).

        error : the most by which each piece of a draw is below its curve, (d, A, K, P).
        """
        aims, mean, by_draw = self.aims, error.mean(axis=0).max(axis=-1), error.max(axis=-1).sum(axis=(1, 2))
        many = (1.0 - aims.robustness) * mean.sum()
        many -= aims.robustness * float(weigh_worst_draws(-by_draw) @ -by_draw)
        share = self._compute_met_share(mean.sum(axis=1)) * (self.share > 0)
        return float((1.0 - aims.equity) * many + aims.equity * self.total * share.max(initial=0.0))

    def compute_slopes(self, capacity: Floats) -> tuple[Floats, Floats]:
        """Return the first two derivatives of the goal with respect to the capacity, (A, K) each.

        docs/planner.md eq. (26). The worst cases and worst-served areas are those at this capacity, (A, K). The goal is
        concave, so no change of capacity adds more than the first array, a supergradient, predicts.
        """
        served, aims = compute_met(self.need, capacity), self.aims
        of_draw = np.full(len(served), 1.0 / len(served))
        if aims.robustness:
            worst = weigh_worst_draws(served.sum(axis=(1, 2)))
            of_draw = (1.0 - aims.robustness) * of_draw + aims.robustness * worst
        of_area = np.zeros(len(self.share))
        if aims.equity:
            inside = weigh_worst_areas(self._compute_met_share(served.sum(axis=2).mean(axis=0)), self.share)
            np.divide(inside, WORST_AREAS * self.share, out=of_area, where=self.share > 0)

        def weighed(more: Floats) -> Floats:
            many, few = np.tensordot(of_draw, more, axes=1), of_area[:, None] * more.mean(axis=0)
            return np.asarray((1.0 - aims.equity) * many + aims.equity * few)

        more, falls = compute_slopes(self.need, capacity)
        return weighed(more), weighed(falls)

    def _compute_met_share(self, by_area: Floats) -> Floats:
        wanted = self.share * self.total
        return np.asarray(np.divide(by_area, wanted, out=np.ones_like(by_area), where=self.share > 0))
