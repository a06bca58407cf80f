"""Pictures are handed out as files are: for the pages that have one, and never of real partner records."""

import re
from contextlib import ExitStack
from html import unescape
from xml.etree import ElementTree as ET

import pytest
import vl_convert
from starlette.requests import Request

from dashboard.briefing import sheet, typeset
from dashboard.briefing.sheet import draw_sheet, render_sheet
from dashboard.narrative import evaluation
from dashboard.pages.trends import summary as trends_summary
from dashboard.site import Site
from dashboard.site.current_release import open_current_release
from dashboard.site.file_places import PLACES
from dashboard.web import bar, pictures
from dashboard.web.bar import list_area_names
from dashboard.web.pictures import MAKERS, answer_picture, has_picture, make_routes, make_sheet, write_pictures
from dashboard.widgets import address
from data.disclosure.attacks.surface import search
from data.tables.spec import TIERS
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import open_page


@pytest.fixture(scope="module")
def site(scored):
    return Site(scored.releases, "partner", derived=scored.derived)


@pytest.mark.always("risk")
@pytest.mark.slow
@pytest.mark.parametrize("page", MAKERS)
def test_a_picture_comes_as_a_file_in_the_language_of_the_address(site, page):
    answer = answer_picture(site, page, "svg", {"layer": "risk", "lang": "el", "area": "GR-I"})
    name = "map" if page == "situation" else page
    assert answer.status_code == 200
    assert answer.media_type == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="tact-')
    assert disposition.endswith(f'-{name}.svg"')
    text = answer.body.decode()
    assert "Αττική" in text
    assert 'lang="el"' in text


def read_words(svg):
    return squeeze("".join(ET.fromstring(svg).itertext()))


def squeeze(text):
    """Return a text without spaces: a picture breaks its lines anywhere."""
    return re.sub(r"\s+", "", text)


@pytest.mark.slow
@pytest.mark.parametrize("page", MAKERS)
def test_a_picture_says_what_its_page_says_and_where_its_numbers_come_from(site, page):
    current = open_current_release(site)
    with address.follow({}):
        content = MAKERS[page](site, current)
    words = read_words(answer_picture(site, page, "svg", {}).body)
    assert any("release 2009" in note for part in content.legend for note in part.notes)
    assert content.sentences or page == "situation"
    for sentence in (content.title, *content.sentences, "Partner tier", "Invented data", "TACT Map, release"):
        assert squeeze(sentence) in words


def list_first_words(test):
    """Return the sentences that a page says first: what it warns of, and its answer."""
    bodies = " ".join(element.proto.body for element in test.get("html"))
    matches = re.findall(r'(?:<p class="lead">|<div class="finding"><h1>)(.*?)(?:</p>|</h1>)', bodies)
    leads = [part for words in matches for part in words.split("</span>")]
    return [*(warning.value for warning in test.warning), *(unescape(re.sub(r"<[^>]+>", "", lead)) for lead in leads)]


@pytest.mark.always("risk", "trends")
@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in MAKERS if page != "situation"])
def test_a_picture_says_what_its_page_says_first(monkeypatch, scored, site, page):
    warning = "The model does not beat the mean."
    monkeypatch.setattr(evaluation, "is_beaten", lambda _evaluation: True)
    monkeypatch.setattr(evaluation, "format_verdict", lambda _evaluation: warning)
    first = [words for words in list_first_words(open_page(monkeypatch, scored, page)) if words.strip()]
    assert (warning in first) == (page in ("risk", "trends"))
    assert len(first) > (warning in first)
    current = open_current_release(site)
    words = read_words(draw_sheet(make_sheet(site, current, page, {}), current.release))
    assert [sentence for sentence in first if squeeze(sentence) not in words] == []


