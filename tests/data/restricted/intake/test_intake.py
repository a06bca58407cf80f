"""Intake: which rows are accepted, which are rejected and why, and the result of importing again."""

import csv
import datetime as dt
import re
import unicodedata
from hashlib import blake2b

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import FileRefused
from data.reference import figures
from data.restricted.intake import REJECT_COLUMNS, write_rejects
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.personal_words import SEEMS_PERSONAL
from data.restricted.intake.values import is_blank
from data.restricted.keys import Secret
from data.restricted.vault import Vault
from data.schema.kinds import KINDS
from data.tables.spec import OF_COUNTRIES
from tests.helpers.nonempty import nonempty
from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import (
    ROW,
    Hasher,
    Resolver,
    identities,
    read,
    read_rows,
    reasons,
    text_of,
    workbook,
    write,
)

PLAIN = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# -- what is accepted --


def test_an_encounter_becomes_canonical(tmp_path):
    hasher = Hasher()
    record = read_rows(tmp_path, {}, hash_identifier=hasher).accepted.iloc[0]
    assert record.drop(["child", "identity", "content"]).to_dict() == {
        "date": "2007-05-31",
        "municipality": "10944377",
        "programme_child": "",
        "country": "AL",
        "stage": "at_risk",
        "pathway": "internal",
        "form": "begging",
        "axis": "protection",
        "found": "reported",
        "sex": "female",
        "age_band": "10-13",
        "community": "unknown",
        "origin": "",
        "destination": "",
        "partner": "ARSIS",
        "record_number": "",
        **dict.fromkeys((*OF_COUNTRIES, "help"), "unknown"),
        "household": "",
    }
    assert hasher.inputs == ["partner:arsis\x1fk-0412"]
    assert re.fullmatch("[0-9a-f]{64}", record.child)
    assert len(record.identity) == len(record.content) == 16


def test_batches_are_what_the_vault_takes(tmp_path):
    intake = read_rows(tmp_path, {"record_number": "1"}, {"record_number": "2"}, {"record_number": "3"})
    batches = list(intake.batches(rows=2))
    assert [b.num_rows for b in batches] == [2, 1]
    names = [c.name for c in KINDS["encounter"].stored]
    assert batches[0].schema.names == [*names, "identity", "content"]
    assert batches[0]["stage"].to_pylist() == ["at_risk", "at_risk"]
    assert batches[1]["record_number"].to_pylist() == ["3"]


@pytest.mark.parametrize(
    "value",
    [
        "al_to_gr",
        "AL to GR",
        "Trafficking from Albania to Greece",
        " trafficking  from albania to greece ",
        "Albania to Greece",
    ],
)
def test_categories_are_read_as_code_or_in_plain_words(tmp_path, value):
    names = ColumnMapping(value_names={"pathway": {"al TO gr": "al_to_gr"}})
    intake = read_rows(tmp_path, {"pathway": value}, mapping=names if value == "AL to GR" else None)
    assert intake.accepted.pathway.tolist() == ["al_to_gr"]


def test_missing_optional_columns_are_empty_or_unknown(tmp_path):
    needed = {c.name for c in KINDS["encounter"].file_columns if c.required}
    row = {name: value for name, value in ROW.items() if name in needed}
    record = read(write(tmp_path, text_of([row]))).accepted.iloc[0]
    assert (record.sex, record.age_band, record.community, record.origin) == ("unknown",) * 3 + ("",)
    assert record.country == "AL"


def test_the_partner_may_be_named_with_the_import(tmp_path):
    row = {k: v for k, v in ROW.items() if k != "partner"}
    path = write(tmp_path, text_of([row]))
    assert read(path, partner=" Amaro  Drom ").accepted.partner.tolist() == ["Amaro Drom"]
    with pytest.raises(FileRefused, match="--partner"):
        read(path)


def test_another_partner_than_the_named_one_is_a_fault(tmp_path):
    intake = read_rows(tmp_path, {"partner": "BKTF"}, {"partner": ""}, {"partner": "arsis"}, partner="ARSIS")
    assert reasons(intake) == {"partner": "another partner than the one named with the import"}
    assert intake.accepted.partner.tolist() == ["ARSIS", "ARSIS"]
    same = unicodedata.normalize("NFD", "Ελλάδα")
    assert read_rows(tmp_path, {"partner": same}, partner="Ελλάδα").accepted.partner.tolist() == ["Ελλάδα"]


def test_each_distinct_text_and_child_is_looked_up_once(tmp_path):
    resolver, hasher = Resolver(), Hasher()
    rows = [ROW | {"record_number": str(n), "child_id": f"K-{n % 3}"} for n in range(50)]
    read(write(tmp_path, text_of(rows)), resolve=resolver, hash_identifier=hasher)
    asked = [a for a in resolver.asked if a[0]]
    assert len(asked) == len(set(asked)) == 1
    assert sorted(hasher.inputs) == [f"partner:arsis\x1fk-{n}" for n in range(3)]


