"""The bar of every page: what it offers, what it marks, and what it explains."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from dashboard.site import Site, current_release
from dashboard.site.text import speak
from dashboard.web import bar
from data.release import MANIFEST, WITHDRAWN

PAGES = [("./", "Map", False), ("risk", "Risk", True)]


@pytest.fixture
def current(demo_world):
    site = Site(demo_world / "releases", "partner")
    return site, current_release.open_current_release(site)


def render(current, pathways=("all", "internal"), **options):
    site, release = current
    return str(bar.render_bar(site, release, PAGES, pathways, has_areas=True, **options))


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


def offers_news(current):
    chip = render(current).rpartition('<details class="chip')[2]
    return "What is new" in chip.partition("</details>")[0]


def test_what_is_new_is_offered_while_there_is_an_earlier_release(current, tmp_path):
    shown = current[1]
    for name, sequence in ((shown.release.name, 3), ("b", 2), ("a", 1)):
        (tmp_path / name / "partner").mkdir(parents=True)
        (tmp_path / name / "partner" / MANIFEST).write_text(json.dumps({"tact": {"sequence": sequence}}))
    here = Site(tmp_path, "partner"), shown
    assert offers_news(here)
    (tmp_path / WITHDRAWN).write_text("b\n")
    assert offers_news(here)
    (tmp_path / WITHDRAWN).write_text("b\na\n")
    assert not offers_news(here), "of what was taken back nothing is compared"
    (tmp_path / WITHDRAWN).write_text("b\n")
    assert offers_news(here)
    shutil.rmtree(tmp_path / "a")
    assert not offers_news(here)


def test_whether_there_is_an_earlier_release_is_looked_up_once(current, monkeypatch):
    looks = []
    monkeypatch.setattr(current_release, "list_earlier", lambda *asked: looks.append(asked) or [])
    current_release._has_earlier.cache_clear()
    assert not any(offers_news(current) for _visit in range(3))
    current_release._has_earlier.cache_clear()
    assert len(looks) == 1


def test_the_months_of_the_release_are_in_the_bar_beside_the_pages(current):
    """Beside the choices they have no room in Albanian and Greek."""
    assert re.search(r'class="pages">.*class="period".*class="choices">', render(current))
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
    shown = str(bar.render_bar(Site(tmp_path, "public"), None, PAGES, ("all",)))
    assert "No release yet" in shown
    assert "<select" not in shown
    assert "data-pathway" not in shown
