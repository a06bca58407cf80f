"""The tables that `tact risk` writes beside a release, from a fit and draws of it.

Partner tier, by county or region, pathway and quarter: statements on the rate, the probability of a rate above 1.5
times the national average, the burden with its rank, changes (also of whole countries), the share of each pathway, a
forecast, clusters, and the basis of each result. Public tier: one class by county or region and year. A country
without any count and any outreach, and its areas, have no statements: their rows are "cannot tell".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from data.release.result import Table
from data.tables.periods import Period
from data.workspace.types import Floats
from geo import areas as geography
from risk import clusters
from risk.evaluation.baselines import BASELINES, HISTORICAL_MEAN
from risk.evaluation.forecast_ledger import AHEAD
from risk.evaluation.risk_model import MODEL, build_panel
from risk.model import Draws, Fit
from risk.model.burden import judge_burden
from risk.model.detection import Judgement, draw_yearly_need, judge_need
from risk.model.draws import subtract_national_rate
from risk.model.expected import Explanation, explain
from risk.model.municipalities import MunicipalFit
from risk.model.observations import Observations
from risk.model.statements import AS_REGION, PUBLIC_CLAIMS, RATE_CLAIMS, Claim, name_certainty, say_nothing_of
from risk.model.tipping import find_rank_tipping, find_rate_tipping
from risk.numbers import round_to_two_digits
from risk.report.change import Changes, compare_ways, find_changes, pool_countries

DRAWS, SEED, REPLICATES = 4000, 0, 9999
_YEAR = 4  # quarters
_SAID = "What can be said of the rate"
_BURDEN = "Children newly in need per quarter, average of the last year"
_CHANCE = "Chance that the rate is more than 1.5 times the national average, %"
_ENDS = (0.025, 0.5, 0.975)
_LIKELY = (0.1, 0.9)


@dataclass(frozen=True, eq=False)
class JudgedFit:
    """A fit with its draws, and the judgement on each area and pathway.

    log_need : draws of log relative need over the whole programme, (d, areas, pathways). whole : its judgement.
    log_risk : the same of the relative risk of being found.
    need : draws of the children newly in need per quarter, on average over the last year, (d, areas, pathways).
    changed, countries_changed : changes of areas and of whole countries; None if there are fewer than two years.
    """

    fit: Fit
    draws: Draws
    log_risk: Floats
    log_need: Floats
    whole: Judgement
    need: Floats
    changed: Changes | None
    countries_changed: Changes | None
    explained: Explanation

    @property
    def log_detection(self) -> Floats:
        """Draws of log detection, on average over the quarters, (d, areas)."""
        return np.asarray(self.draws.log_detection.mean(axis=2))

    @property
    def observations(self) -> Observations:
        """The observations of the fit."""
        return self.fit.observations


def judge_fit(fit: Fit) -> JudgedFit:
    """Draw from a fit, and compute the judgement on each area and pathway."""
    observations = fit.observations
    draws = fit.draws(DRAWS, SEED)
    log_risk, log_need = fit.average(draws.log_rate), fit.average(draws.log_need_rate)
    two_years = len(observations.quarters) >= 2 * _YEAR
    alone = draws.log_rate, observations.effort, observations.before_breaks
    rates = (alone, False), (pool_countries(draws.log_rate, observations), True)
    gamma, kappa = float(draws.gamma.mean()), float(draws.kappa.mean())
    areas, countries = (
        find_changes(*rate, _YEAR, compare_ways(observations, gamma, kappa, countries=pooled)) if two_years else None
        for rate, pooled in rates
    )
    need, reasons = draw_yearly_need(draws, observations, SEED), explain(fit, draws, log_need)
    whole = judge_need(log_need, observations)
    return JudgedFit(fit, draws, log_risk, log_need, whole, need, areas, countries, reasons)


def _judge_quarters(
    judged: JudgedFit, claims: Sequence[Claim] = RATE_CLAIMS
) -> Iterator[tuple[str, Floats, Judgement]]:
    """Yield each quarter with draws of log relative need, (d, areas, pathways), and its judgement."""
    observations = judged.observations
    log_need = subtract_national_rate(judged.draws.log_need_rate, observations)
    for i, quarter in enumerate(observations.quarters):
        yield quarter, log_need[:, :, i], judge_need(log_need[:, :, i], observations, claims)


def make_partner_tables(judged: JudgedFit, areas: geography.Areas, evaluation: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the partner tier; those of changes only if there are two years of quarters.

    `evaluation` has the verdicts that decide whether the forecast is that of the model or of the historical mean.
    """
    observations = judged.observations
    table = partial(_table, observations.silent_places)
    whole = [(observations.whole_time, judged.log_need, judged.whole)]
    quarters = list(_judge_quarters(judged))
    for grain, periods in (("whole", whole), ("quarter", quarters)):
        rows = pd.concat(
            [_risk_rows(observations, judged.log_detection, *period) for period in periods], ignore_index=True
        )
        yield table("risk", grain, _SAID, rows)
        yield table("exceedance", grain, _CHANCE, _exceedance_rows(rows))
    yield table("burden", "quarter", _BURDEN, _burden_rows(observations, judged.need, judged.log_detection))
    # Each pathway's share of the rate by quarter, in per cent, with 95 % intervals: eq. (47).
    rate = np.exp(judged.draws.log_rate)
    ends = np.quantile(100.0 * rate / rate.sum(axis=-1, keepdims=True), _ENDS, axis=0)
    frames = []
    for i, quarter in enumerate(judged.observations.quarters):
        low, median, high = ends[:, :, i]
        frames.append(_cells(judged.observations, quarter, value=median, lower=low, upper=high))
    yield table("pathwayshare", "quarter", "Share of each pathway, %", pd.concat(frames, ignore_index=True))
    yield table("forecast", "quarter", "Forecast: children identified or met", _forecast_rows(judged, evaluation))
    if judged.changed is not None and judged.countries_changed is not None:
        for level, areas_of, changed in (
            ("region", observations.areas, judged.changed),
            ("country", observations.country_names, judged.countries_changed),
        ):
            rows = _change_rows(observations, areas_of, changed)
            yield table("riskchange", "quarter", "Change over a year", rows, level)
    yield table("riskreasons", "whole", "What the risk class is based on", _reason_rows(judged))
    yield table("hotspots", "whole", "Clusters", find_clusters(judged, areas))


