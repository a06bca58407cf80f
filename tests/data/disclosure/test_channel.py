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
    assert plain.confidence_interval(0, 1.0) == (0, 5)
    assert plain.confidence_interval(1, 1.0) == (1, 6)
    assert plain.confidence_interval(20, 1.0) == (15, 25)
    assert public.confidence_interval(None, 1.0) == (0, 15)
    assert public.confidence_interval(11, 1.0) == (6, 16)


def test_knowledge_agrees_with_the_channel():
    for scale in (1, 3):
        known = MECHANISM.knowledge(scale, 11)
        channel = MECHANISM.channel(100, scale, 11)
        assert channel.confidence_interval(None, 1.0) == (known.hidden_from, known.hidden_to)
        assert channel.confidence_interval(50, 1.0) == (50 - known.largest, 50 + known.largest)
        assert (known.open_from, known.open_to, known.open_values) == (0, 10, 5 * scale + 1)
        assert Knowledge.from_manifest(known.as_dict()) == known


def test_merging_outcomes_never_helps_to_tell_counts_apart():
    assert (MECHANISM.channel(40, k=11).total_variation() <= MECHANISM.channel(40).total_variation() + 1e-12).all()


def test_an_exact_channel_tells_everything_apart():
    channel = Channel(np.eye(5), 0)
    assert channel.total_variation().tolist() == [1.0] * 4
    assert channel.confidence_interval(3, 1.0) == (3, 3)


@given(st.integers(0, 60), st.integers(0, 2**24 - 1))
def test_the_truth_lies_in_the_widest_interval(count, key):
    channel = MECHANISM.channel(60, k=11)
    shown = int(MECHANISM.publish(np.array([count]), np.array([key]))[0])
    low, high = channel.confidence_interval(None if shown < 11 else shown, 1.0)
    assert low <= count <= high
