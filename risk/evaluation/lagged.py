"""Features of regressions on earlier counts: one row for each area, origin and quarter ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats
from risk.evaluation.panel import Panel

_LAGS = 3


@dataclass(frozen=True, eq=False)
class Rows:
    """The n rows of a regression.

    features : (n, F). target : count divided by expected children, (n,). weight : expected children, scaled, (n,).
    """

    features: Floats
    target: Floats
    weight: Floats


def build_rows(history: Panel, pathway: int, horizon: int) -> Rows:
    """Return one row for every known count and for each of 1 to `horizon` quarters ahead, with the data known then.

    There are no rows for a history of one quarter.
    """
    features, targets, weights = [], [], []
    size = len(history.areas)
    for origin in range(1, len(history.quarters)):
        steps = min(horizon, len(history.quarters) - origin)
        features.append(build_features(history.until(origin), pathway, steps))
        targets.append(history.counts[:, origin : origin + steps, pathway].T.ravel())
        weights.append(history.expected[:, origin : origin + steps].T.ravel())
    if not features:
        return Rows(np.empty((0, 0)), np.empty(0), np.empty(0))
    count, weight = np.concatenate(targets), np.concatenate(weights)
    known = ~np.isnan(count)
    scale = size / history.expected[:, -1].sum()  # weights of about one keep a penalty's meaning
    return Rows(np.concatenate(features)[known], (count / weight)[known], scale * weight[known])


def build_features(history: Panel, pathway: int, horizon: int) -> Floats:
    """Return the features at the end of a history, repeated for each quarter ahead, (horizon * A, F).

    The last feature is the number of the quarter ahead, from 0.
    """
    counts = history.counts[:, :, pathway]
    known = ~np.isnan(counts)
    usual = (np.where(known, counts, 0.0).sum(axis=1) + 0.5) / (known.sum(axis=1) + 0.5)
    filled = np.where(known, counts, usual[:, None])
    lags = [filled[:, -lag] if filled.shape[1] >= lag else usual for lag in range(1, _LAGS + 1)]
    around = _mean_of_neighbours(history, filled[:, -1])
    effort, year = history.effort[:, -1], history.effort[:, -4:].mean(axis=1)
    places = [np.array([c == code for c in history.countries], float) for code in sorted(set(history.countries))]
    logs = [np.log1p(values) for values in (*lags, around, effort, year)]
    rate = np.log(usual / history.expected[:, -1])
    now = np.column_stack([rate, np.log(history.expected[:, -1]), *logs, *places])
    return np.concatenate([np.column_stack([now, np.full(len(now), step)]) for step in range(horizon)])


def _mean_of_neighbours(history: Panel, values: Floats) -> Floats:
    """Return the mean of `values`, (A,), over the areas that touch each area, (A,); an island has its own value."""
    first, second = history.edges.T
    size = len(values)
    total = np.bincount(first, values[second], size) + np.bincount(second, values[first], size)
    degree = np.bincount(history.edges.ravel(), minlength=size)
    return np.where(degree > 0, total / np.maximum(degree, 1), values)
