"""Numbers that all of risk shares."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.numbers import apportion


def test_the_units_left_over_go_to_the_largest_remainders_and_among_equals_to_the_first():
    assert apportion(np.array([3.0, 7.0, 0.0]), 5).tolist() == [2, 3, 0]
    assert apportion(np.array([1.0, 1.0, 1.0]), 5).tolist() == [2, 2, 1]
    assert apportion(np.array([47.0, 16.0, 15.8, 12.0, 6.1, 3.1]), 10).tolist() == [5, 2, 1, 1, 1, 0]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any), st.integers(0, 60))
def test_whole_units_add_up_and_are_the_quotas_rounded_by_their_remainders(shares, total):
    units = apportion(np.array(shares, float), total).tolist()
    quotas = [Fraction(share * total, sum(shares)) for share in shares]
    more = [unit - quota // 1 for unit, quota in zip(units, quotas, strict=True)]
    remainders = {extra: [q % 1 for q, m in zip(quotas, more, strict=True) if m == extra] for extra in (0, 1)}
    assert sum(units) == total
    assert set(more) <= {0, 1}
    assert max(remainders[0], default=0) <= min(remainders[1], default=1)
