"""The bar of every page: what it offers, what it marks, and what it explains."""

import re
from dataclasses import replace

import pytest

from dashboard.site import Site, current_release
from dashboard.site.text import speak
from dashboard.web import bar

PAGES = [("./", "Map", False), ("risk", "Risk", True)]


@pytest.fixture
def current(demo_world):
    site = Site(demo_world / "releases", "partner")
    return site, current_release.open_current_release(site)


def render(current, pathways=("all", "internal"), **options):
    site, release = current
    return str(bar.render_bar(site, release, PAGES, bar.list_area_names(release), pathways, **options))


def test_the_page_that_is_shown_is_marked(current):
    assert re.findall(r'href="(\S+)" target="_self" aria-current="page"', render(current)) == ["risk"]


def test_each_country_and_each_of_its_counties_and_regions_can_be_chosen_once(current):
    codes = re.findall(r'<option value="([A-Z0-9-]*)"', render(current))
    table = current_release.load_areas(current[1].release).table
    assert codes[0] == ""
    assert sorted(codes[1:]) == sorted(table.index[table["level"].isin(["country", "region"])])


def test_a_page_offers_only_the_pathways_that_it_knows(current):
    assert re.findall(r'data-pathway="(\w+)"', render(current)) == ["all", "internal"]
    assert "data-pathway" not in render(current, ())


def test_tier_and_release_open_their_explanation(current):
    shown = render(current)
    chip = shown[shown.index("<details") :]
    assert "Partner tier" in chip
    assert current[1].release.name in chip
    assert "not anonymous" in chip


@pytest.mark.parametrize("sequence", [1, 2])
def test_what_is_new_is_offered_from_the_second_release_on(current, sequence):
    site, shown = current
    release, about = replace(shown.release), shown.release.manifest
    release.__dict__["manifest"] = {**about, "tact": {**about["tact"], "sequence": sequence}}
    chip = render((site, replace(shown, release=release))).rpartition('<details class="chip')[2]
    assert ("What is new" in chip.partition("</details>")[0]) == (sequence == 2)


def test_the_months_of_the_release_are_in_the_bar(current):
    assert '<span class="period" title="Records of: Jun 2006 to May 2009">Jun 2006 to May 2009</span>' in render(
        current
    )
    with speak("sq"):
        assert re.search(r'class="period"[^>]*>[^<]*2006[^<]*2009<', render(current))
    site, release = current
    about = {**release.release.manifest, "tact": {**release.release.manifest["tact"], "first": None, "last": None}}
    figures = replace(release.release)
    figures.__dict__["manifest"] = about
    assert "Records of" not in render((site, replace(release, release=figures, checksum="figures")))


def test_invented_data_are_named_in_the_bar(current):
    assert "Invented data." in render(current)


def test_the_bar_is_in_the_language_that_is_spoken_and_marks_it(current):
    with speak("el"):
        shown = render(current)
    assert 'lang="el" data-lost' in shown
    assert re.findall(r'data-lang="(\w+)"[^>]*aria-current', shown) == ["el"]


def test_without_a_release_there_is_nothing_to_choose(tmp_path):
    shown = str(bar.render_bar(Site(tmp_path, "public"), None, PAGES, {}, ("all",)))
    assert "No release yet" in shown
    assert "<select" not in shown
    assert "data-pathway" not in shown
