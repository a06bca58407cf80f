"""`tact risk`: what the model says of a release, as tables beside it that carry its tier (data/release/derived.py).

Partner tier, by county or region, pathway and quarter: risk classes, the chance of a rate above 1.5 times the
country's, changes, the share of internal trafficking, four quarters ahead, and what each answer rests on.
Public tier, from public numbers alone: one class by county or region and year. A result that is worked out
from what everybody has tells nobody more of a child (the data processing inequality), so the membership
attack on the public numbers covers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.base import clone

from data.release import Release, derived
from data.release.result import Result, Table
from data.tables.periods import Period
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Progress
from geo import areas as geography
from risk import clusters
from risk.access import tables as reached
from risk.evaluation.baselines import BASELINES, HISTORICAL_MEAN
from risk.evaluation.risk_model import MODEL, panel_of
from risk.model import Draws, Fit, RiskModel
from risk.model.detection import AVERAGE, CUTS, DetectionRange, Judgement, judge
from risk.model.expected import Explained, explained
from risk.model.observations import Observations
from risk.report import safeguards
from risk.report.change import ALIKE, Changes, changes
from risk.report.shift import WATCHED, shifts

__all__ = ["AHEAD", "KIND", "assess"]


KIND = "risk"
AHEAD = 4  # quarters
_DRAWS, _SEED = 4000, 0
_YEAR = 4  # quarters
_ENDS = (0.025, 0.5, 0.975)
_LIKELY = (0.1, 0.9)
_REPLICATES = 9999
_NORMAL_80 = 0.8416  # the normal deviate of 0.8, from which on a class is given
# Lower and upper end of each class, in terms of the country's rate; see detection.CLASSES.
_BOUNDS = tuple(zip((0.0, *CUTS), (*CUTS, np.nan), strict=True))


@on_one_thread
def assess(
    release: Release,
    folder: Path,
    *,
    model: RiskModel | None = None,
    evaluation: Mapping[str, Any] | None = None,
    times: reached.Times | None = None,
    progress: Progress | None = None,
) -> Result:
    """Fit the model to one tier of a release and write what it says into `folder`, that of derived results.

    `evaluation` is what `risk.evaluation` found, kept with it; `times` are travel times that somebody gave.
    Raises ReleaseError where the release has no table to fit, and NoMode where there is no fit.
    """
    tell = progress or (lambda *_: None)
    tell(0, 3, "Reading")
    areas = geography.read(release.areas_file)
    partner = release.tier == "partner"
    seen = Observations.of(release, areas) if partner else Observations.of_public(release, areas)
    tell(1, 3, "Fitting")
    fit = (model or RiskModel()).fit(seen).fit_
    tell(2, 3, "Judging")
    judged = _Judged.of(fit)
    told, given = dict(evaluation or {}), times or reached.Times()
    tables = list(_partner_tables(judged, areas, told) if partner else _public_tables(judged))
    if partner:
        tables += reached.tables(release, areas, seen, judged.draws, given, _SEED)
    about = {
        "parameters": {**_parameters(fit), **(model or RiskModel()).get_params()},
        "card": {**_card(fit), "sensitivity": _sensitivity(judged, model or RiskModel())},
        "statements": _statements(seen, areas) if partner else {},
        "safeguards": safeguards.report(release, seen, judged.log_risk) if partner else {},
        "evaluation": told,
        **({"travel": reached.about(given)} if partner else {}),
    }
    result = derived.publish(folder, release, KIND, tables, about)
    tell(3, 3, "Done")
    return result


@dataclass(frozen=True, eq=False)
class _Judged:
    """A fit and draws from it; of these the log relative risk of the whole time, (d, areas, pathways)."""

    fit: Fit
    draws: Draws
    log_risk: Floats
    whole: Judgement
    changed: Changes | None
    explained: Explained

    @classmethod
    def of(cls, fit: Fit) -> _Judged:
        seen = fit.observations
        draws = fit.draws(_DRAWS, _SEED)
        log_risk = fit.log_risk(_DRAWS, _SEED)
        quarters = len(seen.quarters)
        changed = changes(draws.log_rate, seen.effort, _YEAR) if quarters >= 2 * _YEAR else None
        return cls(fit, draws, log_risk, judge(log_risk, seen), changed, explained(fit, draws, log_risk))

    @property
    def seen(self) -> Observations:
        return self.fit.observations

    @property
    def log_rate(self) -> Floats:
        return self.draws.log_rate

    @property
    def period(self) -> str:
        first, last = (Period.parse(self.seen.quarters[at]) for at in (0, -1))
        return Period(first.start, last.end, "whole").id

    def need(self, log_risk: Floats) -> Floats:
        return DetectionRange().log_risk(log_risk, self.seen, _SEED)

    def by_quarter(self) -> Iterator[tuple[str, Floats, Judgement]]:
        """Give each quarter with draws of log relative need, (d, areas, pathways), and what may be said."""
        from risk.model.draws import relative

        within = relative(self.log_rate, self.seen)
        for at, quarter in enumerate(self.seen.quarters):
            yield quarter, self.need(within[:, :, at]), judge(within[:, :, at], self.seen)


def _partner_tables(
    judged: _Judged, areas: geography.Areas, evaluation: Mapping[str, Any]
) -> Iterator[Table]:
    seen = judged.seen
    whole = [(judged.period, judged.need(judged.log_risk), judged.whole)]
    quarters = list(judged.by_quarter())
    for grain, told in (("whole", whole), ("quarter", quarters)):
        rows = pd.concat([_risk_rows(seen, *one) for one in told], ignore_index=True)
        yield _table("risk", grain, "Risk class", rows)
        chance = rows.assign(state="number", value=100.0 * rows["exceeding"], low=np.nan, high=np.nan)
        yield _table("exceedance", grain, "Chance of more than 1.5 times the country's rate, %", chance)
    yield _table("pathwayshare", "quarter", "Share of each pathway, %", _share_rows(judged))
    yield _table("forecast", "quarter", "Children expected to be met", _forecast_rows(judged, evaluation))
    if judged.changed is not None:
        yield _table("riskchange", "quarter", "Change over a year", _change_rows(judged, judged.changed))
    yield _table("riskreasons", "whole", "What the risk class rests on", _reason_rows(judged))
    yield from _partner_clusters(judged, areas)


def _public_tables(judged: _Judged) -> Iterator[Table]:
    """Give the classes alone, by year."""
    seen, kept = judged.seen, ["area", "period", "state", "value", "low", "high"]
    rows = pd.concat([_risk_rows(seen, *one) for one in judged.by_quarter()], ignore_index=True)
    yield Table(
        "risk", "region", "year", (), "Risk class", pa.Table.from_pandas(rows[kept], preserve_index=False)
    )


def _table(measure: str, grain: str, title: str, rows: pd.DataFrame) -> Table:
    return Table(
        measure, "region", grain, ("crossing",), title, pa.Table.from_pandas(rows, preserve_index=False)
    )


def _cells(seen: Observations, period: str, **columns: NDArray[Any]) -> pd.DataFrame:
    """Lay arrays of shape (areas, pathways) out, one row an area and pathway."""
    rows, wide = len(seen.areas), len(seen.pathways)
    frame = {
        "area": np.repeat(np.array(seen.areas, dtype=object), wide),
        "period": period,
        "crossing": np.tile(np.array(seen.pathways, dtype=object), rows),
        "value": np.nan,
        "state": "number",
    }
    return pd.DataFrame({**frame, **{name: np.ravel(values) for name, values in columns.items()}})


def _risk_rows(seen: Observations, period: str, need: Floats, judged: Judgement) -> pd.DataFrame:
    low, median, high = np.exp(np.quantile(need, _ENDS, axis=0))
    known = judged.classes < len(_BOUNDS)
    ends = np.array([*_BOUNDS, (np.nan, np.nan)])[judged.classes]
    searched = np.broadcast_to(judged.not_searched[:, None], known.shape)
    return _cells(
        seen,
        period,
        state=np.where(known, "class", "cannot_tell"),
        low=ends[..., 0],
        high=ends[..., 1],
        median=median,
        lower=low,
        upper=high,
        probability=judged.probability,
        exceeding=judged.exceeding,
        reports_alone=searched,
    )


def _share_rows(judged: _Judged) -> pd.DataFrame:
    """Give each pathway's share of the children on any, in per cent, by quarter; with 95 % intervals."""
    rate = np.exp(judged.log_rate)
    found = np.quantile(100.0 * rate / rate.sum(axis=-1, keepdims=True), _ENDS, axis=0)
    frames = []
    for at, quarter in enumerate(judged.seen.quarters):
        low, median, high = found[:, :, at]
        frames.append(_cells(judged.seen, quarter, value=median, lower=low, upper=high))
    return pd.concat(frames, ignore_index=True)


