"""What a fitted risk model says: relative risks with their uncertainty, draws, forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.workspace.types import Floats, Ints
from risk.laplace.hyperparameters import Node, Posterior
from risk.model.forecast import forecast
from risk.model.layout import Layout
from risk.model.observations import Observations

__all__ = ["Draws", "Fit", "Summary", "relative"]


QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


@dataclass(frozen=True, eq=False)
class Summary:
    """Mean, standard deviation and quantiles of numbers of any one shape; quantiles have it behind theirs."""

    mean: Floats
    sd: Floats
    quantiles: Floats
    levels: tuple[float, ...] = QUANTILES

    @classmethod
    def of(cls, draws: Floats) -> Summary:
        """Summarise draws, the first axis."""
        return cls(draws.mean(axis=0), draws.std(axis=0), np.quantile(draws, QUANTILES, axis=0))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Give the ends of the central interval of a level: 0.95, 0.8 or 0.5."""
        low, high = (self.levels.index(round((1.0 + side * level) / 2.0, 3)) for side in (-1, 1))
        return self.quantiles[low], self.quantiles[high]


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws from the joint posterior.

    log_rate : children found in a quarter by reports (or by all ways, or by a usual effort where there is no
        report) for a child living there, its log, (d, areas, quarters, pathways).
    gamma, kappa : exponent of effort and overdispersion, (d,); gap: log of reports over finds at a usual
        effort, (d, countries).
    time_sd, local_sd : standard deviation of a quarter's step of country and of area, (d,), 0 where none.
    """

    log_rate: Floats
    gamma: Floats
    kappa: Floats
    gap: Floats
    time_sd: Floats
    local_sd: Floats


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
    def gamma(self) -> tuple[float, float]:
        """Posterior mean and standard deviation of the exponent of effort."""
        at, (prior, _) = self.layout.gamma, self.gamma_prior
        if at is None:
            return prior, 0.0
        mean, sd = self.posterior.moments()
        return prior + float(mean[at]), float(sd[at])

    @cached_property
    def coefficients(self) -> dict[str, tuple[float, float]]:
        """Posterior mean and standard deviation of each covariate's effect, by name."""
        mean, sd = self.posterior.moments()
        names = self.observations.covariate_names
        return {n: (float(mean[i]), float(sd[i])) for n, i in zip(names, self.layout.covariates, strict=True)}

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

    def draws(self, size: int, seed: int) -> Draws:
        """Draw from the joint posterior; the same for the same seed."""
        parts = [self._draws_at(node, count, rng) for node, count, rng in self._spread(size, seed)]
        columns = [np.concatenate([getattr(p, name) for p in parts]) for name in Draws.__dataclass_fields__]
        # Nodes come one after the other: mixed, so that any part of the draws is a sample too.
        order = np.random.default_rng([seed, 1]).permutation(size)
        return Draws(*(column[order] for column in columns))

    def forecast(
        self, horizon: int, effort: Floats, size: int, seed: int, *, published: bool = False
    ) -> Ints:
        """Draw counts of the next quarters, (d, areas, horizon, pathways, ways).

        Random walks go on from the last quarter. `effort` are days, (areas, horizon). `published`: pass the
        counts through the channel, to be compared with what a release shows; HIDDEN where it hides.
        """
        return forecast(self, horizon, effort, size, seed, published=published)

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


def relative(log_rate: Floats, seen: Observations) -> Floats:
    """Divide rates by their country's, children taken as weights; the areas stand on the second axis."""
    out = np.empty_like(log_rate)
    for country in range(len(seen.country_names)):
        inside = seen.country_of == country
        weights = seen.expected[inside] / seen.expected[inside].sum()
        own = log_rate[:, inside]
        national = np.log(np.einsum("a,da...->d...", weights, np.exp(own)))
        out[:, inside] = own - national[:, None]
    return out
