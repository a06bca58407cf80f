"""What pages tell the audit log: pages and areas on the partner tier, once each, and what was planned."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.site import reader
from dashboard.site.reader import EVERYBODY, Reader
from dashboard.widgets import activity, address
from data.accounts.log import read_log
from data.accounts.rights import ROLES
from data.errors import WorkspaceError
from tests.helpers.accounts import make_accounts

CURRENT = SimpleNamespace(release=None)


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    store = make_accounts(tmp_path, [1_700_000_000.0])
    monkeypatch.setenv(reader.PEOPLE, str(store.path))
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr("streamlit.query_params", {})
    areas = SimpleNamespace(table=pd.DataFrame(index=["AL", "AL-11", "AL-02"]))
    monkeypatch.setattr(activity, "load_areas", lambda release: areas)
    return store


def list_rows(accounts):
    return [{key: value for key, value in entry.content.items() if key != "person"} for entry in read_log(accounts)]


def test_each_page_and_area_is_noted_once_also_where_a_part_of_a_page_changes_it(accounts):
    with reader.read_as(Reader("Elira", ROLES["partner"])):
        for _ in range(3):
            activity.note_page("situation", CURRENT)
        address.write_area("AL-11")
        address.write_area("AL-11")
        address.write_area("40 children")
        activity.note_page("risk", CURRENT)
    assert list_rows(accounts) == [
        {"event": "saw", "page": "situation"},
        {"event": "saw", "page": "situation", "area": "AL-11"},
        {"event": "saw", "page": "situation"},
        {"event": "saw", "page": "risk"},
    ]


def test_on_the_public_tier_and_without_a_release_nothing_is_noted(accounts):
    with reader.read_as(Reader("Elira", ROLES["public"])):
        activity.note_page("situation", CURRENT)
    with reader.read_as(Reader("Elira", ROLES["partner"])):
        activity.note_page("situation", None)
    assert list_rows(accounts) == []


def test_what_cannot_be_noted_is_not_shown(accounts):
    accounts.path.unlink()
    with reader.read_as(Reader("Elira", ROLES["partner"])), pytest.raises(WorkspaceError):
        activity.note_page("situation", CURRENT)


def test_what_is_planned_is_noted_with_its_name(accounts):
    with reader.read_as(Reader("Elira", ROLES["manager"])):
        activity.note_plan("plan", "plan-partner-0123")
    assert list_rows(accounts) == [{"event": "planned", "what": "plan", "name": "plan-partner-0123"}]


def test_a_file_that_is_made_later_in_another_thread_is_made_for_the_same_reader(accounts):
    def make(language):
        activity.note_plan("plan", language)
        return b"PDF"

    with reader.read_as(Reader("Elira", ROLES["manager"])):
        make_for_reader = reader.keep_reader(make)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(make_for_reader, "el").result() == b"PDF"
    assert [entry.content["person"] for entry in read_log(accounts)] == ["Elira"]


def test_where_nobody_signs_in_there_is_no_log(monkeypatch):
    monkeypatch.delenv(reader.PEOPLE, raising=False)
    monkeypatch.setattr("streamlit.session_state", {})
    assert reader.find_reader() == EVERYBODY
    activity.note_plan("plan")
    activity._note("situation", CURRENT, "AL-11")
