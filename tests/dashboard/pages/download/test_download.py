"""The Download page: every offered file can be made, and an address opens the same choice."""

import io
import re
import zipfile
from xml.etree import ElementTree as ET

import pyogrio
import pytest
from pyproj import CRS
from streamlit.testing.v1 import AppTest

from dashboard.pages.download import atlas, files, live, report
from dashboard.site import Site, reader
from dashboard.site.current_release import open_current_release
from dashboard.site.reader import HEADER, write_header
from dashboard.site.text import LANGUAGE_NAMES, translate_into
from dashboard.web.admission import find_right
from dashboard.web.features.collection import list_of_release
from dashboard.web.features.items import read_cells
from dashboard.widgets.page_frame import OF_PAGE
from data.accounts.database import Accounts
from data.accounts.rights import ROLES, Right, Role
from data.accounts.tokens import find_holder
from data.disclosure.attacks import surface
from data.disclosure.policy import Policy
from data.reference import registry
from geo import export
from geo.export.standards import STANDARDS
from geo.layers import LAYERS, find_conflict, find_layer
from geo.layers.output import columns, terms
from tests.helpers import checked_release, small_release
from tests.helpers.accounts import hash_cheaply, take_in
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import count_words, open_page, read_unfolded, speak_on_pages
from tests.helpers.repetitions import vary
from tests.helpers.small_release import HOSTILE

# The release is written by hand, and no model was fitted to it.
ALL = tuple(layer.id for layer in LAYERS if layer.id not in ("risk", "access"))


def page():
    from dashboard.pages import download

    download.show()


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    hostile = (
        "AL-01",
        "2011-01-01/P1Y",
        "roma",
        7.0,
        None,
        f"![x](http://x.example/) {HOSTILE}",
        2011,
        "read",
        HOSTILE,
    )
    for tier in ("partner", "public"):
        small_release.make(folder, tier, more_figures=[hostile])
    return folder


@pytest.fixture
def app(releases, monkeypatch):
    def run(tier="partner", **address):
        monkeypatch.setenv("TACT_RELEASES", str(releases))
        monkeypatch.setenv("TACT_TIER", tier)
        test = AppTest.from_function(page, default_timeout=60)
        for name, value in address.items():
            test.query_params[name] = value
        return test.run()

    return run


@pytest.fixture
def partner(releases):
    return open_current_release(Site(releases, "partner"))


def markup(test):
    return " ".join(element.proto.body for element in test.get("html"))


def offers(test):
    """Return the offered files of layers; the atlas, the tables for a standard and the citation stand apart."""
    apart = {"atlas", "tables", "citation"}
    return [button for button in test.get("download_button") if not apart & set(button.proto.label.split())]


@pytest.mark.long
def test_the_atlas_is_offered_whole_and_that_of_communities_apart(app, partner):
    labels = [button.proto.label for button in app(layers="effort").get("download_button")]
    assert labels[1:3] == ["Download the atlas", "Download the atlas of communities"]
    first, _ = (atlas._make_once(partner, names, "sq") for names in split(partner))
    assert first.startswith(b"<!DOCTYPE html>\n<html lang=sq>")


@pytest.mark.long
def test_the_tables_of_a_standard_come_in_one_file_with_words_in_the_readers_language(app, partner):
    test = app(layers="effort")
    assert "Download the tables in a ZIP file" in [button.proto.label for button in test.get("download_button")]
    assert len(test.selectbox(key="report-standard").options) == len(STANDARDS)
    with zipfile.ZipFile(io.BytesIO(report.make_report(partner, "htcds", "sq"))) as packed:
        names = packed.namelist()
        text, table = (
            packed.read(next(n for n in names if n.endswith(end))).decode() for end in ("README.txt", "htcds-stage.csv")
        )
    assert all("-partner-invented-htcds" in name for name in names)
    assert "Mos i mblidhni rreshtat" in text
    assert "vic_TraffickingStatus,PossibleVictimOfTrafficking" in table


