"""What keeps the model from scoring communities, and from believing its own searches; reported on Method.

Layers of communities never enter the model: `risk.model.observations` reads no such table, and a test takes them
away and finds the same risk. The proxy audit says how well a ranking of risk could be guessed from where
communities live all the same; the feedback test, how far what is learnt from finds alone would drift.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from data.release import Release
from data.workspace.types import Floats
from risk.model.observations import Observations
from risk.report.feedback import feedback_test, learn_all, learn_by_share_of_others

__all__ = ["proxy_audit", "report"]

_FEWEST = 4  # areas with an estimate
_RESAMPLES = 2000


def report(release: Release, seen: Observations, log_risk: Floats) -> dict[str, Any]:
    """Give both, for a manifest; `log_risk` are draws, (d, areas, pathways)."""
    naive, fair = feedback_test(learn_all), feedback_test(learn_by_share_of_others)
    return {
        "proxy": proxy_audit(release, seen, np.median(log_risk, axis=0)),
        "feedback": {"finds_alone": naive.words, "corrected": fair.words},
    }


def proxy_audit(release: Release, seen: Observations, risk: Floats, seed: int = 0) -> list[dict[str, Any]]:
    """Correlate ranks of risk with those of estimated communities, within each country; by pathway.

    With a 95 % bootstrap interval over areas. Nothing where too few areas have an estimate, or no layer of
    communities is released. An open end of a class counts as its lower end.
    """
    name = next((n for n in release.tables if n.startswith("communities_region_")), None)
    if name is None:
        return []
    table = release.table(name)
    table = table[table["state"] == "class"].sort_values("period", kind="stable")
    least = table.groupby(["area", "group"], observed=True)["low"].last().astype(float)
    estimate = least.groupby(level="area").max().reindex(list(seen.areas)).to_numpy(dtype=float)
    rng = np.random.default_rng(seed)
    told = []
    for at, country in enumerate(seen.country_names):
        inside = np.flatnonzero((seen.country_of == at) & ~np.isnan(estimate))
        if len(inside) < _FEWEST or len(np.unique(estimate[inside])) < 2:
            continue
        for place, pathway in enumerate(seen.pathways):
            value, low, high = _ranks(risk[inside, place], estimate[inside] / seen.expected[inside], rng)
            told.append(
                {
                    "country": country,
                    "pathway": pathway,
                    "areas": len(inside),
                    "correlation": round(value, 3),
                    "low": round(low, 3),
                    "high": round(high, 3),
                }
            )
    return told


def _ranks(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    drawn = rng.integers(0, len(first), (_RESAMPLES, len(first)))
    found = [spearmanr(first[d], second[d]).statistic for d in drawn if len(set(d)) > 2]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(spearmanr(first, second).statistic), float(low), float(high)