@pytest.mark.always("trends--0")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "view", "other"),
    [
        ("risk", {"pathway": "internal"}, {"pathway": "cross_border"}),
        ("risk", {"sure": "50"}, {"sure": "95"}),
        ("flows", {"area": "AL-11"}, {"area": "AL-02"}),
        ("coverage", {"show": "gap"}, {"show": "minutes"}),
        ("trends", {"area": "AL-11"}, {"area": "AL-11", "trend": "share"}),
        ("trends", {"area": "AL-11"}, {"area": "AL-11", "beside": "GR-I"}),
        ("reallocate", {"moves": "1"}, {"moves": "12"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_is_of_the_view_in_the_address(site, page, view, other):
    first, again, second = (answer_picture(site, page, "svg", address).body for address in (view, view, other))
    assert first == again
    assert first != second


def test_the_public_picture_of_risk_says_what_its_classes_mean(scored):
    answer = answer_picture(Site(scored.releases, "public", derived=scored.derived), "risk", "svg", {})
    assert squeeze("Low: less than two thirds of the national average.") in read_words(answer.body)
    assert squeeze("It does not mean low risk.") in read_words(answer.body)


def test_the_picture_of_trends_has_every_area_with_its_cells(site):
    drawn = ET.fromstring(answer_picture(site, "trends", "svg", {"area": "AL-11"}).body)
    names = list_area_names(open_current_release(site))
    regions = {code for code in names if "-" in code}
    assert {shape.get("data-area") for shape in drawn.iter()} >= regions
    words = squeeze("".join(drawn.itertext()))
    assert all(squeeze(names[code]) in words for code in regions)


@pytest.mark.parametrize("page", MAKERS)
def test_a_page_without_anything_to_draw_has_no_picture(tmp_path, page):
    small_release.make(tmp_path, "partner", tables={})
    answer = answer_picture(Site(tmp_path, "partner"), page, "svg", {})
    if page == "situation":  # it has figures without any table
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.body) == (404, b"There is nothing to draw.\n")


@pytest.mark.parametrize("page", MAKERS)
def test_pages_of_partners_have_no_picture_on_the_public_tier(monkeypatch, scored, page):
    is_public = page not in ("flows", "reallocate")
    assert (has_picture(page, "partner"), has_picture(page, "public")) == (True, is_public)
    asked = []
    monkeypatch.setattr(pictures, "MAKERS", {page: lambda *_: asked.append(page)})
    answer = answer_picture(Site(scored.releases, "public", derived=scored.derived), page, "svg", {})
    assert (answer.status_code, asked) == (404, [page] if is_public else []), "its maker is not asked"


@pytest.mark.long
def test_a_picture_is_made_once(monkeypatch, site):
    calls = []

    def count(module, name):
        make = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *arguments, **more: calls.append(name) or make(*arguments, **more))

    for module, name in ((typeset, "render_pngs"), (typeset, "render_pdf"), (vl_convert, "vegalite_to_svg")):
        count(module, name)
    sheet._typeset.cache_clear()
    sheet._render_chart.cache_clear()
    seen = {}
    for _turn in range(2):
        for kind, language in (("png", "en"), ("pdf", "en"), ("png", "sq")):
            body = answer_picture(site, "trends", kind, {"area": "AL-11", "lang": language}).body
            assert seen.setdefault((kind, language), body) == body
    assert len({*seen.values()}) == 3
    assert sorted(calls) == ["render_pdf", "render_pngs", "render_pngs", "vegalite_to_svg", "vegalite_to_svg"]


@pytest.fixture(scope="module")
def both(scored, tmp_path_factory):
    """Return for each tier the release, and the pictures that `tact audit` searches."""
    opened = {tier: Site(scored.releases, tier, derived=scored.derived) for tier in TIERS}
    current = {tier: open_current_release(site) for tier, site in opened.items()}
    folders = {tier: tmp_path_factory.mktemp("pictures") for tier in TIERS}
    return {tier: (current[tier], write_pictures(opened[tier], current[tier], folders[tier])) for tier in TIERS}


@pytest.fixture(params=TIERS)
def written(both, request):
    return both[request.param]


def search_spoiled(written, folder, names, spoil):
    """Spoil a copy of the picture of each name; return the reasons of what the search for leaks finds in each."""
    current, files = written
    copies = {}
    for path in (next(file for file in files if name in file.name) for name in names):
        text = path.read_text(encoding="utf-8")
        assert spoil(text) != text
        copies[path.name] = folder / path.name
        copies[path.name].write_text(spoil(text), encoding="utf-8")
    findings = search(current.release, list(copies.values()))[0]
    return {name: {str(finding.reason) for finding in findings if finding.table == name} for name in copies}


@pytest.mark.slow
def test_the_search_for_leaks_reads_the_pictures_of_all_pages(written):
    current, files = written
    pages = {page for page in MAKERS if has_picture(page, current.tier)}
    assert {page for page in MAKERS if any(f"-{page}" in file.name for file in files)} == pages
    findings, statistics = search(current.release, files)
    assert findings == []
    assert statistics["cells"] > 1000


WITH_NUMBERS = {
    "partner": ("effort-region", "overview", "risk-internal", "flows", "trends-all"),
    "public": ("effort-region", "trends-all"),  # the others show classes alone
}


@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_a_number_that_is_not_in_the_release_is_found_in_a_picture(both, tmp_path, tier):
    def plant(text):
        return re.sub(r'data-(value|low|median)="[\d.]+"', r'data-\1="7654321"', text, count=1)

    for name, reasons in nonempty(search_spoiled(both[tier], tmp_path, WITH_NUMBERS[tier], plant).items()):
        assert "is not in the release" in " ".join(reasons), name


def take_another_area(read):
    return lambda current, area, *more: read(current, "GR-I" if area == "AL-11" else area, *more)


def add_children(read):
    def spoil(current, area, *more):
        rows = read(current, area, *more)
        return rows.assign(value=rows["value"] + 54_321) if area == "AL-11" else rows

    return spoil


WRONG = {
    "met of another area": (take_another_area, "read_met", {}),
    "met": (add_children, "read_met", {}),
    "a sum of two": (add_children, "read_met", {"pathway": "cross_border"}),
    "outreach": (take_another_area, "read_effort", {}),
    "forecast": (add_children, "read_expected", {"pathway": "internal"}),
    "share": (add_children, "read_share", {"trend": "share"}),
}


@pytest.mark.long
def test_a_wrong_number_that_trends_would_draw_is_found(site, monkeypatch, tmp_path):
    current = open_current_release(site)
    for name, (spoil, reader, view) in WRONG.items():
        with monkeypatch.context() as patch:
            patch.setattr(trends_summary, reader, spoil(getattr(trends_summary, reader)))
            picture = make_sheet(site, current, "trends", {"area": "AL-11", **view})
            (tmp_path / f"{name}.svg").write_bytes(render_sheet(picture, current.release, "svg"))
    findings, _statistics = search(current.release, sorted(tmp_path.iterdir()))
    assert {(finding.table, finding.cell["area"], finding.reason) for finding in findings} == {
        (f"{name}.svg", "AL-11", "contains a number that is not in the release") for name in WRONG
    }


WITH_WORDS = {
    "partner": ("effort-region", "overview", "risk-internal", "flows"),
    "public": ("effort-region", "overview", "risk-internal"),
}


@pytest.mark.always("public")
@pytest.mark.slow
@pytest.mark.parametrize("tier", TIERS)
def test_a_number_that_stands_in_the_words_of_a_shape_alone_is_found(both, tmp_path, tier):
    def plant(text):
        return text.replace("</title>", ", 7001 of them girls</title>", 1)

    for name, reasons in nonempty(search_spoiled(both[tier], tmp_path, WITH_WORDS[tier], plant).items()):
        assert reasons == {"its words contain a number that is not on its shape"}, name


@pytest.mark.parametrize(("page", "kind"), [("method", "png"), ("situation", "exe"), ("..", "svg")])
def test_what_has_no_picture_is_not_found(site, page, kind):
    assert answer_picture(site, page, kind, {}).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        {"layer": "<script>"},
        {"layer": "risk", "level": "\0", "period": "x", "area": "<b>", "risk.on": '"'},
        {"over": "x" * 4000},
    ],
)
def test_an_address_that_makes_no_sense_gives_a_map_all_the_same(site, address):
    answer = answer_picture(site, "situation", "svg", address)
    assert answer.status_code == 200
    assert b"<script" not in answer.body


