"""Exported files: every format has layers, states, sources, codebook, tier and whether it is invented."""

import contextlib
import csv
import hashlib
import io
import json
import re
import shutil
import sqlite3
import zipfile
from unittest.mock import Mock
from xml.etree import ElementTree as ET

import frictionless
import geopandas as gpd
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from data.disclosure.attacks.surface import search
from data.errors import InputError
from data.tables.states import MEANINGS, STATES
from geo.export import FORMATS, export_layers, list_layers, pack_files, split_layers
from geo.layers import LAYERS, find_conflict, find_layer
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.small_release import FORMULA, HOSTILE, NAME

EVIL_FIGURE = ("AL-01", "2011-01-01/P1Y", "egyptian", 7.0, None, "=1+1", 2011, "read", HOSTILE)
ATTICA = "Official mapping of Roma living areas in Greece 2021"
FIER = "Census of Albania 2011"


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("partner"), "partner", more_figures=[EVIL_FIGURE])


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("public"), "public")


@pytest.fixture(scope="module")
def files(partner, tmp_path_factory):
    return export_layers(partner, tmp_path_factory.mktemp("files"), list(FORMATS))


def of_kind(files, suffix):
    return [path for path in files if path.suffix == suffix]


def named(files, ending):
    (match,) = [path for path in files if path.name.endswith(ending)]
    return match


# ---- all formats -----------------------------------------------------------------------------------


def test_names_carry_release_tier_and_whether_invented(files):
    for path in nonempty(files):
        assert path.name.startswith(f"tact-{NAME}-partner")
        published = re.search("population|referrals|roma_figures", path.name)
        assert ("invented" in path.name) != bool(published)


def test_layers_that_may_not_stand_together_get_files_of_their_own(files, partner, public):
    for release in (partner, public):
        for part in split_layers(release):
            assert not find_conflict(release.tier, [layer.id for layer in part])
    for path in nonempty(of_kind(files, ".gpkg")):
        layers = {n.rpartition("_")[0] for n, kind in pyogrio.list_layers(path) if kind}
        assert not find_conflict("partner", layers)


def test_what_may_stand_together_stays_in_one_file(partner, tmp_path):
    files = export_layers(partner, tmp_path, ["gpkg"], ["communities", "services", "encounters"])
    assert len(files) == 1


@pytest.mark.slow
def test_the_same_release_gives_the_same_files(partner, files, tmp_path):
    again = export_layers(partner, tmp_path, list(FORMATS))
    assert [p.name for p in again] == [p.name for p in files]
    for first, second in zip(files, again, strict=True):
        assert digest(first) == digest(second), first.name
    assert pack_files(files) == pack_files(reversed(files))


def digest(path):
    """Return a checksum of a file; for a GeoPackage its rows, because GDAL may order the pages differently."""
    return rows_of(path) if path.suffix == ".gpkg" else hashlib.sha256(path.read_bytes()).hexdigest()


