"""`tact travel`: the times of a map file are kept for the risk model, until they are removed."""

from geo import areas as geography
from geo.travel import locate_places
from risk.access.tables import read_roads
from tests.helpers.map_files import write_map


def test_times_of_a_map_file_are_kept_until_they_are_removed(tact, tmp_path):
    folder = tmp_path / "workspace"
    assert tact("--workspace", folder, "init").code == 0
    places = dict(zip(*locate_places(geography.load_areas()), strict=True))
    road = (places["10944420"], places["10944377"], {"highway": "primary"})
    path = write_map(tmp_path / "small.osm.pbf", [road])
    assert "Times between 3 of" in tact("--workspace", folder, "travel", "--osm", path).out
    roads = read_roads(folder / "derived")
    assert roads.source == "small.osm.pbf"
    assert tact("--workspace", folder, "travel", "--remove").code == 0
    assert read_roads(folder / "derived") is None
    assert tact("--workspace", folder, "travel").code != 0
