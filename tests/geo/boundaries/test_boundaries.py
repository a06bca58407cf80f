"""Importing official boundaries: real files, refused files, and no import that is only half done."""

import itertools
import json
import shutil
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from anyascii import anyascii
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import AreaError
from data.reference import area_table, list_predecessors
from geo import areas, boundaries
from geo.boundaries import UNNAMED, Split, import_boundaries
from tests.helpers.boundary_files import write_boundary_files
from tests.helpers.repetitions import vary

TABLE = area_table()

ELOT = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        ["a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s",
         "s", "t", "y", "f", "ch", "ps", "o"],
        strict=True,
    )
)  # fmt: skip


def elot(text):
    """Return Greek text in Latin letters by the standard ELOT 743."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("ου", "ou")
    return "".join(ELOT.get(c, c) for c in bare).title()


def take(path, workspace, in_use=(), **options):
    return import_boundaries(path, TABLE, set(in_use), workspace, **options)


def shipped(level="municipality"):
    return areas.load_areas().frame(level)


def cells_of(country, **columns):
    """Return the product's cells of a country as rows of a file: name, code, geometry."""
    frame = shipped()
    frame = frame[(frame["country"] == country) & frame.geometry.notna()]
    rows = gpd.GeoDataFrame({"name": frame["name_local"]}, geometry=frame.geometry)
    return rows.assign(code=frame.index.astype("str"), **columns).reset_index(drop=True)


def save(frame, path):
    frame.to_file(path)
    return path


@pytest.fixture
def albania(tmp_path):
    return save(cells_of("AL"), tmp_path / "albania.gpkg")


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Return a folder into which the cells of Albania were imported, and the report; tests never change it."""
    folder = tmp_path_factory.mktemp("imported")
    return folder / "areas", take(save(cells_of("AL"), folder / "albania.gpkg"), folder / "areas")


def by_bare_name():
    """Return the code of each Albanian municipality by its name without accents; two are typed in."""
    municipalities = TABLE[(TABLE["country"] == "AL") & (TABLE["level"] == "municipality")]
    bare = {anyascii(name).lower().replace("-", " "): code for code, name in municipalities["name_local"].items()}
    return bare | {"fushe arrez": "10944412", "ura vajgurore": "10944372"}


BY_BARE_NAME = by_bare_name()


# ---- files as publishers give them away ----------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """The boundary files of both countries: made from the product's cells, or real ones."""

    albania: Path
    greece: Path


@pytest.fixture(scope="module", params=["made", pytest.param("real", marks=pytest.mark.conformance)])
def files(request, tmp_path_factory):
    if request.param == "made":
        return Published(*write_boundary_files(tmp_path_factory.mktemp("files")))
    folder = request.getfixturevalue("reference_folder")
    return Published(folder / "albania_municipalities_61.geojson", folder / "greece_municipalities_326.geojson")


@pytest.fixture(scope="module")
def taken(files, tmp_path_factory):
    """Return a folder into which the file of Albania was imported, and the report; tests never change it."""
    folder = tmp_path_factory.mktemp("taken")
    return folder, take(files.albania, folder)


def albania_rows(files, rename=str):
    """Return the rows of Albania with their true code, for comparison."""
    frame = gpd.read_file(files.albania)
    frame["true"] = frame["bashkia"].map(lambda name: BY_BARE_NAME[name.lower().replace("-", " ")])
    frame["name"] = frame["bashkia"].map(rename) if callable(rename) else TABLE.loc[frame["true"], rename].array
    return frame[["name", "true", "geometry"]]


def greece_rows(files, rename=str):
    frame = gpd.read_file(files.greece)
    frame["true"] = frame["code"].replace("null", "GR-69").fillna("GR-69")
    frame["name"] = frame["name"].map(rename, na_action="ignore")
    return frame


GREEK_CODES = {"names only": str, "Latin": anyascii, "ELOT 743": elot, "capitals": str.upper}


