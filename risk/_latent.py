"""The latent Gaussian model: what the counts of a cell depend on, laid out so that it is solved fast.

Latent numbers are of two kinds. The core (intercepts, areas, time; n of them) is shared between cells and
has a dense precision matrix. The local part belongs to one block of cells, an area's on one pathway, with one
number a period; given the core, blocks are independent, so each is eliminated by itself (Schur complement)
and only the core is factorised as a whole.

Axes: B blocks, m observations a block, T periods, c core numbers that a block touches at all times, k = c + T
with those of the random walk of its group (k = c where there is none).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri

from risk._fields import Field, Hyper
from risk._likelihood import Counts, Slopes
from risk._response import Response, Totals, moments_of, total_response
from risk._tridiagonal import Tridiagonal, parts

__all__ = ["Factor", "Latent", "Setting"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
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
            product += _times(inner, self.within)[:, None] * self.within
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
            moved = _times(inner, within)
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
            course = self.weights.times(_times(self.inner, local))
            for blocks, at in self.groups:
                out[at] += course[:, blocks].sum(axis=1)
        return out

    def _followed(self, core: Floats, local: Floats) -> Floats:
        """Solve for the local part, (T, B), once the core is known."""
        walk = np.zeros_like(local)
        for blocks, at in self.groups:
            walk[:, blocks] = core[at, None]
        own: Floats = _times(self.inner, local - self.weights.times(walk))
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


@dataclass(frozen=True, eq=False)
class Setting:
    """The prior at one value of the hyperparameters.

    core, local : precision matrices, (n, n) and (T, T); log_det of both, all blocks counted.
    slopes : for each free hyperparameter of a field, where it stands (a slice of the core, or None for
        the local part), the slope of the precision matrix and of the log determinant.
    kappa : overdispersion of the counts.
    """

    core: Floats
    local: Floats
    log_det: float
    slopes: tuple[tuple[slice | None, Floats, float], ...]
    kappa: float


@dataclass(frozen=True, eq=False)
class Latent:
    """A latent Gaussian model of counts.

    log mean = offset + rows @ core[index] + core[walk][time] + local[time], for observation i of block b:
    `offset` (B, m), `rows` (B, m, c), `index` (B, c), `time` (m,), `walk` (B, T), or (B, 0) without one.
    `seen` holds the flat positions, of B x m, of the cells in `counts`; others have no observation. `totals`
    are published for whole blocks. The core starts with fixed effects of prior precision `fixed`, then come
    the `fields`; `local` is the field of every block.
    """

    index: Ints
    rows: Floats
    walk: Ints
    time: Ints
    offset: Floats
    seen: Ints
    counts: Counts
    totals: Totals | None
    fixed: Floats
    fields: tuple[Field, ...]
    local: Field | None
    kappa: Hyper

    @cached_property
    def size(self) -> int:
        """Length of the core."""
        return len(self.fixed) + sum(field.size for field in self.fields)

    @cached_property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.time.max()) + 1

    @cached_property
    def touched(self) -> Ints:
        """Positions of all core numbers that a block touches, (B, k)."""
        return np.column_stack([self.index, self.walk])

    @cached_property
    def groups(self) -> Groups:
        """The blocks of each random walk, and where it stands in the core; none without walks."""
        if not self.walk.shape[1]:
            return ()
        starts = np.unique(self.walk[:, 0])
        if len(starts) == 1:  # a slice, which copies nothing
            return ((slice(None), slice(int(starts[0]), int(starts[0]) + self.periods)),)
        return tuple(
            (np.flatnonzero(self.walk[:, 0] == at), slice(int(at), int(at) + self.periods)) for at in starts
        )

    @cached_property
    def always(self) -> Ints:
        """Flat places in the core's matrix of the pairs of numbers of all times, (c, c, B)."""
        at: Ints = self.index.T[:, None] * self.size + self.index.T[None]
        return at

    @cached_property
    def beside(self) -> Ints:
        """Flat places of the pairs of those with the walk, (c, T, B)."""
        at: Ints = self.index.T[:, None] * self.size + self.walk.T[None]
        return at

    @cached_property
    def hypers(self) -> tuple[Hyper, ...]:
        """The hyperparameters that are not fixed, in the order of theta."""
        parts = (*self.fields, *(() if self.local is None else (self.local,)))
        own = [h for field in parts for h in field.free]
        return (*own, *(() if self.kappa.prior is None else (self.kappa,)))

    @cached_property
    def at(self) -> Floats:
        """Which period each observation of a block has, (m, T), ones and zeros."""
        at: Floats = (self.time[:, None] == np.arange(self.periods)).astype(np.float64)
        return at

    def log_prior(self, theta: Floats) -> tuple[float, Floats]:
        """Give the log prior density of the hyperparameters, and its gradient."""
        both = [h.prior.log_density(t) for h, t in zip(self.hypers, theta, strict=True) if h.prior]
        return sum(value for value, _ in both), np.array([slope for _, slope in both])

    def setting(self, theta: Floats) -> Setting:
        """Evaluate the prior of core and local part."""
        core = np.zeros((self.size, self.size))
        np.fill_diagonal(core[: len(self.fixed), : len(self.fixed)], self.fixed)
        log_det = float(np.log(self.fixed).sum())
        given, start = iter(theta), len(self.fixed)
        slopes: list[tuple[slice | None, Floats, float]] = []
        for field in self.fields:
            where = slice(start, start + field.size)
            start = where.stop
            own = field.precision([next(given) for _ in field.free])
            core[where, where] = own.matrix
            log_det += own.log_det
            slopes += [(where, *pair) for pair in zip(own.slopes, own.log_det_slopes, strict=True)]
        local = np.zeros((self.periods, self.periods))
        if self.local is not None:
            own, blocks = self.local.precision([next(given) for _ in self.local.free]), len(self.index)
            local = own.matrix
            log_det += blocks * own.log_det
            slopes += [(None, m, blocks * s) for m, s in zip(own.slopes, own.log_det_slopes, strict=True)]
        kappa, _ = self.kappa.natural(next(given, 0.0))
        return Setting(core, local, log_det, tuple(slopes), kappa)

    def log_mean(self, core: Floats, local: Floats) -> Floats:
        """Give the log mean of every observation, (B, m)."""
        course = local + core[self.walk] if self.walk.shape[1] else local
        mean: Floats = self.offset + (self.rows @ core[self.index][..., None])[..., 0] + course[:, self.time]
        return mean

    def spread(self, values: Floats) -> Floats:
        """Lay values of observed cells out over blocks, zero elsewhere, (B, m)."""
        out = np.zeros(self.offset.size)
        out[self.seen] = values
        return out.reshape(self.offset.shape)

    def gather(self, values: Floats) -> tuple[Floats, Floats]:
        """Apply the transposed design to values of observations (B, m): shapes (n,) and (B, T)."""
        always, course = (values[:, None, :] @ self.rows)[:, 0], values @ self.at
        pulled = np.column_stack([always, course]) if self.walk.shape[1] else always
        summed = np.bincount(self.touched.ravel(), pulled.ravel(), self.size).astype(np.float64)
        return summed, course if self.local is not None else np.zeros_like(course)

    def respond(self, core: Floats, local: Floats, kappa: float) -> Response:
        """Evaluate the likelihood of all that is published."""
        return self.answer(self.counts.slopes(self.log_mean(core, local).ravel()[self.seen], kappa))

    def answer(self, slopes: Slopes) -> Response:
        """Lay the slopes of the cells out over blocks, and add those of the totals."""
        log, none = float(slopes.log.sum()), np.zeros(self.offset.shape)
        gradient, pull, own, every = self.spread(slopes.gradient), none, none, none
        if self.totals is not None:
            moments = tuple(self.spread(moment) for moment in moments_of(slopes))
            logs, more, pull, own, every = total_response(self.totals, moments)
            log, gradient = log + float(logs.sum()), gradient + more
        return Response(
            log,
            gradient,
            self.spread(slopes.curvature),
            self.spread(slopes.third),
            self.spread(slopes.information),
            pull,
            own,
            every,
        )

    def factorise(self, setting: Setting, weights: Floats, pull: Floats) -> Factor:
        """Factorise prior precision plus the weights of observations; LinAlgError where not positive.

        In a block the weights are `weights` (B, m) on the diagonal plus pull pull', (B, m).
        """
        by_time = Weights.of(weights @ self.at, pull @ self.at)
        local = None if self.local is None else by_time.onto(setting.local)
        inner = np.zeros((self.periods,) * 2 + (len(self.index),)) if local is None else local.inverse()
        weighted = np.swapaxes(self.rows * weights[..., None], 1, 2)
        over = np.swapaxes(self.rows, 1, 2) @ pull[..., None]
        own = (weighted @ self.rows + over @ np.swapaxes(over, 1, 2)).transpose(1, 2, 0)
        shared = weighted @ self.at + over * by_time.within.T[:, None, :]
        shared = np.ascontiguousarray(shared.transpose(1, 2, 0))
        across = np.empty_like(shared)
        for one, bound in zip(across, shared, strict=True):
            np.einsum("tub,ub->tb", inner, bound, out=one)
        core = setting.core + self._added(own - np.einsum("ctb,dtb->cdb", across, shared), self.always)
        if self.groups:
            kept = np.array([shared[c] - by_time.times(across[c]) for c in range(len(shared))])
            mixed = self._added(kept, self.beside)
            core += mixed + mixed.T
        for blocks, at in self.groups:
            core[at, at] += by_time.kept(inner, blocks)
        lower = np.asarray(np.linalg.cholesky(core))
        return Factor(self.index.T, self.groups, lower, local, inner, across, by_time)

    def _added(self, values: Floats, at: Ints) -> Floats:
        """Add up what blocks give to places of the core's matrix, (n, n)."""
        summed = np.bincount(at.ravel(), values.ravel(), self.size**2).reshape(self.size, self.size)
        return summed.astype(np.float64, copy=False)

    def spreads(self, factor: Factor, values: Floats) -> Floats:
        """Multiply values (B, m) by the posterior covariance of the log means of their block, (B, m)."""
        if not values.any():
            return np.zeros_like(values)
        always, course = (values[:, None, :] @ self.rows)[:, 0].T, (values @ self.at).T
        always = always - np.einsum("ctb,tb->cb", factor.across, course)
        pushed = course - factor.weights.times(_times(factor.inner, course))
        moved = np.einsum("cdb,db->cb", factor.always, always) + np.einsum(
            "ctb,tb->cb", factor.beside, pushed
        )
        walk = np.einsum("ctb,cb->tb", factor.beside, always)
        for blocks, at in self.groups:
            walk[:, blocks] += factor.covariance[at, at] @ pushed[:, blocks]
        walk += _times(factor.inner, course - factor.weights.times(walk))
        walk -= np.einsum("ctb,cb->tb", factor.across, moved)
        total: Floats = (self.rows @ moved.T[..., None])[..., 0] + walk.T[:, self.time]
        return total

    def variances(self, factor: Factor) -> Floats:
        """Give the posterior variance of every log mean, (B, m)."""
        walk = factor.beside - factor.apart
        course = np.einsum("ttb->tb", factor.inner).copy()
        course += (factor.across * (factor.pulled - 2.0 * walk)).sum(axis=0)
        for blocks, at in self.groups:
            left = -factor.answering[:, :, blocks]
            np.einsum("ttb->tb", left)[:] += 1.0
            course[:, blocks] += np.einsum("tkb,tkb->tb", factor.covariance[at, at] @ left, left)
        by_time = (walk - factor.pulled).transpose(2, 1, 0)[:, self.time]
        mixed = (self.rows @ factor.always.transpose(2, 0, 1) + 2.0 * by_time) * self.rows
        total: Floats = mixed.sum(axis=2) + course.T[:, self.time]
        return total

    def slopes(self, setting: Setting, core: Floats, local: Floats) -> Iterator[tuple[Floats, Floats]]:
        """Give the slopes of the prior precision times (core, local), one pair a free hyperparameter."""
        for where, matrix, _ in setting.slopes:
            pair = np.zeros_like(core), np.zeros_like(local)
            if where is None:
                pair[1][:] = local @ matrix
            else:
                pair[0][where] = matrix @ core[where]
            yield pair


def _times(inner: Floats, values: Floats) -> Floats:
    """Multiply a matrix of each block by its vector, (T, T, B) and (T, B)."""
    product: Floats = np.einsum("stb,tb->sb", inner, values)
    return product


def _summed(one: Floats, other: Floats) -> Floats:
    """Multiply over c and B, (c, T, B) each, to (T, T)."""
    product: Floats = np.einsum("ctb,csb->ts", one, other)
    return product
