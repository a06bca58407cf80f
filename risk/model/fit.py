"""A fitted risk model: relative risks, draws from the joint posterior, forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints
from risk.laplace.hyperparameters import Node, Posterior
from risk.model.draws import Draws, subtract_national_rate
from risk.model.forecast import forecast_counts
from risk.model.layout import Layout
from risk.model.observations import Observations


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted risk model. Relative risks are ratios to the country's rate on the same pathway.

    posterior : the mixture over hyperparameters.
    gamma_prior : mean and standard deviation of the prior of gamma; the deviation is 0 where gamma is fixed.
    """

    observations: Observations
    layout: Layout
    posterior: Posterior
    gamma_prior: tuple[float, float]

    @property
    def hyper(self) -> dict[str, tuple[float, float]]:
        """Posterior mean and standard deviation of each hyperparameter, by name."""
        return self.posterior.hyper()

    @cached_property
    @on_one_thread
    def gamma(self) -> tuple[float, float]:
        """Posterior mean and standard deviation of the exponent of effort."""
        position, (prior, _) = self.layout.gamma, self.gamma_prior
        if position is None:
            return prior, 0.0
        mean, sd = self.posterior.moments()
        return prior + float(mean[position]), float(sd[position])

    def log_risk(self, size: int, seed: int) -> Floats:
        """Draw log relative risks, from rates averaged over the whole time, eq. (35), (size, A, P)."""
        rate = np.exp(self.draws(size, seed).log_rate)
        mean = np.log(rate.mean(axis=2, keepdims=True))
        return subtract_national_rate(mean, self.observations)[:, :, 0]

    @lru_cache(maxsize=1)  # noqa: B019 (one fit's draws are asked for again and again)
    @on_one_thread
    def draws(self, size: int, seed: int) -> Draws:
        """Draw `size` times from the joint posterior, eq. (34); the same seed gives the same draws."""
        parts = [self._draw_at(node, count, rng) for node, count, rng in self._allocate(size, seed)]
        columns = (np.concatenate([getattr(p, name) for p in parts]) for name in Draws.__dataclass_fields__)
        return Draws(*(self._shuffle(column, seed) for column in columns))

    @on_one_thread
    def draw_area_effects(self, size: int, seed: int) -> Floats:
        """Draw the values of the area field, eq. (34), (size, A, P); the same seed gives the same draws."""
        model, area = self.layout.model, self.layout.area
        nodes = self._allocate(size, seed)
        parts = [node.factor(model).draw(rng, count)[0][:, area] + node.core[area] for node, count, rng in nodes]
        return self._shuffle(np.concatenate(parts), seed).reshape(size, len(self.observations.areas), -1)

    @staticmethod
    def _shuffle(draws: Floats, seed: int) -> Floats:
        """Return the draws in random order, so that any part of them is a sample, too: they are drawn node by node."""
        return draws[np.random.default_rng([seed, 1]).permutation(len(draws))]

    def forecast(self, effort: Floats, size: int, seed: int, *, published: bool = False) -> Ints:
        """Draw counts of the next quarters, eq. (36) and (37), (size, A, horizon, P, W).

        Random walks continue from the last quarter. `effort` are days of outreach, (A, horizon). With `published` the
        counts pass through the channel, to be compared with what a release shows; counts that it hides are HIDDEN.
        Raises InputError where `effort` has another shape.
        """
        draws = self.draws(size, seed)
        return forecast_counts(draws, self.observations, effort, seed=seed, published=published)

    def _allocate(self, size: int, seed: int) -> Iterator[tuple[Node, int, np.random.Generator]]:
        """Yield each node with draws, its number of draws, and the random numbers that all nodes share.

        The numbers of draws are in proportion to the weights of the nodes, by systematic sampling.
        """
        rng = np.random.default_rng([seed, 0])
        edges = np.cumsum(self.posterior.weights) * size
        until = np.floor(edges + rng.random()).clip(0, size).astype(np.int64)
        until[-1] = size
        counts = np.diff(until, prepend=0)
        for node, count in zip(self.posterior.nodes, counts, strict=True):
            if count:
                yield node, int(count), rng

    def _draw_at(self, node: Node, count: int, rng: np.random.Generator) -> Draws:
        """Draw `count` times from the Gaussian posterior at the hyperparameters of one node."""
        core, local = node.factor(self.layout.model).draw(rng, count)
        return self.read_draws(node.theta, core + node.core, local + node.local)

    def read_draws(self, theta: Floats, core: Floats, local: Floats) -> Draws:
        """Return rates and effects from latent numbers, (d, n) and (d, B, T), at the hyperparameters `theta`."""
        observations, layout, count = self.observations, self.layout, len(core)
        pathways = len(observations.pathways)
        log_rate = layout.log_rate(core, local, np.repeat(observations.features, pathways, axis=0))
        log_rate = log_rate.reshape(count, len(observations.areas), pathways, -1)
        hyper = {h.name: h.natural(t)[0] for h, t in zip(layout.model.hypers, theta, strict=True)}
        gamma, gap = self._read_gamma_and_gap(core)
        scalars = [hyper.get(name, 0.0) for name in ("kappa", "time_sd", "local_sd")]
        kappa, time_sd, local_sd = (np.full(count, value) for value in scalars)
        return Draws(np.moveaxis(log_rate, 2, 3), gamma, kappa, gap, core[:, layout.breaks], time_sd, local_sd)

    def _read_gamma_and_gap(self, core: Floats) -> tuple[Floats, Floats]:
        """Return gamma, (d,), and the reporting gaps, (d, countries), 0 if not in the model, from draws of the core."""
        position, (prior, _) = self.layout.gamma, self.gamma_prior
        gamma = np.full(len(core), prior) if position is None else prior + core[:, position]
        if len(self.layout.gaps):
            return gamma, core[:, self.layout.gaps]
        return gamma, np.zeros((len(core), len(self.observations.country_names)))
