"""The pages Files and Imports: a file dropped, asked about, imported, listed and taken back."""

import datetime as dt
import re
import time
from dataclasses import replace
from pkgutil import resolve_name

import pandas as pd
import pytest

from dashboard.desk import words
from dashboard.desk.hand import Hand
from dashboard.desk.imports import list_effects, tabulate_imports
from dashboard.desk.summary import tabulate_sample
from dashboard.site.text import escape_markdown, speak, translate_message
from dashboard.widgets.markup import render_table
from data.message import Message
from data.restricted.vault import Undone, open_vault
from data.schema.vocabulary import ALL_PERSONAL
from tests.helpers.desk import make_desk, open_section
from tests.helpers.messy_files import FILES, write_book
from tests.helpers.partner_files import ROW, text_of, write
from tests.helpers.paths import ROOT

MESSY = {messy.name: messy for messy in FILES}
CODES = ("T-01", "T-02", "T-03", "T-04")


def words_on(page):
    kinds = ("html", "markdown", "error", "warning", "success", "info")
    elements = [element for kind in kinds for element in page.get(kind)]
    return " ".join(str(getattr(element, "value", "") or getattr(element.proto, "body", "")) for element in elements)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    # A page under test cannot type a new partner; tests/browser/test_desk.py does.
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra"])
    return make_desk(tmp_path)[0]


def drop(page, path, partner="Qendra"):
    page.selectbox(key="partner").set_value(partner or None)
    page.file_uploader[0].set_value((path.name, path.read_bytes(), "application/octet-stream"))
    return page.run()


def choose(page, label, value):
    next(box for box in page.selectbox if box.label == label).set_value(value)


def press(page, label):
    next(button for button in page.button if button.label == label).click()
    return page.run()


@pytest.mark.always("en")
@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_a_file_is_dropped_asked_about_imported_and_taken_back(desk, tmp_path, language):
    with speak(language):
        walk_through(desk, tmp_path, language)


def walk_through(desk, tmp_path, language):
    english = language == "en"
    path = MESSY["sq-titles"].write(tmp_path)
    page = drop(open_section(desk, language=language), path)
    assert not page.exception
    boxes = [box for box in page.selectbox if box.key and box.key.startswith("answer-1-constants")]
    assert len(boxes) == 3
    for box in boxes:
        box.set_value(MESSY["sq-titles"].answers["constants"][box.key.rpartition("-")[2]])
    next(button for button in page.button if "questions-1" in str(button.form_id)).click()
    page.run()
    shown = words_on(page)
    if english:
        assert "3 rows are new · 2 are rejected" in shown
        assert "18 or older on that day" in shown
    assert "•••" in shown
    assert not [code for code in CODES if code in shown]
    page.button(key="import-1").click().run()
    assert not page.exception
    with open_vault(desk.workspace) as vault:
        assert [entry["accepted"] for entry in vault.list_imports()] == [3]
    listed = open_section(desk, "imports", language)
    assert "Qendra" in words_on(listed)
    listed.selectbox(key="undo").set_value(1)
    listed.run()
    if english:
        (choice,) = listed.selectbox(key="undo").options
        assert re.fullmatch(r"1: .+, \d\d:\d\d:\d\d, Encounters with children, Qendra, 3 new, 0 corrected", choice)
        assert "3 records go away" in words_on(listed)
        assert "Provisional ones stay until their year is final" in words_on(listed)
        assert "never been" not in words_on(listed)
    assert not listed.warning
    with open_vault(desk.workspace) as vault:
        assert vault.count("encounter") == 3
    assert listed.button(key="undo-now").disabled
    listed.checkbox(key="undo-sure-1").check().run()
    assert not listed.button(key="undo-now").disabled
    listed.button(key="undo-now").click().run()
    assert not listed.exception
    with open_vault(desk.workspace) as vault:
        assert vault.list_imports() == []
        assert vault.count("encounter") == 0


