"""A changed file is not shown: the page, the export and the model say which it is and what to do."""

import shutil
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from dashboard.commands import doctor, risk
from dashboard.map import shapes
from dashboard.site import Site
from dashboard.site.current_release import open_current_release, open_earlier_release
from dashboard.web.page_list import PAGES, RELEASE_PAGES
from data.errors import ReleaseDamaged
from data.release import MANIFEST, Release, names
from data.tables.spec import TIERS
from tests.dashboard.test_server import start, stop
from tests.helpers import pages
from tests.helpers.conversation import open_page
from tests.helpers.manifests import edit_manifest

WRONG = 777_777


@pytest.fixture(scope="module")
def spoiled(demo_world, tmp_path_factory):
    """Return a copy of the demo world in which all values of all tables are another number."""
    world = shutil.copytree(demo_world, tmp_path_factory.mktemp("damage") / "world")
    for path in [*world.glob("releases/*/*/*.parquet"), *world.glob("derived/*/*/*.parquet")]:
        table = pq.read_table(path)
        for number, name in enumerate(table.column_names):
            if name in ("value", "reconciled", "median"):
                kind = table.schema.field(name).type
                table = table.set_column(number, name, pa.array([WRONG] * len(table)).cast(kind))
        if path.stem != "areas":
            pq.write_table(table, path)
    return world


@pytest.fixture
def serve(tmp_path):
    """Yield a function that starts a web process for a world and a tier."""
    running = []

    def start_process(world, tier):
        arguments = ["--derived", str(world / "derived"), "--tier", tier]
        running.append(start(world / "releases", tmp_path / "seen", *arguments))
        return running[-1].url

    yield start_process
    for served in running:
        stop(served)


@pytest.mark.slow
def test_a_page_shows_no_number_of_a_changed_table_and_names_the_file(serve, spoiled):
    url = serve(spoiled, "partner")
    for entry in RELEASE_PAGES:
        shown = open_page(url, entry.address)
        assert "777" not in shown.text, entry
        errors = " ".join(shown.errors).replace("\\", "")
        assert "was changed or damaged after it was checked" in errors, entry
        assert "parquet is damaged or was changed" in errors
        assert "from a copy" in errors or "tact risk" in errors
        assert "Streamlit Cloud" not in errors


@pytest.mark.long
def test_a_reader_of_the_public_tier_is_told_whom_to_tell_and_no_path(serve, spoiled):
    url = serve(spoiled, "public")
    for entry in RELEASE_PAGES:
        shown = open_page(url, entry.address)
        errors = " ".join(shown.errors)
        assert "Tell who runs the map" in errors or entry.module == "reallocate", "which is for partners alone"
        assert "777" not in shown.text
        assert str(spoiled) not in shown.text + errors


@pytest.mark.long
@pytest.mark.parametrize("tier", TIERS)
def test_a_changed_manifest_closes_every_page_with_a_message(serve, demo_world, tmp_path, tier):
    world = shutil.copytree(demo_world, tmp_path / "world")
    for path in world.glob(f"releases/*/*/{MANIFEST}"):
        path.write_text(path.read_text("utf-8").replace('"k": ', '"k": 1'), encoding="utf-8")
    url = serve(world, tier)
    for entry in PAGES:
        (error,) = open_page(url, entry.address).errors
        assert {"partner": "datapackage", "public": "Tell who runs the map"}[tier] in error


@pytest.fixture
def two_releases(scored, tmp_path):
    """Return a folder with two releases, the newer with the results of the model, and their names, newest first."""
    releases = shutil.copytree(scored.releases, tmp_path / "releases")
    (newer,) = names(releases)
    shutil.copytree(releases / newer, releases / "2000-01-001")
    for path in (releases / "2000-01-001").glob(f"*/{MANIFEST}"):
        with edit_manifest(path) as described:
            described["tact"] |= {"sequence": 0, "release": "2000-01-001"}
            described["created"] = "2000-01-01T00:00:00Z"
    assert names(releases) == [newer, "2000-01-001"]
    return releases, names(releases)