def make_municipal_tables(judged: JudgedFit, municipal: MunicipalFit) -> Iterator[Table]:
    """Yield the tables of municipalities inside their regions.

    Column `region_only` marks the rows whose statement is that of the region, eq. (78); its certainty is "as_region",
    never a word for a probability. There are changes only if there are two years of quarters.
    """
    observations, need = municipal.observations, municipal.log_need(DRAWS, SEED)
    # Whether a country has any data is decided by the counts of its regions.
    table = partial(_table, observations.list_areas_in(judged.observations.silent_places))
    detection = judged.log_detection[:, municipal.region_position] + municipal.draw_log_detection(DRAWS, SEED)
    whole = judged.observations.whole_time
    rows = _risk_rows(observations, detection, whole, need, judge_need(need, observations))
    alone = municipal.region_only.ravel()
    regions = judged.whole.statements.as_columns().items()
    repeated = {name: values[municipal.region_position] for name, values in regions}
    rows = _repeat_regions(rows, alone, repeated | {"surely": "", "sure_probability": 0.0, "tipping": np.nan})
    yield table("risk", "whole", _SAID, rows, "municipality")
    chance = _repeat_regions(_exceedance_rows(rows), alone)
    yield table("exceedance", "whole", _CHANCE, chance, "municipality")
    burden = _burden_rows(observations, municipal.draw_yearly_need(DRAWS, SEED), detection)
    # Its rank rests on its own people too, so the region's statement is none on the municipality.
    burden = _repeat_regions(burden, alone, {"statement": "", "surely": "", "tipping": np.nan})
    yield table("burden", "quarter", _BURDEN, burden, "municipality")
    if judged.changed is not None:
        inside = pd.DataFrame({"region": observations.regions, "area": observations.areas})
        whole_regions = judged.observations
        change = _change_rows(whole_regions, whole_regions.areas, judged.changed).rename(columns={"area": "region"})
        # Municipalities have the course of their region, so also its change.
        change = _repeat_regions(inside.merge(change, on="region").drop(columns="region"))
        yield table("riskchange", "quarter", "Change over a year", change, "municipality")


