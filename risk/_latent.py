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
from scipy.linalg.lapack import dpotrf, dpotri

from risk._fields import Field, Hyper
from risk._likelihood import Counts, Slopes
from risk._response import Response, Totals, moments_of, total_response

__all__ = ["Factor", "Latent", "Setting"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Factor:
    """A factorised posterior precision matrix of core and local part.

    index : positions in the core of the numbers that each block touches, (B, k).
    core : lower Cholesky factor of the core's Schur complement, (n, n).
    local : lower Cholesky factors of the blocks, (B, T, T), (B, 0, 0) without a local part.
    inner : the inverse of the blocks, (B, T, T), zero without a local part.
    across : what the local part owes to the core, (B, k, T).
    always : c of the k, which a block touches at all times.
    """

    index: Ints
    core: Floats
    local: Floats
    inner: Floats
    across: Floats
    always: int

    @cached_property
    def log_det(self) -> float:
        """The log determinant of the whole matrix."""
        diagonals = np.diagonal(self.local, axis1=1, axis2=2)
        return 2.0 * float(np.log(np.diag(self.core)).sum() + np.log(diagonals).sum())

    def solve(self, core: Floats, local: Floats) -> tuple[Floats, Floats]:
        """Solve for a right-hand side of shapes (n,) and (B, T)."""
        pushed = (self.across @ local[..., None])[..., 0]
        right = core - np.bincount(self.index.ravel(), pushed.ravel(), len(core))
        solved = cho_solve((self.core, True), right, check_finite=False)
        return solved, (self.inner @ local[..., None])[..., 0] - self._pulled(solved)

    def _pulled(self, core: Floats) -> Floats:
        pulled: Floats = (core[self.index][:, None, :] @ self.across)[:, 0]
        return pulled

    @cached_property
    def covariance(self) -> Floats:
        """The covariance of the core, (n, n)."""
        return np.asarray(cho_solve((self.core, True), np.eye(len(self.core)), check_finite=False))

    @cached_property
    def touched(self) -> Floats:
        """The covariance of the core numbers that each block touches, (B, k, k)."""
        return np.asarray(self.covariance[self.index[:, :, None], self.index[:, None, :]])

    @cached_property
    def free(self) -> Floats:
        """How a block's log means move with the core once its local part has followed, (B, k, c + T).

        First the numbers of all times, then the walk and the local part together.
        """
        size = self.always + self.inner.shape[1]
        moved = np.zeros((*self.index.shape, size))
        moved[:, :, self.always :] = -self.across
        moved += np.eye(self.index.shape[1], size)
        return moved

    def local_covariance(self) -> Floats:
        """Give the covariance of the local part, summed over blocks, (T, T)."""
        total: Floats = (self.inner + np.swapaxes(self.across, 1, 2) @ self.touched @ self.across).sum(axis=0)
        return total

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Draw deviations from the mean, shapes (size, n) and (size, B, T)."""
        plain = rng.standard_normal((len(self.core), size))
        core = solve_triangular(self.core, plain, lower=True, trans="T", check_finite=False).T
        blocks, periods = self.inner.shape[:2]
        if not self.local.size:
            return core, np.zeros((size, blocks, periods))
        own = np.linalg.solve(np.swapaxes(self.local, 1, 2), rng.standard_normal((blocks, periods, size)))
        pulled = np.swapaxes(self.across, 1, 2) @ core.T[self.index]
        return core, np.moveaxis(own - pulled, 2, 0)


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
        course, within = weights @ self.at, pull @ self.at
        local, inner = self._inner(setting, course, within)
        weighted = np.swapaxes(self.rows * weights[..., None], 1, 2)
        over = np.swapaxes(self.rows, 1, 2) @ pull[..., None]
        shared = weighted @ self.at + over @ within[:, None, :]
        across = shared @ inner
        own = weighted @ self.rows + over @ np.swapaxes(over, 1, 2) - across @ np.swapaxes(shared, 1, 2)
        if self.walk.shape[1]:
            own, across = _with_walk(own, shared, across, inner, course, within)
        index = self.touched
        flat = index[:, :, None] * self.size + index[:, None, :]
        summed = np.bincount(flat.ravel(), own.ravel(), self.size**2).reshape(self.size, self.size)
        core = np.linalg.cholesky(summed + setting.core)
        return Factor(index, np.asarray(core), local, inner, across, self.index.shape[1])

    def _inner(self, setting: Setting, course: Floats, within: Floats) -> tuple[Floats, Floats]:
        """Give the Cholesky factor of the local part of each block, and its inverse."""
        if self.local is None:
            blocks, periods = course.shape
            return np.zeros((blocks, 0, 0)), np.zeros((blocks, periods, periods))
        return _inverted(setting.local + _weights(course, within))

    def spreads(self, factor: Factor, values: Floats) -> Floats:
        """Multiply values (B, m) by the posterior covariance of the log means of their block, (B, m)."""
        course = values @ self.at
        given = np.concatenate([(values[:, None, :] @ self.rows)[:, 0], course], axis=1)
        moved = factor.touched @ (factor.free @ given[..., None])
        joint = (np.swapaxes(factor.free, 1, 2) @ moved)[..., 0]
        always = self.rows.shape[2]
        joint[:, always:] += (factor.inner @ course[..., None])[..., 0]
        total: Floats = (self.rows @ joint[:, :always, None])[..., 0] + joint[:, always:][:, self.time]
        return total

    def variances(self, factor: Factor) -> Floats:
        """Give the posterior variance of every log mean, (B, m)."""
        always = self.rows.shape[2]
        moved = factor.touched @ factor.free
        joint = np.swapaxes(factor.free[:, :, :always], 1, 2) @ moved
        course = (factor.free[:, :, always:] * moved[:, :, always:]).sum(axis=1)
        course += np.diagonal(factor.inner, axis1=1, axis2=2)
        by_time = np.swapaxes(joint[:, :, always:], 1, 2)[:, self.time]
        mixed = (self.rows @ joint[:, :, :always] + 2.0 * by_time) * self.rows
        total: Floats = mixed.sum(axis=2) + course[:, self.time]
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


def _inverted(blocks: Floats) -> tuple[Floats, Floats]:
    """Give the Cholesky factor and the inverse of each of many small matrices, (B, T, T).

    One by one through LAPACK: from its factor an inverse costs a third of what numpy's costs. Raises
    LinAlgError where one is not positive definite.
    """
    local, inner = np.empty_like(blocks), np.empty_like(blocks)
    for i, block in enumerate(blocks):
        local[i], failed = dpotrf(block, lower=True)
        if failed:
            msg = "A block is not positive definite."
            raise np.linalg.LinAlgError(msg)
        inner[i], _ = dpotri(local[i], lower=True)
    # LAPACK fills the lower triangle alone.
    upper = np.triu_indices(blocks.shape[1], 1)
    inner[:, upper[0], upper[1]] = inner[:, upper[1], upper[0]]
    return local, inner


def _weights(course: Floats, within: Floats) -> Floats:
    """Give the weights by period of each block, diagonal `course` plus within within', (B, T, T)."""
    blocks, periods = course.shape
    each = np.arange(periods)
    whole = np.zeros((blocks, periods, periods))
    if within.any():
        np.multiply(within[:, :, None], within[:, None, :], out=whole)
    whole[:, each, each] += course
    return whole


def _with_walk(
    own: Floats, shared: Floats, across: Floats, inner: Floats, course: Floats, within: Floats
) -> tuple[Floats, Floats]:
    """Add the random walk to what blocks give the core: it meets the counts as the local part does.

    With weights W by period the walk owes W inner to the local part, and keeps W - W inner W. W is a diagonal
    and a product of vectors, so that no matrices need to be multiplied.
    """
    pushed = inner * course[:, None, :]
    always, each = own.shape[1], np.arange(course.shape[1])
    whole = np.empty((len(own), always + len(each), always + len(each)))
    kept = whole[:, always:, always:]
    if within.any():
        pushed += (inner @ within[..., None]) * within[:, None, :]
        np.multiply(within[:, :, None], within[:, None, :] - within[:, None, :] @ pushed, out=kept)
        kept -= course[:, :, None] * pushed
    else:
        np.multiply(-course[:, :, None], pushed, out=kept)
    kept[:, each, each] += course
    beside = shared - shared @ pushed
    whole[:, :always, :always] = own
    whole[:, :always, always:], whole[:, always:, :always] = beside, np.swapaxes(beside, 1, 2)
    return whole, np.concatenate([across, np.swapaxes(pushed, 1, 2)], axis=1)