@pytest.mark.parametrize(
    ("row", "other"),
    [
        ({"child_id": "K-0412"}, {"child_id": " k-0412 "}),
        ({"child_id": "Ｋ-0412"}, {"child_id": "K-0412"}),
        ({"partner": "ARSIS"}, {"partner": "arsis"}),
        ({"programme_number": "P-1"}, {"programme_number": "p-1", "child_id": "other", "partner": "BKTF"}),
        ({"programme_number": "P-1", "child_id": ""}, {"programme_number": "P-1"}),
    ],
)
def test_one_child_however_it_is_written(tmp_path, row, other):
    first, second = read_rows(tmp_path, row, other).accepted.child
    assert first == second


@pytest.mark.parametrize("other", [{"partner": "BKTF"}, {"child_id": "K-0413"}, {"programme_number": "K-0412"}])
def test_children_that_are_not_the_same(tmp_path, other):
    first, second = read_rows(tmp_path, {}, other).accepted.child
    assert first != second


def test_the_programme_number_is_stored_as_its_hash(tmp_path):
    record = read_rows(tmp_path, {"programme_number": "P-1"}).accepted.iloc[0]
    assert record.programme_child == record.child != ""


@pytest.mark.parametrize(
    ("date", "span", "day", "stored_span"),
    [
        ("2007-05-31", "", "2007-05-31", "day"),
        ("2007-05-31", "week", "2007-05-28", "week"),
        ("2007-W22", "", "2007-05-28", "week"),
        ("2007w22", "week", "2007-05-28", "week"),
    ],
)
def test_effort_of_a_day_or_a_week(tmp_path, date, span, day, stored_span):
    row = {"date": date, "span": span, "municipality": "Tirana", "partner": "A", "days": "2,5", "kind": "other"}
    record = read(write(tmp_path, text_of([row])), "effort").accepted.iloc[0]
    assert (record.date, record.span, record.days) == (day, stored_span, 2.5)


def test_shipped_figures_import_as_they_are(tmp_path):
    path = tmp_path / "figures.csv"
    figures().to_csv(path, index=False)
    intake = read(path, "figure", today=dt.date(2026, 1, 1))
    assert intake.rejects.empty
    known = figures()
    assert intake.accepted[list(known.columns)].equals(known)


def test_a_figure_of_a_year_becomes_an_interval(tmp_path):
    row = {"area": "Fier", "period": "2008", "measure": "roma", "number": "1640", "share": "", "source": "s"}
    row |= {"year": "2008", "status": "census", "note": ""}
    record = read(write(tmp_path, text_of([row])), "figure").accepted.iloc[0]
    assert (record.area, record.period, record.number) == ("AL-04", "2008-01-01/P1Y", 1640)


# -- what comes back --


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"date": ""}, "date", "missing"),
        ({"date": "2007-02-30"}, "date", "a day that does not exist"),
        ({"date": "31.5.97"}, "date", "a year with only two digits"),
        ({"date": "5/6/2007"}, "date", "it is not clear which part is the day and which is the month"),
        ({"date": "yesterday"}, "date", "not a date"),
        ({"date": "3923"}, "date", "not a date"),
        ({"date": "99999"}, "date", "not a date"),
        ({"date": "May 2007"}, "date", "the day is missing"),
        ({"date": "1999-12-31"}, "date", "before 2000-01-01"),
        ({"date": "2009-07-01"}, "date", "in the future"),
        ({"municipality": ""}, "municipality", "missing"),
        ({"municipality": "Tirna"}, "municipality", "is not a known municipality"),
        ({"municipality": "AL-11"}, "municipality", "is not a known municipality"),
        ({"country": "GR"}, "country", "the country does not match the municipality"),
        ({"country": "Albanien"}, "country", "not one of the categories"),
        ({"stage": "late"}, "stage", "not one of the categories"),
        ({"found": ""}, "found", "missing"),
        ({"child_id": ""}, "child_id", "missing"),
        ({"origin": "nowhere"}, "origin", "is not a known municipality"),
        ({"destination": "Athens"}, None, None),
        (
            {"origin": "Tirana", "destination": "Athens"},
            "pathway",
            "internal trafficking, but origin and destination are in different countries",
        ),
        (
            {"pathway": "al_to_gr", "origin": "Athens"},
            "pathway",
            "trafficking from Albania to Greece, but origin or destination is in another country",
        ),
        ({"record_number": "n" * 81}, "record_number", "longer than 80 characters"),
        ({"partner": "a\u202eb"}, "partner", "contains an invisible character"),
        ({"partner": "a\0b"}, "partner", "contains an invisible character"),
    ],
)
def test_a_wrong_row_comes_back_with_its_reason(tmp_path, change, column, reason):
    intake = read_rows(tmp_path, {"record_number": "1"}, change)
    assert reasons(intake, line=3) == ({column: reason} if column else {})
    assert intake.rejected_rows == (1 if column else 0)
    assert (intake.rejects.allowed != "").all()


