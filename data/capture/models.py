"""Poisson log-linear models of capture histories: who is on which lists, and how many people are on none.

A capture history says on which of L lists a person is. Of 2^L histories, all except "on no list" are counted.
Cell c of a table of counts (c = 0 .. 2^L - 2) is the history whose list l has the binary digit l of c + 1. The models
have a main effect of each list and an interaction of some pairs of lists, docs/risk-model.md eq. (120); they say how
many people are on no list. They may also have one interaction common to all pairs: where people differ in how easily
they are listed, all lists share more people than chance (Darroch and others 1993, Journal of the American Statistical
Association 88, 1137-1148). Sparse tables follow Chan, Silverman and Vincent (2021), Journal of the American
Statistical Association 116, 1297-1306: the interaction of a pair without common people is minus infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from data.workspace.threads import on_one_thread
from data.workspace.types import Bools, Floats, Ints

_STEPS = 20  # of Newton: an estimate that exists is reached in about eight
_STEADY = 1e-6  # change of the parameters below which a fit has arrived
_RIDGE = 1e-12  # keeps an information matrix regular where a parameter has no information
_MOST_VARIANCE = 1e6  # of the log number of unseen people: beyond it the table does not identify it
_CHUNK = 4096  # fits at a time: bounds the memory
_INTERIOR = 1e-7  # people in the least likely cell, below which a point is on the border of its cone


@dataclass(frozen=True, eq=False)
class Design:
    """The cells and parameters of L lists.

    matrix: one row for each history, columns for the intercept, the L lists, all pairs together and each of the P
    pairs, (C, 2 + L + P). The history "on no list" has the intercept alone, so exp(intercept) is the number of unseen
    people. pairs: (P, 2).
    """

    matrix: Floats
    pairs: Ints
    lists: int

    @property
    def both(self) -> Floats:
        """1 where a history is on both lists of a pair, else 0; shape (C, P)."""
        return self.matrix[:, 2 + self.lists :]


@lru_cache(maxsize=8)
def build_design(lists: int) -> Design:
    """Return the cells and parameters for a number of lists."""
    histories = (np.arange(1, 2**lists)[:, None] >> np.arange(lists)) & 1
    pairs = np.array(list(combinations(range(lists), 2)), np.int64).reshape(-1, 2)
    both = histories[:, pairs[:, 0]] * histories[:, pairs[:, 1]]
    matrix = np.column_stack([np.ones(len(histories)), histories, both.sum(axis=1), both]).astype(np.float64)
    matrix.setflags(write=False)
    return Design(matrix, pairs, lists)


def count_lists(counts: Ints) -> int:
    """Return the number of lists, L, of a table of counts, (..., C), from C = 2^L - 1."""
    return int(counts.shape[-1] + 1).bit_length() - 1


def list_models(lists: int) -> Bools:
    """Return all models, (M, 1 + P): whether all pairs have a common interaction, and which pairs have their own.

    The model of independent lists comes first. A common interaction is left out if all pairs, or all except one, have
    their own, because it would add nothing.
    """
    size = len(build_design(lists).pairs)
    models = ((np.arange(2 ** (1 + size))[:, None] >> np.arange(1 + size)) & 1).astype(bool)
    useful: Bools = models[~models[:, 0] | (models[:, 1:].sum(axis=1) < size - 1)]
    return useful


@dataclass(frozen=True, eq=False)
class Fits:
    """Maximum likelihood fits, (B,) each.

    log_unseen: log of the number of people on no list. deviance: against the saturated model. exists: whether Newton's
    method converged and the table identifies the unseen people.
    """

    log_unseen: Floats
    deviance: Floats
    exists: Bools


@on_one_thread
def fit_models(counts: Ints, models: Bools) -> Fits:
    """Fit each model to its table, and return the fits; counts (B, C), models (B, 1 + P)."""
    parts = [_fit_chunk(counts[i : i + _CHUNK], models[i : i + _CHUNK]) for i in range(0, len(counts), _CHUNK)]
    joined = (np.concatenate([getattr(p, name) for p in parts]) for name in Fits.__dataclass_fields__)
    return Fits(*joined)


def split_parameters(counts: Ints, models: Bools) -> tuple[Bools, Bools]:
    """Return the cells that can be above zero, (B, C), and the parameters of finite value, (B, 2 + L + P).

    The interaction of a pair of lists without a common person is minus infinity: eq. (121). Its cells are certainly
    zero and are left out of the table.
    """
    design = build_design(count_lists(counts))
    infinite = models[:, 1:] & (counts @ design.both == 0)
    cells = infinite @ design.both.T == 0
    main = np.ones((len(counts), 1 + design.lists), bool)
    return cells, np.concatenate([main, models[:, :1], models[:, 1:] & ~infinite], axis=1)


def _fit_chunk(counts: Ints, models: Bools) -> Fits:
    """Fit models by maximum Poisson likelihood, eq. (120), with Newton's method; arguments as in `fit_models`."""
    design = build_design(count_lists(counts)).matrix
    cells, free = split_parameters(counts, models)
    number, size = len(counts), design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), size * size)
    value = np.zeros((number, size))
    steady = np.zeros(number, bool)
    mean = np.where(cells, counts + 0.5, 0.0)
    moving = np.arange(number)
    for step in range(_STEPS):
        here, fixed = mean[moving], ~free[moving]
        information = _compute_information(here, outer, fixed)
        # The first step starts at the table itself (its logs as the response), the others at the last parameters.
        start = here * np.log(np.where(here > 0, here, 1.0))
        gap = start if step == 0 else np.where(cells[moving], counts[moving] - here, 0.0)
        score = np.where(fixed, 0.0, gap @ design)
        change = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        value[moving] += change
        mean[moving] = np.where(cells[moving], np.exp(np.clip(value[moving] @ design.T, -60, 60)), 0.0)
        done = (np.abs(change).max(axis=1) < _STEADY) & (step > 0)
        steady[moving[done]] = True
        moving = moving[~done]
        if not len(moving):
            break
    first = np.zeros((number, size, 1))
    first[:, 0] = 1.0
    variance = np.linalg.solve(_compute_information(mean, outer, ~free), first)[:, 0, 0]
    exists = steady & (variance > 0) & (variance < _MOST_VARIANCE)
    log_mean = np.log(np.where(mean > 0, mean, 1.0))
    log_counts = np.log(np.where(counts > 0, counts, 1))
    deviance = 2.0 * (counts * (log_counts - log_mean) - (np.where(cells, counts, 0) - mean)).sum(axis=1)
    return Fits(value[:, 0], deviance, exists)


