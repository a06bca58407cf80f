from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.narrative.detection import INTERVALS, REASONS, describe_intervals, describe_share_found
from data import capture
from risk.report.manifest import ModelCard

NAMES = {"AL": "Albania", "GR": "Greece"}
CARD = {"areas": 26, "first": "", "last": "", "gamma": [0.8, 0.1], "used": [], "never_used": []}
FOUND = {"countries": ["AL", "GR"], "share_assumed": [0.11, 0.25]}


@pytest.mark.parametrize(
    ("card", "sentences"),
    [
        # A result from before the card named the range.
        ({}, ["The model assumes that 11 to 25 % "]),
        ({**FOUND, "share_found": {}}, ["The model assumes that 11 to 25 % "]),
        (
            {**FOUND, "share_found": {"GR": [0.2, 0.515]}},
            ["Greece: 20 to 52 % of the children in need were met.", "For the other country the model assumes"],
        ),
        (
            {**FOUND, "share_found": {"AL": [0.3, 1.0], "GR": [0.2, 0.5]}},
            ["Albania: 30 to 100 %", "Greece: 20 to 50 %"],
        ),
    ],
)
def test_it_says_which_range_the_model_calculates_with(card, sentences):
    lines = describe_share_found(ModelCard.read({**CARD, **card}), NAMES, SimpleNamespace(tables=(INTERVALS,)))
    assert len(lines) == len(sentences)
    assert all(line.startswith(start) for line, start in zip(lines, sentences, strict=True))


def test_intervals_and_each_reason_have_words():
    rows = [("AL", "class", 400.0, 1250.0, ""), *(("GR", "cannot_tell", None, None, r) for r in capture.REASONS)]
    table = pd.DataFrame(rows, columns=["area", "state", "low", "high", "reason"])
    first, *others = describe_intervals(table, NAMES)
    assert first == "Albania: 400 to 1,250 children in need, met or not."
    assert len(set(others)) == len(capture.REASONS) == len(REASONS)
    assert all(sentence.startswith("Greece") and "cannot tell; " in sentence for sentence in others)
    assert describe_intervals(pd.DataFrame(), NAMES) == []


def test_nothing_is_said_of_an_interval_that_was_withdrawn():
    card, bare = {**CARD, **FOUND, "share_found": {"AL": [0.3, 1.0]}}, SimpleNamespace(tables=())
    assert describe_share_found(ModelCard.read(card), NAMES, bare) == []
    (assumed,) = describe_share_found(ModelCard.read({**card, "share_found": {}}), NAMES, bare)
    assert assumed.startswith("The model assumes that")
