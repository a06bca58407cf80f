"""The factorised posterior precision of a latent Gaussian model: solving, covariances, draws.

The local effects of each block are eliminated first, block by block (Schur complement); what they add to
the core is summed. A random walk in the core is added to the log means of a block exactly as the block's own walk
is. So all terms between a random walk and local effects follow from the weights of the periods and the inverse of
the block, and no larger matrices are kept. docs/risk-model.md eq. (23) to (25).

Axes: B blocks, T periods, n core numbers, c core effects (the core numbers on which a block depends in all
periods). B comes last here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri

from data.workspace.types import Floats, Ints
from risk.laplace.tridiagonal import Tridiagonal, split_constant

# The blocks that share a random walk, and the part of the core where it stands.
Groups = tuple[tuple[slice | Ints, slice], ...]


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights W of the observations of each block by period: diag(diagonal) + vector vector', eq. (24).

    Both have shape (T, B). The vector comes from a published total, which ties all periods together.
    """

    diagonal: Floats
    vector: Floats

    @classmethod
    def from_blocks(cls, diagonal: Floats, vector: Floats) -> Weights:
        """Build the weights from arrays with the blocks first, (B, T)."""
        return cls(np.ascontiguousarray(diagonal.T), np.ascontiguousarray(vector.T))

    def multiply(self, values: Floats) -> Floats:
        """Return W x for a vector x of each block, (T, B), or for several, (..., T, B)."""
        product: Floats = self.diagonal * values + self.vector * (self.vector * values).sum(axis=-2, keepdims=True)
        return product

    def factorise_with_prior(self, prior: Floats) -> Tridiagonal:
        """Factorise a prior precision (T, T) plus the weights of each block."""
        diagonal, beside, constant = split_constant(prior)
        vectors = [np.ones_like(self.diagonal), *([self.vector] if self.vector.any() else [])]
        scales = np.array([constant, 1.0])[: len(vectors)]
        return Tridiagonal.factorise(diagonal[:, None] + self.diagonal, beside, scales, np.stack(vectors, axis=1))

    def reduce(self, inverse: Floats, blocks: slice | Ints) -> Floats:
        """Return the sum over `blocks` of W - W inverse W, (T, T).

        These are the weights of their random walk after the local effects are eliminated.
        """
        inverse, diagonal, vector = inverse[:, :, blocks], self.diagonal[:, blocks], self.vector[:, blocks]
        reduced: Floats = np.diag(diagonal.sum(axis=1))
        reduced -= np.einsum("ib,ijb,jb->ij", diagonal, inverse, diagonal)
        if vector.any():
            moved = multiply_blocks(inverse, vector)
            mixed = (diagonal * moved) @ vector.T
            reduced += (vector * (1.0 - (vector * moved).sum(axis=0))) @ vector.T - mixed - mixed.T
        return reduced


