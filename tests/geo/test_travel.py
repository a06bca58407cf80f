"""Travel times: the default, the entered times that replace it, and the messages for a faulty file."""

import json

import numpy as np
import pyproj
import pytest

from data.errors import FileRefused, InputError
from data.reference import figures
from geo import areas as geography
from geo.travel import (
    DETOUR_MOST,
    Link,
    RoadTimes,
    Travel,
    compute_distances,
    estimate_detours,
    estimate_minutes,
    estimate_ways,
    read_links,
)


@pytest.fixture(scope="module")
def areas():
    return geography.load_areas()


@pytest.fixture(scope="module")
def travel(areas):
    return Travel.between(areas, "region")


def test_a_known_distance():
    tirana, thessaloniki = (19.8187, 41.3275), (22.9444, 40.6401)
    metres = pyproj.Geod(ellps="WGS84").inv(*tirana, *thessaloniki)[2]
    assert compute_distances(np.array(tirana), np.array(thessaloniki)) == pytest.approx(metres / 1000, rel=0.005)
    quarter = compute_distances(np.zeros(2), np.array([[90.0, 0.0], [0.0, 90.0]]))
    assert quarter == pytest.approx([10007.56, 10007.56], rel=1e-4)


def test_times_are_symmetric_and_nothing_to_itself(travel):
    np.testing.assert_array_equal(travel.minutes, travel.minutes.T)
    np.testing.assert_array_equal(np.diag(travel.minutes), 0.0)
    assert (travel.inside[np.array(travel.codes) != "GR-69"] > 0).all()  # Mount Athos has no settlement
    np.testing.assert_array_equal(np.diag(travel.people), travel.inside)


def test_the_time_inside_an_area_is_that_of_its_people(areas, travel):
    """Tirana's people live in one town, those of the Peloponnese far apart; the mean is by municipality and people."""
    place = travel.codes.index
    assert travel.inside[place("AL-11")] < 15 < 45 < travel.inside[place("GR-J")]
    towns = Travel.between(areas, "municipality")
    inside = [code for code in towns.codes if areas.table["parent"][code] == "AL-12"]
    figure = figures()
    figure = figure[(figure["measure"] == "population") & figure["area"].isin(inside)]
    people = figure.sort_values("period").groupby("area")["number"].last()[inside].to_numpy()
    seat = towns.codes.index(travel.seats[place("AL-12")])
    minutes = np.array([towns.people[towns.codes.index(code), seat] for code in inside])
    assert travel.inside[place("AL-12")] == pytest.approx(people @ minutes / people.sum())


def test_an_archipelago_is_not_a_place(areas, travel):
    """Most people of the South Aegean have no way to Rhodes: it is provisional in itself until ferries are entered."""
    place = travel.codes.index("GR-L")
    assert travel.provisional[place, place]
    assert 0.3 < travel.reached[place, place] < 0.45
    assert not travel.provisional[travel.codes.index("GR-M"), travel.codes.index("GR-M")]
    towns = Travel.between(areas, "municipality")
    inside = [code for code in towns.codes if areas.table["parent"][code] == "GR-L"]
    ferries = [Link(travel.seats[place], code, 240.0, "invented") for code in inside if code != travel.seats[place]]
    joined = Travel.between(areas, "region", ferries=ferries)
    assert joined.reached[place, place] == pytest.approx(1.0)
    assert 100.0 < joined.inside[place] < 240.0


def test_the_time_of_an_area_itself_can_be_given(areas, travel):
    times = Travel.between(areas, "region", uploaded=[Link("GR-L", "GR-L", 150.0)])
    place = times.codes.index("GR-L")
    assert times.inside[place] == 150.0
    assert times.minutes[place, place] == 0.0
    assert not times.provisional[place, place]
    assert times.reached[place, place] == 1.0


def test_the_detour_grows_where_nobody_lives():
    """Over the Pindus more than in the plain of Thessaly; never below the straight line, never without end."""
    ioannina, trikala, larissa = np.array([[20.8519, 39.6649], [21.7684, 39.5549], [22.4176, 39.6369]])
    assert estimate_detours(ioannina, trikala) > 1.15 * estimate_detours(trikala, larissa) > 1.15
    assert estimate_detours(np.array([10.0, 30.0]), np.array([11.0, 30.0])) == DETOUR_MOST


def test_a_way_goes_from_settlement_to_settlement():
    """A neighbour is one hop away; around a mountain the way is longer than to its stops, and never than the sum."""
    points = np.array([[20.8519, 39.6649], [21.7684, 39.5549], [22.4176, 39.6369], [np.nan, np.nan]])
    ways = estimate_ways(points)
    assert ways[0, 2] <= ways[0, 1] + ways[1, 2]
    assert (ways[:2, :2] >= 1.2 * compute_distances(points[:2, None], points[:2]))[~np.eye(2, dtype=bool)].all()
    assert np.isnan(ways[3]).all()
    close = points[0] + np.array([[0.0, 0.0], [0.0, 1e-4]])
    assert estimate_ways(close)[0, 1] == pytest.approx(estimate_minutes(close[0], close[1]))


def test_uncertain_times_have_the_spread_that_is_told(travel):
    drawn = np.log(travel.draw_people(4000, 3)[:, 0, 1] / travel.people[0, 1])
    assert drawn.std() == pytest.approx(travel.spread[0, 1], rel=0.05)
    assert abs(drawn.mean()) < 0.02
    both = travel.select(travel.codes[:20])
    ratio = both.draw_people(50, 3) / both.people
    np.testing.assert_allclose(ratio, ratio.transpose(0, 2, 1))
    np.testing.assert_array_equal(travel.draw_people(3, 5), travel.draw_people(3, 5))


