"""The risk model against its rivals in worlds that do not follow its likelihood, and where it loses.

Each world goes through the default channel. The rivals of risk/evaluation/baselines.py and the model forecast the last
four quarters, each from the counts published before; and they rank areas by their estimate of the rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.model import correlate_ranks
from benchmarks.studies.observe import OWN, observe_release, set_up_world
from benchmarks.worlds import LAWS, simulate_default_areas
from data.workspace.types import Floats, Progress
from risk.evaluation import Evaluation, Score, evaluate
from risk.evaluation.baselines import BASELINES, Forecaster
from risk.evaluation.risk_model import MODEL, ModelForecaster, build_panel
from risk.model import RiskModel
from risk.model.draws import subtract_national_rate
from risk.model.observations import Observations

NAMES = (OWN, *LAWS)
_SCORES: tuple[Score, Score] = ("log", "crps")
_DRAWS = 1000
_LAST = 4  # quarters that are forecast
_BUDGET = 0.2  # of the areas of a country


@dataclass(frozen=True)
class Result:
    """The results of one forecaster in one world.

    log, crps : mean scores of counts, one to four quarters ahead. covered : share of counts in 95 % intervals.
    hit_rate : share of the next quarter's children in the fifth of areas with the highest forecast rate.
    correlation : rank correlation of its rates with the true relative risk, mean of the pathways.
    by_log, by_crps : 1 where the model beats it by that score (95 % interval of the gain), -1 where the model is
        beaten, else 0.
    """

    law: str
    seed: int
    forecaster: str
    log: float
    crps: float
    covered: float
    hit_rate: float
    correlation: float
    by_log: int
    by_crps: int


@dataclass(frozen=True)
class Study:
    """The results of all worlds of a study."""

    results: tuple[Result, ...]

    def summary(self) -> dict[str, Any]:
        """Return means by law and forecaster, and how often the model beats each rival and is beaten."""
        table = pd.DataFrame([asdict(result) for result in self.results])
        for score in _SCORES:
            table[f"beats_{score}"], table[f"beaten_{score}"] = table[f"by_{score}"] == 1, table[f"by_{score}"] == -1
        means = dict.fromkeys(("log", "crps", "covered", "hit_rate", "correlation"), "mean")
        sums = {f"{verb}_{score}": "sum" for verb in ("beats", "beaten") for score in _SCORES}
        rows = table.groupby(["law", "forecaster"], sort=False).agg({**means, **sums})
        laws = {law: part.droplevel(0).round(4).to_dict("index") for law, part in rows.groupby(level=0, sort=False)}
        return {"worlds": int(table["seed"].nunique()), "laws": laws}

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
    """Run the study on `worlds` invented worlds of each law. The same seeds give the same result."""
    cases = list(product(range(first_seed, first_seed + worlds), laws))
    rows = map_seeds(_study_world, cases, "Studying laws", processes=processes, cluster=cluster, progress=progress)
    return Study(tuple(result for results in rows for result in results))


def _study_world(case: tuple[int, str]) -> list[Result]:
    seed, law = case
    world = simulate_default_areas(set_up_world(seed, law))
    observations = observe_release(world)
    panel = build_panel(observations)
    forecasters = {**BASELINES, MODEL: ModelForecaster(observations, RiskModel())}
    evaluation = evaluate(panel, forecasters, first_origin=len(panel.quarters) - _LAST)
    true = world.truth.log_risk(observations.areas, observations.pathways)
    cells = evaluation.cells.dropna(subset=["observed"]).groupby("forecaster", observed=True)
    means = cells[["log", "crps", "in_95"]].mean()
    hits = evaluation.hits
    hits = hits[(hits["of"] == "areas") & np.isclose(hits["budget"], _BUDGET)]
    hit_rate = hits.set_index(hits["forecaster"].astype(str))["hit_rate"]
    ranked = {MODEL: RiskModel().fit(observations).fit_.log_risk(_DRAWS, 0).mean(axis=0)}
    ranked |= {name: _read_rates(rival, observations) for name, rival in BASELINES.items()}
    return [
        Result(
            law,
            seed,
            name,
            *(float(value) for value in means.loc[name]),
            float(hit_rate[name]),
            float(np.mean(correlate_ranks(ranked[name], true))),
            *(_judge(evaluation, name, score) for score in _SCORES),
        )
        for name in forecasters
    ]


def _read_rates(rival: Forecaster, observations: Observations) -> Floats:
    """Return the log relative rates, (A, P), that a rival forecasts for the next quarter."""
    forecast = rival.forecast(build_panel(observations), 1, _DRAWS, 0).mean(axis=0)
    rates = (forecast + 0.5 / _DRAWS) / observations.living[:, None, None]
    return subtract_national_rate(np.log(rates)[None], observations)[0, :, 0]


def _judge(evaluation: Evaluation, rival: str, score: Score) -> int:
    """Return 1 where the model beats a rival, -1 where the rival beats the model, 0 where neither is certain."""
    low, high = evaluation.beats(MODEL, rival, score).interval
    return int(low > 0) - int(high < 0)


def describe(summary: dict[str, Any], seed: int) -> Iterable[str]:
    """Return a summary in plain lines, for the terminal."""
    last = seed + summary["worlds"] - 1
    yield f"{summary['worlds']} invented worlds of each law (seeds {seed} to {last}). No record was read."
    for law, rows in summary["laws"].items():
        about = "as the model holds it" if law == OWN else LAWS[law].about
        yield f"\n{law}: {about}"
        head = f"{'':<20}{'log':>8}{'CRPS':>8}{'in 95 %':>9}{'hits':>7}{'rank':>7}"
        yield f"{head}   the model beats it, is beaten: log; CRPS"
        for name, row in sorted(rows.items(), key=lambda item: -item[1]["log"]):
            numbers = f"{row['log']:>8.3f}{row['crps']:>8.3f}{row['covered']:>9.3f}"
            numbers += f"{row['hit_rate']:>7.3f}{row['correlation']:>7.3f}"
            counts = (f"{row[f'beats_{score}']:.0f}, {row[f'beaten_{score}']:.0f}" for score in _SCORES)
            yield f"{name:<20}{numbers}   {'' if name == MODEL else '; '.join(counts)}".rstrip()


if __name__ == "__main__":
    run_study(
        study,
        describe,
        "Compare the risk model with its rivals by law (12 seconds a world and law).",
        NAMES,
        spread=True,
    )