@pytest.mark.parametrize(
    ("kind", "row", "column", "reason"),
    [
        ("effort", {"days": "-1"}, "days", "negative"),
        ("effort", {"days": "0"}, "days", "too small"),
        ("effort", {"days": "1.000,5"}, "days", "not a number"),
        ("effort", {"days": "nan"}, "days", "missing"),
        ("effort", {"days": "5000"}, "days", "too large"),
        ("effort", {"date": "2007-W53"}, "date", "a week that does not exist"),
        ("effort", {"date": "2007-W22", "span": "day"}, "span", "the date is a week, but span says day"),
        ("service", {"valid_to": "2005-01-01"}, "valid_to", "the last day is before the first day"),
        ("service", {"staff": "1.5"}, "staff", "not a whole number"),
        ("service", {"capacity": "-3"}, "capacity", "negative"),
        ("service", {"handed_from": "ngo"}, "handed_to", "the service was handed over, but it is not said to whom"),
        ("community", {"estimate": "1.640"}, "estimate", "not a whole number"),
        ("indicator", {"indicator": "=cmd"}, "indicator", "not a code"),
        ("indicator", {"period": "2006-06-15/P3M"}, "period", "not a period"),
        ("indicator", {"period": "2031"}, "period", "in the future"),
        ("community", {"year": "2031"}, "year", "in the future"),
        ("community", {"year": "1809"}, "year", "too small"),
        ("figure", {"number": ""}, "number", "neither a number nor a share"),
        ("figure", {"share": "25"}, "share", "too large"),
        (
            "figure",
            {"measure": "roma_share_of_national"},
            "share",
            "this measure needs a share, and the share is missing",
        ),
    ],
)
def test_a_wrong_row_of_another_kind(tmp_path, kind, row, column, reason):
    sound = {c.name: c.example for c in KINDS[kind].file_columns} | {"municipality": "Tirana"}
    sound |= {"handed_from": "", "handed_to": "", "year": "2007", "period": "2008", "span": "", "share": ""}
    names = [c.name for c in KINDS[kind].file_columns]
    intake = read(write(tmp_path, text_of([sound, sound | row], names)), kind)
    assert reasons(intake, line=2) == {}
    assert reasons(intake, line=3) == {column: reason}


def test_a_decimal_comma_is_read_as_a_point_and_the_schema_says_so(tmp_path):
    column = KINDS["indicator"].column("value")
    assert "or one or two after a comma (0,5)" in column.limits
    sound = {c.name: c.example for c in KINDS["indicator"].file_columns} | {"area": "AL-02", "period": "2008"}
    values = ["12,5", "12.5", "12,50", "12,500", "1.250,5", "1,250.5"]
    rows = [sound | {"value": value, "indicator": f"i{n}"} for n, value in enumerate(values)]
    intake = read(write(tmp_path, text_of(rows)), "indicator")
    assert intake.accepted.value.tolist() == [12.5, 12.5, 12.5]
    assert reasons(intake, line=5) == {"value": "not a number"}
    assert intake.rejected_rows == 3


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        (["1.250", "980"], [980]),
        (["1.250", "2,5"], [2.5]),
        (["1.250", "2,5", "0.5"], [2.5, 0.5]),
        (["1.250", "2.5"], [1.25, 2.5]),
        (["0.125", "-0.250"], [0.125, -0.25]),
        (["1.250", "0.125"], [1.25, 0.125]),
    ],
)
def test_a_point_before_three_digits_is_a_decimal_sign_only_where_other_numbers_prove_it(tmp_path, values, accepted):
    sound = {c.name: c.example for c in KINDS["indicator"].file_columns} | {"area": "AL-02", "period": "2008"}
    rows = [sound | {"value": value, "indicator": f"i{n}"} for n, value in enumerate(values)]
    intake = read(write(tmp_path, text_of(rows)), "indicator")
    assert intake.accepted.value.tolist() == accepted
    if intake.rejected_rows:
        assert reasons(intake, line=2) == {"value": "it is not clear whether the point separates thousands or decimals"}


def test_all_faults_of_a_row_are_listed(tmp_path):
    intake = read_rows(tmp_path, {"date": "", "stage": "late", "municipality": "Tirna", "child_id": ""})
    assert set(reasons(intake)) == {"date", "stage", "municipality", "child_id"}
    assert (intake.rejected_rows, len(intake.rejects)) == (1, 4)


