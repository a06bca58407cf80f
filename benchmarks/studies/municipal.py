"""How accurate the risk model is for municipalities inside their regions, on invented worlds with a known truth.

For each seed a world is published by region and by municipality through the default channel, and the model is fitted.
The study measures the coverage of the intervals of relative need, and the rank correlation with the truth, of the model
and of published counts per child: over all municipalities, and inside single regions, where only the division of the
region's need counts. Some municipalities just get their region's average. Seconds and memory are measured in a separate
process.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.model import covered
from benchmarks.studies.observe import observe_release
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.workspace.types import Bools, Floats, Progress
from risk.model import RiskModel
from risk.model.municipalities import MunicipalFit, fit_municipalities

INSIDE = {"Tirana": "AL-11", "Durrës": "AL-02", "Attica": "GR-I"}
_DRAWS = 2000
_LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Municipal:
    """Results of one world.

    correlation, by_count : rank correlation with the true relative risk over all municipalities, mean over pathways; of
        the model's risk, and of published children per child who lives there. burden, burden_by_count : the same with
        the true need; of the model's need, and of published children.
    inside, inside_by_count : the same inside each region of INSIDE, with the true risk; NaN where no child was found.
    covered : share of true log relative risks in intervals of 50, 80 and 95 %. where_found, at_region : the share in
        95 % intervals where children were published, and where the municipality only has its region's average.
    region_only : share of pairs of municipality and pathway that only have their region's average.
    seconds, cpu : elapsed time and processor time of both fits. peak_mb : peak memory of the process, which also draws
        the world.
    """

    seed: int
    correlation: float
    by_count: float
    burden: float
    burden_by_count: float
    inside: tuple[float, ...]
    inside_by_count: tuple[float, ...]
    covered: tuple[float, ...]
    where_found: float
    at_region: float
    region_only: float
    seconds: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    worlds: tuple[Municipal, ...]

    def summary(self) -> dict[str, Any]:
        """Return means over all worlds, and the largest time and memory."""
        names = [name for name in Municipal.__dataclass_fields__ if name != "seed"]
        values = {name: np.array([getattr(world, name) for world in self.worlds], dtype=float) for name in names}
        out = {name: np.round(np.nanmean(value, axis=0), 3).tolist() for name, value in values.items()}
        most = {f"most_{name}": round(float(values[name].max()), 1) for name in ("seconds", "cpu", "peak_mb")}
        return {"worlds": len(self.worlds), **out, **most}

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "worlds": [asdict(world) for world in self.worlds]}


def study(worlds: int, *, first_seed: int = 0, processes: int = 1, progress: Progress | None = None) -> Study:
    """Run the study on `worlds` invented worlds, about 15 seconds of processor time each, in new processes."""
    seeds = range(first_seed, first_seed + worlds)
    # A new process for each world, so that its peak of memory is its own.
    results = map_seeds(
        study_world, seeds, "Studying invented worlds", processes=processes, progress=progress, fresh=True
    )
    return Study(tuple(results))


def study_world(seed: int) -> Municipal:
    """Compute the results of one world."""
    world = simulate_default_areas(WorldParameters(seed=seed))
    regions, municipalities = observe_release(world), observe_release(world, "municipality")
    began, cpu = time.perf_counter(), time.process_time()
    fit = fit_municipalities(RiskModel().fit(regions).fit_, municipalities)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    true = world.truth.log_risk(municipalities.areas, municipalities.pathways, "municipality")
    return _compare(fit, true, seed, seconds, cpu)


def _compare(fit: MunicipalFit, true: Floats, seed: int, seconds: float, cpu: float) -> Municipal:
    observations, need = fit.observations, fit.log_need(_DRAWS, seed)
    children = observations.living[:, None]
    published = np.maximum(observations.published, 0).sum(axis=(1, 3)).astype(float)
    risk, alone = need.mean(axis=0), fit.region_only
    amount = children * np.exp(true)
    members = [np.array(observations.regions) == code for code in INSIDE.values()]
    return Municipal(
        seed,
        _correlate(risk, true),
        _correlate(published / children, true),
        _correlate(fit.draw_yearly_need(_DRAWS, seed).mean(axis=0), amount),
        _correlate(published, amount),
        tuple(_correlate(risk, true, inside) for inside in members),
        tuple(_correlate(published / children, true, inside) for inside in members),
        tuple(covered(need, true, level) for level in _LEVELS),
        covered(need[:, published > 0], true[published > 0]),
        covered(need[:, alone], true[alone]),
        float(alone.mean()),
        seconds,
        cpu,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _correlate(values: Floats, true: Floats, inside: Bools | None = None) -> float:
    """Return one number: the rank correlation of `values` with `true`, both (A, P), as the mean over pathways.

    inside : the areas to use, (A,), by default all. Pathways in which all values are the same are left out; NaN if none
    is left.
    """
    where = slice(None) if inside is None else inside
    return float(np.nanmean([_spearman(v, t) for v, t in zip(values[where].T, true[where].T, strict=True)]))


def _spearman(values: Floats, true: Floats) -> float:
    return float(spearmanr(values, true).statistic) if len(set(values.tolist())) > 1 else np.nan


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    inside = zip(INSIDE, summary["inside"], summary["inside_by_count"], strict=True)
    fifty, eighty, most = summary["covered"]
    return [
        f"{summary['worlds']} invented worlds (seeds {seed} to {seed + summary['worlds'] - 1}). No record was read.",
        "",
        f"{'rank correlation with the true risk, municipalities':<56}{'model':>8}{'counts':>8}",
        f"{'  of each country, mean over pathways':<56}{summary['correlation']:>8.3f}{summary['by_count']:>8.3f}",
        *(f"  inside {name:<47}{model:>8.3f}{count:>8.3f}" for name, model, count in inside),
        f"{'  with the true need':<56}{summary['burden']:>8.3f}{summary['burden_by_count']:>8.3f}",
        "",
        f"True risks in intervals of 50, 80, 95 %: {fifty:.3f}  {eighty:.3f}  {most:.3f}",
        f"  of 95 %: where children were published {summary['where_found']:.3f}, "
        f"where a municipality is only its region's average {summary['at_region']:.3f}",
        f"Only their region's average: {100 * summary['region_only']:.0f} of 100 municipalities on a pathway.",
        f"Seconds {summary['seconds']:.1f} (of the processor {summary['cpu']:.1f}, at most {summary['most_cpu']:.1f}); "
        f"peak memory {summary['most_peak_mb']:.0f} MB.",
    ]


if __name__ == "__main__":
    run_study(study, describe, "Try the risk model for municipalities on invented worlds (half a minute a world).")
