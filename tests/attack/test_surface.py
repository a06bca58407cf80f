import json
import re
import sqlite3
import struct
import zipfile
import zlib
from contextlib import closing
from functools import cache

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.map.atlas import make_atlas
from data.disclosure.attacks import surface
from data.disclosure.attacks.surface import readers, search
from data.release import Release, derived
from data.release.result import Table
from data.tables.spec import TIERS
from geo.layers import find_layer
from geo.layers.output.wide import build_long_table
from tests.helpers import small_worlds
from tests.helpers.nonempty import nonempty

HIDDEN = 7  # a number that a public release never holds


YEAR, MEETINGS = "2006-06-01/P1Y", "coordination_meetings"


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Return the releases of a world with two indicators, by tier."""
    indicator = {
        "area": "AL", "period": YEAR, "indicator": MEETINGS, "value": 4321.0, "target": 5000.0,
        "unit": "meetings", "source": "Report of 2006", "partner": "ARSIS",
    }  # fmt: skip
    other = {**indicator, "indicator": "prevention_schools", "value": 1234.0, "unit": "schools"}
    encounters = small_worlds.encounters(np.random.default_rng(2), 300, 150)
    vault = small_worlds.MemoryVault(encounter=encounters, indicator=pd.DataFrame([indicator, other]))
    folder = tmp_path_factory.mktemp("releases")
    small_worlds.release(vault, folder, areas_geoparquet=small_worlds.draw_areas())
    releases_by_tier = {tier: Release.open(folder, tier) for tier in TIERS}
    assert releases_by_tier["partner"].table("indicators")["value"].tolist() == [4321.0, 1234.0]
    assert "indicators" not in releases_by_tier["public"].tables
    return releases_by_tier


@pytest.fixture(scope="module")
def release(releases):
    return releases["public"]


@pytest.fixture(scope="module", autouse=True)
def one_index():
    """Index the numbers of a release only once, instead of once for each file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface, "NumberIndex", cache(surface.NumberIndex))
        yield


@pytest.fixture(scope="module")
def table(release):
    """Return the rows of a correct file, and the position of a row whose number is hidden."""
    frame = release.table("children_region_year").rename(columns={"area": "code"})
    return frame.assign(tier="public"), int(np.flatnonzero(frame["state"] == "few")[0])


def csv(path, frame):
    frame.to_csv(path, index=False)


def parquet(path, frame):
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


def workbook(path, frame):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["TACT Map"])
    sheet.append([])
    for row in [list(frame.columns), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]:
        sheet.append(row)
    book.save(path)


