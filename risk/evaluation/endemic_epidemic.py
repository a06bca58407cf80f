"""The standard epidemic model of the field, as a rival of the risk model: endemic and epidemic parts.

It follows Held, Höhle and Hofmann (2005) and Paul and Held (2011). A count is negative binomial, and its mean has three
parts: one from the area's count in the quarter before, one from its neighbours' counts, and an endemic part with
season, population and a random effect of the area, docs/risk-model.md eq. (90). The model is fitted by penalised
maximum likelihood, one pathway at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma

from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints
from risk.evaluation.levels import share_by_population, smooth_count
from risk.evaluation.panel import Panel
from risk.evaluation.scores import log_negative_binomial
from risk.numbers import stream

_SPREADS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5)  # standard deviations of the areas' effects that are tried
_TWO_YEARS = 8  # quarters; with fewer, a season cannot be distinguished from a trend
_LAG = (-12.0, float(np.log(0.95)))  # bounds of the log share of a count that is added to the next quarter's mean
_SIZE = (float(np.log(0.05)), float(np.log(1e4)))
_LEVEL = 12.0  # how far a country's log rate may lie from its mean
FEWEST = 4  # quarters


@dataclass(frozen=True, eq=False)
class _Series:
    """The counts of one pathway and the covariates of eq. (90).

    counts : NaN where unknown, (A, T). filled : the counts with gaps filled, (A, T). around : the sums that an area
    receives from its neighbours, (A, T). season : sine and cosine, (T, 2). expected : children who live there, (A, T).
    country : the position of each area's country, (A,). level : the mean log rate of each country, (C,).
    """

    counts: Floats
    filled: Floats
    around: Floats
    season: Floats
    expected: Floats
    country: Ints
    level: Floats


@dataclass(frozen=True, eq=False)
class _Estimate:
    """The estimates.

    values : log rate by country, season, log shares of own and neighbours' counts, log size, and area effects, joined,
    (C + 5 + A,). countries : their number C. spread : standard deviation of the area effects.
    """

    values: Floats
    countries: int
    spread: float

    def unpack(self) -> tuple[Floats, Floats, float, float, float, Floats]:
        """Return log rate by country, (C,), season, (2,), shares of own and neighbours' counts, size, effects, (A,)."""
        c, v = self.countries, self.values
        persistence, near, size = np.exp(v[c + 2 : c + 5])
        return v[:c], v[c : c + 2], float(persistence), float(near), float(size), v[c + 5 :]


@on_one_thread
def draw_forecast(history: Panel, horizon: int, draws: int, seed: int) -> Floats:
    """Draw counts after a history of at least FEWEST quarters, eq. (90), (draws, A, horizon, P)."""
    rng = stream(seed, "endemic-epidemic")
    spread = spread_to_neighbours(history.edges, len(history.areas))
    out = np.empty((draws, len(history.areas), horizon, len(history.pathways)))
    for pathway in range(out.shape[3]):
        series = _read_series(history, pathway, spread)
        out[..., pathway] = _simulate(series, _fit(series), spread, out.shape[:3], rng)
    return out


def spread_to_neighbours(edges: Ints, size: int) -> Floats:
    """Return the share of each area's count (columns) that each neighbour (rows) receives, (A, A).

    Columns sum to 1, or to 0 for an area without neighbours. edges : pairs of positions of areas that touch, (n, 2).
    """
    touching = np.zeros((size, size))
    touching[edges[:, 0], edges[:, 1]] = touching[edges[:, 1], edges[:, 0]] = 1.0
    share: Floats = touching / np.maximum(touching.sum(axis=0), 1.0)
    return share


def _read_series(history: Panel, pathway: int, spread: Floats) -> _Series:
    counts = history.counts[:, :, pathway]
    known = ~np.isnan(counts)
    share = share_by_population(history)[:, pathway]
    _, first, country = np.unique(history.countries, return_index=True, return_inverse=True)
    level = np.log(share / history.expected[:, -1])[first]  # the same in all areas of a country
    usual = smooth_count(np.nansum(counts, axis=1), known.sum(axis=1).astype(float), share)
    filled = np.where(known, counts, usual[:, None])
    return _Series(
        counts, filled, spread @ filled, _season(np.arange(counts.shape[1])), history.expected, country, level
    )


def _season(quarter: Ints) -> Floats:
    """Return sine and cosine of a year of four quarters, (T, 2)."""
    turn = np.pi / 2.0 * quarter
    return np.column_stack([np.sin(turn), np.cos(turn)])


