"""Tipping points against the statement itself, judged again with detection in one area known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model.burden import judge_burden
from risk.model.statements import NONE, RATE_CLAIMS, VERY_LIKELY, choose_statements, judge_ratio
from risk.model.tipping import find_rank_tipping, find_rate_tipping, find_tipping
from risk.report.change import CHANGE_CLAIMS
from tests.helpers.nonempty import nonempty

AREAS = 12
STEP = np.exp(0.01)  # of the factors that are tried


def draw_world(seed):
    """Return draws of log need, log detection, and the shares of the children of one country."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(AREAS, 0.7))
    need = 0.8 * rng.standard_normal((1, AREAS, 1)) + 0.25 * rng.standard_normal((300, AREAS, 1))
    return need, 0.3 * rng.standard_normal((300, AREAS)), share


def average(need, share):
    return need - np.log(np.einsum("a,dap->dp", share, np.exp(need)))[:, None]


@given(st.integers(0, 10_000))
def test_a_statement_on_a_rate_lapses_just_where_it_is_said(seed):
    need, detection, share = draw_world(seed)
    need = average(need, share)
    statements = judge_ratio(need)
    tipping = find_rate_tipping(statements, need, detection, share)
    for area in nonempty(range(AREAS)):
        position = statements.position[area, 0]
        if position == NONE:
            assert np.isnan(tipping[area, 0])
            continue

        def judge(factor, area=area, position=position):
            """Return the chance of the claim if teams in the area find `factor` times as many as elsewhere."""
            known = need.copy()
            known[:, area] += detection[:, area, None] - np.log(factor)
            return RATE_CLAIMS[position].measure(average(known, share))[area, 0] >= RATE_CLAIMS[position].least

        point = tipping[area, 0]
        if np.isnan(point):
            assert judge(20.0)
            assert judge(0.05)
        elif point != 1.0:
            assert judge(point / STEP if point > 1 else point * STEP)
            assert not judge(point)
        else:
            assert not judge(1.0)


@given(st.integers(0, 10_000))
def test_a_statement_on_a_rank_lapses_just_where_it_is_said(seed):
    need, detection, _ = draw_world(seed)
    country_of = np.repeat([0, 1], [7, AREAS - 7])
    burden = judge_burden(np.exp(need), country_of)
    tipping = find_rank_tipping(burden.statements, np.exp(need), country_of, detection)
    for area in nonempty(np.flatnonzero(burden.statements.position[:, 0] != NONE)):
        position, point = burden.statements.position[area, 0], tipping[area, 0]
        claim = burden.statements.claims[position]

        def judge(factor, area=area, position=position, claim=claim):
            known = need.copy()
            known[:, area] += detection[:, area, None] - np.log(factor)
            inside = country_of == country_of[area]
            rank = 1 + (known[:, inside] > known[:, area, None]).sum(axis=1)[:, 0]
            holds = {"top": rank <= 5, "not_top": rank > 5}
            half = inside.sum() / 2
            holds |= {"upper_half": rank <= half, "lower_half": rank > half}
            return holds[claim.code].mean() >= claim.least

        if np.isnan(point):
            assert judge(20.0)
            assert judge(0.05)
        elif point != 1.0:
            assert judge(point / STEP if point > 1 else point * STEP)
            assert not judge(point)


def test_a_high_rate_needs_teams_who_find_so_many_times_as_many():
    """Draws of 2.4 to 2.7 times the rest: not likely above 1.5 once 66 in 100 are below it."""
    draws = np.log(np.linspace(2.4, 2.7, 1001))[:, None]
    statements = judge_ratio(draws)
    tipping = find_tipping(statements, draws, *statements.bounds)
    assert statements.as_columns()["statement"].tolist() == ["very_high"]
    assert tipping[0] == pytest.approx(np.quantile(np.exp(draws), 0.34) / 2.25, rel=0.01)


def test_a_rise_has_the_allowance_for_looking_again():
    draws = np.log(np.linspace(1.3, 1.5, 1001))[:, None]
    chances = np.zeros((len(CHANGE_CLAIMS), 1))
    chances[0] = 1.0
    statements = choose_statements(chances, CHANGE_CLAIMS)
    once, often = (find_tipping(statements, draws, *statements.bounds, looks)[0] for looks in (1, 8))
    assert once == pytest.approx(np.quantile(np.exp(draws), 1 - VERY_LIKELY) / 1.25, rel=0.01)
    assert often == pytest.approx(np.quantile(np.exp(draws), (1 - VERY_LIKELY) / 8) / 1.25, rel=0.01)
