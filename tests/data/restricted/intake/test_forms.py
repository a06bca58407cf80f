"""Our own forms, in Excel and for Kobo, come back filled in and go in without a question."""

import csv
import datetime as dt
import re

import openpyxl
import pytest

from dashboard.site.text import LANGUAGE_NAMES
from data.reference import area_table
from data.restricted.intake import guess_kind
from data.restricted.intake.kobo_form import list_asked, write_kobo_forms
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import recognise
from data.restricted.intake.templates import FormLanguage, write_templates
from data.restricted.intake.xlsform import read_form
from data.schema.kinds import KINDS
from tests.data.restricted.intake.test_messy_files import PLACES
from tests.helpers.partner_files import read

TODAY = dt.date(2020, 6, 30)
LANGUAGES = [FormLanguage(code, name) for code, name in LANGUAGE_NAMES.items()]
LEFT_EMPTY = {"country", "span", "programme_number", "handed_from", "handed_to", "valid_to", "origin", "destination"}


def fill(column, answers):
    """Return what somebody writes into a cell: an answer of the list, or what the form gives as an example."""
    if column.name in LEFT_EMPTY or (column.name == "share"):
        return ""
    if column.type in ("whole", "decimal"):
        return "12"
    return answers[0] if answers else column.example


def import_it(path, kind):
    assert guess_kind(path) == kind
    recognition = recognise(path, resolve=PLACES.resolve, partner=None, today=TODAY)
    assert (recognition.questions, recognition.unknown) == ((), ())
    intake = read(path, kind, partner=None, resolve=PLACES.resolve, today=TODAY)
    assert intake.rejects.to_dict("records") == []
    assert intake.accepted_rows == 1
    return intake.accepted.iloc[0]


@pytest.mark.always("sq")
@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_an_excel_form_of_each_language_goes_in_without_a_question(tmp_path, language):
    for kind, path in zip(KINDS, write_templates(tmp_path, language=language), strict=True):
        book = openpyxl.load_workbook(path)
        for number, column in enumerate(KINDS[kind].file_columns, start=1):
            book.worksheets[0].cell(2, number).value = fill(column, language.list_answers(column))
        book.save(path)
        record = import_it(path, kind)
        for column in KINDS[kind].file_columns:
            if column.allowed and column.name not in LEFT_EMPTY:
                assert record[column.name] == next(iter(column.allowed)), column.name


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_each_municipality_of_a_list_is_one_place(tmp_path, language):
    areas = area_table()
    wanted = set(areas.index[areas["counted"] & (areas["level"] == "municipality")])
    names = language.municipalities
    codes = {PLACES.resolve(name, None, "municipality").code for name in names}
    assert (codes, len(names)) == (wanted, len(wanted))
    (path,) = write_templates(tmp_path, ["effort"], language)
    book = openpyxl.load_workbook(path)
    rules = {str(rule.sqref): rule for rule in book.worksheets[0].data_validations.dataValidation}
    rule = rules["C2:C5001"]
    assert (rule.type, rule.formula1, rule.showErrorMessage) == ("list", f"'Lists'!$C$1:$C${len(wanted)}", False)
    assert [row[2].value for row in book["Lists"].iter_rows(max_row=len(wanted))] == names


@pytest.fixture(scope="module")
def kobo(tmp_path_factory):
    paths = write_kobo_forms(tmp_path_factory.mktemp("kobo"), LANGUAGES)
    return dict(zip(KINDS, paths, strict=True))