def _compute_information(mean: Floats, outer: Floats, fixed: Bools) -> Floats:
    """Compute the Fisher information of each fit, (B, K, K); parameters that are left out get the identity."""
    size = fixed.shape[1]
    information = (mean @ outer).reshape(-1, size, size)
    information[fixed[:, :, None] | fixed[:, None, :]] = 0.0
    diagonal = np.arange(size)
    information[:, diagonal, diagonal] += np.where(fixed, 1.0, _RIDGE)
    return information


def measure_fit(counts: Ints, models: Bools, deviance: Floats) -> Floats:
    """Return the probability of a deviance as large as that of each model, if the model is right, eq. (170); (M,).

    counts (C,), models (M, 1 + P). It is 1 for a model with as many parameters as cells, which always fits.
    """
    from scipy.special import chdtrc

    cells, free = split_parameters(np.broadcast_to(counts, (len(models), len(counts))), models)
    degrees = cells.sum(axis=1) - free.sum(axis=1)
    return np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), np.maximum(deviance, 0.0)), 1.0)


def check_existence(counts: Ints, model: Bools) -> bool:
    """Return whether the maximum likelihood estimate of a model exists and is unique; counts (C,), model (1 + P,).

    It exists if some table with the same sufficient statistics has no empty cell, eq. (122) (Fienberg and Rinaldo
    2012, Annals of Statistics 40, 996-1023), and is unique if the columns of the design are independent.
    """
    from scipy.optimize import linprog

    cells, free = split_parameters(counts[None], model[None])
    design = build_design(count_lists(counts)).matrix[np.ix_(cells[0], free[0])]
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return False
    # Variables: the cells less the smallest of them, x - s, and s: maximise s.
    total = design.sum(axis=0)
    answer = linprog(
        np.append(np.zeros(len(design)), -1.0),
        A_eq=np.column_stack([design.T, total]),
        b_eq=design.T @ counts[cells[0]],
        bounds=(0, None),
        method="highs",
    )
    return bool(answer.status == 0 and -answer.fun > _INTERIOR)