def test_an_unknown_place_comes_with_the_nearest(tmp_path):
    intake = read_rows(tmp_path, {"municipality": "Tirna"})
    assert "Tirana (10944377)" in intake.rejects.allowed[0]
    assert "repeats" not in intake.rejects.reason[0]


def test_lines_are_those_of_the_file(tmp_path):
    text = text_of([ROW]) + "\r\n" + '"2007-05-31\n",Tiranë' + "\r\n" + text_of([ROW | {"stage": "x"}]).split("\r\n")[1]
    intake = read(write(tmp_path, text))
    assert intake.rejects[["line", "column"]].to_numpy().tolist() == [[4, ""], [6, "stage"]]
    assert intake.rejects.reason[0] == "the row has 2 cells, but the row of headings has 17"
    assert (intake.rows, intake.accepted_rows, intake.rejected_rows) == (3, 1, 2)


def test_one_record_number_with_two_contents_rejects_both(tmp_path):
    intake = read_rows(
        tmp_path,
        {"record_number": "1"},
        {"record_number": "2"},
        {"record_number": "1", "stage": "recruited"},
        {"record_number": "1", "partner": "BKTF", "stage": "recruited"},
    )
    assert intake.rejects.line.tolist() == [2, 4]
    assert intake.accepted_rows == 2


def test_rejects_are_written_for_a_spreadsheet(tmp_path):
    intake = read_rows(tmp_path, {"stage": "late"}, {"days": "1", "stage": "=cmd|' /C calc'!A0"})
    path = tmp_path / "deep" / "rejects.csv"
    write_rejects(path, intake.rejects)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == REJECT_COLUMNS
    assert rows[1][:5] == ["2", "", "stage", "late", "not one of the categories"]
    assert "calc" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_rejects_that_begin_with_a_sign_are_text(tmp_path, sign):
    path = tmp_path / "rejects.csv"
    write_rejects(path, pd.DataFrame({name: [f"{sign}1"] for name in REJECT_COLUMNS}))
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1] == [f"'{sign}1"] * len(REJECT_COLUMNS)


def test_rejects_carry_the_number_of_their_record_and_no_other_text(tmp_path):
    numbers = ["2007-0193", "AR/12", "", "met in the park on the 3rd", "n" * 81]
    intake = read_rows(tmp_path, *({"record_number": n, "stage": "late"} for n in numbers))
    stages = intake.rejects[intake.rejects.column == "stage"]
    assert stages.record_number.tolist() == ["2007-0193", "AR/12", "", "", ""]
    broken = text_of([ROW | {"record_number": "7"}]) + "2007-05-31,1\r\n"
    assert read(write(tmp_path, broken)).rejects.record_number.tolist() == [""]


# -- what a person is told --


def test_rows_that_are_alike_and_have_no_number_are_told_of(tmp_path):
    intake = read_rows(tmp_path, {}, {"stage": "recruited"}, {}, {"record_number": "1"})
    assert (intake.accepted_rows, len(set(identities(intake)))) == (4, 4)
    (note,) = intake.notes
    assert "lines 2, 4 are the same and have no record number: each counts" in note
    assert "record_number" in note
    assert read_rows(tmp_path, {"record_number": "1"}, {"record_number": "1"}).notes == ()
    assert "lines 2, 3, 4, 5, 6, 7 and 3 more are" in read_rows(tmp_path, *[{}] * 9).notes[0]


def test_row_numbers_in_place_of_codes_of_children_are_noted(tmp_path):
    def note(codes):
        return [
            text for text in read_rows(tmp_path, *[{"child_id": code} for code in codes]).notes if "1, 2, 3" in text
        ]

    assert len(note(["1", "2", "3", "4", "5"])) == 1
    assert note(["1", "2", "3", "5", "4"]) == note(["2", "3", "4", "5", "6"]) == note(["1", "2"]) == []
    assert note([f"K-{number}" for number in range(1, 8)]) == []


@pytest.mark.parametrize(
    ("children", "count"),
    [
        (["K-12", "\u039a-12", "k-12"], 1),
        (["K-12", "\u039a-12", "A-7", "\u0391-7"], 2),
        (["\u039a-12", "\u039a-13"], 0),
        (["K-12", "\u0393-12"], 0),
        (["K-12", "K 12", "K12", "K\u201312", "K\u221212", " k  12", "12"], 1),
        (["1-23", "12-3", "123", "1 23"], 1),
    ],
)
def test_identifiers_that_are_spelt_in_several_ways_are_noted(tmp_path, children, count):
    notes = read_rows(tmp_path, *({"child_id": child} for child in children)).notes
    counts = [note.partition(" identifier")[0] for note in notes if "spelt in several" in note]
    assert counts == [str(count)] * bool(count)


