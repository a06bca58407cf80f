"""A new release while a page is open: the bar says so, nothing moves by itself, and taking it over keeps the view."""

import shutil
from functools import partial

import pytest

from tests.helpers.browser import is_newer_said, settle, until, wait_for_map
from tests.helpers.manifests import LATER, publish_later
from tests.helpers.meeting_pages import open_room, say

pytestmark = pytest.mark.browser(seconds=20)


@pytest.fixture
def later(serve, releases, tmp_path):
    """Start a server for a copy of the demo's release; return it, and a function that adds a later one."""
    folder = shutil.copytree(releases, tmp_path / "releases")
    name = (folder / "current").read_text(encoding="utf-8").strip()
    return serve(folder), name, partial(publish_later, folder)


def test_a_new_release_is_announced_and_taken_over_with_the_view_kept(later, look):
    served, name, publish = later
    page = look(f"{served.url}/map?area=AL-02&layer=effort&period=2008-03-01/P3M&at=8/41.3/19.5")
    settle(page)
    assert not is_newer_said(page)
    page.evaluate("() => { window.kept = 1; }")
    publish()
    until(page, lambda: is_newer_said(page))
    chip = page.locator(".topbar .chip summary")
    assert name in chip.text_content()
    # What somebody does meanwhile is answered from the release that they have open.
    page.get_by_label("Area", exact=True).select_option("AL-11")
    until(page, lambda: "area=AL-11" in page.url)
    settle(page)
    assert name in chip.text_content()
    before = page.url.partition("?")
    page.locator(".topbar .fresh button").click()
    until(page, lambda: LATER in page.locator(".topbar .chip summary").text_content())
    wait_for_map(page)
    settle(page)
    after = page.url.partition("?")
    assert after[0] == before[0]
    assert sorted(after[2].split("&")) == sorted([*before[2].split("&"), f"release={LATER}"])
    assert page.locator(".topbar .fresh:not([hidden])").count() == 0
    assert page.evaluate("() => window.kept") == 1
    # What is new is one press away, and its page leads back.
    page.locator(".topbar .chip summary").click()
    page.get_by_role("link", name="What is new").click()
    page.locator(".digest h1").wait_for()
    assert f"Release {LATER}, compared with release {name}." in page.locator(".digest").inner_text()
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long  # test_encrypted.py takes a later release over in a meeting
def test_in_a_meeting_the_presenter_takes_it_over_for_everybody(later, look):
    served, name, publish = later
    presenter = look(f"{served.url}/trends?area=AL-02", ready=False)
    link = f"http://{open_room(presenter)}"
    follower = look(f"{link}?lang=sq", (390, 844), ready=False)
    follower.locator(".meetingline").wait_for()
    until(follower, lambda: "area=AL-02" in follower.url)
    publish()
    until(presenter, lambda: is_newer_said(presenter))
    late = look(f"{link}?lang=el", (1024, 768), ready=False)
    for page in (follower, late):
        until(page, lambda page=page: name in page.locator(".topbar .chip summary").text_content())
    presenter.locator(".topbar .fresh button").click()
    for page in (presenter, follower, late):
        until(page, lambda page=page: LATER in page.locator(".topbar .chip summary").text_content())
        assert "/trends" in page.url
        assert "area=AL-02" in page.url
    assert say(follower) == "Ju ndiqni prezantuesin."
    assert all(page.watch.clean for page in (presenter, follower, late))