def _fit(series: _Series) -> _Estimate:
    """Estimate eq. (90). The standard deviation of area effects maximises Laplace's marginal likelihood, eq. (91)."""
    areas, countries = len(series.expected), len(series.level)
    start = np.concatenate([series.level, [0.0, 0.0, np.log(0.1), np.log(0.05), np.log(3.0)], np.zeros(areas)])
    years = series.counts.shape[1] >= _TWO_YEARS
    bounds = [(level - _LEVEL, level + _LEVEL) for level in series.level]
    bounds += [(-3.0, 3.0) if years else (0.0, 0.0)] * 2 + [_LAG, _LAG, _SIZE] + [(-6.0, 6.0)] * areas
    best, best_value = _Estimate(start, countries, _SPREADS[0]), -np.inf
    for sd in _SPREADS:
        optimum = minimize(_penalised, start, (series, sd), method="L-BFGS-B", jac=True, bounds=bounds)
        start = optimum.x
        estimate = _Estimate(optimum.x, countries, sd)
        value = -optimum.fun - 0.5 * np.log1p(sd**2 * _information(series, estimate)).sum()
        if value > best_value:
            best, best_value = estimate, value
    return best


def _means(series: _Series, estimate: _Estimate) -> tuple[Floats, Floats]:
    """Return the mean and its endemic part for every quarter except the first, (A, T - 1) each."""
    level, season, persistence, near, _, effects = estimate.unpack()
    log_rate = (level[series.country] + effects)[:, None] + (series.season[1:] @ season)[None]
    endemic = series.expected[:, 1:] * np.exp(log_rate)
    return endemic + persistence * series.filled[:, :-1] + near * series.around[:, :-1], endemic


def _penalised(values: Floats, series: _Series, sd: float) -> tuple[float, Floats]:
    """Return the negative penalised log likelihood, and its gradient with respect to all values."""
    estimate = _Estimate(values, len(series.level), sd)
    _, _, persistence, near, size, effects = estimate.unpack()
    mean, endemic = _means(series, estimate)
    counts = series.counts[:, 1:]
    known = ~np.isnan(counts)
    cases = np.where(known, counts, 0.0)
    fit = np.where(known, log_negative_binomial(cases, mean, np.full_like(mean, size)), 0.0).sum()
    by_mean = np.where(known, cases / mean - (cases + size) / (mean + size), 0.0)
    by_size = digamma(cases + size) - digamma(size) + np.log(size / (mean + size)) + 1 - (cases + size) / (mean + size)
    by_rate = by_mean * endemic
    by_area = by_rate.sum(axis=1)
    gradient = np.concatenate(
        [
            np.bincount(series.country, by_area, len(series.level)),
            by_rate.sum(axis=0) @ series.season[1:],
            [
                persistence * (by_mean * series.filled[:, :-1]).sum(),
                near * (by_mean * series.around[:, :-1]).sum(),
                size * by_size[known].sum(),
            ],
            by_area - effects / sd**2,
        ]
    )
    return float((effects**2).sum() / (2.0 * sd**2) - fit), -gradient


def _information(series: _Series, estimate: _Estimate) -> Floats:
    """Return the expected information on each area's effect, (A,)."""
    mean, endemic = _means(series, estimate)
    size = estimate.unpack()[4]
    known = ~np.isnan(series.counts[:, 1:])
    return np.asarray((known * endemic**2 / (mean + mean**2 / size)).sum(axis=1))


def _simulate(
    series: _Series, estimate: _Estimate, spread: Floats, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """Draw counts quarter by quarter, (draws, A, horizon); areas' effects are drawn, too, with their uncertainty."""
    draws, areas, horizon = shape
    level, season_effect, persistence, near, size, effects = estimate.unpack()
    deviation = 1.0 / np.sqrt(_information(series, estimate) + estimate.spread**-2)
    season = _season(series.counts.shape[1] + np.arange(horizon)) @ season_effect
    log_rate = level[series.country] + effects + deviation * rng.standard_normal((draws, areas))
    before = np.broadcast_to(series.filled[:, -1], (draws, areas))
    # A forecast that depends on its own counts can grow without limit; nobody plans for ten times the largest count.
    most = 10.0 * (np.nanmax(series.counts, initial=0.0) + 1.0)
    living = series.expected[:, -1]  # people stay as in the last quarter
    out = np.empty(shape)
    for step in range(horizon):
        mean = living * np.exp(log_rate + season[step]) + persistence * before + near * before @ spread.T
        mean = np.minimum(np.maximum(mean, 0.02 * living * np.exp(series.level[series.country])), most)
        out[:, :, step] = before = rng.poisson(mean * rng.gamma(size, 1.0 / size, mean.shape))
    return out
