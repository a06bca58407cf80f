"""A session belongs to one reader, and a view of a page opens the release once."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.site import Site
from dashboard.site.reader import EVERYBODY, Reader
from dashboard.web import navigation
from data.accounts.rights import ROLES
from tests.helpers import small_release


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


def test_a_view_of_a_page_opens_the_release_once(monkeypatch, tmp_path):
    small_release.make(tmp_path, "public")
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    monkeypatch.setenv("TACT_TIER", "public")
    opened, open_release = [], Site.open_release
    monkeypatch.setattr(Site, "open_release", lambda site, name: opened.append(name) or open_release(site, name))
    page = AppTest.from_string("from dashboard.web import navigation\nnavigation.run_page()", default_timeout=60).run()
    assert not page.exception
    first = len(opened)
    page.run()
    assert (first > 0, len(opened) - first) == (True, 1)