def _repeat_regions(
    rows: pd.DataFrame, alone: NDArray[Any] | bool = True, columns: Mapping[str, Any] = MappingProxyType({})
) -> pd.DataFrame:
    """Mark the municipalities that only repeat their region, and give their rows the region's `columns`."""
    values = {name: np.where(alone, np.ravel(column), rows[name]) for name, column in columns.items()}
    rows = rows.assign(region_only=alone, **values)
    return rows.assign(certainty=rows["certainty"].mask(alone & (rows["state"] != "cannot_tell"), AS_REGION))


def make_public_tables(judged: JudgedFit) -> Iterator[Table]:
    """Yield the one table of the public tier: the class of risk by region and year, without probabilities or ratios."""
    periods = [
        _risk_rows(judged.observations, judged.log_detection, *period)
        for period in _judge_quarters(judged, PUBLIC_CLAIMS)
    ]
    rows = pd.concat(periods, ignore_index=True)[["area", "period", "state", "value", "low", "high"]]
    rows = say_nothing_of(judged.observations.silent_places, rows)
    yield Table("risk", "region", "year", (), "Risk class", pa.Table.from_pandas(rows, preserve_index=False))


def _table(
    silent: Collection[str], measure: str, grain: str, title: str, rows: pd.DataFrame, level: str = "region"
) -> Table:
    rows = say_nothing_of(silent, rows)
    return Table(measure, level, grain, ("crossing",), title, pa.Table.from_pandas(rows, preserve_index=False))


def _cells(observations: Observations, period: str, **columns: NDArray[Any]) -> pd.DataFrame:
    """Return arrays of shape (areas, pathways) as columns, one row for each area and pathway."""
    return _rows_of(observations.areas, observations.pathways, period, **columns)


def _rows_of(areas: Sequence[str], pathways: Sequence[str], period: str, **columns: NDArray[Any]) -> pd.DataFrame:
    frame = {
        "area": np.repeat(np.array(areas, dtype=object), len(pathways)),
        "period": period,
        "crossing": np.tile(np.array(pathways, dtype=object), len(areas)),
        "value": np.nan,
        "state": "number",
    }
    return pd.DataFrame({**frame, **{name: np.ravel(values) for name, values in columns.items()}})


def _risk_rows(
    observations: Observations, log_detection: Floats, period: str, need: Floats, judged: Judgement
) -> pd.DataFrame:
    """Return the statements of a period; `need` are draws of log relative need, (d, areas, pathways).

    log_detection : draws of it, (d, areas).
    """
    low, median, high = np.exp(np.quantile(need, _ENDS, axis=0))
    return _cells(
        observations,
        period,
        **judged.statements.as_columns(),
        median=median,
        lower=low,
        upper=high,
        tipping=find_rate_tipping(judged.statements, need, log_detection, observations.living_share),
        exceeding=judged.exceeding,
        reports_alone=np.broadcast_to(judged.not_searched[:, None], median.shape),
    )


