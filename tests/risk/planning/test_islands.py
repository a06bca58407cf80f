"""A region's need and days are divided among its islands, and add up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.planning.islands import divide_days, divide_need


@given(st.lists(st.floats(1.0, 1e5), min_size=1, max_size=8), st.integers(0, 100))
def test_need_adds_up_in_each_draw_and_follows_people(people, seed):
    need = np.random.default_rng(seed).gamma(4.0, 5.0, 400)
    divided = divide_need(need, np.array(people), seed)
    np.testing.assert_allclose(divided.sum(axis=1), need)
    assert (divided > 0).all()


def test_an_island_of_half_of_the_people_has_half_of_the_need_give_or_take():
    share = divide_need(np.ones(20_000), np.array([1.0, 1.0]), 0)[:, 0]
    assert abs(share.mean() - 0.5) < 0.01
    assert 0.14 < share.std() < 0.19  # logistic of a normal with sd .71


def test_days_follow_the_municipal_table_and_people_where_it_is_empty():
    days, islands, people = np.array([30.0, 10.0]), np.array([[2.0, 0.0], [1.0, 0.0]]), np.array([1.0, 4.0])
    np.testing.assert_allclose(divide_days(days, islands, people), [[20.0, 2.0], [10.0, 8.0]])