def plain(frame):
    return [
        {k: None if pd.isna(v) else v.item() if hasattr(v, "item") else v for k, v in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]


def geojson(path, frame):
    shape = {"type": "Point", "coordinates": [19.8, 41.3]}
    features = [{"type": "Feature", "geometry": shape, "properties": row} for row in plain(frame)]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def geopackage(path, frame):
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE gpkg_contents (table_name TEXT, min_x REAL)")
        file.execute("INSERT INTO gpkg_contents VALUES ('children', 19.123)")
        frame.astype(object).where(frame.notna(), None).to_sql("children", file, index_label="fid")


def script(path, frame):
    path.write_text(f"const map = 1; const rows = {json.dumps(plain(frame))};\nshow(rows, 0.35);")


FORMATS = {
    "a.csv": csv,
    "a.parquet": parquet,
    "a.xlsx": workbook,
    "a.geojson": geojson,
    "a.gpkg": geopackage,
    "a.js": script,
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_honest_file_passes_and_a_leak_is_found_in_each_format(release, table, tmp_path, name):
    frame, hidden = table
    FORMATS[name](tmp_path / name, frame)
    assert search(release, [tmp_path / name])[0] == []
    leaking = frame.copy()
    leaking.loc[hidden, "value"] = HIDDEN
    (tmp_path / name).unlink()
    FORMATS[name](tmp_path / name, leaking)
    findings, _ = search(release, [tmp_path / name])
    assert findings
    for finding in findings:
        assert finding.cell["area"] == frame.loc[hidden, "code"]
        assert str(HIDDEN) not in finding.reason


def test_numbers_above_and_right_of_the_headings_of_a_workbook_are_found_too(release, table, tmp_path):
    frame, hidden = table
    workbook(tmp_path / "a.xlsx", frame)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.active["B1"] = HIDDEN
    book.active.cell(4 + hidden, len(frame.columns) + 2, HIDDEN)
    book.save(tmp_path / "a.xlsx")
    findings, _ = search(release, [tmp_path / "a.xlsx"])
    assert [finding.cell["column"] for finding in findings] == ["column 2", f"column {len(frame.columns) + 2}"]


def test_a_reconciled_number_is_one_of_the_release_s_unless_its_state_shows_none(release, table, tmp_path):
    frame, hidden = table
    assert frame["reconciled"].notna().any()
    shown = frame[["code", "period", "state", "reconciled"]]
    csv(tmp_path / "a.csv", shown)
    assert search(release, [tmp_path / "a.csv"])[0] == []
    leaking = shown.assign(reconciled=shown["reconciled"].mask(shown.index == hidden, release.k))
    csv(tmp_path / "b.csv", leaking)
    findings, _ = search(release, [tmp_path / "b.csv"])
    assert [finding.cell["area"] for finding in findings] == [shown.loc[hidden, "code"]]


@pytest.fixture(scope="module")
def children(releases):
    """Return a partner release, and the rows of children in a correct file of it."""
    return releases["partner"], build_long_table(releases["partner"], find_layer("encounters"))


@pytest.mark.long
def test_an_adjusted_number_passes_with_its_margin_and_the_published_one(children, tmp_path):
    release, rows = children
    assert (rows["value"] != rows["noisy"])[rows["noisy"].notna()].any()
    assert rows["state"].eq("almost_none").mul(rows["value"] > 0).any()
    csv(tmp_path / "a.csv", rows)
    assert search(release, [tmp_path / "a.csv"])[0] == []


@pytest.mark.parametrize("column", ["value", "noisy", "noisy_margin", "margin"])
def test_a_number_beside_a_published_zero_that_is_not_its_adjusted_one_is_a_leak(children, tmp_path, column):
    release, rows = children
    zeros = rows[rows["state"].eq("almost_none") & rows["value"].isna()]
    leaking = rows.copy()
    leaking.loc[zeros.index[0], column] = {"value": HIDDEN * 100, "noisy": 1, "noisy_margin": 5, "margin": 4}[column]
    csv(tmp_path / "a.csv", leaking)
    (finding,) = search(release, [tmp_path / "a.csv"])[0]
    assert (finding.cell["column"], finding.cell["row"]) == (column, str(zeros.index[0] + 1))


@pytest.mark.slow
def test_a_published_number_of_another_cell_is_a_leak_beside_a_zero(children, tmp_path):
    """The number is published for the same area and period, but it is not the reconciled number of this cell."""
    release, rows = children
    tables = [release.table(name) for name in release.tables]
    for _, same in rows.groupby(["code", "period"]):
        zeros = same.index[same["state"].eq("almost_none") & same["value"].isna()]
        if len(zeros) and (others := set(same["noisy"].dropna()) - set(read_reconciled(tables, same.iloc[0]))):
            break
    csv(tmp_path / "a.csv", rows.assign(value=rows["value"].mask(rows.index == zeros[0], min(others))))
    assert [f.cell["row"] for f in search(release, [tmp_path / "a.csv"])[0]] == [str(zeros[0] + 1)]


@pytest.fixture(scope="module")
def atlas(releases):
    """Return a partner release, and the text of an atlas of its children."""
    return releases["partner"], make_atlas(releases["partner"], (find_layer("encounters"),))


@pytest.mark.slow
def test_an_honest_atlas_passes(atlas, tmp_path):
    release, page = atlas
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    findings, statistics = search(release, [tmp_path / "a.html"])
    assert findings == []
    assert statistics["cells"] > len(release.table("children_region_year"))


def plant(page, change):
    """Return the page of an atlas after a change of the first view of children by region that has numbers."""
    head, text, tail = re.split(r"(?<=id=atlas-data>)(.*?)(?=</script>)", page, maxsplit=1, flags=re.DOTALL)
    value = json.loads(text)
    (layer,) = [entry for entry in value["layers"] if entry["id"] == "encounters"]
    change(next(view for view in layer["choices"][0]["levels"]["region"] if "," in view.get("v", "")))
    return head + json.dumps(value) + tail


def replace_first(text, pattern, by):
    return re.sub(pattern, by, text, count=1)


def turn(digit):
    """Return the class that the opposite number would have."""
    return str(9 - int(digit[0]))


def count_areas(view):
    """Return the number of areas of a view."""
    return len(re.sub(r"(.)\((\d+)\)", lambda run: run[1] * int(run[2]), view["s"]))


def spread_margin(view):
    """Return a margin for each number of a view, that of the first planted."""
    runs = re.findall(r"\((\d+)\)", view["v"])
    numbers = len(view["v"].split(",")) + sum(map(int, runs)) - len(runs)
    return ",".join([str(HIDDEN * 1000), *["5"] * (numbers - 1)])


PLANTED = {
    "a number": lambda view: view.update(v=replace_first(view["v"], r"^[^,(]+", str(HIDDEN * 1000))),
    "the margin of another number": lambda view: view.update(m="0"),
    "a range": lambda view: view.update(v=replace_first(view["v"], r"^[^,(]+", ""), low=str(HIDDEN * 1000)),
    "a part of another name": lambda view: view.update(more=str(HIDDEN)),
    "a number where no area has one": lambda view: view.update(s="d" * count_areas(view), v=str(HIDDEN), m=""),
    "a margin of a class": lambda view: view.update(v=replace_first(view["v"], r"^[^,(]+", ""), m=spread_margin(view)),
    "a number more": lambda view: view.update(v=view["v"] + f",{HIDDEN}"),
    "a class that its number does not give": lambda view: view.update(s=re.sub(r"\d(?!\d*\))", turn, view["s"])),
}


@pytest.mark.always("a number", "a range", "a part of another name", "a number where no area has one")
@pytest.mark.slow
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_in_an_atlas_is_found(atlas, tmp_path, what):
    release, page = atlas
    (tmp_path / "a.html").write_text(plant(page, PLANTED[what]), encoding="utf-8")
    assert search(release, [tmp_path / "a.html"])[0]


def read_reconciled(tables, row):
    for table in tables:
        if "reconciled" in table:
            yield from table.loc[(table["area"] == row["code"]) & (table["period"] == row["period"]), "reconciled"]


def test_a_number_of_another_area_is_a_leak(release, table, tmp_path):
    frame, hidden = table
    numbers = {a: set(g["value"].dropna()) for a, g in frame.groupby("code")}
    area = frame.loc[hidden, "code"]
    other = next(v for a in numbers if a != area for v in numbers[a] - numbers[area])
    path = tmp_path / "a.csv"
    frame.assign(state="number").assign(
        value=[other if i == hidden else v for i, v in enumerate(frame["value"])]
    ).to_csv(path, index=False)
    assert [f.cell["area"] for f in search(release, [path])[0]] == [area]


def test_a_number_beside_a_state_that_has_none_is_a_leak_whatever_it_is(release, table, tmp_path):
    frame, _ = table
    shown = frame[frame["state"] == "number"].assign(state="few")
    path = tmp_path / "a.csv"
    shown.to_csv(path, index=False)
    findings, _ = search(release, [path])
    assert len(findings) >= len(shown)
    assert all("state" in f.reason for f in findings)


@pytest.fixture(scope="module")
def ranked(release, table, tmp_path_factory):
    """Return the release with results of the model that are all 7 in the hidden cell, and area and period of it."""
    frame, hidden = table
    cell = frame.loc[[hidden], ["code", "period"]]
    numbers = dict.fromkeys(("rank", "rank_first", "rank_last", "top", "median", "lower", "upper"), float(HIDDEN))
    rows = cell.rename(columns={"code": "area"}).assign(value=np.nan, state="number", **numbers)
    burden = Table("burden", "region", "year", (), "Burden", pa.Table.from_pandas(rows, preserve_index=False))
    folder = tmp_path_factory.mktemp("derived")
    derived.publish(folder, release, "risk", [burden], {})
    return Release.open(release.folder.parents[1], "public", derived=folder), cell


@pytest.mark.always("rank")
@pytest.mark.slow
@pytest.mark.parametrize("column", ["rank", "rank_first", "rank_last", "top", "median", "lower", "upper"])
def test_a_result_of_the_model_passes_in_its_own_column_alone(ranked, tmp_path, column):
    release, cell = ranked
    for name in (column, f"internal__{column}"):
        csv(tmp_path / "a.csv", cell.assign(**{name: HIDDEN}))
        assert search(release, [tmp_path / "a.csv"])[0] == []
        csv(tmp_path / "a.csv", cell.assign(**{name: HIDDEN + 1}))
        assert len(search(release, [tmp_path / "a.csv"])[0]) == 1


@pytest.mark.parametrize("column", ["value", "internal", "margin", "reconciled"])
def test_a_count_that_equals_the_rank_of_its_area_is_found(ranked, tmp_path, column):
    release, cell = ranked
    csv(tmp_path / "a.csv", cell.assign(**{column: HIDDEN}))
    (finding,) = search(release, [tmp_path / "a.csv"])[0]
    assert (finding.cell["column"], finding.cell["area"]) == (column, cell["code"].item())


def test_wide_columns_are_checked_with_their_own_states(release, tmp_path):
    frame = release.table("children_region_whole_pathway").rename(columns={"area": "code"})
    wide = frame.pivot_table(index="code", columns="pathway", values="value", dropna=False).astype("Int64")
    path = tmp_path / "a.csv"
    wide.reset_index().to_csv(path, index=False)
    assert search(release, [path])[0] == []
    wide.iloc[0, 0] = HIDDEN
    wide.reset_index().to_csv(path, index=False)
    assert [f.cell["column"] for f in search(release, [path])[0]] == [wide.columns[0]]


@pytest.mark.parametrize(
    "content",
    [
        {"AL-11": HIDDEN},
        {"AL-11": [HIDDEN, "number"]},
        {"AL-11": {"2006-06-01/P1Y": {"v": HIDDEN}}},
        [["AL-11", HIDDEN, "few"]],
        {"areas": ["AL-11", "AL-02"], "values": [HIDDEN, None]},
        {"features": [{"id": "AL-11", "properties": {"n": HIDDEN}}]},
        [{"area": "AL-11", "more": {"deep": HIDDEN}}],
    ],
)
def test_json_of_any_shape_is_read(release, tmp_path, content):
    for name, text in (("a.json", json.dumps(content)), ("a.js", f"draw({json.dumps(content)});")):
        (tmp_path / name).write_text(text)
        findings, _ = search(release, [tmp_path / name])
        assert {f.cell["area"] for f in findings} == {"AL-11"}
    (tmp_path / "b.json").write_text(json.dumps({"width": HIDDEN, "breaks": [HIDDEN], "zoom": 0.7}))
    assert search(release, [tmp_path / "b.json"])[0] == []


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(*chunks):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    image = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + image + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [
        (b"tEXt", lambda t: b"Title\0" + t),
        (b"zTXt", lambda t: b"Title\0\0" + zlib.compress(t)),
        (b"iTXt", lambda t: b"Title\0\0\0en\0\0" + t),
        (b"iTXt", lambda t: b"Title\0\x01\0en\0\0" + zlib.compress(t)),
    ],
)
def test_metadata_of_pictures_are_read(release, tmp_path, kind, wrap):
    path = tmp_path / "a.png"
    path.write_bytes(picture(chunk(kind, wrap(b"TACT Map, release 2007-05-001, made 2009-06-01T10:00:00Z"))))
    assert search(release, [path])[0] == []
    path.write_bytes(picture(chunk(kind, wrap(b"7 children in Tirana"))))
    assert len(search(release, [path])[0]) == 1


def test_what_hangs_behind_a_picture_is_read(release, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(picture() + b"and 7 more")
    assert len(search(release, [path])[0]) == 1


def test_texts_are_searched_beside_codes(release, tmp_path):
    path = tmp_path / "README.txt"
    path.write_text("3 layers, 26 regions. AL-11: see the table.")
    assert search(release, [path])[0] == []
    path.write_text("AL-11 = 7")
    assert [f.cell for f in search(release, [path])[0]] == [{"area": "AL-11"}]


def test_metadata_of_parquet_files_are_read(release, table, tmp_path):
    path = tmp_path / "a.parquet"
    arrow_table = pa.Table.from_pandas(table[0], preserve_index=False).replace_schema_metadata({"note": "AL-11: 7"})
    pq.write_table(arrow_table, path)
    assert len(search(release, [path])[0]) == 1


def test_archives_are_opened(release, table, tmp_path):
    frame, hidden = table
    leaking = frame.copy()
    leaking.loc[hidden, "value"] = HIDDEN
    csv(tmp_path / "a.csv", leaking)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "inside/a.csv")
    findings, _ = search(release, [tmp_path / "a.zip"])
    assert [f.table for f in findings] == ["a.zip/inside/a.csv"]


PROJECT = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.28.0\">{}</qgis>"


def pack(path, **parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("_", "."), content)


@pytest.mark.parametrize(
    "planted",
    [
        "<!-- AL-11: 7 -->",
        "<title>AL-11, 7</title>",
        "<area>AL-11</area><value>7</value>",
        '<Option name="AL-11" type="int" value="7"/>',
        "<rule filter=\"CASE WHEN &quot;code&quot; = 'AL-11' THEN 7 END\"/>",
        "<datasource>?query=SELECT 'AL-11' AS code, 7 AS children</datasource>",
    ],
)
@pytest.mark.parametrize("ending", ["qgs", "qgz", "qlr"])
def test_a_project_of_qgis_is_searched(release, tmp_path, planted, ending):
    path = tmp_path / f"a.{ending}"
    for content, count in (("<title>2006-06-01/P1Y, EPSG:3035</title>", 0), (planted, 1)):
        if ending == "qgz":
            pack(path, tact_qgs=PROJECT.format(content))
        else:
            path.write_text(PROJECT.format(content))
        findings = search(release, [path])[0]
        assert bool(findings) == bool(count), [f.reason for f in findings]
        assert {f.cell["area"] for f in findings} == ({"AL-11"} if count else set())


def test_what_qgis_stores_beside_a_project_is_searched(release, tmp_path):
    path = tmp_path / "a.qgd"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE labels (area TEXT, children INTEGER)")
        file.execute("INSERT INTO labels VALUES ('AL-11', 7)")
        file.commit()
    pack(tmp_path / "a.qgz", tact_qgs=PROJECT.format(""), tact_qgd=path.read_bytes())
    for file_path in (path, tmp_path / "a.qgz"):
        assert [finding.cell["area"] for finding in search(release, [file_path])[0]] == ["AL-11"]


def test_a_project_that_would_fill_the_memory_is_a_finding_and_not_read(release, tmp_path):
    pack(tmp_path / "large.qgz", tact_qgs=bytes(60_000_000))
    pack(tmp_path / "deep0.zip", tact_qgs=PROJECT.format(""))
    for depth in range(3):
        pack(tmp_path / f"deep{depth + 1}.zip", a_zip=(tmp_path / f"deep{depth}.zip").read_bytes())
    grows = '<!DOCTYPE q [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><q>&b;</q>'
    (tmp_path / "grows.qgs").write_text(grows)
    for name in ("large.qgz", "deep3.zip", "grows.qgs"):
        assert "cannot be read" in search(release, [tmp_path / name])[0][0].reason
    assert search(release, [tmp_path / "deep2.zip"])[0] == []


@pytest.mark.parametrize(("name", "content"), [("a.xyz", b"7"), ("a.parquet", b"broken"), ("a.xlsx", b"PK")])
def test_what_cannot_be_read_is_a_finding(release, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    findings, _ = search(release, [tmp_path / name])
    assert len(findings) == 1
    assert "cannot be read" in findings[0].reason


def test_a_partner_file_does_not_pass_as_public(release, releases, tmp_path):
    partner = releases["partner"]
    path = tmp_path / "a.csv"
    partner.table("children_region_quarter").rename(columns={"area": "code"}).to_csv(path, index=False)
    assert len(search(release, [path])[0]) > 5
    assert search(partner, [path])[0] == []


@pytest.mark.long
def test_the_files_of_a_release_are_all_in_it(releases):
    for release in nonempty(releases.values()):
        assert search(release, sorted(release.folder.glob("*.parquet")))[0] == []


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_an_indicator_in_a_file_is_no_number_of_the_release(releases, tmp_path, tier):
    csv(tmp_path / "file.csv", pd.DataFrame([{"area": "AL", "period": YEAR, "value": 4321.0}]))
    findings, _ = search(releases[tier], [tmp_path / "file.csv"])
    assert [finding.reason for finding in findings] == ["contains a number that is not in the release"]


@pytest.mark.always("a.csv")
@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_may_show_an_indicator_of_the_partner_tier(releases, tmp_path, name):
    FORMATS[name](tmp_path / name, releases["partner"].table("indicators"))
    assert search(releases["partner"], [tmp_path / name])[0] == []
    assert search(releases["public"], [tmp_path / name])[0]


@pytest.mark.always("change0")
@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"value": 1234.0}, {"target": 4321.0}, {"margin": 5.0}, {"area": "GR"}, {"period": "2007-06-01/P1Y"},
        {"indicator": "prevention_schools"}, {"indicator": "x"}, {"more": 4321.0}, {"state": "withheld"},
    ],
)  # fmt: skip
def test_a_row_of_an_indicator_may_hold_nothing_but_its_own_numbers(releases, tmp_path, change):
    rows = releases["partner"].table("indicators")
    csv(tmp_path / "a.csv", rows[rows["indicator"] == MEETINGS].assign(**change))
    assert search(releases["partner"], [tmp_path / "a.csv"])[0]


