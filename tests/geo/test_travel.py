"""Travel times: the default, the entered times that replace it, and the messages for a faulty file."""

import numpy as np
import pyproj
import pytest

from data.errors import FileRefused, InputError
from geo import areas as geography
from geo.travel import Link, Speed, Travel, compute_distances, read_links


@pytest.fixture(scope="module")
def areas():
    return geography.load_areas()


@pytest.fixture(scope="module")
def travel(areas):
    return Travel.between(areas, "region")


def test_a_known_distance():
    tirana, thessaloniki = (19.8187, 41.3275), (22.9444, 40.6401)
    metres = pyproj.Geod(ellps="WGS84").inv(*tirana, *thessaloniki)[2]
    assert compute_distances(np.array([tirana, thessaloniki]))[0, 1] == pytest.approx(metres / 1000, rel=0.005)
    quarter = compute_distances(np.array([[0.0, 0.0], [90.0, 0.0], [0.0, 90.0]]))
    assert quarter[0, 1:] == pytest.approx([10007.56, 10007.56], rel=1e-4)


def test_times_are_symmetric_and_nothing_to_itself(travel):
    np.testing.assert_array_equal(travel.minutes, travel.minutes.T)
    np.testing.assert_array_equal(np.diag(travel.minutes), 0.0)
    assert (travel.inside > 0).all()
    people = travel.to_people()
    np.testing.assert_array_equal(np.diag(people), travel.inside)
    apart = ~np.eye(len(people), dtype=bool)
    np.testing.assert_array_equal(people[apart], travel.minutes[apart])


def test_speed_and_detour_scale_every_time(areas, travel):
    half = Travel.between(areas, "region", Speed(1.3, 100.0))
    np.testing.assert_allclose(2.0 * half.minutes, travel.minutes)
    longer = Travel.between(areas, "region", Speed(2.6, 50.0))
    np.testing.assert_allclose(longer.inside, 2.0 * travel.inside)


def test_only_ways_over_water_are_provisional(areas, travel):
    part = {code: number for number, group in enumerate(areas.parts("region")) for code in group}
    label = np.array([part[code] for code in travel.codes])
    np.testing.assert_array_equal(travel.provisional, label[:, None] != label)
    assert travel.provisional.any()


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
        ("from,to,minutes\nA,A,3\n", "row 2: From A to the same area"),
        ("from,to,minutes\nA,B,3\nA,B,4\n", "row 3: A to B is already in row 2"),
        ("from,to,minutes\nA,B\n", "row 2: '' in column minutes"),
    ],
)
def test_a_faulty_row_is_named_with_its_remedy(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_links(_file(tmp_path, text), ["A", "B"])


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


def test_links_of_other_areas_and_impossible_speeds_are_refused(areas):
    with pytest.raises(InputError, match="'XX'"):
        Travel.between(areas, "region", uploaded=[Link("AL-11", "XX", 3.0)])
    with pytest.raises(InputError, match="detour"):
        Speed(0.9)
    with pytest.raises(InputError, match="speed"):
        Speed(1.3, 0.0)
