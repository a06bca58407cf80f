"""Baselines for the risk model: forecasts of counts without a model of risk.

Each has an expected count for every area, horizon and pathway, and predicts a negative binomial distribution with this
mean. Its size is estimated by maximum likelihood from the errors of earlier forecasts, which are computed again from
the data known at their time. So the spread of a baseline fits its past errors, and none loses by being overconfident.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

from data.errors import InputError
from data.workspace.types import Floats
from risk.evaluation import endemic_epidemic, lagged
from risk.evaluation.levels import areas_by_country, share_by_population, smooth_count
from risk.evaluation.panel import Panel
from risk.evaluation.scores import log_negative_binomial
from risk.evaluation.splits import count_borders
from risk.numbers import stream

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin

HISTORICAL_MEAN = "historical mean"  # the one that is shown where the model does not beat it
_REPLAYS = 4  # earlier origins from which the size is estimated
_SIZES = np.geomspace(0.2, 200.0, 31)
_UNKNOWN_SIZE = 2.0  # of a first forecast, which has no earlier one


class Forecaster(Protocol):
    """A forecaster of counts."""

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw the counts of the `horizon` quarters after a history, (draws, A, horizon, P)."""
        ...


class ByMean(ABC):
    """A forecaster defined by its expected counts, docs/risk-model.md eq. (65)."""

    @abstractmethod
    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts of the `horizon` quarters after a history, (A, horizon, P); all are above 0."""

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw the counts of the quarters after a history, (draws, A, horizon, P).

        Raises InputError if the history has no quarter, or if `horizon` or `draws` is below 1.
        """
        if not history.quarters or horizon < 1 or draws < 1:
            msg = f"A forecast needs a quarter before it, not {len(history.quarters)}, one after it, and draws."
            raise InputError(msg)
        rng = stream(seed, type(self).__name__)
        mean = self.means(history, horizon)
        # An area without any known count gets the size with which other areas vary around their population share.
        stranger = np.asarray(np.isnan(history.counts).all(axis=1))[:, None]
        sizes, unknown = self._sizes(history, horizon), _estimate_size_around_shares(history)
        size = np.broadcast_to(np.where(stranger, unknown, sizes), (draws, *mean.shape))
        return rng.poisson(mean * rng.gamma(size, 1.0 / size)).astype(float)

    def _sizes(self, history: Panel, horizon: int) -> Floats:
        """Estimate the negative binomial size from earlier forecasts, for each horizon and pathway, (horizon, P)."""
        likelihood = np.zeros((len(_SIZES), horizon, len(history.pathways)))
        last = len(history.quarters)
        for origin in range(max(1, last - _REPLAYS), last):
            ahead = min(horizon, last - origin)
            mean = self.means(history.until(origin), ahead)
            likelihood[:, :ahead] += _log_likelihood(history.counts[:, origin : origin + ahead], mean)
        some = likelihood.any(axis=0)
        sizes = np.where(some, _SIZES[likelihood.argmax(axis=0)], _UNKNOWN_SIZE)
        # A horizon without earlier forecasts takes the size of the longest horizon with one.
        furthest = np.maximum(some.sum(axis=0) - 1, 0)
        return np.where(some, sizes, sizes[furthest, np.arange(sizes.shape[1])])


def _log_likelihood(counts: Floats, mean: Floats) -> Floats:
    """Return the log likelihood of each size, (sizes, T, P), from counts and means, (A, T, P) each.

    It is 0 where no count is known.
    """
    return np.asarray(np.nansum(log_negative_binomial(counts, mean, _SIZES[:, None, None, None]), axis=1))


def _estimate_size_around_shares(history: Panel) -> Floats:
    """Estimate by maximum likelihood the negative binomial size of all counts around their population shares, (P,).

    It is 2 for a pathway without any known count.
    """
    likelihood = _log_likelihood(history.counts, share_by_population(history)[:, None]).sum(axis=1)
    return np.where(likelihood.any(axis=0), _SIZES[likelihood.argmax(axis=0)], _UNKNOWN_SIZE)


