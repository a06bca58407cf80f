"""Checks that the model does not score communities or reinforce its own searches; shown on the Method page.

**Proxy audit.** Layers of communities never enter the model: `risk.model.observations` reads no such table,
and a test that removes them finds the same risk. The audit measures how well a ranking of risk could still be
guessed from where communities live.

**Feedback test** (Ensign et al. 2018): what happens to a programme that searches where it found children
before. An urn starts with one ball for each area. Each visit goes to an area with a probability equal to its
share of the balls, and finds a child with a probability equal to the area's true rate. If the programme learns
from a visit that finds a child, a ball of the area is added. If it learns from every such visit, this is Pólya's
urn: with equal rates it ends anywhere, with unequal rates far from the truth, because the search decides who is
found. If it learns with a probability equal to the other areas' share, then in an urn of two areas, an area
visited twice as often counts half as much for each child found. Such an urn stays near the truth, but an urn of
more areas does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from data.errors import InputError
from data.release import Release
from data.workspace.types import Floats, Ints
from risk.model.observations import Observations
from risk.numbers import stream

# A rule returns the probability, (runs,), that the programme learns from a visit that finds a child. Its arguments are
# each area's share of the balls, (runs, A), and the position of the area visited, (runs,).
Rule = Callable[[Floats, Ints], Floats]
_FEWEST = 4  # areas with an estimate
_RESAMPLES = 2000
_DRIFT = 0.1  # the largest distance of a share from the truth, in the middle 90 % of runs, that is no drift


@dataclass(frozen=True)
class ProxyCheck:
    """Rank correlation, -1 to 1, of risk with estimated communities in a country, with its 95 % bootstrap interval.

    areas : number of areas with an estimate.
    """

    country: str
    pathway: str
    areas: int
    correlation: float
    low: float
    high: float


@dataclass(frozen=True)
class Drift:
    """How far a rule of learning drifts away from the truth, in the area with the largest drift.

    truth : the area's rate divided by the sum of all rates. low, high : 5th and 95th percentile of the learnt share
    over the runs. drifts : whether `low` or `high` is more than 0.1 away from `truth`. All shares are from 0 to 1.
    """

    truth: float
    low: float
    high: float
    drifts: bool


def check_safeguards(release: Release, observations: Observations, log_risk: Floats) -> dict[str, Any]:
    """Return both checks as plain values for a manifest; `log_risk` are draws, (d, areas, pathways)."""
    rules = {"finds_alone": learn_all, "corrected": learn_by_share_of_others}
    return {
        "proxy": [asdict(c) for c in audit_proxy(release, observations, np.median(log_risk, axis=0))],
        "feedback": {name: asdict(measure_drift(rule)) for name, rule in rules.items()},
    }


def read_drift(manifest: Mapping[str, Any], rule: str) -> Drift | None:
    """Read the drift of a rule from what `check_safeguards` returned; None if that has no such drift."""
    drift = (manifest.get("feedback") or {}).get(rule)
    return Drift(**drift) if isinstance(drift, Mapping) else None


def audit_proxy(release: Release, observations: Observations, risk: Floats, seed: int = 0) -> list[ProxyCheck]:
    """Correlate ranks of risk, (areas, pathways), with estimated communities per child, by country: eq. (70).

    The list is empty if no layer of communities is released. It leaves out countries without any count and outreach,
    with too few areas that have an estimate, or with the same estimate in all areas. The estimate of an area is the
    lower end of its newest class, the largest over all groups.
    """
    name = next((n for n in release.tables if n.startswith("communities_region_")), None)
    if name is None:
        return []
    table = release.table(name)
    table = table[table["state"] == "class"].sort_values("period", kind="stable")
    least = table.groupby(["area", "group"], observed=True)["low"].last().astype(float)
    estimate = least.groupby(level="area").max().reindex(list(observations.areas)).to_numpy(dtype=float)
    rng = np.random.default_rng(seed)
    checks = []
    for i, country in enumerate(observations.country_names):
        if country in observations.silent_places:
            continue
        inside = np.flatnonzero((observations.country_of == i) & ~np.isnan(estimate))
        if len(inside) < _FEWEST or len(np.unique(estimate[inside])) < 2:
            continue
        for place, pathway in enumerate(observations.pathways):
            value, low, high = _correlate_ranks(
                risk[inside, place], estimate[inside] / observations.living[inside], rng
            )
            ends = (round(number, 3) for number in (value, low, high))
            checks.append(ProxyCheck(country, pathway, len(inside), *ends))
    return checks


def _correlate_ranks(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the rank correlation of two series, (areas,), and the ends of its 95 % bootstrap interval."""
    from scipy.stats import rankdata

    samples = rng.integers(0, len(first), (_RESAMPLES, len(first)))
    samples = samples[[len(set(sample)) > 2 for sample in samples.tolist()]]
    correlations = _correlate_rows(rankdata(first[samples], axis=1), rankdata(second[samples], axis=1))
    low, high = np.nanquantile(correlations, [0.025, 0.975])
    return float(_correlate_rows(rankdata(first), rankdata(second))), float(low), float(high)


