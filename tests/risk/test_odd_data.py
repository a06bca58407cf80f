"""Any small data set has an answer, and no interval without an end."""

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from benchmarks.studies.robust import COUNTS, EFFORTS, GAPS, GRAPHS, RELEASES, OddData, try_data

# The data say enough when it fails: to look for the smallest takes minutes.
GENERATED = settings(derandomize=True, phases=[Phase.generate])


def odd(areas):
    return st.builds(
        OddData,
        areas=areas,
        quarters=st.integers(2, 12),
        countries=st.integers(1, 2),
        largest_exposure=st.sampled_from([1.0, 1e3, 1e6]),
        counts=st.sampled_from(COUNTS),
        graph=st.sampled_from(GRAPHS),
        effort=st.sampled_from(EFFORTS),
        release=st.sampled_from(RELEASES),
        gaps=st.sampled_from(GAPS),
        seed=st.integers(0, 2**20),
    )


def check(data):
    outcome = try_data(data)  # an error that is not the product's own is raised
    assert not outcome.error
    assert not outcome.not_finite


@pytest.mark.slow
@settings(GENERATED, max_examples=3)
@given(data=odd(st.integers(3, 10)))
def test_a_small_odd_data_set_has_finite_answers(data):
    check(data)


@pytest.mark.long
@settings(GENERATED, max_examples=20)
@given(data=odd(st.integers(3, 30)))
def test_many_odd_data_sets_have_finite_answers(data):
    check(data)