@pytest.mark.slow
@vary("way", ["codes and names", *GREEK_CODES], "codes and names", "ELOT 743")
def test_the_municipalities_of_greece_are_matched(way, files, tmp_path):
    rows = greece_rows(files, GREEK_CODES.get(way, str))
    columns = ["code", "name"] if way == "codes and names" else ["name"]
    path = save(rows[[*columns, "geometry"]], tmp_path / "greece.gpkg")
    report = take(path, tmp_path / "areas")
    assert len(report.matched) >= 320
    assert len(report.matched) + len(report.unmatched) == 326
    assert {"9170", "9305"} <= set(report.matched), "a name that stands twice is settled by position"
    assert_none_wrong(rows, tmp_path / "areas", report)


def assert_none_wrong(rows, workspace, report):
    """Check that each area's new shape is that of its true row, except for slivers."""
    now = areas.load_areas(workspace).frame("municipality").geometry
    regions = areas.load_areas(workspace).frame("region").geometry
    true = rows.set_index("true").geometry
    for code in report.matched:
        shape = regions[code] if code in regions.index else now[code]
        common = shape.intersection(true[code].buffer(0)).area
        assert common > 0.8 * max(shape.area, true[code].area), code


@pytest.mark.always("made-str")
@pytest.mark.slow
@pytest.mark.parametrize("rename", [str, str.upper, "name_local", "name_en"])
def test_the_municipalities_of_albania_are_matched(rename, files, tmp_path):
    rows = albania_rows(files, rename)
    report = take(save(rows[["name", "geometry"]], tmp_path / "albania.geojson"), tmp_path / "areas")
    assert len(report.matched) >= 60
    assert rows["true"].is_unique
    assert_none_wrong(rows, tmp_path / "areas", report)


@pytest.mark.slow
def test_both_countries_become_one_coverage_with_neighbours_across_the_border(files, taken, tmp_path):
    folder = shutil.copytree(taken[0], tmp_path / "areas")
    take(files.greece, folder)
    now = areas.load_areas(folder)
    assert now.missing("municipality") == []
    assert not now.approximate("municipality")
    assert now.source.startswith(UNNAMED)
    cells = areas.read_cells(folder / areas.BOUNDARIES).geometry.to_numpy()
    assert shapely.coverage_is_valid(cells)
    assert shapely.coverage_is_valid(shapely.coverage_simplify(cells, 0.01))
    assert ("10944425", "9079") in now.neighbours("municipality")  # Konispol and Filiates
    assert len(now.parts("country")) == 1


@pytest.mark.slow
def test_one_country_alone_still_meets_the_approximate_other(taken):
    folder, report = taken
    now = areas.load_areas(folder)
    frame = now.frame("municipality")
    assert not frame.loc[frame["country"] == "AL", "approximate"].any()
    assert frame.loc[(frame["country"] == "GR") & frame.geometry.notna(), "approximate"].all()
    assert now.approximate("municipality")
    assert now.approximate("country")
    assert ("AL", "GR") in now.neighbours("country")
    assert shapely.coverage_is_valid(frame.geometry.dropna().to_numpy())
    assert set(now.missing("municipality")) == set(areas.load_areas().missing("municipality"))
    assert report.unchanged == ()
    assert report.missing == ()


@pytest.mark.long
def test_importing_again_gives_the_same(files, tmp_path):
    take(files.albania, tmp_path)
    once = (tmp_path / areas.BOUNDARIES).read_bytes()
    take(files.albania, tmp_path)
    assert (tmp_path / areas.BOUNDARIES).read_bytes() == once


def in_parts(shape, count):
    """Return a shape cut into parts of about equal height, from north to south."""
    west, south, east, north = shape.bounds
    edges = [north - (north - south) * k / count for k in range(count + 1)]
    return [shape.intersection(shapely.box(west, low, east, high)) for high, low in itertools.pairwise(edges)]


