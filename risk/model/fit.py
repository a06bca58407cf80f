"""What a fitted risk model says: relative risks with their uncertainty, draws, forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints
from risk.laplace.hyperparameters import Node, Posterior
from risk.model.draws import Draws, Summary, relative
from risk.model.forecast import forecast_counts
from risk.model.layout import Layout
from risk.model.observations import Observations


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted risk model. Relative risks are to the country's rate on the same pathway, which is 1.

    posterior : the mixture over hyperparameters. size, seed: of the draws behind the summaries.
    gamma_prior : mean and standard deviation of the prior of gamma, the latter 0 where it is fixed.
    walks : whether areas walk on in time by themselves, or depart from their level anew in each quarter.
    """

    observations: Observations
    layout: Layout
    posterior: Posterior
    gamma_prior: tuple[float, float]
    walks: bool
    size: int
    seed: int

    @property
    def log_marginal(self) -> float:
        """The log marginal likelihood, Laplace's."""
        return self.posterior.log_marginal

    @property
    def hyper(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of each hyperparameter, by name."""
        return self.posterior.hyper()

    @cached_property
    @on_one_thread
    def gamma(self) -> tuple[float, float]:
        """Posterior mean and standard deviation of the exponent of effort."""
        at, (prior, _) = self.layout.gamma, self.gamma_prior
        if at is None:
            return prior, 0.0
        mean, sd = self.posterior.moments()
        return prior + float(mean[at]), float(sd[at])

    @cached_property
    def whole(self) -> Summary:
        """Log relative risk over the whole time, (areas, pathways)."""
        return Summary.of(self.log_risk(self.size, self.seed))

    @cached_property
    def quarterly(self) -> Summary:
        """Log relative risk by quarter, (areas, quarters, pathways)."""
        return Summary.of(relative(self.draws(self.size, self.seed).log_rate, self.observations))

    def log_risk(self, size: int, seed: int) -> Floats:
        """Draw log relative risks over the whole time, (d, areas, pathways)."""
        rate = self.draws(size, seed).log_rate
        whole = np.log(np.exp(rate).mean(axis=2, keepdims=True))
        return relative(whole, self.observations)[:, :, 0]

    @on_one_thread
    def draws(self, size: int, seed: int) -> Draws:
        """Draw from the joint posterior; the same for the same seed."""
        parts = [self._draws_at(node, count, rng) for node, count, rng in self._spread(size, seed)]
        columns = [np.concatenate([getattr(p, name) for p in parts]) for name in Draws.__dataclass_fields__]
        # Nodes come one after the other: mixed, so that any part of the draws is a sample too.
        order = np.random.default_rng([seed, 1]).permutation(size)
        return Draws(*(column[order] for column in columns))

    def forecast(self, effort: Floats, size: int, seed: int, *, published: bool = False) -> Ints:
        """Draw counts of the next quarters, (d, areas, horizon, pathways, ways); eq. (36) and (37).

        Random walks go on from the last quarter. `effort` are days of outreach, (areas, horizon).
        `published`: pass the counts through the channel, to be compared with what a release shows; HIDDEN
        where it hides.
        """
        draws = self.draws(size, seed)
        return forecast_counts(
            draws, self.observations, effort, walks=self.walks, seed=seed, published=published
        )

    def _spread(self, size: int, seed: int) -> Iterator[tuple[Node, int, np.random.Generator]]:
        """Share draws among nodes by systematic sampling."""
        rng = np.random.default_rng([seed, 0])
        edges = np.cumsum(self.posterior.weights) * size
        until = np.floor(edges + rng.random()).clip(0, size).astype(np.int64)
        until[-1] = size
        counts = np.diff(until, prepend=0)
        for node, count in zip(self.posterior.nodes, counts, strict=True):
            if count:
                yield node, int(count), rng

    def _draws_at(self, node: Node, count: int, rng: np.random.Generator) -> Draws:
        seen, layout = self.observations, self.layout
        core, local = node.factor(layout.model).draw(rng, count)
        core, local = core + node.core, local + node.local
        pathways = len(seen.pathways)
        rate = layout.rate(core, local, np.repeat(seen.features, pathways, axis=0))
        rate = rate.reshape(count, len(seen.areas), pathways, -1)
        hyper = {h.name: h.natural(t)[0] for h, t in zip(layout.model.hypers, node.theta, strict=True)}
        gamma, gap = self._gamma_and_gap(core)
        scalars = [hyper.get(name, 0.0) for name in ("kappa", "time_sd", "local_sd")]
        kappa, time_sd, local_sd = (np.full(count, value) for value in scalars)
        return Draws(np.moveaxis(rate, 2, 3), gamma, kappa, gap, time_sd, local_sd)

    def _gamma_and_gap(self, core: Floats) -> tuple[Floats, Floats]:
        at, (prior, _) = self.layout.gamma, self.gamma_prior
        gamma = np.full(len(core), prior) if at is None else prior + core[:, at]
        if len(self.layout.gaps):
            return gamma, core[:, self.layout.gaps]
        return gamma, np.zeros((len(core), len(self.observations.country_names)))
