"""How many people are on no list: multiple systems estimation from the overlaps of at least three lists.

Models of `models.py` are averaged with Akaike weights (Buckland, Burnham and Augustin 1997, Biometrics 53, 603-618).
The interval is a bootstrap of the whole procedure, including the choice of a model. If the lists have too little
information, the result is a code for the reason: docs/risk-model.md, "Dark figure".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from data.capture.models import Fits, build_design, check_existence, count_lists, fit_models, list_models
from data.workspace.types import Bools, Floats, Ints

MOST_LISTS = 5
FEWEST_LISTS = 3
LEAST_COMMON = 20  # people on two lists or more
LARGEST_DISAGREEMENT = 3.0  # of the middle nine tenths of the models, the largest estimate over the smallest
LARGEST_WIDTH = 5.0  # upper over lower end of the interval
_R10 = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
STEPS = np.array([step * 10.0**power for power in range(9) for step in _R10])
_LEVEL = 0.95
_REPLICATES = 400
_SPREAD = (0.05, 0.95)
_WINDOW = 0.95  # of the weight of all models, which the bootstrap keeps
_MOST_MODELS = 32
_MOST_FAILURES = 0.5  # of the weight that models without an estimate may have
_MOST_LOST = 0.025  # of the replicates that may have no estimate: more would leave the interval open

Reason = Literal["few_lists", "little_overlap", "no_estimate", "models_disagree", "too_wide"]
REASONS: tuple[Reason, ...] = get_args(Reason)  # a published cell has the position of its reason: add new ones last


@dataclass(frozen=True)
class PopulationEstimate:
    """The number of people, on lists and on none, with the ends of its 95 % interval.

    reason: why there is no estimate; then the numbers are None. Else reason is None.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: Reason | None = None


def round_estimate(exact: PopulationEstimate) -> PopulationEstimate:
    """Return an estimate on a coarse scale with ten steps for each factor of ten, the interval rounded outwards.

    The steps are those of ISO 3, series R10, such as 100, 125, 160, 200, 250, 315, 400, 500, 630, 800. One child
    nearly always changes the estimate by less than a step. Without an estimate the argument is returned.
    """
    if exact.estimate is None or exact.low is None or exact.high is None:
        return exact
    below = int(np.searchsorted(STEPS, exact.low, side="right")) - 1
    nearest = int(np.abs(np.log(STEPS / exact.estimate)).argmin())
    above = int(np.searchsorted(STEPS, exact.high))
    return PopulationEstimate(float(STEPS[nearest]), float(STEPS[below]), float(STEPS[above]))


def tabulate_histories(on_list: Bools, people: Ints, most: int = MOST_LISTS) -> Ints:
    """Count the people with each capture history; shape (C,), in the order of `models.py`.

    on_list: whether the people of a row are on each list, (n, L). people: the number of people in each row, (n,).
    An empty list is left out. While there are more than `most` lists, the two smallest are joined into one.
    """
    columns = [on_list[:, i] for i in range(on_list.shape[1])]
    columns = [column for column in columns if people[column].sum()]
    while len(columns) > most:
        first, second, *rest = sorted(columns, key=lambda column: int(people[column].sum()))
        columns = [first | second, *rest]
    cell = sum((column.astype(np.int64) << i for i, column in enumerate(columns)), np.zeros(len(people), np.int64))
    return np.bincount(cell, weights=people, minlength=2 ** len(columns)).astype(np.int64)[1:]