def _repeat_ahead(mean: Floats, horizon: int) -> Floats:
    """Return the same expected counts for every quarter ahead, (A, P) to (A, horizon, P)."""
    return np.repeat(mean[:, None], horizon, axis=1)


@dataclass(frozen=True)
class LastCount(ByMean):
    """The last known count of the area, slightly smoothed, eq. (66)."""

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        counts = history.counts
        known = ~np.isnan(counts)
        last = counts.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
        value = np.take_along_axis(np.nan_to_num(counts), last[:, None], axis=1)[:, 0]
        any_known = known.any(axis=1).astype(float)
        return _repeat_ahead(smooth_count(value, any_known, share_by_population(history)), horizon)


@dataclass(frozen=True)
class HistoricalMean(ByMean):
    """The mean of all known counts of the area, eq. (66)."""

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        total, quarters = np.nansum(history.counts, axis=1), (~np.isnan(history.counts)).sum(axis=1)
        return _repeat_ahead(smooth_count(total, quarters.astype(float), share_by_population(history)), horizon)


@dataclass(frozen=True)
class PopulationShare(ByMean):
    """The country's mean count in the last `quarters` quarters, divided among areas by expected children.

    The risk is the same everywhere.
    """

    quarters: int = 4

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        return _repeat_ahead(share_by_population(history, self.quarters), horizon)


def _sum_exposure(history: Panel) -> Floats:
    """Return the children who lived in each area, summed over the quarters with a known count, (A, P)."""
    return np.asarray((history.expected[:, :, None] * ~np.isnan(history.counts)).sum(axis=1))


def shrink_rates(events: Floats, base: Floats) -> Floats:
    """Return rates shrunk to their common mean (Marshall 1991), eq. (68), (A,).

    events : counts, (A,). base : the denominators of the rates, above 0, (A,).
    """
    rate, mean = events / base, events.sum() / base.sum()
    scatter = (base * (rate - mean) ** 2).sum() / base.sum()
    between = max(scatter - mean / base.mean(), 0.0)
    weight = between / (between + mean / base) if mean > 0 else np.zeros(len(base))
    return np.asarray(weight * rate + (1.0 - weight) * mean)


@dataclass(frozen=True)
class EmpiricalBayes(ByMean):
    """Marshall's empirical Bayes rates of the areas of each country, over all known quarters."""

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        total, base = np.nansum(history.counts, axis=1), _sum_exposure(history)
        mean = share_by_population(history)
        usual = mean.copy()
        for inside in areas_by_country(history):
            for pathway in range(mean.shape[1]):
                some = inside[base[inside, pathway] > 0]
                if len(some) > 1:
                    rate = shrink_rates(total[some, pathway], base[some, pathway])
                    mean[some, pathway] = history.expected[some, -1] * rate
        return _repeat_ahead(np.maximum(mean, 0.02 * usual), horizon)


@dataclass(frozen=True)
class KernelDensity(ByMean):
    """Rates smoothed over nearby areas, with a Gaussian kernel over the number of borders crossed, eq. (69).

    The bandwidth adapts (Sain 1994, balloon): it is the smallest number of borders within which `cases` children were
    met, so it is wide where few are met. The kernel never crosses the border of a country.
    """

    cases: float = 20.0

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        total, base = np.nansum(history.counts, axis=1), _sum_exposure(history)
        apart = count_borders(history.edges, len(history.areas))
        code = np.array(history.countries)
        apart[code[:, None] != code[None, :]] = np.inf
        usual = share_by_population(history)
        columns = [self._smooth(apart, total[:, p], base[:, p]) for p in range(total.shape[1])]
        mean = history.expected[:, -1, None] * np.stack(columns, axis=1)
        return _repeat_ahead(np.where(np.isnan(mean), usual, np.maximum(mean, 0.02 * usual)), horizon)

    def _smooth(self, apart: Floats, cases: Floats, base: Floats) -> Floats:
        """Return smoothed rates, (A,); NaN without expected children nearby.

        apart : borders between areas, (A, A), infinite between countries. cases, base : children met, and children who
        lived there, summed over quarters, (A,) each.
        """
        steps = np.arange(0, 1 + int(apart[np.isfinite(apart)].max()))
        within = np.stack([(apart <= step) @ cases for step in steps])
        enough = within >= self.cases
        reach = np.where(enough.any(axis=0), enough.argmax(axis=0), steps[-1])
        # Half a border at least: a kernel of no width has no weight beside the area itself.
        weight: Floats = np.exp(-0.5 * (apart / np.maximum(reach, 0.5)[:, None]) ** 2)
        below = weight @ base
        rate: Floats = np.divide(weight @ cases, below, where=below > 0, out=np.full(len(base), np.nan))
        return rate


