"""Layers for QGIS from the real server: GDAL reads them as QGIS does, behind the gate and the door, within limits."""

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager

import pyogrio
import pytest
from starlette.applications import Starlette

from dashboard.site import Site
from dashboard.site.current_release import open_current_release
from dashboard.site.reader import HEADER, PEOPLE, write_header
from dashboard.web import features
from dashboard.web.features import items, write_features
from data.accounts.rights import Role
from data.disclosure.attacks.surface import search
from data.release import Release
from geo.export import export_layers, list_layers
from geo.layers.output import wide
from tests.helpers import small_release
from tests.helpers.asgi import ask, ask_inside
from tests.helpers.browser import free_port, wait_for
from tests.helpers.entry import cookie_headers
from tests.helpers.paths import ROOT

BASE = "http://map.test/features"


@contextmanager
def serve(releases, tier):
    port = free_port()
    command = [sys.executable, "-m", "dashboard.server", "--releases", str(releases), "--tier", tier]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield wait_for(process)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def set_gdal(**settings):
    pyogrio.set_gdal_config_options(settings)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(settings))


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return small_release.make_both(tmp_path_factory.mktemp("features"))


def make_application(releases, tier):
    return Starlette(routes=features.make_routes(Site(releases, tier), is_encrypted=False))


@pytest.mark.long
@pytest.mark.parametrize("tier", ["partner", "public"])
def test_gdal_reads_every_collection_whole_by_paging(releases, tier):
    release = Release.open(releases, tier)
    with serve(releases, tier) as url:
        # On this machine's own address the public tier has no token, but the gate is the same.
        cookie = cookie_headers(url).get("Cookie", "none=none")
        with set_gdal(GDAL_HTTP_COOKIE=cookie, OAPIF_PAGE_SIZE="250"):
            listed = {str(name) for name, _ in pyogrio.list_layers(f"OAPIF:{url}/features")}
            wanted = {f"{layer.id}_{level}" for layer in list_layers(release) for level in layer.levels(release)}
            assert listed == wanted | {f"{name}_{release.name}" for name in wanted}
            for layer in list_layers(release):
                table = wide.build_long_table(release, layer)
                for level in layer.levels(release):
                    for name in (f"{layer.id}_{level}", f"{layer.id}_{level}_{release.name}"):
                        frame = pyogrio.read_dataframe(f"OAPIF:{url}/features", layer=name, use_arrow=False)
                        compare(frame, table[table["level"] == level])


def compare(frame, table):
    """Check that what GDAL read are the rows of a table, with their numbers and states, in CRS84."""
    assert len(frame) == len(table)
    assert frame.crs.to_epsg() == 4326  # as GDAL calls it, with longitude first
    assert set(frame.geometry.dropna().bounds["miny"]) == {40.0}
    assert list(frame["state"]) == list(table["state"])
    for column in ("code", "period", "unit", "tier"):
        assert list(frame[column].astype("str")) == list(table[column]), column
    for column in ("value", "margin", "low", "high"):
        read = frame[column].astype("float64")
        assert list(read.fillna(-1.0)) == list(table[column].astype("float64").fillna(-1.0)), column


def test_the_shown_release_is_opened_once_for_a_request(releases, monkeypatch):
    opened, open_release = [], Site.open_release
    monkeypatch.setattr(Site, "open_release", lambda site, name: opened.append(name) or open_release(site, name))
    application = make_application(releases, "public")
    for path in ("", f"_{small_release.NAME}"):
        assert ask(application, f"{BASE}/collections/encounters_region{path}/items").status == 200
    assert ask(application, f"{BASE}/collections").status == 200
    assert len(opened) == 3


@pytest.mark.parametrize(("tier", "status"), [("partner", 403), ("public", 200)])
def test_layers_of_real_records_of_partners_are_not_handed_out(tmp_path, tier, status):
    small_release.make(tmp_path, tier, invented=False)
    application = make_application(tmp_path, tier)
    for path in ("", "/api", "/collections", "/collections/encounters_region/items"):
        assert ask(application, BASE + path).status == status


@pytest.mark.parametrize(
    ("role", "status"), [(Role.RESEARCHER, 200), (Role.PUBLIC, 200), (Role.PARTNER, 403), (Role.GUEST, 403)]
)
def test_a_role_sees_the_layers_of_its_tier_if_it_may_take_files(releases, monkeypatch, role, status):
    monkeypatch.setenv(PEOPLE, "yes")
    asked = {HEADER: write_header("Zana", role)}
    answer = ask(make_application(releases, "partner"), f"{BASE}/collections/encounters_region/items", **asked)
    assert answer.status == status
    if status == 200:
        tiers = {feature["properties"]["tier"] for feature in answer.json["features"]}
        assert tiers == {"public" if role == Role.PUBLIC else "partner"}


def test_what_governance_does_not_approve_is_not_there(releases, tmp_path):
    small_release.make(tmp_path, "public")
    address = f"{BASE}/collections/communities_region/items"
    assert ask(make_application(tmp_path, "public"), address).status == 200
    (tmp_path / "blocked").write_text("communities")
    application = make_application(tmp_path, "public")
    assert ask(application, address).status == 404
    assert ask(application, f"{BASE}/collections/communities_region_{small_release.NAME}/items").status == 404
    assert "communities" not in json.dumps(ask(application, f"{BASE}/collections").json)