def test_the_records_for_catalogues_come_in_one_file(partner):
    with zipfile.ZipFile(io.BytesIO(files.pack_records(partner.release))) as packed:
        endings = [name.rpartition("-")[2] for name in packed.namelist()]
    assert endings == ["CITATION.cff", "citation.bib", "dcat.jsonld", "iso19115.xml"]


@pytest.mark.slow
def test_no_tables_are_offered_if_no_children_of_countries_are_counted(tmp_path, monkeypatch):
    small_release.make(tmp_path, "public", tables={"effort_region_year": small_release.public()["effort_region_year"]})
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", "public")
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception
    assert "Standard" not in [box.label for box in test.selectbox]


def split(current):
    return [tuple(layer.id for layer in layers) for layers in export.split_layers(current.release)]


@pytest.mark.slow
def test_everything_is_offered_at_first(app):
    test = app()
    assert not test.exception
    assert test.get("button_group")[0].value == list(ALL)
    assert test.radio[0].value == "gpkg"
    assert len(offers(test)) == 1


@pytest.mark.long
@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_the_page_says_little_and_folds_the_rest(scored, monkeypatch, tier, language):
    speak_on_pages(monkeypatch, language)
    test = open_page(monkeypatch, scored, "download", tier)
    assert 100 < count_words(read_unfolded(test)) <= 250
    assert len(test.expander) == 4


@pytest.mark.slow
@pytest.mark.parametrize(("tier", "handed_out"), [("partner", False), ("public", True)])
def test_partner_files_of_real_records_are_written_by_the_command_that_notes_for_whom(
    tmp_path, monkeypatch, tier, handed_out
):
    small_release.make(tmp_path, tier, invented=False)
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", tier)
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception
    assert bool(test.get("download_button")) is handed_out
    for command in ("export", "atlas", "report"):
        assert any(f"tact {command} --tier partner --for" in c.value for c in test.code) is not handed_out


def test_an_address_opens_its_choice(app):
    test = app(format="xlsx", layers="effort,population")
    assert test.radio[0].value == "xlsx"
    assert test.get("button_group")[0].value == ["effort", "population"]


@pytest.mark.parametrize("address", [{"format": "exe"}, {"layers": "risks"}, {"layers": HOSTILE}])
def test_an_address_that_makes_no_sense_opens_the_page_all_the_same(app, address):
    test = app(**address)
    assert not test.exception
    assert test.radio[0].value == "gpkg"


@pytest.mark.slow
def test_a_changed_choice_stays_and_stands_in_the_address(app):
    test = app()
    for kind in ("csv", "geojson", "csv"):
        test.radio[0].set_value(kind).run()
        assert test.radio[0].value == kind
        assert test.query_params["format"] in (kind, [kind])


@pytest.mark.slow
def test_without_a_layer_the_page_says_what_to_do_and_goes_on_from_there(app):
    test = app(layers="effort")
    test.get("button_group")[0].set_value([]).run()
    assert not test.exception
    assert not offers(test)
    assert [(b.label, b.disabled) for b in test.button] == [("Download GeoPackage", True)]
    assert any("No layer is chosen" in c.value for c in test.caption)
    assert "layers" not in test.query_params
    test.radio[0].set_value("csv").run()
    test.get("button_group")[0].set_value(["services"]).run()
    assert not test.exception
    assert test.query_params["layers"] in ("services", ["services"])
    assert len(offers(test)) == 1


@pytest.mark.slow
def test_tier_licence_states_and_citation_are_on_the_page(app):
    test = app("public")
    text = markup(test)
    for words in (
        "Public tier",
        "CC-BY-4.0",
        "Approximate boundaries",
        "fewer than 11, possibly none",
        "no published figure",
    ):
        assert words in text
    assert test.code[-1].value.startswith("TACT Map, release 2008-05-001, public tier (invented data")


def test_hostile_text_is_escaped(app):
    test = app(layers="roma_figures,effort")
    assert HOSTILE not in markup(test)
    assert not [m for m in test.markdown if HOSTILE in m.value or "x.example" in m.value]


def test_without_a_release_the_page_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception
    assert "There is no release to show yet" in markup(test)