@dataclass(frozen=True, eq=False)
class Factor:
    """A factorised posterior precision matrix of core and local effects.

    core_index : positions in the core of the core effects of each block, (c, B).
    groups : blocks that share a random walk, and its position in the core.
    core_cholesky : lower Cholesky factor of the core's Schur complement, (n, n).
    local : factor of the blocks, None without local effects. local_inverse : inverse of the blocks, (T, T, B); 0
        without local effects.
    local_shift : local_inverse times the precision between local and core effects, (c, T, B): the
        decrease of the local effects per unit increase of a core effect.
    weights : weights of the observations by period; they link local effects and the random walk.
    """

    core_index: Ints
    groups: Groups
    core_cholesky: Floats
    local: Tridiagonal | None
    local_inverse: Floats
    local_shift: Floats
    weights: Weights

    @cached_property
    def log_det(self) -> float:
        """The log determinant of the whole precision matrix, eq. (23)."""
        core = 2.0 * float(np.log(np.diag(self.core_cholesky)).sum())
        return core if self.local is None else core + self.local.log_det

    def solve(self, core: Floats, local: Floats) -> tuple[Floats, Floats]:
        """Solve for a right-hand side of shapes (n,) and (B, T); the solution has the same shapes."""
        right = np.ascontiguousarray(local.T)
        solved = cho_solve((self.core_cholesky, True), core - self._carry_to_core(right), check_finite=False)
        return solved, self._solve_local(solved[None], right)[0].T

    def _carry_to_core(self, local: Floats) -> Floats:
        """Return the term that eliminating local effects subtracts from the core's right-hand side, (T, B) to (n,)."""
        effects = np.einsum("ctb,tb->cb", self.local_shift, local)
        size = len(self.core_cholesky)
        out: Floats = np.bincount(self.core_index.ravel(), effects.ravel(), size).astype(np.float64)
        if self.groups:
            walk = self.weights.multiply(multiply_blocks(self.local_inverse, local))
            for blocks, position in self.groups:
                out[position] += walk[:, blocks].sum(axis=1)
        return out

    def _solve_local(self, core: Floats, local: Floats) -> Floats:
        """Return the local effects, (d, T, B), given solved cores, (d, n), and one right-hand side for all, (T, B)."""
        walk = np.zeros((len(core), *local.shape))
        for blocks, position in self.groups:
            walk[:, :, blocks] = core[:, position, None]
        solved: Floats = np.einsum("stb,dtb->dsb", self.local_inverse, local - self.weights.multiply(walk))
        solved -= np.einsum("ctb,dcb->dtb", self.local_shift, core[:, self.core_index])
        return solved

    @cached_property
    def covariance(self) -> Floats:
        """Cov(core), (n, n)."""
        lower, _ = dpotri(self.core_cholesky, lower=True)
        return np.asarray(np.tril(lower) + np.tril(lower, -1).T)

    @cached_property
    def cov_core(self) -> Floats:
        """Cov(core effects of a block), (c, c, B)."""
        return np.asarray(self.covariance[self.core_index[:, None], self.core_index[None]])

    @cached_property
    def cov_core_full_walk(self) -> Floats:
        """Cov(core effects, random walk), (c, T, B); zero without walks."""
        out = np.zeros_like(self.local_shift)
        for blocks, position in self.groups:
            out[:, :, blocks] = np.moveaxis(self.covariance[self.core_index[:, blocks], position], 2, 1)
        return out

    @cached_property
    def walk_absorption(self) -> Floats:
        """Decrease of the local effects per unit increase of the random walk, (T, T, B)."""
        product = self.local_inverse * self.weights.diagonal
        if self.weights.vector.any():
            product += multiply_blocks(self.local_inverse, self.weights.vector)[:, None] * self.weights.vector
        return product

    @cached_property
    def cov_core_walk(self) -> Floats:
        """Cov(core effects, part of the random walk absorbed by local effects), (c, T, B)."""
        out = np.empty_like(self.cov_core_full_walk)
        for absorbed, walk in zip(out, self.cov_core_full_walk, strict=True):
            np.einsum("tkb,kb->tb", self.walk_absorption, walk, out=absorbed)
        return out

    @cached_property
    def cov_core_shift(self) -> Floats:
        """Cov(core effects, part of the core effects absorbed by local effects), (c, T, B)."""
        out: Floats = np.einsum("cdb,dtb->ctb", self.cov_core, self.local_shift)
        return out

    def local_covariance(self) -> Floats:
        """Return Cov(local effects), summed over blocks, (T, T)."""
        total: Floats = self.local_inverse.sum(axis=2) + _sum_products(self.local_shift, self.cov_core_shift)
        mixed = _sum_products(self.local_shift, self.cov_core_walk)
        total += mixed + mixed.T
        for blocks, position in self.groups:
            absorbed = self.walk_absorption[:, :, blocks]
            periods = len(absorbed)
            product = (self.covariance[position, position] @ absorbed).reshape(periods, -1)
            total += product @ absorbed.reshape(periods, -1).T
        return total

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Draw deviations of core and local effects from their mean, shapes (size, n) and (size, B, T)."""
        normal = rng.standard_normal((len(self.core_cholesky), size))
        core = solve_triangular(self.core_cholesky, normal, lower=True, trans="T", check_finite=False).T
        periods, _, blocks = self.local_inverse.shape
        if self.local is None:
            return core, np.zeros((size, blocks, periods))
        local = self.local.draw(np.swapaxes(rng.standard_normal((blocks, periods, size)), 0, 1))
        # Given the core, local effects vary around their conditional mean.
        mean = self._solve_local(core, np.zeros((periods, blocks)))
        return core, np.swapaxes(np.moveaxis(local, 2, 0) + mean, 1, 2)


def multiply_blocks(matrices: Floats, values: Floats) -> Floats:
    """Return the product of each block's matrix, (T, T, B), and its vector, (T, B), in the shape (T, B)."""
    product: Floats = np.einsum("stb,tb->sb", matrices, values)
    return product


def _sum_products(first: Floats, second: Floats) -> Floats:
    """Return the products of two arrays, (c, T, B) each, summed over c and B, (T, T)."""
    product: Floats = np.einsum("ctb,csb->ts", first, second)
    return product
