"""Who was invited for one country sees no row, number, name or shape of the other: on pages, in files and answers."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

from dashboard.map import shapes
from dashboard.site import LIMITED, Site, current_release, reader
from dashboard.site.reader import HEADER, PEOPLE, Reader, read_as, write_header
from dashboard.web import bar, features, navigation, pictures
from dashboard.web.agenda.state import find_store
from dashboard.web.navigation import PAGES
from dashboard.web.views import may_see
from data.accounts.database import Accounts
from data.accounts.rights import ROLES, Role
from data.release import Release
from geo import export
from tests.helpers import small_release
from tests.helpers.asgi import ask
from tests.helpers.pages import open_page

ALBANIA = frozenset({"AL"})
HEADERS = {HEADER: write_header("Zana", Role.RESEARCHER, ALBANIA)}
ZANA = Reader("Zana", ROLES[Role.RESEARCHER], ALBANIA)


@pytest.fixture(autouse=True)
def limited(monkeypatch, tmp_path):
    monkeypatch.setenv(PEOPLE, str(Accounts.open_or_create(tmp_path / "accounts" / "accounts.sqlite").path))
    monkeypatch.setattr(reader, "_finders", [lambda: HEADERS])


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    return small_release.make_both(tmp_path_factory.mktemp("limited"))


@pytest.fixture(scope="module")
def outside(scored):
    """Return codes and names of the areas of the other country, as they stand in pages and files."""
    release = Release.open(scored.releases, "partner")
    table = current_release.load_areas(release).table
    other = table[(table["country"] == "GR") & (table["level"] == "region")]
    return {*other.index, *other["name_en"], *other["name_local"]}


def read_all(test):
    def walk(block):
        for child in block.children.values():
            if hasattr(child, "children"):
                yield from walk(child)
            else:
                yield str(child.proto)

    words = " ".join(walk(test._tree))
    # Text that is no ASCII is written byte by byte.
    return words.encode().decode("unicode_escape").encode("latin-1", "replace").decode("utf-8", "replace")


@pytest.mark.parametrize("page", sorted(LIMITED))
@pytest.mark.slow
def test_a_page_has_no_word_of_the_other_country(monkeypatch, scored, outside, page):
    words = ""
    for address in ({}, {"area": "AL-11"}):
        words = read_all(open_page(monkeypatch, scored, page, **address))
        assert [word for word in outside if word in words] == []
    assert "Tirana" in words or page == "download"
    assert "tact risk" not in words, "the reader of a part cannot mend that the model is outside of it"
    if page == "situation":
        monkeypatch.delenv(PEOPLE)
        whole = read_all(open_page(monkeypatch, scored, page, area="GR-I"))
        assert any(word in whole for word in outside), "the search finds what is there"


def test_every_other_page_says_that_it_is_outside(scored, monkeypatch):
    site = Site(scored.releases, "partner", scored.derived)
    mine = site.narrow(ZANA)
    assert (mine.derived, mine.countries) == (None, ALBANIA)
    assert {page.module for page in PAGES if mine.covers(page.module)} == LIMITED
    assert all(site.covers(page.module) for page in PAGES)
    calls = []
    entry = next(page for page in PAGES if page.module == "risk")
    monkeypatch.setattr(navigation, "follow_headers", lambda _find: None)
    monkeypatch.setattr(navigation, "_show_frame", lambda *_: None)
    monkeypatch.setattr(navigation, "_load_show", lambda _module: lambda: calls.append("shown"))
    monkeypatch.setattr(navigation, "read_site", lambda: mine)
    run = SimpleNamespace(run=lambda: calls.append("shown"))
    monkeypatch.setattr(
        navigation,
        "st",
        SimpleNamespace(
            Page=lambda *_a, url_path, **_k: run if url_path == entry.address else None,
            navigation=lambda pages, **_k: run,
            session_state={},
            context=SimpleNamespace(headers=HEADERS),
        ),
    )
    monkeypatch.setattr(navigation, "show_outside", lambda: calls.append("outside"))
    navigation.run_page()
    assert calls == ["outside"]


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_tables_areas_and_the_manifest_hold_the_own_country_alone(releases, tier):
    whole = Site(releases, tier).release()
    mine = Site(releases, tier).narrow(ZANA).release()
    assert mine.checksum != whole.checksum
    assert mine.outside >= {"GR", "GR-A", "GR-I", "9224"}
    for name in mine.tables:
        table = mine.table(name)
        assert not table.isin(mine.outside).any().any(), name
        assert len(table) < len(whole.table(name)) or not len(table), name
    assert set(current_release.load_areas(mine).table["country"]) == ALBANIA
    assert "GR-" not in json.dumps(mine.manifest)


def test_what_is_kept_for_one_reader_is_not_shown_to_another(releases):
    partner, public = Site(releases, "partner"), Site(releases, "public")
    sites = (partner, partner.narrow(ZANA), public, public.narrow(ZANA))
    opened = [current_release.open_current_release(site) for site in sites]
    assert len(set(opened)) == 4, "the key of every cache"
    for _visit in range(2):
        names = [bar.list_area_names(current) for current in opened]
        bars = [str(bar.render_bar(*both, [], (), has_areas=True)) for both in zip(sites, opened, strict=True)]
        assert ["GR-I" in shown for shown in names] == [True, False, True, False]
        assert ['value="GR-I"' in drawn for drawn in bars] == [True, False, True, False]
        assert ["Partner tier" in drawn for drawn in bars] == [True, True, False, False]


@pytest.mark.slow
def test_files_have_no_word_of_the_other_country(releases, tmp_path):
    mine = Site(releases, "partner").narrow(ZANA).release()
    files = export.export_layers(mine, tmp_path, ("csv", "geojson"))
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    assert any("AL-11" in text for text in texts.values())
    for file, text in texts.items():
        assert not [word for word in ("GR-I", "GR-A", "Attica", "Piraeus", "Ελλάδα") if word in text], file


@pytest.mark.slow
def test_routes_answer_with_the_own_country_alone(releases):
    site = Site(releases, "partner")
    routes = [*features.make_routes(site, is_encrypted=False), *shapes.make_routes(site), *pictures.make_routes(site)]
    application = Starlette(routes=routes)
    whole, mine = site.release(), site.narrow(ZANA).release()
    collections = ask(application, "/features/collections", **HEADERS).json["collections"]
    assert collections
    paths = [f"/features/collections/{collection['id']}/items" for collection in collections]
    paths += [f"/geometry/{mine.areas_checksum[:16]}/{level}.json" for level in ("country", "region", "municipality")]
    paths += ["/geometry/find.json?name=Attica", "/picture/situation.svg?area=GR-I", "/picture/trends.svg"]
    for path in paths:
        answer = ask(application, path, **HEADERS)
        assert answer.status in (200, 404), path
        assert not [word for word in (b"GR-I", b"GR-A", b"Attica", b"Piraeus") if word in answer.body], path
        assert answer.status == 200 or path.startswith("/picture"), path
    assert ask(application, f"/geometry/{whole.areas_checksum[:16]}/region.json", **HEADERS).status == 404
    assert ask(application, "/geometry/shipped/region.json", **HEADERS).status == 404
    assert mine.areas_checksum[:16] in ask(application, "/geometry/current/region.json", **HEADERS).headers["location"]
    for page in ("overview", "risk", "reallocate"):
        assert ask(application, f"/picture/{page}.svg", **HEADERS).status == 404


@pytest.mark.parametrize(
    ("view", "is_told"),
    [("map?area=AL-11", True), ("map?area=GR-I", False), ("trends?beside=GR-I", False), ("risk", False), ("", False)],
)
def test_a_meeting_leads_nobody_outside(releases, view, is_told):
    site = Site(releases, "partner")
    assert may_see(site, ZANA, view) == is_told
    assert may_see(site, Reader("Mira", ROLES[Role.RESEARCHER]), view)


def test_agendas_are_outside(releases, monkeypatch):
    monkeypatch.setenv(PEOPLE, str(releases / "accounts.sqlite"))
    assert find_store(Site(releases, "partner")) is None
    with read_as(Reader("Mira", ROLES[Role.PARTNER])):
        assert find_store(Site(releases, "partner")) is not None


def test_whoever_has_no_limit_sees_the_whole_site(releases):
    site = Site(releases, "partner", releases)
    assert site.narrow(Reader("Mira", ROLES[Role.PARTNER])) == site


def test_shapes_within_a_limit_are_written_again_where_the_system_removed_its_temporary_files(releases):
    release = replace(Release.open(releases, "partner"), countries=ALBANIA)
    removed = release.areas_file
    shutil.rmtree(removed.parent)
    assert release.areas_file.parent != removed.parent, "somebody else may have taken the name"
    assert set(current_release.read_areas(release.areas_file).table["country"]) == ALBANIA
