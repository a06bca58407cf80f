"""Templates: made from the schemas, filled in by a person, and read again."""

import datetime as dt
import hashlib

import openpyxl
import pytest

from data.errors import FileRefused, InputError
from data.reference import area_table
from data.restricted.intake import guess_kind, read_file
from data.restricted.intake.templates import template_name, write_templates
from data.schema.kinds import KINDS
from geo.places import Places
from tests.helpers.nonempty import nonempty

PLACES = Places(area_table())
NAMES = {name.casefold(): code for code, name in area_table()["name_en"].items()}


class Found:
    def __init__(self, code):
        self.code, self.reason, self.candidates, self.finding = code, "", (), "one" if code else "none"
        self.named = frozenset({code} - {None})
        self.respelled = False


def resolve(text, country=None, level="municipality"):
    areas = area_table()
    known = {"tiranë": "10944377", "fier": "AL-04" if level is None else "10944395", "durrës": "10944378"}
    code = text if text in areas.index else known.get(text.casefold(), NAMES.get(text.casefold()))
    return Found(code)


def hashed(texts):
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def read(path, kind, **more):
    return read_file(path, kind, resolve=resolve, hash_identifier=hashed, **more)


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates")
    return {path.name: path for path in write_templates(folder / "new")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_the_columns_of_its_kind_and_their_lists(templates, kind):
    book = openpyxl.load_workbook(templates[template_name(kind)])
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == [c.name for c in KINDS[kind].file_columns]
    assert sheet.freeze_panes == "A2"
    lists = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert len(lists) == len(KINDS[kind].file_columns)
    for number, column in enumerate(KINDS[kind].file_columns, start=1):
        letter = openpyxl.utils.get_column_letter(number)
        rule = lists[f"{letter}2:{letter}5001"]
        assert column.meaning[:60] in rule.prompt
        if column.allowed:
            assert rule.type == "list"
            rows = book["Lists"][f"{letter}1:{letter}{len(column.allowed)}"]
            assert [cell.value for (cell,) in rows] == list(column.allowed)
    assert book["Lists"].sheet_state == "hidden"


@pytest.mark.parametrize("kind", KINDS)
def test_the_help_sheet_explains_every_column(templates, kind):
    sheet = openpyxl.load_workbook(templates[template_name(kind)])["How to fill"]
    words = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value]
    for column in nonempty(KINDS[kind].file_columns):
        assert {column.name, column.label, column.meaning} <= set(words)


def test_the_areas_of_a_template_are_those_that_records_may_name(templates):
    sheet = openpyxl.load_workbook(templates[template_name("encounter")])["Areas"]
    kinds = {row[0]: row[3] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert set(kinds) == set(area_table()[lambda t: t["counted"]].index)
    assert [kinds[code] for code in ("AL-02", "10944377", "GR-I")] == ["county", "municipality", "region"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_template_is_a_file_without_rows(templates, kind):
    intake = read(templates[template_name(kind)], kind, partner="ARSIS")
    assert (intake.rows, intake.rejected_rows, intake.unknown_columns) == (0, 0, ())
    assert ["no row" in note for note in intake.notes] == [True]
    assert list(intake.accepted.columns[:-2]) == [c.name for c in KINDS[kind].stored]


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_filled_with_its_own_examples_is_read_back(templates, kind, tmp_path):
    book = openpyxl.load_workbook(templates[template_name(kind)])
    sheet = book.worksheets[0]
    values = [c.example for c in KINDS[kind].file_columns]
    if kind == "figure":
        values[3] = "240377"
        values[4] = ""
    for number, value in enumerate(values, start=1):
        sheet.cell(2, number).value = value
    path = tmp_path / "filled.xlsx"
    book.save(path)
    assert guess_kind(path) == kind
    intake = read(path, kind)
    assert intake.rejects.to_dict("records") == []
    assert (intake.rows, intake.accepted_rows) == (1, 1)
    assert intake.notes == ()


def test_dates_and_numbers_of_a_spreadsheet_are_read_as_they_are(templates, tmp_path):
    book = openpyxl.load_workbook(templates[template_name("effort")])
    sheet = book.worksheets[0]
    for row in ([dt.date(2007, 5, 30), "week", 10944377, "ARSIS", 2.5, "other"],):
        for number, value in enumerate(row, start=1):
            sheet.cell(2, number).value = value
    path = tmp_path / "filled.xlsx"
    book.save(path)
    record = read(path, "effort").accepted.iloc[0]
    assert (record.date, record.span, record.municipality, record.days) == ("2007-05-28", "week", "10944377", 2.5)


def test_a_template_of_another_kind_is_refused(templates):
    with pytest.raises(FileRefused, match="child_id"):
        read(templates[template_name("effort")], "encounter", partner="ARSIS")


@pytest.mark.slow
def test_a_filled_form_is_never_overwritten_and_nothing_is_written(tmp_path):
    filled = tmp_path / template_name("service")
    filled.write_bytes(b"filled in")
    with pytest.raises(InputError, match=r"already contains tact-service\.xlsx") as refused:
        write_templates(tmp_path)
    assert "another folder" in str(refused.value)
    assert "remove" in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == [filled.name]
    assert filled.read_bytes() == b"filled in"
    filled.unlink()
    assert len(write_templates(tmp_path)) == len(KINDS)


def test_a_template_of_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="There are: encounter"):
        write_templates(tmp_path / "new", ["figure", "meeting"])
    assert not (tmp_path / "new").exists()


def test_the_example_of_every_place_is_one_that_an_import_takes():
    columns = [c for kind in KINDS.values() for c in kind.file_columns if c.type == "area" and c.example]
    assert columns
    for column in columns:
        assert PLACES.resolve(column.example, None, column.level).code, column.name


def test_a_name_of_a_county_and_a_town_comes_back_with_both_codes_and_the_form_asks_for_one(templates, tmp_path):
    row = {"area": "Durrës", "group": "roma", "estimate": "100", "year": "2011", "source": "a survey"}
    path = tmp_path / "community.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
    rejects = read_file(path, "community", resolve=PLACES.resolve, hash_identifier=hashed).rejects
    assert rejects.reason.tolist() == ["may mean more than one area"]
    assert "municipality 10944377" in rejects.allowed[0]
    assert "county AL-02" in rejects.allowed[0]
    sheet = openpyxl.load_workbook(templates[template_name("community")]).worksheets[0]
    prompts = {str(rule.sqref): rule.prompt for rule in sheet.data_validations.dataValidation}
    assert "by its code" in prompts["A2:A5001"]
    assert prompts["A2:A5001"].endswith("municipality has.")


def test_figures_tell_the_period_from_the_year():
    period, year = (KINDS["figure"].column(name) for name in ("period", "year"))
    assert "month, quarter or year" in period.meaning
    assert all(form in period.limits for form in ("2008", "2008-04-01/P3M", "2006-06-01/2009-05-31"))
    assert "source" in year.meaning
    assert "service is offered" in KINDS["service"].column("municipality").meaning
