"""An archipelago is planned by island: a team on one island does not meet the children of another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.release import Release
from geo.islands import Island, find_region
from risk.planning import plan_moves
from risk.planning.benefit import compute_met
from risk.planning.inputs import PlanInputs, Setting, make_plan
from risk.planning.islands import Division
from risk.planning.posts import PostsTable
from risk.planning.problem import Decision, Kind, Posts, Rules

TEAM, SHELTER = Kind("outreach team", 2.0, search=True), Kind("shelter", 5.0)


def divide(people, days):
    """Return two areas, X and Y, of which Y falls into islands Y/0, Y/1, ... with these people and days."""
    places = ("X", *(f"Y/{i}" for i in range(len(people))))
    parts = (np.array([0]), np.arange(1, len(places)))
    return Division(places, parts, np.array([1.0, *people]), np.array([1.0, *days]))


def make_table(units, committed=None, room=None):
    units = np.array(units)
    committed = np.zeros_like(units) if committed is None else np.array(committed)
    room = np.full(len(units), units.sum()) if room is None else np.array(room)
    return PostsTable(("X", "Y"), (TEAM, SHELTER)[: units.shape[1]], units, committed, room)


@given(st.lists(st.floats(1.0, 1e5), min_size=2, max_size=8), st.integers(0, 100))
def test_the_need_of_the_islands_is_that_of_the_region_in_each_draw(people, seed):
    division = divide(people, [0.0] * len(people))
    need = np.random.default_rng(seed).gamma(4.0, 5.0, (400, 2))
    divided = division.divide_need(need, seed)
    np.testing.assert_allclose(division.sum_areas(divided.T).T, need)
    np.testing.assert_array_equal(divided[:, 0], need[:, 0])
    assert (divided > 0).all()


def test_an_island_of_half_of_the_people_has_half_of_the_need_give_or_take():
    share = divide([1.0, 1.0], [0.0, 0.0]).divide_need(np.ones((20_000, 2)))[:, 1]
    assert abs(share.mean() - 0.5) < 0.01
    assert 0.14 < share.std() < 0.19  # logistic of a normal with sd .71


def test_units_stand_by_days_services_on_the_largest_island_and_room_goes_by_people():
    division = divide([60.0, 30.0, 10.0], [10.0, 0.0, 30.0])
    units, committed, room = division.place_units(make_table([[5, 1], [4, 2]], [[0, 0], [3, 0]], [9, 16]))
    assert units.tolist() == [[5, 1], [1, 2], [0, 0], [3, 0]]
    assert committed.tolist() == [[0, 0], [1, 0], [0, 0], [2, 0]]
    assert room.tolist() == [9, 9, 3, 4]  # 3, 0 and 3 units, and of the 10 that are left 6, 3 and 1


def test_teams_stand_by_people_where_no_days_are_known():
    units, _, _ = divide([60.0, 30.0, 10.0], [0.0, 0.0, 0.0]).place_units(make_table([[0], [3]]))
    assert units[:, 0].tolist() == [0, 2, 1, 0]


@given(
    st.lists(st.tuples(st.floats(0.1, 100.0), st.floats(0.0, 50.0)), min_size=2, max_size=6),
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
)
def test_places_have_the_units_of_their_areas_within_their_room(islands, numbers):
    people, days = zip(*islands, strict=True)
    division, units = divide(people, days), np.array([[numbers[0]], [numbers[1]]])
    table = make_table(units, np.minimum(units, [[numbers[2]], [numbers[3]]]), units.sum(axis=1) + numbers[2])
    placed, committed, room = division.place_units(table)
    for divided, whole in ((placed, units), (committed, table.committed), (room, table.room)):
        np.testing.assert_array_equal(division.sum_areas(divided), whole)
    assert (committed <= placed).all()
    assert (placed.sum(axis=1) <= room).all()


def plan_between(need, **rules):
    """Plan with three teams in X, and an archipelago Y of two islands, with the same need in every draw."""
    units = np.array([[3], [0], [0]])
    posts = Posts(
        ("X", "Y/0", "Y/1"), ("X", "Y/0", "Y/1"), (TEAM,), units, np.eye(3)[None], np.ones((3, 3)) - np.eye(3),
        np.full(3, 3), np.zeros_like(units), ("X", "Y", "Y"),
    )  # fmt: skip
    return plan_moves(posts, np.tile(np.array(need, dtype=float), (20, 1)), Rules(**rules))


def test_a_team_on_one_island_does_not_meet_the_children_of_another():
    # Y has 8 children: as one place a team would meet 8 (1 - exp(-2/8)) = 1.770, on the island of 5 it meets 1.648.
    plan = plan_between([1.0, 5.0, 3.0], moves=1)
    (move,) = plan.moves
    assert move.end == "Y/0"
    here, left = 5 * (1 - np.exp(-2 / 5)), np.exp(-4) - np.exp(-6)
    assert move.gain.mean == pytest.approx(here - left)
    assert {effect.area for effect in move.brings} == {"Y/0"}
    # The second team gains more on the other island (1.460) than on the same one (1.105).
    assert {move.end: move.units for move in plan_between([1.0, 5.0, 3.0], moves=2).moves} == {"Y/0": 1, "Y/1": 1}


@given(st.lists(st.floats(0.0, 50.0), min_size=3, max_size=3), st.floats(0.1, 40.0))
def test_the_need_of_other_islands_changes_nothing_for_a_team(need, other):
    capacity = np.array([[0.0], [2.0], [0.0]])
    changed = np.array([need[0], need[1], other])
    met = compute_met(np.array(need)[None, :, None], capacity)
    np.testing.assert_array_equal(met, compute_met(changed[None, :, None], capacity))


def test_rules_and_decisions_with_the_code_of_a_region_hold_for_its_islands():
    assert plan_between([1.0, 5.0, 3.0], moves=2, keep=(("Y", 1),), at_most=(("Y", 1),)).moved == 1
    required = Decision("X", "Y", "outreach team", "accept")
    assert required.covers("X", "Y/1", "outreach team")
    assert not required.covers("X", "Z/1", "outreach team")


def test_islands_without_an_entry_in_the_days_have_none():
    islands = (Island("1", "Y", ("1",)), Island("2", "Y", ("2",)))
    division = Division.find(("X", "Y"), islands, {"2": 7.0, "3": 5.0})
    assert division.places == ("X", "Y/1", "Y/2")
    assert division.days.tolist() == [1.0, 0.0, 7.0]


@pytest.fixture(scope="module")
def ground(demo_world):
    return PlanInputs.read(Release.open(demo_world / "releases", "partner", derived=demo_world / "derived"))


@pytest.mark.slow
@pytest.mark.parametrize("region", ["GR-F", "GR-K", "GR-L"])
def test_a_move_to_an_archipelago_of_the_demo_names_the_island(ground, region):
    plan = make_plan(ground, Setting(), [Decision("GR-D", region, "outreach team", "accept")])
    ends = {move.end for move in plan.moves if find_region(move.end) == region}
    largest = ground.division.places[ground.division.parts[ground.table.areas.index(region)][0]]
    assert ends == {largest}
    assert all(code in np.array(plan.posts.areas)[ground.unknown_ways] for code in ends)
