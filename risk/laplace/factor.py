"""The factorised posterior precision of a latent Gaussian model: solving, covariances, draws.

Blocks are eliminated first, each by itself; what they give the core is added up. A random walk in the core
meets the counts of a block as the block's own course does, so that all they owe each other follows from the
weights of the periods and the inverse of the block, and no larger matrices are kept.

Axes: B blocks, T periods, n core numbers, c of them that a block touches at all times. B comes last here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri

from data.workspace.types import Floats, Ints
from risk.laplace.tridiagonal import Tridiagonal, parts

Groups = tuple[tuple[slice | Ints, slice], ...]


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of observations by period: `course` on the diagonal plus within within', both (T, B)."""

    course: Floats
    within: Floats

    @classmethod
    def of(cls, course: Floats, within: Floats) -> Weights:
        """Take them block by block, (B, T)."""
        return cls(np.ascontiguousarray(course.T), np.ascontiguousarray(within.T))

    def times(self, values: Floats) -> Floats:
        """Multiply by a vector of each block, (T, B)."""
        product: Floats = self.course * values + self.within * (self.within * values).sum(axis=0)
        return product

    def after(self, inner: Floats) -> Floats:
        """Multiply matrices by the weights, (T, T, B)."""
        product = inner * self.course
        if self.within.any():
            product += times(inner, self.within)[:, None] * self.within
        return product

    def onto(self, prior: Floats) -> Tridiagonal:
        """Factorise a prior precision (T, T) plus the weights of each block."""
        diagonal, beside, level = parts(prior)
        vectors = [np.ones_like(self.course), *([self.within] if self.within.any() else [])]
        scales = np.array([level, 1.0])[: len(vectors)]
        return Tridiagonal.of(diagonal[:, None] + self.course, beside, scales, np.stack(vectors, axis=1))

    def kept(self, inner: Floats, blocks: slice | Ints) -> Floats:
        """Add up W - W inner W over some blocks, what their walk keeps of the weights W, (T, T)."""
        inner, course, within = inner[:, :, blocks], self.course[:, blocks], self.within[:, blocks]
        kept: Floats = np.diag(course.sum(axis=1)) - np.einsum("ib,ijb,jb->ij", course, inner, course)
        if within.any():
            moved = times(inner, within)
            mixed = (course * moved) @ within.T
            kept += (within * (1.0 - (within * moved).sum(axis=0))) @ within.T - mixed - mixed.T
        return kept


@dataclass(frozen=True, eq=False)
class Factor:
    """A factorised posterior precision matrix of core and local part.

    index : positions in the core of the numbers that each block touches at all times, (c, B).
    groups : blocks that share a random walk, and where it stands in the core.
    core : lower Cholesky factor of the core's Schur complement, (n, n).
    local : factor of the blocks, None without a local part. inner : their inverse, (T, T, B), or zero.
    across : inner times what binds the local part to the core's numbers of all times, (c, T, B).
    weights : by period, what binds it to the walk.
    """

    index: Ints
    groups: Groups
    core: Floats
    local: Tridiagonal | None
    inner: Floats
    across: Floats
    weights: Weights

    @cached_property
    def log_det(self) -> float:
        """The log determinant of the whole matrix."""
        core = 2.0 * float(np.log(np.diag(self.core)).sum())
        return core if self.local is None else core + self.local.log_det

    def solve(self, core: Floats, local: Floats) -> tuple[Floats, Floats]:
        """Solve for a right-hand side of shapes (n,) and (B, T)."""
        given = np.ascontiguousarray(local.T)
        right = core - self._pushed(given)
        solved = cho_solve((self.core, True), right, check_finite=False)
        return solved, self._followed(solved, given).T

    def _pushed(self, local: Floats) -> Floats:
        """Give the core's part in a right-hand side of the local part, (T, B) to (n,)."""
        always = np.einsum("ctb,tb->cb", self.across, local)
        out: Floats = np.bincount(self.index.ravel(), always.ravel(), len(self.core)).astype(np.float64)
        if self.groups:
            course = self.weights.times(times(self.inner, local))
            for blocks, at in self.groups:
                out[at] += course[:, blocks].sum(axis=1)
        return out

    def _followed(self, core: Floats, local: Floats) -> Floats:
        """Solve for the local part, (T, B), once the core is known."""
        walk = np.zeros_like(local)
        for blocks, at in self.groups:
            walk[:, blocks] = core[at, None]
        own: Floats = times(self.inner, local - self.weights.times(walk))
        own -= np.einsum("ctb,cb->tb", self.across, core[self.index])
        return own

    @cached_property
    def covariance(self) -> Floats:
        """The covariance of the core, (n, n)."""
        lower, _ = dpotri(self.core, lower=True)
        return np.asarray(np.tril(lower) + np.tril(lower, -1).T)

    @cached_property
    def always(self) -> Floats:
        """The covariance of the numbers of all times that each block touches, (c, c, B)."""
        return np.asarray(self.covariance[self.index[:, None], self.index[None]])

    @cached_property
    def beside(self) -> Floats:
        """The covariance of those with the walk, (c, T, B), zero without one."""
        out = np.zeros_like(self.across)
        for blocks, at in self.groups:
            out[:, :, blocks] = np.moveaxis(self.covariance[self.index[:, blocks], at], 2, 1)
        return out

    @cached_property
    def answering(self) -> Floats:
        """How much of the walk the local part takes back, (T, T, B)."""
        return self.weights.after(self.inner)

    @cached_property
    def apart(self) -> Floats:
        """The covariance of the numbers of all times with what is taken of the walk, (c, T, B)."""
        out = np.empty_like(self.beside)
        for own, beside in zip(out, self.beside, strict=True):
            np.einsum("tkb,kb->tb", self.answering, beside, out=own)
        return out

    @cached_property
    def pulled(self) -> Floats:
        """The covariance of the numbers of all times with what they owe the local part, (c, T, B)."""
        out: Floats = np.einsum("cdb,dtb->ctb", self.always, self.across)
        return out

    def local_covariance(self) -> Floats:
        """Give the covariance of the local part, summed over blocks, (T, T)."""
        total: Floats = self.inner.sum(axis=2) + _summed(self.across, self.pulled)
        mixed = _summed(self.across, self.apart)
        total += mixed + mixed.T
        for blocks, at in self.groups:
            taken = self.answering[:, :, blocks]
            periods = len(taken)
            total += (self.covariance[at, at] @ taken).reshape(periods, -1) @ taken.reshape(periods, -1).T
        return total

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Draw deviations from the mean, shapes (size, n) and (size, B, T)."""
        plain = rng.standard_normal((len(self.core), size))
        core = solve_triangular(self.core, plain, lower=True, trans="T", check_finite=False).T
        periods, _, blocks = self.inner.shape
        if self.local is None:
            return core, np.zeros((size, blocks, periods))
        own = self.local.draw(np.swapaxes(rng.standard_normal((blocks, periods, size)), 0, 1))
        none = np.zeros((periods, blocks))
        pulled = np.array([self._followed(one, none) for one in core]).reshape(size, periods, blocks)
        return core, np.swapaxes(np.moveaxis(own, 2, 0) + pulled, 1, 2)


def times(inner: Floats, values: Floats) -> Floats:
    """Multiply a matrix of each block by its vector, (T, T, B) and (T, B)."""
    product: Floats = np.einsum("stb,tb->sb", inner, values)
    return product


def _summed(one: Floats, other: Floats) -> Floats:
    """Multiply over c and B, (c, T, B) each, to (T, T)."""
    product: Floats = np.einsum("ctb,csb->ts", one, other)
    return product