@pytest.mark.always("made-name_local")
@pytest.mark.slow
@pytest.mark.parametrize("column", ["name_local", "name_en"])
def test_a_file_of_the_332_since_2019_imports_with_the_split_ones_reported(column, files, tmp_path):
    rows = greece_rows(files)
    rows = rows[rows["true"] != "GR-69"]
    parts = [rows[~rows["true"].isin(set(list_predecessors(TABLE).values()))][["name", "true", "geometry"]]]
    if column == "name_en":
        parts[0] = parts[0].assign(name=TABLE.loc[parts[0]["true"], "name_en"].to_numpy())
    older = list_predecessors(TABLE)
    for code in sorted(set(older.values())):
        new = [part for part in older if older[part] == code]
        shapes = in_parts(rows.set_index("true").geometry[code], len(new))
        named = {"name": TABLE.loc[new, column].to_numpy(), "true": code}
        parts.append(gpd.GeoDataFrame(named, geometry=shapes, crs=rows.crs))
    whole = pd.concat(parts, ignore_index=True)
    assert len(whole) == 332
    report = take(save(whole[["name", "geometry"]], tmp_path / "332.gpkg"), tmp_path / "areas")
    assert {split.code for split in report.split} == {"9069", "9118", "9120", "9261", "9264"}
    assert Split("9261", ("9261-1", "9261-2")) in report.split
    assert len(report.matched) >= 320
    assert_none_wrong(whole.dissolve("true").reset_index(), tmp_path / "areas", report)


@pytest.mark.slow
@vary("crs", ["EPSG:2100", "EPSG:32634", "EPSG:3035", "EPSG:3857"], "EPSG:2100")
def test_any_crs_gives_the_same_areas(crs, files, taken, tmp_path):
    rows = albania_rows(files)[["name", "geometry"]]
    report = take(save(rows.to_crs(crs), tmp_path / "albania.gpkg"), tmp_path / "there")
    assert len(report.matched) == 61
    expected = areas.load_areas(taken[0]).frame("municipality")["km2"]
    other = areas.load_areas(tmp_path / "there").frame("municipality")["km2"]
    assert expected.dropna().to_numpy() == pytest.approx(other.dropna().to_numpy(), rel=1e-3)


# ---- kinds of file -------------------------------------------------------------------------------


@pytest.mark.long
def test_a_shapefile_and_its_zip_are_read(tmp_path):
    rows = cells_of("AL")
    save(rows, tmp_path / "albania.shp")
    assert len(take(tmp_path / "albania.shp", tmp_path / "one").matched) == 61
    with zipfile.ZipFile(tmp_path / "albania.zip", "w") as archive:
        for part in tmp_path.glob("albania.*"):
            if part.suffix != ".zip":
                archive.write(part, f"inside/{part.name}")
    assert len(take(tmp_path / "albania.zip", tmp_path / "two").matched) == 61


@pytest.mark.slow
@vary(
    "name, kind",
    itertools.product(
        ["new!old", "a;b=c", "50 % [1] {x}?"], ["albania.gpkg", "albania.geojson", "albania.shp", "albania.zip"]
    ),
    ("new!old", "albania.zip"),
)
def test_any_name_of_a_folder_will_do(tmp_path, name, kind):
    plain, odd = tmp_path / "made", tmp_path / name
    plain.mkdir()
    save(cells_of("AL"), plain / kind.replace(".zip", ".shp"))
    if kind.endswith(".zip"):
        with zipfile.ZipFile(plain / kind, "w") as archive:
            for part in ("shp", "shx", "dbf", "prj"):
                archive.write(plain / f"albania.{part}", f"albania.{part}")
    plain.rename(odd)
    assert len(take(odd / kind, tmp_path / "areas").matched) == 61


@pytest.mark.slow
def test_islands_as_rows_of_their_own_are_united(tmp_path):
    rows = cells_of("GR").explode(ignore_index=True)
    assert len(rows) > len(cells_of("GR"))
    report = take(save(rows, tmp_path / "parts.gpkg"), tmp_path / "areas")
    assert len(report.matched) == len(cells_of("GR"))


@pytest.mark.slow
def test_columns_may_be_given(tmp_path):
    rows = cells_of("AL").rename(columns={"code": "x", "name": "y"})
    path = save(rows, tmp_path / "albania.gpkg")
    report = take(path, tmp_path / "areas", code_column="x", name_column="y")
    assert (report.columns.code, report.columns.names) == ("x", ("y",))
    with pytest.raises(AreaError, match=r"no column 'z'.*y, x"):
        take(path, tmp_path / "areas", code_column="z")


