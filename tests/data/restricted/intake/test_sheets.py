"""Sheets of months and the repeats of a form are read as one table; what is not sure is refused."""

import openpyxl
import pytest

from data.errors import FileRefused
from data.restricted.intake import guess_kind, read_file
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.sheets import read_month
from data.restricted.intake.xlsx_rows import LISTS
from tests.data.restricted.intake.test_messy_files import PLACES, TODAY, ask, learn, read
from tests.helpers.messy_files import BOTH, DAY, FILES, Messy, write_book
from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import Hasher

MESSY = {messy.name: messy for messy in FILES}
HEADINGS = ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Faza", "Forma", "Si u gjet")
ROW = (DAY, "Tiranë", "X-1", "F", "në rrezik", "lypje", "terren")
KNOWN = ColumnMapping(constants=BOTH)


def import_sheets(folder, sheets, **choice):
    path = write_book("made", sheets)(folder)
    mapping = ColumnMapping(constants=BOTH, **choice)
    more = {"resolve": PLACES.resolve, "hash_identifier": Hasher(), "today": TODAY}
    return read_file(path, "encounter", mapping=mapping, partner="INVENTED", **more)


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("Janar", (0, 1)), ("shkurt 2008", (2008, 2)), ("03 Mars", (0, 3)), ("Prill '08", (2008, 4)),
        ("Μάιος", (0, 5)), ("Ιούνιος 2008", (2008, 6)), ("July", (0, 7)), ("2008-Aug", (2008, 8)),
        ("12. Dhjetor", (0, 12)),
        ("Janar-Mars", None), ("Mars (2)", None), ("2008", None), ("Rastet", None), ("Maria", None), ("03", None),
    ],
)  # fmt: skip
def test_a_sheet_is_named_after_one_month(name, month):
    assert read_month(name) == month


def test_it_is_said_which_sheets_are_read(tmp_path):
    notes = " ".join(ask(MESSY["months-sq"].write(tmp_path), MESSY["months-sq"]).notes)
    assert "The sheets Janar 2008, Shkurt 2008, Mars 2008 were read as one table. Not read: sheet 1, 5, 6." in notes
    assert "2000003 is row 3 of sheet 2" in notes
    notes = " ".join(ask(MESSY["kobo-repeat"].write(tmp_path), MESSY["kobo-repeat"]).notes)
    assert "Each row of sheet 2 was read with its submission of sheet 1. Not read: sheet 3." in notes
    assert "Submissions of sheet 1 without a row in sheet 2, which are no records: 1." in notes


@pytest.mark.parametrize(
    ("hidden", "words"),
    [(("Shkurt",), "1 sheet of"), (("Janar", "Shkurt", LISTS), "2 sheets of"), ((), ""), ((LISTS,), "")],
)
@pytest.mark.parametrize("is_old", [False, True])
def test_hidden_sheets_are_not_read_and_are_counted_in_a_note(tmp_path, hidden, words, is_old):
    """The hidden sheet of our own forms is none of them."""
    if is_old:
        cells = [str(cell) for cell in ROW]
        path = write_old_workbook(tmp_path / "made.xls", [list(HEADINGS), cells], "Mars", hidden)
    else:
        path = write_book("made", {name: [HEADINGS, ROW] for name in ("Mars", *hidden)})(tmp_path)
        book = openpyxl.load_workbook(path)
        for name in hidden:
            book[name].sheet_state = "hidden"
        book.save(path)
    more = {"resolve": PLACES.resolve, "hash_identifier": Hasher(), "today": TODAY}
    intake = read_file(path, "encounter", mapping=KNOWN, partner="INVENTED", **more)
    assert intake.rows == 1
    assert [note[: len(words)] for note in intake.notes if "hidden" in note] == [words] * bool(words)


@pytest.mark.parametrize(
    "sheets",
    [
        {"Mars": [HEADINGS, ROW], "Mars 2008": [HEADINGS, ROW]},
        {"Mars": [HEADINGS, ROW], "Mars (2)": [HEADINGS, ROW]},
        {"Mars 2008": [HEADINGS, ROW], "March 08": [HEADINGS, ROW], "Prill 2008": [HEADINGS, ROW]},
        {"Janar": [HEADINGS, ROW], "Shkurt": [HEADINGS, ROW], "Viti": [HEADINGS, ROW]},
        {"Ekipi A": [HEADINGS, ROW], "Ekipi B": [HEADINGS, ROW]},
    ],
)
def test_sheets_that_may_hold_the_same_rows_twice_are_refused(tmp_path, sheets):
    with pytest.raises(FileRefused, match="all have the columns"):
        import_sheets(tmp_path, sheets)


