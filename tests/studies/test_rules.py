"""The study of rules for repeated publication: what is counted, when each rule draws, whom changes reveal."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.studies.rules import MEASURES, RULES, Comparison, Numbers, compare_rules, describe
from benchmarks.studies.sequence import list_days, list_first_encounters
from benchmarks.studies.snapshot import MODEL, TABLES, WHOLE, YEARS, Snapshot, count_changes, get_shape
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.disclosure.policy import DEFAULT_POLICY
from data.reference import area_table
from data.restricted.comparison.invented import count_world
from data.restricted.keys import IdentifierHasher, create_from_seed

DAYS = list_days()


@pytest.fixture(scope="module")
def encounters():
    return simulate_default_areas(WorldParameters(seed=0, children=300)).records["encounter"].astype("str")


def take(encounters, release=-1):
    names = pd.Index(list_first_encounters(encounters)["child"].sort_values())
    return Snapshot.take(encounters, names, DAYS[release])


@pytest.mark.long
def test_children_are_counted_as_a_release_counts_them(encounters):
    hasher = IdentifierHasher(create_from_seed(0).identifier)
    counted = count_world(encounters, hasher, area_table(), {"partner": TABLES, "public": ()}, DEFAULT_POLICY)
    for spec in TABLES:
        np.testing.assert_array_equal(take(encounters).count(spec), counted.counts[spec])


def test_the_days_decide_what_is_provisional_and_final(encounters):
    status = [np.unique(take(encounters, release).status[MODEL][0, :, 0, 0]).tolist() for release in (0, 3, 4, 12)]
    assert status == [[0, 1], [0, 1], [0, 1, 2], [2]]
    assert [int((take(encounters, release).status[YEARS] > 0)[0].sum()) for release in (3, 4, 11, 12)] == [0, 1, 2, 3]
    assert [bool(take(encounters, release).status[WHOLE].any()) for release in (11, 12)] == [False, True]


def test_a_moved_child_changes_two_cells_and_a_corrected_one_its_block_alone(encounters):
    before = take(encounters)
    here = before.cells[MODEL] >= 0
    child = int(np.flatnonzero(here)[0])
    cells = before.cells[MODEL].copy()
    cells[child] = (cells[child] + 1) % before.count(MODEL).size
    moved = count_changes(before, replace(before, cells={**before.cells, MODEL: cells}), MODEL)
    assert (moved.sum(), moved.max()) == (2, 1)
    content = before.content.copy()
    content[child] += 1
    corrected = replace(before, content=content)
    assert not count_changes(before, corrected, MODEL).any()
    blocks = count_changes(before, corrected, MODEL, blocks=True)
    assert blocks.sum() == np.prod(get_shape(MODEL)[2:])  # each cell of one block


@pytest.mark.parametrize(("rule", "fewest"), [("blocks", 11), ("cells", 6), ("always", 0)])
def test_a_rule_draws_again_at_its_number_of_changes(encounters, rule, fewest):
    before = take(encounters)
    area = np.bincount(before.cells[YEARS][before.cells[YEARS] >= 0]).argmax()
    inside = np.flatnonzero(before.cells[YEARS] == area)
    numbers = Numbers(YEARS, rule, np.full(get_shape(YEARS), 6))
    numbers.last_draw[:] = 0
    for gone in {max(fewest - 1, 0), fewest}:
        places = before.cells[YEARS].copy()
        places[inside[:gone]] = -1
        now = replace(before, cells={**before.cells, YEARS: places}, blocks={**before.blocks, YEARS: places})
        assert numbers.choose([before, now]).ravel()[area] == (gone >= fewest)


@pytest.mark.long
def test_only_numbers_that_are_final_never_change_because_of_one_child():
    measures = compare_rules(1, DAYS[:6])
    final, always = measures["final"], measures["always"]
    assert {name: value for name, value in final.items() if name.endswith(("changed", "draw", "release"))} == {
        f"{tier}_{kind}": 0 for tier in ("public", "partner") for kind in ("changed", "one_draw", "one_release")
    }
    assert always["partner_changed"] >= always["partner_one_draw"] == always["partner_one_release"] > 0
    cells = measures["cells"]
    assert cells["public_changed"] > cells["public_one_draw"] == 0  # at least six children changed
    assert final["hidden"] > always["hidden"]  # a year waits for its lag


def test_the_table_has_means_and_standard_errors():
    worlds = tuple({rule: dict.fromkeys(MEASURES, value) for rule in RULES} for value in (1.0, 3.0))
    summary = Comparison(worlds).summary()
    assert summary["final"]["hidden"] == (2.0, 1.0)
    assert "2.000 ± 1.000" in describe(summary, 0)[3]