@pytest.mark.long
@pytest.mark.parametrize("tier", TIERS)
def test_a_damaged_release_that_is_not_shown_closes_no_page(monkeypatch, scored, two_releases, tier):
    releases, (newer, older) = two_releases
    shown = open_current_release(Site(releases, tier))
    assert open_earlier_release(Site(releases, tier), shown).release.name == older
    for name, other in ((older, newer), (newer, older)):
        damaged = [(path, path.read_bytes()) for path in (releases / name).glob(f"*/{MANIFEST}")]
        for path, whole in damaged:
            path.write_bytes(whole.replace(b'"k": ', b'"k": 1'))
        (releases / "current").write_text(f"{other}\n")
        assert open_earlier_release(Site(releases, tier), open_current_release(Site(releases, tier))) is None
        assert names(releases) == [other, name]
        for page in ("overview", "trends"):
            test = pages.open_page(monkeypatch, scored, page, tier, releases=releases)
            assert not test.error
            assert pages.read_text(test)
        problems = doctor._release_problems(releases)
        assert len(problems) == len(damaged) == 2
        assert all("is damaged or was changed" in problem for problem in problems)
        for path, whole in damaged:
            path.write_bytes(whole)


def test_forecasts_are_not_judged_without_an_earlier_release_that_is_damaged(monkeypatch, two_releases):
    releases, (newer, older) = two_releases
    monkeypatch.setattr(risk, "_open", lambda _workspace, tier, name: Release.open(releases, tier, name))
    workspace, opened = SimpleNamespace(releases=releases), Release.open(releases, "partner", newer)
    assert len(risk._earlier(workspace, opened)) == 1
    for tier in ("public", "partner"):  # the model reads that of partners alone
        path = releases / older / tier / MANIFEST
        path.write_bytes(path.read_bytes().replace(b'"k": ', b'"k": 1'))
        if tier == "public":
            assert len(risk._earlier(workspace, opened)) == 1
    with pytest.raises(ReleaseDamaged):
        risk._earlier(workspace, opened)


def test_a_fault_that_nobody_expected_is_said_in_the_words_of_the_product(monkeypatch):
    test = AppTest.from_string(
        "from dashboard.web.navigation import show_error\nassert show_error(ValueError('/home/officer/vault'))"
    )
    monkeypatch.setenv("TACT_RELEASES", "/nowhere")
    (error,) = test.run().error
    assert error.value.startswith("This page has a fault")
    assert "officer" not in error.value


def test_the_export_and_the_model_stop_with_the_file_and_the_remedy(tact, spoiled, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(spoiled.parent))
    for words in (["export", "--to", tmp_path, "--format", "csv"], ["risk"], ["plan", "draft", tmp_path / "plan.toml"]):
        answer = tact("--workspace", spoiled, *words, "--json")
        assert (answer.code, answer.json["error"]) == (5, "ReleaseDamaged"), answer.out
        assert "is damaged or was changed" in answer.json["message"]
    assert not list(tmp_path.glob("*.csv"))
    doctor = tact("--workspace", spoiled, "doctor", "--json")
    assert doctor.code == 7
    assert doctor.out.count("is damaged or was changed") > 100


def test_shapes_of_changed_areas_are_not_sent(demo_world, tmp_path):
    world = shutil.copytree(demo_world / "releases", tmp_path / "releases")
    release = Release.open(world, "partner")
    checksum = release.areas_checksum
    raw = bytearray(release.areas_file.read_bytes())
    raw[len(raw) // 2] ^= 1
    release.areas_file.write_bytes(raw)
    (level,) = (route for route in shapes.make_routes(Site(world, "partner")) if "{checksum}" in route.path)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    answer = level.endpoint(Request(scope | {"path_params": {"checksum": checksum, "level": "region"}}))
    assert (answer.status_code, answer.body) == (500, b"The release cannot be read.\n")