def _forecast_rows(judged: _Judged, evaluation: Mapping[str, Any]) -> pd.DataFrame:
    """Give the children to be met in the next quarters at the last year's effort, with 80 % intervals.

    By the historical mean, where the model was measured and did not beat it; `by` says by which.
    """
    seen = judged.seen
    verdicts = [v for v in evaluation.get("verdicts", []) if v["name"] == MODEL]
    by = MODEL if all(verdict["beats"] for verdict in verdicts) else HISTORICAL_MEAN
    if by == MODEL:
        effort = np.repeat(seen.effort[:, -_YEAR:].mean(axis=1)[:, None], AHEAD, axis=1)
        counts: Floats = judged.fit.forecast(effort, _DRAWS, _SEED).sum(axis=-1).astype(float)
    else:
        counts = BASELINES[by].forecast(panel_of(seen), AHEAD, _DRAWS, _SEED)
    low, high = np.quantile(counts, _LIKELY, axis=0)
    mean = counts.mean(axis=0)
    start = Period.parse(seen.quarters[-1])
    frames = []
    for at in range(AHEAD):
        start = Period.starting(start.end + pd.Timedelta(days=1).to_pytimedelta(), "quarter")
        columns = {"value": mean[:, at], "lower": low[:, at], "upper": high[:, at]}
        frames.append(_cells(seen, start.id, **columns).assign(by=by))
    return pd.concat(frames, ignore_index=True)


