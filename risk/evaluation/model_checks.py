"""Checks of a fit: whether residuals of neighbours resemble one another, and whether the data are like its own.

Moran's I of the residuals, docs/risk-model.md eq. (142), and posterior predictive checks of zeros, totals and the
largest count, eq. (143): data are drawn from the fit, through the noise of the release, and compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.workspace.types import Bools, Floats, Ints
from risk.model.draws import Draws
from risk.model.forecast import replicate_counts
from risk.model.observations import Observations
from risk.numbers import stream

Kind = Literal["neighbours", "zeros", "totals", "largest"]
_YEAR, _LEVEL = 4, 0.05  # quarters; chance of a false alarm of each kind of check
_DRAWS, _PERMUTATIONS = 1000, 9999


@dataclass(frozen=True)
class Check:
    """A check, with the probability `p` of data as odd as these if the model is true.

    country, pathway : empty where it is about all. year : number of the year, from 1; 0 for the whole time.
    """

    kind: Kind
    p: float
    country: str = ""
    pathway: str = ""
    year: int = 0


def list_failures(checks: Sequence[Check]) -> list[Check]:
    """List the checks that failed: over all checks of a kind one false alarm in 20 (Bonferroni)."""
    kinds = [check.kind for check in checks]
    return [check for check in checks if check.p * kinds.count(check.kind) < _LEVEL]


def check_fit(draws: Draws, observations: Observations, seed: int) -> list[Check]:
    """Check a fit with all its draws; the same seed gives the same result."""
    some = Draws(*(getattr(draws, name)[:_DRAWS] for name in Draws.__dataclass_fields__))
    replicates = replicate_counts(some, observations, stream(seed, "replicates"))
    usable = observations.usable
    published = np.where(usable, observations.published, 0)
    # (count - mean) / standard deviation of all ways together, eq. (142), (A, T, P); 0 where nothing varies.
    drawn = (replicates * usable).sum(axis=-1)
    deviation = drawn.std(axis=0)
    away = published.sum(axis=-1) - drawn.mean(axis=0)
    residuals = np.asarray(np.divide(away, deviation, out=np.zeros_like(deviation), where=deviation > 0))
    checks = list(_check_neighbours(residuals, observations, stream(seed, "moran")))
    zeros = _compare((replicates[:, usable] == 0).sum(axis=1), (published[usable] == 0).sum())
    largest = _compare((replicates * usable).max(axis=(1, 2, 3, 4)), published.max())
    return [
        *checks,
        Check("zeros", zeros),
        Check("largest", largest),
        *_check_totals(published, replicates * usable, observations),
    ]


def _check_neighbours(residuals: Floats, observations: Observations, rng: np.random.Generator) -> Iterator[Check]:
    for number, country in enumerate(observations.country_names):
        inside = np.flatnonzero(observations.country_of == number)
        place = np.full(len(observations.areas), -1)
        place[inside] = np.arange(len(inside))
        edges = place[observations.edges]
        edges = edges[(edges >= 0).all(axis=1)]
        for position, pathway in enumerate(observations.pathways):
            if len(edges) and residuals[inside, :, position].any():
                _, p = measure_moran(residuals[inside, :, position], edges, rng, _PERMUTATIONS)
                yield Check("neighbours", p, country, pathway)


def measure_moran(values: Floats, edges: Ints, rng: np.random.Generator, permutations: int) -> tuple[float, float]:
    """Return Moran's I of values, (A, T), over all periods, eq. (142), and the p value of a positive one.

    edges : pairs of positions of areas that touch, (n, 2). Areas are permuted, each with its whole course.
    """
    away = values - values.mean(axis=0)
    products = away @ away.T
    order = rng.permuted(np.tile(np.arange(len(values)), (permutations, 1)), axis=1)
    drawn = products[order[:, edges[:, 0]], order[:, edges[:, 1]]].sum(axis=1)
    neighbours = products[edges[:, 0], edges[:, 1]].sum()
    p = (1 + (drawn >= neighbours - 1e-12).sum()) / (permutations + 1)
    return float(len(values) / len(edges) * neighbours / np.trace(products)), float(p)


def _check_totals(published: Ints, replicates: Ints, observations: Observations) -> Iterator[Check]:
    """Yield a check of the total of each country, pathway and complete year."""
    for number, country in enumerate(observations.country_names):
        inside: Bools = observations.country_of == number
        if country in observations.silent_places:
            continue
        for year in range(len(observations.quarters) // _YEAR):
            quarters = slice(_YEAR * year, _YEAR * (year + 1))
            total = published[inside, quarters].sum(axis=(0, 1, 3))
            drawn = replicates[:, inside, quarters].sum(axis=(1, 2, 4))
            for position, pathway in enumerate(observations.pathways):
                p = _compare(drawn[:, position], total[position])
                yield Check("totals", p, country, pathway, year + 1)


def _compare(drawn: Ints, published: int) -> float:
    """Return the two-sided p value of a number among those drawn, (D,); half of the ties count as larger, eq. (143)."""
    above = (np.sum(drawn > published) + 0.5 * np.sum(drawn == published) + 0.5) / (len(drawn) + 1)
    return float(min(1.0, 2 * min(above, 1 - above)))
