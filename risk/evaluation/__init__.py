"""The accuracy of forecasts: rolling origins, all forecasters on the same counts.

At each origin every forecaster sees the data known then, and its draws for the next quarters are scored
against the counts published later. The main measures are scores (log score, then CRPS). Calibration, the children that
a fixed budget would have found, and the stability of ranks from one forecast to the next are reported, too. With
spatial blocks an area is forecast without counts of its own or of its neighbours.

A forecaster **beats** another where the 95 % interval of the score difference is above zero. The interval is
a bootstrap that draws areas and quarters, each with all their counts (Owen 2007), since errors of an
area, and of a quarter, are correlated; it tends to be too wide, not too narrow. Where the risk model does not beat the
historical mean, the page shows the historical mean and says so.

Counts of detected children also test detection: a forecaster that knows the next search areas scores well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from data.errors import InputError
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Progress
from risk.evaluation import scores
from risk.evaluation.baselines import HISTORICAL_MEAN, Forecaster
from risk.evaluation.panel import Interval, Panel
from risk.evaluation.splits import SpatialBlocks, list_origins
from risk.numbers import stream

__all__ = ["BUDGETS", "Evaluation", "Verdict", "evaluate", "score_forecast", "summarise_scores"]

BUDGETS = (0.1, 0.2)  # shares of the areas, and of the outreach days
Score = Literal["log", "crps", "wis"]
_BETTER: dict[Score, float] = {"log": 1.0, "crps": -1.0, "wis": -1.0}  # the sign that makes larger better
_RESAMPLES = 2000


@dataclass(frozen=True)
class Verdict:
    """Whether the forecaster `name` beats `baseline`: mean gain in score per count, and its 95 % interval.

    A positive gain means that `name` is better. counts : number of counts compared.
    """

    name: str
    baseline: str
    score: Score
    gained: float
    interval: Interval
    counts: int

    @property
    def beats(self) -> bool:
        """Whether the interval of the gain is above 0."""
        return self.interval[0] > 0.0

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Verdict:
        """Read a verdict on log scores from the plain values of `Evaluation.as_dict`."""
        low, high = values["interval"]
        return cls(values["name"], values["baseline"], "log", values["gained"], (low, high), values["counts"])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The tables of an evaluation.

    cells : one row for each forecaster, origin, quarter, area and pathway: observed and expected count, scores (log,
        crps, wis, dss), pit, and whether each interval contains the observed count.
    scores : one row for each forecaster and horizon (in quarters; 1 is the next quarter): mean scores (log, crps, wis,
        dss), and the number of counts.
    calibration : one row for each forecaster: the shares of counts in the 50, 80 and 95 % intervals, and the share of
        the probability integral transform (pit) in each tenth (0.1 each if the forecaster is calibrated).
    hits : one row for each forecaster, kind of budget ("areas", or "hours" for days of outreach) and budget, one
        quarter ahead.
    stability : one row for each forecaster: mean rank correlation of the areas from one forecast to the next.
    """

    cells: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame
    calibration: pd.DataFrame
    hits: pd.DataFrame
    stability: pd.DataFrame
    seed: int

    @property
    def forecasters(self) -> tuple[str, ...]:
        """The names of the forecasters."""
        return tuple(str(name) for name in self.cells["forecaster"].cat.categories)

    @property
    def best(self) -> str:
        """The name of the forecaster with the best mean log score."""
        return str(self.cells.groupby("forecaster", observed=True)["log"].mean().idxmax())

    def beats(self, name: str, baseline: str = HISTORICAL_MEAN, score: Score = "log") -> Verdict:
        """Return whether the forecaster `name` beats `baseline`, by its mean gain on common counts.

        docs/risk-model.md eq. (64). Raises InputError if one of them was not evaluated.
        """
        missing = [forecaster for forecaster in (name, baseline) if forecaster not in self.forecasters]
        if missing:
            raise InputError(f"No forecaster {missing[0]!r} was evaluated; there are {list(self.forecasters)!r}.")
        rows = {forecaster: self.cells[self.cells["forecaster"] == forecaster] for forecaster in (name, baseline)}
        keys = ["area", "quarter", "origin", "pathway"]
        pair = rows[name][[*keys, score]].merge(rows[baseline][[*keys, score]], on=keys).dropna()
        gain = _BETTER[score] * (pair[f"{score}_x"] - pair[f"{score}_y"]).to_numpy(float)
        interval = _bootstrap_two_way(gain, pair["area"].cat.codes, pair["quarter"].cat.codes, self.seed)
        return Verdict(name, baseline, score, float(gain.mean()), interval, len(gain))

    def as_dict(self) -> dict[str, object]:
        """Return plain values for a manifest; unknown values are None."""
        tables = {name: getattr(self, name) for name in ("scores", "calibration", "hits", "stability")}
        plain: dict[str, object] = {name: _list_rows(table) for name, table in tables.items()}
        others = [name for name in self.forecasters if name != HISTORICAL_MEAN]
        judged = [self.beats(name) for name in others] if HISTORICAL_MEAN in self.forecasters else []
        plain["verdicts"] = [
            {
                "name": verdict.name,
                "baseline": verdict.baseline,
                "gained": verdict.gained,
                "interval": list(verdict.interval),
                "counts": verdict.counts,
                "beats": verdict.beats,
            }
            for verdict in judged
        ]
        return {"best": self.best, "seed": self.seed, **plain}