@pytest.mark.slow
def test_a_table_of_days_by_partner_passes_only_as_it_was_released(demo_world, tmp_path):
    """Its days must not stand for counts: another file that has them, or the same file with one changed, is found."""
    release = Release.open(demo_world / "releases", "partner")
    path = release.folder / "completeness.parquet"
    assert search(release, [path])[0] == []
    frame = pd.read_parquet(path)
    number = frame.select_dtypes("number").columns[0]
    row = frame.index[frame[number].notna()][0]
    parquet(tmp_path / "completeness.parquet", frame.assign(**{number: frame[number].mask(frame.index == row, 9871)}))
    csv(tmp_path / "days.csv", frame)
    for name in ("completeness.parquet", "days.csv"):
        assert search(release, [tmp_path / name])[0], name


def test_a_count_of_children_does_not_pass_as_an_indicator(releases, tmp_path):
    release = releases["partner"]
    counts = release.table("children_region_year")
    csv(tmp_path / "a.csv", counts[["area", "period", "value"]].assign(indicator=MEETINGS))
    assert len(search(release, [tmp_path / "a.csv"])[0]) == counts["value"].notna().sum()


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_each_column_that_the_model_adds_has_a_kind_of_its_own(scored, tier):
    """A count must not pass as a result of the model: only value, margin and ends are looked up together."""
    bare, whole = (Release.open(scored.releases, tier, derived=folder) for folder in (None, scored.derived))
    added = [whole.table(name) for name in set(whole.tables) - set(bare.tables)]
    names = {c for table in added for c in table if pd.api.types.is_numeric_dtype(table[c])}
    flags = {c for table in added for c in table if pd.api.types.is_bool_dtype(table[c])}
    assert added
    # A choice is called chance, too, so that its numbers and those of the column are looked up together.
    assert names - flags - {"chance"} <= {"value", "margin", "low", "high", *surface._OF_MODEL}


def test_the_words_of_a_picture_are_read_whole():
    drawn = b'<svg xmlns="http://www.w3.org/2000/svg"><text aria-label="one">two<tspan>three</tspan>four</text></svg>'
    (_, _cells), (_, _titles), (_, words) = readers._svg(drawn)
    assert set(words.split()) == {"one", "two", "three", "four"}