def _exceedance_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the chance of a high rate, in per cent, with the word for it, from rows of `_risk_rows`."""
    columns = ["area", "period", "crossing", "state", "median", "lower", "upper"]
    chance = rows["exceeding"]
    words = name_certainty(chance.to_numpy())
    return rows[columns].assign(state="number", value=100.0 * chance, probability=chance, certainty=words)


def _burden_rows(observations: Observations, need: Floats, log_detection: Floats) -> pd.DataFrame:
    """Return the children newly in need, with 95 % intervals, and the ranks within each country: eq. (81).

    need, log_detection : draws, (d, areas, pathways) and (d, areas).
    """
    burden = judge_burden(need, observations.country_of)
    low, median, high = round_to_two_digits(burden.children)
    first, rank, last = burden.rank
    columns = {
        **burden.statements.as_columns(),
        "state": np.full(median.shape, "number"),
        "low": np.full(median.shape, np.nan),
        "high": np.full(median.shape, np.nan),
        "value": median,
        "lower": low,
        "upper": high,
        "rank": rank,
        "rank_first": first,
        "rank_last": last,
        "tipping": find_rank_tipping(burden.statements, need, observations.country_of, log_detection),
        "top": burden.top,
    }
    return _cells(observations, observations.quarters[-1], **columns)


def _forecast_rows(judged: JudgedFit, evaluation: Mapping[str, Any]) -> pd.DataFrame:
    """Return the children expected in the next quarters at the last year's effort, with 80 % intervals.

    They come from the model, or from the historical mean if a verdict says that the model does not beat a baseline.
    Column `by` says which.
    """
    observations = judged.observations
    verdicts = [v for v in evaluation.get("verdicts", []) if v["name"] == MODEL]
    by = MODEL if all(verdict["beats"] for verdict in verdicts) else HISTORICAL_MEAN
    if by == MODEL:
        effort = observations.continue_effort(AHEAD)
        counts: Floats = judged.fit.forecast(effort, DRAWS, SEED).sum(axis=-1).astype(float)
    else:
        counts = BASELINES[by].forecast(build_panel(observations), AHEAD, DRAWS, SEED)
    low, high = np.quantile(counts, _LIKELY, axis=0)
    mean = counts.mean(axis=0)
    quarter = Period.parse(observations.quarters[-1])
    frames = []
    for i in range(AHEAD):
        quarter = quarter.next()
        columns = {"value": mean[:, i], "lower": low[:, i], "upper": high[:, i]}
        frames.append(_cells(observations, quarter.id, **columns).assign(by=by))
    return pd.concat(frames, ignore_index=True)


def _change_rows(observations: Observations, areas: Sequence[str], changed: Changes) -> pd.DataFrame:
    """Return the change of each year's rate against the year before, computed for each quarter: eq. (48), (82)."""
    every, frames = changed.statements.as_columns(), []
    effort = np.where(np.isinf(changed.effort_ratio), np.nan, changed.effort_ratio)  # no ratio to a year without effort
    for i, quarter in enumerate(observations.quarters[2 * _YEAR - 1 :]):
        columns = {
            **{name: values[:, i] for name, values in every.items()},
            "median": changed.ratio[1, :, i],
            "lower": changed.ratio[0, :, i],
            "upper": changed.ratio[2, :, i],
            "effort_ratio": np.broadcast_to(effort[:, i][:, None], changed.ratio[1, :, i].shape),
            "effort_warning": changed.effort_warning[:, i],
            "ways_warning": changed.ways_warning[:, i],
            "tipping": changed.tipping[:, i],
        }
        frames.append(_rows_of(areas, observations.pathways, quarter, **columns))
    return pd.concat(frames, ignore_index=True)


def _reason_rows(judged: JudgedFit) -> pd.DataFrame:
    """Return the basis of each class: eq. (43) to (45)."""
    reasons, observations = judged.explained, judged.observations
    latest = np.full(reasons.children.shape, np.nan) if judged.changed is None else judged.changed.ratio[1, :, -1]
    return _cells(
        observations,
        observations.whole_time,
        value=reasons.children,
        by_population=reasons.by_population,
        by_effort=reasons.by_effort,
        effort=np.broadcast_to(reasons.effort[:, None], reasons.children.shape),
        neighbours=reasons.neighbours,
        change=latest,
    )


def find_clusters(judged: JudgedFit, areas: geography.Areas) -> pd.DataFrame:
    """Return clusters of more children than people and effort explain, over the whole time: eq. (52) to (57), (72)."""
    observations, reasons = judged.observations, judged.explained
    # The overdispersion of a quarter's count averages out over quarters, the detection of an area does not.
    kappa = judged.fit.hyper.get("kappa", (0.0, 0.0))[0]
    size = len(observations.quarters) / kappa**2 if kappa > 0 else np.inf
    # Centroids in metres (EPSG:3035), (areas, 2).
    shapes = areas.frame("region").geometry.to_crs(3035).centroid
    points = pd.DataFrame({"x": shapes.x, "y": shapes.y}).reindex(list(observations.areas))
    centres = points.to_numpy(dtype=float)
    search = clusters.ClusterSearch(observations, centres, size, clusters.BETWEEN_SD, REPLICATES, SEED)
    found_clusters = search.find(reasons.used, reasons.by_effort, reasons.noise)
    return _cells(observations, observations.whole_time, **found_clusters)