@pytest.mark.long
@pytest.mark.parametrize("kind", [form.id for form in files.FORMATS])
def test_what_is_offered_is_what_is_made(partner, kind):
    offer = files.make_offer(partner, kind, ALL)
    assert offer.name == f"tact-2008-05-001-partner-invented-{kind}.zip"
    with zipfile.ZipFile(io.BytesIO(offer.make())) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) > 1


@pytest.mark.slow
def test_one_file_comes_as_it_is(partner, tmp_path):
    offer = files.make_offer(partner, "gpkg", ("encounters", "services"))
    assert offer.name == "tact-2008-05-001-partner-invented.gpkg"
    path = tmp_path / offer.name
    path.write_bytes(offer.make())
    assert "encounters_region" in pyogrio.list_layers(path)[:, 0]


def test_published_figures_alone_are_not_called_invented(partner):
    assert files.make_offer(partner, "gpkg", ("population",)).name == "tact-2008-05-001-partner.gpkg"


def test_a_file_is_made_once(partner):
    offer = files.make_offer(partner, "csv", ("effort",))
    assert offer.make() is offer.make()


@pytest.mark.slow
@vary("tier", ["partner", "public"])
def test_files_of_a_package_keep_apart_what_may_not_stand_together(releases, tier, tmp_path):
    current = open_current_release(Site(releases, tier))
    with zipfile.ZipFile(
        io.BytesIO(files.make_offer(current, "gpkg", tuple(files.list_layers(current.release))).make())
    ) as archive:
        archive.extractall(tmp_path)
    for path in nonempty(tmp_path.glob("*.gpkg")):
        maps = {n.rpartition("_")[0] for n, kind in pyogrio.list_layers(path) if kind}
        assert not find_conflict(tier, maps)


def test_states_that_occur_are_explained(partner):
    states = files.tabulate_states(partner.release)
    assert not states.isna().any(axis=None)
    assert "number" in set(states["State"])
    assert "few" not in set(states["State"]), "small numbers show on this tier"


def test_the_first_rows_say_of_when_they_are(partner):
    assert set(files.preview_layer(partner.release, "encounters")["Period"]) == {"Jun 2006 to May 2008"}
    figures = files.preview_layer(partner.release, "population")
    assert {"2023"} <= set(figures["Period"]) <= {"2021", "2023"}


def test_what_is_in_it_names_choices_as_people_write_them(partner):
    rows = files.tabulate_contents(partner.release, ALL).set_index("Layer")
    assert rows.loc["Children identified or met", "Also by"] == "pathway"
    assert rows.loc["Communities", "Also by"] == "Roma; Egyptian; Roma and Egyptian together"
    assert rows.loc["Outreach", "Also by"] == "—"
    assert rows.loc["Population", "Whose numbers"] == "published figures, real"


@pytest.mark.parametrize(("language", "licence", "boundaries"), [("sq", "Sipas marrëveshjes", "Kufij të përafërt:")])
def test_licence_and_credit_of_the_boundaries_are_in_the_readers_language(
    app, monkeypatch, language, licence, boundaries
):
    monkeypatch.setattr(terms, "find_licence", lambda _release: "Under agreement")
    monkeypatch.setattr(terms, "describe_boundaries", lambda _release: terms.USUAL_BOUNDARIES)
    speak_on_pages(monkeypatch, language)
    text = markup(app("partner"))
    assert licence in text
    assert boundaries in text
    assert "Under agreement" not in text
    assert "Approximate boundaries" not in text


def test_the_usual_credit_and_licence_are_those_of_registry_and_policy():
    """The catalogue translates the words that a release states, not words like them."""
    stated = [source.credit for source in registry() if source.file == "municipalities.geojson"]
    assert terms.USUAL_BOUNDARIES in stated
    assert Policy().partner_licence.capitalize() == terms.USUAL_LICENCE


