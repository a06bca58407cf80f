"""Whether neighbouring areas have like values: Moran's I, Geary's C, local Moran and Getis-Ord Gi*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from data.errors import InputError
from data.workspace.types import Floats, Ints
from risk.numbers import stream

__all__ = [
    "Autocorrelation",
    "LocalAutocorrelation",
    "benjamini_hochberg",
    "geary",
    "getis_ord",
    "local_moran",
    "moran",
]

Statistic = Callable[[Floats], Floats]
_BLOCK = 1000  # permutations held at once


@dataclass(frozen=True)
class Autocorrelation:
    """One statistic for a whole map.

    `z` is the normal deviate under randomisation (Cliff and Ord 1981); `p` compares with permutations, on
    the side where the statistic lies, as other programs do.
    """

    statistic: float
    expected: float
    z: float
    p: float
    permutations: int


@dataclass(frozen=True, eq=False)
class LocalAutocorrelation:
    """One statistic for each of A areas; not a number for an island, which has nothing to compare with.

    statistic : (A,), for Gi* a normal deviate.
    p : pseudo p value from conditional permutations, on the side where the statistic lies (Anselin 1995).
    q : the least false discovery rate at which the area is among the discoveries (Benjamini and Hochberg
        1995), from twice p since its side is chosen by looking.
    kind : "high" (high among high), "low", "high among low", "low among high", "island".
    """

    statistic: Floats
    p: Floats
    q: Floats
    kind: tuple[str, ...]

    def found(self, rate: float = 0.05) -> npt.NDArray[np.bool_]:
        """Say which areas are discoveries at a false discovery rate, (A,)."""
        return np.asarray(self.q <= rate)


def benjamini_hochberg(p: Floats) -> Floats:
    """Give the least false discovery rate at which each p value is a discovery; unknown ones stay so."""
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out


def moran(values: Floats, edges: Ints, permutations: int = 9999, seed: int = 0) -> Autocorrelation:
    """Moran's I with row-standardised weights of neighbours (Moran 1950).

    values : (A,), edges : (n, 2) pairs of positions.
    """
    weights = _weights(edges, len(values))
    z = _centred(values)
    total, squares = weights.sum(), (z**2).sum()

    def statistic(columns: Floats) -> Floats:
        return np.asarray(len(z) / total * (columns * (weights @ columns)).sum(axis=0) / squares)

    observed = float(statistic(z[:, None])[0])
    expected = -1.0 / (len(z) - 1)
    deviation = np.sqrt(_moran_variance(weights, z))
    p = _global_p(statistic, z, observed, permutations, seed, "moran")
    return Autocorrelation(observed, expected, float((observed - expected) / deviation), p, permutations)


def geary(values: Floats, edges: Ints, permutations: int = 9999, seed: int = 0) -> Autocorrelation:
    """Geary's C with row-standardised weights of neighbours (Geary 1954); below 1: neighbours are alike.

    values : (A,), edges : (n, 2) pairs of positions.
    """
    weights = _weights(edges, len(values))
    z = _centred(values)
    sums = np.asarray(weights.sum(axis=1) + weights.sum(axis=0))
    factor = (len(z) - 1) / (2.0 * weights.sum() * (z**2).sum())

    def statistic(columns: Floats) -> Floats:
        cross = (columns * (weights @ columns)).sum(axis=0)
        return np.asarray(factor * (sums @ columns**2 - 2.0 * cross))

    observed = float(statistic(z[:, None])[0])
    p = _global_p(statistic, z, observed, permutations, seed, "geary")
    deviation = np.sqrt(_geary_variance(weights, z))
    return Autocorrelation(observed, 1.0, float((observed - 1.0) / deviation), p, permutations)


def local_moran(values: Floats, edges: Ints, permutations: int = 9999, seed: int = 0) -> LocalAutocorrelation:
    """Local Moran: each area's deviation times the mean deviation of its neighbours (Anselin 1995).

    values : (A,), edges : (n, 2) pairs of positions.
    """
    z = _centred(values)
    lag, p = _conditional(z, edges, permutations, seed)
    statistic = (len(z) - 1) * z * lag / (z**2).sum()
    return LocalAutocorrelation(statistic, p, _controlled(p), _kinds(z, lag))


def getis_ord(values: Floats, edges: Ints, permutations: int = 9999, seed: int = 0) -> LocalAutocorrelation:
    """Getis-Ord Gi* as a normal deviate, binary weights, the area itself included (Ord and Getis 1995).

    values : (A,), edges : (n, 2) pairs of positions. Given its own value an area's Gi* orders the
    permutations as the mean of its neighbours does, so the p values are those of the local Moran.
    """
    z = _centred(values)
    size = len(z)
    degree = np.bincount(edges.ravel(), minlength=size).astype(float)
    lag, p = _conditional(z, edges, permutations, seed)
    near = degree + 1.0
    spread = np.sqrt((z**2).mean() * (size * near - near**2) / (size - 1))
    statistic = (z + degree * lag) / spread
    # Gi* is about the area together with its neighbours, so it knows no mixed kinds.
    kind = tuple("island" if np.isnan(g) else "high" if g > 0 else "low" for g in statistic)
    return LocalAutocorrelation(statistic, p, _controlled(p), kind)


def _controlled(p: Floats) -> Floats:
    return benjamini_hochberg(np.minimum(2.0 * p, 1.0))


def _kinds(z: Floats, lag: Floats) -> tuple[str, ...]:
    names = {(True, True): "high", (False, False): "low", (True, False): "high among low"}
    pairs = zip(z, lag, strict=True)
    return tuple(
        "island" if np.isnan(around) else names.get((bool(own > 0), bool(around > 0)), "low among high")
        for own, around in pairs
    )


def _centred(values: Floats) -> Floats:
    """Take the mean off; refuse what has no variation or unknown values."""
    z: Floats = np.asarray(values, float) - np.mean(values)
    if len(z) < 3 or not np.isfinite(z).all() or not (np.abs(z) > 1e-12 * np.max(np.abs(values))).any():
        msg = "Autocorrelation needs three or more known values that are not all the same."
        raise InputError(msg)
    return z


def _weights(edges: Ints, size: int) -> csr_array:
    """Row-standardised weights of neighbours, (size, size); islands have a row of zeros."""
    both = np.concatenate([edges, edges[:, ::-1]])
    degree = np.bincount(both[:, 0], minlength=size)
    return csr_array((1.0 / degree[both[:, 0]], (both[:, 0], both[:, 1])), shape=(size, size))


def _sums(weights: csr_array) -> tuple[float, float, float]:
    """S0, S1 and S2 of Cliff and Ord (1981)."""
    both = (weights + weights.T).toarray()
    rows_and_columns = np.asarray(weights.sum(axis=1) + weights.sum(axis=0))
    return float(weights.sum()), float((both**2).sum() / 2.0), float((rows_and_columns**2).sum())


def _moran_variance(weights: csr_array, z: Floats) -> float:
    """Variance of I under randomisation (Cliff and Ord 1981, page 21)."""
    n = float(len(z))
    s0, s1, s2 = _sums(weights)
    kurtosis = (z**4).mean() / (z**2).mean() ** 2
    upper = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    upper -= kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    return float(upper / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1.0 / (n - 1) ** 2)


def _geary_variance(weights: csr_array, z: Floats) -> float:
    """Variance of C under randomisation (Cliff and Ord 1981, page 21)."""
    n = float(len(z))
    s0, s1, s2 = _sums(weights)
    kurtosis = (z**4).mean() / (z**2).mean() ** 2
    first = (n - 1) * s1 * (n**2 - 3 * n + 3 - (n - 1) * kurtosis)
    second = 0.25 * (n - 1) * s2 * (n**2 + 3 * n - 6 - (n**2 - n + 2) * kurtosis)
    third = s0**2 * (n**2 - 3 - (n - 1) ** 2 * kurtosis)
    return float((first - second + third) / (n * (n - 2) * (n - 3) * s0**2))


def _global_p(
    statistic: Statistic, z: Floats, observed: float, permutations: int, seed: int, name: str
) -> float:
    """Compare with permutations of the whole map, on the side where the statistic lies."""
    rng = stream(seed, name)
    above = below = 0
    for start in range(0, permutations, _BLOCK):
        columns = np.tile(z[:, None], min(_BLOCK, permutations - start))
        simulated = statistic(rng.permuted(columns, axis=0))
        above += int((simulated >= observed).sum())
        below += int((simulated <= observed).sum())
    return (min(above, below) + 1) / (permutations + 1)


def _conditional(z: Floats, edges: Ints, permutations: int, seed: int) -> tuple[Floats, Floats]:
    """Give the mean of each area's neighbours and its pseudo p value, the area's own value held fixed.

    The same permutations serve every area, each skipping the area itself.
    """
    size = len(z)
    degree = np.bincount(edges.ravel(), minlength=size)
    lag = np.asarray(_weights(edges, size) @ z)
    rng = stream(seed, "conditional")
    most = max(int(degree.max(initial=0)), 1)
    above, below = np.zeros(size), np.zeros(size)
    for start in range(0, permutations, _BLOCK):
        ranks = rng.random((min(_BLOCK, permutations - start), size - 1))
        chosen = np.argsort(ranks, axis=1)[:, :most]
        for area in np.flatnonzero(degree):
            near = chosen[:, : degree[area]]
            simulated = z[near + (near >= area)].mean(axis=1)
            # Sums in another order differ in the last bit, and ties count on both sides.
            close = 1e-12 * max(abs(lag[area]), 1.0)
            above[area] += (simulated >= lag[area] - close).sum()
            below[area] += (simulated <= lag[area] + close).sum()
    p = (np.minimum(above, below) + 1.0) / (permutations + 1.0)
    island = degree == 0
    return np.where(island, np.nan, lag), np.where(island, np.nan, p)
