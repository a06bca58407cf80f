"""The risk model as a forecaster, comparable with the baselines (risk/evaluation/baselines.py).

Rolling origins use the data known then: if an earlier release ended with the quarter before an origin,
forecasters see that release; otherwise the earlier quarters of the newest release. Spatial blocks, one quarter
ahead, forecast areas without their own counts or those of their neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.workspace.types import Floats, Progress
from risk.evaluation import Evaluation, evaluate
from risk.evaluation.baselines import BASELINES
from risk.evaluation.panel import Panel
from risk.evaluation.splits import SpatialBlocks
from risk.laplace.likelihood import MISSING
from risk.model import RiskModel
from risk.model.observations import Observations

MODEL = "risk model"
FIRST_ORIGIN = 4  # a year to learn from


def build_panel(observations: Observations) -> Panel:
    """Return the published counts summed over ways of finding; NaN where no way is known."""
    known = observations.published >= 0
    counts = np.where(known, observations.published, 0).sum(axis=-1).astype(float)
    counts[~known.any(axis=-1)] = np.nan
    return Panel(
        observations.areas,
        observations.countries,
        observations.expected,
        observations.quarters,
        observations.pathways,
        counts,
        observations.effort,
        observations.edges,
    )


@dataclass(frozen=True, eq=False)
class ModelForecaster:
    """The risk model, fitted to the data known at an origin; effort continues as in the year before the origin.

    earlier : the data known at some origins, by the number of quarters before them.
    """

    observations: Observations
    model: RiskModel
    earlier: Mapping[int, Observations] = field(default_factory=dict)

    def known(self, quarters: int) -> Observations:
        """Return the data known after a number of quarters."""
        return self.earlier.get(quarters) or self.observations.up_to(quarters)

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw counts as they would be published, (draws, areas, horizon, pathways)."""
        known = self.known(len(history.quarters))
        hidden = np.isnan(history.counts)[..., None]
        known = replace(known, totals=None, published=np.where(hidden, MISSING, known.published))
        fit = self.model.fit(known).fit_
        counts: Floats = (
            fit.forecast(known.continue_effort(horizon), draws, seed, published=True).sum(axis=-1).astype(float)
        )
        return counts


def evaluate_model(
    observations: Observations,
    model: RiskModel | None = None,
    *,
    earlier: Mapping[int, Observations] | None = None,
    horizons: int = 4,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Compute the scores of the model and all baselines from rolling origins, on the published counts.

    `earlier` holds the data known at some origins, by the number of quarters before them.
    """
    forecaster = ModelForecaster(observations, model or RiskModel(), _select_matching(observations, earlier or {}))
    return evaluate(
        build_panel(observations),
        {**BASELINES, MODEL: forecaster},
        first_origin=FIRST_ORIGIN,
        horizons=horizons,
        draws=draws,
        seed=seed,
        known=lambda origin: build_panel(forecaster.known(origin)),
        progress=progress,
    )


def evaluate_blocks(
    observations: Observations, model: RiskModel | None = None, *, draws: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Compute mean scores of forecasts of the last quarter that do not know the counts of their block of areas."""
    forecaster = ModelForecaster(observations, model or RiskModel())
    evaluation = evaluate(
        build_panel(observations),
        {**BASELINES, MODEL: forecaster},
        first_origin=len(observations.quarters) - 1,
        horizons=1,
        draws=draws,
        seed=seed,
        blocks=SpatialBlocks(observations.edges, len(observations.areas)),
    )
    scores = evaluation.scores.set_index(evaluation.scores["forecaster"].astype(str))
    return {str(name): {"log": float(row["log"]), "crps": float(row["crps"])} for name, row in scores.iterrows()}


def _select_matching(observations: Observations, earlier: Mapping[int, Observations]) -> dict[int, Observations]:
    """Return the earlier observations that have the same areas and quarters as the newest release."""
    return {
        quarters: known
        for quarters, known in earlier.items()
        if known.areas == observations.areas and known.quarters == observations.quarters[:quarters]
    }