@pytest.mark.parametrize(
    ("tier", "people", "shown"),
    [("public", "", True), ("public", "x", True), ("partner", "x", True), ("partner", "", False)],
)
def test_the_address_for_qgis_is_said_where_programs_get_in(tmp_path, monkeypatch, tier, people, shown):
    small_release.make(tmp_path, tier)
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", tier)
    current = open_current_release(Site(tmp_path, tier))
    with_tokens, captions = [], []
    monkeypatch.setattr(live, "show_tokens", with_tokens.append)
    if people:
        monkeypatch.setenv("TACT_PEOPLE", people)
        monkeypatch.setattr(live, "may_download", lambda release: True)
    monkeypatch.setattr(live.st, "caption", captions.append)
    live.show_address(current)
    assert [words.partition("`")[2] for words in captions] == (["/features`"] if shown else [])
    assert bool(with_tokens) == bool(people)
    assert live.make_address("http://a`b](x)/download") == "/features"
    assert live.make_address("https://map.example.org/download?layers=effort") == "https://map.example.org/features"
    assert live.make_address("http://127.0.0.1:8642/download") == "http://127.0.0.1:8642/features"


def test_a_token_is_shown_until_it_is_hidden_and_ended_where_it_is_listed(tmp_path, monkeypatch):
    """In a page of its own, with a reader whom the door has let in."""
    hash_cheaply(monkeypatch)
    accounts = Accounts.open_or_create(tmp_path / "accounts.sqlite")
    take_in(accounts, "Ilir", "researcher")
    monkeypatch.setenv("TACT_PEOPLE", str(accounts.path))
    monkeypatch.setattr(reader, "_finders", [lambda: {HEADER: write_header("Ilir", Role.RESEARCHER)}])
    script = "from dashboard.pages.download import live\nlive.show_tokens(live.find_accounts())"
    test = AppTest.from_string(script).run()
    test.button[0].click().run()
    assert "Name the token" in test.error[0].value
    test.text_input(key="token-title").set_value("QGIS [x](y)")
    test.button[0].click().run()
    bearer = test.code[0].value
    assert find_holder(accounts, bearer.removeprefix("Bearer ")).name == "Ilir"
    assert "QGIS" in test.markdown[0].value
    assert "[x](y)" not in test.markdown[0].value
    test.button[1].click().run()
    assert len(test.code) == 0
    test.button[1].click().run()
    assert not test.exception
    assert len(test.button) == 1
    assert find_holder(accounts, bearer.removeprefix("Bearer ")) is None


def test_where_people_sign_in_the_file_for_qgis_names_what_it_sends_and_holds_no_token(partner):
    for needs_token in (False, True):
        text = live.make_file("qlr", partner, "https://map.test/features", "en", needs_token=needs_token).decode()
        assert ("authcfg=&#x27;tactmap&#x27;" in text) == needs_token


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_the_layers_for_qgis_explain_their_columns_in_the_language_of_the_reader(partner, language, tmp_path):
    file = live.make_file("qlr", partner, "https://map.test/features", language)
    (tmp_path / "layers.qlr").write_bytes(file)
    assert surface.search(partner.release, [tmp_path / "layers.qlr"])[0] == []
    root = ET.fromstring(file)
    about = {layer.findtext("id"): layer.findtext("resourceMetadata/abstract") for layer in root.iter("maplayer")}
    lines = about["tact_encounters_region"].splitlines()
    assert (
        f"state: {translate_into(language, columns.list_meanings(find_layer('encounters'), ['state'])[0][1])}" in lines
    )
    assert {"code", "value", "of", "noisy"} <= {line.partition(":")[0] for line in lines}
    assert not any(line.startswith("geometry:") for line in lines)


