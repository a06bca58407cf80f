"""The page Enter by hand: the checks of files, a draft that stays, and its import."""

import datetime as dt

import pytest

from dashboard.desk import state
from dashboard.desk.hand import Hand
from dashboard.site.text import _, speak
from data.errors import InputError
from data.restricted import drafts, keys
from data.restricted.vault import open_vault
from data.schema.kinds import KINDS
from tests.dashboard.desk.test_pages import words_on
from tests.helpers.desk import Clocks, make_desk, open_section

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Nova", "Qendra"])
    return make_desk(tmp_path)[0]


def open_form(desk, partner="Qendra"):
    page = open_section(desk, "enter")
    page.selectbox(key="entry-partner-encounter").set_value(partner)
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


def read_errors(page):
    return [error.value.replace("\\", "") for error in page.error]


def read_draft(desk):
    with open_vault(desk.workspace) as vault:
        return drafts.read_draft(vault, "encounter")


def test_it_says_that_the_form_waits_for_a_partner(desk):
    waits = "Choose the partner: then the form comes here."
    assert waits in words_on(open_section(desk, "enter"))
    assert waits not in words_on(open_form(desk))


def test_a_record_is_entered_kept_over_a_restart_and_imported(desk):
    page = fill(open_form(desk), child_id="K-0412")
    assert not page.exception
    assert len(read_draft(desk).rows) == 1
    again = state.Desk(desk.workspace, Clocks())
    again.unlock(keys.load(desk.workspace.key_id))
    page = open_section(again, "enter")
    shown = words_on(page)
    assert "•••" in shown
    assert "K-0412" not in shown
    page.button(key="entry-import").click().run()
    assert not page.exception
    assert 'href="release"' in words_on(page)
    with open_vault(desk.workspace) as vault:
        assert [(entry["partner"], entry["accepted"]) for entry in vault.list_imports()] == [("Qendra", 1)]
    listed = open_section(again, "imports")
    assert not listed.warning
    listed.selectbox(key="undo").set_value(1).run()
    assert "there is no file" in listed.warning[0].value
    assert read_draft(desk).rows == ()


def test_what_repeats_stays_for_the_next_record_and_nothing_of_the_child(desk):
    page = fill(open_form(desk), child_id="K-0412", sex="male")
    assert page.date_input(key="entry-1-date").value == dt.date(2008, 3, 4)
    assert page.selectbox(key="entry-1-municipality").value == "10944377"
    for name in ("stage", "form", "found", "sex", "pathway"):
        assert page.selectbox(key=f"entry-1-{name}").value is None
    assert page.text_input(key="entry-1-child_id").value == ""
    assert "Added to the draft." in page.success[0].value
    fill(page, 1, child_id="K-0413")
    assert [row["municipality"] for row in read_draft(desk).rows] == ["10944377"] * 2


def test_what_a_file_would_not_bring_in_is_not_added(desk):
    page = fill(open_form(desk))
    assert not page.exception
    assert "Child identifier" in words_on(page)
    assert "missing" in words_on(page)
    assert read_draft(desk).rows == ()
    named = fill(page, child_id="Mirela Shpikur")
    assert read_errors(named) == ["Not added. Correct: Child identifier."]
    assert "it seems to contain names; nothing here may tell who a child is, and a code looks like K-0412" in words_on(
        named
    )
    assert read_draft(desk).rows == ()


@pytest.mark.always("encounter")
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_form_is_refused_and_says_beside_each_field_what_is_missing(desk, kind):
    page = open_section(desk, "enter")
    page.selectbox(key="entry-kind").set_value(kind)
    page.run()
    page.selectbox(key=f"entry-partner-{kind}").set_value("Qendra")
    page.run()
    next(button for button in page.button if button.label == "Add it to the draft").click()
    page.run()
    assert not page.exception
    needed = [column for column in KINDS[kind].file_columns if column.required and column.name != "partner"]
    assert len(needed) >= 2
    assert ("a programme number, never a name" in words_on(page)) == (kind == "encounter")
    (message,) = read_errors(page)
    assert message.startswith("Not added. Fill in: ")
    assert all(column.label in message for column in needed if column.name != "child_id")
    assert words_on(page).count('class="fault"') == len(needed)
    assert "The draft" not in words_on(page)


def test_missing_fields_of_a_started_form_are_named(desk):
    page = fill(open_form(desk))
    assert read_errors(page) == ["Not added. Fill in: Child identifier."]
    assert words_on(page).count('class="fault"') == 1


