"""Access: the worked example, no supply is added or lost, and results of draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.release import Release
from geo import areas as geography
from risk.access import Catchment, Supply, compute_access, compute_reach, find_nearest, tables

PLACES = np.arange(3.0)
AWAY = np.abs(PLACES[:, None] - PLACES[[0, 2]])


def test_the_worked_example():
    weight = Catchment(minutes=np.inf, decay="gaussian", scale=1.0).weight(AWAY)
    access = compute_access(np.full(3, 100.0), np.full(2, 10.0), weight)
    assert access == pytest.approx([0.065179, 0.069641, 0.065179], abs=5e-7)


def test_the_plain_form_by_hand():
    # Site one serves areas one and two, site two areas two and three: 10/300 and 10/400.
    weight = Catchment(minutes=1.0, decay="none").weight(AWAY)
    access = compute_access(np.array([100.0, 200.0, 200.0]), np.full(2, 10.0), weight)
    assert access == pytest.approx([10 / 300, 10 / 300 + 10 / 400, 10 / 400])


@pytest.mark.parametrize(
    ("minutes", "weight"), [(0, 1.0), (10, 1.0), (10.1, 0.68), (20, 0.68), (30, 0.22), (30.1, 0.0)]
)
def test_the_steps_of_luo_and_qi(minutes, weight):
    catchment = Catchment(minutes=30.0, decay="step")
    assert catchment.weight(np.array([float(minutes)])) == pytest.approx([weight])


@st.composite
def worlds(draw):
    areas, sites = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people = rng.integers(0, 50, (draw(st.integers(1, 3)), areas)).astype(float)
    decay = draw(st.sampled_from(["none", "step", "gaussian"]))
    catchment = Catchment(draw(st.floats(1.0, 100.0)), decay, 20.0)
    return people, rng.random(sites) * 10, catchment.weight(rng.random((areas, sites)) * 120)


@given(worlds())
def test_nothing_is_made_or_lost(world):
    people, supply, weight = world
    access = compute_access(people, supply, weight)
    got = (people * np.nan_to_num(access)).sum(axis=1)
    unreached = np.where(people @ weight > 0, 0.0, supply).sum(axis=1)
    np.testing.assert_allclose(got + unreached, supply.sum(), rtol=1e-9, atol=1e-12)


@given(worlds())
def test_reach_shares_out_what_access_divides(world):
    people, supply, weight = world
    got = compute_reach(people[0], weight) @ supply
    expected = np.nan_to_num(compute_access(people[0], supply, weight)) * people[0]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_a_gap_is_said_only_where_it_is_sure():
    columns = tables._tabulate_gaps(np.array([1.0, 0.5, 0.0]), np.array([False, False, False]), np.zeros(3, bool))
    assert list(columns["state"]) == ["class", "cannot_tell", "class"]
    np.testing.assert_array_equal(columns["low"], [tables.A_GAP[0], np.nan, tables.NO_GAP[0]])


def test_limits_of_a_gap_belong_to_the_statement_and_no_chance_is_rounded_to_one():
    """A gap from .8 on, none up to .2; a chance that cannot be told is shown as neither."""
    below = np.array([0.8, 0.2, 0.7975, 0.2025, 0.5])
    columns = tables._tabulate_gaps(below, np.zeros(5, bool), np.zeros(5, bool))
    assert list(columns["state"]) == ["class", "class", "cannot_tell", "cannot_tell", "cannot_tell"]
    np.testing.assert_array_equal(columns["chance"], [80, 20, 79, 21, 50])


def test_the_nearest_service_is_one_that_has_something():
    minutes = np.array([[5.0, 50.0], [70.0, 20.0]])
    np.testing.assert_array_equal(find_nearest(minutes, np.array([0.0, 3.0])), [50.0, 20.0])
    np.testing.assert_array_equal(find_nearest(minutes, np.zeros(2)), [np.inf, np.inf])


@pytest.mark.parametrize(
    "wrong", [{"minutes": 0.0}, {"decay": "steep"}, {"scale": 0.0}, {"decay": "step", "weights": (0.2, 0.5)}]
)
def test_a_catchment_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="No catchment"):
        Catchment(**wrong)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="do not fit"):
        compute_access(np.ones(2), np.ones(2), np.ones((3, 2)))
    with pytest.raises(InputError, match="from 0"):
        compute_access(np.array([1.0, np.nan]), np.ones(1), np.ones((2, 1)))


def test_a_release_says_what_there_is_by_axis(demo_world):
    release = Release.open(demo_world / "releases", "partner")
    codes = tuple(str(c) for c in geography.read_areas(release.areas_file).frame("region").index)
    whole = Supply.from_release(release, codes, what="services")
    axis = Supply.from_release(release, codes, what="services", by="axis", category="prevention")
    assert whole.amount.sum() > axis.amount.sum() > 0
    assert whole.period == axis.period == max(release.table("services_region_quarter")["period"])
    table = release.table("services_region_quarter_axis")
    shown = table[(table["axis"] == "prevention") & (table["period"] == axis.period)]
    numbers = shown[shown["state"] == "number"].set_index("area")["value"].astype(float)
    positions = [codes.index(code) for code in numbers.index]
    np.testing.assert_array_equal(axis.amount[positions], numbers)
    assert not axis.at_least[positions].any()
    with pytest.raises(InputError, match="There are the quarters"):
        Supply.from_release(release, codes, period="1999-01-01/P3M")
