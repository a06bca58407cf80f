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

from data.workspace.types import Floats, Ints
from risk.laplace.factor import Factor, Groups, Weights, times
from risk.laplace.fields import Field, Hyper
from risk.laplace.likelihood import Counts, Slopes
from risk.laplace.response import Response, Totals, moments_of, total_response


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
        pushed = course - factor.weights.times(times(factor.inner, course))
        moved = np.einsum("cdb,db->cb", factor.always, always) + np.einsum(
            "ctb,tb->cb", factor.beside, pushed
        )
        walk = np.einsum("ctb,cb->tb", factor.beside, always)
        for blocks, at in self.groups:
            walk[:, blocks] += factor.covariance[at, at] @ pushed[:, blocks]
        walk += times(factor.inner, course - factor.weights.times(walk))
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
