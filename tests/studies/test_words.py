"""The study of the words for certainty: it counts what is said and what is true."""

import pytest

from benchmarks.studies.words import summarise


def test_a_word_is_judged_by_the_share_of_its_statements_that_are_true():
    worlds = [
        {"rate/likely/high": [4, 3], "rate/likely/low": [4, 2], "rate/cannot_tell/": [2, 0], "top/likely/top": [1, 1]},
        {"rate/very_likely/high": [10, 9]},
    ]
    rate = summarise(worlds)["rate"]
    assert rate["likely_true"] == pytest.approx(5 / 8, abs=1e-3)
    assert rate["very_likely_true"] == 0.9
    assert (rate["cannot_tell"], rate["likely"], rate["very_likely"]) == (0.1, 0.4, 0.5)
