"""A view of a page opens the release once, and a reader elsewhere is told of no file."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.site import Site
from dashboard.site.reader import PEOPLE
from dashboard.web import navigation
from dashboard.web.page_list import PAGES
from dashboard.widgets.page_frame import OF_PAGE
from data.errors import ReleaseDamaged, WorkspaceError
from tests.helpers import small_release

SCRIPT = "from dashboard.web import navigation\nnavigation.run_page()"


@pytest.fixture
def releases(monkeypatch, tmp_path):
    """Announce a folder with a release of the public tier to this process."""
    small_release.make(tmp_path, "public", sequence=1)
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", "public")
    return tmp_path


@pytest.mark.slow
def test_a_view_of_a_page_opens_the_release_once(releases, monkeypatch):
    opened, open_release = [], Site.open_release
    monkeypatch.setattr(Site, "open_release", lambda site, name: opened.append(name) or open_release(site, name))
    page = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert len(opened) == 1
    page.run()
    assert len(opened) == 2


def test_what_is_of_a_page_is_forgotten_when_its_reader_leaves_it(releases):
    answer = f"{OF_PAGE}check-answer"
    page = AppTest.from_string(SCRIPT, default_timeout=60)
    for before, stays in ((PAGES[0], True), (PAGES[1], False)):
        page.session_state[navigation._PAGE] = before.module
        page.session_state[answer] = "headings of a table"
        page.session_state["posts"] = "a draft"
        page.run()
        assert not page.exception
        assert (answer in page.session_state) is stays
        assert page.session_state["posts"] == "a draft"


@pytest.mark.slow
def test_an_older_view_of_an_agenda_leaves_the_release_that_the_session_has_open(releases):
    small_release.make(releases, "public", name="2999-01-001", sequence=2)
    page = AppTest.from_string(SCRIPT, default_timeout=60)
    page.query_params.update({"release": small_release.NAME, "agenda": "x", "item": "1"})
    page.run()
    assert not page.exception
    assert navigation._RELEASE not in page.session_state
    page.query_params.clear()
    page.run()
    assert page.session_state[navigation._RELEASE] == "2999-01-001"


@pytest.mark.parametrize("error", [WorkspaceError("/srv/x: busy"), ReleaseDamaged.of_file(Path("/srv/x"), "Publish.")])
def test_files_are_named_where_nobody_signs_in_and_to_no_reader_elsewhere(monkeypatch, error):
    site = Site(Path("/srv/releases"), "partner")
    assert "/srv" in navigation._word_error(error, site)
    monkeypatch.setenv(PEOPLE, "/srv/accounts.sqlite")
    assert "/" not in navigation._word_error(error, site)
