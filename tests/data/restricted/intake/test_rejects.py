"""The contents of wrong cells that rejects repeat: enough to find the cell, and nothing personal."""

import openpyxl
import pytest

from data.restricted.intake import child_names
from data.restricted.intake.rejects import LONGEST, Repeater, Respelled
from data.restricted.intake.table import RawTable
from data.schema.kinds import KINDS
from geo.places import Places
from tests.helpers.nonempty import nonempty
from tests.helpers.partner_files import AREAS, ROW, Hasher, read, read_rows, text_of, write


def repeat(kind, column, text, *, words=(), alone=True):
    return Repeater(KINDS[kind], frozenset(words)).repeat(column, text, alone=alone)


@pytest.mark.parametrize(
    ("kind", "column", "text"),
    [
        ("encounter", "municipality", "Atlantis"),
        ("encounter", "stage", "lost"),
        ("encounter", "stage", "Identifed"),
        ("encounter", "date", "2008-02-31"),
        ("encounter", "date", "04/03/2008"),
        ("effort", "days", "5000"),
        ("effort", "date", "2007-W53"),
        ("effort", "kind", "street work"),
        ("community", "estimate", "1.5"),
        ("indicator", "period", "2006-06-15/P3M"),
        ("service", "municipality", "Nea Smyrna"),
    ],
)
def test_a_wrong_value_is_repeated(kind, column, text):
    assert repeat(kind, column, f" {text} ") == text


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_ever_repeated_of_identifiers_codes_and_free_text(kind):
    columns = [c.name for c in KINDS[kind].columns if c.type in ("identifier", "hash", "text", "code")]
    assert columns
    for column in columns:
        for text in ("lost", "Atlantis", "12", "2008-02-31", "R-1"):
            assert repeat(kind, column, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Zamira Planted",
        "Zamira-Planted",
        "Zamira P.",
        "zamira@example.org",
        "0691234567",
        "+355 69 123 4567",
        "A12345678B",
        "41.32754",
        "41.3275, 19.8187",
        "K-0412",
        "Rruga e Kavajes 12",
        "born 3 May 1998",
        "03.05.1998",
        "1998-05-03",
        "12.05.98",
        "met in the park with her mother",
        "=1+1",
        "\u202eab",
        "x" * (LONGEST + 1),
    ],
)
def test_what_may_be_personal_is_repeated_in_no_column_about_a_child(text):
    for column in nonempty(KINDS["encounter"].file_columns):
        assert repeat("encounter", column.name, text) == "", column.name


def test_in_a_row_about_a_child_no_word_is_repeated_that_may_have_slid_there():
    assert repeat("encounter", "municipality", "Zamira", alone=False) == ""
    assert repeat("encounter", "municipality", "Zamira", words={"zamira"}) == ""
    assert repeat("encounter", "sex", "Zamira") == ""
    # Our own words are nobody's name.
    assert repeat("encounter", "pathway", "internal", alone=False) == "internal"


@pytest.mark.parametrize("column", ["staff", "capacity"])
def test_a_number_with_as_many_digits_as_a_phone_is_not_repeated(column):
    for text in ("0691234567", "6912345", "41.3275", "12.05.98", "1234567", "069 123"):
        assert repeat("service", column, text) == ""


def test_the_words_of_a_file_are_those_of_identifiers_texts_and_unknown_columns(tmp_path):
    slid = ROW | {"child_id": "Keti-3", "record_number": "1"}
    rows = [slid, slid | {"sex": "keti", "record_number": "2"}, slid | {"sex": "blu", "record_number": "3"}]
    rows[2]["notes"] = "blu"
    rejects = read(write(tmp_path, text_of(rows, [*ROW, "notes"]))).rejects
    assert rejects.value.tolist() == ["", ""]
    assert rejects.column.tolist() == ["sex", "sex"]


def test_the_file_that_goes_back_holds_line_number_and_value(tmp_path):
    rejects = read_rows(tmp_path, {"record_number": "7", "stage": "late"}, {"date": "", "stage": "late"}).rejects
    rows = rejects[["line", "record_number", "column", "value"]].to_numpy().tolist()
    # The second row has two faults: what stands in it may belong elsewhere.
    assert rows == [[2, "7", "stage", "late"], [3, "", "date", ""], [3, "", "stage", ""]]


def test_lines_are_rows_of_the_sheet_with_empty_ones_and_a_heading_further_down(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for number, name in enumerate(ROW, start=1):
        sheet.cell(3, number, name)
        sheet.cell(4, number, ROW[name])
        sheet.cell(9, number, (ROW | {"stage": "late"})[name])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").rejects.line.tolist() == [9]


def test_lines_are_those_of_a_text_file_whose_first_says_the_delimiter(tmp_path):
    text = "sep=;\r\n\r\n" + text_of([ROW, ROW | {"stage": "late"}], delimiter=";")
    path = write(tmp_path, text)
    (line,) = read(path).rejects.line
    assert "late" in path.read_text().splitlines()[line - 1]


def test_a_table_without_rows_has_no_words():
    from data.restricted.intake.headings import Layout

    assert Repeater.from_table(KINDS["encounter"], RawTable([], []), Layout()).words == frozenset()


def read_sounds(tmp_path, *changes, **more):
    """Return the words that were read as an area which sounds like them."""
    rows = [{"child_id": f"K-{number}", **change} for number, change in enumerate(changes)]
    return read_rows(tmp_path, *rows, resolve=Places(AREAS).resolve, **more).respelled


def test_a_word_that_sounds_like_a_place_is_said_most_rows_first(tmp_path):
    words = read_sounds(tmp_path, {"municipality": "Ksanthi"}, *[{"municipality": "Duress"}] * 2)
    assert [(entry.word, entry.rows) for entry in words] == [("Duress", 2), ("Ksanthi", 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"child_id": "ksanthi-1"},
        {"programme_number": "KSANTHI-1"},
        {"remark": "with Ksanthi, in the morning"},
        {"municipality": "Municipality of Ksanthi"},
    ],
    ids=["an identifier", "a programme number", "a remark", "several words"],
)
def test_a_word_that_may_be_a_name_is_not_said_where_it_sounds_like_a_place(tmp_path, change):
    (entry,) = read_sounds(tmp_path, {"municipality": "Ksanthi", **change}, {"municipality": "Tirana"})
    assert entry == Respelled("municipality", "", entry.code, 1)
    assert AREAS.name_en[entry.code] == "Xanthi"


def test_rows_that_come_back_say_no_word_that_sounds_like_a_place(tmp_path):
    (gone,) = Hasher()(child_names(ROW["partner"], "K-1", ""))
    changes = {"municipality": "Ksanthi", "stage": "lost"}, {"municipality": "Ksanthi"}, {"municipality": "Duress"}
    words = read_sounds(tmp_path, *changes, forgotten={gone})
    assert [(entry.word, entry.rows) for entry in words] == [("Duress", 1)]
