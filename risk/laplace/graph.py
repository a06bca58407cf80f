"""Graphs of neighbours, and smooth fields over them: docs/risk-model.md eq. (13), (14) and (17).

An intrinsic field (Besag, York and Mollie 1991) has the precision matrix D - A, with the number of neighbours on the
diagonal. It does not determine the level of each connected part, so each part is constrained to sum to zero. How far
the field varies depends on the graph. If its covariance is divided by the geometric mean of its variances, a standard
deviation means the same on any graph (Riebler et al. 2016). Connected parts are scaled one by one, and an area without
neighbours has a plain normal effect (Freni-Sterrantino et al. 2018). A random walk in time is the intrinsic field of a
chain, not scaled, so that its standard deviation is that of one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.workspace.types import Floats, Ints

_ZERO = 1e-9  # of the largest eigenvalue


@dataclass(frozen=True, eq=False)
class Structure:
    """An intrinsic field over n areas, given by its spectrum.

    labels : connected part of each area, (n,).
    vectors, variances : the covariance is vectors @ diag(variances) @ vectors.T, shapes (n, n) and (n,); a variance is
        0 for the level of each connected part. Eigenvectors are not unique: use them only in products such as
        `product`, which are.
    """

    labels: Ints
    vectors: Floats
    variances: Floats

    @property
    def size(self) -> int:
        """Number n of areas."""
        return len(self.variances)

    def product(self, values: Floats) -> Floats:
        """Return the matrix, (n, n), with the field's eigenvectors and the eigenvalues `values`, (n,).

        `values` must be a function of `variances`; otherwise the result would not be unique.
        """
        matrix: Floats = (self.vectors * values) @ self.vectors.T
        return matrix

    def root(self) -> Floats:
        """Return the symmetric root of the covariance matrix, (n, n)."""
        return self.product(np.sqrt(self.variances))


def build_structure(size: int, edges: Ints, *, scaled: bool = True) -> Structure:
    """Return the intrinsic field of a graph; computed once, since studies fit many worlds on the same graph.

    `edges` holds each pair of neighbours once, by position, (edges, 2).
    """
    return _build_structure(size, np.ascontiguousarray(edges, dtype=np.int64).tobytes(), scaled)


def build_chain(length: int) -> Structure:
    """Return the field of a random walk over `length` periods that sums to zero, eq. (17); steps have variance 1."""
    start = np.arange(length - 1, dtype=np.int64)
    return build_structure(length, np.column_stack([start, start + 1]), scaled=False)


def find_edges(codes: Sequence[str], pairs: Iterable[tuple[str, str]]) -> Ints:
    """Return the pairs of two different codes of `codes`, as positions, sorted and each once, (pairs, 2)."""
    position = {code: i for i, code in enumerate(codes)}
    valid_pairs = [(a, b) for a, b in pairs if a in position and b in position and a != b]
    edges = {tuple(sorted((position[a], position[b]))) for a, b in valid_pairs}
    return np.array(sorted(edges), dtype=np.int64).reshape(-1, 2)


@lru_cache(maxsize=64)
def _build_structure(size: int, pairs: bytes, scaled: bool) -> Structure:
    edges = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
    # The connected part, from 0, to which each area belongs, (size,).
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size))
    labels: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    vectors, variances = np.eye(size), np.ones(size)
    for part in np.flatnonzero(np.bincount(labels) > 1):
        inside = np.flatnonzero(labels == part)
        part_vectors, variance = _compute_spectrum(inside, edges[labels[edges[:, 0]] == part])
        if scaled:
            variance = variance / np.exp(np.mean(np.log((part_vectors**2) @ variance)))  # eq. (14)
        vectors[np.ix_(inside, inside)] = part_vectors
        variances[inside] = variance
    for array in (labels, vectors, variances):
        array.flags.writeable = False
    return Structure(labels, vectors, variances)


def _compute_spectrum(inside: Ints, edges: Ints) -> tuple[Floats, Floats]:
    """Return eigenvectors, (n, n), and inverse eigenvalues, (n,), of one part's precision, eq. (13); 0 for the level.

    inside : positions of the n areas of the part, sorted. edges : pairs of positions within the part, (edges, 2).
    """
    first, second = np.searchsorted(inside, edges).T
    precision = np.zeros((len(inside), len(inside)))
    precision[first, second] = precision[second, first] = -1.0
    np.fill_diagonal(precision, -precision.sum(axis=1))
    values, vectors = np.linalg.eigh(precision)
    positive = values > _ZERO * values[-1]
    return vectors, np.where(positive, 1.0 / np.where(positive, values, 1.0), 0.0)
