"""The risk model as one of the forecasters that it is measured against (risk/baselines.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.baselines import BASELINES, Forecaster
from risk.evaluate import Evaluation, evaluate
from risk.model import RiskModel
from risk.observations import MISSING, Observations
from risk.panel import Panel, Progress

__all__ = ["FIRST_ORIGIN", "MODEL", "ModelForecaster", "evaluated", "panel_of"]

Floats = NDArray[np.float64]

MODEL = "risk model"
FIRST_ORIGIN = 4  # a year to learn from
_YEAR = 4


def panel_of(seen: Observations) -> Panel:
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
    """Fits the model to what was known at an origin; effort goes on as in the last year before it."""

    seen: Observations
    model: RiskModel

    def forecast(self, history: Panel, horizon: int, draws: int, seed: int) -> Floats:
        """Draw counts as they would be published, (draws, areas, horizon, pathways)."""
        known = self.seen.up_to(len(history.quarters))
        hidden = np.isnan(history.counts)[..., None]
        known = replace(known, published=np.where(hidden, MISSING, known.published))
        effort = np.repeat(known.effort[:, -_YEAR:].mean(axis=1)[:, None], horizon, axis=1)
        fit = self.model.fit(known).fit_
        counts: Floats = fit.forecast(horizon, effort, draws, seed, published=True).sum(axis=-1).astype(float)
        return counts


def evaluated(
    seen: Observations,
    model: RiskModel | None = None,
    *,
    horizons: int = 4,
    draws: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure the model against all baselines from rolling origins, on the counts as published."""
    forecasters: dict[str, Forecaster] = {**BASELINES, MODEL: ModelForecaster(seen, model or RiskModel())}
    return evaluate(
        panel_of(seen),
        forecasters,
        first_origin=FIRST_ORIGIN,
        horizons=horizons,
        draws=draws,
        seed=seed,
        progress=progress,
    )
