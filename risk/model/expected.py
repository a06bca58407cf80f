"""What each answer of the model rests on: children met, what people and effort explain, neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.laplace.likelihood import MISSING
from risk.model.draws import Draws
from risk.model.fit import Fit
from risk.model.observations import ALL, Observations


@dataclass(frozen=True, eq=False)
class Explained:
    """By area and pathway, (areas, pathways), over the whole time.

    found : children met, as published (the most exact there is); NaN where unknown. by_population : those of
    its country shared out by children living there; by_effort : what the country's rate, the area's children
    and its effort would bring, and by_quarter the same quarter by quarter, (areas, quarters, pathways).
    neighbours : mean relative risk of the areas around, NaN without any. effort : outreach days for a child
    living there, over the country's, (areas,).
    """

    found: Floats
    by_population: Floats
    by_quarter: Floats
    neighbours: Floats
    effort: Floats

    @property
    def by_effort(self) -> Floats:
        """The sum of `by_quarter`, (areas, pathways)."""
        return np.asarray(self.by_quarter.sum(axis=1))


def explained(fit: Fit, draws: Draws, log_risk: Floats) -> Explained:
    """Work out what stands behind a fit; `draws` and `log_risk` are of it."""
    seen = fit.observations
    found = _found(seen)
    risk = np.exp(np.median(log_risk, axis=0))
    days = seen.effort.sum(axis=1)
    people, effort = (_national(values, seen) for values in (seen.expected, days))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = (days / seen.expected) / (effort / people)
    share = (seen.expected / people)[:, None]
    return Explained(
        found, share * _country_sum(found, seen), _by_quarter(fit, draws), _around(risk, seen), relative
    )


def _found(seen: Observations) -> Floats:
    """Give the published total where there is one, else the sum of the quarters."""
    known = seen.published >= 0
    parts: Floats = np.where(known, seen.published, 0).sum(axis=(1, 3)).astype(float)
    parts[~(seen.published != MISSING).any(axis=(1, 3))] = np.nan
    if seen.whole is None:
        return parts
    told: Floats = np.where(seen.whole >= 0, seen.whole.astype(float), parts)
    return told


def _by_quarter(fit: Fit, draws: Draws) -> Floats:
    """Give what would be met at the country's rate in each quarter with the effort that there was."""
    seen = fit.observations
    weights = np.zeros((len(seen.areas), len(seen.country_names)))
    weights[np.arange(len(seen.areas)), seen.country_of] = seen.expected
    national = np.einsum("daqp,ac->dcqp", np.exp(draws.log_rate), weights / weights.sum(axis=0))
    rate = np.median(national, axis=0)[seen.country_of]
    usual = reach(seen, np.median(draws.gamma, keepdims=True), np.median(draws.gap, axis=0, keepdims=True))[0]
    return np.asarray(seen.expected[:, None, None] * rate * usual[:, :, None])


def reach(seen: Observations, gamma: Floats, gap: Floats) -> Floats:
    """Give what all ways find with the effort there was, in terms of the rate, (d, areas, quarters).

    gamma : exponents of effort, (d,); gap : log of reports over finds at a usual effort, (d, countries).
    """
    log_days = np.log(np.where(seen.searched, seen.effort, seen.usual_effort) / seen.usual_effort)
    outreach = np.exp(gamma[:, None, None] * log_days)
    total = np.zeros(outreach.shape)
    for way in seen.ways:
        if way == "reported":
            total = total + np.exp(gap)[:, seen.country_of, None]
        elif way == "discovered":
            total = total + np.where(seen.searched, outreach, 0.0)
        elif way in ALL:
            total = total + outreach
    return total


def _national(values: Floats, seen: Observations) -> Floats:
    total: Floats = np.bincount(seen.country_of, values, len(seen.country_names)).astype(float)
    return total[seen.country_of]


def _country_sum(found: Floats, seen: Observations) -> Floats:
    known = np.nan_to_num(found)
    return np.column_stack([_national(known[:, p], seen) for p in range(found.shape[1])])


def _around(risk: Floats, seen: Observations) -> Floats:
    total, degree = np.zeros(risk.shape), np.zeros(len(risk))
    for one, other in (seen.edges.T, seen.edges.T[::-1]):
        np.add.at(total, one, risk[other])
        np.add.at(degree, one, 1.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(degree[:, None] > 0, total / degree[:, None], np.nan))