def test_identifiers_of_two_partners_may_look_alike(tmp_path):
    rows = [{"child_id": "K-12", "partner": "A"}, {"child_id": "\u039a-12", "partner": "B"}]
    assert not [note for note in read_rows(tmp_path, *rows).notes if "spelt in several" in note]


@pytest.mark.parametrize(
    ("column", "values", "count"),
    [
        ("child_id", ["412.0", "412", "K-3.0"], "1 value"),
        ("child_id", ["412.0", "413.0", "414,00"], "3 values"),
        ("programme_number", ["412.0", "413.0"], "2 values"),
        ("record_number", ["7.0", "7"], "1 value"),
        ("child_id", ["12.0", "12.1", "12.2"], ""),
        ("child_id", ["412", "K-412.0"], ""),
    ],
)
def test_identifiers_and_record_numbers_that_a_program_wrote_with_decimals_are_noted(tmp_path, column, values, count):
    notes = read_rows(tmp_path, *({column: value} for value in values)).notes
    begins = [note.partition(" end")[0] for note in notes if "ends in .0" in note or "end in .0" in note]
    assert begins == ([f"{count} in {column}"] if count else [])


@pytest.mark.parametrize("text", ["-", " ? ", "n/a", "unknown", "nuk ka", "pa kod", "χωρίς κωδικό", "Δεν υπάρχει"])
def test_signs_and_words_in_place_of_a_code_are_no_child(tmp_path, text):
    """They made all children without a code one child."""
    rows = [{"child_id": f"K-{n}", "programme_number": text} for n in range(4)]
    intake = read_rows(tmp_path, *rows)
    assert len(set(intake.accepted.child)) == 4
    assert intake.accepted.programme_child.tolist() == [""] * 4
    intake = read_rows(tmp_path, *({"child_id": f"K-{n}"} for n in range(4)), {"child_id": text}, {"child_id": text})
    assert reasons(intake, 6) == reasons(intake, 7) == {"child_id": "missing"}


def test_a_sign_in_place_of_a_record_number_is_none(tmp_path):
    intake = read_rows(tmp_path, {"record_number": "-", "child_id": "K-1"}, {"record_number": "-", "child_id": "K-2"})
    assert (intake.accepted_rows, intake.rejected_rows) == (2, 0)


@pytest.mark.parametrize("column", ["child_id", "programme_number", "record_number"])
@pytest.mark.parametrize("text", ["1.23457E+11", "1,2E+12", "4E+15"])
def test_a_code_whose_digits_a_spreadsheet_program_cut_off_is_rejected(tmp_path, column, text):
    """All children with long numbers that begin alike were one."""
    intake = read_rows(tmp_path, {}, {column: text}, {column: "4E-15"}, {column: "E+5"})
    assert {line: reasons(intake, line)[column] for line in intake.rejects["line"]} == {
        3: "a spreadsheet program shortened this code, so that its last digits are lost"
    }


@pytest.mark.parametrize("column", ["child_id", "programme_number", "household_number"])
@pytest.mark.parametrize("text", ["2008-05-12", "2008-11-09T00:00:00", "1999-12-31T12:00:00.5"])
def test_a_code_that_a_spreadsheet_program_took_for_a_day_is_rejected(tmp_path, column, text):
    """12/5 of one year and 12/5 of another, or 5/12, would be other children, and those of two partners one."""
    intake = read_rows(tmp_path, {}, {column: text}, {column: "20080512"}, {column: "2008-05-12-A"})
    assert {line: reasons(intake, line)[column] for line in intake.rejects["line"]} == {
        3: "a spreadsheet program made a date of this code"
    }


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "#DIV/0!", "#NAME?", "#Δ/Υ", "#ΑΝΑΦ!"])
@pytest.mark.parametrize("column", ["child_id", "programme_number", "record_number"])
def test_an_error_of_a_spreadsheet_in_a_csv_file_is_no_code(tmp_path, column, text):
    intake = read_rows(tmp_path, {}, {column: text})
    assert reasons(intake, 3) == {column: "the row has a cell with an error"}


def test_a_programme_number_of_several_identifiers_of_a_partner_is_noted(tmp_path):
    def note(*pairs):
        rows = ({"child_id": child, "programme_number": number, "partner": who} for child, number, who in pairs)
        return [text.partition(" stand")[0] for text in read_rows(tmp_path, *rows).notes if "count as one" in text]

    assert note(("K-1", "later", "A"), ("K-2", "later", "A"), ("K-3", "P-7", "A")) == ["1 programme number"]
    assert note(("K-1", "P-1", "A"), ("k-1", "P-1", "A"), ("X-1", "P-1", "B"), ("", "P-1", "A")) == []
    assert note(*((f"K-{n}", f"P-{n // 2}", "A") for n in range(4))) == ["2 programme numbers"]


