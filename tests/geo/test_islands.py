"""Which regions are no single place, and how they fall into islands."""

import pytest

from geo import areas as geography
from geo.islands import LEAST, find_islands
from geo.travel import Link, Travel, read_population


@pytest.fixture(scope="module")
def areas():
    return geography.load_areas()


def divide(areas, ferries=()):
    both = [Travel.between(areas, level, ferries=ferries) for level in ("region", "municipality")]
    return find_islands(areas, *both)


def test_the_three_archipelagos_fall_into_islands_and_nothing_else_does(areas):
    islands = divide(areas)
    assert {island.region for island in islands} == {"GR-F", "GR-K", "GR-L"}
    first = {region: next(i for i in islands if i.region == region) for region in ("GR-F", "GR-K", "GR-L")}
    names = {region: areas.table["name_en"][island.code] for region, island in first.items()}
    assert names == {"GR-F": "Corfu", "GR-K": "Lesvos", "GR-L": "Rhodes"}
    members = [code for island in islands for code in island.members]
    towns = areas.frame("municipality")
    assert sorted(members) == sorted(towns.index[towns["parent"].isin(["GR-F", "GR-K", "GR-L"])])


@pytest.mark.slow
def test_an_island_with_few_of_its_regions_people_belongs_to_the_largest(areas):
    islands = [island for island in divide(areas) if island.region == "GR-L"]
    people = {island.code: read_population(island.members).sum() for island in islands}
    assert min(people.values()) >= LEAST * sum(people.values())
    assert len(islands) == 13
    assert "Meyisti" in {areas.table["name_en"][code] for code in islands[0].members}


@pytest.mark.slow
def test_a_ferry_within_half_a_working_day_joins_two_islands(areas):
    islands = [island for island in divide(areas) if island.region == "GR-K"]
    near, far = islands[1].code, islands[2].code
    ferries = [Link(islands[0].code, near, 150.0, "invented"), Link(islands[0].code, far, 300.0, "invented")]
    joined = [island for island in divide(areas, ferries) if island.region == "GR-K"]
    assert near in joined[0].members
    assert far not in joined[0].members
    assert len(joined) == len(islands) - 1
