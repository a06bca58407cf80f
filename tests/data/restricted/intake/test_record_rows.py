"""A record that is taken for the row of headings, by whoever says so, shows nothing of itself."""

import datetime as dt

import openpyxl
import pytest

from data.errors import FileRefused
from data.reference import area_table
from data.restricted.intake import guess_kind, read_file
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import recognise
from geo.places import Places
from tests.helpers.partner_files import Hasher

TODAY = dt.date(2009, 6, 30)
PLACES = Places(area_table())
SECRETS = ("Zymbyle", "Arben", "lights", "rrobaqepës", "6941", "K-77", "gjyshja", "Vlorës")
HEAD = ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Forma", "Shënime")
RECORDS = (
    ("2008-03-04", "Vlorë", "Zymbyle K", "F", "11", "lypje", "begging at lights with Arben"),
    ("2008-03-05", "Vlorë", "K-77", "M", "9", "lypje", "gjyshja, rruga e Vlorës"),
    ("2008-03-06", "Berat", "K-78", "F", "8", "vjedhje", "gjyshja"),
)
ODD = (
    ("dje", "Kombinat", "Zymbyle", "vajzë", "njëmbëdhjetë", "lypje", "te gjyshja"),
    ("sot", "Kombinat", "Zymbyle", "vajzë", "nëntë", "lypje", "te gjyshja"),
    ("nesër", "Kinostudio", "Zymbyle", "vajzë", "nëntë", "lypje", "rrobaqepës"),
)


def write_csv(folder, rows, mark=","):
    path = folder / "file.csv"
    path.write_text("\n".join(mark.join(f'"{cell}"' for cell in row) for row in rows), encoding="utf-8")
    return path


def write_book(folder, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(list(row))
    path = folder / "file.xlsx"
    book.save(path)
    return path


def look(path, **more):
    """Return all that anybody is shown of a file, or that is written, and whether each way refused it."""
    mapping = ColumnMapping(**more)
    texts, refused = [], []
    for run in (
        lambda: guess_kind(path, {"encounter": mapping}),
        lambda: recognise(path, resolve=PLACES.resolve, kind="encounter", mappings={"encounter": mapping}, partner="P"),
        lambda: recognise(path, resolve=PLACES.resolve, mappings={"encounter": mapping}, partner="P", today=TODAY),
        lambda: read_file(
            path, "encounter", resolve=PLACES.resolve, hash_identifier=Hasher(), mapping=mapping, partner="P"
        ),
    ):
        try:
            result = run()
            texts.append(f"{result}{getattr(result, 'rejects', '')}")
            refused.append(False)
        except FileRefused as error:
            texts.append(f"{error}{error.personal}")
            refused.append(True)
    return "\n".join(texts), refused


def check_silent(text):
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("row", [2, 3, 4])
@pytest.mark.parametrize("mark", [",", ";"])
def test_a_record_in_the_row_that_is_named_is_refused_by_its_number(tmp_path, row, mark):
    text, refused = look(write_csv(tmp_path, [HEAD, *RECORDS], mark), heading_row=row)
    check_silent(text)
    assert all(refused)
    assert text.count(f"Row {row} reads as a record, not as headings: nothing of it is shown.") == 4
    assert "row 1" in text


def test_words_without_a_day_or_number_are_a_record_where_they_come_again(tmp_path):
    text, refused = look(write_csv(tmp_path, [HEAD, *ODD]), heading_row=2)
    check_silent(text)
    assert all(refused)


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ([("Dosja e Zymbyle", "përgatiti Krasta"), HEAD, *RECORDS], 1),
        ([HEAD, *RECORDS, ("Totali", 3), ("Zymbyle u takua", "te gjyshja")], 6),
        (
            [("Fëmija", "Zymbyle K", "Krasta"), ("Data", "dje", "sot"), ("Bashkia", "Vlorë", "Berat"), ("Mosha", 9, 8)],
            1,
        ),
        ([("Nga kush", "Te kush"), ("Zymbyle", "te kisha")], 2),
    ],
)
def test_a_title_a_remark_and_a_form_on_its_side_are_no_headings(tmp_path, rows, row):
    text, refused = look(write_book(tmp_path, rows), heading_row=row)
    check_silent(text)
    assert all(refused)


def test_names_above_names_are_no_headings(tmp_path):
    rows = [("Kush", "Ku"), ("Zymbyle Krasta", "te kisha"), ("Arta Zymbyle", "te xhamia")]
    for start, more in ((rows, {"heading_row": 2}), (rows[1:], {})):
        text, refused = look(write_book(tmp_path, start), **more)
        check_silent(text)
        assert refused[1:] == [True] * 3


def test_a_file_without_headings_shows_nothing(tmp_path):
    address = ("2008-03-04", "Vlorë", "adresa: gjyshja Zymbyle", "F", "11", "lypje", "tel Arben")
    for path in (write_csv(tmp_path, [address, *RECORDS]), write_book(tmp_path, [address, *RECORDS])):
        text, refused = look(path)
        check_silent(text)
        assert refused[1:] == [True] * 3


def test_a_row_of_headings_is_not_filled_from_a_record_beside_it(tmp_path):
    blank = ("Data", "Bashkia", "", "Gjinia", "Mosha", "", "")
    above = ("2008-03-01", "", "Mosha (Zymbyle)", "", "", "Forma - Arben", "gjyshja")
    text, _ = look(write_book(tmp_path, [above, blank, *RECORDS]))
    check_silent(text)
    text, _ = look(write_book(tmp_path, [above, blank, *RECORDS]), heading_row=2)
    check_silent(text)


def test_a_record_of_one_sheet_does_not_stop_the_headings_of_another(tmp_path):
    path = write_book(tmp_path, [HEAD, *RECORDS], [("Raport",), HEAD, ("2008-03-04", "Vlorë", "K-1", "F", 11, "lypje")])
    text, refused = look(path, heading_row=2)
    check_silent(text)
    assert refused[:2] == [False, False]
    assert "line=2" in text


def test_headings_that_we_do_not_know_may_still_be_named_by_their_row(tmp_path):
    rows = [("Raport i shpikur",), ("Kur", "Ku", "Kush", "Si", "Çfarë"), ("2008-03-04", "Vlorë", "K-77", "F", "lypje")]
    path = write_book(tmp_path, rows)
    recognition = recognise(
        path,
        resolve=PLACES.resolve,
        kind="encounter",
        mappings={"encounter": ColumnMapping(heading_row=2)},
        partner="P",
        today=TODAY,
    )
    assert recognition.line == 2
    assert "Kush" in str(recognition.questions)


def test_a_name_that_stands_among_headings_is_masked(tmp_path):
    path = write_csv(tmp_path, [(*HEAD, "Arben", "K-77"), *((*row, "", "") for row in RECORDS[1:])])
    text, _ = look(path)
    check_silent(text)
    assert "column 8" in text
    assert "column 9" in text