def test_one_month_is_read_alone_where_it_is_named(tmp_path):
    intake = import_sheets(tmp_path, {"Janar": [HEADINGS, ROW], "Shkurt": [HEADINGS, ROW, ROW]}, sheet="Shkurt")
    assert (intake.rows, "Only sheet 2" in " ".join(intake.notes)) == (2, True)


def test_the_next_month_is_new_and_the_others_are_known(tmp_path):
    sheets = {"Janar": [HEADINGS, ROW], "Shkurt": [HEADINGS, (*ROW[:2], "X-2", *ROW[3:])]}
    first = import_sheets(tmp_path, sheets)
    second = import_sheets(tmp_path, sheets | {"Mars": [HEADINGS, (*ROW[:2], "X-3", *ROW[3:])]})
    assert second.accepted["identity"].tolist()[:2] == first.accepted["identity"].tolist()
    assert second.rows == 3


def test_an_edited_submission_with_repeats_is_a_correction(tmp_path):
    messy = MESSY["kobo-repeat"]
    path = messy.write(tmp_path)
    learnt, _ = learn(path, messy)
    first = read(path, messy, learnt).accepted
    book = openpyxl.load_workbook(path)
    book["Takimi në terren"]["F2"] = "w-99"  # an edit changes _uuid
    book["femije"]["E3"] = "recruited"
    book.save(path)
    second = read(path, messy, learnt).accepted
    assert second["identity"].tolist() == first["identity"].tolist()
    assert (second["content"] != first["content"]).tolist() == [False, True, False]


def test_repeats_in_repeats_are_read_with_both(tmp_path):
    sheets = {
        "Forma": [("data", "bashkia", "_id", "_index"), ("2008-03-04", "Elbasan", 5, 1)],
        "familje": [
            ("rruga", "_index", "_parent_table_name", "_parent_index"),
            ("internal", 1, "Forma", 1), ("internal", 2, "Forma", 1),
        ],
        "femije": [
            ("kodi_i_femijes", "gjinia", "faza", "forma", "si_u_gjet", "_index", "_parent_table_name", "_parent_index"),
            ("Z-1", "female", "at_risk", "begging", "reported", 1, "familje", 1),
            ("Z-2", "male", "at_risk", "begging", "reported", 2, "familje", 2),
            ("Z-3", "male", "at_risk", "begging", "reported", 3, "familje", 2),
        ],
    }  # fmt: skip
    path = write_book("nested", sheets)(tmp_path)
    messy = Messy("nested", lambda _: path, answers={"constants": {"axis": "protection"}})
    assert guess_kind(path) == "encounter"
    learnt, asked = learn(path, messy)
    assert asked == 1
    accepted = read(path, messy, learnt).accepted
    assert accepted["record_number"].tolist() == ["5-1-1", "5-2-1", "5-2-2"]
    assert set(accepted["municipality"]) == {"10944380"}


def test_names_of_children_with_their_submissions_are_refused(tmp_path):
    sheets = {
        "Forma": [("data", "bashkia", "emri_i_femijes", "_id", "_index"), ("2008-03-04", "Elbasan", "Emër", 5, 1)],
        "femije": [
            ("kodi_i_femijes", "gjinia", "faza", "forma", "si_u_gjet", "_index", "_parent_table_name", "_parent_index"),
            ("Z-1", "female", "at_risk", "begging", "reported", 1, "Forma", 1),
        ],
    }
    with pytest.raises(FileRefused, match="names"):
        import_sheets(tmp_path, sheets)


def test_a_file_whose_kept_sheet_is_gone_is_not_taken_for_one_of_another_kind(tmp_path):
    days = [("Data", "Bashkia", "Ditë", "Lloji"), (DAY, "Tirana", 2, "tjetër")]
    path = write_book("made", {"Mars": [HEADINGS, ROW], "Terreni": days})(tmp_path)
    assert guess_kind(path, {"encounter": KNOWN}) == "encounter"
    with pytest.raises(FileRefused, match="Shkurt"):
        guess_kind(path, {"encounter": ColumnMapping(constants=BOTH, sheet="Shkurt")})
