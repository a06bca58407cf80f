"""What is said of a change, with the allowance for repeated looks, and that effort is never left unsaid."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model.breaks import Break
from risk.model.observations import Observations
from risk.report.change import EFFORT_RATIO, compare_ways, find_changes, pool_countries

QUARTERS = 8


def no_break(areas, quarters):
    return np.zeros((0, areas, quarters), bool)


def judge(last, effort=(10.0, 10.0), share=1.0, looks=1, others=1.0):
    """Judge an area whose rate was one for a year, then `last` times that in a share of the draws, else `others`."""
    draws = np.zeros((1000, 1, QUARTERS + looks - 1, 1))
    draws[:, :, 4:] = np.log(others)
    draws[: round(1000 * share), :, 4:] = np.log(last)
    days = np.concatenate([np.repeat(effort, 4), np.repeat(effort[1:], looks - 1)])[None]
    changes = find_changes(draws, days, no_break(1, days.shape[1]))
    columns = changes.statements.as_columns()
    return tuple(str(columns[name][0, 0, 0]) for name in ("statement", "certainty")), changes


@pytest.mark.parametrize(
    ("share", "last", "others", "statement"),
    [(0.95, 2.0, 1.0, ("rising", "very_likely")), (0.85, 2.0, 1.0, ("not_falling", "very_likely")),
     (0.95, 0.5, 1.0, ("falling", "very_likely")), (0.85, 0.5, 1.05, ("not_rising", "very_likely")),
     (0.5, 2.0, 0.9, ("not_falling", "very_likely")),
     (0.5, 0.5, 1.1, ("not_rising", "very_likely")), (0.5, 2.0, 1.1, ("more", "very_likely")),
     (0.85, 1.2, 1.0, ("same", "very_likely")), (0.3, 2.0, 1.0, ("same", "likely")),
     (0.5, 2.0, 0.5, ("", "cannot_tell"))],
)  # fmt: skip
def test_a_difference_and_its_absence_are_said_with_their_certainty(share, last, others, statement):
    assert judge(last, share=share, others=others)[0] == statement


@pytest.mark.parametrize(("share", "statement"), [(0.985, "rising"), (0.97, "not_falling")])
def test_a_rise_that_is_looked_for_again_and_again_needs_more(share, statement):
    """At five looks a rise is very likely from 1 - .1 / 5 on."""
    assert judge(2.0, share=share, looks=5, others=0.9)[0][0] == statement


def test_the_ratio_is_that_of_the_years():
    changes = judge(2.0)[1]
    np.testing.assert_allclose(changes.ratio[:, 0, 0, 0], 2.0)
    np.testing.assert_allclose(changes.effort_ratio, 1.0)


@given(st.floats(0.2, 5.0), st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_no_area_whose_effort_doubled_is_called_rising_without_a_warning(last, before, after):
    (statement, _word), changes = judge(last, effort=(before, after))
    warned = bool(changes.effort_warning[0, 0, 0])
    if statement in ("rising", "more") and after >= 2 * before and after > 0:
        assert warned
    if statement in ("falling", "less") and 0 < after <= before / 2:
        assert warned
    if warned:
        assert statement in ("rising", "more", "falling", "less")
        ratio = changes.effort_ratio[0, 0]
        assert ratio > EFFORT_RATIO or ratio < 1 / EFFORT_RATIO


@pytest.mark.parametrize(("after", "warned"), [(0.0, False), (3.0, True)])
def test_a_rise_where_nobody_searched_in_both_years_is_not_put_down_to_effort(after, warned):
    (statement, _word), changes = judge(2.0, effort=(0.0, after))
    assert statement == "rising"
    assert bool(changes.effort_warning[0, 0, 0]) == warned


def test_each_later_quarter_is_another_look():
    changes = find_changes(np.zeros((50, 3, 11, 2)), np.ones((3, 11)), no_break(3, 11))
    assert changes.statements.position.shape == (3, 4, 2)
    assert changes.statements.says("same").all()


def test_a_country_moves_as_its_children_do():
    rates = np.log([[[[1.0], [1.0]], [[1.0], [4.0]], [[2.0], [2.0]]]])
    places = SimpleNamespace(
        country_of=np.array([0, 0, 1]), country_names=("AL", "GR"), living=np.array([2.0, 1.0, 5.0]),
        effort=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        before_breaks=np.array([[[True, False], [False, False], [False, False]]]),
    )  # fmt: skip
    pooled, effort, breaks = pool_countries(rates, places)
    np.testing.assert_allclose(np.exp(pooled[0, :, :, 0]), [[1.0, 2.0], [2.0, 2.0]])
    np.testing.assert_allclose(effort, [[4.0, 6.0], [5.0, 6.0]])
    assert breaks.tolist() == [[[True, False], [False, False]]]


def test_nothing_is_said_of_two_years_with_a_break_between_their_quarters():
    before = np.zeros((1, 2, 12), bool)
    before[0, 0, :2] = True  # the break comes with the third quarter of the first area
    statements = find_changes(np.zeros((50, 2, 12, 1)), np.ones((2, 12)), before).statements
    assert statements.as_columns()["statement"][0, :, 0].tolist() == ["", "", "same", "same", "same"]
    assert statements.probability[0, :2, 0].tolist() == [0.0, 0.0]
    assert statements.says("same")[1].all()


def observe(reported, discovered, days):
    """Return observations of one area over two years, from exact counts of each quarter by way of finding."""
    counts = np.stack([reported, discovered], axis=-1)[None, :, None].astype(np.int64)
    quarters = tuple(f"200{6 + n // 4}-{3 * (n % 4) + 1:02d}-01/P3M" for n in range(QUARTERS))
    return Observations(
        ("AL-01",), ("AL",), np.ones((1, QUARTERS)), quarters, ("internal",), ("reported", "discovered"), counts,
        np.array([days], float), np.zeros((0, 2), np.int64), None, "partner",
    )  # fmt: skip


def test_each_way_of_finding_alone_shows_a_change_or_not():
    """Reports of 16 and then 36 differ by 10 / sqrt(13) standard deviations: eq. (153)."""
    reports, finds, days = [4] * 4 + [9] * 4, [3] * 4 + [6] * 4, [10] * 4 + [20] * 4
    same = compare_ways(observe(reports, [5] * 8, [10] * 8), 1.0, 0.0)
    np.testing.assert_allclose(same[0, 0, 0], [10 / np.sqrt(13), 0.0], atol=1e-9)
    # Twice the days explain twice the finds if gamma is 1, and not if it is 0.
    np.testing.assert_allclose(compare_ways(observe(reports, finds, days), 1.0, 0.0)[0, 0, 0, 1], 0.0, atol=1e-9)
    np.testing.assert_allclose(
        compare_ways(observe(reports, finds, days), 0.0, 0.0)[0, 0, 0, 1], 6 / np.sqrt(9), atol=1e-9
    )
    # One area is its whole country, and overdispersion widens the comparison.
    whole = compare_ways(observe(reports, finds, days), 1.0, 0.5, countries=True)
    assert 0 < whole[0, 0, 0, 0] < 10 / np.sqrt(13)


@pytest.mark.parametrize(
    ("last", "ways", "warned"),
    [(2.0, (3.0, 2.0), False), (2.0, (3.0, 0.5), True), (0.5, (-3.0, -2.0), False), (0.5, (-3.0, 0.0), True),
     (1.0, (3.0, 0.0), False)],
)  # fmt: skip
def test_a_change_that_one_way_alone_shows_comes_with_a_warning(last, ways, warned):
    draws = np.zeros((100, 1, QUARTERS, 1))
    draws[:, :, 4:] = np.log(last)
    changes = find_changes(draws, np.ones((1, QUARTERS)), no_break(1, QUARTERS), ways=np.reshape(ways, (1, 1, 1, 2)))
    assert bool(changes.ways_warning[0, 0, 0]) == warned
    assert not find_changes(draws, np.ones((1, QUARTERS)), no_break(1, QUARTERS)).ways_warning.any()


@pytest.mark.parametrize(("quarter", "place", "warned"), [(4, "AL", True), (0, "AL", False), (4, "GR", False)])
def test_a_change_while_a_partner_began_or_stopped_comes_with_a_warning(quarter, place, warned):
    """Reports and finds of outreach both rise; only a partner's turn inside the two years makes that doubtful."""
    seen = observe([16] * 4 + [36] * 4, [16] * 4 + [36] * 4, [10] * 8)
    seen = replace(seen, turns=(Break(seen.quarters[quarter], place, "a"),))
    draws = np.zeros((100, 1, QUARTERS, 1))
    draws[:, :, 4:] = np.log(2.25)
    changes = find_changes(draws, seen.effort, seen.before_breaks, ways=compare_ways(seen, 0.8, 0.0))
    assert bool(changes.ways_warning[0, 0, 0]) == warned