def test_without_a_release_there_are_no_collections(tmp_path):
    application = make_application(tmp_path, "public")
    assert ask(application, f"{BASE}/collections").json["collections"] == []
    assert ask(application, f"{BASE}/api").status == 200
    assert ask(application, f"{BASE}/collections/encounters_region").status == 404


def test_of_a_damaged_release_it_is_said_that_it_cannot_be_read(tmp_path):
    release = small_release.make(tmp_path, "public")
    for function in (items.zip_page, items._read_cells):
        function.cache_clear()
    for path in release.folder.glob("children_*"):
        path.write_bytes(b"x")
    answer = ask(make_application(tmp_path, "public"), f"{BASE}/collections/encounters_region/items")
    assert answer.status == 500
    assert answer.json["description"] == "The release cannot be read."
    assert str(tmp_path) not in answer.body.decode()


def test_a_page_is_made_once_and_sent_compressed_and_no_cache_keeps_it(releases, monkeypatch):
    items.zip_page.cache_clear()
    calls, make = [], items.format_page
    monkeypatch.setattr(items, "format_page", lambda *page: calls.append(page) or make(*page))
    application = make_application(releases, "public")
    address = f"{BASE}/collections/effort_region/items"
    plain, zipped = ask(application, address), ask(application, address, accept_encoding="gzip")
    assert len(calls) == 1
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["vary"] == "Accept-Encoding"
    assert len(zipped.body) < len(plain.body) / 4
    assert zipped.json == plain.json
    assert zipped.headers["cache-control"] == "no-store"


def test_a_page_of_a_new_release_under_the_same_name_is_made_anew(tmp_path):
    small_release.make(tmp_path, "public")
    application = make_application(tmp_path, "public")
    address = f"{BASE}/collections/effort_region/items?limit=1"
    first = ask(application, address).json
    tables = small_release.public()
    tables["effort_region_year"] = tables["effort_region_year"].assign(low=7.0)
    small_release.make(tmp_path, "public", tables=tables)
    second = ask(application, address).json
    assert first["features"][0]["properties"]["low"] != second["features"][0]["properties"]["low"] == 7.0


def test_an_offset_behind_the_end_makes_no_feature(releases, monkeypatch):
    calls = []
    monkeypatch.setattr(items.geojson, "format_feature", lambda *arguments: calls.append(arguments))
    application = make_application(releases, "public")
    answer = ask(application, f"{BASE}/collections/encounters_region/items?offset=999999999&limit=1000")
    assert (answer.status, calls) == (200, [])


def test_few_are_answered_at_once_and_too_many_are_asked_to_come_again(releases, monkeypatch):
    busy, most, work = [0], [0], features._work

    def count(*asked, **settings):
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        try:
            return work(*asked, **settings)
        finally:
            busy[0] -= 1

    monkeypatch.setattr(features, "_work", count)
    application = make_application(releases, "public")

    async def crowd():
        asked = [ask_inside(application, f"{BASE}/conformance") for _ in range(features.WAITING + 20)]
        return await asyncio.gather(*asked)

    answers = asyncio.run(crowd())
    assert sorted(answer.status for answer in answers) == [200] * features.WAITING + [503] * 20
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
    assert most[0] <= features.AT_ONCE


@pytest.mark.slow
@pytest.mark.always("public")
@pytest.mark.parametrize("tier", ["partner", "public"])
def test_the_search_for_leaks_reads_every_answer(releases, tier, tmp_path):
    site = Site(releases, tier)
    current = open_current_release(site)
    files = write_features(current, tmp_path)
    findings, counted = search(current.release, files)
    assert findings == []
    tables = [wide.build_long_table(current.release, layer) for layer in list_layers(current.release)]
    assert counted["cells"] >= sum(map(len, tables)) * 20
    # They are the answers, without the shapes.
    application = make_application(releases, tier)
    for path in files[1:]:
        name, _, number = path.stem.removeprefix("features-").rpartition("-")
        answer = ask(application, f"{BASE}/collections/{name}/items?limit=1000&offset={1000 * (int(number) - 1)}").json
        written = json.loads(path.read_text(encoding="utf-8"))
        assert written["numberMatched"] == answer["numberMatched"]
        assert written["features"] == [{**feature, "geometry": None} for feature in answer["features"]]


@pytest.mark.parametrize(
    ("state", "column", "value"), [("number", "value", 123456.0), ("few", "value", 60.0), ("class", "margin", 3.25)]
)
def test_the_search_for_leaks_finds_a_foreign_number_in_an_answer(
    releases, tmp_path, monkeypatch, state, column, value
):
    current = open_current_release(Site(releases, "public"))
    make = items.geojson.format_feature

    def change(identifier, shape, row):
        return make(identifier, shape, {**row, column: value} if row["state"] == state else row)

    monkeypatch.setattr(items.geojson, "format_feature", change)
    findings, _ = search(current.release, write_features(current, tmp_path))
    assert {finding.cell["column"] for finding in findings} == {column}
    assert {finding.table.partition("-")[0] for finding in findings} == {"features"}


def test_a_page_has_the_columns_of_the_exported_table(releases, tmp_path):
    release = Release.open(releases, "public")
    (table,) = (path for path in export_layers(release, tmp_path, ["csv"], ["effort"]) if path.stem.endswith("effort"))
    header = table.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    answer = ask(make_application(releases, "public"), f"{BASE}/collections/effort_region/items?limit=1").json
    assert list(answer["features"][0]["properties"]) == header
