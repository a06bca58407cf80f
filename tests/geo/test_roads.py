"""Times along the roads and ferries of a map file: exact on a small one, and clear errors for a bad one."""

import sys

import numpy as np
import pytest

from data.errors import FileRefused, InputError
from geo import areas as geography
from geo.roads import BOARDING, OF_LIMIT, SPEEDS, _read_duration, read_roads
from geo.travel import compute_distances, locate_places
from tests.helpers.map_files import write_map


@pytest.fixture(scope="module")
def areas():
    return geography.load_areas()


@pytest.fixture(scope="module")
def towns(areas):
    codes, points = locate_places(areas)
    return dict(zip(codes, points, strict=True))


def test_the_fastest_way_takes_limits_classes_and_ferries(tmp_path, areas, towns):
    by_name = {areas.table["name_en"][code]: code for code in towns}
    corfu, igoumenitsa, ioannina = (by_name[name] for name in ("Corfu", "Igoumenitsa", "Ioannina"))
    a, b, c = (towns[code] for code in (ioannina, igoumenitsa, corfu))
    island = c + np.array([0.02, 0.0])
    roads = [
        (a, b, {"highway": "primary", "maxspeed": "80"}),
        (c, island, {"highway": "secondary"}),
        (a, b + 0.001, {"highway": "footway"}),
    ]
    ferry = [(b, island, {"route": "ferry", "duration": "01:30"})]
    times = read_roads(write_map(tmp_path / "small.osm.pbf", roads, ferry), areas, "2026-11-30")
    place = times.codes.index
    drive = 60.0 * compute_distances(a, b) / (80.0 * OF_LIMIT)
    street = 60.0 * compute_distances(c, island) / SPEEDS["secondary"]
    assert times.minutes[place(ioannina), place(igoumenitsa)] == pytest.approx(drive, rel=0.001)
    assert times.minutes[place(ioannina), place(corfu)] == pytest.approx(drive + 90 + BOARDING + street, rel=0.001)
    assert times.minutes[place(corfu), place(ioannina)] == pytest.approx(drive + 90 + BOARDING + street, rel=0.001)
    assert np.isnan(times.minutes[place(ioannina), place("10944420")]), "Tirana lies outside the file"
    assert (times.source, times.day) == ("small.osm.pbf", "2026-11-30")


def test_a_way_in_one_direction_is_closed_in_the_other(tmp_path, areas, towns):
    start, end = towns["10944420"], towns["10944377"]
    both = [(town, town + np.array([0.0, 0.01]), {"highway": "residential"}) for town in (start, end)]
    path = write_map(tmp_path / "one.osm.pbf", [*both, (start, end, {"highway": "primary", "oneway": "yes"})])
    times = read_roads(path, areas, "")
    there = times.minutes[times.codes.index("10944420"), times.codes.index("10944377")]
    assert there == pytest.approx(60.0 * compute_distances(start, end) / SPEEDS["primary"], rel=0.001)
    assert np.isnan(times.minutes[times.codes.index("10944377"), times.codes.index("10944420")])


@pytest.mark.parametrize(
    ("text", "minutes"), [("90", 90), ("01:30", 90), ("26:00:00", 1560), ("PT1H30M", 90), ("soon", 0), ("", 0)]
)
def test_durations_are_read_as_openstreetmap_writes_them(text, minutes):
    assert _read_duration(text) == minutes


def test_a_bad_file_is_refused_with_a_remedy(tmp_path, areas):
    with pytest.raises(FileRefused, match="There is no file"):
        read_roads(tmp_path / "none.osm.pbf", areas, "")
    bad = tmp_path / "bad.osm.pbf"
    bad.write_bytes(b"no map at all" * 50)
    with pytest.raises(FileRefused, match=r"not a whole map file.*Download an extract"):
        read_roads(bad, areas, "")
    roads = [((19.8, 41.3), (19.9, 41.4), {"highway": "primary"})]
    whole = write_map(tmp_path / "whole.osm.pbf", roads).read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileRefused, match="not a whole map file"):
        read_roads(bad, areas, "")
    with pytest.raises(FileRefused, match="holds no roads"):
        read_roads(write_map(tmp_path / "empty.osm.pbf", [(*roads[0][:2], {"highway": "path"})]), areas, "")
    finland = [((24.9, 60.1), (25.0, 60.2), {"highway": "primary"})]
    with pytest.raises(InputError, match="none near a town of Albania or Greece"):
        read_roads(write_map(tmp_path / "finland.osm.pbf", finland), areas, "")


def test_without_osmium_the_message_names_the_command(tmp_path, areas, monkeypatch):
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(InputError, match=r"pip install 'tact-map\[osm\]'"):
        read_roads(tmp_path / "any.osm.pbf", areas, "")
