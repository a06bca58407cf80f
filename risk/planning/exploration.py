"""Areas with too little outreach that get a share of the search, so that no area stays unknown.

Each unit of the share goes to the area, among those with too little outreach, in which it would meet most need in one
draw (Thompson 1933), docs/planner.md eq. (42). So the probability that an area is drawn is the probability that it is
the best one for the unit. What reaches an area today counts. Communities and the children met so far play no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Bools, Floats
from risk.planning.benefit import compute_met
from risk.planning.problem import Posts, Rules


@dataclass(frozen=True, eq=False)
class Exploration:
    """The areas drawn, (A,), and the search capacity that must reach them together, children per quarter.

    areas : mask. share : `least` divided by the capacity that the rules require; below 1 if other rules allow no more.
    """

    areas: Bools
    least: float
    share: float = 1.0

    def ease(self, possible: float) -> Exploration:
        """Return the same areas with the capacity that is possible, docs/planner.md eq. (47)."""
        return Exploration(self.areas, possible, possible / self.least)


def draw_exploration(posts: Posts, rules: Rules, need: Floats, seed: int) -> Exploration:
    """Draw the areas to explore; none if the rules ask for none, or if no unit searches.

    There are also none if no area with too little outreach can be reached, or if the share is less than half a unit.

    need : draws, (d, A, K). Together the areas must get the capacity that the units of the share would bring from the
    best-placed sites; any searching units may bring it.
    """
    kinds = np.flatnonzero(posts.searching)
    chosen, least = np.zeros(len(posts.areas), dtype=bool), 0.0
    units = int(posts.units[:, kinds].sum())
    if rules.under_searched is None or not rules.exploration or not units:
        return Exploration(chosen, least)
    per_unit = float(posts.units[:, kinds].sum(axis=0) @ posts.children[kinds]) / units
    brings = per_unit * posts.reach[kinds].max(axis=(0, 2), initial=0.0)
    open_to = rules.under_searched & (brings > 0)
    rng, placed = np.random.default_rng([seed, 0]), posts.compute_capacity(posts.units)[:, kinds].sum(axis=1)
    there = placed[rules.under_searched].sum() / per_unit if per_unit else 0.0
    for _ in range(max(round(rules.exploration * units - there), 0) if open_to.any() else 0):
        draw = need[rng.integers(len(need))][:, kinds].mean(axis=1)
        gain = compute_met(draw, placed + brings) - compute_met(draw, placed)
        best = int(np.argmax(np.where(open_to, gain, -1.0)))
        chosen[best] = True
        placed[best] += brings[best]
        least += float(brings[best])
    today = posts.compute_capacity(posts.units)[chosen][:, kinds].sum()
    return Exploration(chosen, least + float(today) if least else 0.0)
