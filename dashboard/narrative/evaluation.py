"""How well the risk model has predicted, in words, from the evaluation that is kept with its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease

_MODEL, _MEAN = "risk model", "historical mean"


def read_evaluation(current: CurrentRelease) -> Mapping[str, Any]:
    """Give what was found when the model was measured; empty where it was not."""
    return dict((current_release.read_risk_manifest(current) or {}).get("evaluation") or {})


def _verdict(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = (v for v in told.get("verdicts", ()) if v["name"] == _MODEL and v["baseline"] == _MEAN)
    return next(found, None)


def format_verdict(told: Mapping[str, Any]) -> str:
    """Give the verdict on the model against the historical mean; empty where there is none."""
    verdict = _verdict(told)
    return "" if verdict is None else str(verdict["words"])


def is_beaten(told: Mapping[str, Any]) -> bool:
    """Say whether the model was measured and is not better than the historical mean."""
    verdict = _verdict(told)
    return verdict is not None and not verdict["beats"]
