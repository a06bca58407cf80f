import json
from dataclasses import replace

import numpy as np
import pytest

from data.disclosure import mechanisms
from data.disclosure.cell_key import CellKey
from data.disclosure.dp import Dp
from data.disclosure.policy import DEFAULT_POLICY
from data.disclosure.threshold import Threshold
from data.errors import InputError
from data.tables.states import STATES


def test_each_name_makes_its_mechanism_and_the_first_is_the_default():
    assert mechanisms.NAMES == ("cell_key", "threshold", "dp")
    assert [mechanisms.make(name).name for name in mechanisms.NAMES] == list(mechanisms.NAMES)
    assert mechanisms.make() == CellKey()


def test_a_name_that_is_not_known_is_answered_with_those_that_are():
    with pytest.raises(InputError, match=r"no mechanism 'noise'\. There are: cell_key, threshold, dp"):
        mechanisms.make("noise")


def test_a_policy_gives_what_is_the_mechanism_s_own():
    policy = replace(DEFAULT_POLICY, k=20, variance=1.5)
    assert mechanisms.make("threshold", policy.parameters()) == Threshold(k=20)
    assert mechanisms.make("cell_key", policy.parameters()) == CellKey(1.5, variance_near_k=6)
    assert mechanisms.make("dp", {**policy.parameters(), "epsilon": 0.5}) == Dp(0.5)


@pytest.mark.parametrize(
    "mechanism", [CellKey(1.5, 4), CellKey(variance_near_k=6), Threshold(13, beside=0.2), Dp(0.25, 60)]
)
def test_a_manifest_gives_the_mechanism_back(mechanism):
    told = json.loads(json.dumps(mechanism.parameters((1, 3))))
    assert mechanisms.make(told["mechanism"], told) == mechanism
    assert told["adds_up"] == (mechanism.name != "cell_key")
    assert told["largest"] == mechanism.knowledge().largest


@pytest.mark.parametrize("name", mechanisms.NAMES)
@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("k", [None, 11])
def test_all_keep_the_promises_of_the_interface(name, scale, k):
    mechanism = mechanisms.make(name)
    channel, known = mechanism.channel(60, scale, k), mechanism.knowledge(scale, k)
    assert channel.outcomes().sum(axis=1) == pytest.approx(1)
    assert channel.margin == known.largest
    assert known.step == scale
    assert mechanism.hidden_state in STATES
    values = np.arange(61)
    hidden = mechanism.hides(values, k)
    places = channel.place(values)
    assert ((places == 0) == hidden).all()
    assert (np.diff(places[~hidden]) == 1).all(), "what is shown stands in the order of `outcomes`"
    for value in values:
        if hidden[value]:
            assert not channel.shown(int(value)).any()
        else:
            low, high = channel.interval(int(value))
            assert value - known.largest <= low <= value <= high <= value + known.largest
    if hidden.any():
        low, high = channel.interval(None)
        assert known.hidden_from <= low
        assert high <= known.hidden_to
