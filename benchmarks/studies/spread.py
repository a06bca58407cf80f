"""What a wrong premise about finding does to words and intervals: teams differ, days are missing, a year is lost.

Worlds without differences in risk ("flat") and with them ("signal"), whose areas differ in how well they find by a
standard deviation of the log of .2, .35 or .5; worlds in which a third of the areas, or all, have no recorded days; and
worlds with a lockdown year. Each goes through the default channel: docs/risk-model.md section 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.observe import QUIET, observe_release, read_need, set_up_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.workspace.types import Floats, Progress
from risk.model import RiskModel
from risk.model.detection import DetectionRange, judge_need
from risk.model.observations import Observations
from risk.model.statements import Statements

SPREADS = (0.2, 0.35, 0.5)
NAMES = (
    *(f"{kind} {spread}" for kind in ("flat", "signal") for spread in SPREADS),
    "third without days",
    "no days",
    "lockdown",
)
_DRAWS, _YEAR = 2000, 4
_PAST = 1.0 + 1e-9
_ENDS = (0.025, 0.975)


@dataclass(frozen=True)
class Result:
    """The results of one world.

    stated : areas and pathways. likely, very_likely : statements with this word; `..._right` : how many are true.
    rate, need : share of the 95 % intervals of relative need, and of need, over the whole time, that hold the truth.
    total, last_year : whether those of both countries' need, over the whole time and in the last year, do.
    """

    case: str
    seed: int
    stated: int
    likely: int
    likely_right: int
    very_likely: int
    very_likely_right: int
    rate: float
    need: float
    total: float
    last_year: float


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    results: tuple[Result, ...]

    def summary(self) -> dict[str, Any]:
        """Return shares (0 to 1) over all worlds, by case."""
        rows = {}
        for case, part in pd.DataFrame([asdict(result) for result in self.results]).groupby("case", sort=False):
            sums, means = part.sum(numeric_only=True), part.mean(numeric_only=True)
            rows[str(case)] = {
                "worlds": len(part),
                **{name: sums[name] / sums["stated"] for name in ("likely", "very_likely")},
                **{f"{name}_right": sums[f"{name}_right"] / max(sums[name], 1) for name in ("likely", "very_likely")},
                **{name: means[name] for name in ("rate", "need", "total", "last_year")},
            }
        return rows

    def as_dict(self) -> dict[str, Any]:
        """Return the summary and all results as plain values."""
        return {"invented": True, "summary": self.summary(), "results": [asdict(result) for result in self.results]}


def study(
    worlds: int,
    *,
    laws: Sequence[str] = NAMES,
    first_seed: int = 0,
    processes: int = 1,
    cluster: str = "",
    progress: Progress | None = None,
) -> Study:
    """Run the study on `worlds` invented worlds of each case. The same seeds give the same result."""
    cases = list(product(range(first_seed, first_seed + worlds), laws))
    rows = map_seeds(study_world, cases, "Studying spread", processes=processes, cluster=cluster, progress=progress)
    return Study(tuple(rows))


def study_world(key: tuple[int, str]) -> Result:
    """Return the results of one world, given its seed and its case, one of NAMES."""
    seed, case = key
    world = simulate_default_areas(_set_up(seed, case))
    observations = _drop_days(observe_release(world), seed, case)
    fit = RiskModel().fit(observations).fit_
    rate, true_rate = fit.log_need(_DRAWS, seed), world.truth.log_risk(observations.areas, observations.pathways)
    statements = judge_need(rate, observations).statements
    counts = {}
    certainty, right = statements.as_columns()["certainty"], _hold(statements, np.exp(true_rate))
    for word in ("likely", "very_likely"):
        counts |= {word: int((certainty == word).sum()), f"{word}_right": int(right[certainty == word].sum())}
    need, true = DetectionRange().need(fit.draws(_DRAWS, seed), observations, seed), read_need(world, observations)
    last = slice(-_YEAR, None)
    return Result(
        case,
        seed,
        true_rate.size,
        **counts,
        rate=_cover(rate, true_rate),
        need=_cover(need.sum(axis=2), true.sum(axis=1)),
        total=_cover(need.sum(axis=(1, 2, 3)), true.sum()),
        last_year=_cover(need[:, :, last].sum(axis=(1, 2, 3)), true[:, last].sum()),
    )


def _set_up(seed: int, case: str) -> WorldParameters:
    kind, _, spread = case.partition(" ")
    if kind in ("flat", "signal"):
        usual = set_up_world(seed, QUIET) if kind == "flat" else set_up_world(seed)
        return replace(usual, detection_log_sd=float(spread))
    return set_up_world(seed, case) if case == "lockdown" else set_up_world(seed)


def _drop_days(observations: Observations, seed: int, case: str) -> Observations:
    """Return the observations without the days of a third of the areas, or of all; the counts stay."""
    size = len(observations.areas)
    share = {"third without days": 1 / 3, "no days": 1.0}.get(case, 0.0)
    without = np.random.default_rng([seed, 5]).permutation(size) < round(share * size)
    return replace(observations, effort=np.where(without[:, None], 0.0, observations.effort))


def _hold(statements: Statements, true: Floats) -> Floats:
    columns = statements.as_columns()
    high = np.where(np.isnan(columns["high"]), np.inf, columns["high"])
    # A truth on a bound, such as the average itself where no area differs, makes neither side true.
    return np.asarray((columns["low"] * _PAST < true) & (true * _PAST < high))


def _cover(draws: Floats, true: Floats) -> float:
    low, high = np.quantile(draws, _ENDS, axis=0)
    return float(((low <= true) & (true <= high)).mean())


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    yield f"Invented worlds from seed {seed} on. No record was read."
    yield f"{'':<20}worlds  likely (right)  very likely (right)   95 %: rate  need  total  last year"
    for case, row in summary.items():
        yield (
            f"{case:<20}{row['worlds']:>6}  {row['likely']:.2f} ({row['likely_right']:.2f})     "
            f"{row['very_likely']:.2f} ({row['very_likely_right']:.2f})"
            f"{row['rate']:>21.3f}{row['need']:>7.3f}{row['total']:>6.2f}{row['last_year']:>8.2f}"
        )


def main() -> None:
    """Study worlds with a wrong premise about finding, and print the results."""
    run_study(study, describe, "Words and intervals where finding is not as assumed", NAMES, spread=True)


if __name__ == "__main__":
    main()