def test_an_identifier_without_its_programme_number_in_some_rows_is_noted(tmp_path):
    def read_notes(*pairs):
        intake = read_rows(tmp_path, *({"child_id": child, "programme_number": number} for child, number in pairs))
        return len(set(intake.accepted.child)), [note for note in intake.notes if "some rows only" in note]

    children, notes = read_notes(("K-1", "P-1"), ("k-1", ""), ("K-2", "P-2"), ("K-2", "P-3"), ("K-3", ""), ("", "P-1"))
    assert children == 5
    assert [note.partition(" identifiers")[0] for note in notes] == ["2"]
    assert read_notes(("K-1", "P-1"), ("K-1", "p-1"), ("K-2", ""))[1] == []
    rejected = {"child_id": "K-1", "programme_number": "", "stage": "no such stage"}
    intake = read_rows(tmp_path, {"child_id": "K-1", "programme_number": "P-1"}, rejected)
    assert not [note for note in intake.notes if "some rows only" in note], "a row that does not go in is not counted"


def test_numbers_of_workbooks_are_the_codes_that_a_csv_file_has(tmp_path):
    row = ROW | {"child_id": 412.0, "programme_number": 9.0, "record_number": 7.0}
    new = read(workbook(tmp_path, ("Data", [list(row), list(row.values())])))
    old = read(write_old_workbook(tmp_path / "a.xls", [list(row), list(row.values())]))
    text = read_rows(tmp_path, {"child_id": "412", "programme_number": "9", "record_number": "7"})
    assert identities(new) == identities(old) == identities(text)
    assert new.accepted.child.tolist() == old.accepted.child.tolist() == text.accepted.child.tolist()


def test_rows_alike_of_a_kind_without_numbers(tmp_path):
    row = {"date": "2007-05-31", "municipality": "Tirana", "partner": "A", "days": "1", "kind": "other"}
    intake = read(write(tmp_path, text_of([row, row])), "effort")
    assert intake.accepted_rows == 2
    assert intake.notes == ("The rows in lines 2, 3 are the same: each counts as a record. Write each only once.",)


def test_a_file_of_headings_alone_says_so(tmp_path):
    intake = read(write(tmp_path, text_of([ROW]).splitlines()[0]))
    assert intake.notes == ("The file has column names but no rows.",)


def test_columns_that_are_not_ours_are_named_with_those_that_they_may_be(tmp_path):
    row = {k: v for k, v in ROW.items() if k not in ("sex", "age_band")} | {"Vërejtje": "x", "Shenja": "F"}
    (note,) = read(write(tmp_path, text_of([row]))).notes
    assert note.startswith("Not read and not stored, because kind encounter does not have them: 'Vërejtje', 'Shenja'.")
    assert "If one of them is sex or age_band, rename it" in note
    (whole,) = read_rows(tmp_path, {"Vërejtje": "x"}).notes
    assert "meant" not in whole


# -- days --


def test_slashes_are_day_first_where_the_column_proves_it(tmp_path):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, {"date": "31/05/2007"}, {"date": "2007-06-01"})
    assert intake.accepted.date.tolist() == ["2007-06-05", "2007-05-31", "2007-06-01"]
    assert any("day first" in note for note in intake.notes)


@pytest.mark.parametrize(
    ("days", "order", "may_be"),
    [
        (["2007-06-05", "2007-12-03", "2007-01-02", "31/05/2007"], "", True),
        (["2007-06-05", "2007-12-03", "2007-01-02", "05/31/2007"], "month first", True),
        (["2007-06-05", "2007-12-03", "2007-01-13", "31/05/2007"], "", False),
        (["2007-06-05", "2007-12-03", "2007-01-02", "31/05/2007", "3/4/2007"], "", False),
        (["2007-06-05", "2007-12-03", "31/05/2007"], "", True),
        (["2007-06-05", "29/11/2007", "31/05/2007"], "", True),
        (["2007-06-05", "2007-12-03", "2007-01-02"], "", False),
    ],
)
def test_dates_that_a_spreadsheet_may_have_turned_around_are_not_read(tmp_path, days, order, may_be):
    intake = read_rows(tmp_path, *({"date": day} for day in days), mapping=ColumnMapping(slashes=order))
    assert any(reason == "day and month may be exchanged" for reason in intake.rejects.reason) == may_be


@pytest.mark.parametrize("other", ["5/31/2007", "12/12/2006"])
def test_slashes_without_proof_are_rejected(tmp_path, other):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, {"date": other})
    assert reasons(intake, 2) == {"date": "it is not clear which part is the day and which is the month"}


def test_slashes_that_prove_both_orders_are_rejected(tmp_path):
    intake = read_rows(tmp_path, {"date": "31/5/2007"}, {"date": "5/31/2007"})
    assert intake.rejected_rows == 2


