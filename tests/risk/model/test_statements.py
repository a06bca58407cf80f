"""What is said of an area: the most informative claim that is at least likely, and what is very likely beside it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.model.burden import BURDEN_CLAIMS, TOP, judge_burden
from risk.model.statements import LIKELY, NONE, RATE_CLAIMS, VERY_LIKELY, judge_ratio, name_certainty, say_nothing_of
from tests.helpers.nonempty import nonempty


def say(*shares):
    """Judge an area whose draws take each ratio in so many of a hundred draws."""
    draws = np.concatenate([np.full(count, np.log(ratio)) for ratio, count in shares])
    columns = judge_ratio(draws[:, None]).as_columns()
    return tuple(str(columns[name][0]) for name in ("statement", "certainty", "surely"))


@pytest.mark.parametrize(
    ("shares", "statement"),
    [
        ([(3.0, 100)], ("very_high", "very_likely", "very_high")),
        ([(3.0, 70), (2.0, 30)], ("very_high", "likely", "high")),
        ([(3.0, 66), (0.9, 34)], ("very_high", "likely", "not_low")),
        ([(2.0, 65), (1.2, 26), (0.5, 9)], ("above", "very_likely", "above")),
        ([(2.0, 50), (1.2, 20), (0.8, 30)], ("above", "likely", "not_low")),
        ([(1.2, 40), (0.8, 40), (0.5, 20)], ("average", "likely", "not_high")),
        ([(0.5, 90), (0.8, 10)], ("low", "very_likely", "low")),
        ([(0.5, 35), (0.8, 25), (1.2, 40)], ("not_high", "very_likely", "not_high")),
        ([(0.5, 35), (1.2, 30), (2.0, 35)], ("", "cannot_tell", "")),
    ],
)
def test_the_most_informative_claim_that_is_likely_is_said(shares, statement):
    assert say(*shares) == statement


def test_a_claim_that_is_only_likely_is_not_said_surely():
    draws = np.log([[3.0, 3.0]] * 7 + [[3.0, 0.9]] * 3)
    statements = judge_ratio(draws)
    assert statements.says("high", "very_high").tolist() == [True, True]
    surely = replace(statements, position=statements.sure)
    assert surely.says("high", "very_high").tolist() == [True, False]


@given(arrays(float, (50, 3), elements=st.floats(-3, 3)))
def test_what_is_said_has_its_chance_and_nothing_narrower_has(draws):
    statements = judge_ratio(draws)
    for area in nonempty(range(draws.shape[1])):
        chances = [claim.measure(draws[:, area]) for claim in RATE_CLAIMS]
        position = statements.position[area]
        before = RATE_CLAIMS if position == NONE else RATE_CLAIMS[:position]
        assert all(chance < claim.least for chance, claim in zip(chances, before, strict=False))
        if position != NONE:
            assert statements.probability[area] == chances[position] >= RATE_CLAIMS[position].least >= LIKELY
        if statements.sure[area] != NONE:
            assert statements.sure_probability[area] == chances[statements.sure[area]] >= VERY_LIKELY
            assert statements.sure[area] >= position > NONE


def test_each_probability_has_one_word():
    words = name_certainty(np.array([1.0, 0.9, 0.89, 0.66, 0.5, 0.34, 0.33, 0.1, 0.09, 0.0]))
    assert list(words) == [
        *["very_likely"] * 2, *["likely"] * 2, *["as_likely_as_not"] * 2, *["likely_not"] * 2, *["very_likely_not"] * 2,
    ]  # fmt: skip


def test_ranks_are_of_children_within_each_country():
    need = np.tile(np.arange(20.0, 0.0, -1.0), (100, 1))[:, :, None] + np.zeros((1, 1, 2))
    country = np.arange(20) % 2
    need[:10, 0], need[:10, 2] = 1.0, 30.0  # in ten of a hundred draws the first falls to the last place of its country
    burden = judge_burden(need, country)
    assert (burden.rank[1, country == 1, 0] == np.arange(1, 11)).all()
    assert burden.rank[1, 0, 0] == 1
    assert burden.rank[2, 0, 0] == 10
    assert burden.top[0, 0] == pytest.approx(0.9)
    assert burden.children[1, 1, 0] == 19
    codes = [BURDEN_CLAIMS[i].code for i in burden.statements.position[country == 1, 0]]
    assert codes == ["top"] * TOP + ["lower_half"] * (10 - TOP)


def test_where_nothing_is_said_a_table_has_neither_number_nor_claim():
    rows = pd.DataFrame(
        {
            "area": ["AL-02", "GR-I", "GR-B"],
            "period": "2009-03-01/P3M",
            "state": ["class", "class", "withheld"],
            "rank": [1, 2, 3],
            "median": [1.8, 2.4, np.nan],
            "statement": ["high", "very_high", ""],
            "surely": ["high", "high", ""],
            "certainty": ["likely", "very_likely", "cannot_tell"],
            "reports_alone": [False, True, True],
        }
    )
    table = say_nothing_of({"GR", "GR-I", "GR-B"}, rows).set_index("area")
    assert table.loc["AL-02"].to_dict() == rows.set_index("area").loc["AL-02"].to_dict()
    assert list(table["state"]) == ["class", "cannot_tell", "withheld"]
    silent = table.loc[["GR-I", "GR-B"]]
    assert silent[["rank", "median"]].isna().all(axis=None)
    assert set(silent["statement"]) | set(silent["surely"]) == {""}
    assert set(silent["certainty"]) == {"cannot_tell"}
    assert not silent["reports_alone"].any()
    assert list(table["period"]) == list(rows["period"])


def test_a_table_stays_as_it_is_where_something_is_said_of_every_place():
    rows = pd.DataFrame({"area": ["AL-02"], "state": ["class"], "rank": [1]})
    assert say_nothing_of(frozenset(), rows) is rows
    assert say_nothing_of({"GR"}, rows) is rows
