"""Clusters of more children than people and effort explain, country by country."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.observe import observe_world
from geo import areas
from risk.clusters import ClusterSearch
from risk.worlds import WorldParameters, simulate_default_areas


@pytest.fixture(scope="module")
def seen():
    world = simulate_default_areas(WorldParameters(seed=3))
    return observe_world(world, areas.load_areas().neighbours("region"))


def ground(seen, **given):
    centres = np.random.default_rng(5).uniform(0, 4e5, (len(seen.areas), 2))
    return ClusterSearch(seen, centres, **{"size": 20.0, "replicates": 199, "seed": 0, **given})


def flat(seen, mean=40.0):
    shape = (len(seen.areas), len(seen.quarters), len(seen.pathways))
    return np.random.default_rng(1).poisson(np.full(shape, mean / 12)).astype(float), np.full(shape, mean / 12)


def test_a_planted_cluster_is_found_in_its_own_country_alone(seen):
    found, expected = flat(seen)
    planted = seen.areas.index("AL-11")
    found[planted, :, 0] *= 4
    told = ground(seen).whole(found.sum(axis=1), expected.sum(axis=1))
    assert told["cluster"][planted, 0] == 1
    assert told["p"][planted, 0] <= 0.01
    assert told["value"][planted, 0] > 2
    greek = np.array(seen.countries) == "GR"
    assert not (told["p"][greek, 0] <= 0.01).any()
    assert told["state"][planted, 0] == "number"
    assert (told["state"][np.isnan(told["cluster"])] == "no_data").all()


def test_a_recent_one_says_since_when(seen):
    found, expected = flat(seen)
    planted = seen.areas.index("GR-B")
    found[planted, 9:, 1] = 20
    told = ground(seen).recent(found, expected)
    assert told["cluster"][planted, 1] == 1
    assert told["since"][planted, 1] == seen.quarters[9]
    assert (told["since"][np.isnan(told["cluster"])] == "").all()


def test_areas_without_a_place_and_countries_of_few_areas_are_left_out(seen):
    found, expected = flat(seen)
    nowhere = replace(ground(seen), centres=np.full((len(seen.areas), 2), np.nan))
    told = nowhere.whole(found.sum(axis=1), expected.sum(axis=1))
    assert np.isnan(told["cluster"]).all()
    nobody = ground(seen).recent(np.zeros_like(found), expected)
    assert np.isnan(nobody["cluster"]).all()