@pytest.mark.parametrize(("order", "day"), [("day first", "2007-06-05"), ("month first", "2007-05-06")])
def test_the_mapping_may_tell_the_order(tmp_path, order, day):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, mapping=ColumnMapping(slashes=order))
    assert intake.accepted.date.tolist() == [day]


@pytest.mark.parametrize("text", ["31.5.2007", "31.05.2007", "2007-05-31T10:00:00.000+02:00", "2007-05-31 00:00:00"])
def test_days_that_cannot_be_mistaken(tmp_path, text):
    assert read_rows(tmp_path, {"date": text}).accepted.date.tolist() == ["2007-05-31"]


# -- the same again --


def test_the_same_file_twice_has_the_same_records(tmp_path):
    changes = [{"record_number": "1"}, {}, {}, {"stage": "recruited"}]
    first, second = read_rows(tmp_path, *changes), read_rows(tmp_path, *changes)
    assert first.accepted.equals(second.accepted)
    assert len(set(identities(first))) == 4


def test_a_record_without_the_later_columns_is_known_by_the_digest_that_it_had_before(tmp_path):
    before = read_rows(tmp_path, {}).accepted.iloc[0]
    stored = [c.name for c in KINDS["encounter"].stored if not c.later]
    assert before.content == blake2b("\x1f".join(before[stored]).encode(), digest_size=16).digest()
    empty = read_rows(tmp_path, dict.fromkeys((*OF_COUNTRIES, "help", "household_number"), "")).accepted.iloc[0]
    assert (empty.content, empty.identity) == (before.content, before.identity)
    changes = ({"means_of_control": "threats"}, {"citizenship_group": "stateless"}, {"victim_status": "victim"})
    changes += ({"help": "legal"}, {"household_number": "F-031"})
    digests = [read_rows(tmp_path, change).accepted.iloc[0].content for change in changes]
    assert len({*digests, before.content}) == 6


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("ndihmë ligjore; sociale", "social;legal"),
        ("νομική, ψυχολογική και στέγαση", "psychological;legal;shelter"),
        ("legal aid + legal", "legal"),
        ("legal social", "social;legal"),
        ("unknown; health", "health"),
        ("", "unknown"),
    ],
)
def test_all_kinds_of_help_of_a_cell_count_in_one_order(tmp_path, text, codes):
    assert read_rows(tmp_path, {"help": text}).accepted["help"].tolist() == [codes]


def test_a_household_is_hashed_with_its_partner_in_one_spelling_and_stored_nowhere_else(tmp_path):
    hasher = Hasher()
    rows = [{"household_number": text, "child_id": f"K-{n}"} for n, text in enumerate(["F-031", "f 031", "F-32", ""])]
    accepted = read_rows(tmp_path, *rows, hash_identifier=hasher).accepted
    assert "household_number" not in accepted
    first, second, third, none = accepted["household"]
    assert first == second != third
    assert none == ""
    assert {text for text in hasher.inputs if text.startswith("household:")} == {
        f"household:partner:arsis\x1f{number}" for number in ("f-031", "f-32")
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Mjetet e kontrollit": "tjetër; borxh"}, "debt_or_earnings"),
        ({"Τρόπος στρατολόγησης": "άλλο, διαδίκτυο"}, "online"),
        ({"vic_TraffickingStatusDecisionMakingOrg": "CourtOrProsecution"}, "court"),
        ({"Grupi i shtetësisë": "pa shtetësi"}, "stateless"),
        ({"Νομική ιδιότητα ως θύμα": "πιθανό θύμα"}, "potential_victim"),
    ],
)
def test_what_standards_ask_for_is_read_in_each_language(tmp_path, change, code):
    record = read_rows(tmp_path, change).accepted.iloc[0]
    assert sorted(record[list(OF_COUNTRIES)]) == sorted([code, *["unknown"] * 4])


def test_the_same_number_with_other_content_is_a_correction(tmp_path):
    before = read_rows(tmp_path, {"record_number": "1"}).accepted.iloc[0]
    after = read_rows(tmp_path, {"record_number": "1", "stage": "recruited"}).accepted.iloc[0]
    assert before.identity == after.identity
    assert before.content != after.content


def test_kinds_partners_and_numbers_keep_records_apart(tmp_path):
    intake = read_rows(
        tmp_path,
        {"record_number": "1", "partner": "AB"},
        {"record_number": "1B", "partner": "A"},
        {"record_number": "2", "partner": "AB"},
        {"partner": "AB"},
    )
    assert len(set(identities(intake))) == 4