@pytest.mark.parametrize("ending", ["qlr", "qgz"])
def test_the_files_for_qgis_point_at_collections_that_there_are_and_show_each_area_once(partner, ending):
    """XML, names of collections and conditions are checked here; both were opened by hand in QGIS 3.40."""
    content = live.make_file(ending, partner, "https://map.test/features", "sq")
    if ending == "qgz":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.namelist() == ["tact.qgs"]
            content = archive.read("tact.qgs")
    root = ET.fromstring(content)
    collections = {collection.id: collection for collection in list_of_release(partner)}
    ids, seen, timed = [], set(), set()
    for layer in root.iter("maplayer"):
        source, condition = layer.findtext("datasource"), layer.find("renderer-v2/rules/rule").get("filter")
        name = re.search("typename='([^']+)'", source)[1]
        assert "url='https://map.test/features'" in source
        assert layer.findtext("provider") == "OAPIF"
        assert CRS(layer.findtext("srs/spatialrefsys/wkt")) == CRS("OGC:CRS84")  # by its name alone QGIS knows none
        ids.append(layer.findtext("id"))
        frame = read_cells(collections[name]).frame
        for column, value in re.findall(r"\"([^\"]+)\" = '([^']*)'", condition):
            frame = frame[frame[column] == value]
        if layer.find("temporal") is not None:
            frame = frame[frame["period"].str.endswith(re.search("LIKE '%([^']+)'", condition)[1])]
            assert not frame.duplicated(["code", "period"]).any(), (name, condition)
            assert frame["period"].nunique() > 1
            timed.add(name)
        elif not collections[name].layer.of_figures:
            assert frame["code"].is_unique, (name, condition)
        assert len(frame), (name, condition)
        seen.add(name)
    assert seen == collections.keys()
    assert {"encounters_region", "effort_region"} <= timed
    assert ids[0].endswith("_outline")
    assert len(set(ids)) == len(ids)
    assert [entry.get("id") for entry in root.iter("layer-tree-layer")] == ids
    shown = [entry.get("id") for entry in root.iter("layer-tree-layer") if entry.get("checked") == "Qt::Checked"]
    assert shown == ids[:2]
    assert "Fëmijë të identifikuar ose të takuar: Qark ose rajon" in [
        m.findtext("layername") for m in root.iter("maplayer")
    ]


@pytest.mark.slow
def test_a_table_of_the_reader_is_checked_and_the_answer_says_what_to_change(tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_RELEASES", str(checked_release.make(tmp_path)))
    monkeypatch.setenv("TACT_TIER", "partner")
    test = AppTest.from_function(page, default_timeout=60).run()
    assert test.file_uploader[0].label == "Your table (CSV or XLSX)"
    table = b"area,2006/07\nAL-02,48\nAL-04,24\n"
    for content, box, words in (
        (table, "success", "table.csv\\: You may publish"),
        (b"area,2006/07\nAL-02,48\nAL-04,24\nAL-01,6\nAL-11,90\n", "warning", "Do not publish"),
        (b"area,2006/07\nAL-02,48\nAL-04,24\nAL-01,0\n", "error", "Do not publish"),
        (b"\xff", "error", "UTF-8"),
    ):
        test.file_uploader[0].set_value(("table.csv", content, "text/csv")).run()
        assert words in getattr(test, box)[0].value
        # Of a table before it nothing is left.
        assert (f"{OF_PAGE}check-answer" in test.session_state) == (content != b"\xff")
    test.file_uploader[0].set_value(("table.csv", table, "text/csv")).run()
    test.file_uploader[0].set_value(("picture.png", b"\x89PNG", "image/png")).run()
    assert "picture.png is no CSV or XLSX file" in test.error[0].value
    assert not test.success


@pytest.mark.long
@pytest.mark.parametrize("role", [role for role in Role if Right.SEE_PARTNER in ROLES[role]])
def test_a_table_is_asked_for_where_its_reader_can_give_one(tmp_path, monkeypatch, role):
    monkeypatch.setenv("TACT_RELEASES", str(checked_release.make(tmp_path)))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setenv(reader.PEOPLE, str(Accounts.open_or_create(tmp_path / "accounts.sqlite").path))
    for countries, asks in (((), find_right("/_stcore/upload_file/x/y") in ROLES[role]), (("AL",), False)):
        monkeypatch.setattr(reader, "_finders", [lambda to=countries: {HEADER: write_header("Zana", role, to)}])
        test = AppTest.from_function(page, default_timeout=60).run()
        assert not test.exception
        assert bool(test.file_uploader) == asks


@pytest.mark.slow
def test_the_public_tier_asks_for_no_table_and_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("TACT_RELEASES", str(checked_release.make(tmp_path)))
    monkeypatch.setenv("TACT_TIER", "public")
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.file_uploader
    assert "tact check TABLE" in [code.value for code in test.code]
