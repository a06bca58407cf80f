"""Values that could mean two things, totals, and cells that contradict each other never go in without a word."""

# ruff: noqa: E501 - rows of tables stay on one line

import pytest

from data.errors import FileRefused
from data.reference import area_table, town_table
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.outline import compare_outlines
from data.restricted.intake.recognition import answer, recognise
from data.schema import get_kind
from geo.places import Places
from tests.helpers.partner_files import ROW, TODAY, read, text_of, write

PLACES = Places(area_table(), town_table())
TOTALS = [
    "Gjithsej", "TOTAL", "\u03a3\u03cd\u03bd\u03bf\u03bb\u03bf", "\u03a3\u03a5\u039d\u039f\u039b\u039f:", "Totali", "Gjithsej: 12", "Total (12)", "TOTAL 12", "total = 12", "Shuma",
    "N\u00ebntotali", "Grand total", "Total Tiran\u00eb", "Totali mars", "Gjithsej f\u00ebmij\u00eb", "\u03a3\u03cd\u03bd\u03bf\u03bb\u03bf \u03c0\u03b1\u03b9\u03b4\u03b9\u03ce\u03bd", "Total -",
]  # fmt: skip


LIKE_NAMES = ("Grand total", "Total Tiran\u00eb", "Totali mars", TOTALS[15])


def rows_of(*changes):
    return [ROW | {"child_id": f"K-{n}", "date": f"2007-05-{n + 1:02}"} | change for n, change in enumerate(changes)]


@pytest.mark.parametrize("word", TOTALS)
@pytest.mark.parametrize("column", ["date", "child_id", "municipality", "Shënime"])
def test_a_total_is_no_child_at_any_place_in_the_file(tmp_path, word, column):
    rows = [{"Shënime": "", **row} for row in rows_of({}, {column: word}, {}, {})]
    header = ["Shënime", *ROW] if column == "date" else [*ROW, "Shënime"]
    path = write(tmp_path, text_of(rows, header))
    if word in LIKE_NAMES and (column == "child_id" or (column, word) == ("Shënime", "Total Tiranë")):
        with pytest.raises(FileRefused):  # two words in place of a code may be a name
            read(path)
        return
    intake = read(path)
    assert (intake.accepted_rows, intake.rejected_rows) == (3, 0)
    assert "Left out, because it holds totals: line 3." in intake.notes


@pytest.mark.parametrize("code", ["SUM-3", "Totalidis 4", "T-1", "12"])
def test_other_codes_are_no_totals(tmp_path, code):
    assert read(write(tmp_path, text_of(rows_of({"child_id": code})))).accepted_rows == 1


CODED = [
    ["1", "2", "3", "4"], ["1", "2"], ["3", "4", "4"], ["2"], ["1", "2", "3", "4", "9"], ["1", "", "4"], ["0", "1", "2", "3"],
    ["1", "4", "99"], ["5", "4"], ["4", "3", "2", "88"],
]  # fmt: skip


@pytest.mark.parametrize("ages", CODED)
def test_numbers_that_are_ages_or_bands_are_asked_and_go_in_as_answered(tmp_path, ages):
    path = write(tmp_path, text_of(rows_of(*({"age_band": age} for age in ages))))
    intake = read(path)
    assert intake.rejected_rows == sum(bool(age) for age in ages)
    assert "may be an age in years or the number of a band" in set(intake.rejects["reason"])
    (question,) = recognise(path, resolve=PLACES.resolve, today=TODAY).questions
    assert (question.topic, question.column, question.proposal) == ("words", "age_band", {})
    assert "2 is 0-5" in question.text
    assert "second" in question.text
    bands = {"0": "0-5", "1": "0-5", "2": "6-9", "3": "10-13", "4": "14-17"}
    rules = answer(question, {word: bands.get(word, "unknown") for word in question.parts})
    intake = read(path, mapping=rules)
    assert intake.accepted["age_band"].tolist() == [bands.get(age, "unknown") for age in ages]
    assert recognise(path, resolve=PLACES.resolve, today=TODAY, mappings={"encounter": rules}).questions == ()


@pytest.mark.parametrize("ages", [["1", "7"], ["4", "12", "3"], ["2 vjeç", "3 vjeç"], ["0-5", "6-9"], ["1", "2", "17"]])
def test_ages_that_can_only_be_years_are_not_asked(tmp_path, ages):
    intake = read(write(tmp_path, text_of(rows_of(*({"age_band": age} for age in ages)))))
    assert intake.accepted_rows == len(ages)


AGREE = [("9", "1998"), ("8", "1998"), ("6-9", "1998"), ("10-13", "1996"), ("17", "1989"), ("0", "2007"), ("", "1998"), ("9", ""), ("13", "1993"), ("5", "2001")]  # fmt: skip
DIFFER = [("9", "1990"), ("3", "1998"), ("6-9", "1996"), ("14-17", "1998"), ("10", "1991"), ("17", "1995"), ("0", "1999"), ("12", "2004"), ("6-9", "1991"), ("13", "1990")]  # fmt: skip


