"""Draws from the joint posterior of the risk model, and rates relative to their country's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.model.observations import Observations


@dataclass(frozen=True, eq=False)
class Draws:
    """D draws from the joint posterior, docs/risk-model.md eq. (34).

    log_rate : log of the children found in a quarter at the usual effort, for each child who lives there, (D, A, T, P):
        the children discovered by outreach where the ways of finding are distinguished, else the children found in all
        ways.
    gamma, kappa : exponent of effort and overdispersion, (D,).
    gap : log ratio of children reported to children discovered at usual effort, (D, countries); 0 where the ways are
        not distinguished.
    breaks : log ratio of the level of counts before each series break to the level after it, (D, breaks, P). log_rate
        has the level after the last break.
    log_detection : log of the share of the children in need who are found, around its mean, (D, A, T).
    spread : its standard deviation between areas, (D,). Both are those of risk/model/spread.py.
    time_sd, local_sd : standard deviations of a country's and of an area's step in a quarter, (D,); 0 without walks.
    """

    log_rate: Floats
    gamma: Floats
    kappa: Floats
    gap: Floats
    breaks: Floats
    log_detection: Floats
    spread: Floats
    time_sd: Floats
    local_sd: Floats

    @property
    def log_need_rate(self) -> Floats:
        """Log of the need for each child who lives there, up to a constant, (D, A, T, P); eq. (39)."""
        return np.asarray(self.log_rate - self.log_detection[..., None])

    def log_rate_as_counted(self, observations: Observations) -> Floats:
        """Return the log rates, (D, A, T, P), with the levels that counts had before each series break."""
        if not self.breaks.shape[1]:
            return self.log_rate
        before = observations.before_breaks.astype(np.float64)
        return np.asarray(self.log_rate + np.einsum("cat,dcp->datp", before, self.breaks))


def subtract_national_rate(log_rate: Floats, observations: Observations) -> Floats:
    """Return log rates minus the log of their country's rate, eq. (35); shape (D, A, ...) in and out.

    The rate of a country is the mean over its areas, weighted by children living there, with the same weights in all
    quarters.
    """
    out = np.empty_like(log_rate)
    for country in range(len(observations.country_names)):
        inside = observations.country_of == country
        weights = observations.living[inside] / observations.living[inside].sum()
        national = np.log(np.einsum("a,da...->d...", weights, np.exp(log_rate[:, inside])))
        out[:, inside] = log_rate[:, inside] - national[:, None]
    return out