def test_a_country_that_is_none_is_named(albania, tmp_path):
    with pytest.raises(AreaError, match=r"'IT'.*AL, GR"):
        take(albania, tmp_path, country="IT")


# ---- what is left out, and why -------------------------------------------------------------------


@pytest.mark.slow
def test_rows_that_do_not_match_say_why(tmp_path):
    rows = cells_of("AL")
    rows.loc[0, ["name", "code"]] = ["Springfield", ""]
    rows.loc[1, ["name", "code"]] = ["", ""]
    rows.loc[2, "geometry"] = shapely.Point(20, 41)
    rows.loc[3, "name"] = "Tiranë"  # beside the code of Skrapar
    rows.loc[4, ["name", "code"]] = ["Ξάνθης", ""]  # lies in Berat
    report = take(save(rows, tmp_path / "albania.gpkg"), tmp_path / "areas")
    reasons = {row.row: row.reason for row in report.unmatched}
    assert sorted(reasons) == [1, 2, 3, 4, 5]
    assert "'Springfield' is not a known area" in reasons[1]
    assert "neither a code nor a name" in reasons[2]
    assert "no area" in reasons[3]
    assert "different areas" in reasons[4]
    assert "Xanthi" in reasons[5]
    assert "the row lies in Berat" in reasons[5]
    assert len(report.matched) == 56


@pytest.mark.slow
def test_what_the_file_lacks_keeps_what_it_had(tmp_path):
    rows = cells_of("AL")
    report = take(save(rows[rows["code"] != "10944420"], tmp_path / "a.gpkg"), tmp_path / "areas")
    assert report.unchanged == ("10944420",)
    frame = areas.load_areas(tmp_path / "areas").frame("municipality")
    assert frame.loc["10944420", "approximate"]
    assert not frame.loc["10944421", "approximate"]
    assert frame.geometry["10944420"].equals(shipped().geometry["10944420"])


@pytest.mark.slow
def test_a_part_without_its_other_part_is_left_out(tmp_path):
    rows = cells_of("GR")
    rows.loc[rows["code"] == "9261", ["name", "code"]] = ["Μυτιλήνης", ""]
    report = take(save(rows, tmp_path / "greece.gpkg"), tmp_path / "areas")
    assert [row.name for row in report.unmatched] == ["Mytilene, North Aegean (9261-1)"]
    assert "the file lacks Western Lesvos" in report.unmatched[0].reason
    assert "9261" in report.unchanged


@pytest.mark.slow
def test_small_cracks_and_overlaps_are_closed(tmp_path):
    rows = cells_of("AL")
    grown = rows.to_crs(3035)
    odd = grown.index % 2 == 1
    grown.loc[odd, "geometry"] = grown.geometry[odd].buffer(80)
    grown.loc[~odd, "geometry"] = grown.geometry[~odd].buffer(-60)
    report = take(save(grown, tmp_path / "cracked.gpkg"), tmp_path / "areas")
    assert len(report.matched) == 61
    frame = areas.load_areas(tmp_path / "areas").frame("municipality")
    official = frame[~frame["approximate"] & frame.geometry.notna()].geometry.to_numpy()
    assert shapely.coverage_is_valid(official)
    inside = shapely.union_all(official)
    assert all(len(part.interiors) == 0 for part in shapely.get_parts(inside))


# ---- what is refused -----------------------------------------------------------------------------


def write(path, content):
    path.write_bytes(content)
    return path


def without_crs(folder):
    save(cells_of("AL"), folder / "bare.shp")
    (folder / "bare.prj").unlink()
    return folder / "bare.shp"


def without_dbf(folder):
    save(cells_of("AL"), folder / "part.shp")
    (folder / "part.dbf").unlink()
    return folder / "part.shp"


def without_names(folder):
    return save(cells_of("AL")[["geometry"]], folder / "shapes.gpkg")


def unknown_names(folder):
    rows = cells_of("AL")[["geometry"]]
    return save(rows.assign(name=[f"Place {n}" for n in rows.index]), folder / "unknown.gpkg")