@on_one_thread
def evaluate(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    *,
    first_origin: int,
    horizons: int = 4,
    draws: int = 1000,
    seed: int = 0,
    load_panel: Callable[[int], Panel] | None = None,
    blocks: SpatialBlocks | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compute forecasts of every forecaster from each origin, and score them.

    panel : the counts with which forecasts are compared.
    forecasters : by name.
    first_origin : position of the first quarter that is forecast; every later quarter is an origin, too.
    horizons : number of quarters that are forecast from each origin, fewer at the end.
    draws, seed : number of draws for each forecast; seed of the forecasts and of the bootstrap.
    load_panel : returns the data known at an origin (counts may have been added or corrected since); default: the panel
        until then.
    blocks : each block of areas is forecast without the counts of the block and of a ring around it.
    progress : receives the number of forecasts done.

    Raises InputError if there is nothing to forecast from or to score, or if a forecaster or `load_panel` returns an
    array of the wrong shape.
    """
    origins = list_origins(first_origin, len(panel.quarters))
    if not forecasters or horizons < 1 or np.isnan(panel.counts[:, first_origin:]).all():
        raise InputError("An evaluation needs a forecaster, a quarter ahead, and a known count after the first origin.")
    frames: list[pd.DataFrame] = []
    for step, origin in enumerate(origins):
        history = load_panel(origin) if load_panel else panel.until(origin)
        if history.areas != panel.areas or history.quarters != panel.quarters[:origin]:
            raise InputError(
                f"What was known at quarter {origin} needs the panel's {len(panel.areas)} areas and its first "
                f"{origin} quarters; it has {len(history.areas)} and {len(history.quarters)}."
            )
        ahead = min(horizons, len(panel.quarters) - origin)
        for number, (name, forecaster) in enumerate(forecasters.items()):
            forecast = _draw_forecast(forecaster, history, ahead, draws, seed + origin, blocks)
            frames.append(score_forecast(panel, name, origin, forecast, seed))
            if progress:
                progress(step * len(forecasters) + number + 1, len(origins) * len(forecasters), name)
    scored = summarise_scores(frames, panel, forecasters, seed)
    return replace(
        scored,
        hits=pd.DataFrame(list(_measure_hits(scored.cells, panel, seed))),
        stability=pd.DataFrame(list(_measure_stability(scored.cells, panel))),
    )


def summarise_scores(frames: Sequence[pd.DataFrame], panel: Panel, names: Iterable[str], seed: int) -> Evaluation:
    """Return an evaluation of the named forecasters, without hits and stability, from frames of `score_forecast`."""
    cells = _name_categories(pd.concat(frames, ignore_index=True), panel, names)
    groups = cells.dropna(subset=["observed"]).groupby(["forecaster", "ahead"], observed=True)
    out = groups[["log", "crps", "wis", "dss"]].mean()
    out["counts"] = groups.size()
    return Evaluation(cells, out.reset_index(), _measure_calibration(cells), pd.DataFrame(), pd.DataFrame(), seed)


def _draw_forecast(
    forecaster: Forecaster, history: Panel, ahead: int, draws: int, seed: int, blocks: SpatialBlocks | None
) -> Floats:
    """Draw a forecast, block by block if there are blocks, (draws, A, ahead, P).

    Raises InputError if the forecaster returns another shape.
    """
    everywhere = np.arange(len(history.areas))
    folds = blocks.folds() if blocks else [(everywhere, everywhere)]
    wanted = (draws, len(everywhere), ahead, len(history.pathways))
    out = np.full(wanted, np.nan)
    for training, tested in folds:
        training_history = history.hiding(np.setdiff1d(everywhere, training))
        forecast = forecaster.forecast(training_history, ahead, draws, seed)
        if forecast.shape != wanted:
            raise InputError(f"{forecaster!r} gave draws of the shape {forecast.shape}; {wanted} is needed.")
        out[:, tested] = forecast[:, tested]
    return out


def score_forecast(panel: Panel, name: str, origin: int, draws: Floats, seed: int) -> pd.DataFrame:
    """Return the scores of draws, (d, A, ahead, P), against the counts published later, one row per count.

    origin : position in the panel of the first quarter that is forecast. Scores of unknown counts are NaN.
    """
    ahead = draws.shape[2]
    counts = panel.counts[:, origin : origin + ahead]
    area, step, pathway = (axis.ravel() for axis in np.indices(counts.shape))
    covered = {f"in_{round(100 * level)}": scores.is_covered(draws, counts, level) for level in scores.LEVELS}
    values = {
        "observed": counts,
        "expected": draws.mean(axis=0),
        "log": scores.compute_log_score(draws, counts),
        "crps": scores.compute_crps(draws, counts),
        "wis": scores.compute_wis(draws, counts),
        "dss": scores.compute_dawid_sebastiani(draws, counts),
        "pit": scores.compute_pit(draws, counts, seed + origin),
        **covered,
    }
    places = {"forecaster": name, "origin": origin, "ahead": step + 1, "quarter": origin + step}
    flat = {key: np.ravel(value) for key, value in values.items()}
    return pd.DataFrame({**places, "area": area, "pathway": pathway, **flat})


def _name_categories(cells: pd.DataFrame, panel: Panel, forecasters: Iterable[str]) -> pd.DataFrame:
    """Return the cells with names of areas, quarters and pathways instead of positions."""
    names = {"area": panel.areas, "quarter": panel.quarters, "pathway": panel.pathways}
    for column, values in names.items():
        cells[column] = pd.Categorical.from_codes(cells[column].to_numpy(), categories=pd.Index(values))
    cells["forecaster"] = pd.Categorical(cells["forecaster"], categories=list(forecasters))
    return cells


def _measure_calibration(cells: pd.DataFrame) -> pd.DataFrame:
    complete = cells.dropna(subset=["observed"])
    groups = complete.groupby("forecaster", observed=True)
    out = groups[[f"in_{round(100 * level)}" for level in scores.LEVELS]].mean()
    tenth = np.minimum((10 * complete["pit"]).astype(int), 9)
    for number in range(10):
        out[f"pit_{number + 1}"] = (tenth == number).groupby(complete["forecaster"], observed=True).mean()
    return out.reset_index()


def _sum_next_quarter(cells: pd.DataFrame, panel: Panel) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield each forecaster's name, with expected and observed counts one quarter ahead, (origins, A) each.

    The counts are sums over pathways.
    """
    near = cells[cells["ahead"] == 1]
    for name, rows in near.groupby("forecaster", observed=True):
        shape = (-1, len(panel.areas), len(panel.pathways))
        expected, observed = (rows[c].to_numpy(float).reshape(shape).sum(axis=2) for c in ("expected", "observed"))
        yield str(name), expected, observed


def _mark_countries(panel: Panel) -> list[Floats]:
    """Return for each country 1 where an area is in it, else 0, (A,): no ranking crosses a border."""
    codes = np.array(panel.countries)
    return [(codes == code).astype(float) for code in dict.fromkeys(panel.countries)]


def _measure_hits(cells: pd.DataFrame, panel: Panel, seed: int) -> Iterator[dict[str, str | float]]:
    """Yield hit rates: the share (0 to 1) of the next quarter's children who are in the areas that a budget pays for.

    The forecast ranks the areas. A budget is a share of a country's areas, or of its outreach days in the last year.
    """
    origins = np.unique(cells["origin"])
    days = [panel.effort[:, max(0, origin - 4) : origin].sum(axis=1) for origin in origins]
    costs = {"areas": np.ones((len(origins), len(panel.areas))), "hours": np.stack(days)}
    countries = _mark_countries(panel)
    for name, expected, observed in _sum_next_quarter(cells, panel):
        ranked = np.tile(expected, (len(countries), 1))
        there = np.concatenate([np.where(inside > 0, observed, 0.0) for inside in countries])
        for kind, cost in costs.items():
            country_costs = np.concatenate([cost * inside for inside in countries])
            for budget in BUDGETS:
                result = scores.measure_budget(ranked, there, country_costs, budget, seed=seed)
                yield {
                    "forecaster": name,
                    "of": kind,
                    "budget": budget,
                    "hit_rate": result.hit_rate,
                    "hit_low": result.hit_interval[0],
                    "hit_high": result.hit_interval[1],
                    "pai": result.pai,
                    "pei": result.pei,
                    "pei_low": result.pei_interval[0],
                    "pei_high": result.pei_interval[1],
                }


def _measure_stability(cells: pd.DataFrame, panel: Panel) -> Iterator[dict[str, str | float]]:
    """Yield for each forecaster the mean rank correlations of rates in consecutive forecasts; NaN if none is known."""
    for name, expected, _ in _sum_next_quarter(cells, panel):
        rate = expected / panel.expected[:, -1]
        pairs = [
            scores.correlate_ranks(first[inside > 0], second[inside > 0])
            for first, second in pairwise(rate)
            for inside in _mark_countries(panel)
        ]
        spearman, kendall = np.array(pairs).reshape(-1, 2).T
        known = ~np.isnan(spearman)
        mean = (float(v[known].mean()) if known.any() else float("nan") for v in (spearman, kendall))
        yield dict(zip(("forecaster", "spearman", "kendall"), (name, *mean), strict=True))


def _bootstrap_two_way(gain: Floats, area: pd.Series, quarter: pd.Series, seed: int) -> Interval:
    """Return the 95 % interval of the mean of `gain`, docs/risk-model.md eq. (64).

    Areas and quarters are resampled (Owen 2007). gain, area, quarter : one value for each count, (n,).
    """
    rows, columns = np.unique(area, return_inverse=True)[1], np.unique(quarter, return_inverse=True)[1]
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rows, columns), gain)
    np.add.at(count, (rows, columns), 1.0)
    rng = stream(seed, "verdict")
    weights = [rng.multinomial(n, np.full(n, 1.0 / n), size=_RESAMPLES).astype(float) for n in shape]
    sums, counts = (((weights[0] @ table) * weights[1]).sum(axis=1) for table in (total, count))
    low, high = np.quantile(sums[counts > 0] / counts[counts > 0], [0.025, 0.975])
    return float(low), float(high)


def _list_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the rows of a table as plain values; NaN becomes None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]
