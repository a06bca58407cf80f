"""The Method page tells this release's own numbers, and what the data are not."""

import runpy
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import howmade
from dashboard.commands import forgetting
from data.release import Release

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "geo" / "layers" / "small_release.py"))


def page():
    from dashboard.pages import method

    method.show()


def open_page(monkeypatch, releases, tier):
    monkeypatch.setenv("TACT_RELEASES", str(releases))
    monkeypatch.setenv("TACT_TIER", tier)
    return AppTest.from_function(page, default_timeout=60).run()


def words(test):
    return " ".join([element.proto.body for element in test.get("html")] + [h.value for h in test.header])


@pytest.fixture(scope="module")
def demo(demo_world):
    return demo_world / "releases"


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_the_page_tells_the_whole_way(demo, monkeypatch, tier):
    test = open_page(monkeypatch, demo, tier)
    assert not test.exception
    text = words(test)
    for part in (
        "From a record to a number",
        "What the data are not",
        "Protection of children and communities",
        "noise of at most 5",
        f"at least {Release.open(demo, tier).k} different children",
        "of the land falls in the right municipality",
        "Approximate boundaries",
        "The programme&#39;s year begins in June",
        "They are not the number of trafficked children",
        "Census of Albania 2011",
        "CC-BY 4.0 (GeoNames)",
    ):
        assert part in text, part
    assert test.code[0].value.startswith("TACT Map, release")


def test_what_is_said_of_forgetting_is_what_the_command_does():
    told = " ".join(howmade.data_protection())
    assert "The data officer can forget a child" in told
    assert "Published numbers stay as they are until enough children have changed." in told
    assert "Published numbers stay as they are until enough children have changed." in forgetting._STAYS


def test_sources_are_named_as_people_know_them(demo):
    told = howmade.sources(Release.open(demo, "public"))
    assert not told.map(lambda text: any(word in text for word in ("npm", "scripts/", ".py"))).any(axis=None)
    assert (told[["Source", "Licence"]] != "").all(axis=None)
    assert "Census of Albania 2023" in told.set_index("What").loc["Published figures", "Source"]


def test_a_figure_with_markup_as_its_source_shows_as_text(tmp_path, monkeypatch):
    hostile = "<img src=x onerror=alert(1)>"
    row = ("AL-01", "2011-01-01/P1Y", "roma", 7.0, None, hostile, 2011, "read", hostile)
    SMALL["make"](tmp_path, "public", more_figures=[row])
    test = open_page(monkeypatch, tmp_path, "public")
    assert not test.exception
    assert hostile not in words(test)
    assert "&lt;img src=x onerror=alert(1)&gt;" in words(test)


def test_the_tier_decides_what_is_said_of_small_numbers(demo):
    public, partner = (
        " ".join(howmade.noise_words(Release.open(demo, tier))) for tier in ("public", "partner")
    )
    k = Release.open(demo, "public").k
    assert f"A count of children below {k} is not shown" in public
    assert "protected, not anonymous" in partner


def test_the_picture_of_the_noise_is_the_published_table(demo):
    rows = howmade.noise(Release.open(demo, "public"))
    one = rows[rows["true"] == 1].set_index("shown")["chance"]
    assert one[0] == pytest.approx(0.52, abs=0.005)
    for true in (1, 4, 12):
        shown = rows[rows["true"] == true]
        assert shown["chance"].sum() == pytest.approx(1)
        assert (shown["shown"] * shown["chance"]).sum() == pytest.approx(true, abs=1e-6)
        assert (shown["shown"] >= 0).all()


def test_shares_shown_and_hidden_of_a_table_add_up(demo):
    for tier in ("partner", "public"):
        table = howmade.hidden(Release.open(demo, tier))
        numbers = table.select_dtypes("number")
        assert len(table) > 20
        assert (numbers.sum(axis=1) - 100).abs().max() < 0.5


def test_a_release_of_figures_alone_has_a_page_too(tmp_path, monkeypatch):
    SMALL["make"](tmp_path, "public", tables={})
    test = open_page(monkeypatch, tmp_path, "public")
    assert not test.exception


def test_without_a_release_the_page_says_what_to_do(tmp_path, monkeypatch):
    test = open_page(monkeypatch, tmp_path, "partner")
    assert not test.exception
    assert "There is no release to show yet" in words(test)
