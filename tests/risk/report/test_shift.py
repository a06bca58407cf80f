"""The test for the shift to internal trafficking."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.observe import observe_world
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from geo import areas
from risk.model.observations import MISSING
from risk.report.shift import WATCHED, find_shifts
from risk.worlds import WorldParameters, simulate_default_areas


def seen_of(seed, **given):
    world = simulate_default_areas(WorldParameters(seed=seed, **given))
    usual = CellKey.from_policy(DEFAULT_POLICY)
    return observe_world(world, areas.load_areas().neighbours("region"), usual)


def watched(seen):
    return [[seen.areas.index(code) for code in WATCHED]]


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_the_planted_one_is_found_by_the_eighth_quarter_and_not_where_there_is_none(seed):
    seen = seen_of(seed)
    (found,) = find_shifts(seen.up_to(8), watched(seen))
    assert found.verdict == "rose"
    assert found.areas == WATCHED
    assert found.before < 50 < found.after
    quiet = seen_of(seed, internal_after=0.2)
    assert not any(one.verdict == "rose" for one in find_shifts(quiet.up_to(8), watched(quiet)))


def test_nothing_is_said_of_too_short_a_time_or_where_nobody_was_met():
    seen = seen_of(1)
    assert find_shifts(seen.up_to(7), watched(seen)) == []
    nobody = replace(seen, published=np.where(seen.published > 0, 0, seen.published))
    assert find_shifts(nobody, watched(seen)) == []
    unknown = replace(seen, published=np.full_like(seen.published, MISSING))
    assert find_shifts(unknown, watched(seen)) == []


def test_plain_values_are_in_per_cent():
    seen = seen_of(1)
    told = find_shifts(seen, watched(seen))[0]
    assert told.low < told.after - told.before < told.high
    assert 0 <= told.before < told.after <= 100