def read_sheet(book, name):
    head, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kobo_form_is_whole_and_labelled_in_three_languages(kobo, kind):
    book = openpyxl.load_workbook(kobo[kind])
    survey, choices, settings = (read_sheet(book, name) for name in ("survey", "choices", "settings"))
    asked = [row for row in survey if row["type"] not in ("start", "end")]
    assert [row["name"] for row in asked] == [column.name for column in list_asked(KINDS[kind])]
    labels = [heading for heading in survey[0] if heading.startswith("label::")]
    assert labels == ["label::English (en)", "label::Shqip (sq)", "label::Ελληνικά (el)"]
    assert settings[0]["default_language"] == "English (en)"
    for row in [*asked, *choices]:
        assert all(row[label] for label in labels), row
    lists = {row["list_name"] for row in choices}
    assert {row["type"].split()[1] for row in asked if row["type"].startswith("select_")} == lists
    assert {row["name"] for row in asked if row["type"].startswith("select_multiple")} <= {"help"}
    named = [(row["list_name"], row["name"]) for row in choices]
    assert len(set(named)) == len(named)
    assert all(" " not in str(name) for _, name in named)
    assert read_form(kobo[kind], KINDS[kind]) == ColumnMapping(), "an export needs no form to be understood"


NUMBER = r"-?\d+(\.\d+)?"  # of XPath 1.0
CONSTRAINTS = (
    rf"\. >= {NUMBER}( and \. <= {NUMBER})?",
    r"\. >= date\('\d{4}-\d\d-\d\d'\)( and \. <= today\(\))?",
    r"regex\(\., '(?P<form>[^']+)'\)",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_understands_each_constraint_and_says_why_in_three_languages(kobo, kind):
    rows = [row for row in read_sheet(openpyxl.load_workbook(kobo[kind]), "survey") if row["constraint"]]
    assert rows or kind == "indicator"  # of which no column has a limit
    for row in rows:
        matches = [match for form in CONSTRAINTS if (match := re.fullmatch(form, row["constraint"]))]
        assert len(matches) == 1, row["constraint"]
        assert all(row[f"constraint_message::{language.kobo_label}"] for language in LANGUAGES)
        if "form" in matches[0].groupdict():
            form = matches[0]["form"]
            assert [bool(re.fullmatch(form, text)) for text in ("K-12", "Ana", "Ana Hoxha", "Ana 12")] == [1, 0, 0, 0]
    names = {row["name"] for row in rows}
    wanted = ("identifier", "date", "day_or_week")
    assert {column.name for column in list_asked(KINDS[kind]) if column.type in wanted} <= names


@pytest.mark.parametrize("kind", KINDS)
def test_what_kobo_exports_of_our_form_goes_in_without_a_question(kobo, kind, tmp_path):
    book = openpyxl.load_workbook(kobo[kind])
    choices = read_sheet(book, "choices")
    cells = {"start": "2008-03-04T09:00:00.000+01:00", "end": "2008-03-04T09:05:00.000+01:00"}
    for column in list_asked(KINDS[kind]):
        listed = column.level or "area" if column.type == "area" else column.name
        cells[column.name] = fill(column, [row["name"] for row in choices if row["list_name"] == listed])
    cells |= {"_id": "17", "_uuid": "u-17", "_submission_time": "2008-03-04T09:06:00", "_index": "1"}
    path = tmp_path / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows([cells, cells.values()])
    record = import_it(path, kind)
    if kind == "encounter":
        assert (record["record_number"], record["date"]) == ("17", dt.date(2007, 5, 31).isoformat())


@pytest.mark.long
def test_the_command_writes_the_forms_of_a_language_and_those_of_kobo(tact, tmp_path):
    files = tact("templates", "--to", tmp_path / "a", "--language", "sq", "--json").json["files"]
    assert "tact-effort-sq.xlsx" in " ".join(files)
    guide = openpyxl.load_workbook(tmp_path / "a" / "tact-effort-sq.xlsx")["How to fill"]
    words = " ".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    assert "Mos shkruani kurrë emra" in words
    assert "Lejohen" in words
    assert "Never" not in words
    assert len(
        tact("templates", "--to", tmp_path / "b", "--kobo", "--no-encrypt", "--language", "el", "--json").json["files"]
    ) == len(KINDS)
    settings = openpyxl.load_workbook(tmp_path / "b" / "tact-effort-kobo.xlsx")["settings"]
    assert settings["C2"].value == "Ελληνικά (el)"
    assert tact("templates", "--to", tmp_path / "c", "--language", "rom").code == 2