def read_ages(tmp_path, age, born):
    rows = [{("Mosha" if k == "age_band" else k): v for k, v in row.items()} for row in rows_of({"age_band": age}, {})]
    rows = [row | {"Viti i lindjes": born if n == 0 else ""} for n, row in enumerate(rows)]
    mapping = ColumnMapping({"age_band": ("Mosha", "Viti i lindjes")})
    return read(write(tmp_path, text_of(rows)), mapping=mapping)


@pytest.mark.parametrize(("age", "born"), AGREE)
def test_an_age_and_a_year_of_birth_that_agree_go_in(tmp_path, age, born):
    assert read_ages(tmp_path, age, born).accepted_rows == 2


@pytest.mark.parametrize(("age", "born"), DIFFER)
def test_an_age_and_a_year_of_birth_that_differ_are_rejected(tmp_path, age, born):
    intake = read_ages(tmp_path, age, born)
    assert intake.rejects[["line", "column", "value"]].to_numpy().tolist() == [[2, "age_band", ""]]
    assert "do not agree" in intake.rejects["reason"].iloc[0]
    assert born not in str(intake.rejects.to_dict())


def recognise_rows(tmp_path, rows):
    return recognise(write(tmp_path, text_of(rows)), resolve=PLACES.resolve, today=TODAY, kind="encounter")


def rename(rows, ours, columns):
    """Return the rows without a column of ours, and with others by heading, each a value made of the row's number."""
    left = [{name: value for name, value in row.items() if name not in (ours, "programme_number")} for row in rows]
    return [row | {heading: make(n) for heading, make in columns.items()} for n, row in enumerate(left)]


MEETINGS = [
    "Data e takimit",
    "Data e kontaktit",
    "Data e vizitës",
    "Kur u takua",
    "Data",
    "Date of meeting",
    "Visit date",
    "Ημερομηνία συνάντησης",
    "Πότε",
    "Dita e takimit",
]


@pytest.mark.parametrize("meeting", MEETINGS)
def test_the_date_of_the_meeting_beats_that_of_registration(tmp_path, meeting):
    days = {"Data e regjistrimit": lambda n: f"2007-01-{n + 1:02}", meeting: lambda n: f"2007-05-{n + 1:02}"}
    recognition = recognise_rows(tmp_path, rename(rows_of({}, {}, {}), "date", days))
    assert {r.column: r.headings for r in recognition.readings}["date"] == (meeting,)
    assert recognition.questions == ()


@pytest.mark.parametrize("other", ["Dita e takimit me fëmijën", "Dita", "Field day", "Μέρα στον δρόμο"])
def test_a_date_of_registration_is_not_proposed_where_another_day_stands_beside(tmp_path, other):
    days = {"Data e regjistrimit": lambda n: f"2007-01-{n + 1:02}", other: lambda n: f"2007-05-{n + 1:02}"}
    (question,) = recognise_rows(tmp_path, rename(rows_of({}, {}, {}), "date", days)).questions
    assert set(question.parts["date"]) == {"Data e regjistrimit", other}
    assert question.proposal.get("date") != "Data e regjistrimit"


FAMILIES = [
    "Kodi i familjes",
    "Kodi familjar",
    "Familja",
    "Family code",
    "Household ID",
    "Κωδικός οικογένειας",
    "HH",
    "Kodi i dosjes",
    "Grupi",
    "Nr. familje",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_code_that_rows_of_one_day_and_place_share_is_no_identifier(tmp_path, family):
    rows = [row | {"date": f"2007-05-{n // 3 + 1:02}"} for n, row in enumerate(rows_of(*[{}] * 9))]
    codes = {family: lambda n: f"F-{n // 3}", "Shenja": lambda n: f"K-{n}"}
    (question,) = recognise_rows(tmp_path, rename(rows, "child_id", codes)).questions
    assert question.parts == {"child_id": ("Shenja",)}


@pytest.mark.parametrize("size", [2, 3, 4, 9])
def test_an_identifier_that_rows_of_one_day_and_place_share_is_asked_before_an_import(tmp_path, size):
    shared = [{"date": f"2007-05-{n // size + 1:02}", "child_id": f"F-{n // size}"} for n in range(12)]
    (fact,) = compare_outlines(get_kind("encounter"), [], read(write(tmp_path, text_of(rows_of(*shared)))).outline)
    assert "of 12 rows have the child_id of another row of the same day and place" in fact
    several = rows_of(*({"child_id": f"K-{n % 6}"} for n in range(12)))
    assert not list(compare_outlines(get_kind("encounter"), [], read(write(tmp_path, text_of(several))).outline))
