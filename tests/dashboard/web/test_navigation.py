"""A session belongs to one reader, and a view of a page opens the release once."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.site import Site
from dashboard.site.reader import EVERYBODY, Reader
from dashboard.web import navigation
from dashboard.web.page_list import PAGES
from dashboard.widgets.page_frame import OF_PAGE
from data.accounts.rights import ROLES
from tests.helpers import small_release

SCRIPT = "from dashboard.web import navigation\nnavigation.run_page()"


@pytest.fixture
def state(monkeypatch):
    values = {"posts": "a draft"}
    monkeypatch.setattr("streamlit.session_state", values)
    return values


def test_what_somebody_drafted_is_not_there_for_the_next_reader_of_a_browser(state):
    first, second = Reader("Elira", ROLES["manager"]), Reader("Nikos", ROLES["manager"])
    for _ in range(2):
        navigation._forget_other_reader(first)
        assert state["posts"] == "a draft"
    navigation._forget_other_reader(second)
    assert "posts" not in state
    state["posts"] = "another"
    navigation._forget_other_reader(second)
    assert state["posts"] == "another"


def test_where_nobody_signs_in_a_session_keeps_what_it_has(state):
    for _ in range(2):
        navigation._forget_other_reader(EVERYBODY)
    assert state["posts"] == "a draft"


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


def test_a_page_is_made_in_its_turn(monkeypatch):
    holders = []
    monkeypatch.setattr(navigation, "_run_entry", lambda: holders.append(navigation._TURNS._holder))
    page = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert holders != [None]
    assert navigation._TURNS._holder is None


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
