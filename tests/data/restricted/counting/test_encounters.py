from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import DisjointSet

from data.errors import ReleaseError
from data.restricted.counting import encounters as counting
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES, FAMILIES, TableSpec
from tests.helpers import small_worlds

GRID = Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2007, 5, 31))
KEY_RANGE = 2**24
BASE = {
    "date": "2006-07-01",
    "municipality": "101",
    "child": small_worlds.child(1),
    "programme_child": "",
    "pathway": "internal",
    "stage": "identified",
    "form": "begging",
    "axis": "protection",
    "sex": "female",
    "age_band": "6-9",
    "found": "reported",
    "origin": "",
    "destination": "",
}


def rows(*changes):
    return pd.DataFrame([{**BASE, **c} for c in changes])


def read(frame, keys=small_worlds.KEYS):
    return counting.read_encounters(counting.load_encounters(small_worlds.batches(frame), GRID.names), GRID, keys)


def count(frame, measure, level, grain, *by, cap=3):
    cells = counting.count_table(read(frame), TableSpec(measure, level, grain, by), cap, KEY_RANGE)
    names = [GRID.codes[level], [p.id for p in GRID.periods(grain)]]
    names += [GRID.codes[level] if c == "origin" else CATEGORIES[c] for c in by]
    numbers = {}
    for place in zip(*np.nonzero(cells.counts), strict=True):
        key = tuple(n[i] for n, i in zip(names, place, strict=True))
        numbers[key] = int(cells.counts[place])
    return numbers


def test_a_child_counts_once_in_the_cell_of_its_first_encounter():
    frame = rows(
        {"date": "2006-12-01", "municipality": "201", "stage": "returning"},
        {"date": "2006-07-02", "municipality": "102", "stage": "recruited"},
        {"date": "2006-07-03", "municipality": "101"},
    )
    assert count(frame, "children", "municipality", "quarter", "stage") == {("102", "2006-06-01/P3M", "recruited"): 1}
    assert count(frame, "children", "country", "whole") == {("AL", "2006-06-01/2007-05-31"): 1}


def test_encounters_of_one_day_are_settled_by_their_content_and_not_by_their_place_in_the_file():
    frame = rows({"municipality": "201"}, {"municipality": "102"}, {"municipality": "103"})
    numbers = [count(frame.iloc[list(o)], "children", "municipality", "whole") for o in ([0, 1, 2], [2, 0, 1])]
    assert numbers[0] == numbers[1]


def test_partners_children_are_linked_by_the_programme_number_and_by_chains_of_them():
    p, q = small_worlds.child("p"), small_worlds.child("q")
    frame = rows(
        {"child": small_worlds.child(1), "programme_child": p},
        {"child": small_worlds.child(2), "programme_child": p, "date": "2006-08-01"},
        {"child": small_worlds.child(2), "programme_child": q, "date": "2006-08-02"},
        {"child": small_worlds.child(3), "programme_child": q, "date": "2006-06-15", "municipality": "201"},
        {"child": small_worlds.child(4)},
    )
    assert count(frame, "children", "municipality", "whole") == {
        ("101", "2006-06-01/2007-05-31"): 1,
        ("201", "2006-06-01/2007-05-31"): 1,
    }


def test_encounters_count_at_most_three_times_a_child_and_cell():
    frame = rows(*[{"date": f"2006-07-{d:02d}"} for d in range(1, 8)], {"municipality": "102"})
    assert count(frame, "encounters", "municipality", "quarter") == {
        ("101", "2006-06-01/P3M"): 3,
        ("102", "2006-06-01/P3M"): 1,
    }
    assert count(frame, "encounters", "region", "whole") == {("AL-11", "2006-06-01/2007-05-31"): 3}
    assert count(frame, "encounters", "region", "whole", cap=8) == {("AL-11", "2006-06-01/2007-05-31"): 8}


HOUSEHOLDS = rows(
    {"child": small_worlds.child(1), "household": small_worlds.child("A")},
    {"child": small_worlds.child(2), "household": small_worlds.child("A"), "date": "2006-09-01"},
    {"child": small_worlds.child(3), "household": small_worlds.child("B"), "municipality": "9001"},
    {"child": small_worlds.child(3), "household": small_worlds.child("C"), "date": "2006-08-01"},
    {"child": small_worlds.child(4), "household": small_worlds.child("C"), "date": "2006-07-15"},
    {"child": small_worlds.child(5), "household": ""},
)


