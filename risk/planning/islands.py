"""What of a region's need and outreach belongs to each of its islands (`geo.islands`)."""

from __future__ import annotations

import numpy as np

from data.workspace.types import Floats

# Standard deviation of the logarithm of the rate of an island against that of its region: an assumption.
SPREAD_WITHIN = 0.5


def divide_need(need: Floats, people: Floats, seed: int) -> Floats:
    """Divide draws of a region's need, (d,), among its islands by their people, (n,); (d, n), docs/planner.md eq. (86).

    How the rate differs within the region is not known, so the shares are drawn. They add up to the need in each draw.
    """
    rates = np.exp(SPREAD_WITHIN * np.random.default_rng(seed).standard_normal((len(need), len(people))))
    weight = people * rates
    divided: Floats = need[:, None] * weight / weight.sum(axis=1, keepdims=True)
    return divided


def divide_days(days: Floats, islands: Floats, people: Floats) -> Floats:
    """Divide the outreach days of a region, (T,), by those of its islands, (n, T); (n, T), they add up to `days`.

    A quarter of which the islands have no days is divided by their people, (n,).
    """
    total = islands.sum(axis=0)
    share = np.divide(islands, total, out=np.repeat((people / people.sum())[:, None], len(days), 1), where=total > 0)
    divided: Floats = share * days
    return divided
