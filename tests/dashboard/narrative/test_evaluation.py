"""The sentence on the evaluation of the risk model."""

import pytest

from dashboard.narrative.evaluation import format_verdict, is_beaten, warn_of_model
from risk.report.manifest import EvaluationSummary


def evaluation(gained, low, high, **changed):
    verdict = {"name": "risk model", "baseline": "historical mean", "gained": gained, "interval": [low, high]}
    return EvaluationSummary.read({"verdicts": [{**verdict, "counts": 1200, "beats": low > 0, **changed}]})


def test_a_model_that_is_better_is_said_to_be_and_on_what_this_rests():
    sentence = format_verdict(evaluation(0.1234, 0.05, 0.2))
    assert "The risk model beats the historical mean" in sentence
    assert "+0.123 a count (95 %: +0.050 to +0.200; 1,200 counts)" in sentence
    assert "detection" in sentence
    assert not is_beaten(evaluation(0.1, 0.05, 0.2))
    assert warn_of_model(evaluation(0.1, 0.05, 0.2)) == ""


def test_a_model_that_is_not_better_gives_way_to_the_historical_mean():
    sentence = format_verdict(evaluation(-0.1, -0.2, 0.05))
    assert "does not beat" in sentence
    assert "shows the historical mean instead" in sentence
    assert is_beaten(evaluation(-0.1, -0.2, 0.05))
    assert warn_of_model(evaluation(-0.1, -0.2, 0.05)) == sentence


@pytest.mark.parametrize(
    "summary", [None, EvaluationSummary.read({"verdicts": []}), evaluation(0.1, 0.05, 0.2, baseline="last count")]
)
def test_where_the_two_were_not_compared_nothing_is_said(summary):
    assert format_verdict(summary) == ""
    assert not is_beaten(summary)
