"""When a rate counts as rising or falling, and that changes of effort are always mentioned."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.report.change import ALIKE, CANNOT_TELL, EFFORT_RATIO, FALLING, RISING, STEADY, find_changes

QUARTERS = 8
WHOLE = np.zeros((0, 1, QUARTERS), bool)  # no break


def rates(last, spread=0.05, draws=1000, seed=0):
    """Draw log rates of one area and pathway: constant for a year, then multiplied by `last`."""
    level = np.repeat([0.0, np.log(last)], 4)
    noise = spread * np.random.default_rng(seed).standard_normal((draws, 1, 1, 1))
    return level[None, None, :, None] * (1 + noise) + np.zeros((draws, 1, QUARTERS, 1))


def one(last, effort=(10.0, 10.0), **given):
    found = find_changes(rates(last, **given), np.repeat(effort, 4)[None], WHOLE)
    return found.classes[0, 0, 0], bool(found.effort_warning[0, 0, 0]), found


def test_rises_falls_and_steady_years_are_told_apart():
    assert one(1.0)[0] == STEADY
    assert one(1.8)[0] == RISING
    assert one(0.5)[0] == FALLING
    assert one(ALIKE, spread=1.0)[0] == CANNOT_TELL


@pytest.mark.parametrize(
    ("share", "last", "said"),
    [(0.95, 2.0, RISING), (0.85, 2.0, CANNOT_TELL), (0.95, 0.5, FALLING), (0.85, 0.5, CANNOT_TELL),
     (0.15, 2.0, STEADY), (0.25, 2.0, CANNOT_TELL)],
)  # fmt: skip
def test_a_change_is_called_from_nine_in_ten_and_a_steady_year_from_eight(share, last, said):
    draws = np.zeros((1000, 1, QUARTERS, 1))
    draws[: round(1000 * share), :, 4:] = np.log(last)
    assert find_changes(draws, np.ones((1, QUARTERS)), WHOLE).classes[0, 0, 0] == said


def test_the_ratio_is_that_of_the_years():
    found = one(2.0, spread=0.0)[2]
    np.testing.assert_allclose(found.ratio[:, 0, 0, 0], 2.0)
    np.testing.assert_allclose(found.effort_ratio, 1.0)


@given(st.floats(0.2, 5.0), st.floats(0.0, 100.0), st.floats(0.0, 100.0))
def test_no_area_whose_effort_doubled_is_called_rising_without_a_warning(last, before, after):
    given_, warned, found = one(last, effort=(before, after))
    if given_ == RISING and after >= 2 * before:
        assert warned
    if given_ == FALLING and 0 < after <= before / 2:
        assert warned
    if warned:
        assert given_ in (RISING, FALLING)
        ratio = found.effort_ratio[0, 0]
        assert np.isnan(ratio) or ratio > EFFORT_RATIO or ratio < 1 / EFFORT_RATIO


def test_each_later_quarter_is_another_look():
    found = find_changes(np.zeros((50, 3, 11, 2)), np.ones((3, 11)), np.zeros((0, 3, 11), bool))
    assert found.classes.shape == (3, 4, 2)
    assert (found.classes == STEADY).all()


def test_nothing_is_said_of_two_years_with_a_break_between_their_quarters():
    before = np.zeros((1, 2, 12), bool)
    before[0, 0, :2] = True  # the break comes with the third quarter of the first area
    found = find_changes(np.zeros((50, 2, 12, 1)), np.ones((2, 12)), before)
    assert found.classes[0, :, 0].tolist() == [CANNOT_TELL, CANNOT_TELL, STEADY, STEADY, STEADY]
    assert found.probability[0, :2, 0].tolist() == [0.0, 0.0]
    assert (found.classes[1] == STEADY).all()
