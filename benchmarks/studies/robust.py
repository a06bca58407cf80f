"""Put small unusual data sets through the risk model and all later steps, to find what fails, is not finite or is slow.

The study computes the fit, rates, exceedance, burden, changes over a year, explanations, clusters and trends, all as in
`tact risk`; a forecast; the scores of the model and all its rivals in the last quarter; and the space-time scan, which
no command uses. Tables, municipalities, access, the shift to internal trafficking and the ledger are left out.

The data sets have 3 to 30 areas and 2 to 12 quarters. Some have zeros everywhere, one area with all children, graphs in
several parts or without any neighbours, exposures of 1 to 1,000,000, effort that is missing or extreme, or unknown or
hidden counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np

from benchmarks.scan import scan_space_time
from benchmarks.studies.command import run_study
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.errors import TactError
from data.workspace.threads import on_one_thread
from data.workspace.types import Floats, Ints, Progress
from risk.evaluation import evaluate
from risk.evaluation.baselines import BASELINES
from risk.evaluation.risk_model import MODEL, ModelForecaster, build_panel
from risk.laplace.likelihood import HIDDEN, MISSING
from risk.model import RiskModel
from risk.model.burden import judge_burden
from risk.model.observations import ALL, PATHWAYS, WAYS, Observations, build_channel
from risk.report.steps import find_jumps
from risk.report.tables import JudgedFit, find_clusters, judge_fit
from risk.report.trends import Rules, compare_panel, describe_trends

COUNTS = ("usual", "sparse", "zeros", "one area", "one quarter", "one cell", "thousands")
GRAPHS = ("none", "chain", "parts", "random", "complete")
EFFORTS = ("none", "some", "usual", "wild", "one cell")
RELEASES = ("exact", "partner", "public")
GAPS = ("none", "some", "one area", "one quarter", "all but one", "all")
_LIMIT = 10.0  # seconds
_DRAWS = 500


@dataclass(frozen=True)
class OddData:
    """The unusual properties of a small data set; `seed` decides the rest."""

    areas: int
    quarters: int
    countries: int
    largest_exposure: float
    counts: str
    graph: str
    effort: str
    release: str
    gaps: str
    seed: int

    @classmethod
    def draw(cls, seed: int) -> OddData:
        """Draw a data set; all kinds have the same probability."""
        rng = np.random.default_rng(seed)
        areas, quarters = int(rng.integers(3, 31)), int(rng.integers(2, 13))
        exposure = 10.0 ** int(rng.integers(0, 7))
        kinds = (str(rng.choice(names)) for names in (COUNTS, GRAPHS, EFFORTS, RELEASES, GAPS))
        return cls(areas, quarters, int(rng.integers(1, 3)), exposure, *kinds, seed)

    def observations(self) -> Observations:
        """Return the data as observations, as if they had been read from a release."""
        rng = np.random.default_rng([self.seed, 1])
        public = self.release == "public"
        pathways, ways = (ALL, ALL) if public else (PATHWAYS, WAYS)
        expected = self.largest_exposure ** rng.random(self.areas)
        expected[0], expected[-1] = 1.0, self.largest_exposure
        exact = self._draw_counts(rng, expected, (self.areas, self.quarters, len(pathways), len(ways)))
        published, totals, channel = exact, None, None
        if self.release != "exact":
            mechanism = CellKey.from_policy(DEFAULT_POLICY)
            published = mechanism.publish(exact, rng.integers(0, 2**24, exact.shape))
            totals = None if public else exact.sum(axis=(1, 3))
            k = DEFAULT_POLICY.k if public else None
            published = np.where(published < k, HIDDEN, published) if k else published
            channel = build_channel(mechanism, published, k)
        return Observations(
            tuple(f"A{area}" for area in range(self.areas)),
            tuple(("AL", "GR")[min(area, self.countries - 1)] for area in range(self.areas)),
            np.repeat(expected[:, None], self.quarters, axis=1),
            tuple(f"{2006 + q // 4}-{3 * (q % 4) + 1:02}-01/P3M" for q in range(self.quarters)),
            pathways,
            ways,
            self._lose_some(rng, published),
            self._draw_effort(rng),
            self._draw_edges(rng),
            channel,
            "public" if public else "partner",
            totals,
            np.full((self.areas, len(pathways)), 2.0 if channel else 0.0),
        )

    def _draw_counts(self, rng: np.random.Generator, expected: Floats, shape: tuple[int, ...]) -> Ints:
        mean = {"sparse": 0.05, "thousands": 3000.0}.get(self.counts, 4.0)
        rate = mean * expected / expected.mean() * rng.lognormal(0.0, 1.0, self.areas)
        counts = rng.poisson(np.broadcast_to(rate[:, None, None, None], shape))
        area, quarter = int(rng.integers(self.areas)), int(rng.integers(self.quarters))
        place = {"one area": np.s_[area], "one quarter": np.s_[:, quarter], "one cell": np.s_[area, quarter, 0, 0]}
        if self.counts in place:
            only = np.zeros(shape, np.int64)
            only[place[self.counts]] = 40
            return only
        return np.zeros(shape, np.int64) if self.counts == "zeros" else np.asarray(counts, np.int64)

    def _lose_some(self, rng: np.random.Generator, published: Ints) -> Ints:
        lost = rng.random(published.shape) < 0.3 if self.gaps == "some" else np.zeros(published.shape, bool)
        lost[0] |= self.gaps == "one area"
        lost[:, -1] |= self.gaps == "one quarter"
        lost |= self.gaps in ("all but one", "all")
        lost[-1, 0, 0, 0] &= self.gaps != "all but one"
        return np.where(lost, MISSING, published)

    def _draw_effort(self, rng: np.random.Generator) -> Floats:
        days: Floats = np.round(rng.lognormal(2.0, 4.0 if self.effort == "wild" else 0.5, (self.areas, self.quarters)))
        if self.effort == "some":
            days[rng.random(days.shape) < 0.5] = 0.0
        if self.effort in ("none", "one cell"):
            days[:] = 0.0
            days[0, 0] = float(self.effort == "one cell")
        return days

    def _draw_edges(self, rng: np.random.Generator) -> Ints:
        first, second = np.triu_indices(self.areas, 1)
        half = self.areas // 2
        touch = {
            "none": first < 0,
            "chain": second == first + 1,
            "parts": ((first < half) == (second < half)) & (second <= first + 2),
            "random": rng.random(len(first)) < 2.0 / self.areas,
            "complete": first >= 0,
        }[self.graph]
        return np.column_stack([first, second])[touch].astype(np.int64)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a data set: the product's own error, names of results that are not finite, processor seconds."""

    data: OddData
    error: str
    not_finite: tuple[str, ...]
    seconds: float