def _change_rows(judged: _Judged, found: Changes) -> pd.DataFrame:
    bounds = np.array([(0.0, 1 / ALIKE), (1 / ALIKE, ALIKE), (ALIKE, np.nan), (np.nan, np.nan)])
    frames = []
    for at, quarter in enumerate(judged.seen.quarters[2 * _YEAR - 1 :]):
        given = found.classes[:, at]
        ends = bounds[given]
        ratio = np.broadcast_to(found.effort_ratio[:, at][:, None], given.shape)
        columns = {
            "state": np.where(given < len(bounds) - 1, "class", "cannot_tell"),
            "low": ends[..., 0],
            "high": ends[..., 1],
            "median": found.ratio[1, :, at],
            "lower": found.ratio[0, :, at],
            "upper": found.ratio[2, :, at],
            "probability": found.probability[:, at],
            "effort_ratio": ratio,
            "effort_warning": found.effort_warning[:, at],
        }
        frames.append(_cells(judged.seen, quarter, **columns))
    return pd.concat(frames, ignore_index=True)


def _reason_rows(judged: _Judged) -> pd.DataFrame:
    why, seen = judged.explained, judged.seen
    need = judged.need(judged.log_risk)
    latest = np.full(why.found.shape, np.nan) if judged.changed is None else judged.changed.ratio[1, :, -1]
    return _cells(
        seen,
        judged.period,
        value=why.found,
        by_population=why.by_population,
        by_effort=why.by_effort,
        effort=np.broadcast_to(why.effort[:, None], why.found.shape),
        neighbours=why.neighbours,
        change=latest,
        median=np.exp(np.median(need, axis=0)),
        # The rate at which, as unsure as now, it would be called high; and low.
        high_from=CUTS[AVERAGE] * np.exp(_NORMAL_80 * need.std(axis=0)),
        low_below=CUTS[0] * np.exp(-_NORMAL_80 * need.std(axis=0)),
    )