@pytest.mark.parametrize(
    ("language", "stage", "pathway"),
    [
        ("en", "formally identified as a victim", "Pathway"),
        ("sq", "viktimë e trafikimit e identifikuar formalisht", "Rruga e trafikimit"),
        ("el", "επίσημα αναγνωρισμένο θύμα εμπορίας ανθρώπων", "Διαδρομή εμπορίας"),
    ],
)
def test_what_holds_for_all_rows_is_asked_in_full_words_and_explained(desk, tmp_path, language, stage, pathway):
    path = tmp_path / "list.csv"
    path.write_text(
        "date,municipality,child_id,form\n" + "".join(f"2008-03-0{n},Tirana,K-{n},begging\n" for n in range(1, 5)),
        encoding="utf-8",
    )
    page = drop(open_section(desk, language=language), path)
    assert not page.exception
    boxes = {box.key.rpartition("-")[2]: box for box in page.selectbox if box.key and "answer-1-constants" in box.key}
    assert boxes.keys() == {"stage", "pathway", "axis", "found"}
    assert stage in boxes["stage"].options
    assert boxes["pathway"].label == pathway
    shown = words_on(page)
    with speak(language):
        for name, box in boxes.items():
            lines = words.list_help("encounter", name)
            assert [line.partition(":")[0] for line in lines] == box.options[: len(lines)]
            assert len(lines) == len(box.options)
            assert all(line.replace("'", "&#39;") in shown for line in lines)
    if language == "en":
        assert "stored for all 4 rows of this file" in shown


def test_what_holds_for_all_rows_is_asked_first_and_words_of_ages_have_names(desk, tmp_path):
    path = tmp_path / "list.csv"
    head = "date,Qyteti,child_id,form,found,age"
    rows = [f"2008-03-04,Tirana,K-{child},begging,reported,rreth 10" for child in range(3)]
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    page = drop(open_section(desk, language="sq"), path)
    boxes = [box for box in page.selectbox if (box.key or "").startswith("answer-1-")]
    assert [box.key.split("-")[2] for box in boxes] == ["constants"] * 3 + ["words"]
    assert boxes[-1].label == "“rreth 10” (3 rreshta)"
    assert "10–13 vjeç" in boxes[-1].options


def test_the_notes_of_a_file_stand_beside_its_trial_with_names_of_columns(desk, tmp_path):
    path = tmp_path / "list.csv"
    head = "date,municipality,child_id,stage,pathway,form,axis,found,age_band"
    row = '2008-03-04,Tirana,K-1,at_risk,internal,"begging, street_work",protection,reported,rreth 12'
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    shown = words_on(drop(open_section(desk, language="sq"), path))
    assert "1 rresht ka disa përgjigje te Forma" in shown
    assert "moshë të përafërt" in shown


