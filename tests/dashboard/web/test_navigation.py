"""A session belongs to one reader."""

import pytest

from dashboard.site.reader import EVERYBODY, Reader
from dashboard.web import navigation
from data.accounts.rights import ROLES


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
