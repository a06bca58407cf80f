"""The latent Gaussian model: what the counts of a cell depend on, laid out so that it can be solved fast.

Latent numbers are of two kinds. The core (intercepts, areas, time; n of them) is shared between cells and
has a dense precision matrix. The local effects belong to one block of cells (an area on one pathway), with
one number for each period. Given the core, blocks are independent: each is eliminated by itself (Schur complement),
and only the core is factorised as a whole: docs/risk-model.md eq. (4) and (23) to (25).

Axes: B blocks, m observations per block, T periods, c core effects of a block, k = c + T with those of its
random walk (k = c without one).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.workspace.types import Floats, Ints
from risk.laplace.factor import Factor, Groups, Weights, multiply_blocks
from risk.laplace.fields import Field, Hyper
from risk.laplace.likelihood import Counts, Slopes
from risk.laplace.response import Response, Totals, compute_moments, compute_total_response


@dataclass(frozen=True, eq=False)
class PriorPrecision:
    """The prior at one value of the hyperparameters.

    core, local : precision matrices, (n, n) and (T, T). log_det : log determinant of both, over all blocks.
    slopes : for each free hyperparameter of a field: the position of the field (a slice of the core, or None for the
        local effects), the derivative of its precision matrix, and that of the log determinant.
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

    For observation i of block b, eq. (4):

        log mean = offset + design @ core[core_index] + core[walk_index][period] + local[period]

    core_index : positions of the core effects of each block, (B, c). design : (B, m, c).
    walk_index : positions of the random walk of each block, (B, T), or (B, 0) if it has none.
    period : period of each observation of a block, (m,). offset : (B, m).
    cells : flat positions in B x m of the cells in `counts`; the others have no observation.
    totals : published totals of blocks, None if there are none.
    fixed_precision : prior precision of the fixed effects, which come first in the core; then the `fields`.
    local : the field of the local effects of every block, None if there is none.
    """

    core_index: Ints
    design: Floats
    walk_index: Ints
    period: Ints
    offset: Floats
    cells: Ints
    counts: Counts
    totals: Totals | None
    fixed_precision: Floats
    fields: tuple[Field, ...]
    local: Field | None
    kappa: Hyper

    @cached_property
    def size(self) -> int:
        """Length n of the core."""
        return len(self.fixed_precision) + sum(field.size for field in self.fields)

    @cached_property
    def periods(self) -> int:
        """Number T of periods."""
        return int(self.period.max()) + 1

    @cached_property
    def block_index(self) -> Ints:
        """Positions of all core numbers that a block depends on, (B, k)."""
        return np.column_stack([self.core_index, self.walk_index])

    @cached_property
    def groups(self) -> Groups:
        """The blocks of each random walk, and its position in the core; empty without walks."""
        if not self.walk_index.shape[1]:
            return ()
        starts = np.unique(self.walk_index[:, 0])
        if len(starts) == 1:  # a slice, which copies nothing
            return ((slice(None), slice(int(starts[0]), int(starts[0]) + self.periods)),)
        return tuple(
            (np.flatnonzero(self.walk_index[:, 0] == start), slice(int(start), int(start) + self.periods))
            for start in starts
        )

    @cached_property
    def core_pairs(self) -> Ints:
        """For each block, flat positions of pairs of its core effects in the matrix of the core, (c, c, B)."""
        pairs: Ints = self.core_index.T[:, None] * self.size + self.core_index.T[None]
        return pairs

    @cached_property
    def core_walk_pairs(self) -> Ints:
        """For each block, flat positions of pairs (core effect, random walk) in the matrix of the core, (c, T, B)."""
        pairs: Ints = self.core_index.T[:, None] * self.size + self.walk_index.T[None]
        return pairs

    @cached_property
    def hypers(self) -> tuple[Hyper, ...]:
        """The hyperparameters that are not fixed, in the order of theta: those of the fields, of `local`, and kappa."""
        fields = (*self.fields, *(() if self.local is None else (self.local,)))
        free = [h for field in fields for h in field.free]
        return (*free, *(() if self.kappa.prior is None else (self.kappa,)))

    @cached_property
    def in_period(self) -> Floats:
        """Indicators (0 or 1) of the period of each observation of a block, (m, T)."""
        matrix: Floats = (self.period[:, None] == np.arange(self.periods)).astype(np.float64)
        return matrix

    def log_prior(self, theta: Floats) -> tuple[float, Floats]:
        """Return the log prior density of the hyperparameters, and its gradient, (free,)."""
        both = [h.prior.log_density(t) for h, t in zip(self.hypers, theta, strict=True) if h.prior]
        return sum(value for value, _ in both), np.array([slope for _, slope in both])

    def evaluate_prior(self, theta: Floats) -> PriorPrecision:
        """Return the prior of core and local effects at the hyperparameters, (free,)."""
        core = np.zeros((self.size, self.size))
        start = len(self.fixed_precision)
        np.fill_diagonal(core[:start, :start], self.fixed_precision)
        log_det = float(np.log(self.fixed_precision).sum())
        values = iter(theta)
        slopes: list[tuple[slice | None, Floats, float]] = []
        for field in self.fields:
            place = slice(start, start + field.size)
            start = place.stop
            precision = field.precision([next(values) for _ in field.free])
            core[place, place] = precision.matrix
            log_det += precision.log_det
            slopes += [(place, *pair) for pair in zip(precision.slopes, precision.log_det_slopes, strict=True)]
        local = np.zeros((self.periods, self.periods))
        if self.local is not None:
            precision = self.local.precision([next(values) for _ in self.local.free])
            blocks, local = len(self.core_index), precision.matrix
            log_det += blocks * precision.log_det
            pairs = zip(precision.slopes, precision.log_det_slopes, strict=True)
            slopes += [(None, matrix, blocks * slope) for matrix, slope in pairs]
        kappa, _ = self.kappa.natural(next(values, 0.0))
        return PriorPrecision(core, local, log_det, tuple(slopes), kappa)

    def draw_prior(self, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Draw the hyperparameters, (free,), the core, (n,), and the local effects, (B, T), from their prior."""
        theta = np.array([h.prior.draw(rng) for h in self.hypers if h.prior])
        prior, shape = self.evaluate_prior(theta), (len(self.core_index), self.periods)
        core = np.linalg.solve(np.linalg.cholesky(prior.core).T, rng.standard_normal(self.size))
        if self.local is None:
            return theta, core, np.zeros(shape)
        return theta, core, np.linalg.solve(np.linalg.cholesky(prior.local).T, rng.standard_normal(shape).T).T

    def log_mean(self, core: Floats, local: Floats) -> Floats:
        """Return the log mean of every observation, eq. (4), (B, m)."""
        by_period = local + core[self.walk_index] if self.walk_index.shape[1] else local
        effects = (self.design @ core[self.core_index][..., None])[..., 0]
        mean: Floats = self.offset + effects + by_period[:, self.period]
        return mean

    def scatter(self, values: Floats) -> Floats:
        """Return values of observed cells, (cells,), in an array of all cells, (B, m), zero elsewhere."""
        out = np.zeros(self.offset.size)
        out[self.cells] = values
        return out.reshape(self.offset.shape)

    def gather(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the transposed design times values of observations, (B, m): for core and local, (n,) and (B, T)."""
        effects, by_period = (values[:, None, :] @ self.design)[:, 0], values @ self.in_period
        both = np.column_stack([effects, by_period]) if self.walk_index.shape[1] else effects
        core = np.bincount(self.block_index.ravel(), both.ravel(), self.size).astype(np.float64)
        return core, by_period if self.local is not None else np.zeros_like(by_period)

    def respond(self, core: Floats, local: Floats, kappa: float) -> Response:
        """Return the likelihood of all published numbers, with its slopes, at core, (n,), local, (B, T), and kappa."""
        log_mean = self.log_mean(core, local).ravel()[self.cells]
        return self.combine(self.counts.slopes(log_mean, kappa))

    def combine(self, slopes: Slopes) -> Response:
        """Return the slopes of the cells, placed in blocks, (B, m), plus those of the totals."""
        log, zero = float(slopes.log.sum()), np.zeros(self.offset.shape)
        gradient, pull, pull_slope, pull_change = self.scatter(slopes.gradient), zero, zero, zero
        if self.totals is not None:
            moments = tuple(self.scatter(moment) for moment in compute_moments(slopes))
            total = compute_total_response(self.totals, moments)
            logs, total_gradient, pull, pull_slope, pull_change = total
            log, gradient = log + float(logs.sum()), gradient + total_gradient
        return Response(
            log,
            gradient,
            self.scatter(slopes.curvature),
            self.scatter(slopes.third),
            self.scatter(slopes.information),
            pull,
            pull_slope,
            pull_change,
        )

    def factorise(self, prior: PriorPrecision, weights: Floats, pull: Floats) -> Factor:
        """Factorise the prior precision plus the weights of the observations, eq. (23).

        The weights of a block are diag(weights) + pull pull', both (B, m). Raises LinAlgError where the sum
        is not positive definite.
        """
        by_period = Weights.from_blocks(weights @ self.in_period, pull @ self.in_period)
        local = None if self.local is None else by_period.factorise_with_prior(prior.local)
        if local is None:
            local_inverse = np.zeros((self.periods, self.periods, len(self.core_index)))
        else:
            local_inverse = local.inverse()
        weighted = np.swapaxes(self.design * weights[..., None], 1, 2)
        pulled = np.swapaxes(self.design, 1, 2) @ pull[..., None]
        # What the observations add to the precision of the core effects, and between them and the periods.
        among = (weighted @ self.design + pulled @ np.swapaxes(pulled, 1, 2)).transpose(1, 2, 0)
        between = weighted @ self.in_period + pulled * by_period.vector.T[:, None, :]
        between = np.ascontiguousarray(between.transpose(1, 2, 0))
        local_shift = np.empty_like(between)
        for shift, row in zip(local_shift, between, strict=True):
            np.einsum("tub,ub->tb", local_inverse, row, out=shift)
        # Schur complement: the part that local effects absorb is subtracted.
        core = prior.core + self._sum_at(among - np.einsum("ctb,dtb->cdb", local_shift, between), self.core_pairs)
        if self.groups:
            rows = [between[c] - by_period.multiply(local_shift[c]) for c in range(len(between))]
            mixed = self._sum_at(np.array(rows), self.core_walk_pairs)
            core += mixed + mixed.T
        for blocks, position in self.groups:
            core[position, position] += by_period.reduce(local_inverse, blocks)
        cholesky = np.asarray(np.linalg.cholesky(core))
        return Factor(self.core_index.T, self.groups, cholesky, local, local_inverse, local_shift, by_period)

    def _sum_at(self, values: Floats, positions: Ints) -> Floats:
        """Return a matrix of the core, (n, n), with the sums of values at flat positions."""
        sums = np.bincount(positions.ravel(), values.ravel(), self.size**2).reshape(self.size, self.size)
        return sums.astype(np.float64, copy=False)

    def multiply_covariance(self, factor: Factor, values: Floats) -> Floats:
        """Return values, (B, m), multiplied by the posterior covariance of the log means of their block, (B, m)."""
        if not values.any():
            return np.zeros_like(values)
        effects = (values[:, None, :] @ self.design)[:, 0].T
        by_period = (values @ self.in_period).T
        effects = effects - np.einsum("ctb,tb->cb", factor.local_shift, by_period)
        walk_part = by_period - factor.weights.multiply(multiply_blocks(factor.local_inverse, by_period))
        core = np.einsum("cdb,db->cb", factor.cov_core, effects)
        core = core + np.einsum("ctb,tb->cb", factor.cov_core_full_walk, walk_part)
        walk = np.einsum("ctb,cb->tb", factor.cov_core_full_walk, effects)
        for blocks, position in self.groups:
            walk[:, blocks] += factor.covariance[position, position] @ walk_part[:, blocks]
        walk += multiply_blocks(factor.local_inverse, by_period - factor.weights.multiply(walk))
        walk -= np.einsum("ctb,cb->tb", factor.local_shift, core)
        total: Floats = (self.design @ core.T[..., None])[..., 0] + walk.T[:, self.period]
        return total

    def variances(self, factor: Factor) -> Floats:
        """Return the posterior variance of every log mean, eq. (25), (B, m)."""
        remaining = factor.cov_core_full_walk - factor.cov_core_walk  # Cov(core effects, walk that is left)
        by_period = np.einsum("ttb->tb", factor.local_inverse).copy()
        by_period += (factor.local_shift * (factor.cov_core_shift - 2.0 * remaining)).sum(axis=0)
        for blocks, position in self.groups:
            remainder = -factor.walk_absorption[:, :, blocks]
            np.einsum("ttb->tb", remainder)[:] += 1.0
            covariance = factor.covariance[position, position]
            by_period[:, blocks] += np.einsum("tkb,tkb->tb", covariance @ remainder, remainder)
        mixed = (remaining - factor.cov_core_shift).transpose(2, 1, 0)[:, self.period]
        products = (self.design @ factor.cov_core.transpose(2, 0, 1) + 2.0 * mixed) * self.design
        total: Floats = products.sum(axis=2) + by_period.T[:, self.period]
        return total

    def multiply_prior_slopes(
        self, prior: PriorPrecision, core: Floats, local: Floats
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield dQ/dtheta times (core, local) for each free hyperparameter of a field, shapes (n,) and (B, T)."""
        for place, matrix, _ in prior.slopes:
            pair = np.zeros_like(core), np.zeros_like(local)
            if place is None:
                pair[1][:] = local @ matrix
            else:
                pair[0][place] = matrix @ core[place]
            yield pair
