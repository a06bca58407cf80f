"""The address: whatever it contains, a view opens that the release has and the tier allows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.map import view as state
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from data.tables.periods import Period
from geo.layers import LAYERS, find_map_conflict
from geo.layers.core.words import LEVELS

NAMES = [layer.id for layer in LAYERS]
WORDS = st.sampled_from([*NAMES, *LEVELS, "AL", "AL-11", "10944420", "2008-03-01/P3M", "2006-06-01/2009-05-31", "1"])
VALUES = WORDS | st.text(max_size=30)
KEYS = st.sampled_from(
    [
        *("layer", "over", "level", "period", "area", "projector"),
        *(f"{layer.id}.{option.id}" for layer in LAYERS for option in layer.options),
        *("encounters.no", "nothing.of", "."),
    ]
)
ADDRESSES = st.dictionaries(KEYS | st.text(max_size=10), VALUES, max_size=8)


@pytest.fixture(scope="module", params=["partner", "public"])
def current(demo_world, request):
    return current_release.open_current_release(Site(demo_world / "releases", request.param))


def settle_address(current, address):
    return state.settle_view(state.parse_address(address), current, load_areas(current.release).table)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(address=ADDRESSES)
def test_any_address_opens_a_view_that_is_held_and_allowed(current, address):
    view = settle_address(current, address)
    levels = current_release.list_levels(current)
    areas = load_areas(current.release).table
    assert view.level in levels[view.layer]
    assert not find_map_conflict(current.tier, view.layers)
    assert all(view.level in levels[name] for name in view.over)
    assert view.area == "" or view.area in areas.index
    listed = state.list_view_periods(view, current)
    assert not listed or view.period in listed
    for name in view.layers:
        assert not current_release.read_layer(current, name, view.level, view.period, view.key(name)).frame.empty


@settings(max_examples=100, deadline=None)
@given(address=ADDRESSES)
def test_the_written_address_opens_the_same_view(current, address):
    view = settle_address(current, address)
    written = state.format_address(view)
    assert all(isinstance(value, str) for value in written.values())
    again = settle_address(current, written)
    assert state.format_address(again) == written
    assert again.layers == view.layers
    assert (again.level, again.period, again.area) == (view.level, view.period, view.area)


def test_nothing_asked_opens_the_first_layer_by_county_at_the_last_period(current):
    view = settle_address(current, {})
    assert (view.layer, view.level, view.over, view.area) == ("encounters", "region", (), "")
    assert view.period == state.list_view_periods(view, current)[-1]


def test_communities_over_effort_are_dropped_and_over_services_kept(current):
    assert settle_address(current, {"layer": "effort", "over": "communities"}).over == ()
    assert settle_address(current, {"layer": "services", "over": "communities"}).over == ("communities",)
    over_encounters = settle_address(current, {"layer": "encounters", "over": "communities"}).over
    assert over_encounters == (("communities",) if current.tier == "partner" else ())


def test_an_area_deeper_than_the_level_becomes_the_one_around_it(current):
    assert settle_address(current, {"area": "10944420", "level": "region"}).area == "AL-11"
    assert settle_address(current, {"area": "AL-11", "level": "country"}).area == "AL"
    assert settle_address(current, {"area": "AL", "level": "region"}).area == "AL"
    assert settle_address(current, {"area": "XX-1"}).area == ""


def test_each_length_of_period_is_offered_with_the_one_nearest(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    view = settle_address(current, {"period": "2008-03-01/P3M"})
    grains = state.list_grains(view, current)
    assert list(grains) == ["quarter", "year", "whole"]
    assert grains["quarter"] == view.period
    around = Period.parse(grains["year"])
    assert around.contains(Period.parse(view.period))
    assert state.list_grains(replace(view, period=grains["year"]), current)["quarter"] in state.list_view_periods(
        view, current
    )


def test_a_layer_without_time_leaves_the_period_for_the_next(current):
    before = settle_address(current, {})
    population = state.settle_view(replace(before, layer="population"), current, load_areas(current.release).table)
    assert state.list_view_periods(population, current) == ()
    after = state.settle_view(replace(population, layer="encounters"), current, load_areas(current.release).table)
    assert after.period == before.period
