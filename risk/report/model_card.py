"""The model card in the manifest of a result: the model, its estimates, and the data it never reads."""

from __future__ import annotations

from typing import Any

from risk.model import Fit
from risk.model.detection import DetectionRange
from risk.model.municipalities import MunicipalFit
from risk.report.tables import DRAWS, REPLICATES, SEED, JudgedFit


def describe_parameters(fit: Fit) -> dict[str, Any]:
    """Return the parameters of the calculation as plain values."""
    return {"draws": DRAWS, "seed": SEED, "replicates": REPLICATES, "areas": len(fit.observations.areas)}


def describe_municipalities(municipal: MunicipalFit) -> dict[str, Any]:
    """Return the fit of municipalities as plain values.

    region_only : two numbers: the pairs of municipality and pathway that only have their region's average, and all
    pairs.
    """
    fit = municipal.inside
    return {
        "areas": len(fit.observations.areas),
        "gamma": [round(v, 3) for v in fit.gamma],
        "hyperparameters": {name: [round(v, 4) for v in pair] for name, pair in fit.hyper.items()},
        "region_only": [int(municipal.region_only.sum()), int(municipal.region_only.size)],
    }


def make_model_card(judged: JudgedFit, *, municipal: bool) -> dict[str, Any]:
    """Return the model, its estimates and the data that it never uses, as plain values.

    municipal : whether municipalities were fitted, too.
    """
    fit, observations = judged.fit, judged.observations
    smallest = "municipality" if municipal else "county"
    return {
        "gamma": [round(v, 3) for v in fit.gamma],
        "hyperparameters": {name: [round(v, 4) for v in pair] for name, pair in fit.hyper.items()},
        "areas": len(observations.areas),
        "periods": len(observations.quarters),
        "first": observations.quarters[0],
        "last": observations.quarters[-1],
        "pathways": list(observations.pathways),
        "ways": list(observations.ways),
        "used": ["counts of children", "outreach days", "population", "which areas touch"],
        "never_used": ["layers of communities", "ethnicity", "single children", f"places below a {smallest}"],
        "countries": list(observations.country_names),
        "share_assumed": [DetectionRange().low, DetectionRange().high],
        "share_found": {country: list(ends) for country, ends in observations.share_found.items()},
        "expected": "people times the national share of children (provisional)",
    }