def test_a_family_counts_once_where_the_first_of_its_children_was_met_and_children_link_households():
    whole = "2006-06-01/2007-05-31"
    assert count(HOUSEHOLDS, "families", "country", "whole") == {("AL", whole): 1, ("GR", whole): 1}
    assert count(HOUSEHOLDS, "household_children", "country", "whole") == {("AL", whole): 3, ("GR", whole): 1}
    for measure in FAMILIES:  # vaults and files without household numbers
        assert count(HOUSEHOLDS.assign(household=""), measure, "country", "whole") == {}
        assert count(HOUSEHOLDS.drop(columns="household"), measure, "country", "whole") == {}


def test_the_noise_of_a_family_is_its_own_and_follows_its_smallest_household_alone():
    def key(frame, measure, salt):
        cells = counting.count_table(read(frame), TableSpec(measure, "country", "whole"), 3, KEY_RANGE)
        return int(cells.keys[0, 0])

    alone = HOUSEHOLDS.iloc[[0]]
    more = HOUSEHOLDS.iloc[[0, 1]]
    assert key(alone, "families", "") == key(more, "families", "")
    other = alone.assign(child=small_worlds.child(9))
    assert key(alone, "families", "") == key(other, "families", "")
    keys = {key(alone, measure, "") for measure in ("families", "household_children", "children")}
    assert len(keys) == 3


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_families_are_at_most_children_with_a_household_who_are_at_most_all_children(drawn):
    places = ["101", "201", "9001"]
    frame = rows(
        *(
            {
                "child": small_worlds.child(who),
                "household": small_worlds.child(f"h{home}") if home else "",
                "municipality": places[(who + day) % 3],
                "date": f"2006-07-{day + 1:02d}",
            }
            for who, home, day in drawn
        )
    )
    linked = DisjointSet({name for who, home, _ in drawn if home for name in (f"c{who}", f"h{home}")})
    for who, home, _ in drawn:
        if home:
            linked.merge(f"c{who}", f"h{home}")
    measured = {m: count(frame, m, "country", "whole") for m in (*FAMILIES, "children")}
    for inner, outer in pairwise(measured.values()):
        assert all(n <= outer[cell] for cell, n in inner.items())
    assert sum(measured["families"].values()) == linked.n_subsets


def test_the_model_table_leaves_out_prevention_and_unknown_pathways():
    frame = rows(
        {"child": small_worlds.child(1)},
        {"child": small_worlds.child(2), "stage": "at_risk"},
        {"child": small_worlds.child(3), "pathway": "none_known"},
        {"child": small_worlds.child(4), "pathway": "al_to_gr", "found": "discovered"},
        {"child": small_worlds.child(5), "pathway": "other_cross_border", "found": "discovered"},
    )
    assert count(frame, "model", "region", "quarter", "crossing", "found") == {
        ("AL-11", "2006-06-01/P3M", "internal", "reported"): 1,
        ("AL-11", "2006-06-01/P3M", "cross_border", "discovered"): 2,
    }


def test_flows_go_from_origin_to_destination_where_both_are_known():
    frame = rows(
        {"child": small_worlds.child(1), "origin": "101", "destination": "9001"},
        {"child": small_worlds.child(2), "origin": "101"},
        {"child": small_worlds.child(3), "origin": "AL", "destination": "9001"},
    )
    whole = "2006-06-01/2007-05-31"
    assert count(frame, "flows", "region", "whole", "origin") == {("GR-I", whole, "AL-11"): 1}
    assert count(frame, "flows", "country", "whole", "origin") == {("GR", whole, "AL"): 2}


def test_returns_go_home_from_where_the_child_was_taken_and_are_counted_where_it_was_met():
    frame = rows(
        {"child": small_worlds.child(1), "origin": "101", "destination": "9001", "stage": "returning"},
        {"child": small_worlds.child(2), "origin": "101", "destination": "9001", "stage": "identified"},
        {"child": small_worlds.child(3), "origin": "101", "destination": "101", "stage": "returning"},
        {"child": small_worlds.child(4), "origin": "IT", "destination": "9001", "stage": "returning"},
        {"child": small_worlds.child(5), "origin": "9001", "destination": "101", "stage": "returning"},
        {"child": small_worlds.child(6), "origin": "101", "destination": "9001", "stage": "returning"},
        {"child": small_worlds.child(6), "date": "2007-01-01", "municipality": "9001", "stage": "returning"},
    )
    whole = "2006-06-01/2007-05-31"
    assert count(frame, "returns", "country", "whole", "return_way") == {
        ("AL", whole, "gr_to_al"): 2,
        ("AL", whole, "al_to_gr"): 1,
        ("AL", whole, "inside"): 1,
        ("AL", whole, "unknown"): 1,
    }


