"""Pictures are handed out as files are: for the pages that have one, and never of real partner records."""

from contextlib import ExitStack

import pytest
from starlette.requests import Request

from dashboard.site import Site
from dashboard.site.current_release import open_current_release
from dashboard.web import bar
from dashboard.web.pictures import PLACES, answer_picture, make_routes
from tests.helpers import small_release


@pytest.fixture(scope="module")
def site(scored):
    return Site(scored.releases, "partner", derived=scored.derived)


@pytest.mark.parametrize(("page", "name"), [("overview", "overview"), ("situation", "map")])
def test_a_picture_comes_as_a_file_in_the_language_of_the_address(site, page, name):
    answer = answer_picture(site, page, "svg", {"layer": "risk", "lang": "el"})
    assert answer.status_code == 200
    assert answer.media_type == "image/svg+xml"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.headers["content-disposition"]
    assert told.startswith('attachment; filename="tact-')
    assert told.endswith(f'-{name}.svg"')
    text = answer.body.decode()
    assert "Αττική" in text
    assert 'lang="el"' in text


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


@pytest.mark.parametrize(("tier", "status"), [("partner", 403), ("public", 200)])
def test_partner_pictures_of_real_records_are_not_handed_out(tmp_path, tier, status):
    small_release.make(tmp_path, tier, invented=False)
    site = Site(tmp_path, tier)
    assert answer_picture(site, "situation", "svg", {}).status_code == status
    offered = bar.render_bar(site, open_current_release(site), [], {}, (), picture="situation")
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
