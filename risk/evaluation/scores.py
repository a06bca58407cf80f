"""The quality of a forecast: scores of predictive draws, calibration, and the children that a budget finds.

Draws are counts with the draws on the first axis; the other axes are those of the observed counts. An
unknown count (NaN) has an unknown score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scoringrules
from scipy.special import gammaln

from data.errors import InputError
from data.workspace.types import Floats
from risk.evaluation.panel import Interval
from risk.numbers import stream

LEVELS = (0.5, 0.8, 0.95)  # of the central intervals whose coverage is measured
# The quantiles of forecast hubs: the median and eleven central intervals (Bracher et al. 2021).
QUANTILES = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)
_SMOOTH = 1.0  # weight of the smooth law beside that of the draws
_LEAST_VARIANCE = 1e-2  # for a forecast whose draws are all the same


def compute_log_score(draws: Floats, observed: Floats) -> Floats:
    """Return the log probability of each observed count, eq. (58); larger is better.

    The probability is the mean of two: the share of draws equal to the count, which alone could be zero, and
    the negative binomial with the draws' mean and variance. With 500 draws the mean score is too low by 0.00
    to 0.03 for negative binomial and Poisson-lognormal forecasts, and by 0.05 for a forecast with two peaks.
    With a weight of 0.1 instead of a half for the negative binomial, the score would be too low by up to 0.09.
    """
    mean, variance = draws.mean(axis=0), draws.var(axis=0)
    excess = np.maximum(variance - mean, 1e-9 * np.maximum(mean, 1.0))
    mean = np.maximum(mean, 0.5 / len(draws))
    smooth = np.log(_SMOOTH) + log_negative_binomial(np.nan_to_num(observed), mean, mean**2 / excess)
    share = (draws == observed).mean(axis=0)
    # Added as logs: far from all draws the probability is smaller than any floating-point number.
    log_share = np.log(share, out=np.full(share.shape, -np.inf), where=share > 0)
    return np.asarray(np.logaddexp(log_share, smooth) - np.log1p(_SMOOTH) + 0.0 * observed)


def log_negative_binomial(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """Return the log probability of counts, eq. (59), any shape; the variance is mean + mean² / size."""
    # With a larger size the counts vary as Poisson counts do, and differences of gammaln lose their digits.
    size = np.minimum(size, 1e7)
    same = gammaln(observed + size) - gammaln(size) - gammaln(observed + 1.0)
    out: Floats = same - size * np.log1p(mean / size) + observed * np.log(mean / (mean + size))
    return out


def compute_crps(draws: Floats, observed: Floats) -> Floats:
    """Return the continuous ranked probability score of each count (its fair estimate), eq. (60); smaller is better."""
    return np.asarray(scoringrules.crps_ensemble(observed, draws, m_axis=0, estimator="pwm"))


def compute_wis(draws: Floats, observed: Floats) -> Floats:
    """Return the weighted interval score of each count (Bracher et al. 2021), eq. (92); smaller is better.

    It is twice the mean quantile loss over QUANTILES. The function for it in scoringrules 0.10 is not used: without
    numba, it takes the median itself instead of the median's distance from the count.
    """
    ends = np.quantile(draws, QUANTILES, axis=0, method="inverted_cdf")
    return np.asarray(scoringrules.crps_quantile(observed, ends, np.array(QUANTILES), m_axis=0))


def compute_dawid_sebastiani(draws: Floats, observed: Floats) -> Floats:
    """Return the score of Dawid and Sebastiani (1999) of each count, eq. (61); smaller is better."""
    variance = np.maximum(draws.var(axis=0), _LEAST_VARIANCE)
    return np.asarray((observed - draws.mean(axis=0)) ** 2 / variance + np.log(variance))


def compute_pit(draws: Floats, observed: Floats, seed: int = 0) -> Floats:
    """Return the randomised probability integral transform (PIT) of each count, 0 to 1, eq. (62) (Smith 1985).

    If a forecast is calibrated, these values are uniform.
    """
    below = (draws < observed).mean(axis=0)
    upto = (draws <= observed).mean(axis=0)
    uniform = stream(seed, "pit").random(observed.shape)
    return np.asarray(below + uniform * (upto - below) + 0.0 * observed)


def is_covered(draws: Floats, observed: Floats, level: float) -> Floats:
    """Return 1.0 where the central interval, ends included, holds the observed count, else 0.0; NaN where unknown.

    `level` is the probability of the interval, 0 to 1. The ends of the intervals are counts, so a calibrated forecast
    has a coverage of `level` or more; `compute_pit` measures calibration exactly.
    """
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0, method="inverted_cdf")
    return np.asarray(((low <= observed) & (observed <= high)) + 0.0 * observed)


@dataclass(frozen=True)
class BudgetResult:
    """The children found if a budget is spent in the order of a forecast, eq. (63), with 95 % intervals over areas.

    hit_rate : n / N, the share (0 to 1) of all N children whom the budget reaches.
    pai : (n / N) / (a / A), hit rate divided by the budget's share of all costs. It favours tiny areas, so it is never
        used alone.
    pei : n / n*, where n* is the number that the best choice finds with the same budget.

    All are NaN where the divisor is 0.
    """

    hit_rate: float
    hit_interval: Interval
    pai: float
    pei: float
    pei_interval: Interval


def allocate_budget(worth: Floats, cost: Floats, budget: float) -> Floats:
    """Return the portion of each area that a budget covers, (A,), starting with the most worth per cost.

    worth, cost : of each area, (A,). budget : share (0 to 1) of all costs. Portions are from 0 to 1; areas without cost
    (no outreach) have 0.
    """
    density = np.divide(worth, cost, where=cost > 0, out=np.full(len(cost), -np.inf))
    order = np.argsort(-density, kind="stable")
    spent = np.cumsum(cost[order])
    remaining = budget * cost.sum() - (spent - cost[order])
    out = np.zeros(len(cost))
    out[order] = np.clip(np.divide(remaining, cost[order], where=cost[order] > 0, out=np.zeros(len(cost))), 0, 1)
    return out


def measure_budget(
    forecast: Floats, observed: Floats, cost: Floats, budget: float, *, resamples: int = 1000, seed: int = 0
) -> BudgetResult:
    """Compute how many children a budget finds over several occasions (quarters, pathways), eq. (63).

    forecast, observed, cost : expected counts, counts, and cost (1 for each area, or days of outreach),
        (occasions, A). Unknown counts are taken as 0.
    budget : share of each occasion's cost that is spent, such as 0.1.
    resamples, seed : of the bootstrap, which draws areas with all their occasions.

    Raises InputError if the budget is not a share, or if the shapes differ.
    """
    if not 0.0 < budget < 1.0 or not forecast.shape == observed.shape == cost.shape:
        raise InputError(f"A budget is a share above 0 and below 1, not {budget}, of arrays of one shape.")
    counts = np.nan_to_num(observed)
    hits = _count_reached(forecast, counts, cost, budget)
    best = _count_reached(counts, counts, cost, budget)
    whole = counts.sum(axis=0)
    size = len(whole)
    weights = stream(seed, "found").multinomial(size, np.full(size, 1.0 / size), size=resamples)
    rate, efficiency = _ratio(hits.sum(), whole.sum()), _ratio(hits.sum(), best.sum())
    rates = _ratio_interval(weights @ hits, weights @ whole)
    efficiencies = _ratio_interval(weights @ hits, weights @ best)
    return BudgetResult(rate, rates, rate / budget, efficiency, efficiencies)


def _count_reached(worth: Floats, counts: Floats, cost: Floats, budget: float) -> Floats:
    """Return the counts that a budget covers in each area, summed over all occasions, (A,).

    worth, counts, cost : (occasions, A).
    """
    parts = [allocate_budget(w, c, budget) for w, c in zip(worth, cost, strict=True)]
    return np.asarray((np.stack(parts) * counts).sum(axis=0))


def _ratio(upper: float, lower: float) -> float:
    return float(upper / lower) if lower > 0 else float("nan")


def _ratio_interval(upper: Floats, lower: Floats) -> Interval:
    some = lower > 0
    if not some.any():
        return float("nan"), float("nan")
    low, high = np.quantile(upper[some] / lower[some], [0.025, 0.975])
    return float(low), float(high)


def correlate_ranks(first: Floats, second: Floats) -> tuple[float, float]:
    """Return Spearman's and Kendall's rank correlation of two forecasts, (A,) each; NaN if one has equal values."""
    from scipy.stats import kendalltau, spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan"), float("nan")
    return float(spearmanr(first, second).statistic), float(kendalltau(first, second).statistic)