def _correlate_rows(first: Floats, second: Floats) -> Floats:
    """Return the correlation of each row of two arrays, (..., n); NaN where a row does not vary."""
    first, second = (values - values.mean(axis=-1, keepdims=True) for values in (first, second))
    spread = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    product = (first * second).sum(axis=-1)
    return np.asarray(np.divide(product, spread, out=np.full(spread.shape, np.nan), where=spread > 0))


def learn_all(_share: Floats, area: Ints) -> Floats:
    """Return probability 1, (runs,): the programme learns from every visit that finds a child."""
    return np.ones(len(area))


def learn_by_share_of_others(share: Floats, area: Ints) -> Floats:
    """Return the other areas' share of the balls, (runs,): with it, an urn of two areas stays near the truth."""
    return 1.0 - np.take_along_axis(share, area[:, None], axis=1)[:, 0]


def draw_urn(rates: tuple[float, ...], rule: Rule, *, visits: int = 2000, runs: int = 4000, seed: int = 0) -> Floats:
    """Draw the share of the balls that each area has after all visits, (runs, A): eq. (71).

    rates : for each of two or more areas, the probability that a visit finds a child.
    rule : returns the probability that the programme learns from a visit that found a child.
    visits, runs, seed : number of visits in each run, number of runs, and the seed of the random numbers.

    Raises InputError if a rate is not a probability, or if there is only one area.
    """
    if len(rates) < 2 or not all(0.0 <= rate <= 1.0 for rate in rates):
        raise InputError(f"An urn needs the rates of two areas or more, each from 0 to 1, not {rates!r}.")
    rng = stream(seed, "urn")
    chance, each = np.array(rates), np.arange(runs)
    balls = np.ones((runs, len(rates)))
    for _ in range(visits):
        place, chance_found, chance_learnt = rng.random((3, runs))
        share = balls / balls.sum(axis=1, keepdims=True)
        area = (place[:, None] >= np.cumsum(share, axis=1)[:, :-1]).sum(axis=1)
        learnt = (chance_found < chance[area]) & (chance_learnt < rule(share, area))
        balls[each[learnt], area[learnt]] += 1.0
    return np.asarray(balls / balls.sum(axis=1, keepdims=True))


@lru_cache(maxsize=16)
def measure_drift(rule: Rule, rates: tuple[float, ...] = (0.5, 0.5)) -> Drift:
    """Compute how far the shares learnt by a rule end up from the true shares, in the area with the largest distance.

    `rates` as in `draw_urn`. Raises InputError if none is above 0, and the errors of `draw_urn`.
    """
    if not any(rate > 0 for rate in rates):
        raise InputError("Where nothing can be found nothing is learnt; give a rate above 0.")
    shares = draw_urn(rates, rule, runs=1000)
    low, high = np.quantile(shares, [0.05, 0.95], axis=0)
    truth = np.array(rates) / sum(rates)
    distance = np.maximum(truth - low, high - truth)
    area = int(distance.argmax())
    return Drift(float(truth[area]), float(low[area]), float(high[area]), bool((distance > _DRIFT).any()))
