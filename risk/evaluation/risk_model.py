"""The risk model as a forecaster, comparable with the baselines (risk/evaluation/baselines.py).

At each rolling origin, forecasters see the data known then: the release that ended with the quarter before, if there
is one, else the earlier quarters of the newest release. With spatial blocks, areas are forecast one quarter ahead
without their own counts or those of their neighbours.
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
    """Return the published counts summed over the ways of finding that are known; NaN where none is known."""
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

    earlier : data known at an origin, by the number of quarters before it; for other origins, the first quarters of
    `observations`.
    """

    observations: Observations
    model: RiskModel
    earlier: Mapping[int, Observations] = field(default_factory=dict)

    def select_observations(self, quarters: int) -> Observations:
        """Return the data known after the first `quarters` quarters."""
        return self.earlier.get(quarters) or self.observations.up_to(quarters)

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw counts as they would be published, (draws, areas, horizon, pathways).

        Areas without a known count in the history are forecast without their counts. Raises NoMode if the posterior of
        the fit has no proper mode.
        """
        observations = self.select_observations(len(history.quarters))
        hidden = np.isnan(history.counts)[..., None]
        observations = replace(observations, totals=None, published=np.where(hidden, MISSING, observations.published))
        fit = self.model.fit(observations).fit_
        counts: Floats = (
            fit.forecast(observations.continue_effort(horizon), draws, seed, published=True).sum(axis=-1).astype(float)
        )
        return counts


def evaluate_model(
    observations: Observations,
    *,
    earlier: Mapping[int, Observations] | None = None,
    horizons: int = 4,
    draws: int = 1000,
    progress: Progress | None = None,
) -> Evaluation:
    """Compute the scores of the model and all baselines from rolling origins, on the published counts.

    `earlier` holds the data of earlier releases, by their number of quarters; those with other areas or quarters are
    not used. Raises InputError if there is no quarter to forecast after the first four, and NoMode if the posterior of
    a fit has no proper mode.
    """
    matching = {
        quarters: past
        for quarters, past in (earlier or {}).items()
        if past.areas == observations.areas and past.quarters == observations.quarters[:quarters]
    }
    forecaster = ModelForecaster(observations, RiskModel(), matching)
    return evaluate(
        build_panel(observations),
        {**BASELINES, MODEL: forecaster},
        first_origin=FIRST_ORIGIN,
        horizons=horizons,
        draws=draws,
        load_panel=lambda origin: build_panel(forecaster.select_observations(origin)),
        progress=progress,
    )


def evaluate_blocks(observations: Observations, *, draws: int = 1000) -> dict[str, Any]:
    """Return mean log score and CRPS of each forecaster for the last quarter, forecast block by block.

    Each block of areas is forecast without its counts and those of its neighbours. Raises InputError if there are too
    few areas or quarters, and NoMode if the posterior of a fit has no proper mode.
    """
    forecaster = ModelForecaster(observations, RiskModel())
    evaluation = evaluate(
        build_panel(observations),
        {**BASELINES, MODEL: forecaster},
        first_origin=len(observations.quarters) - 1,
        horizons=1,
        draws=draws,
        blocks=SpatialBlocks(observations.edges, len(observations.areas)),
    )
    scores = evaluation.scores.set_index(evaluation.scores["forecaster"].astype(str))
    return {str(name): {"log": float(row["log"]), "crps": float(row["crps"])} for name, row in scores.iterrows()}
