"""Sentences on how well the risk model has predicted, for the pages and the terminal."""

from __future__ import annotations

from dashboard.site.text import _, format_number, translate
from risk.evaluation import Verdict
from risk.report.manifest import EvaluationSummary

_BETTER = (
    "The risk model beats the historical mean out of sample: its log score is higher by {gained} a count "
    "(95 %: {low} to {high}; {counts} counts)."
)
_NOT_BETTER = (
    "The risk model does not beat the historical mean out of sample: its log score differs by {gained} a count "
    "(95 %: {low} to {high}; {counts} counts; above 0 is better). This page shows the historical mean instead."
)


def is_beaten(evaluation: EvaluationSummary | None) -> bool:
    """Return whether the model was compared with the historical mean and is not better."""
    verdict = evaluation and evaluation.verdict
    return bool(verdict and not verdict.beats)


def warn_of_model(evaluation: EvaluationSummary | None) -> str:
    """Return the warning that the model is not better than the historical mean; empty otherwise."""
    return format_verdict(evaluation) if is_beaten(evaluation) else ""


def format_verdict(evaluation: EvaluationSummary | None) -> str:
    """Return two sentences that compare the model with the historical mean; empty if they were not compared."""
    verdict = evaluation and evaluation.verdict
    if not verdict:
        return ""
    sentence = _(_BETTER if verdict.beats else _NOT_BETTER, **fill_verdict(verdict))
    caution = _("It is scored on the children found, which tests detection as much as risk.")
    return f"{sentence} {caution}"


def fill_verdict(verdict: Verdict) -> dict[str, str]:
    """Return the values for a message on how much better the model predicts: log score with interval, and counts."""
    scores = zip(("gained", "low", "high"), (verdict.gained, *verdict.interval), strict=True)
    return {**{name: translate(f"{score:+.3f}") for name, score in scores}, "counts": format_number(verdict.counts)}