def test_the_vault_takes_a_file_once_and_its_correction(tmp_path):
    changes = [{"record_number": "1"}, {"record_number": "1"}, {}, {}, {"stage": "late"}]
    corrected = [{"record_number": "1", "stage": "recruited"}, *changes[2:]]
    with Vault.create(tmp_path / "vault", Secret.random()) as vault:
        counts = []
        for rows in (changes, changes, corrected):
            intake = read_rows(tmp_path, *rows)
            with vault.importing("encounter", "file.csv") as records:
                for batch in intake.batches(rows=2):
                    records.add(batch)
            counts.append((records.counts.accepted, records.counts.changed, records.counts.already_known))
        stored = [stage for batch in vault.read("encounter", ["stage"]) for stage in batch["stage"].to_pylist()]
    assert counts == [(3, 0, 1), (0, 0, 4), (0, 1, 2)]
    assert sorted(stored) == ["at_risk", "at_risk", "recruited"]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "date": st.sampled_from(["2007-05-31", "2007-06-01", "1.6.2007", "31/05/2007", "x", ""]),
            "municipality": st.sampled_from(["Tiranë", "10944377", "Athens", "nowhere", ""]),
            "child_id": st.sampled_from(["K-1", "k-1", "K-2", ""]),
            "stage": st.sampled_from(["at_risk", "At risk", "recruited", "late"]),
            "record_number": st.sampled_from(["", "1", "2", "3"]),
            "country": st.sampled_from(["", "AL", "GR"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.slow
@PLAIN
@given(rows=ROWS)
def test_accepted_and_rejected_are_all_rows(tmp_path, rows):
    intake = read_rows(tmp_path, *rows)
    assert intake.accepted_rows + intake.rejected_rows == intake.rows == len(rows)
    assert intake.rejects.line.nunique() == intake.rejected_rows
    assert len(intake.accepted) == intake.accepted_rows


@pytest.mark.slow
@PLAIN
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tmp_path, rows, random):
    shuffled = random.sample(rows, len(rows))
    first, second = read_rows(tmp_path, *rows), read_rows(tmp_path, *shuffled)
    assert identities(first) == identities(second)
    assert sorted(first.accepted["content"]) == sorted(second.accepted["content"])
    assert sorted(zip(first.rejects.column, first.rejects.reason, strict=True)) == sorted(
        zip(second.rejects.column, second.rejects.reason, strict=True)
    )


DITTO_SIGNS = "\"”“″〃»«'’′/- "  # some of them together are a ditto mark


@pytest.mark.slow
@PLAIN
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=60))
def test_any_text_that_can_be_printed_survives(tmp_path, text):
    if not text.split() or is_blank(text) or set(text) <= set(DITTO_SIGNS):  # NULL is a system's word for nothing
        return
    try:
        intake = read_rows(tmp_path, {"partner": text, "record_number": text})
    except FileRefused:
        return  # It looks like a phone number or the like.
    expected = unicodedata.normalize("NFC", " ".join(text.split()))
    if intake.accepted_rows:
        assert intake.accepted.partner.tolist() == [expected]
        assert intake.accepted.record_number.tolist() == [expected]
    else:
        assert not expected.isprintable()


MARKUP = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("kind", KINDS)
def test_markup_stays_plain_text_in_every_text_field(tmp_path, kind):
    given_columns = KINDS[kind].file_columns
    row = {c.name: MARKUP if c.type == "text" else c.example for c in given_columns}
    row |= {"municipality": "Tirana", "origin": "", "destination": "", "handed_from": "", "handed_to": ""}
    row |= {"share": "", "year": "2007", "period": "2008", "span": ""}
    path = write(tmp_path, text_of([row], [c.name for c in given_columns]))
    record = read(path, kind).accepted.iloc[0]
    for column in nonempty(given_columns):
        if column.type == "text":
            assert record[column.name] == MARKUP


@pytest.mark.parametrize("text", ["0691234567", "Arben Hoxha"])
def test_a_household_number_that_is_a_phone_number_or_a_name_is_refused_or_asked_and_never_repeated(tmp_path, text):
    try:
        intake = read_rows(tmp_path, {"household_number": text})
    except FileRefused as refusal:
        words = str(refusal)
    else:
        words = " ".join(map(str, intake.notes))
        assert not intake.accepted.astype(str).apply(lambda column: column.str.contains(text)).to_numpy().any()
    assert text not in words


@pytest.mark.parametrize("day", ["17.08.1999", "1999-08-17", "17/8/99"])
def test_a_day_among_record_numbers_is_rejected_and_a_partner_may_number_by_days(tmp_path, day):
    slips = read_rows(tmp_path, *({"record_number": text} for text in ("R-1", "R-2", day)))
    assert reasons(slips, 4) == {"record_number": SEEMS_PERSONAL}
    assert slips.accepted_rows == 2
    assert read_rows(tmp_path, {"record_number": "12-05-08"}, {"record_number": "13-05-08"}).accepted_rows == 2
