"""The margin of a number shows what is certain: a true zero is never published as a number."""

import math

import pytest

from geo.layers.core.words import format_margin


@pytest.mark.parametrize(
    ("value", "margin", "state", "least", "words"),
    [
        (1, 5, "number", -4, "±5, at least 1"),
        (5, 5, "number", 0, "±5, at least 1"),
        (6, 5, "number", 1, "±5"),
        (40, 7, "number", 37, "±7"),
        (9, 12, "number", 11, "±12, at least 11"),  # adjusted from 16 ±5
        (30, 13, "number", 33, "±13, at least 33"),
        (2, 7, "almost_none", -5, "±7"),  # a published zero, adjusted so that sums hold: it may be none
        (math.nan, math.nan, "withheld", math.nan, ""),
        (3, math.nan, "number", math.nan, ""),
    ],
)
def test_the_least_true_number_is_named_where_margin_or_number_hide_it(value, margin, state, least, words):
    assert format_margin(value, margin, state, least) == words
