import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.capture import tabulate_histories
from data.capture.models import build_design, check_existence, fit_models, list_models
from tests.helpers.reference import read_capture_histories


def model(lists, *pairs, common=False):
    """Return the model with a common interaction or not, and with interactions of some pairs of lists."""
    interactions = [tuple(pair) in pairs for pair in build_design(lists).pairs.tolist()]
    return np.array([common, *interactions])


def fit(counts, chosen):
    return fit_models(np.array([counts]), chosen[None])


def total(counts, chosen):
    return float(np.sum(counts) + np.exp(fit(counts, chosen).log_unseen[0]))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 500), min_size=7, max_size=7))
def test_with_all_pairs_of_three_lists_the_unseen_follow_from_the_odds_ratio_of_all_three(counts):
    a, b, ab, c, ac, bc, abc = counts
    unseen = a * b * c * abc / (ab * ac * bc)
    assert total(counts, model(3, (0, 1), (0, 2), (1, 2))) == pytest.approx(sum(counts) + unseen, rel=1e-6)


def test_people_that_fit_independent_lists_exactly_are_counted_exactly():
    share = np.array([0.5, 0.25, 0.2])
    histories = (np.arange(1, 8)[:, None] >> np.arange(3)) & 1
    counts = 4000 * np.where(histories, share, 1 - share).prod(axis=1)
    assert total(np.rint(counts).astype(int), model(3)) == pytest.approx(4000)
    assert fit(np.rint(counts).astype(int), model(3)).deviance == pytest.approx(0, abs=1e-9)


def test_a_common_interaction_is_that_of_all_pairs_at_once():
    # Two kinds of people, of whom one is listed less often: lists share more people than chance.
    histories = (np.arange(1, 32)[:, None] >> np.arange(5)) & 1
    easy, hard = (3000 * np.where(histories, p, 1 - p).prod(axis=1) for p in (0.3, 0.1))
    counts = np.rint(easy + hard).astype(int)
    alone, common = total(counts, model(5)), total(counts, model(5, common=True))
    assert alone < 5000
    assert abs(common - 6000) < abs(alone - 6000) / 2


@pytest.mark.parametrize(
    ("pairs", "people"),
    [
        # statsmodels 0.15, GLM with Poisson errors, without the cells of pairs that share nobody.
        ([(0, 1), (0, 2), (1, 2), (1, 4), (2, 3)], 22991.331)
    ],
)
def test_single_models_of_the_united_kingdom_agree_with_an_independent_fit(pairs, people):
    counts = tabulate_histories(*read_capture_histories("uk_2013_five_lists"))
    assert total(counts, model(5, *pairs)) == pytest.approx(people, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "pairs", "people"),
    [
        # Independent lists, and what SparseMSE 2.0.1 chose: Binette and Steorts (2022), files of real_data_analysis.
        ("uk_2013_five_lists", [], 13444.131209),
        ("uk_2013_five_lists", [(0, 1), (0, 2), (1, 3), (1, 4), (2, 4), (3, 4)], 11312.990289),
        ("netherlands_2010_2015", [], 52923.894256),
        ("netherlands_2010_2015", [(0, 1), (0, 2), (0, 4), (1, 3), (2, 3), (2, 4)], 121521.613711),
        ("western_united_states", [], 2007.141757),
        ("western_united_states", [(0, 4)], 2483.383920),
        ("australia_2015_2017", [], 827.167190),
        ("australia_2015_2017", [(0, 1), (1, 2), (1, 3)], 6496.008695),
        ("new_orleans", [], 1034.151065),
    ],
)
def test_models_agree_with_published_totals(name, pairs, people):
    counts = tabulate_histories(*read_capture_histories(name))
    lists = (len(counts) + 1).bit_length() - 1
    assert total(counts, model(lists, *pairs)) == pytest.approx(people, abs=1e-6)


def test_models_of_the_made_up_lists_have_an_estimate_or_none():
    counts = tabulate_histories(*read_capture_histories("made_up_three_lists"))  # only A and B have people in common
    exists = {
        pairs: check_existence(counts, model(3, *pairs)) for pairs in [(), ((0, 1),), ((0, 2),), ((0, 2), (1, 2))]
    }
    assert exists == {(): True, ((0, 1),): False, ((0, 2),): True, ((0, 2), (1, 2)): True}
    assert not check_existence(counts, model(3, (0, 1), (0, 2), (1, 2)))
    # Both pairs without common people at minus infinity leave two lists: 40 * 30 / 6 who are on neither and not on C.
    assert total(counts, model(3, (0, 2), (1, 2))) == pytest.approx(96 + 40 * 30 / 6)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 6) | st.just(0), min_size=7, max_size=7), st.integers(0, 11))
def test_the_fit_finds_an_estimate_exactly_where_the_linear_programme_says_that_one_exists(counts, position):
    table, models = np.array(counts), list_models(3)
    if all(table[build_design(3).matrix[:, 1 + i] > 0].sum() for i in range(3)):
        chosen = models[position % len(models)]
        assert bool(fit(table, chosen).exists[0]) == check_existence(table, chosen)
