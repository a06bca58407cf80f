"""The usual count of an area: its part of the country's count by population, and its own smoothed mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.workspace.types import Floats, Ints
from risk.evaluation.panel import Panel

_PRIOR = 0.5  # shape of the gamma prior of an area's mean, which has the mean of its population share


def areas_by_country(history: Panel) -> Iterator[Ints]:
    """Yield the positions of the areas of each country: no forecast learns a level across a border."""
    for code in dict.fromkeys(history.countries):
        yield np.flatnonzero([country == code for country in history.countries])


def share_by_population(history: Panel, quarters: int | None = None) -> Floats:
    """Return each area's part of its country's mean count per quarter, by expected children, eq. (67), (A, P).

    The mean is over the last `quarters` quarters, or over all. It is never 0.
    """
    counts = history.counts[:, -quarters:] if quarters else history.counts
    now = history.expected[:, -1]
    base = history.expected[:, -counts.shape[1] :, None] * ~np.isnan(counts)
    out = np.empty((len(history.areas), len(history.pathways)))
    for inside in areas_by_country(history):
        # Half a child more, so that a pathway on which nobody was met yet is unlikely, not impossible.
        cases = np.nansum(counts[inside], axis=(0, 1)) + _PRIOR
        exposure = np.maximum(base[inside].sum(axis=(0, 1)), now[inside].min())
        out[inside] = now[inside, None] * cases / exposure
    return out


def smooth_count(total: Floats, quarters: Floats, usual: Floats) -> Floats:
    """Return the posterior mean count of a quarter, eq. (66), (A, P).

    total : sum of the counts. quarters : number of quarters with a known count. usual : prior mean. All are (A, P).
    """
    return np.asarray((total + _PRIOR) / (quarters + _PRIOR / usual))
