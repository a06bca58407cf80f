"""Areas with shapes: one coverage, nested levels, and one answer for each point."""

import gzip
import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from data.errors import AreaError
from data.reference import area_table
from geo import areas as module
from geo.areas import LEVELS, load_areas, read_areas, read_cells
from geo.places import Places
from tests.helpers.nonempty import nonempty

AREAS = load_areas()
TABLE = area_table()
WITHOUT_CELL = {
    "9122",  # Meganisi, no place in the file
    "9170",  # Irakleio (Attica), no place in the file
    "9207", "9260", "9265", "9274", "9277", "9295",  # islands without a shape
    "9249",  # Elafonisos, whose island has no shape either
}  # fmt: skip


def shapes(level):
    return AREAS.frame(level).geometry.dropna()


@pytest.mark.parametrize(("level", "count"), [("country", 2), ("region", 26), ("municipality", 386)])
def test_a_frame_has_every_counted_area_in_the_tables_order(level, count):
    frame = AREAS.frame(level)
    expected = TABLE.index[(TABLE["level"] == level) & TABLE["counted"]]
    assert frame.index.tolist() == expected.tolist()
    assert len(frame) == count
    assert frame.crs == "EPSG:4326"
    assert frame.index.name == "code"


@pytest.mark.parametrize("level", LEVELS)
def test_the_shapes_of_a_level_are_a_valid_coverage(level):
    polygons = shapes(level).to_numpy()
    assert shapely.is_valid(polygons).all()
    assert shapely.coverage_is_valid(polygons)


def test_the_shipped_cells_stay_a_coverage_when_simplified():
    cells = read_cells().geometry.to_numpy()
    assert shapely.coverage_is_valid(cells)
    for tolerance in (0.002, 0.01):
        assert shapely.coverage_is_valid(shapely.coverage_simplify(cells, tolerance))


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("country", "file", "column", "least"),
    [
        ("AL", "albania_municipalities_61.geojson", "bashkia", 0.84),
        ("GR", "greece_municipalities_326.geojson", "code", 0.79),
    ],
)
def test_most_of_the_land_falls_in_the_right_approximate_cell(country, file, column, least, reference_folder):
    true, places = gpd.read_file(reference_folder / file).to_crs(3035), Places(TABLE)
    codes = [places.resolve(text, country).code for text in true[column].fillna("")]
    cells = shapes("municipality").to_crs(3035).reindex(codes)
    shared = shapely.intersection(true.geometry.make_valid().to_numpy(), cells.to_numpy())
    assert np.nansum(shapely.area(shared)) / true.area.sum() > least


def test_areas_without_a_cell_are_listed_and_never_invented():
    assert set(AREAS.missing("municipality")) == WITHOUT_CELL
    assert AREAS.missing("region") == []
    assert AREAS.missing("country") == []
    frame = AREAS.frame("municipality")
    assert frame.loc[sorted(WITHOUT_CELL), "km2"].isna().all()
    assert AREAS.frame("region").geometry["GR-69"].area > 0


@pytest.mark.parametrize(("level", "outer"), [("municipality", "region"), ("region", "country")])
def test_levels_nest(level, outer):
    inner, frame = AREAS.frame(level), AREAS.frame(outer)
    for code, group in nonempty(inner.groupby("parent")):
        union = shapely.union_all(group.geometry.dropna().to_numpy())
        assert shapely.area(shapely.symmetric_difference(union, frame.geometry[code])) < 1e-12


def test_square_kilometres_are_measured_on_an_equal_area_map():
    # National figures: 28,748 and 131,957 square kilometres.
    country = AREAS.frame("country")["km2"]
    assert country["AL"] == pytest.approx(28_748, rel=0.02)
    assert country["GR"] == pytest.approx(131_957, rel=0.02)
    frame = AREAS.frame("municipality")
    assert frame["km2"].sum() + AREAS.frame("region")["km2"]["GR-69"] == pytest.approx(country.sum(), rel=1e-6)


def test_approximate_boundaries_say_so():
    for level in LEVELS:
        assert AREAS.approximate(level)
        assert AREAS.frame(level)["approximate"].loc[shapes(level).index].all()
    assert "Approximate boundaries" in AREAS.source
    assert "GeoNames" in AREAS.source
    assert "Natural Earth" in AREAS.source


def test_neighbours_share_a_border_and_come_once():
    pairs = AREAS.neighbours("municipality")
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)
    polygons = shapes("municipality")
    for first, second in pairs:
        assert polygons[first].boundary.intersection(polygons[second].boundary).length > 0


