"""The margin of a number says what is certain: a true zero is never published as a number."""

import math

import pytest

from geo.layers.core.words import format_margin


@pytest.mark.parametrize(
    ("value", "margin", "state", "words"),
    [
        (1, 5, "number", "±5, at least 1"),
        (5, 5, "number", "±5, at least 1"),
        (6, 5, "number", "±5"),
        (40, 7, "number", "±7"),
        (2, 7, "almost_none", "±7"),  # a published zero, adjusted so that sums hold: it may be none
        (math.nan, math.nan, "withheld", ""),
        (3, math.nan, "number", ""),
    ],
)
def test_a_number_whose_margin_reaches_to_zero_still_means_at_least_one(value, margin, state, words):
    assert format_margin(value, margin, state) == words
