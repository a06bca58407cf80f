"""A fitted risk model: relative risks, draws from the joint posterior, forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints
from risk.laplace.hyperparameters import Node, Posterior
from risk.model.draws import Draws, subtract_national_rate
from risk.model.forecast import forecast_counts
from risk.model.layout import Layout
from risk.model.observations import Observations
from risk.model.spread import draw_course, draw_log_detection


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
        """Draw log relative risks of being found, from rates averaged over the whole time, eq. (35), (size, A, P)."""
        return self.average(self.draws(size, seed).log_rate)

    def log_need(self, size: int, seed: int) -> Floats:
        """Draw log relative need over the whole time, eq. (39), (size, A, P)."""
        return self.average(self.draws(size, seed).log_need_rate)

    def average(self, log_rate: Floats) -> Floats:
        """Return logs of rates over the whole time, relative to the country, (D, A, P); log_rate is (D, A, T, P)."""
        mean = np.log(np.exp(log_rate).mean(axis=2, keepdims=True))
        return subtract_national_rate(mean, self.observations)[:, :, 0]

    def draws(self, size: int, seed: int, spread: float | None = None) -> Draws:
        """Draw `size` times from the joint posterior, eq. (34); the same seed gives the same draws.

        spread : of log detection between areas, if it is taken as known. It changes log_detection and nothing else.
        """
        return self._draw(size, seed, spread)

    @lru_cache(maxsize=1)  # noqa: B019 (one fit's draws are asked for again and again)
    @on_one_thread
    def _draw(self, size: int, seed: int, spread: float | None) -> Draws:
        draws, cores = self._draw_rates(size, seed)
        apart = np.random.default_rng([seed, 3])  # for detection alone, so that nothing else depends on it
        parts = [self._draw_detection_over_time(node, core, apart, spread) for node, core in cores]
        detection, spreads = (self._shuffle(np.concatenate(column), seed) for column in zip(*parts, strict=True))
        return replace(draws, log_detection=detection, spread=spreads)

    @lru_cache(maxsize=1)  # noqa: B019 (the same for every spread)
    @on_one_thread
    def _draw_rates(self, size: int, seed: int) -> tuple[Draws, list[tuple[Node, Floats]]]:
        """Draw everything but detection, which is 0 here; return also the draws of the core at each node, (d, n)."""
        parts, cores = list[Draws](), list[tuple[Node, Floats]]()
        for node, count, rng in self._allocate(size, seed):
            core, local = node.factor(self.layout.model).draw(rng, count)
            cores.append((node, core + node.core))
            undetected = np.zeros((count, 1, 1)), np.zeros(count)
            parts.append(self.read_draws(node.theta, cores[-1][1], local + node.local, undetected))
        columns = (np.concatenate([getattr(p, name) for p in parts]) for name in Draws.__dataclass_fields__)
        return Draws(*(self._shuffle(column, seed) for column in columns)), cores

    @lru_cache(maxsize=1)  # noqa: B019
    @on_one_thread
    def draw_area_effects(self, size: int, seed: int) -> tuple[Floats, Floats]:
        """Draw the values of the area field, eq. (34), (size, A, P), and log detection given them, (size, A).

        The same seed gives the same draws.
        """
        parts, apart = [], np.random.default_rng([seed, 4])
        for node, count, rng in self._allocate(size, seed):
            effects = self._read_effects(node.factor(self.layout.model).draw(rng, count)[0] + node.core)
            parts.append((effects, self._draw_detection(node, effects, apart)[0]))
        effects, detection = (self._shuffle(np.concatenate(column), seed) for column in zip(*parts, strict=True))
        return effects, detection

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

    def _read_effects(self, core: Floats) -> Floats:
        """Return the values of the area field, (d, A, P), from draws of the core."""
        return core[:, self.layout.area].reshape(len(core), len(self.observations.areas), -1)

    def _draw_detection(
        self, node: Node, effects: Floats, rng: np.random.Generator, spread: float | None = None
    ) -> tuple[Floats, Floats]:
        """Draw log detection, (d, A), and its spread, (d,), given draws of the area effects at a node, (d, A, P)."""
        field = self.layout.model.fields[0]
        theta = iter(node.theta)  # the area field has the first of the free hyperparameters
        hypers = (field.sd, field.structured, field.common)
        sd, structured, common = (h.natural(next(theta) if h.prior is not None else 0.0)[0] for h in hypers)
        return draw_log_detection(effects, field.structure, (sd, structured, common), rng, spread)

    def _draw_detection_over_time(
        self, node: Node, core: Floats, rng: np.random.Generator, spread: float | None
    ) -> tuple[Floats, Floats]:
        """Draw log detection over time, (d, A, T), and its spread, (d,), given draws of the core at a node, (d, n)."""
        detection, spreads = self._draw_detection(node, self._read_effects(core), rng, spread)
        time_sd = self._name_hypers(node.theta).get("time_sd", 0.0)
        return detection[:, :, None] + self._draw_course(core, time_sd, rng), spreads

    def _name_hypers(self, theta: Floats) -> dict[str, float]:
        """Return the free hyperparameters `theta` on their natural scales, by name."""
        return {h.name: h.natural(t)[0] for h, t in zip(self.layout.model.hypers, theta, strict=True)}

    def read_draws(self, theta: Floats, core: Floats, local: Floats, detection: tuple[Floats, Floats]) -> Draws:
        """Return rates and effects from latent numbers, (d, n) and (d, B, T), at the hyperparameters `theta`.

        detection : log detection of each area over time and its spread, (d, A, T) and (d,).
        """
        observations, layout, count = self.observations, self.layout, len(core)
        pathways = len(observations.pathways)
        log_rate = layout.log_rate(core, local, np.repeat(observations.features, pathways, axis=0))
        log_rate = log_rate.reshape(count, len(observations.areas), pathways, -1)
        hyper = self._name_hypers(theta)
        gamma, gap = self._read_gamma_and_gap(core)
        scalars = [hyper.get(name, 0.0) for name in ("kappa", "time_sd", "local_sd")]
        kappa, time_sd, local_sd = (np.full(count, value) for value in scalars)
        breaks = core[:, layout.breaks]
        return Draws(np.moveaxis(log_rate, 2, 3), gamma, kappa, gap, breaks, *detection, time_sd, local_sd)

    def _draw_course(self, core: Floats, sd: float, rng: np.random.Generator) -> Floats:
        """Return how log detection changed over time, from draws of the core, (d, A, T); (d, A, 1) without walks."""
        country_of, walk = self.observations.country_of, self.layout.time
        if not walk.shape[1]:
            return np.zeros((len(core), len(country_of), 1))
        first = np.unique(country_of, return_index=True)[1]  # all areas of a country have its walks
        walks = core[:, walk.reshape(len(country_of), -1, walk.shape[1])[first]]
        return draw_course(walks, self.layout.model.fields[1].structure, sd, rng)[:, country_of]

    def _read_gamma_and_gap(self, core: Floats) -> tuple[Floats, Floats]:
        """Return gamma, (d,), and the reporting gaps, (d, countries), 0 if not in the model, from draws of the core."""
        position, (prior, _) = self.layout.gamma, self.gamma_prior
        gamma = np.full(len(core), prior) if position is None else prior + core[:, position]
        if len(self.layout.gaps):
            return gamma, core[:, self.layout.gaps]
        return gamma, np.zeros((len(core), len(self.observations.country_names)))