def test_known_neighbours():
    regions = set(AREAS.neighbours("region"))
    assert ("AL-02", "AL-11") in regions  # Durrës and Tirana
    assert ("GR-69", "GR-B") in regions  # Mount Athos and Central Macedonia
    assert ("AL-05", "GR-D") in regions  # across the border
    assert ("GR-L", "GR-M") not in regions  # across the sea
    assert AREAS.neighbours("country") == [("AL", "GR")]
    municipalities = set(AREAS.neighbours("municipality"))
    assert ("10944417", "10944420") in municipalities  # Kamëz and Tirana


def test_meeting_in_a_point_is_no_border():
    squares = [shapely.box(20, 40, 21, 41), shapely.box(21, 41, 22, 42), shapely.box(21, 40, 22, 41)]
    frame = gpd.GeoDataFrame(index=["a", "b", "c"], geometry=squares, crs="EPSG:4326")
    assert module._pairs(frame) == [("a", "c"), ("b", "c")]


def test_parts_are_islands_and_the_mainland():
    parts = AREAS.parts("region")
    assert sorted(len(part) for part in parts) == [1, 1, 1, 1, 22]
    assert ["GR-M"] in parts
    assert len(parts[0]) == 22
    municipalities = AREAS.parts("municipality")
    assert sorted(code for part in municipalities for code in part) == sorted(AREAS.frame("municipality").index)
    assert all([code] in municipalities for code in WITHOUT_CELL)


@pytest.mark.parametrize(
    ("lat", "lon", "codes"),
    [
        (41.3275, 19.8187, ["AL", "AL-11", "10944420"]),  # Tirana
        (41.3246, 19.4565, ["AL", "AL-02", "10944377"]),  # Durrës
        (40.6360, 22.9300, ["GR", "GR-B", "9031"]),  # Thessaloniki
        (40.2572, 24.2450, ["GR", "GR-69", None]),  # Karyes
        (36.0, 21.0, [None, None, None]),  # the sea
        (41.9981, 21.4254, [None, None, None]),  # Skopje
    ],
)
def test_a_click_finds_its_area(lat, lon, codes):
    assert [AREAS.locate(lat, lon, level) for level in LEVELS] == codes


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_place_that_is_none_is_in_no_area(bad):
    assert AREAS.locate(bad, 20.0, "region") is None
    assert AREAS.locate(40.0, bad, "region") is None


def test_a_level_that_is_none_is_named():
    with pytest.raises(AreaError, match=r"district.*country, region, municipality"):
        AREAS.frame("district")


VERTICES = shapely.get_coordinates(shapes("municipality").to_numpy())


@st.composite
def places_near_borders(draw):
    lon, lat = VERTICES[draw(st.integers(0, len(VERTICES) - 1))]
    step = st.sampled_from([0.0, 5e-324, 1e-15, -1e-15, 1e-12, -1e-9, 1e-6, -1e-3])
    return float(lat) + draw(step), float(lon) + draw(step)


anywhere = st.tuples(st.floats(34.5, 43.0), st.floats(19.0, 28.5))


@given(st.one_of(anywhere, places_near_borders()))
@example((41.3275, 19.8187))
def test_a_point_is_in_one_area_or_none_and_levels_nest(place):
    lat, lon = place
    country, region, municipality = (AREAS.locate(lat, lon, level) for level in LEVELS)
    assert (country is None) == (region is None)
    if region is not None:
        assert TABLE.loc[region, "parent"] == country
    if municipality is not None:
        assert TABLE.loc[municipality, "parent"] == region
    elif region is not None:
        assert region == "GR-69"


@pytest.mark.slow
@given(anywhere)
def test_no_other_area_holds_the_inside_of_the_one_found(place):
    lat, lon = place
    point = shapely.Point(lon, lat)
    for level in LEVELS:
        polygons = shapes(level)
        inside = polygons.index[shapely.contains_properly(polygons.to_numpy(), point)].tolist()
        assert len(inside) <= 1
        if inside:
            assert AREAS.locate(lat, lon, level) == inside[0]


def test_a_point_on_a_border_belongs_to_the_first_in_the_table():
    polygons = shapes("municipality")
    for first, second in nonempty(AREAS.neighbours("municipality")[::40]):
        common = polygons[first].boundary.intersection(polygons[second].boundary)
        lon, lat = shapely.get_coordinates(common)[0]
        touching = polygons.index[shapely.intersects(polygons.to_numpy(), shapely.Point(lon, lat))]
        assert AREAS.locate(lat, lon, "municipality") == touching[0]


@pytest.mark.parametrize("level", LEVELS)
def test_centres_lie_inside(level):
    polygons, centres = shapes(level), AREAS.centres(level)
    assert centres.index.equals(polygons.index)
    points = shapely.points(centres[["lon", "lat"]].to_numpy())
    assert shapely.contains(polygons.to_numpy(), points).all()