def rows_of(path):
    with contextlib.closing(sqlite3.connect(path)) as file:
        tables = [n for (n,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {n: file.execute(f'SELECT * FROM "{n}"').fetchall() for n in tables if not n.startswith("rtree_")}


def test_progress_is_reported(partner, tmp_path):
    steps = []
    export_layers(partner, tmp_path, ["csv", "xlsx"], progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("formats", "layers"), [(["dwg"], None), ([], None), (["csv"], ["risks"])])
def test_what_there_is_not_is_named(partner, tmp_path, formats, layers):
    with pytest.raises(InputError, match="There are:"):
        export_layers(partner, tmp_path, formats, layers)


@pytest.mark.slow
def test_a_public_release_exports_what_it_holds_and_no_more(public, tmp_path):
    files = export_layers(public, tmp_path, ["gpkg", "csv"])
    layers = [name for path in of_kind(files, ".gpkg") for name, _ in pyogrio.list_layers(path)]
    assert [name for name in layers if "municipality" in name] == ["population_municipality"]
    encounters = pd.read_csv(named(files, "-encounters.csv"))
    assert set(encounters["tier"]) == {"public"}
    assert set(encounters["state"]) == {"number", "few"}
    assert encounters.loc[encounters["state"] == "few", "value"].isna().all()
    assert encounters["value"].min() >= 11


@pytest.mark.slow
def test_a_release_without_the_layer_says_so(public, tmp_path):
    bare = small_release.make(tmp_path / "bare", "public", tables={})
    assert len(export_layers(bare, tmp_path, ["csv"])) == 9
    with pytest.raises(InputError, match="has none of these layers"):
        export_layers(bare, tmp_path, ["csv"], ["encounters"])


# ---- GeoPackage ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packages(files):
    return of_kind(files, ".gpkg")


def table(packages, name):
    (path,) = [p for p in packages if name in set(pyogrio.list_layers(p)[:, 0])]
    return pyogrio.read_dataframe(path, layer=name)


def test_geopackages_hold_all_layers_and_levels(packages, partner):
    names = {n for p in packages for n, kind in pyogrio.list_layers(p) if kind == "MultiPolygon"}
    assert names == {f"{layer.id}_{level}" for layer in LAYERS for level in layer.levels(partner)}
    long = {n for p in packages for n, kind in pyogrio.list_layers(p) if kind is None}
    assert {f"{layer.id}_all" for layer in list_layers(partner)} < long


def test_each_geopackage_explains_itself(packages):
    for path in nonempty(packages):
        names = set(pyogrio.list_layers(path)[:, 0])
        assert {"codebook", "about", "sources", "layer_styles"} <= names
        about = pyogrio.read_dataframe(path, layer="about").set_index("key")["value"]
        assert about["tier"] == "partner"
        assert about["release"] == NAME
        assert about["data"] == "Invented data. Nothing here is about real children."
        assert about["boundaries"].startswith("Approximate boundaries")
        assert about["licence"]
        assert about["citation"]
        states = pyogrio.read_dataframe(path, layer="codebook").query("kind == 'state'")
        occurring = {
            state
            for name, kind in pyogrio.list_layers(path)
            if kind
            for state in pyogrio.read_dataframe(path, layer=name, read_geometry=False)["state"]
        }
        assert occurring <= set(states["value"]) < set(STATES)
        for state, meaning in zip(states["value"], states["meaning"], strict=True):
            assert meaning.endswith(MEANINGS[state])


def test_a_map_layer_has_numbers_states_and_the_choices_beside(packages):
    rows = table(packages, "encounters_region").set_index("code")
    assert (rows.loc["AL-02", "value"], rows.loc["AL-02", "margin"]) == (119, 5)
    assert rows.loc["AL-01", "state_words"] == "none or almost none"
    assert rows.loc["AL-02", "pathway_internal"] == 107
    assert rows.crs.to_epsg() == 4326
    assert rows.loc["GR-A", "name"] == HOSTILE


def test_an_area_without_a_shape_keeps_its_row(packages):
    rows = table(packages, "encounters_municipality").set_index("code")
    assert rows.loc["9999"].geometry is None
    assert rows.loc["9999", "name"] == "Piraeus"


def test_a_long_table_has_every_period_and_state(packages):
    rows = table(packages, "encounters_all")
    assert set(rows["state"]) == {"number", "almost_none", "not_searched"}
    assert {"2006-06-01/P3M", "2007-06-01/P1Y", "2006-06-01/2008-05-31"} <= set(rows["period"])
    assert {"all", "pathway-internal"} <= set(rows["of"])


def test_published_figures_in_the_geopackage(packages):
    rows = table(packages, "roma_figures_region").set_index("code")
    assert (rows.loc["AL-04", "value"], rows.loc["AL-04", "source"]) == (1640, FIER)
    assert rows.loc["AL-04", "year"] == 2011
    assert rows.loc["AL-01", "state_words"] == "no published figure"
    assert (rows.loc["GR-I", "national_share"], rows.loc["GR-I", "national_share__source"]) == (25, ATTICA)


def test_styles_cover_every_class_and_state(packages):
    for path in nonempty(packages):
        styles = pyogrio.read_dataframe(path, layer="layer_styles").set_index("f_table_name")
        for name, kind in pyogrio.list_layers(path):
            if kind is None:
                continue
            style = styles.loc[name, "styleQML"]
            rows = pyogrio.read_dataframe(path, layer=name)
            for state in set(rows["state"]) - {"number", "class"}:
                assert f"&quot;state&quot; = &#x27;{state}&#x27;" in style
            well_formed(style)
        assert styles["useAsDefault"].all()


def well_formed(style):
    """Check that every element is closed and every rule has its symbol."""
    text = style.partition("\n")[2]
    stack = []
    for closing, name, alone in re.findall(r"<(/?)([a-z_A-Z0-9-]+)[^<>]*?(/?)>", text):
        if closing:
            assert stack.pop() == name
        elif not alone:
            stack.append(name)
    assert not stack
    rules = re.findall(r'<rule key="[^"]+" symbol="(\d+)"', text)
    assert rules == re.findall(r'<symbol name="(\d+)"', text)


def test_communities_have_no_fill_in_their_style(packages):
    (path,) = [p for p in packages if "communities" in p.name]
    styles = pyogrio.read_dataframe(path, layer="layer_styles").set_index("f_table_name")
    style = styles.loc["communities_region", "styleQML"]
    assert 'class="LinePatternFill"' in style
    assert set(re.findall(r'name="color" value="([\d,]+)" type="QString"/><Option name="style"', style)) <= {
        "255,255,255,0",
        "255,255,255,255",
    }


# ---- GeoJSON ---------------------------------------------------------------------------------------


def test_geojson_is_rfc_7946_with_what_it_is(files):
    path = named(files, "roma_figures-region.geojson")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read["type"] == "FeatureCollection"
    assert "crs" not in read
    assert read["tact"]["tier"] == "partner"
    assert "Approximate boundaries" in read["tact"]["description"]
    rows = {f["id"]: f["properties"] for f in read["features"]}
    assert (rows["AL-04"]["value"], rows["AL-04"]["source"], rows["AL-04"]["year"]) == (1640, FIER, 2011)
    assert (rows["AL-01"]["value"], rows["AL-01"]["state_words"]) == (None, "no published figure")
    assert (rows["GR-I"]["national_share"], rows["GR-I"]["national_share__source"]) == (25, ATTICA)


def test_geojson_turns_the_right_way_and_is_not_finer_than_it_knows(files):
    read = gpd.read_file(named(files, "encounters-region.geojson"))
    assert all(shapely.is_ccw(shape.exterior) for shape in read.geometry)
    for path in of_kind(files, ".geojson"):
        assert not re.search(r"\d\.\d{7}", path.read_text(encoding="utf-8").partition('"features"')[2])


def test_geojson_of_an_area_without_a_shape(files):
    read = json.loads(named(files, "encounters-municipality.geojson").read_text(encoding="utf-8"))
    assert next(f for f in read["features"] if f["id"] == "9999")["geometry"] is None


def test_a_style_lies_beside_each_map_file(files):
    for path in nonempty(of_kind(files, ".geojson")):
        assert path.with_suffix(".qml") in files


def test_the_legend_of_circles_shows_the_sizes_that_the_map_draws(files):
    """The circles of the legend have the size of the expression, and belong to no area."""
    style = ET.parse(named(files, "encounters-region.qml")).getroot()
    circles = [rule for rule in style.iter("rule") if rule.get("filter") == "FALSE"]
    symbols = {symbol.get("name"): symbol for symbol in style.find("renderer-v2/symbols")}
    expression = style.find(".//Option[@name='expression']").get("value")
    most, largest = map(float, re.fullmatch(r'(\S+) \* sqrt\("value" / (\S+)\)', expression).groups())
    assert circles
    for rule in circles:
        symbol = symbols[rule.get("symbol")]
        size = float(symbol.find(".//Option[@name='size']").get("value"))
        assert symbol.get("type") == "marker"
        assert size == pytest.approx(most * (float(rule.get("label")) / largest) ** 0.5, abs=0.01)
    assert not any(
        rule.get("filter") == "FALSE" for rule in ET.parse(named(files, "population-region.qml")).iter("rule")
    )


# ---- CSV -------------------------------------------------------------------------------------------


def test_csv_holds_figures_with_their_sources(files):
    rows = pd.read_csv(named(files, "roma_figures.csv"), dtype={"code": str}).set_index(["code", "figure"])
    fier, berat, attica = (
        rows.loc[("AL-04", "roma")],
        rows.loc[("AL-01", "roma")],
        rows.loc[("GR-I", "national-share")],
    )
    assert (fier["value"], fier["source"], fier["year"]) == (1640, FIER, 2011)
    assert berat["state_words"] == "no published figure"
    assert (attica["value"], attica["source"]) == (25, ATTICA)


def test_csv_comes_with_codebook_and_readme(files):
    assert len([p for p in files if p.name.endswith("codebook.csv")]) == 2
    readme = named(files, "-partner-invented-README.txt").read_text(encoding="utf-8")
    for text in (
        "tier: partner",
        "Invented data",
        "licence",
        "citation",
        "none or almost none. The protected number is zero",
        "not searched",
        "threshold k: 11",
        'dtype={"code": str}',
    ):
        assert text in readme


def test_csv_comes_with_a_data_package_that_its_tables_fit(files, tmp_path):
    packages = [p for p in files if p.name.endswith("-datapackage.json")]
    assert len(packages) == 2
    for path in packages:
        report = frictionless.validate(str(path))
        assert report.valid, report.flatten(["title", "note"])
    described = json.loads(named(files, "-partner-invented-datapackage.json").read_text(encoding="utf-8"))
    assert described["description"].startswith("Invented data")
    resource = next(r for r in described["resources"] if r["name"] == "encounters")
    text = (packages[0].parent / resource["path"]).read_text(encoding="utf-8-sig")
    (tmp_path / resource["path"]).write_text(text.replace("almost_none", "none"), encoding="utf-8-sig")
    resource.pop("hash"), resource.pop("bytes")
    (tmp_path / "datapackage.json").write_text(json.dumps({**described, "resources": [resource]}), encoding="utf-8")
    errors = frictionless.validate(str(tmp_path / "datapackage.json")).flatten(["type", "fieldName"])
    assert {tuple(error) for error in errors} == {("constraint-error", "state")}


def test_no_cell_of_a_csv_can_run(files):
    for path in nonempty(of_kind(files, ".csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r")]


def test_hostile_text_is_kept_as_text(files):
    rows = pd.read_csv(named(files, "-encounters.csv"))
    assert HOSTILE in set(rows["name"])
    assert f"'{FORMULA}" in set(rows["name_local"])


# ---- XLSX ------------------------------------------------------------------------------------------


def books(files):
    return [openpyxl.load_workbook(path) for path in of_kind(files, ".xlsx")]


def test_workbooks_have_a_sheet_a_layer_with_codebook_and_about(files, partner):
    sheets = [book.sheetnames for book in books(files)]
    titles = {name for names in sheets for name in names}
    assert titles == {layer.title for layer in list_layers(partner)} | {"About", "Codebook", "Sources"}
    assert all(names[0] == "About" and "Codebook" in names for names in sheets)


def test_headers_stand_and_stay(files):
    for book in nonempty(books(files)):
        for sheet in book:
            assert sheet.freeze_panes == "A2"
            assert sheet["A1"].font.b
            assert sheet.auto_filter.ref


@pytest.mark.slow
def test_numbers_are_numbers_and_nothing_is_a_formula(files):
    for book in books(files):
        for sheet in book:
            cells = [cell for row in sheet.iter_rows() for cell in row]
            assert not [c for c in cells if c.data_type == "f"]
            assert not [c for c in cells if isinstance(c.value, str) and c.value[:1] in tuple("=+-@")]
    sheet = next(
        book["Children identified or met"] for book in books(files) if "Children identified or met" in book.sheetnames
    )
    header = [c.value for c in sheet[1]]
    values = [row[header.index("value")].value for row in sheet.iter_rows(min_row=2)]
    assert all(isinstance(v, int | float) for v in values if v is not None)


def test_published_figures_in_the_workbook(files):
    sheet = next(b["Roma and Egyptian figures"] for b in books(files) if "Roma and Egyptian figures" in b.sheetnames)
    rows = list(sheet.iter_rows(values_only=True))
    frame = pd.DataFrame(rows[1:], columns=rows[0]).set_index(["code", "figure"])
    assert list(frame.loc[("AL-04", "roma"), ["value", "source", "year"]]) == [1640, FIER, 2011]
    assert list(frame.loc[("GR-I", "national-share"), ["value", "source"]]) == [25, ATTICA]
    assert frame.loc[("AL-01", "roma"), "state_words"] == "no published figure"
    assert frame.loc[("AL-01", "egyptian"), "source"] == "'=1+1"


# ---- GeoParquet ------------------------------------------------------------------------------------


def test_geoparquet_opens_with_its_metadata(files):
    path = named(files, "roma_figures-region.parquet")
    rows = gpd.read_parquet(path).set_index("code")
    assert (rows.loc["AL-04", "value"], rows.loc["AL-04", "source"]) == (1640, FIER)
    assert (rows.loc["GR-I", "national_share"], rows.loc["GR-I", "national_share__source"]) == (25, ATTICA)
    assert rows.loc["AL-01", "state_words"] == "no published figure"
    metadata = pq.read_schema(path).metadata
    assert metadata[b"tact:tier"] == b"partner"
    assert b"geo" in metadata


def test_long_parquet_has_every_row(files, partner):
    rows = pd.read_parquet(named(files, "encounters-all.parquet"))
    assert len(rows) == sum(len(LAYERS[0].rows(partner, level)) for level in LAYERS[0].levels(partner))


def test_what_is_withheld_is_a_row_and_the_codebook_says_so(partner, tmp_path):
    files = export_layers(partner, tmp_path, ["csv", "parquet"], ["services"])
    every = find_layer("services").rows(partner, "region")
    assert (every["state"] == "withheld").any()
    rows = pd.read_csv(named(files, "services.csv"))
    assert (rows.loc[rows["level"] == "region", "state"] == "withheld").sum() == (every["state"] == "withheld").sum()
    book = pd.read_csv(named(files, "codebook.csv"))
    assert "withheld" in set(book["value"])
    for text in (" ".join(book["meaning"]), named(files, "README.txt").read_text(encoding="utf-8")):
        assert "An empty value is never a zero" in text


def test_map_files_alone_come_with_codebook_and_readme(partner, tmp_path):
    files = export_layers(partner, tmp_path, ["geojson"], ["effort"])
    assert sorted(p.suffix for p in files) == [".csv", ".geojson", ".geojson", ".geojson", *[".qml"] * 3, ".txt"]
    assert "codebook" in named(files, ".csv").name


def test_the_read_me_tells_r_of_the_byte_order_mark(partner, tmp_path):
    files = export_layers(partner, tmp_path, ["csv"], ["effort"])
    assert named(files, "effort.csv").read_bytes().startswith(b"\xef\xbb\xbfcode,")
    assert 'fileEncoding = "UTF-8-BOM"' in named(files, "README.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["new!old", "a;b=c", "50 % [1] {x}?"])
def test_any_name_of_a_folder_will_do(partner, tmp_path, name):
    [path] = export_layers(partner, tmp_path / name, ["gpkg"], ["effort"])
    assert path.parent.name == name
    assert list(path.parent.iterdir()) == [path]
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert ("effort_region",) in file.execute("SELECT table_name FROM gpkg_contents").fetchall()


def test_a_file_that_cannot_be_replaced_stays(partner, tmp_path, monkeypatch):
    [path] = export_layers(partner, tmp_path, ["gpkg"], ["effort"])
    before = path.read_bytes()
    monkeypatch.setattr(shutil, "move", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export_layers(partner, tmp_path, ["gpkg"], ["effort"])
    assert path.read_bytes() == before


# ---- ZIP -------------------------------------------------------------------------------------------


def test_pack_holds_every_file(files):
    with zipfile.ZipFile(io.BytesIO(pack_files(files))) as archive:
        assert archive.namelist() == sorted(p.name for p in files)
        assert archive.testzip() is None


# ---- nothing else leaves ------------------------------------------------------------------------------


@pytest.mark.slow
def test_files_hold_no_number_that_the_release_does_not_hold(files, partner, public, tmp_path):
    pairs = [(partner, files), (public, export_layers(public, tmp_path, ["csv", "xlsx", "gpkg"]))]
    for release, leaving in nonempty(pairs):
        findings, how = search(release, leaving)
        assert not findings
        assert how["cells"] > 1000
