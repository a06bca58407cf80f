"""The release that a page shows: opened once for one view of it."""

from dataclasses import replace

from dashboard.site import Site
from dashboard.site.current_release import keep_open, open_current_release


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
