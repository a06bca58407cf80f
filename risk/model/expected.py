"""The numbers behind a result: children identified or met, children expected, and the risk of neighbouring areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.laplace.likelihood import MISSING
from risk.model.draws import Draws
from risk.model.fit import Fit
from risk.model.observations import ALL, Observations


@dataclass(frozen=True, eq=False)
class Explanation:
    """The numbers that explain each area's result on each pathway, (A, P): docs/risk-model.md eq. (43) to (45).

    children : children identified or met in the whole programme: the published total, else the sum of the quarters
        whose numbers are known; NaN where neither is published.
    used : those of them in the counts from which the model learns. `by_quarter` explains no others.
    noise : variance of the noise of disclosure control in `used`.
    by_population : the country's children identified or met, divided in proportion to children living in each area.
    by_quarter : children expected from the country's rate, the area's children and effort, (A, T, P).
    neighbours : mean relative risk of the neighbouring areas, NaN without neighbours.
    effort : outreach days for each child who lives in the area, divided by this number for the country, (A,); NaN in a
        country without outreach.
    """

    children: Floats
    used: Floats
    noise: Floats
    by_population: Floats
    by_quarter: Floats
    neighbours: Floats
    effort: Floats

    @property
    def by_effort(self) -> Floats:
        """The sum of `by_quarter` over the quarters, (A, P)."""
        return np.asarray(self.by_quarter.sum(axis=1))


def explain(fit: Fit, draws: Draws, log_need: Floats) -> Explanation:
    """Compute the numbers that explain a fit; `log_need` are draws of log relative need, (D, A, P)."""
    observations = fit.observations
    children, used, noise = _count_children(observations)
    risk = np.exp(np.median(log_need, axis=0))
    days = observations.effort.sum(axis=1)
    people, effort = (_sum_by_country(values, observations) for values in (observations.living, days))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative_effort = (days / observations.living) / (effort / people)
    share = (observations.living / people)[:, None]
    counts = np.nan_to_num(children)
    in_country = [_sum_by_country(counts[:, p], observations) for p in range(children.shape[1])]
    return Explanation(
        children,
        used,
        noise,
        share * np.column_stack(in_country),
        _expect_by_effort(fit, draws),
        _average_neighbours(risk, observations),
        relative_effort,
    )


def _count_children(observations: Observations) -> tuple[Floats, Floats, Floats]:
    """Return the children of each area and pathway, those in usable counts, and their noise variance, (A, P) each.

    They are the published total where there is one, else the sum of the known quarters: NaN where all are MISSING. A
    total that holds other children than the usable counts is no total of these.
    """
    published, usable, totals = observations.published, observations.usable, observations.totals
    number = np.maximum(published, 0)
    children: Floats = number.sum(axis=(1, 3)).astype(float)
    children[~(published != MISSING).any(axis=(1, 3))] = np.nan
    used: Floats = children - observations.unexplained.sum(axis=(1, 3))
    noise = (observations.count_noise * usable).sum(axis=(1, 3))
    if totals is None:
        return children, used, noise
    children = np.where(totals >= 0, totals, children)
    exact = (totals >= 0) & observations.has_all_children
    return children, np.where(exact, totals, used), np.where(exact, observations.total_noise, noise)


def _expect_by_effort(fit: Fit, draws: Draws) -> Floats:
    """Compute the children expected from country rate and area effort, docs/risk-model.md eq. (44), (A, T, P)."""
    observations = fit.observations
    weights = np.zeros((len(observations.areas), len(observations.country_names)))
    weights[np.arange(len(observations.areas)), observations.country_of] = observations.living
    national = np.einsum(
        "daqp,ac->dcqp", np.exp(draws.log_rate_as_counted(observations)), weights / weights.sum(axis=0)
    )
    rate = np.median(national, axis=0)[observations.country_of]
    gamma, gap = np.median(draws.gamma, keepdims=True), np.median(draws.gap, axis=0, keepdims=True)
    factor = compute_finding_factor(observations, gamma, gap)[0]
    return np.asarray(observations.expected[:, :, None] * rate * factor[:, :, None])


def compute_finding_factor(observations: Observations, gamma: Floats, gap: Floats) -> Floats:
    """Return children identified or met in all ways with the actual effort, as a multiple of the rate, (D, A, T).

    docs/risk-model.md eq. (40). gamma : exponents of effort, (D,). gap : log ratio of children reported by others to
    children met by outreach at usual effort, (D, countries).
    """
    searched, outreach = observations.has_outreach, np.exp(observations.log_outreach(gamma))
    total = np.zeros(outreach.shape)
    for way in observations.ways:
        if way == "reported":
            total = total + np.exp(gap)[:, observations.country_of, None]
        elif way == "discovered":
            total = total + np.where(searched, outreach, 0.0)
        elif way in ALL:
            total = total + outreach
    return total


def _sum_by_country(values: Floats, observations: Observations) -> Floats:
    """Return for each area the sum of `values` over all areas of its country; shape (A,) in and out."""
    sums: Floats = np.bincount(observations.country_of, values, len(observations.country_names)).astype(float)
    return sums[observations.country_of]


def _average_neighbours(risk: Floats, observations: Observations) -> Floats:
    """Return the mean risk of the areas that touch each area, (A, P); NaN without neighbours."""
    total, degree = np.zeros(risk.shape), np.zeros(len(risk))
    first, second = observations.edges.T
    for area, neighbour in ((first, second), (second, first)):
        np.add.at(total, area, risk[neighbour])
        np.add.at(degree, area, 1.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(degree[:, None] > 0, total / degree[:, None], np.nan))