@pytest.mark.parametrize("level", LEVELS)
def test_the_map_gets_small_shapes_that_meet(level):
    document = AREAS.map_geometry(level)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    assert len(gzip.compress(text.encode())) < 62_000
    drawn = shapely.from_geojson([json.dumps(f["geometry"]) for f in document["features"]])
    assert shapely.is_valid(drawn).all()
    assert shapely.coverage_is_valid(drawn)
    assert document["codes"] == [f["properties"]["code"] for f in document["features"]]
    assert document["codes"] == shapes(level).index.tolist()
    assert document["missing"] == AREAS.missing(level)
    assert document["approximate"] is True
    assert np.array_equal(shapely.get_coordinates(drawn), shapely.get_coordinates(drawn).round(4))


def test_borders_of_all_levels_match_on_the_map():
    def union(level):
        features = AREAS.map_geometry(level)["features"]
        return shapely.union_all(shapely.from_geojson([json.dumps(f["geometry"]) for f in features]))

    rest = shapely.from_geojson(json.dumps(AREAS.map_geometry("municipality")["rest"]))
    assert union("region").equals(union("country"))
    assert union("municipality").union(rest).equals(union("country"))
    assert AREAS.map_geometry("region")["rest"] is None


def test_the_countries_come_with_their_outlines():
    document = AREAS.map_geometry("country")
    borders = shapely.from_geojson(json.dumps(document["borders"]))
    drawn = shapely.from_geojson([json.dumps(f["geometry"]) for f in document["features"]])
    assert shapely.union_all(shapely.boundary(drawn)).equals(borders)


def test_properties_say_where_an_area_belongs():
    features = AREAS.map_geometry("municipality")["features"]
    tirana = next(f for f in features if f["properties"]["code"] == "10944420")["properties"]
    assert {k: tirana[k] for k in ("name", "country", "region")} == {
        "name": "Tirana", "country": "AL", "region": "AL-11",
    }  # fmt: skip
    assert 19 < tirana["centre"][0] < 21


@pytest.mark.slow
def test_a_release_keeps_the_areas_whole(tmp_path):
    path = tmp_path / "areas.parquet"
    AREAS.write(path)
    again = read_areas(path)
    assert again.table.equals(AREAS.table)
    assert again.source == AREAS.source
    for level in LEVELS:
        assert again.frame(level).equals(AREAS.frame(level))
        assert again.map_geometry(level) == AREAS.map_geometry(level)
        assert again.neighbours(level) == AREAS.neighbours(level)
    assert gpd.read_parquet(path).crs == "EPSG:4326"


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
def test_areas_that_cannot_be_read_say_what_to_do(tmp_path, content):
    path = tmp_path / "areas.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AreaError, match="cannot be read"):
        read_areas(path)


def test_areas_without_codes_say_what_to_do(tmp_path):
    path = tmp_path / "areas.parquet"
    gpd.GeoDataFrame({"name": ["Durrës"]}, geometry=[shapely.Point(19.4, 41.3)], crs="EPSG:4326").to_parquet(path)
    with pytest.raises(AreaError, match="cannot be read"):
        read_areas(path)


def test_a_damaged_import_says_what_to_do(tmp_path):
    (tmp_path / module.BOUNDARIES).write_bytes(b"not parquet")
    with pytest.raises(AreaError, match="tact areas import"):
        load_areas(tmp_path)


def test_a_workspace_without_imports_has_the_shipped_areas(tmp_path):
    assert load_areas(tmp_path) is load_areas()


def test_a_frame_is_the_callers_own():
    AREAS.frame("region")["name_en"] = "changed"
    assert AREAS.frame("region").loc["GR-I", "name_en"] == "Attica"


def test_the_base_map_lies_around_and_has_names():
    path = module.FOLDER / "land.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    land = shapely.from_geojson([json.dumps(f["geometry"]) for f in features])
    assert shapely.is_valid(land).all()
    assert (shapely.get_type_id(land) == 6).all()
    named = {f["properties"]["name"]: f for f in features if f["properties"]}
    around = {"North Macedonia", "Türkiye", "Italy", "Bulgaria", "Kosovo", "Montenegro", "Serbia"}
    assert around <= set(named)
    assert not {"Albania", "Greece"} & set(named)
    for feature, shape in zip(features, land, strict=True):
        if feature["properties"]:
            assert {"name", "name_sq", "name_el", "label"} == set(feature["properties"])
            assert shape.contains(shapely.Point(feature["properties"]["label"]))
    athos = shapely.Point(24.245, 40.2572)
    assert shapely.contains(land, athos).any()
