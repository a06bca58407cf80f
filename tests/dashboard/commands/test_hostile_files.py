"""Hostile text in every field of every record kind: answers and exported files contain it only as text."""

from __future__ import annotations

import csv
import html
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest

from data.disclosure.attacks import surface
from data.release import Release
from data.schema.kinds import KINDS
from data.workspace.safe_text import escape_formula
from tests.helpers import hostile
from tests.helpers.nonempty import nonempty

SIGNS = ("=", "+", "-", "@", "\t", "\r")
# A workspace for practice marks its figures.
SOURCES = [f"Invented: {hostile.token(payload, 'figure', 'source')}" for payload in hostile.PAYLOADS]
NOTES = [hostile.token(payload, "figure", "note") for payload in hostile.PAYLOADS]
# What a record says besides its numbers stays behind the wall, published figures aside.
INSIDE = [f" {kind}.{column}" for kind in KINDS if kind != "figure" for column in hostile.text_columns(kind)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(shared, tmp_path_factory):
    """Return the hostile workspace as a copy: an export is written down in it."""
    return hostile.copy(hostile.build_once(shared), tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def exported(world, tmp_path_factory):
    """Export the partner tier in every format; return the files by suffix."""
    folder = tmp_path_factory.mktemp("exported")
    formats = [word for name in hostile.FORMATS for word in ("--format", name)]
    answer = world.tact("export", "--to", folder, "--tier", "partner", "--for", "Invented Partner", *formats)
    files: dict[str, list[Path]] = {}
    for path in map(Path, answer["files"]):
        files.setdefault(path.suffix, []).append(path)
    return files


def of_layer(files, suffix, layer):
    (match,) = [path for path in files[suffix] if path.stem.endswith(layer)]
    return match


def everything(path: Path) -> str:
    """Return all text in a file, also if the file is compressed."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        columns = [c for c in table.column_names if c not in ("geometry", "imported")]
        return f"{table.schema.metadata} {columns} {[table[name].unique().to_pylist() for name in columns]}"
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as parts:
            return "".join(html.unescape(parts.read(name).decode()) for name in parts.namelist())
    return path.read_bytes().decode("utf-8", "replace")


# -- coming in ------------------------------------------------------------------------------------------


def test_every_kind_takes_hostile_text_in_every_free_field(world):
    taken = {entry["kind"]: (entry["accepted"], entry["rejected"]) for entry in world.answers["good"]["files"]}
    expected = {kind: (len(hostile.PAYLOADS), 0) for kind in KINDS}
    assert taken == expected | {"figure": (3 * len(hostile.PAYLOADS), 0)}
    assert all(hostile.text_columns(kind) for kind in KINDS)
    assert world.answers["mapped"]["accepted"] == 1


def test_hostile_text_in_any_other_field_comes_back_and_is_not_repeated(world):
    files = world.answers["bad"]["files"]
    assert [entry["accepted"] for entry in files] == [0] * len(KINDS)
    for entry in files:
        path, wanted = Path(entry["rejects"]), len(hostile.PAYLOADS) * len(hostile.other_columns(entry["kind"]))
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert len({row[0] for row in rows[1:]}) == wanted == entry["rejected"]
        assert not any(cell.startswith(SIGNS) for row in rows for cell in row)
        text = path.read_text(encoding="utf-8")
        assert not any(payload in text for payload in hostile.PAYLOADS if payload != "@SUM(1+1)")


def test_hostile_names_in_a_file_of_boundaries_do_not_disturb_its_codes(world):
    answer = world.answers["areas"]
    assert (answer["matched"], answer["unmatched"]) == (61, [])


def test_a_partner_with_a_hostile_name_keeps_a_mapping_in_the_folder_of_mappings(world):
    (mapping,) = (world.path / "mappings").iterdir()
    assert re.fullmatch(r"[\w-]+\.toml", mapping.name)


def test_no_answer_holds_a_text_of_a_record(world):
    assert not any(inside in world.output for inside in INSIDE)


# -- in the release -------------------------------------------------------------------------------------


def test_texts_of_records_stay_behind_the_wall(world, exported):
    leaving = [*world.path.glob("releases/*/*/*"), *(path for some in exported.values() for path in some)]
    leaving += [*world.path.glob("rejects/*/*"), *world.path.glob("derived/**/*.json")]
    assert len(leaving) > 100
    for path in leaving:
        text = everything(path)
        # Partners read each other's names in the table of who sent what; governance lists who is a partner.
        names = {" effort.partner"} if path.name.startswith("completeness.") else set()
        assert [inside for inside in INSIDE if inside in text and inside not in names] == [], path.name


def test_sources_and_notes_of_figures_are_released_as_they_are(world):
    for path in nonempty(world.path.glob("releases/*/*/figures.parquet")):
        table = pq.read_table(path).to_pandas()
        ours = table[table["source"].isin(SOURCES)]
        assert sorted(set(ours["source"])) == sorted(SOURCES)
        assert sorted(set(ours["note"])) == sorted(NOTES)


def test_the_surface_attack_reads_all_of_it(world, exported):
    release = Release.open(world.path / "releases", "partner")
    findings, _ = surface.search(release, [path for some in exported.values() for path in some])
    assert findings == []


# -- going out ------------------------------------------------------------------------------------------


def test_no_cell_of_a_csv_can_run_wherever_the_line_is_cut(exported):
    seen = set()
    for path in exported[".csv"]:
        text = path.read_text(encoding="utf-8-sig")
        cells = {cell for row in csv.reader(text.splitlines()) for cell in row}
        seen |= cells
        # With a comma, and with a semicolon as in the countries of the product.
        cut = {piece.lstrip(' "') for line in text.splitlines() for piece in line.split(";")[1:]}
        assert [cell for cell in cells | cut if cell.lstrip().startswith(SIGNS)] == []
    assert {escape_formula(source) for source in SOURCES} <= seen
    assert {escape_formula(f"provisional; {note}") for note in NOTES} <= seen


def excel_reads(text: str) -> str:
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def test_no_cell_of_a_workbook_is_a_formula(exported):
    seen = set()
    for path in exported[".xlsx"]:
        with zipfile.ZipFile(path) as parts:
            assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if "sheet" in name)
            strings = ET.fromstring(parts.read("xl/sharedStrings.xml"))
        texts = {excel_reads("".join(string.itertext())) for string in strings}
        assert [text for text in texts if text.lstrip().startswith(SIGNS)] == []
        seen |= texts
        book = openpyxl.load_workbook(path, read_only=True)
        assert {cell.data_type for row in book["About"].rows for cell in row} <= {"s", "n"}
    assert {escape_formula(source) for source in SOURCES} <= seen


def test_a_geopackage_holds_the_text_and_opens(exported):
    seen = set()
    for path in exported[".gpkg"]:
        for name, _ in pyogrio.list_layers(path):
            table = pyogrio.read_dataframe(path, layer=name, read_geometry=False)
            seen |= set(table["source"]) if "source" in table else set()
        with closing(sqlite3.connect(path)) as file:
            for (style,) in file.execute("SELECT styleQML FROM layer_styles"):
                check_style(style)
            description = " ".join(text for (text,) in file.execute("SELECT description FROM gpkg_contents") if text)
        assert hostile.FILE_NAME in description
    assert set(SOURCES) <= seen


def check_style(text: str) -> None:
    """Check that a style is well-formed and that hostile text made no element in it."""
    style = ET.fromstring(text.partition("\n")[2])
    assert not {"img", "script", "b"} & {element.tag for element in style.iter()}


def test_geojson_holds_the_text_and_is_nothing_else(exported):
    seen = set()
    for path in exported[".geojson"]:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert hostile.FILE_NAME in document["tact"]["boundaries"]
        seen |= {feature["properties"]["source"] for feature in document["features"]}
    assert set(SOURCES) <= seen
    for path in exported[".qml"]:
        check_style(path.read_text(encoding="utf-8"))


@pytest.mark.long
def test_parquet_holds_the_text_and_says_it_of_itself(exported):
    table = pq.read_table(of_layer(exported, ".parquet", "population-all"))
    assert set(SOURCES) <= set(table["source"].to_pylist())
    assert hostile.FILE_NAME.encode() in table.schema.metadata[b"tact:boundaries"]


@pytest.mark.long
def test_a_readme_is_plain_text(exported):
    text = "".join(path.read_text(encoding="utf-8") for path in exported[".txt"])
    assert hostile.FILE_NAME in text
    assert all(source in text for source in SOURCES)


def test_names_of_files_come_from_nobody_outside(exported):
    names = [path.name for some in exported.values() for path in some]
    assert not [name for name in names if not re.fullmatch(r"tact-[\w-]+\.\w+", name)]