@on_one_thread
def compute_everything(data: OddData) -> dict[str, Floats]:
    """Compute everything that the module docstring names; return draws, intervals, probabilities and scores, by name.

    Raises TactError if a result is not possible. Bounds of ratios of counts are left out: with a count of 0 they are
    infinite, as they must be.
    """
    observations = data.observations()
    judged = judge_fit(RiskModel().fit(observations).fit_)
    effort = np.repeat(observations.effort[:, -1:], 4, axis=1)
    burden = judge_burden(judged.need, observations.country_of)
    results = {
        "log risk": judged.log_risk,
        "log rate": judged.draws.log_rate,
        "exceedance": judged.whole.exceeding,
        "children in need": burden.children,
        "rank": burden.rank,
        "chance of the first five": burden.top,
        "expected": judged.explained.by_quarter,
        "forecast": judged.fit.forecast(effort, _DRAWS, 0).astype(float),
    }
    if judged.changed is not None:
        results["change"] = judged.changed.ratio
    return results | _look_at_counts(data, judged)


def _look_at_counts(data: OddData, judged: JudgedFit) -> dict[str, Floats]:
    observations = judged.observations
    panel = build_panel(observations)
    centres = np.random.default_rng([data.seed, 2]).uniform(0.0, 1e5, (data.areas, 2))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*centres.T), index=list(observations.areas), crs=3035)
    rows = find_clusters(judged, SimpleNamespace(frame=lambda _level: points))  # it reads only the shapes of areas
    rows = rows[rows["cluster"].notna()]
    results = {"cluster p": rows["p_release"].to_numpy(), "cluster risk": np.minimum(rows["value"].to_numpy(), 1e300)}
    counts = np.nansum(panel.counts, axis=2)
    if counts.any():
        clusters = scan_space_time(counts, panel.expected, centres, between_sd=0.2, replicates=19)
        results["space-time p"] = np.array([cluster.p for cluster in clusters])
    find_jumps(panel)
    span = max(min(4, data.quarters // 2), 1)
    changes = compare_panel(panel, span, rules=Rules(noise_variance=2.0, size=20.0))
    compared = [change for change in changes if change.verdict != "not compared"]
    ends = [end for change in compared for end in change.exact]
    results["change of counts"] = np.minimum(np.array(ends), 1e300)
    describe_trends(observations, 0.2)
    last = data.quarters - 1
    forecasters = {**BASELINES, MODEL: ModelForecaster(observations, RiskModel())}
    if not np.isnan(panel.counts[:, last:]).all():
        cells = evaluate(panel, forecasters, first_origin=last, horizons=1, draws=_DRAWS).cells
        scored = cells.dropna(subset=["observed"])
        results |= {name: scored[name].to_numpy(float) for name in ("expected", "log", "crps", "pit")}
    return results


def try_data(data: OddData) -> Outcome:
    """Compute everything from one data set, and return the outcome.

    Errors that are not the product's own are raised, because they are faults.
    """
    began, error, wrong = time.process_time(), "", ()
    try:
        results = compute_everything(data)
        wrong = tuple(name for name, values in results.items() if not np.isfinite(values).all())
    except TactError as refusal:
        error = f"{type(refusal).__name__}: {refusal}"
    return Outcome(data, error, wrong, time.process_time() - began)


@dataclass(frozen=True)
class Study:
    """The outcomes of all data sets."""

    outcomes: tuple[Outcome, ...]

    def summary(self) -> dict[str, Any]:
        """Return a summary over all data sets."""
        seconds = np.array([outcome.seconds for outcome in self.outcomes])
        return {
            "data_sets": len(self.outcomes),
            "refused": [outcome.error for outcome in self.outcomes if outcome.error],
            "not_finite": [asdict(outcome) for outcome in self.outcomes if outcome.not_finite],
            "over_limit": int((seconds > _LIMIT).sum()),
            "median_seconds": float(np.median(seconds)),
            "most_seconds": float(seconds.max()),
            "slowest": str(self.outcomes[int(seconds.argmax())].data),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "outcomes": [asdict(o) for o in self.outcomes]}


def study(worlds: int, *, first_seed: int = 0, progress: Progress | None = None) -> Study:
    """Try `worlds` data sets, with consecutive seeds. The same seeds give the same data sets."""
    outcomes = []
    for number in range(1, worlds + 1):
        outcomes.append(try_data(OddData.draw(first_seed + number - 1)))
        if progress is not None:
            progress(number, worlds, "Trying odd data sets")
    return Study(tuple(outcomes))


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    return [
        f"{summary['data_sets']} odd data sets (seeds from {seed}). No record was read.",
        f"  refused with a clear error: {len(summary['refused'])}",
        *sorted({f"    {error}" for error in summary["refused"]}),
        f"  with a result that is not finite: {len(summary['not_finite'])}",
        *(f"    {outcome['not_finite']}: {outcome['data']}" for outcome in summary["not_finite"]),
        f"  seconds of the processor: median {summary['median_seconds']:.1f}, most {summary['most_seconds']:.1f}; "
        f"{summary['over_limit']} over {_LIMIT:g}",
        f"    {summary['slowest']}",
    ]


if __name__ == "__main__":
    run_study(study, describe, "Try small odd data sets (a second or two each).")
