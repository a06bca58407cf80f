"""The page Enter by hand: the checks of files, a draft that stays, and its import."""

import datetime as dt

import pytest

from dashboard.desk import state
from dashboard.desk.hand import Hand
from dashboard.site.text import speak
from data.restricted import drafts, keys
from data.restricted.vault import open_vault
from data.schema.kinds import KINDS
from tests.dashboard.desk.test_pages import words_on
from tests.helpers.desk import Clocks, make_desk, open_section


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra"])
    return make_desk(tmp_path)[0]


def open_form(desk):
    page = open_section(desk, "enter")
    page.selectbox(key="entry-partner-encounter").set_value("Qendra")
    return page.run()


def fill(page, number=0, **changes):
    codes = {"stage": "at_risk", "pathway": "internal", "form": "begging", "axis": "protection", "found": "reported"}
    for name, code in {**codes, "municipality": "10944377", **changes}.items():
        if name == "child_id":
            page.text_input(key=f"entry-{number}-child_id").input(code)
        else:
            page.selectbox(key=f"entry-{number}-{name}").set_value(code)
    page.date_input(key=f"entry-{number}-date").set_value(dt.date(2008, 3, 4))
    next(button for button in page.button if button.label == "Add it to the draft").click()
    return page.run()


def read_draft(desk):
    with open_vault(desk.workspace) as vault:
        return drafts.read_draft(vault, "encounter")


def test_a_record_is_entered_kept_over_a_restart_and_imported(desk):
    page = fill(open_form(desk), child_id="K-0412")
    assert not page.exception
    assert len(read_draft(desk).rows) == 1
    again = state.Desk(desk.workspace, Clocks())
    again.unlock(keys.load(desk.workspace.id))
    page = open_section(again, "enter")
    shown = words_on(page)
    assert "•••" in shown
    assert "K-0412" not in shown
    page.button(key="entry-import").click().run()
    assert not page.exception
    with open_vault(desk.workspace) as vault:
        assert [(entry["partner"], entry["accepted"]) for entry in vault.list_imports()] == [("Qendra", 1)]
    assert read_draft(desk).rows == ()


def test_what_a_file_would_not_bring_in_is_not_added(desk):
    page = fill(open_form(desk))
    assert not page.exception
    assert "Child identifier" in words_on(page)
    assert "missing" in words_on(page)
    assert read_draft(desk).rows == ()
    named = fill(page, child_id="Mirela Shpikur")
    assert "K-0412" in words_on(named)
    assert read_draft(desk).rows == ()


def test_a_record_is_taken_out_again(desk):
    page = fill(open_form(desk), child_id="K-1")
    page = fill(page, 1, child_id="K-2")
    assert [row["child_id"] for row in read_draft(desk).rows] == ["K-1", "K-2"]
    next(box for box in page.selectbox if box.label == "Take out number").set_value(1)
    page.run()
    page.button(key="entry-out").click().run()
    assert [row["child_id"] for row in read_draft(desk).rows] == ["K-2"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["sq", "el"])
def test_each_kind_has_its_form_in_each_language(desk, kind, language):
    with speak(language):
        page = open_section(desk, "enter", language)
        page.selectbox(key="entry-kind").set_value(kind)
        page.run()
        page.selectbox(key=f"entry-partner-{kind}").set_value("Qendra")
        page.run()
    assert not page.exception
    assert not page.error
    fields = [*page.text_input, *page.selectbox, *page.date_input]
    named = {field.key for field in fields if field.key}
    assert {f"entry-0-{column.name}" for column in KINDS[kind].given if column.name != "partner"} <= named
