"""The sentence on the evaluation of the risk model."""

import pytest

from dashboard.narrative.evaluation import describe_checks, format_verdict, is_beaten, warn_of_model
from dashboard.narrative.speech import Speech
from geo.areas import load_areas
from risk.evaluation.calibration import Calibration
from risk.evaluation.model_checks import Check
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


def test_checks_that_fail_are_named_with_their_place_and_the_others_are_not():
    t, chances = Speech("en", load_areas()), [0.001, 0.3, 0.012, 0.5]
    totals = [Check("totals", p, "AL", "internal", year) for year, p in enumerate(chances, 1)]
    zeros, neighbours = Check("zeros", 0.04), Check("neighbours", 0.06, "GR", "cross_border")
    (sentence,) = describe_checks(t, [neighbours, zeros, *totals], None)
    assert sentence == (
        "The model does not fit this release in: the number of zeros; "
        "the children of a year (Albania, Internal trafficking, year 1); "
        "the children of a year (Albania, Internal trafficking, year 3)."
    )
    fits = describe_checks(t, [neighbours, *totals[1::2]], Calibration(100, 0, {"rate": 0.02, "gap": 0.004}))
    assert fits[0].endswith("are as it expects (3 checks).")
    assert fits[1] == (
        "In 100 data sets invented by the model itself, these did not lie where its draws say: rate compared with the "
        "national average; reports compared with outreach."
    )
    assert describe_checks(t, [], None) == []
