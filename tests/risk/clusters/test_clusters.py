"""Clusters of more children than people and effort explain, country by country."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.studies.observe import observe_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from geo import areas
from risk import clusters
from risk.clusters import ClusterSearch


@pytest.fixture(scope="module")
def seen():
    world = simulate_default_areas(WorldParameters(seed=3))
    return observe_world(world, areas.load_areas().neighbours("region"))


def ground(seen, **options):
    centres = np.random.default_rng(5).uniform(0, 4e5, (len(seen.areas), 2))
    return ClusterSearch(seen, centres, **{"size": 240.0, "between_sd": 0.0, "replicates": 199, "seed": 0, **options})


def flat(seen, mean=40.0):
    shape = (len(seen.areas), len(seen.quarters), len(seen.pathways))
    return np.random.default_rng(1).poisson(np.full(shape, mean / 12)).astype(float), np.full(shape, mean / 12)


def test_a_planted_cluster_is_found_in_its_own_country_alone(seen):
    children, expected = flat(seen)
    search, planted = ground(seen), seen.areas.index("AL-11")
    albanian = np.flatnonzero(np.array(seen.countries) == "AL")
    near = albanian[np.argsort(((search.centres[albanian] - search.centres[planted]) ** 2).sum(axis=1))[:2]]
    children[near, :, 0] *= 4
    columns = search.find(children.sum(axis=1), expected.sum(axis=1), 0 * expected.sum(axis=1))
    assert (columns["cluster"][near, 0] == 1).all()
    assert columns["p"][planted, 0] <= 0.01
    assert columns["value"][planted, 0] > 2
    greek = np.array(seen.countries) == "GR"
    assert not (columns["p"][greek, 0] <= 0.01).any()
    assert columns["state"][planted, 0] == "number"
    assert (columns["state"][np.isnan(columns["cluster"])] == "no_data").all()


def test_the_p_value_of_a_release_allows_for_all_its_scans(seen):
    children, expected = (values.sum(axis=1) for values in flat(seen))
    columns = ground(seen).find(children, expected, 0 * expected)
    np.testing.assert_allclose(columns["p_release"], np.minimum(4 * columns["p"], 1))
    children[:, 1] = 0  # nobody was met on one pathway: two scans are left
    columns = ground(seen).find(children, expected, 0 * expected)
    np.testing.assert_allclose(columns["p_release"], np.minimum(2 * columns["p"], 1))


def test_the_noise_of_published_numbers_is_no_cluster(seen):
    shape = (len(seen.areas), len(seen.pathways))
    rng, expected = np.random.default_rng(2), np.full(shape, 8.0)
    children = np.maximum(rng.poisson(expected) + rng.normal(0, 5, shape).round(), 0)
    without, allowing = (ground(seen).find(children, expected, np.full(shape, noise))["p"] for noise in (0.0, 25.0))
    assert np.nanmin(without) <= 0.05 < np.nanmin(allowing)


def test_noise_is_compared_with_what_is_expected_where_numbers_are_known(seen, monkeypatch):
    sizes = []
    monkeypatch.setattr(clusters, "scan_space", lambda *_args, size, **_options: sizes.append(size) or ())
    children, expected = (values.sum(axis=1) for values in flat(seen))
    greek = np.flatnonzero(np.array(seen.countries) == "GR")
    children[greek], expected[greek], children[greek[0]] = 20.0, 10.0, np.nan
    ground(seen, size=np.inf).find(children, expected, np.full(children.shape, 25.0))
    np.testing.assert_allclose(sizes[-1], 20.0**2 / 25.0)


def test_areas_without_a_place_and_countries_of_few_areas_are_left_out(seen):
    children, expected = flat(seen)
    nowhere = replace(ground(seen), centres=np.full((len(seen.areas), 2), np.nan))
    columns = nowhere.find(children.sum(axis=1), expected.sum(axis=1), 0 * expected.sum(axis=1))
    assert np.isnan(columns["cluster"]).all()
    nobody = ground(seen).find(np.zeros_like(children.sum(axis=1)), expected.sum(axis=1), 0 * expected.sum(axis=1))
    assert np.isnan(nobody["cluster"]).all()


def test_a_single_area_that_finds_much_is_no_cluster_of_one(seen):
    children, expected = (values.sum(axis=1) for values in flat(seen))
    children[seen.areas.index("GR-I"), 0] *= 4
    columns = ground(seen).find(children, expected, 0 * expected)
    sizes = np.unique(columns["cluster"][~np.isnan(columns["cluster"][:, 0]), 0], return_counts=True)[1]
    greek = np.array(seen.countries) == "GR"
    assert len(sizes)
    assert np.nansum(columns["cluster"][greek, 0] == 1) >= 2