def truncated(folder, suffix):
    path = save(cells_of("AL"), folder / f"whole{suffix}")
    return write(folder / f"cut{suffix}", path.read_bytes()[: path.stat().st_size // 2])


def elsewhere(folder):
    rows = cells_of("AL").set_crs("EPSG:3857", allow_override=True)
    return save(rows, folder / "elsewhere.gpkg")


def two_layers(folder):
    cells_of("AL").to_file(folder / "two.gpkg", layer="one")
    cells_of("AL").to_file(folder / "two.gpkg", layer="two")
    return folder / "two.gpkg"


def two_shapefiles(folder):
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.shp", b"\x00\x00\x27\x0a")
        archive.writestr("b.shp", b"\x00\x00\x27\x0a")
    return folder / "two.zip"


def no_rows(folder):
    return write(folder / "none.geojson", b'{"type": "FeatureCollection", "features": []}')


BAD_FILES = {
    "missing": (lambda f: f / "nothing.gpkg", "There is no file"),
    "a folder": (lambda f: f, "There is no file"),
    "empty": (lambda f: write(f / "empty.gpkg", b""), "is empty. Export it again"),
    "no rows": (no_rows, "has no areas. Export"),
    "text": (lambda f: write(f / "notes.geojson", b"hello"), "cannot be read.*GeoPackage"),
    "a table": (lambda f: write(f / "a.csv", b"name,code\nTirana,1\n"), "cannot be read"),
    "a virtual file": (
        lambda f: write(f / "a.gpkg", b"<OGRVRTDataSource></OGRVRTDataSource>"), "cannot be read",
    ),
    "other JSON": (lambda f: write(f / "a.json", b'{"type": "Topology"}'), "not a GeoJSON"),
    "binary": (lambda f: write(f / "a.shp", bytes(range(256))), "cannot be read"),
    "cut GeoJSON": (lambda f: truncated(f, ".geojson"), "incomplete.*Export or copy it again"),
    "cut GeoPackage": (lambda f: truncated(f, ".gpkg"), "incomplete.*Export or copy it again"),
    "cut zip": (lambda f: write(f / "a.zip", b"PK\x03\x04 and no more"), "not a complete .zip"),
    "two in a zip": (two_shapefiles, "exactly one Shapefile; it contains 2"),
    "two layers": (two_layers, "several layers of areas: one, two. Save one alone"),
    "no CRS": (without_crs, "does not say in which coordinate reference system.*\\.prj"),
    "no table": (without_dbf, "\\.dbf of the same name must lie beside it"),
    "no names": (without_names, "No column has known codes or names.*--name-column"),
    "unknown names": (unknown_names, "No column has known codes or names.*--name-column"),
    "elsewhere": (elsewhere, "outside Albania and Greece.*set the right one"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_with_the_remedy(kind, tmp_path):
    make, message = BAD_FILES[kind]
    (tmp_path / "files").mkdir()
    path = make(tmp_path / "files")
    workspace = tmp_path / "areas"
    with pytest.raises(AreaError, match=f"(?s){message}"):
        take(path, workspace)
    assert not workspace.exists()


def test_overlapping_areas_are_refused_by_name(tmp_path):
    rows = cells_of("AL")
    tirana, kamez = (rows.index[rows["code"] == c][0] for c in ("10944420", "10944417"))
    rows.loc[kamez, "geometry"] = rows.geometry[kamez].union(rows.geometry[tirana].buffer(-0.05))
    with pytest.raises(AreaError, match=r"overlap: Kamëz, Tirana .* and Tirana, Tirana"):
        take(save(rows, tmp_path / "over.gpkg"), tmp_path / "areas")
    assert not (tmp_path / "areas").exists()


def test_a_municipality_beside_its_own_parts_is_refused(tmp_path):
    rows = cells_of("GR")
    lesvos = rows.geometry[rows.index[rows["code"] == "9261"][0]]
    parts = gpd.GeoDataFrame(
        {"name": ["Μυτιλήνης", "Δυτικής Λέσβου"], "code": ""},
        geometry=in_parts(lesvos, 2), crs=rows.crs,
    )  # fmt: skip
    path = save(pd.concat([rows, parts]), tmp_path / "both.gpkg")
    with pytest.raises(AreaError, match=r"overlap: .*9261"):
        take(path, tmp_path / "areas")


@pytest.mark.slow
def test_a_file_that_would_orphan_records_is_refused(imported, tmp_path):
    shutil.copytree(imported[0], tmp_path / "areas")
    before = (tmp_path / "areas" / areas.BOUNDARIES).read_bytes()
    rows = cells_of("AL")
    tirana, kamez = (rows.index[rows["code"] == c][0] for c in ("10944420", "10944417"))
    rows.loc[tirana, "geometry"] = rows.geometry[tirana].union(rows.geometry[kamez])
    path = save(rows.drop(index=kamez), tmp_path / "merged.gpkg")
    with pytest.raises(AreaError, match=r"There are records in areas.*Kamëz, Tirana \(10944417\)"):
        take(path, tmp_path / "areas", in_use=["10944417", "10944420"])
    assert (tmp_path / "areas" / areas.BOUNDARIES).read_bytes() == before
    # What records need may be in the file, under a name that is not known.
    other = rows.assign(code="")
    other.loc[kamez, ["name", "geometry"]] = ["Nowhere at all", rows.geometry[kamez].buffer(-0.01)]
    other.loc[tirana, "geometry"] = rows.geometry[tirana].difference(other.geometry[kamez])
    with pytest.raises(AreaError, match=r"not matched: row \d+, Nowhere at all: "):
        take(save(other, tmp_path / "misnamed.gpkg"), tmp_path / "areas", in_use=["10944417"])
    report = take(path, tmp_path / "areas", in_use=["10944420"])
    assert report.missing == ("10944417",)
    assert "10944417" in areas.load_areas(tmp_path / "areas").missing("municipality")


def test_records_in_an_area_that_never_had_a_shape_do_not_stand_in_the_way(tmp_path, albania):
    assert len(take(albania, tmp_path, in_use=["9205", "9122", "AL-11"]).matched) == 61


@pytest.mark.slow
def test_a_failing_write_leaves_the_old_boundaries(imported, tmp_path, albania, monkeypatch):
    folder = shutil.copytree(imported[0], tmp_path / "areas")
    before = (folder / areas.BOUNDARIES).read_bytes()

    def fail(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(gpd.GeoDataFrame, "to_parquet", fail)
    with pytest.raises(KeyboardInterrupt):
        take(albania, folder)
    assert [p.name for p in folder.iterdir() if p.suffix == ".part"] == []
    assert (folder / areas.BOUNDARIES).read_bytes() == before


@pytest.mark.slow
def test_a_credit_is_shown_as_plain_text_and_that_none_was_given(tmp_path):
    path = save(cells_of("AL").head(3), tmp_path / "plain.gpkg").rename(tmp_path / "a\u202eb.gpkg")
    take(path, tmp_path / "areas")
    assert UNNAMED in areas.load_areas(tmp_path / "areas").source
    take(path, tmp_path / "areas", credit="A\u202eB, 2009")
    assert "A B, 2009" in areas.load_areas(tmp_path / "areas").source


@pytest.mark.long
@settings(max_examples=5, deadline=None)
@given(st.lists(st.sampled_from(sorted(cells_of("AL")["code"])), min_size=1, max_size=30, unique=True))
def test_any_part_of_a_country_joins_the_rest(tmp_path_factory, codes):
    folder = tmp_path_factory.mktemp("part")
    rows = cells_of("AL")
    grown = rows[rows["code"].isin(codes)].to_crs(3035)
    grown["geometry"] = grown.geometry.simplify(400).buffer(0)
    report = take(save(grown, folder / "part.gpkg"), folder / "areas")
    assert set(report.matched) == set(codes)
    now = areas.load_areas(folder / "areas")
    frame = now.frame("municipality")
    assert shapely.coverage_is_valid(frame.geometry.dropna().to_numpy())
    assert set(frame.index[~frame["approximate"] & frame.geometry.notna()]) == set(codes)
    assert json.dumps(now.map_geometry("municipality"))


@pytest.mark.slow
def test_the_report_is_about_what_is_stored(imported):
    folder, report = imported
    stored = gpd.read_parquet(folder / boundaries.BOUNDARIES).set_index("code")
    assert set(stored.index[~stored["approximate"]]) == set(report.matched)
