"""Draws from the joint posterior of the risk model, their summaries, and rates relative to the country."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.model.observations import Observations

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


@dataclass(frozen=True, eq=False)
class Summary:
    """Mean, standard deviation and quantiles of numbers of any one shape; quantiles have it behind theirs."""

    mean: Floats
    sd: Floats
    quantiles: Floats
    levels: tuple[float, ...] = QUANTILES

    @classmethod
    def of(cls, draws: Floats) -> Summary:
        """Summarise draws, the first axis."""
        return cls(draws.mean(axis=0), draws.std(axis=0), np.quantile(draws, QUANTILES, axis=0))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Give the ends of the central interval of a level: 0.95, 0.8 or 0.5."""
        low, high = (self.levels.index(round((1.0 + side * level) / 2.0, 3)) for side in (-1, 1))
        return self.quantiles[low], self.quantiles[high]


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws from the joint posterior.

    log_rate : children found in a quarter by reports (or by all ways, or by a usual effort where there is no
        report) for a child living there, its log, (d, areas, quarters, pathways).
    gamma, kappa : exponent of effort and overdispersion, (d,); gap: log of reports over finds at a usual
        effort, (d, countries).
    time_sd, local_sd : standard deviation of a quarter's step of country and of area, (d,), 0 where none.
    """

    log_rate: Floats
    gamma: Floats
    kappa: Floats
    gap: Floats
    time_sd: Floats
    local_sd: Floats


def relative(log_rate: Floats, seen: Observations) -> Floats:
    """Divide rates by their country's, children taken as weights; the areas stand on the second axis."""
    out = np.empty_like(log_rate)
    for country in range(len(seen.country_names)):
        inside = seen.country_of == country
        weights = seen.expected[inside] / seen.expected[inside].sum()
        own = log_rate[:, inside]
        national = np.log(np.einsum("a,da...->d...", weights, np.exp(own)))
        out[:, inside] = own - national[:, None]
    return out
