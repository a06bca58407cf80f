import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Channel, Knowledge

MECHANISM = CellKey()


@pytest.mark.parametrize(("scale", "k"), [(1, None), (1, 11), (3, None), (3, 20)])
def test_a_channel_is_a_distribution_for_each_true_count(scale, k):
    channel = MECHANISM.channel(60, scale, k)
    assert channel.matrix.sum(axis=1) == pytest.approx(1)
    assert channel.outcomes().sum(axis=1) == pytest.approx(1)
    assert channel.largest == 5 * scale
    assert channel.n_max == 60


def test_a_number_below_k_is_never_shown():
    channel = MECHANISM.channel(30, k=11)
    assert channel.shown(12) == pytest.approx(channel.matrix[:, 12])
    assert not channel.shown(7).any()
    assert channel.hidden() == pytest.approx(channel.matrix[:, :11].sum(axis=1))


def test_intervals_say_what_the_truth_can_be():
    plain, public = MECHANISM.channel(60), MECHANISM.channel(60, k=11)
    assert plain.interval(0) == (0, 5)
    assert plain.interval(1) == (1, 6)
    assert plain.interval(20) == (15, 25)
    assert public.interval(None) == (0, 15)
    assert list(public.support(11)) == list(range(6, 17))


def test_knowledge_agrees_with_the_channel():
    for scale in (1, 3):
        known = MECHANISM.knowledge(scale, 11)
        channel = MECHANISM.channel(100, scale, 11)
        assert channel.interval(None) == (known.hidden_from, known.hidden_to)
        assert channel.interval(50) == (50 - known.largest, 50 + known.largest)
        assert (known.open_from, known.open_to, known.open_values) == (0, 10, 5 * scale + 1)
        assert Knowledge.from_manifest(known.as_dict()) == known


def test_merging_outcomes_never_helps_to_tell_counts_apart():
    assert (MECHANISM.channel(40, k=11).total_variation() <= MECHANISM.channel(40).total_variation() + 1e-12).all()


def test_an_exact_channel_tells_everything_apart():
    channel = Channel(np.eye(5), 0)
    assert channel.total_variation().tolist() == [1.0] * 4
    assert channel.interval(3) == (3, 3)


@given(st.integers(0, 60), st.integers(0, 2**24 - 1))
def test_what_is_published_lies_in_the_support(count, key):
    channel = MECHANISM.channel(60, k=11)
    shown = int(MECHANISM.publish(np.array([count]), np.array([key]))[0])
    assert count in channel.support(None if shown < 11 else shown)
