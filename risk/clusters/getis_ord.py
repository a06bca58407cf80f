"""Getis-Ord Gi*: where an area and its neighbours together have high or low values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.numbers import stream

_BLOCK = 1000  # permutations held at once


@dataclass(frozen=True, eq=False)
class LocalStatistic:
    """Gi* of each of A areas, all arrays (A,).

    They are NaN for an area without neighbours, and for an area that touches all other areas.

    statistic : the standard normal deviate.
    p : one-sided pseudo p value from conditional permutations, the smaller of both sides (Anselin 1995).
    q : the smallest false discovery rate at which the area is a discovery (Benjamini and Hochberg 1995); computed from
        2 p, because the data decide which side is tested.
    """

    statistic: Floats
    p: Floats
    q: Floats


def compute_getis_ord(values: Floats, edges: Ints, permutations: int = 9999, seed: int = 0) -> LocalStatistic:
    """Compute Gi* with binary weights, the area itself included: docs/risk-model.md eq. (56).

    Ord and Getis (1995). `values` (A,); `edges` (n, 2), pairs of positions of neighbours. Raises InputError
    where values are unknown, fewer than three, or all the same.
    """
    z = np.asarray(values, float) - np.mean(values)
    if len(z) < 3 or not np.isfinite(z).all() or not (np.abs(z) > 1e-12 * np.max(np.abs(values))).any():
        raise InputError("Gi* needs three or more known values that are not all the same.")
    size = len(z)
    degree = np.bincount(edges.ravel(), minlength=size)
    neighbour_mean, p = _compare_with_permutations(z, edges, degree, permutations, seed)
    near = degree + 1.0
    spread = np.sqrt((z**2).mean() * (size * near - near**2) / (size - 1))
    # With all areas near, the sum is zero whatever the values are, and so is its spread.
    statistic = (z + degree * neighbour_mean) / np.where(near < size, spread, np.nan)
    p = np.where(near < size, p, np.nan)
    return LocalStatistic(statistic, p, benjamini_hochberg(np.minimum(2.0 * p, 1.0)))


def benjamini_hochberg(p: Floats) -> Floats:
    """Return the smallest false discovery rate at which each p value, (n,), is a discovery; NaN stays NaN."""
    from scipy.stats import false_discovery_control

    q = np.full(len(p), np.nan)
    known = ~np.isnan(p)
    q[known] = false_discovery_control(p[known])
    return q


def _compare_with_permutations(
    z: Floats, edges: Ints, degree: Ints, permutations: int, seed: int
) -> tuple[Floats, Floats]:
    """Return the mean of each area's neighbours and its pseudo p value, (A,) each, NaN without neighbours; eq. (57).

    An area keeps its own value while the others are permuted. Given that value, Gi* orders the permutations
    as the mean of the neighbours does. All areas use the same permutations, each without the area itself.
    """
    size = len(z)
    both = np.concatenate([edges, edges[:, ::-1]])
    weights = csr_array((1.0 / degree[both[:, 0]], (both[:, 0], both[:, 1])), shape=(size, size))
    lag = np.asarray(weights @ z)
    rng = stream(seed, "conditional")
    most = max(int(degree.max(initial=0)), 1)
    above, below = np.zeros(size), np.zeros(size)
    for start in range(0, permutations, _BLOCK):
        ranks = rng.random((min(_BLOCK, permutations - start), size - 1))
        samples = np.argsort(ranks, axis=1)[:, :most]
        for area in np.flatnonzero(degree):
            near = samples[:, : degree[area]]
            simulated = z[near + (near >= area)].mean(axis=1)
            # Sums in another order differ in the last bit, and ties count on both sides.
            close = 1e-12 * max(abs(lag[area]), 1.0)
            above[area] += (simulated >= lag[area] - close).sum()
            below[area] += (simulated <= lag[area] + close).sum()
    p = (np.minimum(above, below) + 1.0) / (permutations + 1.0)
    island = degree == 0
    return np.where(island, np.nan, lag), np.where(island, np.nan, p)
