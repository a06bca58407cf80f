"""The number shown for a cell: the reconciled one with a valid margin, or the published one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.tables.shown import NUMBERS, choose_numbers, sum_ways

NONE = float("nan")


def choose(value=None, margin=None, reconciled=None):
    table = pd.DataFrame({"value": [value], "margin": [margin], "reconciled": [reconciled]}, dtype="Int64")
    return choose_numbers(table, 5.0)[list(NUMBERS)].iloc[0].tolist()


def test_the_reconciled_number_is_shown_and_the_published_one_stands_beside():
    np.testing.assert_equal(choose(14, 5, 12), [12, 7, 14, 5])
    np.testing.assert_equal(choose(14, 5, 14), [14, 5, 14, 5])


def test_a_published_zero_has_a_number_only_where_it_is_adjusted():
    np.testing.assert_equal(choose(reconciled=2), [2, 7, NONE, NONE])
    np.testing.assert_equal(choose(reconciled=0), [NONE, NONE, NONE, NONE])


def test_without_a_reconciled_number_the_published_one_is_shown():
    np.testing.assert_equal(choose(15, 5), [15, 5, 15, 5])
    np.testing.assert_equal(choose(), [NONE, NONE, NONE, NONE])
    old = choose_numbers(pd.DataFrame({"value": [3.5], "state": ["number"]}), 0.0)
    np.testing.assert_equal(old.iloc[0].tolist(), [3.5, NONE, 3.5, NONE])


@given(value=st.integers(1, 500), margin=st.integers(0, 15), reconciled=st.integers(0, 500))
def test_the_interval_covers_that_of_the_published_number(value, margin, reconciled):
    shown, reach, noisy, noisy_margin = choose(value, margin, reconciled)
    assert shown - reach <= noisy - noisy_margin
    assert noisy + noisy_margin <= shown + reach


@pytest.mark.parametrize(
    ("reported", "discovered", "state", "value"),
    [
        (3, 4, "number", 7),
        (3, "almost_none", "number", 3),
        (3, "not_searched", "number", 3),
        ("almost_none", "almost_none", "almost_none", None),
        ("almost_none", "not_searched", "not_searched", None),
        (3, "withheld", "withheld", None),
        ("almost_none", "no_data", "no_data", None),
    ],
)
def test_a_sum_of_both_ways_of_finding_has_the_state_of_the_part_of_which_least_is_known(
    reported, discovered, state, value
):
    parts = [(None, part) if isinstance(part, str) else (part, "number") for part in (reported, discovered)]
    table = pd.DataFrame(parts, columns=["value", "state"]).astype({"value": "Int64"})
    table = table.assign(area="AL-01", period="2006-06-01/P3M", crossing="internal", found=["reported", "discovered"])
    for rows in (table, table.iloc[::-1]):
        (row,) = sum_ways(rows).to_dict("records")
        assert (row["state"], None if pd.isna(row["value"]) else row["value"]) == (state, value)