def test_times_along_roads_replace_the_default_between_their_places(areas, travel):
    towns = Travel.between(areas, "municipality")
    codes = (towns.seats[towns.codes.index(travel.seats[travel.codes.index("GR-L")])], "9134")
    roads = RoadTimes(codes, np.array([[20.0, 600.0], [610.0, np.nan]]), "extract", "2026-11-30")
    known = Travel.between(areas, "municipality", roads=RoadTimes.read(json.loads(json.dumps(roads.describe()))))
    a, b = (known.codes.index(code) for code in codes)
    assert (known.people[a, b], known.people[b, a], known.people[a, a]) == (600.0, 610.0, 20.0)
    assert not known.provisional[a, b]
    assert known.spread[a, b] < known.spread[0, 1]
    assert known.people[b, b] == towns.people[b, b]


def test_only_ways_over_water_are_provisional(areas, travel):
    mainland = [travel.codes.index(code) for code in ("AL-11", "GR-A", "GR-B", "GR-I", "GR-J")]
    assert not travel.provisional[np.ix_(mainland, mainland)].any()
    islands = [travel.codes.index(code) for code in ("GR-F", "GR-K", "GR-L", "GR-M")]
    assert travel.provisional[np.ix_(islands, mainland)].all()
    assert travel.provisional[np.ix_(mainland, islands)].all()


def test_a_ferry_opens_an_island_and_the_land_behind_it(areas, travel):
    # Crete's own ferry; the time is invented.
    ferry = Link("GR-I", "GR-M", 60.0, "invented for this test")
    there = Travel.between(areas, "region", ferries=[ferry])
    attica, crete, west = (there.codes.index(code) for code in ("GR-I", "GR-M", "GR-G"))
    assert there.minutes[attica, crete] == there.minutes[crete, attica] == 60.0
    assert there.minutes[west, crete] == pytest.approx(60.0 + travel.minutes[west, attica])
    assert not there.provisional[:, crete][[attica, west]].any()
    other = there.codes.index("GR-L")
    assert there.provisional[attica, other]


def test_uploaded_times_replace_pairs_and_nothing_else(areas, travel):
    there = Travel.between(areas, "region", uploaded=[Link("AL-11", "AL-02", 41.0)])
    a, b = there.codes.index("AL-11"), there.codes.index("AL-02")
    assert there.minutes[a, b] == there.minutes[b, a] == 41.0
    np.testing.assert_array_equal(there.entered.sum(), 2)
    np.testing.assert_array_equal(there.minutes[~there.entered], travel.minutes[~there.entered])
    one_way = [Link("AL-11", "AL-02", 41.0), Link("AL-02", "AL-11", 55.0)]
    both = Travel.between(areas, "region", uploaded=one_way)
    assert (both.minutes[a, b], both.minutes[b, a]) == (41.0, 55.0)


def test_an_uploaded_time_to_an_island_is_not_provisional(areas):
    there = Travel.between(areas, "region", uploaded=[Link("GR-I", "GR-M", 500.0)])
    assert not there.provisional[there.codes.index("GR-I"), there.codes.index("GR-M")]


def test_some_areas_in_another_order(travel):
    some = travel.select(["GR-I", "AL-11"])
    assert some.minutes[0, 1] == travel.minutes[travel.codes.index("GR-I"), travel.codes.index("AL-11")]
    with pytest.raises(InputError, match="'XX'"):
        travel.select(["XX"])


def _file(tmp_path, text):
    path = tmp_path / "times.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_as_spreadsheets_write_it(tmp_path):
    path = _file(tmp_path, "\ufeffFrom, To ,Minutes,Source\nA,B,12.5,atlas\n,,,\nB,A,13,\n")
    assert read_links(path, ["A", "B"]) == (Link("A", "B", 12.5, "atlas"), Link("B", "A", 13.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from,to,minutes\nA,B,10\nA,C,5\n", "row 3: 'C' in column to"),
        ("from,to,minutes\nA,B,soon\n", "row 2: 'soon' in column minutes"),
        ("from,to,minutes\nA,B,-3\n", "row 2: '-3'"),
        ("from,to,minutes\nA,B,inf\n", "row 2: 'inf'"),
        ("from,to,minutes\nA,B,3\nA,B,4\n", "row 3: A to B is already in row 2"),
        ("from,to,minutes\nA,B\n", "row 2: '' in column minutes"),
    ],
)
def test_a_faulty_row_is_named_with_its_remedy(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_links(_file(tmp_path, text), ["A", "B"])


def test_a_ferry_to_itself_is_refused_and_a_time_inside_is_read(tmp_path):
    text = "from,to,minutes,source\nA,A,3,x\n"
    assert read_links(_file(tmp_path, text), ["A"]) == (Link("A", "A", 3.0, "x"),)
    with pytest.raises(InputError, match="row 2: a ferry from A to the same area"):
        read_links(_file(tmp_path, text), ["A"], sources=True)


def test_a_ferry_without_a_source_is_refused(tmp_path):
    with pytest.raises(InputError, match="row 2: the ferry has no source"):
        read_links(_file(tmp_path, "from,to,minutes\nA,B,3\n"), ["A", "B"], sources=True)


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="no column minutes"):
        read_links(_file(tmp_path, "from,to\nA,B\n"), ["A", "B"])
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileRefused, match="UTF-8"):
        read_links(path, ["A"])
    with pytest.raises(FileRefused, match="There is no file"):
        read_links(tmp_path / "none.csv", ["A"])


def test_links_of_other_areas_are_refused(areas):
    with pytest.raises(InputError, match="'XX'"):
        Travel.between(areas, "region", uploaded=[Link("AL-11", "XX", 3.0)])