@pytest.mark.parametrize("page", ["situation", "coverage", "trends"])
def test_text_from_data_is_never_markup_in_a_picture(tmp_path, page):
    small_release.make(tmp_path, "public")
    answer = answer_picture(Site(tmp_path, "public"), page, "svg", {"area": "GR-A"})
    assert answer.status_code == 200
    assert small_release.HOSTILE in "".join(ET.fromstring(answer.body).itertext()).replace("\n", "")
    assert b"<img" not in answer.body


@pytest.mark.parametrize(("tier", "status"), [("partner", 403), ("public", 200)])
def test_partner_pictures_of_real_records_are_not_handed_out(tmp_path, tier, status):
    small_release.make(tmp_path, tier, invented=False)
    site = Site(tmp_path, tier)
    assert answer_picture(site, "situation", "svg", {}).status_code == status
    offered = bar.render_bar(site, open_current_release(site), [], (), picture="situation")
    assert ("data-picture" in offered) is (status == 200)
    assert "Copy the address" in offered
    assert "Print this page" in offered


def test_without_a_release_there_is_no_picture(tmp_path):
    assert answer_picture(Site(tmp_path, "public"), "situation", "svg", {}).status_code == 404


def test_who_would_wait_behind_many_is_asked_to_come_again(tmp_path):
    (route,) = make_routes(Site(tmp_path, "public"))
    asked = {"type": "http", "path_params": {"page": "situation", "kind": "svg"}, "query_string": b"", "headers": []}
    with ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(PLACES)
        assert route.endpoint(Request(asked)).status_code == 503
    assert route.endpoint(Request(asked)).status_code == 404
