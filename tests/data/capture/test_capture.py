import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.capture import PopulationEstimate, estimate_population, round_estimate, tabulate_histories
from tests.helpers.reference import read_capture_histories, read_published_totals


def estimate(name, **options):
    return estimate_population(tabulate_histories(*read_capture_histories(name)), replicates=100, **options)


def independent(people, shares):
    """Return the expected table of lists that each name a share of the people, whoever they are."""
    histories = (np.arange(1, 2 ** len(shares))[:, None] >> np.arange(len(shares))) & 1
    return np.rint(people * np.where(histories, shares, 1 - np.array(shares)).prod(axis=1)).astype(np.int64)


@pytest.mark.slow
def test_the_interval_for_the_united_kingdom_covers_models_that_differ_by_a_factor_of_two():
    answer = estimate("uk_2013_six_lists")
    assert 10_000 <= answer.estimate <= 13_000
    numbers = [
        n for row in read_published_totals("uk_2013_six_lists") for n in ([row.estimate] if row.estimate else row[3:])
    ]
    assert (min(numbers), max(numbers)) == (10_000, 23_016)
    assert answer.low < min(numbers) < max(numbers) < answer.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("uk_2013_five_lists", "too_wide"),
        ("netherlands_2010_2015", "too_wide"),
        ("western_united_states", "models_disagree"),
        ("australia_2015_2017", "too_wide"),
        ("new_orleans", "little_overlap"),
        ("kosovo_1999", "no_fit"),
    ],
)
def test_where_published_models_lie_far_apart_it_covers_them_or_says_why_it_cannot_tell(name, reason):
    numbers = [
        number for row in read_published_totals(name) for number in ([row.estimate] if row.estimate else row[3:])
    ]
    answer = estimate(name)
    if answer.reason is None:
        assert answer.low < min(numbers) < max(numbers) < answer.high
    else:
        assert answer.reason == reason


@pytest.mark.slow
def test_models_that_disagree_say_from_what_to_what():
    answer = round_estimate(estimate("western_united_states"))
    assert answer == PopulationEstimate(reason="models_disagree", models=(1600.0, 8000.0))
    numbers = [row.estimate for row in read_published_totals("western_united_states") if row.estimate]
    assert len(numbers) == 4
    assert answer.models[0] < min(numbers) < max(numbers) < answer.models[1]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (tabulate_histories(*read_capture_histories("made_up_three_lists")), "no_estimate"),
        (independent(2000, (0.2, 0.3)), "few_lists"),
        (np.array([50, 60, 6, 40, 6, 5, 0]), "little_overlap"),
        # The third list shares nobody with the second and many with the first: two stories, two numbers.
        (np.array([100, 300, 4, 60, 60, 0, 0]), "models_disagree"),
        (independent(1500, (0.1, 0.1, 0.1)), "too_wide"),
        # One person on all three lists: of the bootstrap's tables too many have nobody there, and so no estimate.
        (np.array([39, 40, 40, 44, 20, 40, 1]), "no_estimate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_cannot_tell_and_says_why(counts, reason):
    answer = estimate_population(counts, replicates=100)
    assert (answer.estimate, answer.low, answer.high, answer.reason) == (None, None, None, reason)
    assert (answer.models is not None) == (reason == "models_disagree")


def test_independent_lists_give_the_number_of_people_and_the_same_seed_the_same_interval():
    counts = independent(3000, (0.2, 0.25, 0.3))
    first, again, other = (estimate_population(counts, seed, replicates=100) for seed in (1, 1, 2))
    assert first.low < 3000 < first.high
    assert first.estimate == pytest.approx(3000, rel=0.1)
    assert first == again
    assert first != other


def test_the_smallest_lists_are_joined_and_empty_ones_left_out():
    on_list, people = read_capture_histories("uk_2013_six_lists")
    five = tabulate_histories(on_list, people)
    assert (len(five), five.sum()) == (31, 2744)
    empty = np.zeros((len(people), 1), bool)
    assert (tabulate_histories(np.hstack([empty, on_list, empty]), people) == five).all()
    assert len(tabulate_histories(on_list, people, most=6)) == 63


@given(st.floats(30, 1e6), st.floats(1, 3), st.floats(1, 3))
def test_an_interval_is_rounded_outwards_to_steps(low, below, above):
    exact = PopulationEstimate(low * below, low, low * below * above)
    coarse = round_estimate(exact)
    assert exact.low / 1.3 < coarse.low <= exact.low
    assert exact.high <= coarse.high < exact.high * 1.3
    assert coarse.low <= coarse.estimate <= coarse.high