def estimate_population(counts: Ints, seed: int = 0, replicates: int = _REPLICATES) -> PopulationEstimate:
    """Estimate the number of people from the counts that `tabulate_histories` returns, (C,); eq. (123) to (125).

    `replicates`: of the bootstrap. The same counts and seed give the same result.
    """
    lists = count_lists(counts)
    if lists < FEWEST_LISTS:
        return PopulationEstimate(reason="few_lists")
    models = list_models(lists)
    fits = fit_models(np.broadcast_to(counts, (len(models), len(counts))), models)
    if _compute_weights(fits, models, exists=np.ones_like(fits.exists))[fits.exists].sum() <= _MOST_FAILURES:
        return PopulationEstimate(reason="no_estimate")
    if counts[build_design(lists).both.any(axis=1)].sum() < LEAST_COMMON:
        return PopulationEstimate(reason="little_overlap")
    models, log_total, weights = _select_models(counts, fits, models)
    if not len(models):
        return PopulationEstimate(reason="no_estimate")
    if _measure_disagreement(log_total, weights) > LARGEST_DISAGREEMENT:
        return PopulationEstimate(reason="models_disagree")
    estimate = float(np.exp(weights @ log_total))
    totals = _draw_totals(counts, models, estimate, np.random.default_rng([seed, 12]), replicates)
    if np.isnan(totals).mean() > _MOST_LOST:
        return PopulationEstimate(reason="no_estimate")
    low, high = np.nanquantile(totals, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    if high > LARGEST_WIDTH * low:
        return PopulationEstimate(reason="too_wide")
    return PopulationEstimate(estimate, float(low), float(high))


def _compute_weights(fits: Fits, models: Bools, exists: Bools) -> Floats:
    """Compute the Akaike weights of models (the last axis), eq. (123); zero for a model without an estimate."""
    akaike = np.where(exists, fits.deviance.reshape(exists.shape) + 2.0 * models.sum(axis=-1), np.inf)
    best = akaike.min(axis=-1, keepdims=True)
    weights = np.exp(-(akaike - np.where(np.isfinite(best), best, 0.0)) / 2)
    total = weights.sum(axis=-1, keepdims=True)
    result: Floats = weights / np.where(total > 0, total, 1.0)
    return result


def _select_models(counts: Ints, fits: Fits, models: Bools) -> tuple[Bools, Floats, Floats]:
    """Choose the best models, which have most of the weight.

    Returns the M chosen models, (M, 1 + P), the log of the total number of people by each, (M,), and their weights,
    (M,), which sum to 1. M may be 0.
    """
    weights = _compute_weights(fits, models, fits.exists)
    order = np.argsort(-weights, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weights[order]), _WINDOW)) + 1
    best = [i for i in order[: min(enough, _MOST_MODELS)] if weights[i] > 0 and check_existence(counts, models[i])]
    log_total = np.log(counts.sum() + np.exp(fits.log_unseen[best]))
    share = weights[best]
    return models[best], log_total, share / max(share.sum(), 1e-300)


def _measure_disagreement(log_total: Floats, weights: Floats) -> float:
    """Return the ratio of the largest to the smallest estimate in the middle nine tenths of the weight, eq. (124)."""
    order = np.argsort(log_total)
    reached = np.cumsum(weights[order])
    ends = np.minimum(np.searchsorted(reached, _SPREAD), len(order) - 1)
    low, high = log_total[order][ends]
    return float(np.exp(high - low))


def _draw_totals(counts: Ints, models: Bools, estimate: float, rng: np.random.Generator, size: int) -> Floats:
    """Draw totals by the bootstrap, (size,), eq. (125); NaN in a replicate in which no model has an estimate.

    Each replicate draws the listed people again, fits all models again, chooses one of them by its weight, and draws
    the unseen people. So the interval includes the uncertainty of models, of tables and of the unseen people.
    """
    count = int(counts.sum())
    people = rng.binomial(max(round(estimate), count), count / max(estimate, count), size=size)
    tables = rng.multinomial(people, counts / count)
    every = np.broadcast_to(models, (size, *models.shape)).reshape(-1, models.shape[1])
    fits = fit_models(np.repeat(tables, len(models), axis=0), every)
    shape = (size, len(models))
    weights = _compute_weights(fits, models, fits.exists.reshape(shape))
    choice = (np.cumsum(weights, axis=1) < rng.random((size, 1))).sum(axis=1)
    choice = np.minimum(choice, len(models) - 1)
    unseen = np.exp(np.clip(fits.log_unseen.reshape(shape)[np.arange(size), choice], -30.0, 30.0))
    totals: Floats = people + rng.poisson(unseen)
    return np.where(weights.sum(axis=1) > 0, totals, np.nan)