def test_an_empty_row_of_an_earlier_version_is_not_imported(desk):
    with desk.open_vault() as (vault, _keys):
        drafts.write_draft(vault, drafts.Draft("encounter", "Qendra", ({},)))
    page = open_section(desk, "enter")
    page.button(key="entry-import").click().run()
    assert not page.success
    assert "There is nothing in number 1" in read_errors(page)[0]


def test_a_record_is_taken_out_again(desk):
    page = fill(open_form(desk), child_id="K-1")
    page = fill(page, 1, child_id="K-2")
    assert [row["child_id"] for row in read_draft(desk).rows] == ["K-1", "K-2"]
    next(box for box in page.selectbox if box.label == "Take out number").set_value(1)
    page.run()
    page.button(key="entry-out").click().run()
    assert [row["child_id"] for row in read_draft(desk).rows] == ["K-2"]


def test_two_windows_never_mix_partners_in_a_draft(desk):
    first, second = open_form(desk), open_form(desk, "Nova")
    fill(first, child_id="Q-1")
    fill(second, child_id="N-1")
    draft = read_draft(desk)
    assert (draft.partner, [row["child_id"] for row in draft.rows]) == ("Qendra", ["Q-1"])
    assert "the partner is now Qendra" in read_errors(second)[0]


def test_a_window_acts_on_the_draft_that_it_shows(desk):
    first, second = open_form(desk), open_form(desk)
    first = fill(fill(first, child_id="Q-1"), 1, child_id="Q-2")
    second.run()
    next(box for box in second.selectbox if box.label == "Take out number").set_value(1)
    second.run()
    with desk.open_vault() as (vault, _keys):
        drafts.take_out(vault, drafts.Draft("encounter", "Qendra", read_draft(desk).rows[:1]))
        drafts.add_row(vault, "encounter", "Qendra", {"child_id": "Q-3"})
    second.button(key="entry-out").click().run()
    assert "has changed meanwhile" in read_errors(second)[0]
    first.button(key="entry-import").click().run()
    assert "has changed meanwhile" in read_errors(first)[0]
    assert [row["child_id"] for row in read_draft(desk).rows] == ["Q-2", "Q-3"]


def test_a_record_is_added_where_another_window_imported_the_draft(desk):
    first = fill(open_form(desk), child_id="Q-1")
    second = open_section(desk, "enter")
    first.button(key="entry-import").click().run()
    fill(second, child_id="Q-2")
    draft = read_draft(desk)
    assert (draft.partner, [row["child_id"] for row in draft.rows]) == ("Qendra", ["Q-2"])


def test_an_import_leaves_what_was_added_after_it_began(desk):
    fill(open_form(desk), child_id="Q-1")
    begun = read_draft(desk)
    later = {**begun.rows[0], "child_id": "Q-2"}
    with desk.open_vault() as (vault, _keys):
        drafts.add_row(vault, "encounter", "Qendra", later)
    assert Hand(desk).store_draft(begun).accepted == 1
    assert read_draft(desk).rows == (later,)
    with pytest.raises(InputError, match="changed meanwhile"):
        Hand(desk).store_draft(begun)


@pytest.mark.always("sq-encounter", "el-service")
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
    asked = [column for column in KINDS[kind].file_columns if column.name != "partner"]
    assert {f"entry-0-{column.name}" for column in asked} <= named
    with speak(language):
        meanings = {f"entry-0-{column.name}": _(column.meaning) for column in asked}
    assert {field.key: field.help for field in fields if field.key in meanings} == meanings
    assert not set(meanings.values()) & {column.meaning for column in asked}


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", {"Tiranë (Tirana, Tirane)", "Durrës (Durres)", "Kavala (Καβάλας)"}),
        ("el", {"Καβάλας (Kavala, Καβαλας)", "Fier"}),
    ],
)
def test_a_place_is_found_by_its_other_name_and_without_accents(desk, language, names):
    with speak(language):
        page = open_section(desk, "enter", language)
        page.selectbox(key="entry-partner-encounter").set_value("Qendra")
        page.run()
    assert names <= set(page.selectbox(key="entry-0-municipality").options)


def test_a_day_is_typed_as_partners_write_it(desk):
    page = open_form(desk)
    assert page.date_input(key="entry-0-date").proto.format == "DD.MM.YYYY"
