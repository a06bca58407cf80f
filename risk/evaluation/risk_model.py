"""The risk model as one of the forecasters that it is measured against (risk/evaluation/baselines.py).

From rolling origins with the data as known then: where an earlier release ended with the quarter before an
origin, forecasters see that release; elsewhere the quarters before it as the newest release shows them. And
over spatial blocks, one quarter ahead: areas without counts of their own or of their neighbours.
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
_YEAR = 4


def build_panel(seen: Observations) -> Panel:
    """Add the ways of finding up: counts as published, not a number where none of them is known."""
    known = seen.published >= 0
    counts = np.where(known, seen.published, 0).sum(axis=-1).astype(float)
    counts[~known.any(axis=-1)] = np.nan
    return Panel(
        seen.areas,
        seen.countries,
        seen.expected,
        seen.quarters,
        seen.pathways,
        counts,
        seen.effort,
        seen.edges,
    )


@dataclass(frozen=True, eq=False)
class ModelForecaster:
    """Fits the model to what was known at an origin; effort goes on as in the last year before it.

    earlier : what was known at some origins, by the number of quarters before them.
    """

    seen: Observations
    model: RiskModel
    earlier: Mapping[int, Observations] = field(default_factory=dict)

    def known(self, quarters: int) -> Observations:
        """Give what was known after so many quarters."""
        return self.earlier.get(quarters) or self.seen.up_to(quarters)

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw counts as they would be published, (draws, areas, horizon, pathways)."""
        known = self.known(len(history.quarters))
        hidden = np.isnan(history.counts)[..., None]
        known = replace(known, totals=None, published=np.where(hidden, MISSING, known.published))
        effort = np.repeat(known.effort[:, -_YEAR:].mean(axis=1)[:, None], horizon, axis=1)
        fit = self.model.fit(known).fit_
        counts: Floats = fit.forecast(effort, draws, seed, published=True).sum(axis=-1).astype(float)
        return counts


def evaluate_model(
    seen: Observations,
    model: RiskModel | None = None,
    *,
    earlier: Mapping[int, Observations] | None = None,
    horizons: int = 4,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure the model against all baselines from rolling origins, on the counts as published.

    `earlier` holds what was known at some origins, by the number of quarters before them.
    """
    mine = ModelForecaster(seen, model or RiskModel(), _select_matching(seen, earlier or {}))
    return evaluate(
        build_panel(seen),
        {**BASELINES, MODEL: mine},
        first_origin=FIRST_ORIGIN,
        horizons=horizons,
        draws=draws,
        seed=seed,
        known=lambda origin: build_panel(mine.known(origin)),
        progress=progress,
    )


def evaluate_blocks(
    seen: Observations, model: RiskModel | None = None, *, draws: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Forecast the last quarter block by block, areas without their own counts; mean scores by forecaster."""
    mine = ModelForecaster(seen, model or RiskModel())
    found = evaluate(
        build_panel(seen),
        {**BASELINES, MODEL: mine},
        first_origin=len(seen.quarters) - 1,
        horizons=1,
        draws=draws,
        seed=seed,
        blocks=SpatialBlocks(seen.edges, len(seen.areas)),
    )
    scores = found.scores.set_index(found.scores["forecaster"].astype(str))
    return {
        str(name): {"log": float(row["log"]), "crps": float(row["crps"])} for name, row in scores.iterrows()
    }


def _select_matching(seen: Observations, earlier: Mapping[int, Observations]) -> dict[int, Observations]:
    """Keep what has the same areas and quarters as the newest release."""
    return {
        quarters: known
        for quarters, known in earlier.items()
        if known.areas == seen.areas and known.quarters == seen.quarters[:quarters]
    }