@cache
def _find_libraries() -> ThreadpoolController:
    """Return a controller of the libraries that use threads.

    Their search is slow, so it is done only once, after a model has loaded them.
    """
    return ThreadpoolController()


@dataclass(frozen=True)
class _Regression(ByMean):
    """A regression of rates, weighted by expected children, on the data known at the time of the forecast.

    With too few known counts, or none above 0, the expected counts are those of the historical mean.
    """

    def means(self, history: Panel, horizon: int) -> Floats:
        """Return the expected counts, (A, horizon, P)."""
        usual = HistoricalMean().means(history, horizon)
        out = usual.copy()
        for pathway in range(usual.shape[2]):
            rows = lagged.build_rows(history, pathway, horizon)
            if len(rows.target) >= 2 * len(history.areas) and rows.target.any():
                rate = self._rate(rows, lagged.build_features(history, pathway, horizon))
                out[:, :, pathway] = history.expected[:, -1, None] * rate.reshape(horizon, -1).T
        # A log-linear forecast can grow without limit; nobody plans for ten times the largest count so far.
        most = 10.0 * (np.nanmax(history.counts, initial=0.0) + 1.0)
        return np.clip(out, 0.02 * usual, most)

    def _rate(self, rows: lagged.Rows, now: Floats) -> Floats:
        model = self._model()
        # Tables of this size are fitted faster by one thread than by several that wait for one another.
        with _find_libraries().limit(limits=1):
            model.fit(rows.features, rows.target, **self._weights(rows.weight))
            return np.asarray(model.predict(now))

    def _model(self) -> RegressorMixin:
        raise NotImplementedError

    def _weights(self, weight: Floats) -> dict[str, Floats]:
        return {"sample_weight": weight}


@dataclass(frozen=True)
class PoissonRidge(_Regression):
    """Poisson regression with a ridge penalty, on last counts, usual rate, neighbours, effort and country."""

    alpha: float = 0.05

    def _model(self) -> RegressorMixin:
        from sklearn.linear_model import PoissonRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        ridge = PoissonRegressor(alpha=self.alpha, solver="newton-cholesky")
        return make_pipeline(StandardScaler(), ridge)

    def _weights(self, weight: Floats) -> dict[str, Floats]:
        return {"poissonregressor__sample_weight": weight}


@dataclass(frozen=True)
class GradientBoosting(_Regression):
    """Gradient boosting of Poisson trees, on the same features as `PoissonRidge`."""

    trees: int = 60
    leaves: int = 8

    def _model(self) -> RegressorMixin:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            learning_rate=0.08,
            min_samples_leaf=15,
            early_stopping=False,
            random_state=0,
        )


@dataclass(frozen=True)
class EndemicEpidemic:
    """The standard epidemic model of the field, eq. (90); the historical mean with less than a year of history."""

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw the counts of the quarters after a history, (draws, A, horizon, P).

        Raises InputError if the history has no quarter, or if `horizon` or `draws` is below 1.
        """
        if len(history.quarters) < endemic_epidemic.FEWEST or horizon < 1 or draws < 1:
            return HistoricalMean().forecast(history, horizon, draws, seed)
        return endemic_epidemic.draw_forecast(history, horizon, draws, seed)


BASELINES: Mapping[str, Forecaster] = MappingProxyType({
    "last count": LastCount(),
    HISTORICAL_MEAN: HistoricalMean(),
    "population share": PopulationShare(),
    "empirical Bayes": EmpiricalBayes(),
    "kernel density": KernelDensity(),
    "Poisson ridge": PoissonRidge(),
    "gradient boosting": GradientBoosting(),
    "endemic-epidemic": EndemicEpidemic(),
})  # fmt: skip