def _partner_clusters(judged: _Judged, areas: geography.Areas) -> Iterator[Table]:
    """Give clusters over the whole time and recent ones, of more children than people and effort explain."""
    seen, why = judged.seen, judged.explained
    size = judged.fit.hyper.get("kappa", (0.0, 0.0))[0] ** -2
    within = clusters.Ground(seen, _centres(seen, areas), size, _REPLICATES, _SEED)
    whole = within.whole(why.found, why.by_effort)
    yield _table("hotspots", "whole", "Clusters", _cells(seen, judged.period, **whole))
    met = np.maximum(seen.published, 0).sum(axis=-1).astype(float)
    recent = within.recent(met, why.by_quarter)
    yield _table("recenthotspots", "quarter", "Recent clusters", _cells(seen, seen.quarters[-1], **recent))


def _centres(seen: Observations, areas: geography.Areas) -> Floats:
    """Give the middle of each area in metres (EPSG:3035), (areas, 2)."""
    shapes = areas.frame("region").geometry.to_crs(3035).centroid
    points = pd.DataFrame({"x": shapes.x, "y": shapes.y}).reindex(list(seen.areas))
    return points.to_numpy(dtype=float)


def _statements(seen: Observations, areas: geography.Areas) -> dict[str, Any]:
    """Say where the share of internal trafficking moved between the first and the last year."""
    names = areas.frame("region")["name_en"].astype(str)
    place = {code: at for at, code in enumerate(seen.areas)}
    groups = {str(names.get(code, code)): [at] for code, at in place.items()}
    watched = [place[code] for code in WATCHED if code in place]
    pooled = {" and ".join(str(names.get(seen.areas[at])) for at in watched): watched}
    told = shifts(seen, {**pooled, **groups}, _SEED)
    first, last = (Period.parse(seen.quarters[at]) for at in (0, -1))
    return {
        "first_year": first.start.isoformat(),
        "last_year_ends": last.end.isoformat(),
        "shifts": [one.as_dict() for one in told],
    }


def _sensitivity(judged: _Judged, model: RiskModel) -> dict[str, Any]:
    """Say what would be told if finds grew as fast as outreach: the exponent of effort fixed at 1."""
    seen = judged.seen
    log_risk = clone(model).set_params(gamma=1.0).fit(seen).fit_.log_risk(_DRAWS, _SEED)
    medians = [np.median(draws, axis=0) for draws in (judged.log_risk, log_risk)]
    ranks = [float(spearmanr(*(m[:, p] for m in medians)).statistic) for p in range(len(seen.pathways))]
    changed = judge(log_risk, seen).classes != judged.whole.classes
    return {
        "gamma": 1.0,
        "rank_correlation": [round(rank, 3) for rank in ranks],
        "classes_changed": int(changed.sum()),
        "classes": int(changed.size),
    }


def _parameters(fit: Fit) -> dict[str, Any]:
    return {"draws": _DRAWS, "seed": _SEED, "replicates": _REPLICATES, "areas": len(fit.observations.areas)}


def _card(fit: Fit) -> dict[str, Any]:
    """Say what the model is, what it learnt and what it must not be used for."""
    seen = fit.observations
    return {
        "gamma": [round(v, 3) for v in fit.gamma],
        "hyperparameters": {name: [round(v, 4) for v in pair] for name, pair in fit.hyper.items()},
        "areas": len(seen.areas),
        "periods": len(seen.quarters),
        "first": seen.quarters[0],
        "last": seen.quarters[-1],
        "pathways": list(seen.pathways),
        "ways": list(seen.ways),
        "used": ["counts of children", "outreach days", "population", "which areas touch"],
        "never_used": ["layers of communities", "ethnicity", "single children", "places below a county"],
        "expected": "people times the national share of children (provisional)",
    }
