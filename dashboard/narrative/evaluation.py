"""Sentences on how well the risk model has predicted, for the pages and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.narrative.risk import name_pathways
from dashboard.narrative.speech import Speech
from dashboard.site.text import _, format_number, translate
from data.message import mark
from risk.evaluation import Verdict
from risk.evaluation.calibration import Calibration
from risk.evaluation.model_checks import Check, list_failures
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


_KINDS = {
    "neighbours": mark("what the model leaves unexplained is alike in neighbouring areas"),
    "zeros": mark("the number of zeros"),
    "totals": mark("the children of a year"),
    "largest": mark("the largest number"),
}
_QUANTITIES = {
    "rate": mark("rate compared with the national average"),
    "level": mark("national rate"),
    "change": mark("change over a year"),
    "gamma": mark("exponent of effort"),
    "gap": mark("reports compared with outreach"),
}


def describe_checks(t: Speech, checks: Sequence[Check], calibration: Calibration | None) -> list[str]:
    """Return a sentence on the checks of the fit, and one on its calibration; none where there is no result."""
    sentences = []
    if checks and (failures := list_failures(checks)):
        sentences.append(
            t(
                "The model does not fit this release in: {failures}.",
                failures=t.join_parts(_name(t, f) for f in failures),
            )
        )
    elif checks:
        sentences.append(
            t(
                "The model fits this release: what it leaves unexplained is no more alike in neighbouring areas than "
                "by luck, and zeros, yearly numbers and the largest number are as it expects ({count} checks).",
                count=len(checks),
            )
        )
    if calibration is None:
        return sentences
    failed = t.join_parts(t(_QUANTITIES[name]) for name in calibration.failed)
    template = (
        mark("In {count} data sets invented by the model itself, these did not lie where its draws say: {failed}.")
        if failed
        else mark("In {count} data sets invented by the model itself, the truth lay where its draws say.")
    )
    return [*sentences, t(template, count=calibration.worlds, failed=failed)]


def _name(t: Speech, check: Check) -> str:
    """Return what a check is about, with its country, pathway and year, if it has them."""
    place = [t.name_area(check.country), name_pathways()[check.pathway]] if check.country else []
    year = [t("year {number}", number=check.year)] if check.year else []
    return f"{t(_KINDS[check.kind])} ({', '.join([*place, *year])})" if place else t(_KINDS[check.kind])