def test_imports_are_listed_by_the_clock_of_the_machine(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Tirane")
    time.tzset()
    entry = {"number": 1, "at": "2008-07-01T22:30:00.000000Z", "kind": "encounter", "partner": "P", "rejected": None}
    listed = tabulate_imports([{**entry, "accepted": 1, "changed": 0, "already_known": 0}])
    monkeypatch.undo()
    time.tzset()
    assert listed.iloc[0, 1] == "2 July 2008, 00:30:00"


def test_days_are_written_as_people_of_each_language_do_and_a_frame_holds_days(desk, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("\n".join([",".join(ROW), ",".join(ROW.values())]), encoding="utf-8")
    drop(open_section(desk), path)
    recognition = desk.in_hand["files"].files[1].recognition
    day = dt.date.fromisoformat(ROW["date"])
    assert day in tabulate_sample(recognition).iloc[0].tolist()
    for language, text in (("en", "17 May 2009"), ("sq", "17 maj 2009"), ("el", "17 Μαΐου 2009")):
        with speak(language):
            cells = render_table(pd.DataFrame([("a", dt.date(2009, 5, 17))], columns=["A", "B"]))
            assert f'<time datetime="2009-05-17">{text}</time>' in cells
            assert translate_message(Message("before {day}", day=dt.date(2009, 5, 17))).endswith(text)


def test_a_file_whose_headings_are_not_known_says_what_to_do_and_is_read_from_the_row_that_is_named(desk, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("Alfa,Beta,Gama\n2008-03-04,Tirana,K-1\n", encoding="utf-8")
    with speak("sq"):
        page = drop(open_section(desk, language="sq"), path)
        page.selectbox(key="kind-1").set_value("encounter")
        page.run()
        assert "“Kontakte me fëmijë”" in words_on(page)
        page.number_input[0].set_value(1)
        press(page, "Lexoje kështu")
        assert [box for box in page.selectbox if (box.key or "").startswith("answer-1-column-date")]


def test_a_file_whose_rows_name_nobody_is_asked_for_its_partner(desk, tmp_path):
    page = drop(open_section(desk), MESSY["sq-titles"].write(tmp_path), "")
    assert not [box for box in page.selectbox if box.key and box.key.startswith("answer-")]
    page.selectbox(key="partner-1").set_value("Qendra")
    page.run()
    assert desk.in_hand["files"].files[1].partner == "Qendra"
    assert [box for box in page.selectbox if box.key and box.key.startswith("answer-1-constants")]


def test_the_partner_that_is_chosen_at_the_top_is_that_of_files_without_one(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra", "BKTF"])
    page = drop(open_section(desk), write(tmp_path, text_of([ROW | {"partner": ""}]), "b.csv"), "BKTF")
    page = drop(page, MESSY["sq-titles"].write(tmp_path), "")
    page.selectbox(key="partner").set_value("Qendra")
    page.run()
    assert not [box for box in page.selectbox if box.key and box.key.startswith("partner-")]
    partners = {entry.file.name: entry.partner for entry in desk.in_hand["files"].files.values()}
    assert partners == {"b.csv": "BKTF", "invented-sq-titles.xlsx": "Qendra"}


def test_a_refused_file_says_why_and_offers_no_import(desk, tmp_path):
    page = drop(open_section(desk), MESSY["birth-days"].write(tmp_path))
    assert "dates of birth: the column “Viti i lindjes”" in words_on(page)
    assert not [button for button in page.button if button.key and button.key.startswith("import-")]


def test_a_file_that_fits_no_kind_is_asked_for_it(desk, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("Data,Bashkia\n2008-03-04,Tirana\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    page.selectbox(key="kind-1").set_value("effort")
    page.run()
    assert not page.exception
    assert desk.in_hand["files"].files[1].kind == "effort"


def test_nothing_of_a_dropped_file_stays_when_the_desk_locks(desk, tmp_path):
    page = drop(open_section(desk), MESSY["sq-titles"].write(tmp_path))
    assert desk.in_hand
    page.button(key="lock").click().run()
    assert desk.in_hand == {}
    assert "Bashkia" not in words_on(page)


@pytest.mark.slow
def test_a_heading_that_was_read_wrongly_is_corrected(desk, tmp_path):
    path = tmp_path / "list.csv"
    head = "Data,Data tjetër,Bashkia,Kodi i fëmijës,Faza,Rruga,Forma,Boshti,Si u gjet"
    row = "2008-03-04,2008-03-09,Tiranë,K-1,në rrezik,i brendshëm,lypje,mbrojtje,raportuar"
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    entry = desk.in_hand["files"].files[1]
    assert entry.recognition.sample.cells["date"] == ("2008-03-04",)
    columns = [box for box in page.selectbox if box.label in ("Column", "Heading in the file")]
    columns[0].set_value("date")
    columns[1].set_value("Data tjetër")
    press(page, "Read it so")
    assert entry.recognition.sample.cells["date"] == ("2008-03-09",)


@pytest.mark.slow
def test_kind_and_sheet_that_are_corrected_together_hold_until_they_are_asked_again(desk, tmp_path):
    effort = [("date", "municipality", "days", "kind"), ("2008-03-04", "Tirana", 1, "street_outreach")]
    sheets = {"March": effort, "April": effort, "Children": [tuple(ROW), tuple(ROW.values())]}
    path = write_book("three", sheets)(tmp_path)
    page = drop(open_section(desk), path)
    entry = desk.in_hand["files"].files[1]
    assert (entry.recognition.kind, entry.recognition.sheet) == ("encounter", 3)
    choose(page, "Kind of record", "effort")
    choose(page, "Column", "child_id")
    choose(page, "Heading in the file", "child_id")
    next(field for field in page.text_input if field.label == "Name or number of the sheet").input("2")
    press(page, "Read it so")
    assert not page.exception
    assert not page.error
    assert (entry.recognition.kind, entry.recognition.sheet, entry.trial.accepted) == ("effort", 2, 1)
    page.button(key="again-1").click().run()
    assert (entry.recognition.kind, entry.recognition.sheet) == ("encounter", 3)


@pytest.mark.slow
def test_a_second_sheet_goes_in_when_the_file_is_dropped_again(desk, tmp_path):
    effort = [("2008",), (), ("date", "municipality", "days", "kind"), ("2008-03-04", "Tirana", 1, "street_outreach")]
    path = write_book("two", {"Children": [tuple(ROW), tuple(ROW.values())], "Outreach": effort})(tmp_path)
    page = drop(open_section(desk), path)
    assert "Only sheet 1 was read, of 2 sheets with content. To read another one" in words_on(page)
    page.button(key="import-1").click().run()
    page = drop(page, path)
    entry = desk.in_hand["files"].files[2]
    choose(page, "Kind of record", "effort")
    next(field for field in page.text_input if field.label == "Name or number of the sheet").input("2")
    page.number_input[0].set_value(3)
    press(page, "Read it so")
    assert (entry.recognition.kind, entry.recognition.sheet, entry.trial.accepted) == ("effort", 2, 1)
    page.button(key="import-2").click().run()
    assert not page.exception
    assert (entry.result.kind, entry.result.accepted) == ("effort", 1)


@pytest.mark.parametrize("heading", ["Situata", "none"])
def test_what_no_known_heading_says_may_be_in_another_column(desk, tmp_path, heading):
    path = tmp_path / "list.csv"
    head = f"Data,Bashkia,Kodi i fëmijës,Statusi i tij,Rruga,{heading},Boshti,Si u gjet"
    row = "2008-03-04,Tiranë,K-1,në rrezik,i brendshëm,lypje,mbrojtje,raportuar"
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    boxes = {box.key.rpartition("-")[2]: box for box in page.selectbox if (box.key or "").startswith("answer-1-column")}
    assert set(boxes) == {"stage", "form"}
    assert boxes["form"].options == [heading, "None: the file has no such column"]
    boxes["stage"].set_value("Statusi i tij")
    boxes["form"].set_value(heading)
    press(page, "Answer")
    assert not page.exception
    entry = desk.in_hand["files"].files[1]
    assert (entry.recognition.questions, entry.trial.accepted) == ((), 1)
    assert entry.recognition.sample.cells["form"] == ("begging",)


def test_a_column_of_hours_is_not_read_as_days(desk, tmp_path):
    path = tmp_path / "hours.csv"
    path.write_text("date,municipality,kind,Orë në terren\n2008-03-04,Tirana,other,8\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    box = page.selectbox(key="answer-1-column-days-days")
    assert (box.options, box.value) == (["Orë në terren"], None)
    box.select_index(0)
    press(page, "Answer")
    assert ["holds hours and is not read as days" in error.value for error in page.error] == [True]
    assert desk.in_hand["files"].files[1].recognition.blocks


def write_codes(folder, code):
    path = folder / "list.csv"
    head = "Data,Bashkia,Faza,Rruga,Forma e shfrytëzimit,Boshti,Si u gjet,Dosja"
    row = f"2008-03-04,Tiranë,në rrezik,i brendshëm,lypje,mbrojtje,raportuar,{code}"
    path.write_text(f"{head}\n{row}\n", encoding="utf-8")
    return path


def test_the_code_of_a_child_is_explained_and_a_file_without_it_says_what_to_ask_of_the_partner(desk, tmp_path):
    page = drop(open_section(desk), write_codes(tmp_path, "D-01"))
    assert "With it each child is counted once" in words_on(page)
    box = page.selectbox(key="answer-1-column-child_id-child_id")
    assert box.options == ["Dosja", "None: the file has no such column"]
    box.select_index(1)
    press(page, "Answer")
    assert "Ask the partner to add a column" in words_on(page)
    assert '<span class="state refused">' in words_on(page)
    press(page, "Forget all answers for these files and ask again")
    page.selectbox(key="answer-1-column-child_id-child_id").select_index(0)
    press(page, "Answer")
    assert desk.in_hand["files"].files[1].trial.accepted == 1


def test_where_no_column_can_be_the_code_of_a_child_nothing_is_asked(desk, tmp_path):
    page = drop(open_section(desk), write_codes(tmp_path, "iku"))
    assert not page.exception
    assert "Ask the partner to add a column" in words_on(page)
    assert not [box for box in page.selectbox if (box.key or "").startswith("answer-")]


@pytest.mark.parametrize("language", ["sq", "el"])
def test_personal_data_is_refused_in_the_language_of_the_officer(desk, tmp_path, language):
    page = drop(open_section(desk, language=language), MESSY["names"].write(tmp_path))
    shown = words_on(page)
    assert not page.exception
    assert "Emri" in shown
    assert "is refused because" not in shown


@pytest.mark.parametrize(
    ("language", "refusal", "note"),
    [
        ("sq", "list.csv nuk mund të lexohet si tabelë.", "Qelizat ndahen me pikëpresje."),
        ("el", "Το list.csv δεν μπορεί να διαβαστεί ως πίνακας.", "Τα κελιά χωρίζονται με ερωτηματικό (;)."),
    ],
)
def test_refusals_and_notes_are_in_the_language_of_the_officer(desk, tmp_path, language, refusal, note):
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xff\xfe\x00")
    page = drop(open_section(desk, language=language), path)
    assert escape_markdown(refusal) in words_on(page)
    page = drop(page, write(tmp_path, text_of([ROW], delimiter=";"), "semicolons.csv"))
    assert note in words_on(page)
    assert "Cells are" not in words_on(page)


def test_each_kind_of_personal_data_has_words():
    assert set(words.PERSONAL) == ALL_PERSONAL


def import_with_list(desk, tmp_path):
    path = MESSY["sq-titles"].write(tmp_path)
    page = drop(open_section(desk), path)
    for box in [box for box in page.selectbox if (box.key or "").startswith("answer-1-constants")]:
        box.set_value(MESSY["sq-titles"].answers["constants"][box.key.rpartition("-")[2]])
    press(page, "Answer")
    page.button(key="import-1").click().run()
    assert desk.in_hand["files"].files[1].result.rejects.exists()
    return page


def take_back(desk):
    listed = open_section(desk, "imports")
    listed.selectbox(key="undo").set_value(1)
    listed.run()
    assert listed.button(key="undo-now").disabled
    listed.checkbox(key="undo-sure-1").check().run()
    assert not listed.button(key="undo-now").disabled
    listed.button(key="undo-now").click().run()


@pytest.mark.long
def test_the_card_of_an_import_that_was_taken_back_says_so_and_imports_it_again(desk, tmp_path):
    import_with_list(desk, tmp_path)
    take_back(desk)
    page = open_section(desk)
    assert not page.exception
    assert not page.error
    assert "taken back" in words_on(page)
    page.button(key="anew-1").click().run()
    page.button(key="import-1").click().run()
    assert "taken back" not in words_on(page)
    with open_vault(desk.workspace) as vault:
        assert [(entry["number"], entry["accepted"]) for entry in vault.list_imports()] == [(2, 3)]
    page.button(key="out-1").click().run()
    assert desk.in_hand["files"].files == {}


@pytest.mark.long
def test_a_card_whose_list_could_not_be_written_says_so(desk, tmp_path):
    import_with_list(desk, tmp_path)
    entry = desk.in_hand["files"].files[1]
    entry.result = replace(entry.result, rejects=None, list_failed=True)
    page = open_section(desk)
    assert not page.exception
    assert "could not be written" in " ".join(warning.value for warning in page.warning)


@pytest.mark.long
def test_a_card_without_its_list_says_so(desk, tmp_path):
    import_with_list(desk, tmp_path)
    desk.in_hand["files"].files[1].result.rejects.unlink()
    page = open_section(desk)
    assert not page.error
    assert "was removed" in words_on(page)


@pytest.mark.slow
def test_one_card_that_fails_leaves_the_others(desk, tmp_path, monkeypatch):
    page = drop(open_section(desk), MESSY["sq-titles"].write(tmp_path))
    page = drop(page, MESSY["codes"].write(tmp_path))
    whole = Hand.look

    def look(hand, entry, basis):
        if "codes" in entry.file.name:
            raise KeyError(CODES[0])
        whole(hand, entry, basis)

    monkeypatch.setattr(Hand, "look", look)
    page = open_section(desk)
    assert [CODES[0] in error.value for error in page.error] == [False]
    assert [box for box in page.selectbox if (box.key or "").startswith("answer-1-constants")]
    page.button(key="out-2").click().run()
    assert not page.error


def watch(monkeypatch, target):
    """Count the calls of a function; `target` as for monkeypatch."""
    module, _, name = target.rpartition(".")
    whole, calls = getattr(resolve_name(module), name), []

    def call(*args, **kwargs):
        calls.append(args)
        return whole(*args, **kwargs)

    monkeypatch.setattr(target, call)
    return calls


@pytest.mark.long
def test_a_page_drawn_again_opens_the_vault_once_and_reads_nothing_that_it_knows(desk, tmp_path, monkeypatch):
    page = drop(open_section(desk), MESSY["codes"].write(tmp_path))
    page = drop(page, MESSY["sq-titles"].write(tmp_path))
    page = drop(page, MESSY["months"].write(tmp_path))
    states = watch(monkeypatch, "data.restricted.vault.Vault.read_state")
    opened = watch(monkeypatch, "dashboard.desk.state.open_vault")
    counted = watch(monkeypatch, "dashboard.desk.hand.find_overdue")
    read = watch(monkeypatch, "dashboard.desk.hand.recognise")
    mappings = watch(monkeypatch, "data.restricted.intake.mapping._load")
    page.run()
    assert not page.exception
    assert (len(opened), counted, read, len(mappings)) == (1, [], [], 1)
    assert len(states) == 2, "once for the overdue records, once for all files"
    with open_vault(desk.workspace) as vault:
        vault.forget(["ab" * 32])
    page.run()
    assert len(counted) == 1
    assert read


@pytest.mark.long
def test_an_undo_is_tried_again_only_when_records_changed(desk, tmp_path, monkeypatch):
    import_with_list(desk, tmp_path)
    listed = open_section(desk, "imports")
    listed.selectbox(key="undo").set_value(1)
    listed.run()
    tried = watch(monkeypatch, "data.restricted.vault.Vault.undo")
    listed.run()
    assert "3 records go away" in words_on(listed)
    assert tried == []
    with open_vault(desk.workspace) as vault:
        vault.forget(["ab" * 32])
    listed.run()
    assert len(tried) == 1


def test_a_column_that_is_read_to_find_the_place_is_told_from_one_that_is_not_read(desk, tmp_path):
    rows = text_of([ROW | {"partner": "", "Qarku": "Tiranë", "Vërejtje": ""}])
    shown = words_on(drop(open_section(desk), write(tmp_path, rows, "county.csv")))
    assert "Read to find the place, but not stored: Qarku." in shown
    assert "Not read and not stored: Vërejtje." in shown


def test_a_file_that_is_no_table_is_not_asked_for_kind_sheet_and_row(desk, tmp_path):
    fold = "Something is read wrongly"
    path = tmp_path / "notes.py"
    path.write_text("print('date')\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    assert "is not a table of records" in words_on(page).replace("\\", "")
    assert fold not in [shown.label for shown in page.expander]
    page = drop(open_section(desk), write(tmp_path, "a,b\n1,2"))
    assert fold in [shown.label for shown in page.expander]


def test_a_file_that_cannot_be_imported_looks_like_no_other(desk, tmp_path):
    page = open_section(desk)
    for name in ("names", "sq-titles"):
        page = drop(page, MESSY[name].write(tmp_path))
    shown = words_on(page)
    assert '<span class="state refused">cannot be imported</span>' in shown
    assert '<span class="state asked">needs an answer</span>' in shown
    theme = (ROOT / "dashboard/static/theme.css").read_text(encoding="utf-8")
    colours = [
        re.search(rf"\.filehead \.{state} {{([^}}]*)}}", theme) for state in ("state", "refused", "asked", "undone")
    ]
    assert all(colours)
    assert len({colour[1].partition(";")[0] + colour[1].split(";")[1] for colour in colours}) == 4
    assert {button.proto.type for button in page.button if (button.key or "").startswith("out-")} == {"secondary"}


@pytest.mark.always("en")
@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_the_page_imports_says_where_the_name_of_a_file_stays(desk, tmp_path, language):
    import_with_list(desk, tmp_path)
    named = [path.name for path in desk.workspace.rejects.rglob("*.csv")]
    assert named == ["invented-sq-titles.xlsx.rejected.csv"]
    shown = words_on(open_section(desk, "imports", language))
    assert "invented-sq-titles" not in shown
    assert "rejects" in shown


@pytest.mark.always("en-Rejected-not known")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "head", "not_known"),
    [("en", "Rejected", "not known"), ("sq", "Të refuzuara", "nuk dihet"), ("el", "Απορρίφθηκαν", "άγνωστο")],
)
def test_the_page_imports_says_how_many_rows_were_rejected(desk, tmp_path, language, head, not_known):
    import_with_list(desk, tmp_path)
    with open_vault(desk.workspace) as vault, speak(language):
        (now,) = vault.list_imports()
        earlier = now | {"rejected": None}
        assert tabulate_imports([now, earlier])[head].tolist() == ["2", not_known]
    assert head in words_on(open_section(desk, "imports", language))


@pytest.mark.slow
def test_a_place_read_by_its_sound_is_said_and_one_that_is_not_found_is_named(desk, tmp_path):
    places = ["Duress", "Atlantida", "Besa Kola", "Durrës"]
    rows = [ROW | {"partner": "", "child_id": f"K-{n}", "municipality": place} for n, place in enumerate(places)]
    page = drop(open_section(desk), write(tmp_path, text_of(rows)))
    shown = words_on(page)
    assert "1 row, Municipality: “Duress” read as Durrës" in shown
    assert "Atlantida" in shown
    assert "Besa" not in shown
    page.button(key="import-1").click().run()
    assert "“Duress” read as Durrës" in words_on(page)


@pytest.mark.slow
def test_many_spellings_of_places_are_in_a_fold_above_the_button(desk, tmp_path):
    places = ["Duress", "Tirranë", "Elbassan", "Shkodrra", "Vllorë", "Beratt"]
    rows = [ROW | {"partner": "", "child_id": f"K-{n}", "municipality": place} for n, place in enumerate(places)]
    page = drop(open_section(desk), write(tmp_path, text_of(rows)))
    assert "6 spellings of places, and how they are read" in [fold.label for fold in page.expander]


@pytest.mark.slow
def test_files_that_are_ready_go_in_together(desk, tmp_path):
    page = open_section(desk)
    for name, cells in (("a", {"child_id": "K-1"}), ("b", {"child_id": "K-2"}), ("c", {"stage": "late"})):
        page = drop(page, write(tmp_path, text_of([ROW | {"partner": ""} | cells]), f"{name}.csv"))
    press(page, "Import all 2 files that are ready")
    assert not page.exception
    files = desk.in_hand["files"].files.values()
    assert [entry.file.name for entry in files if entry.result is not None] == ["a.csv", "b.csv"]
    assert not [button for button in page.button if button.key == "import-all"]


@pytest.mark.slow
def test_a_file_that_has_a_new_note_after_another_went_in_waits_for_the_officer(desk, tmp_path, monkeypatch):
    """The same list, dropped for two partners: which of them is right is asked before its children count twice."""
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra", "BKTF"])
    rows = text_of([ROW | {"partner": "", "child_id": f"K-{n}"} for n in range(3)])
    page = drop(open_section(desk), write(tmp_path, rows, "a.csv"))
    page = drop(page, write(tmp_path, rows, "b.csv"), "BKTF")
    press(page, "Import all 2 files that are ready")
    assert [entry.result is not None for entry in desk.in_hand["files"].files.values()] == [True, False]
    assert "Is this the right partner?" in words_on(page)


def test_a_file_of_another_partner_says_so_and_takes_the_right_one(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra", "BKTF"])
    page = drop(open_section(desk), write(tmp_path, text_of([ROW | {"partner": "BKTF"}])))
    assert "No row goes in. If it is not a file of Qendra, say whose it is" in words_on(page)
    page.selectbox(key="other-partner-1").set_value("BKTF")
    page.run()
    assert "1 row is new" in words_on(page)


def test_numbers_have_no_idle_decimals():
    assert (words.word_value("effort", "days", "2.0"), words.word_value("effort", "days", "0.5")) == ("2", "0.5")


def test_questions_that_stay_without_an_answer_are_named(desk, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("date,municipality,child_id,form\n2008-03-01,Tirana,K-1,begging\n", encoding="utf-8")
    page = drop(open_section(desk), path)
    assert "Not answered yet" not in words_on(page)
    press(page, "Answer")
    assert "Not answered yet: Stage, Pathway, " in words_on(page)
    choose(page, "Stage", "at_risk")
    press(page, "Answer")
    assert "Not answered yet: Pathway, " in words_on(page)
    assert "Not answered yet" not in words_on(page.run())


@pytest.mark.slow
def test_towns_are_one_question_with_their_municipalities_chosen(desk, tmp_path):
    places = ["Koplik", "Fushë Krujë", "Koplik", "Durrës"]
    rows = [ROW | {"partner": "", "child_id": f"K-{n}", "municipality": place} for n, place in enumerate(places)]
    page = drop(open_section(desk), write(tmp_path, text_of(rows)))
    boxes = [box for box in page.selectbox if (box.key or "").startswith("answer-1-")]
    assert [(box.label, box.value) for box in boxes] == [
        ("“Koplik” (2 rows)", "10944413"),
        ("“Fushë Krujë” (1 row)", "10944378"),
    ]
    assert "a village elsewhere may have the same name" in words_on(page)
    next(button for button in page.button if button.label == "Answer").click().run()
    assert "4 rows are new" in words_on(page)


def test_an_undo_says_nothing_of_what_does_not_happen():
    cases = ((0, 0), (2, 0), (0, 3))
    effects = [list_effects(Undone(removed=5, restored=again, remaining=stay)) for again, stay in cases]
    assert [text[0] for text in effects] == ["5 records go away."] * 3
    assert [any("again as other imports say" in line for line in text) for text in effects] == [False, True, False]
    assert [any("stay, because" in line for line in text) for text in effects] == [False, False, True]
