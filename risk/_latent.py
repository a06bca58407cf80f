"""The latent Gaussian model: what the counts of a cell depend on, laid out so that it is solved fast.

Latent numbers are of two kinds. The core (intercepts, areas, time; n of them) is shared between cells and
has a dense precision matrix. The local part belongs to one block of cells, an area's on one pathway, with one
number a period; given the core, blocks are independent, so each is eliminated by itself (Schur complement)
and only the core is factorised as a whole.

Axes: B blocks, m observations a block, k core numbers that a block touches, T periods of the local part, 0
where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular

from risk._fields import Field, Hyper
from risk._likelihood import Counts
from risk._response import Response, Totals, moments_of, total_response

__all__ = ["Factor", "Latent", "Setting"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Factor:
    """A factorised posterior precision matrix of core and local part.

    core : lower Cholesky factor of the core's Schur complement, (n, n).
    local : lower Cholesky factors of the blocks, (B, T, T); inner: the inverse of the blocks.
    across : what the local part owes to the core, (B, k, T).
    """

    index: Ints
    core: Floats
    local: Floats
    inner: Floats
    across: Floats

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

    def local_covariance(self) -> Floats:
        """Give the covariance of the local part, summed over blocks, (T, T)."""
        total: Floats = (self.inner + np.swapaxes(self.across, 1, 2) @ self.touched @ self.across).sum(axis=0)
        return total

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Draw deviations from the mean, shapes (size, n) and (size, B, T)."""
        plain = rng.standard_normal((len(self.core), size))
        core = solve_triangular(self.core, plain, lower=True, trans="T", check_finite=False).T
        blocks, periods = self.local.shape[:2]
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

    log mean = offset + rows @ core[index] + local[time], for observation i of block b: `offset` (B, m),
    `rows` (B, m, k), `index` (B, k), `time` (m,). `seen` holds the flat positions, of B x m, of the cells in
    `counts`; others have no observation. `totals` are published for whole blocks. The core starts with fixed effects of prior precision `fixed`, then
    come the `fields`; `local` is the field of every block.
    """

    index: Ints
    rows: Floats
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
        """Length of the local part of a block."""
        return 0 if self.local is None else self.local.size

    @cached_property
    def hypers(self) -> tuple[Hyper, ...]:
        """The hyperparameters that are not fixed, in the order of theta."""
        parts = (*self.fields, *(() if self.local is None else (self.local,)))
        own = [h for field in parts for h in field.free]
        return (*own, *(() if self.kappa.prior is None else (self.kappa,)))

    @cached_property
    def at(self) -> Floats:
        """Which period of the local part each observation of a block has, (m, T), ones and zeros."""
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
        local = np.zeros((0, 0))
        if self.local is not None:
            own, blocks = self.local.precision([next(given) for _ in self.local.free]), len(self.index)
            local = own.matrix
            log_det += blocks * own.log_det
            slopes += [(None, m, blocks * s) for m, s in zip(own.slopes, own.log_det_slopes, strict=True)]
        kappa, _ = self.kappa.natural(next(given, 0.0))
        return Setting(core, local, log_det, tuple(slopes), kappa)

    def log_mean(self, core: Floats, local: Floats) -> Floats:
        """Give the log mean of every observation, (B, m)."""
        mean: Floats = self.offset + (self.rows @ core[self.index][..., None])[..., 0] + local @ self.at.T
        return mean

    def spread(self, values: Floats) -> Floats:
        """Lay values of observed cells out over blocks, zero elsewhere, (B, m)."""
        out = np.zeros(self.offset.size)
        out[self.seen] = values
        return out.reshape(self.offset.shape)

    def gather(self, values: Floats) -> tuple[Floats, Floats]:
        """Apply the transposed design to values of observations (B, m): shapes (n,) and (B, T)."""
        pulled = (values[:, None, :] @ self.rows)[:, 0]
        summed = np.bincount(self.index.ravel(), pulled.ravel(), self.size)
        return summed.astype(np.float64), values @ self.at

    def respond(self, core: Floats, local: Floats, kappa: float) -> Response:
        """Evaluate the likelihood of all that is published."""
        slopes = self.counts.slopes(self.log_mean(core, local).ravel()[self.seen], kappa)
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

    def factorise(self, setting: Setting, weights: Floats, pull: Floats | None = None) -> Factor:
        """Factorise prior precision plus the weights of observations; LinAlgError where not positive.

        In a block the weights are `weights` (B, m) on the diagonal plus pull pull', (B, m).
        """
        weighted = np.swapaxes(self.rows * weights[..., None], 1, 2)
        blocks = setting.local + (weights @ self.at)[:, :, None] * np.eye(self.periods)
        shared, own = weighted @ self.at, weighted @ self.rows
        if pull is not None:
            over = np.swapaxes(self.rows, 1, 2) @ pull[..., None]
            within = (pull @ self.at)[:, None, :]
            blocks = blocks + np.swapaxes(within, 1, 2) @ within
            shared, own = shared + over @ within, own + over @ np.swapaxes(over, 1, 2)
        local = np.linalg.cholesky(blocks)
        inner = np.linalg.inv(blocks)
        across = shared @ inner
        own = own - across @ np.swapaxes(shared, 1, 2)
        flat = self.index[:, :, None] * self.size + self.index[:, None, :]
        summed = np.bincount(flat.ravel(), own.ravel(), self.size**2).reshape(self.size, self.size)
        core = np.linalg.cholesky(summed + setting.core)
        return Factor(self.index, np.asarray(core), np.asarray(local), np.asarray(inner), across)

    def spreads(self, factor: Factor, values: Floats) -> Floats:
        """Multiply values (B, m) by the posterior covariance of the log means of their block, (B, m)."""
        rows = self._free_rows(factor)
        pulled = factor.touched @ (np.swapaxes(rows, 1, 2) @ values[..., None])
        within = (factor.inner @ (values @ self.at)[..., None])[..., 0] @ self.at.T
        total: Floats = (rows @ pulled)[..., 0] + within
        return total

    def _free_rows(self, factor: Factor) -> Floats:
        """Give the design of the core once the local part has followed it, (B, m, k)."""
        rows: Floats = self.rows - self.at @ np.swapaxes(factor.across, 1, 2)
        return rows

    def variances(self, factor: Factor) -> Floats:
        """Give the posterior variance of every log mean, (B, m)."""
        rows = self._free_rows(factor)
        within = np.diagonal(factor.inner, axis1=1, axis2=2) @ self.at.T
        total: Floats = ((rows @ factor.touched) * rows).sum(axis=2) + within
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