def test_a_successor_counts_in_its_predecessor_and_a_region_without_municipality_in_itself():
    frame = rows({"municipality": "9261-1"}, {"child": small_worlds.child(2), "municipality": "GR-69"})
    whole = "2006-06-01/2007-05-31"
    assert count(frame, "children", "municipality", "whole") == {("9261", whole): 1}
    assert count(frame, "children", "region", "whole") == {("GR-K", whole): 1, ("GR-69", whole): 1}


@pytest.mark.parametrize(("column", "value"), [("municipality", "AL-11"), ("municipality", "xyz"), ("stage", "lost")])
def test_what_is_not_known_is_named(column, value):
    with pytest.raises(ReleaseError, match=value):
        read(rows({column: value}))


def test_an_unhashed_identifier_is_refused_without_being_shown():
    with pytest.raises(ReleaseError) as refused:
        read(rows({"child": "K-0412"}))
    assert "0412" not in str(refused.value)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_row_order_and_batches_change_nothing(seed):
    rng = np.random.default_rng(seed)
    frame = small_worlds.encounters(rng, 300, 150)
    frame.loc[rng.random(300) < 0.2, "programme_child"] = small_worlds.child(rng.integers(0, 20), "p")
    other = frame.sample(frac=1, random_state=seed % 2**31).reset_index(drop=True)
    for spec in (
        TableSpec("children", "municipality", "quarter", ("stage",)),
        TableSpec("encounters", "region", "year"),
        TableSpec("flows", "country", "whole", ("origin",)),
        TableSpec("returns", "country", "whole", ("return_way",)),
        TableSpec("model", "municipality", "quarter", ("crossing", "found")),
    ):
        first, second = (counting.count_table(read(f), spec, 3, KEY_RANGE) for f in (frame, other))
        assert (first.counts == second.counts).all()
        assert (first.keys == second.keys).all()


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_names_of_children_matter_only_through_their_record_keys(seed):
    """Other hashes (as with another identifier key) but the same record keys give the same cells."""
    frame = small_worlds.encounters(np.random.default_rng(seed), 200, 100)
    renamed = frame.assign(child=frame["child"].map(lambda h: small_worlds.child(h, "again")))
    known = {small_worlds.child(h, "again"): h for h in frame["child"]}
    spec = TableSpec("children", "region", "quarter", ("pathway",))
    first = counting.count_table(read(frame), spec, 3, KEY_RANGE)
    second = counting.count_table(
        read(renamed, lambda hashes: small_worlds.KEYS([known[h] for h in hashes])), spec, 3, KEY_RANGE
    )
    assert (first.counts == second.counts).all()
    assert (first.keys == second.keys).all()


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_tables_of_children_add_up_and_agree_with_a_plain_count(seed):
    frame = small_worlds.encounters(np.random.default_rng(seed), 300, 120)
    records = read(frame)

    def total(level, grain, *by):
        return counting.count_table(records, TableSpec("children", level, grain, by), 3, KEY_RANGE)

    assert total("municipality", "quarter").counts.sum() == frame["child"].nunique()
    for by in ("stage", "pathway", "sex"):
        assert (total("region", "year", by).counts.sum(-1) == total("region", "year").counts).all()
    assert (total("region", "quarter").counts.sum(1) == total("region", "whole").counts[:, 0]).all()
    keys = total("municipality", "year").keys.sum() % KEY_RANGE
    assert keys == total("region", "year").keys.sum() % KEY_RANGE


def test_the_noise_of_encounters_has_keys_of_its_own():
    records = read(rows({}))
    children, encounters = (
        counting.count_table(records, TableSpec(m, "country", "whole"), 3, KEY_RANGE).keys[0, 0]
        for m in ("children", "encounters")
    )
    assert children != encounters


def test_detailed_tables_share_their_noise_and_those_that_are_broken_down_in_public_do_not():
    records = read(rows({}))

    def key(level, grain, *by):
        cells = counting.count_table(records, TableSpec("children", level, grain, by), 3, KEY_RANGE)
        return int(cells.keys[cells.counts > 0][0])

    assert len({key("municipality", "quarter"), key("region", "year"), key("region", "year", "stage")}) == 1
    apart = [key(*place, *by) for place in (("country", "year"), ("region", "whole")) for by in ((), ("pathway",))]
    assert len({*apart, key("region", "year")}) == 5
