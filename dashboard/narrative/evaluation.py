"""How well the risk model has predicted: the sentence for the pages and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _

_MODEL, _MEAN = "risk model", "historical mean"
_BETTER = (
    "The risk model beats the historical mean out of sample: its log score is higher by {gained} a count "
    "(95 %: {low} to {high}; {counts} counts)."
)
_NOT_BETTER = (
    "The risk model does not beat the historical mean out of sample: its log score differs by {gained} a count "
    "(95 %: {low} to {high}; {counts} counts; above 0 is better). This page shows the historical mean instead."
)


def read_evaluation(current: CurrentRelease) -> Mapping[str, Any]:
    """Return the measured evaluation of the model, kept with its result; empty where it was not measured."""
    return dict((current_release.read_risk_manifest(current) or {}).get("evaluation") or {})


def is_beaten(evaluation: Mapping[str, Any]) -> bool:
    """Return whether the model was measured and is not better than the historical mean."""
    verdict = _find_verdict(evaluation)
    return verdict is not None and not verdict["beats"]


def format_verdict(evaluation: Mapping[str, Any]) -> str:
    """Return a sentence on the model against the historical mean; empty where they were not compared."""
    verdict = _find_verdict(evaluation)
    if verdict is None or "counts" not in verdict:  # earlier versions did not keep the number of counts
        return ""
    low, high = verdict["interval"]
    sentence = _(
        _BETTER if verdict["beats"] else _NOT_BETTER,
        gained=f"{verdict['gained']:+.3f}",
        low=f"{low:+.3f}",
        high=f"{high:+.3f}",
        counts=f"{verdict['counts']:,}",
    )
    caution = _("It is scored on the children found, which tests detection as much as risk.")
    return f"{sentence} {caution}"


def _find_verdict(evaluation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    verdicts = evaluation.get("verdicts", ())
    return next((v for v in verdicts if v["name"] == _MODEL and v["baseline"] == _MEAN), None)
