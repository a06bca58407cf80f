"""The release that a page shows: opened once for one view of it."""

from dataclasses import replace

import pytest

from dashboard.site import Site
from dashboard.site.current_release import keep_open, name_regions, open_current_release
from dashboard.site.text import order_name, speak
from dashboard.widgets.layer_table import tabulate_layer
from geo.layers import find_layer
from geo.layers.core import View


def test_a_release_that_is_kept_open_is_opened_once_and_for_its_own_site_alone(demo_world, monkeypatch):
    site, names = Site(demo_world / "releases", "partner"), []
    current, opened = open_current_release(site), Site.release
    monkeypatch.setattr(Site, "release", lambda site: names.append(site.tier) or opened(site))
    with keep_open(site, current):
        assert open_current_release(replace(site)) is current
        assert names == []
        assert open_current_release(replace(site, tier="public")).tier == "public"
        with keep_open(site, None):
            assert open_current_release(site) is None
        assert open_current_release(site) is current
    assert open_current_release(site) == current
    assert names == ["public", "partner"]


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "Berat Dibër Durrës", "Attica"),
        ("sq", "Berat Dibër Durrës", "Atika"),
        ("el", "Αργυρόκαστρο Αυλώνα", "Άγιο Όρος"),
    ],
)
def test_counties_and_regions_are_in_alphabetical_order_in_each_language(demo_world, language, first, second):
    current = open_current_release(Site(demo_world / "releases", "partner"))
    with speak(language):
        regions = name_regions(current)
    names = [name.partition(", ")[0] for name in regions.values()]
    assert names[: len(first.split())] == first.split()
    assert names[12:] == sorted(names[12:], key=order_name)
    assert second in names[12:14]
    assert [code[:2] for code in regions] == ["AL"] * 12 + ["GR"] * (len(names) - 12)


def test_the_table_of_a_layer_is_in_alphabetical_order_country_by_country(demo_world):
    release = open_current_release(Site(demo_world / "releases", "partner")).release
    rows = tabulate_layer(release, find_layer("population"), View("region", ""))
    assert list(rows["Area"][:3]) == ["Berat", "Dibër", "Durrës"]
    assert list(rows["Country"]) == sorted(rows["Country"])
