"""How many people are on no list: multiple systems estimation from the overlaps of at least three lists.

Models of `models.py` are averaged by four rules that are all defensible: weights by AIC and by BIC (Buckland, Burnham
and Augustin 1997, Biometrics 53, 603-618), with and without models that have one interaction common to all pairs. The
interval covers what all four say; that of each rule is a bootstrap of the whole procedure, including the choice of a
model. If the lists have too little information, or the rules disagree, the result is a code for the reason:
docs/risk-model.md, "Dark figure".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from data.capture.models import Fits, build_design, check_existence, count_lists, fit_models, list_models, measure_fit
from data.workspace.types import Bools, Floats, Ints

MOST_LISTS = 5
FEWEST_LISTS = 3
LEAST_COMMON = 20  # people on two lists or more
LARGEST_DISAGREEMENT = 3.0  # of the middle nine tenths of the models of each rule, the largest over the smallest
LARGEST_WIDTH = 5.0  # upper over lower end of the interval
LEAST_FIT = 0.001  # probability of a deviance as large as that of the model that fits best
_R10 = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)
STEPS = np.array([step * 10.0**power for power in range(9) for step in _R10])
_LEVEL = 0.95
_REPLICATES = 400
_SPREAD = (0.05, 0.95)
_WINDOW = 0.95  # of the weight of all models by a rule, which the bootstrap keeps
_MOST_MODELS = 16  # by each rule
_MOST_FAILURES = 0.5  # of the weight that models without an estimate may have
_MOST_LOST = 0.025  # of the replicates that may have no estimate: more would leave the interval open

Reason = Literal["few_lists", "little_overlap", "no_estimate", "models_disagree", "too_wide", "no_fit"]
REASONS: tuple[Reason, ...] = get_args(Reason)  # a published cell has the position of its reason: add new ones last


@dataclass(frozen=True)
class PopulationEstimate:
    """The number of people, on lists and on none, with the ends of its 95 % interval.

    reason: why there is no estimate; then the numbers are None. Else reason is None.
    models: if the models disagree, the smallest and the largest number that they give, else None.
    """

    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: Reason | None = None
    models: tuple[float, float] | None = None


def round_estimate(exact: PopulationEstimate) -> PopulationEstimate:
    """Return an estimate on a coarse scale with ten steps for each factor of ten, the interval rounded outwards.

    The steps are those of ISO 3, series R10, such as 100, 125, 160, 200, 250, 315, 400, 500, 630, 800. One child
    nearly always changes the estimate by less than a step. What models say that disagree is rounded outwards likewise.
    """
    if exact.models is not None:
        return replace(exact, models=_round_outwards(*exact.models))
    if exact.estimate is None or exact.low is None or exact.high is None:
        return exact
    nearest = int(np.abs(np.log(STEPS / exact.estimate)).argmin())
    return PopulationEstimate(float(STEPS[nearest]), *_round_outwards(exact.low, exact.high))


def _round_outwards(low: float, high: float) -> tuple[float, float]:
    return float(STEPS[np.searchsorted(STEPS, low, side="right") - 1]), float(STEPS[np.searchsorted(STEPS, high)])


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
    anyway = _compute_weights(fits.deviance, models, np.ones_like(fits.exists), counts.sum())
    if anyway[:, fits.exists].sum(axis=1).mean() <= _MOST_FAILURES:
        return PopulationEstimate(reason="no_estimate")
    if counts[build_design(lists).both.any(axis=1)].sum() < LEAST_COMMON:
        return PopulationEstimate(reason="little_overlap")
    chosen, weights = _select_models(counts, fits, models)
    if not weights.any(axis=1).all():
        return PopulationEstimate(reason="no_estimate")
    if measure_fit(counts, models[chosen], fits.deviance[chosen]).max() < LEAST_FIT:
        return PopulationEstimate(reason="no_fit")
    log_total = np.log(counts.sum() + np.exp(fits.log_unseen[chosen]))
    lowest, highest = _find_range(log_total, weights)
    if highest > LARGEST_DISAGREEMENT * lowest:
        return PopulationEstimate(reason="models_disagree", models=(lowest, highest))
    estimate = float(np.exp((weights @ log_total).mean()))
    totals = _draw_totals(counts, models[chosen], estimate, np.random.default_rng([seed, 12]), replicates)
    if np.isnan(totals).mean(axis=1).max() > _MOST_LOST:
        return PopulationEstimate(reason="no_estimate")
    ends = np.nanquantile(totals, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=1)
    low, high = float(ends[0].min()), float(ends[1].max())
    if high > LARGEST_WIDTH * low:
        return PopulationEstimate(reason="too_wide")
    return PopulationEstimate(estimate, low, high)


def _compute_weights(deviance: Floats, models: Bools, exists: Bools, people: Ints) -> Floats:
    """Compute the weights of models (the last axis) by each of the four rules (the first axis), eq. (123).

    deviance, exists: (..., M). people: on lists, in the shape (...). A model without an estimate has no weight; if a
    rule has no model, all of its weights are zero.
    """
    penalties = [np.full(np.shape(people), 2.0), np.log(np.maximum(people, 1))]
    usable = [exists, exists & ~models[:, 0]]
    scores = [deviance + penalty[..., None] * models.sum(axis=1) for penalty in penalties]
    cost = np.stack([np.where(allowed, score, np.inf) for score in scores for allowed in usable])
    best = cost.min(axis=-1, keepdims=True)
    weights = np.exp(-(cost - np.where(np.isfinite(best), best, 0.0)) / 2)
    total = weights.sum(axis=-1, keepdims=True)
    result: Floats = weights / np.where(total > 0, total, 1.0)
    return result


def _select_models(counts: Ints, fits: Fits, models: Bools) -> tuple[Ints, Floats]:
    """Choose the models that have most of the weight by one of the rules.

    Returns the positions of the M chosen models, (M,), and their weights by each rule, (4, M), which sum to 1, or to 0
    for a rule by which no chosen model has weight. M may be 0.
    """
    weights = _compute_weights(fits.deviance, models, fits.exists, counts.sum())
    order = np.argsort(-weights, axis=1, kind="stable")
    enough = (np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1) < _WINDOW).sum(axis=1) + 1
    best = {int(i) for row, size in zip(order, enough, strict=True) for i in row[: min(size, _MOST_MODELS)]}
    chosen = np.array([i for i in sorted(best) if fits.exists[i] and check_existence(counts, models[i])], np.int64)
    share = weights[:, chosen]
    return chosen, share / np.maximum(share.sum(axis=1, keepdims=True), 1e-300)


def _find_range(log_total: Floats, weights: Floats) -> tuple[float, float]:
    """Return the smallest and the largest estimate in the middle nine tenths of the weight by any rule, eq. (124)."""
    order = np.argsort(log_total)
    reached = np.cumsum(weights[:, order], axis=1)
    ends = [order[np.minimum(np.searchsorted(row, _SPREAD), len(order) - 1)] for row in reached]
    low, high = np.exp(log_total[np.array(ends)]).T
    return float(low.min()), float(high.max())


def _draw_totals(counts: Ints, models: Bools, estimate: float, rng: np.random.Generator, size: int) -> Floats:
    """Draw totals by the bootstrap, (4, size), one row for each rule, eq. (125); NaN where no model has an estimate.

    Each replicate draws the listed people again, fits all models again, chooses by each rule one of them by its weight,
    and draws the unseen people. So the interval includes the uncertainty of models, of tables and of the unseen people.
    """
    count = int(counts.sum())
    people = rng.binomial(max(round(estimate), count), count / max(estimate, count), size=size)
    tables = rng.multinomial(people, counts / count)
    every = np.broadcast_to(models, (size, *models.shape)).reshape(-1, models.shape[1])
    fits = fit_models(np.repeat(tables, len(models), axis=0), every)
    shape = (size, len(models))
    weights = _compute_weights(fits.deviance.reshape(shape), models, fits.exists.reshape(shape), people)
    choice = (np.cumsum(weights, axis=2) < rng.random((size, 1))).sum(axis=2)
    choice = np.minimum(choice, len(models) - 1)
    unseen = np.exp(np.clip(fits.log_unseen.reshape(shape)[np.arange(size), choice], -30.0, 30.0))
    totals: Floats = people + rng.poisson(unseen)
    return np.where(weights.any(axis=2), totals, np.nan)
